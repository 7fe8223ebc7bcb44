/*
 * Domain names. Bytes from a message are hostile: a name ends after 255 octets whatever its pointers say, and each pointer must
 * lead before everything read so far, so a loop cannot be built (RFC 1035 4.1.4, RFC 9267 2).
 */
#include "core/dns/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/addr.h"
#include "core/err.h"

enum { HEADER = 12, POINTER = 0xc0, DNS_NAME_JUMPS = 127 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One octet of presentation form: "a", "\." or "\046". Returns the bytes used, 0: a broken escape. */
static size_t read_octet(const char *p, uint8_t *ret)
{
	unsigned v;

	if (p[0] != '\\') {
		*ret = (uint8_t)p[0];
		return 1;
	}
	if (!is_digit(p[1])) {
		*ret = (uint8_t)p[1];
		return p[1] ? 2 : 0;
	}
	if (!is_digit(p[2]) || !is_digit(p[3]))
		return 0;
	v = (unsigned)(p[1] - '0') * 100 + (unsigned)(p[2] - '0') * 10 + (unsigned)(p[3] - '0');
	*ret = (uint8_t)v;
	return v > 255 ? 0 : 4;
}

/* Reads the label at *text into name and moves *text to the dot or the end. */
static int parse_label(const char **text, struct dns_name *name, struct err *err)
{
	uint8_t label[DNS_LABEL];
	size_t n = 0, used;
	const char *p;

	for (p = *text; *p && *p != '.'; p += used) {
		if ((unsigned char)*p >= 0x80)
			return err_set(err, EINVAL, "a name in DNS is ASCII: write the xn-- form or \\DDD");
		if (n == sizeof label)
			return err_set(err, ENAMETOOLONG, "a part between two dots is longer than 63 characters");
		used = read_octet(p, &label[n++]);
		if (!used)
			return err_set(err, EINVAL, "a backslash is followed by a character or by 000 to 255");
	}
	if (n == 0)
		return err_set(err, EINVAL, "nothing between two dots");
	if (name->n + n + 2 > DNS_NAME_WIRE)
		return err_set(err, ENAMETOOLONG, "the name is longer than 255 bytes");
	name->bytes[name->n] = (uint8_t)n;
	memcpy(name->bytes + name->n + 1, label, n);
	name->n = (uint8_t)(name->n + n + 1);
	*text = p;
	return 0;
}

int dns_name_parse(const char *text, struct dns_name *ret, bool *ret_absolute, struct err *err)
{
	struct dns_name name = { 0 };
	bool absolute = strcmp(text, ".") == 0;
	int r;

	if (!*text)
		return err_set(err, EINVAL, "no name given");
	for (const char *p = absolute ? "" : text; *p;) {
		r = parse_label(&p, &name, err);
		if (r < 0)
			return r;
		absolute = *p == '.';
		p += absolute;
	}
	name.bytes[name.n++] = 0;
	*ret = name;
	if (ret_absolute)
		*ret_absolute = absolute;
	return 0;
}

/* As other tools write it: what means something in a zone file gets a backslash, what cannot be printed three digits. */
static size_t octet_text(uint8_t c, char out[8])
{
	if (c <= 0x20 || c >= 0x7f)
		return (size_t)snprintf(out, 8, "\\%03u", c);
	if (strchr("\"().;\\@$", c))
		return (size_t)snprintf(out, 8, "\\%c", c);
	out[0] = (char)c;
	return 1;
}

static size_t put(char *buf, size_t cap, size_t at, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (at + i + 1 < cap)
			buf[at + i] = p[i];
	return at + n;
}

size_t dns_name_format(const struct dns_name *name, char *buf, size_t cap)
{
	struct dns_span s = { .p = name->bytes, .n = name->n };
	const uint8_t *label;
	char octet[8];
	uint8_t len;
	size_t n = 0;

	while (dns_span_u8(&s, &len) && len > 0 && (label = dns_span_take(&s, len))) {
		for (unsigned i = 0; i < len; i++)
			n = put(buf, cap, n, octet, octet_text(label[i], octet));
		n = put(buf, cap, n, ".", 1);
	}
	if (n == 0)
		n = put(buf, cap, n, ".", 1);
	if (cap > 0)
		buf[n < cap ? n : cap - 1] = 0;
	return n;
}

/* Follows a pointer whose first byte was `high`: *at is where the message is read next, *floor the lowest place read so far. */
static bool follow(struct dns_span *s, uint8_t high, size_t *floor)
{
	uint8_t low;
	size_t to;

	if (!dns_span_u8(s, &low))
		return false;
	to = (size_t)(high & 0x3f) << 8 | low;
	if (to < HEADER || to >= *floor)
		return false;
	*floor = to;
	s->at = to;
	return true;
}

static bool add_label(struct dns_span *s, uint8_t len, struct dns_name *name)
{
	const uint8_t *label = dns_span_take(s, len);

	if (!label || name->n + 1u + len > DNS_NAME_WIRE - (len > 0))
		return false;
	name->bytes[name->n] = len;
	memcpy(name->bytes + name->n + 1, label, len);
	name->n = (uint8_t)(name->n + 1 + len);
	return true;
}

bool dns_name_read(struct dns_span *s, struct dns_name *ret)
{
	struct dns_span r = *s; /* jumps about; *s only moves behind the name */
	struct dns_name name = { 0 };
	size_t floor = s->at, behind = 0;
	unsigned jumps = 0;
	uint8_t len;

	for (;;) {
		if (!dns_span_u8(&r, &len))
			return false;
		if ((len & POINTER) == POINTER) {
			if (jumps++ == 0)
				behind = r.at + 1;
			if (jumps > DNS_NAME_JUMPS || !follow(&r, len, &floor))
				return false;
			continue;
		}
		if ((len & POINTER) != 0 || !add_label(&r, len, &name))
			return false;
		if (len == 0)
			break;
	}
	s->at = jumps ? behind : r.at;
	*ret = name;
	return true;
}

static uint8_t fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (fold(a->bytes[i]) != fold(b->bytes[i]))
			return false;
	return true;
}

bool dns_name_join(const struct dns_name *name, const struct dns_name *suffix, struct dns_name *ret)
{
	struct dns_name joined = *name;

	if (name->n - 1u + suffix->n > DNS_NAME_WIRE)
		return false;
	memcpy(joined.bytes + name->n - 1, suffix->bytes, suffix->n);
	joined.n = (uint8_t)(name->n - 1 + suffix->n);
	*ret = joined;
	return true;
}

unsigned dns_name_labels(const struct dns_name *name)
{
	unsigned n = 0;

	for (unsigned i = 0; i < name->n && name->bytes[i]; i += name->bytes[i] + 1u)
		n++;
	return n;
}

bool dns_name_reverse(const struct addr *a, char *buf, size_t cap)
{
	const uint8_t *b = a->bytes;
	size_t n = 0;

	if (a->kind == ADDR_IP4) {
		snprintf(buf, cap, "%u.%u.%u.%u.in-addr.arpa.", b[3], b[2], b[1], b[0]);
		return true;
	}
	if (a->kind != ADDR_IP6 || cap < 75)
		return false;
	for (int i = 15; i >= 0; i--)
		n += (size_t)snprintf(buf + n, cap - n, "%x.%x.", b[i] & 15, b[i] >> 4);
	snprintf(buf + n, cap - n, "ip6.arpa.");
	return true;
}
