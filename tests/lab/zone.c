/*
 * The lab's DNS zone: a const table of records and the code that answers one query from it (RFC 1035). Bounded: a query that does
 * not parse gets no answer, an answer that does not fit is cut with TC set.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lab.h"

enum { TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_PTR = 12, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_SRV = 33 };
enum { RCODE_OK = 0, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5, NAME_MAX_TEXT = 256, HEADER = 12 };

struct record {
	const char *name;
	uint16_t type;
	uint32_t ttl;
	uint16_t numbers[3]; /* MX: preference; SRV: priority, weight, port */
	const char *data;
};

struct out {
	uint8_t *bytes;
	size_t n, cap;
	bool full;
};

static const struct record zone[] = {
	{ "lab", TYPE_SOA, 60, { 0 }, "dns.lab" },
	{ "lab", TYPE_NS, 300, { 0 }, "dns.lab" },
	{ "lab", TYPE_MX, 300, { 10 }, "web.lab" },
	{ "lab", TYPE_TXT, 300, { 0 }, "a lab made of network namespaces" },
	{ "web.lab", TYPE_A, 60, { 0 }, "10.77.0.3" },
	{ "web.lab", TYPE_AAAA, 60, { 0 }, "fd77::3" },
	{ "db.lab", TYPE_A, 60, { 0 }, "10.77.0.2" },
	{ "client.lab", TYPE_A, 60, { 0 }, "10.77.0.4" },
	{ "dns.lab", TYPE_A, 60, { 0 }, "10.77.0.53" },
	{ "cache.lab", TYPE_A, 60, { 0 }, "10.77.0.9" }, /* the fault: nobody has this address */
	{ "api.lab", TYPE_CNAME, 30, { 0 }, "web.lab" },
	{ "_db._tcp.lab", TYPE_SRV, 60, { 10, 5, 5432 }, "db.lab" },
	{ "2.0.77.10.in-addr.arpa", TYPE_PTR, 60, { 0 }, "db.lab" },
	{ "3.0.77.10.in-addr.arpa", TYPE_PTR, 60, { 0 }, "web.lab" },
	{ "4.0.77.10.in-addr.arpa", TYPE_PTR, 60, { 0 }, "client.lab" },
	{ "53.0.77.10.in-addr.arpa", TYPE_PTR, 60, { 0 }, "dns.lab" },
};
enum { ZONE_N = sizeof zone / sizeof zone[0] };

static void put(struct out *o, const void *bytes, size_t n)
{
	if (o->full || n > o->cap - o->n) {
		o->full = true;
		return;
	}
	memcpy(o->bytes + o->n, bytes, n);
	o->n += n;
}

static void put16(struct out *o, uint16_t v)
{
	uint16_t be = htons(v);

	put(o, &be, sizeof be);
}

static void put32(struct out *o, uint32_t v)
{
	uint32_t be = htonl(v);

	put(o, &be, sizeof be);
}

static void put_name(struct out *o, const char *name)
{
	while (*name) {
		uint8_t n = (uint8_t)strcspn(name, ".");

		put(o, &n, 1);
		put(o, name, n);
		name += n + (name[n] == '.');
	}
	put(o, "", 1);
}

static void put_data(struct out *o, const struct record *r)
{
	uint8_t bytes[16];
	uint8_t n = (uint8_t)strlen(r->data);

	switch (r->type) {
	case TYPE_A:
	case TYPE_AAAA:
		inet_pton(r->type == TYPE_A ? AF_INET : AF_INET6, r->data, bytes);
		put(o, bytes, r->type == TYPE_A ? 4 : 16);
		return;
	case TYPE_TXT:
		put(o, &n, 1);
		put(o, r->data, n);
		return;
	case TYPE_SOA:
		put_name(o, r->data);
		put_name(o, "admin.lab");
		for (unsigned i = 0; i < 5; i++) /* serial, refresh, retry, expire, minimum */
			put32(o, (const uint32_t[]){ 1, 3600, 600, 86400, 5 }[i]);
		return;
	default:
		for (unsigned i = 0; i < (r->type == TYPE_MX ? 1u : r->type == TYPE_SRV ? 3u : 0u); i++)
			put16(o, r->numbers[i]);
		put_name(o, r->data);
	}
}

static void put_record(struct out *o, const struct record *r)
{
	size_t length_at;
	uint16_t length;

	put_name(o, r->name);
	put16(o, r->type);
	put16(o, 1);
	put32(o, r->ttl);
	length_at = o->n;
	put16(o, 0);
	put_data(o, r);
	if (o->full)
		return;
	length = htons((uint16_t)(o->n - length_at - 2));
	memcpy(o->bytes + length_at, &length, sizeof length);
}

/* Adds what the zone has for name and type, following a CNAME; returns how many. *ret_exists: some record has the name. */
static uint16_t put_answers(struct out *o, const char *name, uint16_t type, bool *ret_exists)
{
	uint16_t n = 0;

	for (unsigned i = 0; i < ZONE_N; i++) {
		if (strcasecmp(zone[i].name, name) != 0)
			continue;
		*ret_exists = true;
		if (zone[i].type == type || type == 255) {
			put_record(o, &zone[i]);
			n++;
		} else if (zone[i].type == TYPE_CNAME) {
			put_record(o, &zone[i]);
			n += 1 + put_answers(o, zone[i].data, type, ret_exists);
		}
	}
	return n;
}

/* Reads the question's name; returns the offset behind it, 0 when it is malformed. */
static size_t read_name(const uint8_t *q, size_t n, char name[NAME_MAX_TEXT])
{
	size_t at = HEADER;
	size_t len = 0;

	while (at < n && q[at]) {
		size_t label = q[at++];

		if (label > 63 || label > n - at || len + label + 2 > NAME_MAX_TEXT)
			return 0;
		if (len)
			name[len++] = '.';
		memcpy(name + len, q + at, label);
		len += label;
		at += label;
	}
	name[len] = '\0';
	return at < n ? at + 1 : 0;
}

static bool in_zone(const char *name)
{
	size_t n = strlen(name);

	return (n >= 3 && !strcasecmp(name + n - 3, "lab") && (n == 3 || name[n - 4] == '.')) ||
		(n > 13 && !strcasecmp(name + n - 13, ".in-addr.arpa"));
}

size_t lab_zone_answer(const uint8_t *query, size_t n, uint8_t *out, size_t cap)
{
	struct out o = { .bytes = out, .cap = cap };
	char name[NAME_MAX_TEXT];
	bool exists = false;
	uint16_t type, answers, rcode;
	size_t end = n >= HEADER + 5 && !(query[2] & 0x80) && query[5] == 1 ? read_name(query, n, name) : 0;

	if (!end || n - end < 4 || cap < 512)
		return 0;
	type = (uint16_t)(query[end] << 8 | query[end + 1]);
	put(&o, query, 2);
	put32(&o, 0);
	put32(&o, 0);
	put16(&o, 0);
	put(&o, query + HEADER, end + 4 - HEADER);
	answers = put_answers(&o, name, type, &exists);
	rcode = exists ? RCODE_OK : in_zone(name) ? RCODE_NXDOMAIN : RCODE_REFUSED;
	if (!answers && rcode != RCODE_REFUSED)
		put_record(&o, &zone[0]);
	out[2] = (uint8_t)(0x84 | (query[2] & 1) | (o.full ? 2 : 0)); /* QR, AA, RD as asked, TC */
	out[3] = (uint8_t)rcode;
	out[5] = 1;
	out[7] = (uint8_t)answers;
	out[9] = !answers && rcode != RCODE_REFUSED;
	return o.n;
}
