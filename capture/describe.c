/* A packet's line in the list: addresses, ports, the innermost protocol, and what it says in a few words. */
#include "capture/describe.h"

#include "capture/decode/packet.h"
#include "capture/describe_dns.h"
#include "capture/names.h"
#include "core/fd.h"

#include <stdio.h>

static const char *const layer_names[LAYER_N] = {
	[LAYER_ETHER] = "Ethernet",
	[LAYER_SLL] = "cooked",
	[LAYER_SLL2] = "cooked",
	[LAYER_NULL] = "loopback",
	[LAYER_VLAN] = "VLAN",
	[LAYER_LLC] = "LLC",
	[LAYER_ARP] = "ARP",
	[LAYER_IP4] = "IPv4",
	[LAYER_IP6] = "IPv6",
	[LAYER_ICMP] = "ICMP",
	[LAYER_ICMP6] = "ICMPv6",
	[LAYER_IGMP] = "IGMP",
	[LAYER_TCP] = "TCP",
	[LAYER_UDP] = "UDP",
	[LAYER_DNS] = "DNS",
};

const char *describe_layer_name(const struct layer *l)
{
	if (l->kind == LAYER_DNS && l->dns.flavour == DNS_MULTICAST)
		return "mDNS";
	if (l->kind == LAYER_DNS && l->dns.flavour == DNS_LLMNR)
		return "LLMNR";
	return layer_names[l->kind];
}

/* --- one function a kind --- */

static void line_ether(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	(void)p;
	ret->source = addr_mac(l->ether.source);
	ret->destination = addr_mac(l->ether.destination);
}

static void line_sll(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	(void)p;
	if (l->sll.address_length == 6)
		ret->source = addr_mac(l->sll.address);
}

static void line_vlan(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	(void)p;
	words_add(&ret->info, "vlan %u ", l->vlan.tag & 0xfff);
}

static void line_llc(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	(void)p;
	if (l->llc.dsap == 0x42)
		snprintf(ret->protocol, sizeof ret->protocol, "STP");
	words_add(&ret->info, "dsap 0x%02x ssap 0x%02x", l->llc.dsap, l->llc.ssap);
}

static void line_arp(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	static const uint8_t nobody[4];
	const struct arp *arp = &l->arp;
	const char *operation = names_arp_operation(arp->operation);
	struct words *w = &ret->info;

	(void)p;
	if (!arp->plain || arp->operation > 2) {
		words_add(w, "%s %u", operation ? operation : "operation", arp->operation);
	} else if (arp->operation == 2) {
		words_ip4(w, arp->sender_ip);
		words_add(w, " is at ");
		words_mac(w, arp->sender_mac);
	} else {
		words_add(w, "who has ");
		words_ip4(w, arp->target_ip);
		if (memcmp(arp->sender_ip, arp->target_ip, 4) == 0)
			words_add(w, "? announced");
		else
			words_add(w, "? tell ");
		if (memcmp(arp->sender_ip, nobody, 4) == 0)
			words_add(w, "nobody (probe)");
		else if (memcmp(arp->sender_ip, arp->target_ip, 4) != 0)
			words_ip4(w, arp->sender_ip);
	}
}

/* A fragment names what it is part of. */
static void line_fragment(struct words *w, uint32_t protocol, uint32_t id, uint32_t offset, bool more)
{
	const char *name = names_ip_protocol(protocol);

	if (name)
		words_add(w, "fragment of %s ", name);
	else
		words_add(w, "fragment of protocol %u ", protocol);
	words_add(w, "id=0x%04x offset=%u%s ", id, offset, more ? " more" : " last");
}

static void line_ip4(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	const struct ip4 *ip = &l->ip4;

	(void)p;
	ret->source = addr_ip4(ip->source);
	ret->destination = addr_ip4(ip->destination);
	if (ip->more_fragments || ip->fragment_offset)
		line_fragment(&ret->info, ip->protocol, ip->id, ip->fragment_offset, ip->more_fragments);
}

static void line_ip6(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	const struct ip6 *ip = &l->ip6;

	(void)p;
	ret->source = addr_ip6(ip->source);
	ret->destination = addr_ip6(ip->destination);
	if (ip->is_fragment)
		line_fragment(&ret->info, ip->protocol, ip->fragment_id, ip->fragment_offset, ip->more_fragments);
}

static void line_quote(struct words *w, const struct icmp_quote *q)
{
	const char *name = names_ip_protocol(q->protocol);
	struct addr to = q->version == 6 ? addr_ip6(q->destination) : addr_ip4(q->destination);

	if (q->version == 0)
		return;
	words_add(w, ", was %s to ", name ? name : "sent");
	words_addr(w, &to);
	if (q->has_ports)
		words_add(w, q->version == 6 ? " port %u" : ":%u", q->destination_port);
}

static void line_echo(struct words *w, const struct icmp *icmp)
{
	words_add(w, " id=%u seq=%u", icmp->rest >> 16, icmp->rest & 0xffff);
}

static void line_icmp(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	const struct icmp *icmp = &l->icmp;
	const char *name = names_icmp(icmp->type), *code = names_icmp_unreachable(icmp->code);
	struct words *w = &ret->info;

	(void)p;
	if (name)
		words_add(w, "%s", name);
	else
		words_add(w, "type %u code %u", icmp->type, icmp->code);
	if (icmp->type == ICMP_ECHO || icmp->type == ICMP_ECHO_REPLY)
		line_echo(w, icmp);
	if (icmp->type == ICMP_UNREACHABLE)
		words_add(w, ": %s", code ? code : "unknown code");
	if (icmp->type == ICMP_UNREACHABLE && icmp->code == 4)
		words_add(w, ", mtu %u", icmp->rest & 0xffff);
	if (icmp->type == ICMP_TIME_EXCEEDED)
		words_add(w, icmp->code == 0 ? ": ttl" : ": reassembly");
	if (icmp->quote.version)
		ret->severity = SEVERITY_WARN;
	line_quote(w, &icmp->quote);
}

static void line_icmp6(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	const struct icmp *icmp = &l->icmp;
	const char *name = names_icmp6(icmp->type), *code = names_icmp6_unreachable(icmp->code);
	struct words *w = &ret->info;

	(void)p;
	if (name)
		words_add(w, "%s", name);
	else
		words_add(w, "type %u code %u", icmp->type, icmp->code);
	if (icmp->type == ICMP6_ECHO || icmp->type == ICMP6_ECHO_REPLY)
		line_echo(w, icmp);
	if (icmp->type == ICMP6_UNREACHABLE)
		words_add(w, ": %s", code ? code : "unknown code");
	if (icmp->type == ICMP6_TOO_BIG)
		words_add(w, ", mtu %u", icmp->rest);
	if (icmp->has_target) {
		words_add(w, icmp->type == ICMP6_NEIGHBOUR_SOLICIT ? " who has " : " ");
		words_ip6(w, icmp->target);
	}
	if (icmp->has_mac && icmp->type == ICMP6_NEIGHBOUR_ADVERT) {
		words_add(w, " is at ");
		words_mac(w, icmp->mac);
	}
	if (icmp->type < 128)
		ret->severity = SEVERITY_WARN;
	line_quote(w, &icmp->quote);
}

static void line_igmp(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	const char *name = names_igmp(l->igmp.type);

	(void)p;
	if (name)
		words_add(&ret->info, "%s ", name);
	else
		words_add(&ret->info, "type 0x%02x ", l->igmp.type);
	if (l->igmp.type != 0x22)
		words_ip4(&ret->info, l->igmp.group);
}

static void line_tcp(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	static const char *const flags[] = { "FIN ", "SYN ", "RST ", "PSH ", "ACK ", "URG ", "ECE ", "CWR ", "AE " };
	static const uint8_t order[] = { 1, 0, 2, 3, 4, 5, 6, 7, 8 }; /* SYN first */
	const struct tcp *tcp = &l->tcp;
	struct words *w = &ret->info;

	(void)p;
	ret->source_port = tcp->source_port;
	ret->destination_port = tcp->destination_port;
	for (unsigned i = 0; i < ARRAY_LEN(order); i++)
		words_add(w, "%s", tcp->flags >> order[i] & 1 ? flags[order[i]] : "");
	words_add(w, "seq=%u", tcp->sequence);
	if (tcp->flags & TCP_ACK)
		words_add(w, " ack=%u", tcp->acknowledgement);
	words_add(w, " win=%u", tcp->window);
	if (l->payload > 0)
		words_add(w, " len=%u", l->payload);
	if (tcp->has_mss)
		words_add(w, " mss=%u", tcp->mss);
	if (tcp->has_scale)
		words_add(w, " wscale=%u", tcp->scale);
	if (tcp->n_sack > 0)
		words_add(w, " sack=%u-%u", tcp->sack[0], tcp->sack[1]);
	if (tcp->flags & TCP_RST || (tcp->window == 0 && !(tcp->flags & TCP_SYN)))
		ret->severity = SEVERITY_WARN;
}

static void line_udp(const struct packet *p, const struct layer *l, struct packet_line *ret)
{
	(void)p;
	ret->source_port = l->udp.source_port;
	ret->destination_port = l->udp.destination_port;
	words_add(&ret->info, "len=%u", l->payload);
}

/* --- the whole line --- */

struct liner {
	void (*line)(const struct packet *p, const struct layer *l, struct packet_line *ret);
	bool restarts; /* what outer layers said is not of interest */
};

static const struct liner liners[LAYER_N] = {
	[LAYER_ETHER] = { line_ether, true },
	[LAYER_SLL] = { line_sll, true },
	[LAYER_SLL2] = { line_sll, true },
	[LAYER_NULL] = { NULL, true },
	[LAYER_VLAN] = { line_vlan, false },
	[LAYER_LLC] = { line_llc, false },
	[LAYER_ARP] = { line_arp, true },
	[LAYER_IP4] = { line_ip4, true },
	[LAYER_IP6] = { line_ip6, true },
	[LAYER_ICMP] = { line_icmp, false },
	[LAYER_ICMP6] = { line_icmp6, false },
	[LAYER_IGMP] = { line_igmp, false },
	[LAYER_TCP] = { line_tcp, false },
	[LAYER_UDP] = { line_udp, false },
	[LAYER_DNS] = { describe_dns_line, true },
};

/* What was read of a header before it broke: who sent it and to whom. */
static void line_known(const struct layer *l, struct packet_line *ret)
{
	bool has_ports = (l->kind == LAYER_TCP || l->kind == LAYER_UDP) && l->length >= 4;

	if (has_ports) {
		ret->source_port = l->kind == LAYER_TCP ? l->tcp.source_port : l->udp.source_port;
		ret->destination_port = l->kind == LAYER_TCP ? l->tcp.destination_port : l->udp.destination_port;
	} else if (l->kind == LAYER_ETHER && l->length >= 12) {
		ret->source = addr_mac(l->ether.source);
		ret->destination = addr_mac(l->ether.destination);
	} else if (l->kind == LAYER_IP4 && l->length >= 20) {
		ret->source = addr_ip4(l->ip4.source);
		ret->destination = addr_ip4(l->ip4.destination);
	} else if (l->kind == LAYER_IP6 && l->length >= 40) {
		ret->source = addr_ip6(l->ip6.source);
		ret->destination = addr_ip6(l->ip6.destination);
	}
}

static void line_trouble(const struct layer *l, struct packet_line *ret)
{
	line_known(l, ret);
	if (l->trouble == TROUBLE_CUT) {
		words_add(&ret->info, "[cut]");
		return;
	}
	ret->severity = SEVERITY_WARN;
	words_add(&ret->info, "malformed: %s: %s", describe_layer_name(l), l->why);
}

/* A protocol that is not decoded gives its name or number. */
static void line_rest(const struct packet *p, struct packet_line *ret)
{
	const char *name = NULL;

	if (p->rest == NEXT_ETHER)
		name = names_ether_type(p->rest_number);
	else if (p->rest == NEXT_IP)
		name = names_ip_protocol(p->rest_number);
	if (p->rest == NEXT_LINK)
		words_add(&ret->info, "link type %u not decoded", p->rest_number);
	else if (p->rest == NEXT_DATA || p->rest == NEXT_NONE || p->too_deep)
		return;
	else if (p->rest == NEXT_IP && p->rest_number == IP_PROTO_NONE)
		words_add(&ret->info, "no next header ");
	else if (name)
		snprintf(ret->protocol, sizeof ret->protocol, "%s", name);
	else
		snprintf(ret->protocol, sizeof ret->protocol, p->rest == NEXT_ETHER ? "0x%04x" : "IP %u", p->rest_number);
	if (p->rest != NEXT_LINK)
		words_add(&ret->info, "len=%u", p->n_layers ? p->layers[p->n_layers - 1].payload : p->length);
}

void describe_line(const struct packet *p, struct packet_line *ret)
{
	ret->source = ret->destination = (struct addr){ 0 };
	ret->source_port = ret->destination_port = ROW_NO_UINT;
	ret->severity = SEVERITY_NONE;
	snprintf(ret->protocol, sizeof ret->protocol, "%s", "unknown");
	words_clear(&ret->info);
	for (uint32_t i = 0; i < p->n_layers; i++) {
		const struct layer *l = &p->layers[i];

		if (l->kind != LAYER_VLAN)
			snprintf(ret->protocol, sizeof ret->protocol, "%s", describe_layer_name(l));
		if (liners[l->kind].restarts)
			words_clear(&ret->info);
		if (l->trouble != TROUBLE_NONE)
			line_trouble(l, ret);
		else if (liners[l->kind].line)
			liners[l->kind].line(p, l, ret);
	}
	if (p->too_deep)
		words_add(&ret->info, " more than %d layers", PACKET_LAYERS);
	line_rest(p, ret);
	words_trim(&ret->info);
}
