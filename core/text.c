/*
 * The choke point for outside text: see text.h. Everything not known to be harmless on a terminal becomes visible ASCII. Which code
 * points are invisible or reorder text: Unicode 15, properties Bidi_Control, Default_Ignorable_Code_Point, General_Category Cf/Co/Cs.
 */
#include "core/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

struct range {
	uint32_t from, to;
};

/* Sorted. Never let through: format, bidi, zero width, tags, private use, surrogates, noncharacters, line separators. */
static const struct range hidden[] = {
	{ 0x0080, 0x009f }, { 0x00ad, 0x00ad }, { 0x034f, 0x034f }, { 0x0600, 0x0605 }, { 0x061c, 0x061c },
	{ 0x06dd, 0x06dd }, { 0x070f, 0x070f }, { 0x0890, 0x0891 }, { 0x08e2, 0x08e2 }, { 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
	{ 0x2800, 0x2800 }, { 0x3164, 0x3164 }, { 0xd800, 0xf8ff }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffc }, { 0xfffe, 0xffff }, { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff },
};

static bool is_hidden(uint32_t cp)
{
	size_t lo = 0, hi = sizeof hidden / sizeof *hidden;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (cp > hidden[mid].to)
			lo = mid + 1;
		else if (cp < hidden[mid].from)
			hi = mid;
		else
			return true;
	}
	return false;
}

size_t text_decode(const char *p, size_t n, uint32_t *ret_cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)p;
	size_t len = u[0] < 0x80 ? 1 : u[0] >= 0xf5 ? 0 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : u[0] >= 0xc2 ? 2 : 0;
	uint32_t cp;

	if (len == 0 || len > n)
		return 0;
	if (len == 1) {
		*ret_cp = u[0];
		return 1;
	}
	cp = u[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (u[i] & 0x3f);
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return len;
}

size_t text_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* In the C locale wcwidth knows only ASCII; the caller then shows no other code point anyway. */
int text_cp_width(uint32_t cp)
{
	int w;

	if (cp < 0x7f)
		return 1;
	w = wcwidth((wchar_t)cp);
	return w < 0 ? 1 : w;
}

/* Output with room kept for the NUL: whole pieces or nothing. */
struct out {
	char *p;
	size_t n, cap;
};

static bool out_put(struct out *o, const char *s, size_t n)
{
	if (o->n + n + 1 > o->cap)
		return false;
	memcpy(o->p + o->n, s, n);
	o->n += n;
	return true;
}

static bool put_one(struct out *o, uint32_t cp, enum text_charset cs, unsigned *marks)
{
	char buf[16];
	int w;

	if (cp < 0x20 || cp == 0x7f) {
		buf[0] = '^';
		buf[1] = (char)(cp ^ 0x40);
		return out_put(o, buf, 2);
	}
	if (cp < 0x7f) {
		buf[0] = (char)cp;
		*marks = 0;
		return out_put(o, buf, 1);
	}
	if (is_hidden(cp))
		return out_put(o, buf, (size_t)snprintf(buf, sizeof buf, "<U+%04X>", cp));
	if (cs == TEXT_ASCII)
		return out_put(o, "?", 1);
	w = wcwidth((wchar_t)cp);
	if (w < 0)
		return out_put(o, buf, (size_t)snprintf(buf, sizeof buf, "<U+%04X>", cp));
	*marks = w == 0 ? *marks + 1 : 0;
	if (*marks > 2)
		return true;
	return out_put(o, buf, text_encode(cp, buf));
}

/* Most text is nothing but printable ASCII, which stays as it is: how much of it stands at the front? */
static size_t plain_prefix(struct text t)
{
	size_t i = 0;

	while (i < t.n && t.p[i] >= 0x20 && t.p[i] < 0x7f)
		i++;
	return i;
}

size_t text_clean(char *dst, size_t cap, struct text src, enum text_charset cs)
{
	struct out o = { .p = dst, .cap = cap };
	unsigned marks = 0;
	size_t i;

	if (cap == 0)
		return 0;
	i = plain_prefix((struct text){ .p = src.p, .n = src.n < cap ? src.n : cap - 1 });
	if (i)
		out_put(&o, src.p, i);
	while (i < src.n) {
		uint32_t cp;
		size_t len = text_decode(src.p + i, src.n - i, &cp);
		char buf[8];

		if (len == 0) {
			int w = snprintf(buf, sizeof buf, "\\x%02x", (unsigned char)src.p[i]);

			if (!out_put(&o, buf, (size_t)w))
				break;
			i++;
			continue;
		}
		if (!put_one(&o, cp, cs, &marks))
			break;
		i += len;
	}
	dst[o.n] = 0;
	return o.n;
}

/* Counts what does not fit as well, so that the caller can size its buffer; pieces are written whole or not at all. */
struct count_out {
	char *p;
	size_t n, cap;
	size_t written;
};

static void count_put(struct count_out *o, const char *s, size_t n)
{
	if (o->n + n < o->cap) {
		memcpy(o->p + o->n, s, n);
		o->written = o->n + n;
	}
	o->n += n;
}

static void put_plain(struct count_out *o, const char *p, size_t n)
{
	if (o->n + n < o->cap) {
		count_put(o, p, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		count_put(o, p + i, 1);
}

static void json_one(struct count_out *o, uint32_t cp)
{
	static const char short_names[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	char buf[16];

	for (size_t i = 0; i + 1 < sizeof short_names - 1; i += 2) {
		if (cp == (uint32_t)short_names[i]) {
			buf[0] = '\\';
			buf[1] = short_names[i + 1];
			count_put(o, buf, 2);
			return;
		}
	}
	if (cp < 0x20 || cp == 0x7f || is_hidden(cp)) {
		if (cp >= 0x10000)
			snprintf(buf, sizeof buf, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
				0xdc00 + ((cp - 0x10000) & 0x3ff));
		else
			snprintf(buf, sizeof buf, "\\u%04x", cp);
		count_put(o, buf, strlen(buf));
		return;
	}
	count_put(o, buf, text_encode(cp, buf));
}

/* What JSON takes as it is. */
static size_t plain_json(struct text t)
{
	size_t i = 0;

	while (i < t.n && t.p[i] >= 0x20 && t.p[i] < 0x7f && t.p[i] != '"' && t.p[i] != '\\')
		i++;
	return i;
}

size_t text_json(char *dst, size_t cap, struct text src)
{
	struct count_out o = { .p = dst, .cap = cap };
	size_t i = 0;

	while (i < src.n) {
		struct text rest = { .p = src.p + i, .n = src.n - i };
		size_t plain = plain_json(rest), len;
		uint32_t cp;

		if (plain) {
			put_plain(&o, rest.p, plain);
			i += plain;
			continue;
		}
		len = text_decode(rest.p, rest.n, &cp);
		if (len == 0) {
			cp = 0xfffd;
			len = 1;
		}
		json_one(&o, cp);
		i += len;
	}
	if (cap > 0)
		dst[o.written] = 0;
	return o.n;
}

size_t text_fit(struct text clean, size_t columns, size_t *ret_width)
{
	size_t i = 0, width = 0;

	while (i < clean.n) {
		uint32_t cp;
		size_t len, w;

		if ((unsigned char)clean.p[i] < 0x7f && width < columns) { /* most are */
			width++;
			i++;
			continue;
		}
		len = text_decode(clean.p + i, clean.n - i, &cp);
		if (len == 0) {
			cp = '?';
			len = 1;
		}
		w = (size_t)text_cp_width(cp);
		if (width + w > columns)
			break;
		width += w;
		i += len;
	}
	if (ret_width)
		*ret_width = width;
	return i;
}

size_t text_width(struct text clean)
{
	size_t width;

	text_fit(clean, SIZE_MAX / 2, &width);
	return width;
}

struct text text_of(const char *nul_terminated)
{
	return (struct text){ .p = nul_terminated, .n = nul_terminated ? strlen(nul_terminated) : 0 };
}

bool text_equal(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool text_contains(struct text hay, struct text needle)
{
	if (needle.n == 0)
		return true;
	for (size_t i = 0; i + needle.n <= hay.n; i++)
		if (strncasecmp(hay.p + i, needle.p, needle.n) == 0)
			return true;
	return false;
}

int text_compare(struct text a, struct text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c)
		return c < 0 ? -1 : 1;
	return (a.n > b.n) - (a.n < b.n);
}
