/* A row type with every kind of field, for tests of rows and blocks. */
#ifndef NSDBG_TESTS_SAMPLE_H
#define NSDBG_TESTS_SAMPLE_H

#include "core/block.h"
#include "core/fd.h"

#include <math.h>

struct part_row {
	struct row_head head;
	struct str label;
	uint64_t n;
};

static const struct field part_fields[] = {
	{ ROW_FIELD(struct part_row, label, TEXT) },
	{ ROW_FIELD(struct part_row, n, UINT) },
};

static const struct row_type part_type = { .name = "part", .id = 0x70617274, .schema = 1, .size = sizeof(struct part_row),
	.fields = part_fields, .n_fields = ARRAY_LEN(part_fields) };

struct sample_row {
	struct row_head head;
	struct str name;
	struct str list;
	uint64_t bytes;
	uint64_t port;
	int64_t delta;
	double percent;
	struct addr address;
	int64_t time;
	uint64_t rtt_us;
	uint64_t age;
	uint32_t state;
	uint8_t flag;
	struct rows parts;
};

static const char *const sample_states[] = { "up", "down" };

static const struct field sample_fields[] = {
	{ ROW_FIELD(struct sample_row, name, TEXT), .title = "NAME" },
	{ ROW_FIELD(struct sample_row, list, LIST) },
	{ ROW_FIELD(struct sample_row, bytes, UINT), .unit = UNIT_BYTES },
	{ ROW_FIELD(struct sample_row, port, UINT), .unit = UNIT_ID },
	{ ROW_FIELD(struct sample_row, delta, INT) },
	{ ROW_FIELD(struct sample_row, percent, REAL), .unit = UNIT_PERCENT },
	{ ROW_FIELD(struct sample_row, address, ADDR) },
	{ ROW_FIELD(struct sample_row, time, TIME) },
	{ ROW_FIELD(struct sample_row, rtt_us, UINT), .unit = UNIT_US },
	{ ROW_FIELD(struct sample_row, age, UINT), .unit = UNIT_SECONDS },
	{ ROW_FIELD(struct sample_row, state, ENUM), .names = sample_states, .n_names = ARRAY_LEN(sample_states) },
	{ ROW_FIELD(struct sample_row, flag, BOOL) },
	{ ROW_FIELD(struct sample_row, parts, ROWS), .sub = &part_type },
};

static const struct row_type sample_type = { .name = "sample", .noun = "samples", .id = 0x73616d70, .schema = 1,
	.size = sizeof(struct sample_row), .fields = sample_fields, .n_fields = ARRAY_LEN(sample_fields) };

/* Every field unknown. */
static inline struct sample_row *sample_unknown(struct builder *b)
{
	struct sample_row *r = builder_row(b);

	r->name = r->list = ROW_NO_TEXT;
	r->bytes = r->port = r->rtt_us = r->age = ROW_NO_UINT;
	r->delta = r->time = ROW_NO_INT;
	r->percent = NAN;
	r->state = ROW_NO_ENUM;
	r->flag = ROW_NO_BOOL;
	return r;
}

#endif
