/* Questions and replies as rows, and the table that says what a row holds: see ask.h. */
#include "core/dns/rows.h"

#include <stdio.h>
#include <string.h>

#include "core/block.h"
#include "core/dns/ask.h"
#include "core/dns/rdata.h"
#include "core/fd.h"

static const char *const section_names[DNS_SECTION_N] = {
	[DNS_SECTION_QUESTION] = "question",
	[DNS_SECTION_ANSWER] = "answer",
	[DNS_SECTION_AUTHORITY] = "authority",
	[DNS_SECTION_ADDITIONAL] = "additional",
	[DNS_SECTION_STEP] = "step",
};

static const struct field dns_fields[] = {
	{ ROW_FIELD(struct dns_row, name, TEXT), .title = "NAME", .help = "owner of the record, or the name that was asked",
		.width = 30 },
	{ ROW_FIELD(struct dns_row, type, TEXT), .title = "TYPE", .help = "record type", .width = 5 },
	{ ROW_FIELD(struct dns_row, ttl, UINT), .title = "TTL", .help = "seconds that the record may be kept",
		.unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 6, .priority = 4 },
	{ ROW_FIELD(struct dns_row, data, TEXT), .title = "DATA",
		.help = "what the record says, as in a zone file; unknown: no such record, see rcode",
		.flags = FIELD_FLEX, .width = 24 },
	{ ROW_FIELD(struct dns_row, server, TEXT), .title = "SERVER", .help = "who answered: a name server, or a file",
		.width = 12, .priority = 3 },
	{ ROW_FIELD(struct dns_row, rcode, TEXT), .title = "RCODE",
		.help = "response code of the server, or why there was no valid reply", .width = 8, .priority = 1 },
	{ ROW_FIELD(struct dns_row, time_us, UINT), .title = "TIME", .help = "from question to reply", .unit = UNIT_US,
		.flags = FIELD_RIGHT, .width = 7, .priority = 2 },
	{ ROW_FIELD(struct dns_row, section, ENUM), .title = "SECTION",
		.help = "part of the reply; step: a name that was asked on the way, in order", .names = section_names,
		.n_names = DNS_SECTION_N, .width = 10, .priority = 5 },
	{ ROW_FIELD(struct dns_row, flags, TEXT), .title = "FLAGS",
		.help = "header flags: aa authoritative, tc cut short, ra recursion, ad verified", .flags = FIELD_WIDE,
		.width = 8, .priority = 6 },
	{ ROW_FIELD(struct dns_row, transport, TEXT), .title = "VIA", .help = "udp or tcp", .flags = FIELD_WIDE, .width = 3,
		.priority = 6 },
	{ ROW_FIELD(struct dns_row, size, UINT), .title = "SIZE", .help = "bytes of the reply", .unit = UNIT_BYTES,
		.flags = FIELD_WIDE | FIELD_RIGHT, .width = 5, .priority = 7 },
	{ ROW_FIELD(struct dns_row, address, ADDR), .title = "ADDRESS", .help = "address in the data, of A and AAAA",
		.flags = FIELD_HIDDEN, .width = 15, .priority = 8 },
	{ ROW_FIELD(struct dns_row, target, TEXT), .title = "IS", .help = "container that has this address", .width = 16,
		.priority = 2 },
	{ ROW_FIELD(struct dns_row, asked, TEXT), .flags = FIELD_HIDDEN, .help = "of many names: the one this is about, as it was given" },
	{ ROW_FIELD(struct dns_row, position, UINT), .flags = FIELD_HIDDEN, .unit = UNIT_ID, .help = "its place among them, from 1" },
};

const struct row_type dns_row_type = {
	.name = "dns",
	.noun = "records",
	.id = 0x646e7320, /* "dns " */
	.schema = 1,
	.size = sizeof(struct dns_row),
	.fields = dns_fields,
	.n_fields = ARRAY_LEN(dns_fields),
};

struct dns_row *dns_rows_blank(struct builder *b)
{
	struct dns_row *row = builder_row(b);

	row->name = row->type = row->data = row->server = ROW_NO_TEXT;
	row->rcode = row->flags = row->transport = row->target = row->asked = ROW_NO_TEXT;
	row->ttl = row->time_us = row->size = row->position = ROW_NO_UINT;
	return row;
}

void dns_rows_identify(struct dns_row *row, const char *name, const char *type, const char *data)
{
	uint64_t id = row_hash(&row->section, sizeof row->section, 0);

	id = row_hash(name, strlen(name), id);
	id = row_hash(type, strlen(type), id);
	row->head.id = row_hash(data, strlen(data), id);
}

/* The address, with the port only when it is not the usual one. */
static void server_text(const struct dns_server *s, char *buf, size_t cap)
{
	struct addr a = addr_unmap(&s->address);
	bool bracket = s->port != 53 && a.kind == ADDR_IP6;
	char text[ADDR_TEXT];
	int n;

	addr_format(&a, text);
	n = snprintf(buf, cap, "%s%s%s%s%s", bracket ? "[" : "", text, s->zone[0] ? "%" : "", s->zone, bracket ? "]" : "");
	if (s->port != 53)
		snprintf(buf + n, cap - (size_t)n, ":%u", s->port);
}

/* Fields that every row about this question shares. */
static struct dns_row *new_row(struct builder *b, const struct dns_asked *asked, unsigned section)
{
	const struct dns_flight *f = asked->flight;
	char text[160], number[16];
	struct dns_row *row = dns_rows_blank(b);

	row->section = section;
	server_text(asked->server, text, sizeof text);
	row->server = builder_str(b, text);
	row->transport = builder_str(b, f->tcp ? "tcp" : "udp");
	row->time_us = f->time_us;
	if (f->fate != DNS_FATE_REPLY) {
		dns_fate_text(f, asked->server, text, sizeof text);
		row->rcode = builder_str(b, text);
		return row;
	}
	row->rcode = builder_str(b, dns_rcode_name(f->rcode, number));
	row->flags = builder_str(b, dns_flags_text((uint16_t)(f->reply[2] << 8 | f->reply[3]), text));
	row->size = f->n_reply;
	return row;
}

static unsigned count_answers(const struct dns_flight *f)
{
	return f->fate == DNS_FATE_REPLY ? (unsigned)f->reply[6] << 8 | f->reply[7] : 0;
}

/* SERVFAIL and its like, or silence: bad; no such name: worth a look; a name without such records is ordinary. */
static uint32_t severity(const struct dns_flight *f)
{
	if (f->fate == DNS_FATE_NONE)
		return SEVERITY_IDLE;
	if (f->fate != DNS_FATE_REPLY)
		return SEVERITY_BAD;
	if (f->rcode == 0)
		return count_answers(f) ? SEVERITY_OK : SEVERITY_IDLE;
	return f->rcode == 3 ? SEVERITY_WARN : SEVERITY_BAD;
}

static void name_row(struct builder *b, struct dns_row *row, const struct dns_name *name, uint16_t type, const char *data)
{
	char text[DNS_NAME_PRINT], number[16];
	const char *kind = dns_type_name(type, number);

	dns_name_format(name, text, sizeof text);
	row->name = builder_str(b, text);
	row->type = builder_str(b, kind);
	if (data)
		row->data = builder_str(b, data);
	dns_rows_identify(row, text, kind, data ? data : "");
}

void dns_rows_step(struct builder *b, const struct dns_asked *asked)
{
	const struct dns_flight *f = asked->flight;
	struct dns_row *row = new_row(b, asked, DNS_SECTION_STEP);
	struct dns_text how = { .p = (char[512]){ "" }, .cap = 512 };
	uint32_t count = builder_count(b);

	dns_text_add(&how, "%s", asked->how);
	if (f->fate == DNS_FATE_REPLY)
		dns_text_add(&how, "; answers: %u", count_answers(f));
	if (f->truncated)
		dns_text_add(&how, "; cut short, asked again over TCP");
	if (f->unexpected)
		dns_text_add(&how, "; unexpected replies: %u", f->unexpected);
	name_row(b, row, &f->query.question.name, f->query.question.type, how.p);
	row->head.id = row_hash(&count, sizeof count, row->head.id); /* the same step may come twice */
	row->head.severity = severity(f);
}

void dns_rows_skipped(struct builder *b, const char *name, const char *how, const char *why)
{
	struct dns_row *row = dns_rows_blank(b);

	row->section = DNS_SECTION_STEP;
	row->head.severity = SEVERITY_WARN;
	row->name = builder_str(b, name);
	row->data = builder_str(b, how);
	row->rcode = builder_str(b, why);
	dns_rows_identify(row, name, "", how);
}

/* --- records --- */

static bool is_known(struct builder *b, const struct dns_row *row)
{
	for (uint32_t i = 0; i + 1 < builder_count(b); i++)
		if (((struct dns_row *)builder_at(b, i))->head.id == row->head.id)
			return true;
	return false;
}

static void set_address(struct dns_row *row, const struct dns_flight *f, const struct dns_record *rec)
{
	if (rec->class != DNS_CLASS_IN)
		return;
	if (rec->type == DNS_TYPE_A && rec->n == 4)
		row->address = addr_ip4(f->reply + rec->at);
	else if (rec->type == DNS_TYPE_AAAA && rec->n == 16)
		row->address = addr_ip6(f->reply + rec->at);
}

/* Data that does not fit its type is shown as bytes. */
static bool format_data(const struct dns_flight *f, struct dns_record *rec, char *buf)
{
	struct dns_text text = { .p = buf, .cap = DNS_RDATA_TEXT };

	buf[0] = 0;
	if (dns_rdata_format(f->reply, f->n_reply, rec, &text))
		return true;
	text.n = 0;
	rec->class = 0; /* of no known class: RFC 3597 form */
	return !dns_rdata_format(f->reply, f->n_reply, rec, &text);
}

static void add_record(struct builder *b, const struct dns_asked *asked, struct dns_record *rec, char *text)
{
	const struct dns_flight *f = asked->flight;
	bool fits = format_data(f, rec, text);
	struct dns_row *row = new_row(b, asked, rec->section); /* DNS_SECTION_* count as the message does */

	name_row(b, row, &rec->name, rec->type, text);
	row->ttl = rec->ttl;
	row->head.severity = fits ? SEVERITY_OK : SEVERITY_BAD;
	if (fits)
		set_address(row, f, rec);
	else
		row->rcode = builder_str(b, "malformed");
	/* A CNAME, or the zone's SOA, comes with each type that was asked for. */
	if (rec->type != f->query.question.type && is_known(b, row))
		builder_drop_last(b);
}

static void add_nothing(struct builder *b, const struct dns_asked *asked)
{
	const struct dns_flight *f = asked->flight;
	struct dns_row *row = new_row(b, asked, DNS_SECTION_ANSWER);

	if (f->fate != DNS_FATE_REPLY)
		row->time_us = asked->waited_us;
	name_row(b, row, &f->query.question.name, f->query.question.type, NULL);
	row->head.severity = severity(f);
	if (f->fate == DNS_FATE_REPLY && f->rcode == 0)
		row->head.severity = SEVERITY_IDLE;
}

void dns_rows_answer(struct builder *b, const struct dns_asked *asked, char *text)
{
	const struct dns_flight *f = asked->flight;
	uint16_t type = f->query.question.type;
	struct dns_record rec;
	struct dns_reader r;
	bool has_answer = false;

	if (f->fate == DNS_FATE_REPLY && dns_message_open(&r, f->reply, f->n_reply)) {
		while (dns_message_record(&r, &rec) > 0) {
			if (!has_answer && rec.section > DNS_SECTION_ANSWER) {
				add_nothing(b, asked);
				has_answer = true;
			}
			has_answer |= rec.type == type || type == DNS_TYPE_ANY;
			if (rec.type != DNS_TYPE_OPT)
				add_record(b, asked, &rec, text);
		}
	}
	if (!has_answer)
		add_nothing(b, asked);
}
