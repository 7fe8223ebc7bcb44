/* Service parameters (RFC 9460 2.1): key, length, value. Keys with a form of their own have a row in `values`. */
#include "core/dns/svcb.h"

#include "core/addr.h"

enum { SVCB_KEYS = 8 };

/* RFC 9460 14.3.2, RFC 9461 5. */
static const char *const key_names[SVCB_KEYS] = {
	"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath",
};

static void add_key(struct dns_text *out, uint16_t key)
{
	if (key < SVCB_KEYS)
		dns_text_add(out, "%s", key_names[key]);
	else
		dns_text_add(out, "key%u", key);
}

static bool value_keys(struct dns_span *s, struct dns_text *out)
{
	uint16_t key;

	for (unsigned i = 0; dns_span_left(s); i++) {
		if (!dns_span_u16(s, &key))
			return false;
		dns_text_add(out, "%s", i ? "," : "");
		add_key(out, key);
	}
	return true;
}

/* An octet inside a quoted list, where commas and backslashes are escaped twice (RFC 9460 appendix A.1). */
static void add_octet(struct dns_text *out, uint8_t c, bool in_list)
{
	if (c < 0x20 || c >= 0x7f)
		dns_text_add(out, "\\%03u", c);
	else if (in_list && (c == ',' || c == '\\'))
		dns_text_add(out, "\\\\%s%c", c == '\\' ? "\\" : "", c);
	else if (c == '"' || c == '\\')
		dns_text_add(out, "\\%c", c);
	else
		dns_text_add(out, "%c", c);
}

static bool value_alpn(struct dns_span *s, struct dns_text *out)
{
	dns_text_add(out, "\"");
	for (unsigned i = 0; dns_span_left(s); i++) {
		const uint8_t *p;
		uint8_t n;

		if (!dns_span_u8(s, &n) || n == 0 || !(p = dns_span_take(s, n)))
			return false;
		dns_text_add(out, "%s", i ? "," : "");
		for (unsigned k = 0; k < n; k++)
			add_octet(out, p[k], true);
	}
	dns_text_add(out, "\"");
	return true;
}

static bool value_nothing(struct dns_span *s, struct dns_text *out)
{
	(void)out;
	return dns_span_left(s) == 0;
}

static bool value_port(struct dns_span *s, struct dns_text *out)
{
	uint16_t port;

	if (!dns_span_u16(s, &port))
		return false;
	dns_text_add(out, "%u", port);
	return dns_span_left(s) == 0;
}

static bool add_hints(struct dns_span *s, struct dns_text *out, bool is_ip6)
{
	char text[ADDR_TEXT];

	for (unsigned i = 0; dns_span_left(s); i++) {
		const uint8_t *p = dns_span_take(s, is_ip6 ? 16 : 4);
		struct addr a;

		if (!p)
			return false;
		a = is_ip6 ? addr_ip6(p) : addr_ip4(p);
		dns_text_add(out, "%s%s", i ? "," : "", addr_format(&a, text));
	}
	return true;
}

static bool value_ip4(struct dns_span *s, struct dns_text *out)
{
	return add_hints(s, out, false);
}

static bool value_ip6(struct dns_span *s, struct dns_text *out)
{
	return add_hints(s, out, true);
}

/* RFC 4648 4. */
static bool value_base64(struct dns_span *s, struct dns_text *out)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	while (dns_span_left(s)) {
		size_t n = dns_span_left(s) < 3 ? dns_span_left(s) : 3;
		const uint8_t *p = dns_span_take(s, n);
		uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

		dns_text_add(out, "%c%c%c%c", set[v >> 18], set[v >> 12 & 63], n > 1 ? set[v >> 6 & 63] : '=',
			n > 2 ? set[v & 63] : '=');
	}
	return true;
}

static bool value_quoted(struct dns_span *s, struct dns_text *out)
{
	uint8_t c;

	dns_text_add(out, "\"");
	while (dns_span_u8(s, &c))
		add_octet(out, c, false);
	dns_text_add(out, "\"");
	return true;
}

typedef bool (*value_fn)(struct dns_span *s, struct dns_text *out);

static const value_fn values[SVCB_KEYS] = {
	value_keys, value_alpn, value_nothing, value_port, value_ip4, value_base64, value_ip6, value_quoted,
};

static bool add_param(struct dns_text *out, uint16_t key, struct dns_span value)
{
	add_key(out, key);
	if (value.n == value.at)
		return key >= SVCB_KEYS || values[key] == value_nothing;
	dns_text_add(out, "=");
	return key < SVCB_KEYS ? values[key](&value, out) : value_quoted(&value, out);
}

bool dns_svcb_params(struct dns_span *s, struct dns_text *out)
{
	uint16_t key, n;
	int last = -1;

	while (dns_span_left(s)) {
		struct dns_span value;

		if (!dns_span_u16(s, &key) || !dns_span_u16(s, &n) || key <= last)
			return false;
		value = (struct dns_span){ .p = s->p, .n = s->at + n, .at = s->at };
		if (!dns_span_take(s, n))
			return false;
		dns_text_add(out, "%s", last < 0 ? "" : " ");
		if (!add_param(out, key, value))
			return false;
		last = key;
	}
	return true;
}
