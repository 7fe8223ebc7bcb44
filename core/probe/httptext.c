/* Parsers for what HTTP and TLS say in words: see httptext.h. */
#include "core/probe/httptext.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/addr.h"
#include "core/fd.h"
#include "core/row.h"

static void copy(struct text t, char *buf, size_t cap)
{
	size_t n = t.n < cap ? t.n : cap - 1;

	if (n)
		memcpy(buf, t.p, n);
	buf[n] = '\0';
}

static struct text trimmed(struct text t)
{
	while (t.n && (*t.p == ' ' || *t.p == '\t')) {
		t.p++;
		t.n--;
	}
	while (t.n && strchr(" \t\r\n", t.p[t.n - 1]))
		t.n--;
	return t;
}

static bool starts_with(struct text t, const char *word)
{
	size_t n = strlen(word);

	return t.n >= n && strncasecmp(t.p, word, n) == 0;
}

static struct text after(struct text t, size_t n)
{
	return (struct text){ t.p + n, t.n - n };
}

bool httptext_status(struct text line, char ret_protocol[16], unsigned *ret_status)
{
	const char *blank = line.n ? memchr(line.p, ' ', line.n) : NULL;
	size_t n = blank ? (size_t)(blank - line.p) : 0;
	unsigned status = 0;

	if (!starts_with(line, "HTTP/") || !blank || n >= 16 || line.n < n + 4)
		return false;
	for (unsigned i = 1; i <= 3; i++) {
		if (blank[i] < '0' || blank[i] > '9')
			return false;
		status = status * 10 + (unsigned)(blank[i] - '0');
	}
	copy((struct text){ line.p, n }, ret_protocol, 16);
	*ret_status = status;
	return true;
}

bool httptext_header(struct text line, const char *name, char *buf, size_t cap)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || !starts_with(line, name))
		return false;
	copy(trimmed(after(line, n + 1)), buf, cap);
	return true;
}

bool httptext_tls(struct text line, char ret_version[16], char ret_cipher[64])
{
	static const char word[] = "SSL connection using ";
	struct text rest, version;
	const char *slash;

	if (!starts_with(line, word))
		return false;
	rest = trimmed(after(line, sizeof word - 1));
	slash = rest.n ? memmem(rest.p, rest.n, " / ", 3) : NULL;
	version = slash ? (struct text){ rest.p, (size_t)(slash - rest.p) } : rest;
	copy(version, ret_version, 16);
	ret_cipher[0] = '\0';
	if (!slash)
		return true;
	rest = after(rest, version.n + 3);
	slash = rest.n ? memmem(rest.p, rest.n, " / ", 3) : NULL;
	copy(slash ? (struct text){ rest.p, (size_t)(slash - rest.p) } : rest, ret_cipher, 64);
	return true;
}

/* --- dates --- */

/* Digits up to `max`; false: none. Passes over what separates them. */
static bool take_number(struct text *t, unsigned max_digits, int *ret)
{
	unsigned n = 0;

	while (t->n && strchr(" :-T", *t->p) && *t->p)
		*t = after(*t, 1);
	*ret = 0;
	while (t->n && n < max_digits && *t->p >= '0' && *t->p <= '9') {
		*ret = *ret * 10 + (*t->p - '0');
		*t = after(*t, 1);
		n++;
	}
	return n > 0;
}

static bool take_month(struct text *t, int *ret)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (*ret = 0; *ret < 12 && t->n >= 3; ++*ret) {
		if (strncasecmp(t->p, names + 3 * *ret, 3) != 0)
			continue;
		*t = after(*t, 3);
		return true;
	}
	return false;
}

int64_t httptext_date(struct text t)
{
	struct tm tm = { 0 };
	int year = 0, month = 0;
	bool named;
	time_t s;

	t = trimmed(t);
	named = take_month(&t, &month);
	if (!named && (!take_number(&t, 4, &year) || !take_number(&t, 2, &month)))
		return ROW_NO_INT;
	if (!take_number(&t, 2, &tm.tm_mday) || !take_number(&t, 2, &tm.tm_hour) || !take_number(&t, 2, &tm.tm_min) ||
		!take_number(&t, 2, &tm.tm_sec) || (named && !take_number(&t, 4, &year)))
		return ROW_NO_INT;
	tm.tm_mon = named ? month : month - 1;
	tm.tm_year = year - 1900;
	if (year < 1700 || year > 2250) /* what nanoseconds in 64 bits can hold, and what a certificate says by mistake */
		return ROW_NO_INT;
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return ROW_NO_INT;
	s = timegm(&tm);
	return (int64_t)s * 1000000000;
}

/* --- names --- */

bool httptext_next_name(struct text *list, struct text *ret, bool *ret_is_address)
{
	while (list->n) {
		const char *comma = memchr(list->p, ',', list->n);
		size_t n = comma ? (size_t)(comma - list->p) : list->n;
		struct text item = trimmed((struct text){ list->p, n });

		*list = after(*list, comma ? n + 1 : n);
		*ret_is_address = starts_with(item, "IP Address:") || starts_with(item, "IP:");
		if (!*ret_is_address && !starts_with(item, "DNS:"))
			continue;
		*ret = trimmed(after(item, (size_t)((const char *)memchr(item.p, ':', item.n) - item.p) + 1));
		if (ret->n)
			return true;
	}
	return false;
}

static bool name_is(struct text pattern, const char *host)
{
	size_t n = strlen(host);
	const char *dot = strchr(host, '.');

	if (n && host[n - 1] == '.')
		n--;
	if (pattern.n == n && strncasecmp(pattern.p, host, n) == 0)
		return true;
	/* "*.example.com": one label, and never a whole top level. */
	if (pattern.n < 4 || pattern.p[0] != '*' || pattern.p[1] != '.' || !memchr(pattern.p + 2, '.', pattern.n - 2) || !dot || dot == host)
		return false;
	n -= (size_t)(dot - host);
	return pattern.n - 1 == n && strncasecmp(pattern.p + 1, dot, n) == 0;
}

bool httptext_holds_for(struct text names, const char *host)
{
	struct addr wanted = { 0 }, has;
	bool is_literal = addr_parse(host, &wanted) == 0, is_address;
	struct text name;
	char buf[ADDR_TEXT];

	while (httptext_next_name(&names, &name, &is_address)) {
		if (is_address != is_literal)
			continue;
		if (!is_literal && name_is(name, host))
			return true;
		if (!is_literal || name.n >= sizeof buf)
			continue;
		copy(name, buf, sizeof buf);
		if (addr_parse(buf, &has) == 0 && addr_same(&has, &wanted))
			return true;
	}
	return false;
}
