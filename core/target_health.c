/* Targets with how they do: the list of engines and namespaces joined with the readings of the health worker. */
#include "core/target.h"

#include <math.h>
#include <stdlib.h>

#include "core/fd.h"
#include "core/source/health.h"

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

static int by_id(const void *x, const void *y)
{
	const struct health_row *const *a = x, *const *b = y;

	return CMP((*a)->head.id, (*b)->head.id);
}

void target_health_unknown(struct target_row *t)
{
	t->cpu_percent = t->memory_percent = t->retransmit_percent = NAN;
	t->memory_bytes = t->rx_bytes_per_second = t->tx_bytes_per_second = ROW_NO_UINT;
}

static void take(struct builder *out, struct target_row *t, const struct block *health, const struct health_row *h)
{
	struct text problem = block_text(health, h->problem);

	t->cpu_percent = h->cpu_percent;
	t->memory_bytes = h->memory_bytes;
	t->memory_percent = h->memory_percent;
	t->rx_bytes_per_second = h->rx_bytes_per_second;
	t->tx_bytes_per_second = h->tx_bytes_per_second;
	t->retransmit_percent = h->retransmit_percent;
	if (problem.n == 0 || h->head.severity <= t->head.severity || h->head.severity < SEVERITY_WARN)
		return;
	t->head.severity = h->head.severity;
	t->problem = builder_text(out, problem.p, problem.n);
}

struct block *target_with_health(const struct block *targets, const struct block *health)
{
	uint32_t n = block_count(health);
	AUTO(fd_freep) const struct health_row **index = fd_xcalloc(n + 1, sizeof *index);
	struct builder *out = builder_new(&target_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < n; i++)
		index[i] = block_row(health, i);
	qsort(index, n, sizeof *index, by_id);
	for (uint32_t i = 0; i < block_count(targets); i++) {
		struct target_row *t = builder_copy_row(out, targets, block_row(targets, i));
		const struct health_row key = { .head.id = t->head.id }, *k = &key;
		const struct health_row **h = bsearch(&k, index, n, sizeof *index, by_id);

		if (h)
			take(out, t, health, *h);
	}
	ret = builder_block(out);
	builder_free(out);
	return ret;
}
