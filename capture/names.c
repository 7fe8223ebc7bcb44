/* Names of numbers, from the IANA registries and RFC 792, 4443, 1035; the most used ones. */
#include "capture/names.h"

#include "core/fd.h"

#include <stddef.h>

struct name {
	uint32_t number;
	const char *name;
};

static const char *find(const struct name *names, unsigned n, uint32_t number)
{
	for (unsigned i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

const char *names_ether_type(uint32_t type)
{
	static const struct name names[] = {
		{ 0x0000, "LLC" }, { 0x0800, "IPv4" }, { 0x0806, "ARP" }, { 0x0842, "Wake-on-LAN" }, { 0x6558, "TEB" },
		{ 0x8035, "RARP" }, { 0x8100, "802.1Q" }, { 0x86dd, "IPv6" }, { 0x8808, "PAUSE" }, { 0x8809, "LACP" },
		{ 0x8847, "MPLS" }, { 0x8848, "MPLS" }, { 0x8863, "PPPoE" }, { 0x8864, "PPPoE" }, { 0x888e, "EAPOL" },
		{ 0x88a8, "802.1ad" }, { 0x88cc, "LLDP" }, { 0x88e5, "MACsec" }, { 0x88f7, "PTP" }, { 0x8902, "CFM" },
		{ 0x8906, "FCoE" },
	};

	return find(names, ARRAY_LEN(names), type);
}

const char *names_ip_protocol(uint32_t protocol)
{
	static const struct name names[] = {
		{ 0, "hop-by-hop" }, { 1, "ICMP" }, { 2, "IGMP" }, { 4, "IPv4" }, { 6, "TCP" }, { 8, "EGP" }, { 17, "UDP" },
		{ 33, "DCCP" }, { 41, "IPv6" }, { 43, "routing" }, { 44, "fragment" }, { 46, "RSVP" }, { 47, "GRE" },
		{ 50, "ESP" }, { 51, "AH" }, { 58, "ICMPv6" }, { 59, "no next header" }, { 60, "destination options" },
		{ 88, "EIGRP" }, { 89, "OSPF" }, { 103, "PIM" }, { 108, "IPComp" }, { 112, "VRRP" }, { 115, "L2TP" },
		{ 132, "SCTP" }, { 135, "mobility" }, { 136, "UDP-Lite" }, { 137, "MPLS" },
	};

	return find(names, ARRAY_LEN(names), protocol);
}

const char *names_dns_opcode(uint32_t opcode)
{
	static const char *const names[] = { "query", "inverse query", "status", NULL, "notify", "update", "stateful" };

	return opcode < ARRAY_LEN(names) ? names[opcode] : NULL;
}

const char *names_icmp(uint32_t type)
{
	static const struct name names[] = {
		{ 0, "echo reply" }, { 3, "unreachable" }, { 4, "source quench" }, { 5, "redirect" }, { 8, "echo request" },
		{ 9, "router advertisement" }, { 10, "router solicitation" }, { 11, "time exceeded" },
		{ 12, "parameter problem" }, { 13, "timestamp request" }, { 14, "timestamp reply" },
		{ 17, "address mask request" }, { 18, "address mask reply" },
	};

	return find(names, ARRAY_LEN(names), type);
}

const char *names_icmp_unreachable(uint32_t code)
{
	static const char *const names[] = { "network", "host", "protocol", "port", "fragmentation needed",
		"source route failed", "network unknown", "host unknown", "host isolated", "network prohibited",
		"host prohibited", "network for this service", "host for this service", "prohibited by a filter",
		"host precedence", "precedence cutoff" };

	return code < ARRAY_LEN(names) ? names[code] : NULL;
}

const char *names_icmp6(uint32_t type)
{
	static const struct name names[] = {
		{ 1, "unreachable" }, { 2, "packet too big" }, { 3, "time exceeded" }, { 4, "parameter problem" },
		{ 128, "echo request" }, { 129, "echo reply" }, { 130, "multicast listener query" },
		{ 131, "multicast listener report" }, { 132, "multicast listener done" }, { 133, "router solicitation" },
		{ 134, "router advertisement" }, { 135, "neighbor solicitation" }, { 136, "neighbor advertisement" },
		{ 137, "redirect" }, { 143, "multicast listener report v2" },
	};

	return find(names, ARRAY_LEN(names), type);
}

const char *names_icmp6_unreachable(uint32_t code)
{
	static const char *const names[] = { "no route", "prohibited by a filter", "beyond scope", "address", "port",
		"source address failed policy", "route rejected" };

	return code < ARRAY_LEN(names) ? names[code] : NULL;
}

const char *names_igmp(uint32_t type)
{
	static const struct name names[] = {
		{ 0x11, "membership query" }, { 0x12, "membership report v1" }, { 0x16, "membership report v2" },
		{ 0x17, "leave group" }, { 0x22, "membership report v3" },
	};

	return find(names, ARRAY_LEN(names), type);
}

const char *names_sll_packet(uint32_t packet_type)
{
	static const char *const names[] = { "in", "broadcast", "multicast", "to another host", "out" };

	return packet_type < ARRAY_LEN(names) ? names[packet_type] : NULL;
}

const char *names_arp_operation(uint32_t operation)
{
	static const struct name names[] = {
		{ 1, "request" }, { 2, "reply" }, { 3, "reverse request" }, { 4, "reverse reply" },
		{ 8, "inverse request" }, { 9, "inverse reply" },
	};

	return find(names, ARRAY_LEN(names), operation);
}

const char *names_tcp_option(uint32_t kind)
{
	static const struct name names[] = {
		{ 0, "end" }, { 1, "nop" }, { 2, "mss" }, { 3, "window scale" }, { 4, "SACK permitted" }, { 5, "SACK" },
		{ 8, "timestamps" }, { 19, "MD5 signature" }, { 28, "user timeout" }, { 29, "authentication" },
		{ 30, "multipath" }, { 34, "fast open cookie" },
	};

	return find(names, ARRAY_LEN(names), kind);
}
