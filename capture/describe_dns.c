/* DNS text for the packet list and the tree; the codec is core/dns's. Its reader stops where bytes end: cut off or malformed. */
#include "capture/describe_dns.h"

#include "capture/decode/packet.h"
#include "capture/names.h"
#include "core/dns/ask.h"
#include "core/dns/message.h"
#include "core/dns/rdata.h"

#include <stdio.h>

enum { LINE_RECORDS = 4 }; /* answers named in the list */

/* A message in a packet, and how its reading ended. */
struct message {
	const uint8_t *bytes;
	uint32_t held;
	bool is_cut; /* fewer bytes captured than it has */
	bool continues; /* and that because the rest comes in other TCP segments */
	bool multicast;
	struct dns_reader reader;
};

static bool message_open(const struct packet *p, const struct dns *dns, struct message *ret)
{
	uint32_t held = p->captured > dns->offset ? p->captured - dns->offset : 0;

	ret->held = held < dns->length ? held : dns->length;
	ret->is_cut = held < dns->length;
	ret->continues = ret->is_cut && dns->over_tcp && p->captured >= p->length;
	ret->bytes = p->bytes + (p->captured > dns->offset ? dns->offset : 0);
	ret->multicast = dns->flavour == DNS_MULTICAST;
	return dns_message_open(&ret->reader, ret->bytes, ret->held);
}

/* Name without its final dot. */
static void name_words(struct words *w, const struct dns_name *name)
{
	char text[DNS_NAME_PRINT];
	size_t n = dns_name_format(name, text, sizeof text);

	if (n >= sizeof text)
		n = sizeof text - 1;
	words_bytes(w, text, n > 1 ? n - 1 : n);
}

static void data_words(struct words *w, const struct message *m, const struct dns_record *r)
{
	char text[sizeof w->text];
	struct dns_text out = { .p = text, .cap = sizeof text };
	struct dns_record plain = *r;

	text[0] = 0;
	if (m->multicast)
		plain.class &= 0x7fff; /* the cache flush bit, RFC 6762 10.2 */
	if (dns_rdata_format(m->bytes, m->held, &plain, &out))
		words_add(w, "%s", text);
	else
		words_add(w, "malformed data");
}

static void failed(const struct message *m, struct packet_line *ret)
{
	words_add(&ret->info, " %s",
		m->continues ? "[goes on in the next segment]" :
		m->is_cut    ? "[cut]" :
			       "malformed: DNS: record cannot be read");
	if (!m->is_cut)
		ret->severity = SEVERITY_WARN;
}

/* "A? db.default.svc" for every question; false when it cannot be read. */
static bool questions(struct message *m, struct words *w)
{
	struct dns_question q;
	char type[16];
	unsigned n = 0;
	int r;

	while ((r = dns_message_question(&m->reader, &q)) > 0) {
		if (n++ >= LINE_RECORDS)
			continue;
		words_add(w, "%s%s? ", n > 1 ? ", " : "", dns_type_name(q.type, type));
		name_words(w, &q.name);
	}
	return r == 0;
}

/* "A 172.18.0.3, A 172.18.0.4 ttl 600" */
static bool answers(struct message *m, struct words *w)
{
	struct dns_record rec;
	unsigned n = 0;
	uint32_t ttl = 0;
	char type[16];
	int r;

	while ((r = dns_message_record(&m->reader, &rec)) > 0 && rec.section == 1) {
		if (n++ == 0)
			ttl = rec.ttl;
		if (n > LINE_RECORDS)
			continue;
		words_add(w, "%s%s ", n > 1 ? ", " : "", dns_type_name(rec.type, type));
		data_words(w, m, &rec);
	}
	if (n > LINE_RECORDS)
		words_add(w, " and %u more", n - LINE_RECORDS);
	if (n > 0)
		words_add(w, " ttl %u", ttl);
	return r >= 0;
}

static void reply_line(const struct dns *dns, struct message *m, struct packet_line *ret)
{
	struct words asked = { .n = 0 };
	unsigned rcode = dns->flags & 15;
	struct words *w = &ret->info;
	char name[16];
	bool good;

	good = questions(m, &asked);
	if (rcode != 0)
		words_add(w, "%s %s", dns_rcode_name(rcode, name), asked.text);
	if (good && rcode == 0) {
		good = answers(m, w);
		if (w->n == 0 && good)
			words_add(w, "no data %s", asked.text);
		else if (asked.n > 0)
			words_add(w, " (%s)", asked.text);
	}
	if (dns->flags & DNS_FLAG_TC)
		words_add(w, " truncated");
	if (!good)
		failed(m, ret);
	if (rcode != 0 && rcode != 3) /* NXDOMAIN is daily life with search lists */
		ret->severity = SEVERITY_WARN;
}

void describe_dns_line(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	const char *opcode = names_dns_opcode(l->dns.flags >> 11 & 15);
	struct message m;

	if (!message_open(p, &l->dns, &m)) {
		failed(&m, ret);
		return;
	}
	if (l->dns.flags >> 11 & 15)
		words_add(&ret->info, "%s ", opcode ? opcode : "unknown operation");
	if (l->dns.flags & DNS_FLAG_QR)
		reply_line(&l->dns, &m, ret);
	else if (!questions(&m, &ret->info))
		failed(&m, ret);
}

/* --- the tree --- */

static void tree_header(struct tree *t, const struct dns *d)
{
	const char *opcode = names_dns_opcode(d->flags >> 11 & 15);
	char buf[32], rcode[16];

	tree_add(t, 1, (struct place){ d->offset, 2 }, "Id", "0x%04x", d->id);
	tree_add(t, 1, (struct place){ d->offset + 2, 2 }, "Operation", "%s", opcode ? opcode : "unknown");
	tree_add(t, 1, (struct place){ d->offset + 2, 2 }, "Flags", "%s", dns_flags_text(d->flags, buf));
	if (d->flags & DNS_FLAG_QR)
		tree_add(t, 1, (struct place){ d->offset + 3, 1 }, "Result", "%s", dns_rcode_name(d->flags & 15, rcode));
}

static void tree_record(struct tree *t, const struct message *m, const struct dns_record *r, struct place at)
{
	static const char *const labels[] = { "Question", "Answer", "Authority", "Additional" };
	char type[16];

	name_words(&t->value, &r->name);
	words_add(&t->value, " %s ", dns_type_name(r->type, type));
	data_words(&t->value, m, r);
	tree_put(t, 1, at, labels[r->section & 3]);
	if (r->type == DNS_TYPE_OPT)
		return;
	tree_add(t, 2, (struct place){ at.offset + at.length - r->n - 6, 4 }, "TTL", "%u s", r->ttl);
	if (m->multicast && r->class & 0x8000)
		tree_add(t, 2, (struct place){ at.offset + at.length - r->n - 8, 2 }, "Cache", "flush");
}

static int tree_questions(struct tree *t, struct message *m, uint32_t start)
{
	struct dns_question q;
	char type[16];
	size_t from = m->reader.span.at;
	int r = 0;

	while (t->n < TREE_LINES && (r = dns_message_question(&m->reader, &q)) > 0) {
		name_words(&t->value, &q.name);
		words_add(&t->value, " %s%s", dns_type_name(q.type, type),
			m->multicast && q.class & 0x8000 ? " (unicast reply wanted)" : "");
		tree_put(t, 1, (struct place){ start + (uint32_t)from, (uint32_t)(m->reader.span.at - from) }, "Question");
		from = m->reader.span.at;
	}
	return t->n < TREE_LINES ? r : -1;
}

static int tree_records(struct tree *t, struct message *m, uint32_t start)
{
	struct dns_record rec;
	size_t from = m->reader.span.at;
	int r = 0;

	while (t->n < TREE_LINES && (r = dns_message_record(&m->reader, &rec)) > 0) {
		tree_record(t, m, &rec, (struct place){ start + (uint32_t)from, (uint32_t)(m->reader.span.at - from) });
		from = m->reader.span.at;
	}
	return t->n < TREE_LINES ? r : -1;
}

void describe_dns_tree(struct tree *t, const struct packet *p, const struct layer *l)
{
	struct message m;
	uint32_t at;

	tree_header(t, &l->dns);
	if (!message_open(p, &l->dns, &m))
		return;
	if (tree_questions(t, &m, l->dns.offset) >= 0 && tree_records(t, &m, l->dns.offset) >= 0)
		return;
	at = l->dns.offset + (uint32_t)m.reader.span.at;
	if (m.is_cut)
		tree_add(t, 1, (struct place){ at, p->captured - at }, "Cut", "%s",
			m.continues ? "goes on in the next segment" : "the capture kept too few bytes");
	else
		tree_add(t, 1, (struct place){ at, 0 }, "Malformed", "record cannot be read");
}
