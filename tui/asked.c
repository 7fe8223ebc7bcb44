/* Sums answers up to one line and keeps the lines. A question that came to several verdicts (A fine, AAAA silent) shows the worst. */
#include "tui/asked.h"

#include "core/dns/ask.h"
#include "core/fd.h"

#include <stdio.h>
#include <string.h>

static void copy(struct text t, char *buf, size_t cap)
{
	snprintf(buf, cap, "%.*s", (int)(t.n < cap ? t.n : cap - 1), t.n ? t.p : "");
}

static void append(char *buf, size_t cap, struct text t)
{
	size_t n = strlen(buf);

	if (n + 4 < cap && t.n)
		snprintf(buf + n, cap - n, "%s%.*s", n ? ", " : "", (int)t.n, t.p);
}

static void take_verdict(const struct block *b, const struct dns_row *r, struct asked *ret)
{
	bool first = ret->rcode[0] == '\0', worse = r->head.severity > ret->severity;

	if (r->time_us != ROW_NO_UINT && (ret->time_us == ROW_NO_UINT || r->time_us > ret->time_us))
		ret->time_us = r->time_us;
	if (!first && !worse)
		return;
	ret->severity = r->head.severity;
	copy(block_text(b, r->rcode), ret->rcode, sizeof ret->rcode);
	copy(block_text(b, r->server), ret->server, sizeof ret->server);
	copy(block_text(b, r->flags), ret->flags, sizeof ret->flags);
	copy(block_text(b, r->transport), ret->transport, sizeof ret->transport);
	ret->size = r->size;
}

static void finish(struct asked *ret)
{
	if (ret->rcode[0] == '\0')
		snprintf(ret->rcode, sizeof ret->rcode, "no reply");
	if (ret->answer[0] == '\0' && strcmp(ret->rcode, "NOERROR") == 0)
		snprintf(ret->answer, sizeof ret->answer, "(no such records)");
	/* The name exists and has what was asked for: that AAAA is empty is no finding. */
	if (ret->records && ret->severity < SEVERITY_WARN)
		ret->severity = SEVERITY_OK;
}

void asked_sum(const struct block *answers, struct asked *ret)
{
	ret->rcode[0] = ret->server[0] = ret->answer[0] = ret->flags[0] = ret->transport[0] = '\0';
	ret->time_us = ret->size = ROW_NO_UINT;
	ret->records = 0;
	ret->severity = SEVERITY_NONE;
	for (uint32_t i = 0; i < block_count(answers); i++) {
		const struct dns_row *r = block_row(answers, i);

		if (r->section != DNS_SECTION_ANSWER)
			continue;
		take_verdict(answers, r, ret);
		if (block_text(answers, r->data).p)
			ret->records++;
		append(ret->answer, sizeof ret->answer, block_text(answers, r->data));
	}
	finish(ret);
}

void asked_add(struct asked_list *l, const struct asked *a)
{
	if (l->n == ASKED_MAX) {
		memmove(l->items, l->items + 1, sizeof l->items - sizeof l->items[0]);
		l->n--;
	}
	l->items[l->n] = *a;
	l->items[l->n++].id = ++l->next_id;
}

const struct asked *asked_find(const struct asked_list *l, uint64_t id)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (l->items[i].id == id)
			return &l->items[i];
	}
	return NULL;
}

struct block *asked_block(const struct asked_list *l)
{
	struct builder *b = builder_new(&asked_row_type);
	struct block *ret;

	for (unsigned i = l->n; i > 0; i--) {
		const struct asked *a = &l->items[i - 1];
		struct asked_row *r = builder_row(b);

		r->head.id = a->id;
		r->head.severity = a->severity == SEVERITY_OK ? SEVERITY_NONE : a->severity;
		r->time = a->time;
		r->time_us = a->time_us;
		r->name = builder_str(b, a->name);
		r->type = builder_str(b, a->type);
		r->server = a->server[0] ? builder_str(b, a->server) : ROW_NO_TEXT;
		r->rcode = builder_str(b, a->rcode);
		r->answer = a->answer[0] ? builder_str(b, a->answer) : ROW_NO_TEXT;
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static const struct field fields[] = {
	{ ROW_FIELD(struct asked_row, time, TIME), .title = "TIME", .help = "when it was asked" },
	{ ROW_FIELD(struct asked_row, name, TEXT), .title = "NAME", .help = "name as typed", .flags = FIELD_FLEX },
	{ ROW_FIELD(struct asked_row, type, TEXT), .title = "TYPE", .help = "record types asked for" },
	{ ROW_FIELD(struct asked_row, server, TEXT), .title = "SERVER", .help = "who answered: a name server, or a file" },
	{ ROW_FIELD(struct asked_row, rcode, TEXT), .title = "RCODE", .help = "response code, or why there was no reply" },
	{ ROW_FIELD(struct asked_row, time_us, UINT), .title = "TIME", .help = "from question to reply", .unit = UNIT_US,
		.flags = FIELD_RIGHT },
	{ ROW_FIELD(struct asked_row, answer, TEXT), .title = "ANSWER", .help = "data of all answers", .flags = FIELD_FLEX },
};

const struct row_type asked_row_type = {
	.name = "asked", .noun = "questions", .id = 0x61736b64, .schema = 1, .size = sizeof(struct asked_row),
	.fields = fields, .n_fields = ARRAY_LEN(fields),
};
