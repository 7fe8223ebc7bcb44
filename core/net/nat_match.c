/* What a rule asks for: see nat_match.h. Two tests of one kind become the narrower one where that can be said, else words. */
#include "core/net/nat_match.h"

#include "core/fd.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char more[] = "; more";

void nat_match_init(struct nat_match *m)
{
	memset(m, 0, sizeof *m);
	m->port = m->port_last = NAT_NO_PORT;
}

bool nat_match_is_all(const struct nat_match *m)
{
	return !m->family && !m->protocol && !m->local && !m->loopback_not && !m->never && !m->address.kind && !m->in[0] &&
		m->port == NAT_NO_PORT && !m->words[0];
}

/* Too much to hold ends with "more": it is not said, but not denied. */
void nat_match_words(struct nat_match *m, const char *fmt, ...)
{
	size_t n = strlen(m->words), room = sizeof m->words - sizeof more - n;
	char text[NAT_WORDS];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (len <= 0 || strstr(m->words, more))
		return;
	if ((size_t)len + 3 > room || (size_t)len >= sizeof text)
		memcpy(m->words + n, n ? more : "more", n ? sizeof more : sizeof "more");
	else
		snprintf(m->words + n, room, "%s%s", n ? "; " : "", text);
}

void nat_match_family(struct nat_match *m, uint8_t family)
{
	if (m->family && family && m->family != family)
		m->never = true;
	else if (family)
		m->family = family;
}

const char *nat_protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_DCCP:
		return "dccp";
	case IPPROTO_UDPLITE:
		return "udplite";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_ESP:
		return "esp";
	case IPPROTO_AH:
		return "ah";
	case IPPROTO_GRE:
		return "gre";
	default:
		return NULL;
	}
}

void nat_match_protocol(struct nat_match *m, uint8_t protocol)
{
	if (m->protocol && protocol && m->protocol != protocol)
		m->never = true;
	else if (protocol)
		m->protocol = protocol;
}

/* --- addresses --- */

int nat_prefix_of(const uint8_t *mask, size_t n)
{
	int bits = 0;

	for (size_t i = 0; i < n * 8; i++) {
		bool one = mask[i / 8] >> (7 - i % 8) & 1;

		if (one && (size_t)bits != i)
			return -1;
		bits += one;
	}
	return bits;
}

static unsigned prefix_length(const struct addr *a)
{
	return a->has_prefix ? a->prefix : a->kind == ADDR_IP4 ? 32 : 128;
}

bool nat_address_in(const struct addr *net, const struct addr *a)
{
	unsigned bits = prefix_length(net);

	return prefix_length(a) >= bits && addr_same_prefix(a, net, bits);
}

static bool is_loopback(const struct addr *a)
{
	return addr_is_loopback(a) && prefix_length(a) >= (a->kind == ADDR_IP4 ? 8 : 128);
}

/* 127.0.0.0/8 or ::1: all of it. */
static bool is_loopback_net(const struct addr *a)
{
	return is_loopback(a) && (a->kind == ADDR_IP6 || prefix_length(a) == 8);
}

static void also_address(struct nat_match *m, const struct addr *a, bool not)
{
	char text[ADDR_TEXT];

	if (m->address_not && !not) { /* the positive one stays, the other is said unless it follows */
		struct addr before = m->address;

		m->address = *a;
		m->address_not = false;
		also_address(m, &before, true);
	} else if (!m->address_not && not) {
		if (nat_address_in(a, &m->address))
			m->never = true;
		else if (nat_address_in(&m->address, a))
			nat_match_words(m, "not to %s", addr_format(a, text));
	} else if (not) {
		if (!addr_same(a, &m->address) || a->prefix != m->address.prefix)
			nat_match_words(m, "not to %s", addr_format(a, text));
	} else if (nat_address_in(&m->address, a)) {
		m->address = *a;
	} else if (!nat_address_in(a, &m->address)) {
		m->never = true;
	}
}

void nat_match_address(struct nat_match *m, const struct addr *a, bool not)
{
	struct addr whole = *a;

	if (whole.has_prefix && whole.prefix == (whole.kind == ADDR_IP4 ? 32 : 128)) {
		whole.has_prefix = 0;
		whole.prefix = 0;
	}
	nat_match_family(m, whole.kind);
	if (whole.has_prefix && whole.prefix == 0) { /* everything */
		m->never |= not;
		return;
	}
	if (not && is_loopback_net(&whole)) {
		m->loopback_not = true;
		m->never |= !m->address_not && is_loopback(&m->address);
		return;
	}
	if (!not && m->loopback_not && is_loopback(&whole))
		m->never = true;
	if (m->address.kind) {
		also_address(m, &whole, not);
		return;
	}
	m->address = whole;
	m->address_not = not;
}

/* --- interfaces, ports --- */

static bool name_covers(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	return n && pattern[n - 1] == '*' ? strncmp(pattern, name, n - 1) == 0 : strcmp(pattern, name) == 0;
}

static void set_in(struct nat_match *m, const char *name, bool not)
{
	memset(m->in, 0, sizeof m->in);
	memcpy(m->in, name, strnlen(name, sizeof m->in - 1));
	m->in_not = not;
}

void nat_match_in(struct nat_match *m, const char *name, bool not)
{
	char before[NAT_IFNAME];

	if (!name[0] || (!not && strcmp(name, "*") == 0))
		return;
	if (!m->in[0]) {
		set_in(m, name, not);
	} else if (m->in_not && !not) {
		memcpy(before, m->in, sizeof before);
		set_in(m, name, false);
		if (name_covers(before, name))
			m->never = true;
	} else if (m->in_not && not) {
		if (strcmp(name, m->in) != 0)
			nat_match_words(m, "not in by %s", name);
	} else if (not) {
		m->never |= name_covers(name, m->in);
	} else if (name_covers(m->in, name)) {
		set_in(m, name, false);
	} else if (!name_covers(name, m->in)) {
		m->never = true;
	}
}

void nat_match_ports(struct nat_match *m, uint32_t from, uint32_t to)
{
	if (m->port == NAT_NO_PORT) {
		m->port = from;
		m->port_last = to;
	}
	if (from > m->port)
		m->port = from;
	if (to < m->port_last)
		m->port_last = to;
	if (m->port > m->port_last)
		m->never = true;
}

void nat_match_and(struct nat_match *m, const struct nat_match *other)
{
	nat_match_family(m, other->family);
	nat_match_protocol(m, other->protocol);
	if (other->address.kind)
		nat_match_address(m, &other->address, other->address_not);
	if (other->in[0])
		nat_match_in(m, other->in, other->in_not);
	if (other->port != NAT_NO_PORT)
		nat_match_ports(m, other->port, other->port_last);
	if (other->words[0])
		nat_match_words(m, "%s", other->words);
	m->local |= other->local;
	if (other->loopback_not) {
		m->loopback_not = true;
		m->never |= !m->address_not && is_loopback(&m->address);
	}
	m->never |= other->never;
}

/* --- in words --- */

char *nat_match_say(const struct nat_match *m, char *buf, size_t cap)
{
	char address[ADDR_TEXT] = "", port[32] = "", number[16] = "";
	const char *protocol = m->protocol ? nat_protocol_name(m->protocol) : "";

	if (!protocol) {
		snprintf(number, sizeof number, "protocol %u", m->protocol);
		protocol = number;
	}
	addr_format(&m->address, address);
	if (m->port != NAT_NO_PORT && m->port == m->port_last)
		snprintf(port, sizeof port, " port %u", m->port);
	else if (m->port != NAT_NO_PORT)
		snprintf(port, sizeof port, " port %u-%u", m->port, m->port_last);
	snprintf(buf, cap, "%s%s%s%s%s%s%s%s%s%s", protocol, address[0] ? m->address_not ? " not to " : " to " : "", address, port,
		m->local ? " to an address of the host" : "", m->loopback_not ? " not to loopback" : "",
		m->in[0] ? m->in_not ? " not in by " : " in by " : "", m->in, m->words[0] ? " " : "", m->words);
	if (buf[0] == ' ')
		memmove(buf, buf + 1, strlen(buf));
	return buf;
}
