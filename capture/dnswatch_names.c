/* Names and what they cost: see dnswatch_names.h. Open addressing with a short probe; a full neighbourhood gives its oldest entry away. */
#include "capture/dnswatch_names.h"

#include <stdlib.h>
#include <string.h>

#include "core/fd.h"

enum { PROBE = 8 };

struct dnswatch_names {
	struct dnswatch_entry entries[DNSWATCH_NAMES];
	uint64_t seed;
};

struct dnswatch_names *dnswatch_names_new(uint64_t seed)
{
	struct dnswatch_names *n = fd_xcalloc(1, sizeof *n);

	n->seed = seed;
	return n;
}

void dnswatch_names_free(struct dnswatch_names *n)
{
	free(n);
}

void dnswatch_names_clear(struct dnswatch_names *n)
{
	for (unsigned i = 0; i < DNSWATCH_NAMES; i++)
		n->entries[i].used = false;
}

static uint64_t hash(const struct dnswatch_names *n, const struct dns_name *name)
{
	uint8_t folded[DNS_NAME_WIRE];

	for (unsigned i = 0; i < name->n; i++)
		folded[i] = name->bytes[i] >= 'A' && name->bytes[i] <= 'Z' ? name->bytes[i] + 32 : name->bytes[i];
	return row_hash(folded, name->n, n->seed);
}

static struct dnswatch_entry *entry_of(struct dnswatch_names *n, const struct dns_name *name)
{
	uint64_t at = hash(n, name);
	struct dnswatch_entry *oldest = NULL;

	for (unsigned i = 0; i < PROBE; i++) {
		struct dnswatch_entry *e = &n->entries[(at + i) % DNSWATCH_NAMES];

		if (e->used && dns_name_equal(&e->name, name))
			return e;
		if (!oldest || (oldest->used && (!e->used || e->last_ns < oldest->last_ns)))
			oldest = e;
	}
	*oldest = (struct dnswatch_entry){ .used = true, .name = *name };
	return oldest;
}

static struct dnswatch_type *type_of(struct dnswatch_entry *e, uint16_t type)
{
	for (unsigned i = 0; i < e->n_types; i++)
		if (e->types[i].type == type)
			return &e->types[i];
	if (e->n_types == DNSWATCH_TYPES)
		return &e->types[DNSWATCH_TYPES - 1];
	e->types[e->n_types] = (struct dnswatch_type){ .type = type };
	return &e->types[e->n_types++];
}

static void add_time(struct dnswatch_entry *entry, struct dnswatch_type *type, uint64_t us)
{
	uint32_t t = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;

	entry->times[entry->n_times++ % DNSWATCH_TIMES] = t;
	type->answered++;
	type->sum_us += t;
	type->max_us = t > type->max_us ? t : type->max_us;
}

/* An answer that came after all keeps its mark: somebody waited in vain. */
static void add_answer(struct dnswatch_entry *entry, struct dnswatch_type *type, const struct dnswatch_exchange *e)
{
	add_time(entry, type, dnswatch_time_us(e));
	entry->noerror += e->rcode == 0;
	entry->nxdomain += e->rcode == 3;
	entry->failed += dnswatch_is_failure(e);
	type->failed += dnswatch_is_failure(e);
}

void dnswatch_names_settled(struct dnswatch_names *n, const struct dnswatch_exchange *e, bool again)
{
	struct dnswatch_entry *entry;
	struct dnswatch_type *type;

	if (e->forwarded)
		return;
	entry = entry_of(n, &e->question.name);
	type = type_of(entry, e->question.type);
	if (e->answer_ns && !e->client_gone)
		add_answer(entry, type, e);
	if (again && e->state == DNSWATCH_LATE && !e->client_gone)
		return; /* counted as unanswered before */
	if (e->state != DNSWATCH_ANSWERED && !e->spare) {
		entry->unanswered++;
		type->unanswered++;
	}
	if (again)
		return;
	entry->count++;
	entry->retries += e->retries;
	entry->last_ns = e->last_ns;
	type->asked++;
}

const struct dnswatch_entry *dnswatch_names_at(const struct dnswatch_names *n, unsigned i)
{
	return i < DNSWATCH_NAMES && n->entries[i].used ? &n->entries[i] : NULL;
}

const struct dnswatch_type *dnswatch_names_type(const struct dnswatch_entry *e, uint16_t type)
{
	for (unsigned i = 0; i < e->n_types; i++)
		if (e->types[i].type == type)
			return &e->types[i];
	return NULL;
}

static int by_value(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

uint64_t dnswatch_percentile(uint32_t *values, size_t n, unsigned percent)
{
	size_t rank = (n * percent + 99) / 100;

	if (n == 0)
		return ROW_NO_UINT;
	qsort(values, n, sizeof values[0], by_value);
	return values[rank ? rank - 1 : 0];
}
