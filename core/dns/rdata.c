/*
 * Data of records as text. One row a type: its name and its layout, one letter a part (see `parts`). Every layout must use up the
 * data exactly; names in it may be compressed (RFC 3597 4 allows that for the old types only, but readers must take it).
 */
#include "core/dns/rdata.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/addr.h"
#include "core/dns/ask.h"
#include "core/dns/svcb.h"
#include "core/fd.h"

struct layout {
	uint16_t type;
	const char *name;
	const char *parts; /* NULL: as RFC 3597 says */
};

static const struct layout layouts[] = {
	{ 1, "A", "a" },
	{ 2, "NS", "n" },
	{ 5, "CNAME", "n" },
	{ 6, "SOA", "nn44444" },
	{ 12, "PTR", "n" },
	{ 13, "HINFO", "ss" },
	{ 15, "MX", "2n" },
	{ 16, "TXT", "t" },
	{ 17, "RP", "nn" },
	{ 28, "AAAA", "6" },
	{ 29, "LOC", NULL },
	{ 33, "SRV", "222n" },
	{ 35, "NAPTR", "22sssn" },
	{ 39, "DNAME", "n" },
	{ 41, "OPT", NULL },
	{ 43, "DS", "211x" },
	{ 44, "SSHFP", "11x" },
	{ 46, "RRSIG", NULL },
	{ 47, "NSEC", NULL },
	{ 48, "DNSKEY", NULL },
	{ 50, "NSEC3", NULL },
	{ 51, "NSEC3PARAM", NULL },
	{ 52, "TLSA", "111x" },
	{ 59, "CDS", "211x" },
	{ 60, "CDNSKEY", NULL },
	{ 61, "OPENPGPKEY", NULL },
	{ 64, "SVCB", "2nv" },
	{ 65, "HTTPS", "2nv" },
	{ 99, "SPF", "t" },
	{ 255, "ANY", NULL },
	{ 256, "URI", "22q" },
	{ 257, "CAA", "1gq" },
};

static const struct layout *find_layout(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++)
		if (layouts[i].type == type)
			return &layouts[i];
	return NULL;
}

uint16_t dns_type_parse(const char *text)
{
	unsigned long v;
	char *end;

	for (size_t i = 0; i < ARRAY_LEN(layouts); i++)
		if (strcasecmp(text, layouts[i].name) == 0 && layouts[i].type != DNS_TYPE_OPT)
			return layouts[i].type;
	if (strncasecmp(text, "TYPE", 4) != 0 || text[4] < '0' || text[4] > '9')
		return 0;
	v = strtoul(text + 4, &end, 10);
	return *end || v > UINT16_MAX ? 0 : (uint16_t)v;
}

const char *dns_type_name(uint16_t type, char buf[16])
{
	const struct layout *l = find_layout(type);

	if (l)
		return l->name;
	snprintf(buf, 16, "TYPE%u", type);
	return buf;
}

/* --- text --- */

void dns_text_add(struct dns_text *out, const char *fmt, ...)
{
	size_t left = out->n < out->cap ? out->cap - out->n : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(left ? out->p + out->n : NULL, left, fmt, ap);
	va_end(ap);
	out->n += n > 0 ? (size_t)n : 0;
}

static void add_char(struct dns_text *out, char c)
{
	if (out->n + 1 < out->cap) {
		out->p[out->n] = c;
		out->p[out->n + 1] = 0;
	}
	out->n++;
}

/* The inside of a quoted string, RFC 1035 5.1. */
static void add_octets(struct dns_text *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] >= 0x7f) {
			dns_text_add(out, "\\%03u", p[i]);
			continue;
		}
		if (p[i] == '"' || p[i] == '\\')
			add_char(out, '\\');
		add_char(out, (char)p[i]);
	}
}

static void add_quoted(struct dns_text *out, const uint8_t *p, size_t n)
{
	add_char(out, '"');
	add_octets(out, p, n);
	add_char(out, '"');
}

static void add_hex(struct dns_text *out, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < n; i++) {
		add_char(out, digits[p[i] >> 4]);
		add_char(out, digits[p[i] & 15]);
	}
}

/* --- parts: `s` ends where the record's data ends --- */

static bool part_number(struct dns_span *s, struct dns_text *out, unsigned bytes)
{
	const uint8_t *p = dns_span_take(s, bytes);
	uint32_t v = 0;

	for (unsigned i = 0; p && i < bytes; i++)
		v = v << 8 | p[i];
	dns_text_add(out, "%u", v);
	return p;
}

static bool part_address(struct dns_span *s, struct dns_text *out, char kind)
{
	const uint8_t *p = dns_span_take(s, kind == 'a' ? 4 : 16);
	char text[ADDR_TEXT];
	struct addr a;

	if (!p)
		return false;
	a = kind == 'a' ? addr_ip4(p) : addr_ip6(p);
	dns_text_add(out, "%s", addr_format(&a, text));
	return true;
}

static bool part_name(struct dns_span *s, struct dns_text *out)
{
	char text[DNS_NAME_PRINT];
	struct dns_name name;

	if (!dns_name_read(s, &name))
		return false;
	dns_name_format(&name, text, sizeof text);
	dns_text_add(out, "%s", text);
	return true;
}

static bool part_string(struct dns_span *s, struct dns_text *out)
{
	const uint8_t *p;
	uint8_t n;

	if (!dns_span_u8(s, &n))
		return false;
	p = dns_span_take(s, n);
	if (p)
		add_quoted(out, p, n);
	return p;
}

/* One or more strings, RFC 1035 3.3.14. */
static bool part_strings(struct dns_span *s, struct dns_text *out)
{
	do {
		if (!part_string(s, out))
			return false;
		if (dns_span_left(s))
			add_char(out, ' ');
	} while (dns_span_left(s));
	return true;
}

/* CAA's tag: letters and digits (RFC 8659 4.1), anything else by number. */
static bool part_tag(struct dns_span *s, struct dns_text *out)
{
	const uint8_t *p;
	uint8_t n;

	if (!dns_span_u8(s, &n) || n == 0)
		return false;
	p = dns_span_take(s, n);
	if (p)
		add_octets(out, p, n);
	return p;
}

static bool part_rest(struct dns_span *s, struct dns_text *out, char kind)
{
	size_t n = dns_span_left(s);
	const uint8_t *p = dns_span_take(s, n);

	if (kind == 'q')
		add_quoted(out, p, n);
	else
		add_hex(out, p, n);
	return true;
}

static bool add_part(struct dns_span *s, struct dns_text *out, char kind)
{
	switch (kind) {
	case 'a': /* IPv4 address */
	case '6': /* IPv6 address */
		return part_address(s, out, kind);
	case '1': /* numbers of so many bytes */
	case '2':
	case '4':
		return part_number(s, out, (unsigned)(kind - '0'));
	case 'n': /* name */
		return part_name(s, out);
	case 's': /* string with its length in front */
		return part_string(s, out);
	case 't': /* such strings to the end */
		return part_strings(s, out);
	case 'g': /* tag */
		return part_tag(s, out);
	case 'v': /* service parameters */
		return dns_svcb_params(s, out);
	default: /* 'q', 'x': all that is left, quoted or in hexadecimal */
		return part_rest(s, out, kind);
	}
}

static bool add_layout(struct dns_span *s, struct dns_text *out, const char *parts)
{
	for (const char *k = parts; *k; k++) {
		if (*k == 'v' && !dns_span_left(s))
			break;
		if (k != parts)
			add_char(out, ' ');
		if (!add_part(s, out, *k))
			return false;
	}
	return dns_span_left(s) == 0;
}

/* RFC 3597 5. */
static void add_unknown(struct dns_text *out, const uint8_t *p, size_t n)
{
	dns_text_add(out, "\\# %zu%s", n, n ? " " : "");
	add_hex(out, p, n);
}

bool dns_rdata_format(const void *msg, size_t n, const struct dns_record *rec, struct dns_text *out)
{
	const struct layout *l = find_layout(rec->type);
	struct dns_span s = { .p = msg, .n = rec->at + rec->n, .at = rec->at };

	if (s.n > n)
		return false;
	if (l && l->parts && rec->class == DNS_CLASS_IN)
		return add_layout(&s, out, l->parts);
	add_unknown(out, s.p + s.at, rec->n);
	return true;
}
