/* Addresses as values: see addr.h. Text by inet_pton(3) and inet_ntop(3), which never ask a resolver. */
#include "core/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct addr addr_ip4(const void *four)
{
	struct addr a = { .kind = ADDR_IP4 };

	memcpy(a.bytes, four, 4);
	return a;
}

struct addr addr_ip6(const void *sixteen)
{
	struct addr a = { .kind = ADDR_IP6 };

	memcpy(a.bytes, sixteen, 16);
	return a;
}

struct addr addr_mac(const void *six)
{
	struct addr a = { .kind = ADDR_MAC };

	memcpy(a.bytes, six, 6);
	return a;
}

static size_t addr_size(const struct addr *a)
{
	return a->kind == ADDR_IP4 ? 4 : a->kind == ADDR_IP6 ? 16 : a->kind == ADDR_MAC ? 6 : 0;
}

static int parse_mac(const char *text, struct addr *ret)
{
	struct addr a = { .kind = ADDR_MAC };
	unsigned v[6];
	int end = 0;

	if (strlen(text) != 17)
		return -EINVAL;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &end) != 6 || end != 17)
		return -EINVAL;
	for (int i = 0; i < 6; i++)
		a.bytes[i] = (uint8_t)v[i];
	*ret = a;
	return 0;
}

static int parse_prefix(const char *digits, unsigned max, struct addr *a)
{
	unsigned v = 0;

	if (!*digits || strlen(digits) > 3)
		return -EINVAL;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return -EINVAL;
		v = v * 10 + (unsigned)(*digits - '0');
	}
	if (v > max)
		return -EINVAL;
	a->prefix = (uint8_t)v;
	a->has_prefix = 1;
	return 0;
}

int addr_parse(const char *text, struct addr *ret)
{
	struct addr a = { 0 };
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[ADDR_TEXT];

	if (n == 0 || n >= sizeof host)
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = 0;
	if (inet_pton(AF_INET, host, a.bytes) == 1)
		a.kind = ADDR_IP4;
	else if (inet_pton(AF_INET6, host, a.bytes) == 1)
		a.kind = ADDR_IP6;
	else
		return slash ? -EINVAL : parse_mac(host, ret);
	if (slash && parse_prefix(slash + 1, a.kind == ADDR_IP4 ? 32 : 128, &a) < 0)
		return -EINVAL;
	*ret = a;
	return 0;
}

/* "10.0.0.1"; tables are full of them, and inet_ntop(3) takes five times as long. */
static void format_ip4(const uint8_t b[4], char *buf)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*buf++ = '.';
		if (b[i] >= 100)
			*buf++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*buf++ = (char)('0' + b[i] / 10 % 10);
		*buf++ = (char)('0' + b[i] % 10);
	}
	*buf = 0;
}

char *addr_format(const struct addr *a, char buf[ADDR_TEXT])
{
	const uint8_t *b = a->bytes;
	size_t n;

	buf[0] = 0;
	if (a->kind == ADDR_IP4)
		format_ip4(b, buf);
	else if (a->kind == ADDR_IP6)
		inet_ntop(AF_INET6, b, buf, ADDR_TEXT);
	else if (a->kind == ADDR_MAC)
		snprintf(buf, ADDR_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	if (a->has_prefix && buf[0]) {
		n = strlen(buf);
		snprintf(buf + n, ADDR_TEXT - n, "/%u", a->prefix);
	}
	return buf;
}

bool addr_same(const struct addr *a, const struct addr *b)
{
	return a->kind == b->kind && memcmp(a->bytes, b->bytes, addr_size(a)) == 0;
}

bool addr_same_prefix(const struct addr *a, const struct addr *network, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (a->kind != network->kind || bits > 8 * sizeof a->bytes || memcmp(a->bytes, network->bytes, whole) != 0)
		return false;
	return rest == 0 || (a->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	int c;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	c = memcmp(a->bytes, b->bytes, addr_size(a));
	return (c > 0) - (c < 0);
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, addr_size(a)) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	struct addr u = addr_unmap(a);

	if (u.kind == ADDR_IP4)
		return u.bytes[0] == 127;
	return u.kind == ADDR_IP6 && memcmp(u.bytes, &in6addr_loopback, 16) == 0;
}

struct addr addr_unmap(const struct addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->kind == ADDR_IP6 && memcmp(a->bytes, mapped, 12) == 0)
		return addr_ip4(a->bytes + 12);
	return *a;
}
