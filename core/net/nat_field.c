/* Fields of a packet: see nat_field.h. Offsets by RFC 791, RFC 8200, RFC 9293 and RFC 768; keys by linux/netfilter/nf_tables.h. */
#include "core/net/nat_field.h"

#include "core/fd.h"
#include "core/net/rtnl.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

static const char *const labels[NAT_FIELD_KINDS] = {
	[NAT_FIELD_NONE] = "a value", [NAT_FIELD_VALUE] = "a value", [NAT_FIELD_FAMILY] = "family", [NAT_FIELD_ETHERTYPE] = "ethertype",
	[NAT_FIELD_PROTOCOL] = "protocol", [NAT_FIELD_ADDRESS] = "to", [NAT_FIELD_SOURCE] = "from", [NAT_FIELD_PORT] = "port",
	[NAT_FIELD_SOURCE_PORT] = "source port", [NAT_FIELD_IN] = "in by", [NAT_FIELD_OUT] = "out by",
	[NAT_FIELD_IN_NUMBER] = "in by", [NAT_FIELD_OUT_NUMBER] = "out by",
	[NAT_FIELD_TYPE] = "destination type", [NAT_FIELD_CT_STATE] = "ct state", [NAT_FIELD_OTHER] = "a value",
};

static const char *const meta_labels[] = {
	[NFT_META_LEN] = "length", [NFT_META_PRIORITY] = "priority", [NFT_META_MARK] = "mark", [NFT_META_IIFTYPE] = "in by interface type", [NFT_META_OIFTYPE] = "out by interface type",
	[NFT_META_SKUID] = "user", [NFT_META_SKGID] = "group", [NFT_META_RTCLASSID] = "realm", [NFT_META_PKTTYPE] = "packet type",
	[NFT_META_CPU] = "cpu", [NFT_META_IIFGROUP] = "in by interface group", [NFT_META_OIFGROUP] = "out by interface group",
	[NFT_META_CGROUP] = "cgroup", [NFT_META_PRANDOM] = "random number", [NFT_META_IIFKIND] = "in by interface kind",
	[NFT_META_OIFKIND] = "out by interface kind", [NFT_META_TIME_NS] = "time", [NFT_META_TIME_DAY] = "day", [NFT_META_TIME_HOUR] = "hour",
};

static const char *const ct_labels[] = {
	[NFT_CT_STATE] = "ct state", [NFT_CT_DIRECTION] = "ct direction", [NFT_CT_STATUS] = "ct status", [NFT_CT_MARK] = "ct mark",
	[NFT_CT_HELPER] = "ct helper", [NFT_CT_PROTOCOL] = "ct protocol", [NFT_CT_PROTO_DST] = "ct port", [NFT_CT_LABELS] = "ct label",
	[NFT_CT_ZONE] = "ct zone",
};

/* --- what a load gives --- */

static const struct place {
	uint32_t base, offset, n;
	uint8_t family; /* 0: both */
	enum nat_field_kind kind;
} places[] = {
	{ NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 4, NAT_FIELD_ADDRESS }, { NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 4, NAT_FIELD_SOURCE },
	{ NFT_PAYLOAD_NETWORK_HEADER, 24, 16, 6, NAT_FIELD_ADDRESS }, { NFT_PAYLOAD_NETWORK_HEADER, 8, 16, 6, NAT_FIELD_SOURCE },
	{ NFT_PAYLOAD_NETWORK_HEADER, 9, 1, 4, NAT_FIELD_PROTOCOL }, { NFT_PAYLOAD_NETWORK_HEADER, 6, 1, 6, NAT_FIELD_PROTOCOL },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, 0, NAT_FIELD_SOURCE_PORT }, { NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0, NAT_FIELD_PORT },
};

/* The first bytes of an address are a network of so many bits: nft loads no more than it compares. */
struct nat_field nat_field_payload(uint32_t base, uint32_t offset, uint32_t n, uint8_t family)
{
	struct nat_field f = { .kind = NAT_FIELD_OTHER, .label = "bytes of the packet", .n = n < UINT8_MAX ? (uint8_t)n : UINT8_MAX };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct place *p = &places[i];
		bool part = n && n < p->n && (p->kind == NAT_FIELD_ADDRESS || p->kind == NAT_FIELD_SOURCE);

		if (p->base != base || p->offset != offset || (p->n != n && !part) || (p->family && p->family != family))
			continue;
		return (struct nat_field){ .kind = p->kind, .family = p->family, .n = (uint8_t)n };
	}
	return f;
}

static const char *label_in(const char *const *list, size_t n, uint32_t key, const char *other)
{
	return key < n && list[key] ? list[key] : other;
}

struct nat_field nat_field_meta(uint32_t key, const struct net_names *names)
{
	switch (key) {
	case NFT_META_NFPROTO:
		return (struct nat_field){ .kind = NAT_FIELD_FAMILY, .n = 1 };
	case NFT_META_PROTOCOL:
		return (struct nat_field){ .kind = NAT_FIELD_ETHERTYPE, .n = 2 };
	case NFT_META_L4PROTO:
		return (struct nat_field){ .kind = NAT_FIELD_PROTOCOL, .n = 1 };
	case NFT_META_IIFNAME:
		return (struct nat_field){ .kind = NAT_FIELD_IN, .n = 16 };
	case NFT_META_OIFNAME:
		return (struct nat_field){ .kind = NAT_FIELD_OUT, .n = 16 };
	case NFT_META_IIF:
		return (struct nat_field){ .kind = NAT_FIELD_IN_NUMBER, .n = 4, .names = names };
	case NFT_META_OIF:
		return (struct nat_field){ .kind = NAT_FIELD_OUT_NUMBER, .n = 4, .names = names };
	default:
		return (struct nat_field){ .kind = NAT_FIELD_OTHER, .n = 4, .label = label_in(meta_labels, ARRAY_LEN(meta_labels), key, "meta") };
	}
}

struct nat_field nat_field_ct(uint32_t key)
{
	return (struct nat_field){ .kind = key == NFT_CT_STATE ? NAT_FIELD_CT_STATE : NAT_FIELD_OTHER, .n = 4,
		.label = label_in(ct_labels, ARRAY_LEN(ct_labels), key, "ct") };
}

struct nat_field nat_field_fib(uint32_t result, uint32_t flags)
{
	if (result == NFT_FIB_RESULT_ADDRTYPE && flags == NFTA_FIB_F_DADDR)
		return (struct nat_field){ .kind = NAT_FIELD_TYPE, .n = 4 };
	return (struct nat_field){ .kind = NAT_FIELD_OTHER, .n = 4, .label = flags & NFTA_FIB_F_SADDR ? "route to the source" :
		"route to the destination" };
}

const char *nat_field_label(const struct nat_field *f)
{
	return f->label ? f->label : labels[f->kind];
}

bool nat_field_is_telling(const struct nat_field *f)
{
	return f->kind == NAT_FIELD_PROTOCOL || f->kind == NAT_FIELD_ADDRESS || f->kind == NAT_FIELD_PORT || f->kind == NAT_FIELD_IN || f->kind == NAT_FIELD_IN_NUMBER ||
		f->kind == NAT_FIELD_FAMILY || f->kind == NAT_FIELD_TYPE || f->kind == NAT_FIELD_ETHERTYPE;
}

/* --- values --- */

/* Bits of NF_CT_STATE_BIT, linux/netfilter/nf_conntrack_common.h. */
char *nat_field_ct_states(uint32_t bits, char *buf, size_t cap)
{
	static const struct net_name names[] = { { 1, "invalid" }, { 2, "established" }, { 4, "related" }, { 8, "new" }, { 64, "untracked" } };

	buf[0] = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t n = strlen(buf);

		if (bits & names[i].value)
			snprintf(buf + n, cap - n, "%s%s", n ? "," : "", names[i].name);
	}
	return buf;
}

/* NULL: no such interface, or nobody asked. */
static const char *interface_of(const struct nat_field *f, const uint8_t *p, unsigned n)
{
	uint32_t index;

	if (!f->names || n != sizeof index)
		return NULL;
	memcpy(&index, p, sizeof index); /* of the machine's order */
	return net_names_find(f->names, index);
}

static uint32_t be(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n && i < 4; i++)
		v = v << 8 | p[i];
	return v;
}

static struct addr address_of(const struct nat_field *f, const uint8_t *p, unsigned n)
{
	uint8_t bytes[16] = { 0 };

	memcpy(bytes, p, n < 16 ? n : 16);
	return f->family == 6 ? addr_ip6(bytes) : addr_ip4(bytes);
}

static unsigned address_size(const struct nat_field *f)
{
	return f->family == 6 ? 16 : 4;
}

static size_t put_value(const struct nat_field *f, const uint8_t *p, unsigned n, char *buf, size_t cap)
{
	struct addr a;
	char text[ADDR_TEXT];
	uint32_t number = 0;
	size_t len = 0;
	int bits;

	switch ((int)f->kind) {
	case NAT_FIELD_ADDRESS:
	case NAT_FIELD_SOURCE:
		a = address_of(f, p, n);
		bits = f->mask && n <= f->n ? nat_prefix_of(f->mask, n) : (int)n * 8;
		a.has_prefix = bits >= 0 && (unsigned)bits < address_size(f) * 8;
		a.prefix = a.has_prefix ? (uint8_t)bits : 0;
		return (size_t)snprintf(buf, cap, "%s", addr_format(&a, text));
	case NAT_FIELD_PORT:
	case NAT_FIELD_SOURCE_PORT:
	case NAT_FIELD_PROTOCOL:
		return (size_t)snprintf(buf, cap, "%u", be(p, n));
	case NAT_FIELD_IN:
	case NAT_FIELD_OUT:
		return (size_t)snprintf(buf, cap, "%.*s%s", (int)strnlen((const char *)p, n), (const char *)p,
			!memchr(p, 0, n) && n < 16 ? "*" : "");
	case NAT_FIELD_IN_NUMBER:
	case NAT_FIELD_OUT_NUMBER:
		if (interface_of(f, p, n))
			return (size_t)snprintf(buf, cap, "%s", interface_of(f, p, n));
		memcpy(&number, p, n < 4 ? n : 4);
		return (size_t)snprintf(buf, cap, "interface number %u", number);
	case NAT_FIELD_OTHER:
	case NAT_FIELD_CT_STATE:
	case NAT_FIELD_TYPE:
		if (n != 4)
			break;
		memcpy(&number, p, 4); /* of the machine's order */
		return (size_t)snprintf(buf, cap, "%u", number);
	default:
		break;
	}
	for (unsigned i = 0; i < n && len + 3 < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, "%02x", p[i]);
	return len;
}

/* "ct state new": a mask, and not zero. */
static bool say_states(const struct nat_field *f, const uint8_t *value, unsigned n, bool not, struct nat_match *m)
{
	uint32_t mask, bits;
	char text[64];

	if (f->kind != NAT_FIELD_CT_STATE || n != 4)
		return false;
	memcpy(&bits, value, 4);
	memcpy(&mask, f->mask ? f->mask : value, 4);
	if (f->mask && bits != 0)
		return false;
	nat_match_words(m, "%sct state %s", f->mask && !not ? "not " : "", nat_field_ct_states(mask, text, sizeof text));
	return true;
}

static void say(const struct nat_field *f, const char *op, const uint8_t *from, const uint8_t *to, unsigned n, struct nat_match *m)
{
	bool is_address = f->kind == NAT_FIELD_ADDRESS || f->kind == NAT_FIELD_SOURCE;
	char a[80] = "", b[80] = "", mask[48] = "";
	struct nat_field plain = { .kind = NAT_FIELD_OTHER };

	put_value(f, from, n, a, sizeof a);
	if (memcmp(from, to, n) != 0) {
		b[0] = '-';
		put_value(f, to, n, b + 1, sizeof b - 1);
	}
	if (f->mask && !(is_address && n <= f->n && nat_prefix_of(f->mask, n) >= 0)) {
		mask[0] = '/';
		put_value(&plain, f->mask, f->n, mask + 1, sizeof mask - 1);
	}
	nat_match_words(m, "%s%s %s%s%s", op, nat_field_label(f), a, mask, b);
}

/* --- tests --- */

static void test_family(uint8_t family, bool not, struct nat_match *m)
{
	nat_match_family(m, not ? 10 - family : family);
}

/* Bits that both ends share, if together they are a whole network; -1: a range that is none. */
static int common_prefix(const uint8_t *from, const uint8_t *to, unsigned n)
{
	unsigned bits = 0;

	while (bits < n * 8 && !((from[bits / 8] ^ to[bits / 8]) >> (7 - bits % 8) & 1))
		bits++;
	for (unsigned i = bits; i < n * 8; i++)
		if ((from[i / 8] >> (7 - i % 8) & 1) || !(to[i / 8] >> (7 - i % 8) & 1))
			return -1;
	return (int)bits;
}

static bool test_address(const struct nat_field *f, const uint8_t *from, const uint8_t *to, unsigned n, bool not, struct nat_match *m)
{
	struct addr a;
	int bits;

	if (n > address_size(f))
		return false;
	bits = f->mask ? nat_prefix_of(f->mask, n) : common_prefix(from, to, n);
	if (bits < 0 || (f->mask && memcmp(from, to, n) != 0))
		return false;
	a = address_of(f, from, n);
	if ((unsigned)bits < address_size(f) * 8) {
		a.has_prefix = 1;
		a.prefix = (uint8_t)bits;
	}
	nat_match_address(m, &a, not);
	return true;
}

static bool test_in(const uint8_t *p, unsigned n, bool not, struct nat_match *m)
{
	char name[NAT_IFNAME] = "";
	unsigned len = (unsigned)strnlen((const char *)p, n);

	if (n > 16)
		return false;
	memcpy(name, p, len);
	if (len == n && n < 16)
		name[len] = '*';
	nat_match_in(m, name, not);
	return true;
}

static bool test_type(const uint8_t *p, unsigned n, bool not, struct nat_match *m)
{
	uint32_t type = 0;

	if (n != sizeof type)
		return false;
	memcpy(&type, p, sizeof type);
	if (type != RTN_LOCAL || not)
		return false;
	m->local = true;
	return true;
}

/* True: the match has a place for it. */
static bool test(const struct nat_field *f, const uint8_t *from, const uint8_t *to, unsigned n, bool not, struct nat_match *m)
{
	bool one = memcmp(from, to, n) == 0;

	if (f->mask && f->kind != NAT_FIELD_ADDRESS)
		return false;
	switch ((int)f->kind) {
	case NAT_FIELD_FAMILY:
		if (one && n == 1 && (from[0] == NFPROTO_IPV4 || from[0] == NFPROTO_IPV6)) {
			test_family(from[0] == NFPROTO_IPV4 ? 4 : 6, not, m);
			return true;
		}
		return false;
	case NAT_FIELD_ETHERTYPE:
		if (one && n == 2 && (be(from, 2) == 0x0800 || be(from, 2) == 0x86dd)) {
			test_family(be(from, 2) == 0x0800 ? 4 : 6, not, m);
			return true;
		}
		return false;
	case NAT_FIELD_PROTOCOL:
		if (one && !not && n == 1 && from[0])
			nat_match_protocol(m, from[0]);
		return one && !not && n == 1 && from[0];
	case NAT_FIELD_ADDRESS:
		return test_address(f, from, to, n, not, m);
	case NAT_FIELD_PORT:
		if (not || n != 2)
			return false;
		nat_match_ports(m, be(from, 2), be(to, 2));
		return true;
	case NAT_FIELD_IN:
		return one && test_in(from, n, not, m);
	case NAT_FIELD_IN_NUMBER:
		if (one && interface_of(f, from, n))
			nat_match_in(m, interface_of(f, from, n), not);
		return one && interface_of(f, from, n);
	case NAT_FIELD_TYPE:
		return one && test_type(from, n, not, m);
	default:
		return false;
	}
}

void nat_field_range(const struct nat_field *f, const uint8_t *from, const uint8_t *to, unsigned n, bool not, struct nat_match *m)
{
	if (!n || (f->mask && n > f->n)) {
		nat_match_words(m, "a comparison that cannot be read");
		return;
	}
	if (!test(f, from, to, n, not, m) && !(memcmp(from, to, n) == 0 && say_states(f, from, n, not, m)))
		say(f, not ? "not " : "", from, to, n, m);
}

/* "tcp dport 8000-8010" is two comparisons. */
static bool compare_port(const struct nat_field *f, uint32_t op, const uint8_t *value, unsigned n, struct nat_match *m)
{
	uint32_t v = be(value, 2);

	if (f->kind != NAT_FIELD_PORT || f->mask || n != 2)
		return false;
	if (op == NFT_CMP_GTE || (op == NFT_CMP_GT && v < NAT_PORT_MAX))
		nat_match_ports(m, v + (op == NFT_CMP_GT), NAT_PORT_MAX);
	else if (op == NFT_CMP_LTE || (op == NFT_CMP_LT && v > 0))
		nat_match_ports(m, 0, v - (op == NFT_CMP_LT));
	else
		m->never = true;
	return true;
}

void nat_field_compare(const struct nat_field *f, uint32_t op, const uint8_t *value, unsigned n, struct nat_match *m)
{
	static const char *const names[] = { [NFT_CMP_EQ] = "", [NFT_CMP_NEQ] = "not ", [NFT_CMP_LT] = "below: ",
		[NFT_CMP_LTE] = "at most: ", [NFT_CMP_GT] = "above: ", [NFT_CMP_GTE] = "at least: " };

	if (op == NFT_CMP_EQ || op == NFT_CMP_NEQ || !n || (f->mask && n > f->n))
		nat_field_range(f, value, value, n, op == NFT_CMP_NEQ, m);
	else if (op >= ARRAY_LEN(names))
		nat_match_words(m, "a comparison that is not known");
	else if (!compare_port(f, op, value, n, m))
		say(f, names[op], value, value, n, m);
}
