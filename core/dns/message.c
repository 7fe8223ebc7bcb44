/* DNS messages: see message.h. No decision here depends on a count or length that the message itself does not bear out. */
#include "core/dns/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/fd.h"

static void put_u16(uint8_t *buf, size_t *at, uint16_t v)
{
	buf[(*at)++] = (uint8_t)(v >> 8);
	buf[(*at)++] = (uint8_t)v;
}

size_t dns_message_query(const struct dns_query *q, uint8_t buf[DNS_QUERY_MAX])
{
	size_t at = 0;

	put_u16(buf, &at, q->id);
	put_u16(buf, &at, (uint16_t)((q->recurse ? DNS_FLAG_RD : 0) | (q->ad ? DNS_FLAG_AD : 0)));
	put_u16(buf, &at, 1);
	put_u16(buf, &at, 0);
	put_u16(buf, &at, 0);
	put_u16(buf, &at, q->edns);
	memcpy(buf + at, q->question.name.bytes, q->question.name.n);
	at += q->question.name.n;
	put_u16(buf, &at, q->question.type);
	put_u16(buf, &at, q->question.class);
	if (!q->edns)
		return at;
	buf[at++] = 0; /* RFC 6891 6.1.2: root, OPT, payload, rcode and version 0, no flags, no options */
	put_u16(buf, &at, DNS_TYPE_OPT);
	put_u16(buf, &at, q->payload ? q->payload : DNS_EDNS_PAYLOAD);
	put_u16(buf, &at, 0);
	put_u16(buf, &at, 0);
	put_u16(buf, &at, 0);
	return at;
}

bool dns_message_open(struct dns_reader *r, const void *bytes, size_t n)
{
	struct dns_span s = { .p = bytes, .n = n };
	struct dns_header h;

	if (!dns_span_u16(&s, &h.id) || !dns_span_u16(&s, &h.flags))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (!dns_span_u16(&s, &h.n[i]))
			return false;
	*r = (struct dns_reader){ .span = s, .head = h, .left = h.n[0] };
	return true;
}

static bool read_question(struct dns_span *s, struct dns_question *q)
{
	return dns_name_read(s, &q->name) && dns_span_u16(s, &q->type) && dns_span_u16(s, &q->class);
}

int dns_message_question(struct dns_reader *r, struct dns_question *ret)
{
	if (r->section != 0 || r->left == 0)
		return 0;
	if (!read_question(&r->span, ret))
		return -EBADMSG;
	r->left--;
	return 1;
}

static bool read_record(struct dns_span *s, struct dns_record *rec)
{
	if (!dns_name_read(s, &rec->name) || !dns_span_u16(s, &rec->type) || !dns_span_u16(s, &rec->class) ||
		!dns_span_u32(s, &rec->ttl) || !dns_span_u16(s, &rec->n))
		return false;
	rec->at = s->at;
	return dns_span_take(s, rec->n);
}

int dns_message_record(struct dns_reader *r, struct dns_record *ret)
{
	struct dns_question skipped;
	int q;

	while ((q = dns_message_question(r, &skipped)) > 0)
		;
	if (q < 0)
		return q;
	while (r->left == 0) {
		if (r->section == 3)
			return 0;
		r->left = r->head.n[++r->section];
	}
	if (!read_record(&r->span, ret))
		return -EBADMSG;
	ret->section = r->section;
	r->left--;
	return 1;
}

int dns_message_rcode(const void *bytes, size_t n)
{
	struct dns_reader r;
	struct dns_record rec;
	unsigned high = 0;
	int got;

	if (!dns_message_open(&r, bytes, n))
		return -EBADMSG;
	while ((got = dns_message_record(&r, &rec)) > 0)
		if (rec.type == DNS_TYPE_OPT && rec.section == 3)
			high = rec.ttl >> 24; /* RFC 6891 6.1.3 */
	return got < 0 ? got : (int)(high << 4 | (r.head.flags & 15));
}

/* IANA "DNS RCODEs". */
static const char *const rcode_names[] = {
	[0] = "NOERROR",
	[1] = "FORMERR",
	[2] = "SERVFAIL",
	[3] = "NXDOMAIN",
	[4] = "NOTIMP",
	[5] = "REFUSED",
	[6] = "YXDOMAIN",
	[7] = "YXRRSET",
	[8] = "NXRRSET",
	[9] = "NOTAUTH",
	[10] = "NOTZONE",
	[16] = "BADVERS",
	[23] = "BADCOOKIE",
};

const char *dns_rcode_name(unsigned rcode, char buf[16])
{
	if (rcode < ARRAY_LEN(rcode_names) && rcode_names[rcode])
		return rcode_names[rcode];
	snprintf(buf, 16, "RCODE%u", rcode);
	return buf;
}

static const struct {
	uint16_t bit;
	const char *name;
} flag_names[] = {
	{ DNS_FLAG_QR, "qr" },
	{ DNS_FLAG_AA, "aa" },
	{ DNS_FLAG_TC, "tc" },
	{ DNS_FLAG_RD, "rd" },
	{ DNS_FLAG_RA, "ra" },
	{ DNS_FLAG_AD, "ad" },
	{ DNS_FLAG_CD, "cd" },
};

char *dns_flags_text(uint16_t flags, char buf[32])
{
	size_t n = 0;

	buf[0] = 0;
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (flags & flag_names[i].bit)
			n += (size_t)snprintf(buf + n, 32 - n, "%s%s", n ? " " : "", flag_names[i].name);
	return buf;
}
