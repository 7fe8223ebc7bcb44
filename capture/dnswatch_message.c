/* One DNS message for the watch: see dnswatch_message.h. Answers become short texts here, so that nobody keeps the bytes. */
#include "capture/dnswatch_message.h"

#include <stdio.h>
#include <string.h>

#include "core/dns/ask.h"
#include "core/dns/rdata.h"

enum { OPCODE = 0x7800 };

/* "172.18.0.3"; of another type than the one asked for, "CNAME www.example.". */
static void add_text(struct dnswatch_message *m, const void *bytes, size_t n, const struct dns_record *rec)
{
	char data[DNSWATCH_TEXT], type[16], text[DNSWATCH_TEXT + 16];
	struct dns_text out = { .p = data, .cap = sizeof data };
	bool other = m->has_question && rec->type != m->question.type;
	size_t len;

	data[0] = 0;
	if (m->n_texts == DNSWATCH_SHOWN || !dns_rdata_format(bytes, n, rec, &out))
		return;
	snprintf(text, sizeof text, "%s%s%s", other ? dns_type_name(rec->type, type) : "", other ? " " : "", data);
	len = strlen(text) + 1;
	if (len > sizeof m->texts - m->texts_len)
		return;
	memcpy(m->texts + m->texts_len, text, len);
	m->texts_len = (uint16_t)(m->texts_len + len);
	m->n_texts++;
}

static void read_records(struct dns_reader *r, const void *bytes, size_t n, struct dnswatch_message *m)
{
	struct dns_record rec;
	int got;

	while ((got = dns_message_record(r, &rec)) > 0) {
		if (rec.section == 3 && rec.type == DNS_TYPE_OPT)
			m->rcode |= rec.ttl >> 24 << 4; /* RFC 6891 6.1.3 */
		if (rec.section != 1)
			continue;
		if (rec.ttl < m->ttl)
			m->ttl = rec.ttl;
		add_text(m, bytes, n, &rec);
	}
	m->broken = got < 0;
}

bool dnswatch_message_read(const void *bytes, size_t n, size_t size, struct dnswatch_message *ret)
{
	struct dns_reader r;

	if (!dns_message_open(&r, bytes, n) || r.head.flags & OPCODE || r.head.n[0] > 1)
		return false;
	*ret = (struct dnswatch_message){ .id = r.head.id, .flags = r.head.flags, .rcode = r.head.flags & 15,
		.is_reply = r.head.flags & DNS_FLAG_QR, .size = (uint32_t)size, .n_answers = r.head.n[1], .ttl = UINT32_MAX };
	ret->has_question = dns_message_question(&r, &ret->question) == 1;
	if (!ret->has_question && (!ret->is_reply || r.head.n[0] == 1))
		return false;
	if (ret->is_reply)
		read_records(&r, bytes, n, ret);
	return true;
}
