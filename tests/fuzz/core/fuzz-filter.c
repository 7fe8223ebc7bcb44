/* Filter words are typed by people, but also passed on from scripts and to workers: any text must parse or be refused. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/filter.h"

struct item {
	struct row_head head;
	struct str name;
	struct str tags;
	uint32_t state;
	struct addr address;
	uint64_t local_port;
	uint64_t rss_bytes;
	double cpu_percent;
	int64_t started_at;
	uint8_t guest;
};

static const char *const states[] = { "up", "down" };

static const struct field fields[] = {
	{ ROW_FIELD(struct item, name, TEXT), .title = "NAME" },
	{ ROW_FIELD(struct item, tags, LIST), .title = "TAGS" },
	{ ROW_FIELD(struct item, state, ENUM), .title = "STATE", .names = states, .n_names = ARRAY_LEN(states) },
	{ ROW_FIELD(struct item, address, ADDR), .title = "ADDRESS" },
	{ ROW_FIELD(struct item, local_port, UINT), .title = "PORT", .unit = UNIT_ID },
	{ ROW_FIELD(struct item, rss_bytes, UINT), .title = "RSS", .unit = UNIT_BYTES },
	{ ROW_FIELD(struct item, cpu_percent, REAL), .title = "CPU%", .unit = UNIT_PERCENT },
	{ ROW_FIELD(struct item, started_at, TIME), .title = "STARTED" },
	{ ROW_FIELD(struct item, guest, BOOL), .title = "GUEST" },
};

static const struct row_type type = { .name = "item", .noun = "items", .id = 1, .size = sizeof(struct item),
	.fields = fields, .n_fields = ARRAY_LEN(fields) };

static struct block *rows(void)
{
	struct builder *b = builder_new(&type);
	struct item *it = builder_row(b);
	struct block *ret;

	*it = (struct item){ .name = builder_str(b, "web-01.example"), .tags = ROW_NO_TEXT, .state = 1, .local_port = 8080,
		.rss_bytes = 1 << 20, .cpu_percent = 1.5, .started_at = 1700000000000000000 };
	builder_list_add(b, &it->tags, "one", 3);
	builder_list_add(b, &it->tags, "two=2", 5);
	addr_parse("10.0.0.1", &it->address);
	it = builder_row(b);
	*it = (struct item){ .name = ROW_NO_TEXT, .tags = ROW_NO_TEXT, .state = ROW_NO_ENUM, .local_port = ROW_NO_UINT,
		.rss_bytes = ROW_NO_UINT, .cpu_percent = NAN, .started_at = ROW_NO_INT, .guest = ROW_NO_BOOL };
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(fd_freep) char *text = fd_xcalloc(1, size + 1);
	AUTO(block_unrefp) struct block *b = rows();
	struct filter *f = NULL;
	size_t column = SIZE_MAX, from, n;
	struct err err = { 0 };

	memcpy(text, data, size);
	if (filter_parse(&type, text, &f, &column, &err) < 0) {
		if (f || column > strlen(text) || !err.msg[0])
			abort();
		return 0;
	}
	for (uint32_t i = 0; i < block_count(b); i++)
		filter_match(f, b, block_row(b, i), NULL);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (filter_highlight(f, &fields[i], (struct text){ .p = text, .n = strlen(text) }, &from, &n) &&
			(n == 0 || from + n > strlen(text)))
			abort();
	filter_free(f);
	return 0;
}
