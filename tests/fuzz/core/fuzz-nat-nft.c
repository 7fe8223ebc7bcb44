/* Dumps of nf_tables: five lengths, then tables, chains, rules, sets, elements. Expressions, sets and compat blobs are what a container
 * may have put there; all become rows as in the worker. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/fd.h"
#include "core/net/nat.h"
#include "core/net/nat_nft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(uint8_t family, struct text table, struct text set, void *arg)
{
	*(size_t *)arg += family + table.n + set.n;
}

static void format_all(const struct block *b)
{
	struct row_look look = { .charset = TEXT_UTF8 };
	char buf[256];

	for (uint32_t i = 0; i < block_count(b); i++)
		for (uint32_t f = 0; f < nat_row_type.n_fields; f++)
			row_format(b, &nat_row_type.fields[f], block_row(b, i), &look, buf, sizeof buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t lengths[NAT_DUMPS];
	struct nat_bytes dumps[NAT_DUMPS] = { 0 };
	struct nat_model m;
	struct builder *b;
	struct block *block;
	size_t at = sizeof lengths, n = 0;

	if (size < sizeof lengths)
		return 0;
	memcpy(lengths, data, sizeof lengths);
	for (unsigned i = 0; i < NAT_DUMPS; i++) {
		dumps[i].n = lengths[i] < size - at ? lengths[i] : size - at;
		dumps[i].p = fd_xcalloc(1, dumps[i].n + 1); /* its own end, and aligned as the kernel's are */
		memcpy(dumps[i].p, data + at, dumps[i].n);
		at += dumps[i].n;
	}
	nat_nft_sets(dumps, count, &n);
	nat_model_init(&m);
	nat_nft_read(dumps, NULL, &m);
	b = builder_new(&nat_row_type);
	nat_walk(&m, b);
	block = builder_block(b);
	format_all(block);
	block_unref(block);
	builder_free(b);
	nat_model_done(&m);
	for (unsigned i = 0; i < NAT_DUMPS; i++)
		free(dumps[i].p);
	return n == SIZE_MAX;
}
