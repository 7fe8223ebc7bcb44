/* Walks a packet from its link layer inwards, one table row a protocol, until nothing is known, wrong, or left. */
#include "capture/decode/packet.h"

#include "core/fd.h"

/* What follows a layer. */
struct next {
	enum next_space space;
	uint32_t number;
};

/* Of the layers around. */
struct walk {
	struct packet *packet;
	struct span span;
	struct next next;
	struct ip_pseudo pseudo;
};

struct decoder {
	uint32_t number;
	enum layer_kind kind;
	bool (*decode)(struct walk *w, struct layer *l);
};

static bool next_ether(struct walk *w, uint32_t type)
{
	w->next = (struct next){ type == UINT32_MAX ? NEXT_DATA : NEXT_ETHER, type };
	return true;
}

static bool walk_ether(struct walk *w, struct layer *l)
{
	uint32_t type = 0;

	return ether_decode(&w->span, &l->ether, &type) && next_ether(w, type);
}

static bool walk_sll(struct walk *w, struct layer *l)
{
	uint32_t type = 0;

	return sll_decode(&w->span, &l->sll, &type) && next_ether(w, type);
}

static bool walk_sll2(struct walk *w, struct layer *l)
{
	uint32_t type = 0;

	return sll2_decode(&w->span, &l->sll, &type) && next_ether(w, type);
}

static bool walk_null(struct walk *w, struct layer *l)
{
	uint32_t type = 0;

	return null_decode(&w->span, &l->family, &type) && next_ether(w, type);
}

static bool walk_vlan(struct walk *w, struct layer *l)
{
	uint32_t type = 0;

	return vlan_decode(&w->span, &l->vlan, &type) && next_ether(w, type);
}

static bool walk_llc(struct walk *w, struct layer *l)
{
	uint32_t type = 0;

	return llc_decode(&w->span, &l->llc, &type) && next_ether(w, type);
}

static bool walk_arp(struct walk *w, struct layer *l)
{
	w->next = (struct next){ NEXT_NONE, 0 };
	return arp_decode(&w->span, &l->arp);
}

static bool next_ip(struct walk *w, uint32_t protocol)
{
	w->next = (struct next){ protocol == UINT32_MAX ? NEXT_DATA : NEXT_IP, protocol };
	return true;
}

static bool walk_ip4(struct walk *w, struct layer *l)
{
	uint32_t protocol = 0;

	if (!ip4_decode(&w->span, &l->ip4, &protocol))
		return false;
	w->pseudo = (struct ip_pseudo){ .address_length = 4, .protocol = l->ip4.protocol,
		.fragmented = l->ip4.more_fragments || l->ip4.fragment_offset };
	memcpy(w->pseudo.source, l->ip4.source, 4);
	memcpy(w->pseudo.destination, l->ip4.destination, 4);
	return next_ip(w, protocol);
}

static bool walk_ip6(struct walk *w, struct layer *l)
{
	uint32_t protocol = 0;

	if (!ip6_decode(&w->span, &l->ip6, &protocol))
		return false;
	w->pseudo = (struct ip_pseudo){ .address_length = 16, .protocol = l->ip6.protocol,
		.fragmented = l->ip6.more_fragments || l->ip6.fragment_offset };
	memcpy(w->pseudo.source, l->ip6.source, 16);
	memcpy(w->pseudo.destination, l->ip6.destination, 16);
	return next_ip(w, protocol);
}

/* Sums what is between the start of a transport header and the end of its IP packet, when all of it was captured. */
static uint8_t walk_check(const struct walk *w, const struct span *start, uint16_t seen)
{
	uint32_t n = span_should(start);

	return (uint8_t)ip_check(&w->pseudo, span_bytes(start, start->at, n), n, seen);
}

static bool walk_icmp(struct walk *w, struct layer *l)
{
	struct span start = w->span;
	uint32_t n = span_should(&start);
	const uint8_t *all = span_bytes(&start, start.at, n);

	w->next = (struct next){ NEXT_DATA, 0 };
	if (!icmp_decode(&w->span, &l->icmp))
		return false;
	if (all && !w->pseudo.fragmented)
		l->icmp.checked =
			ip_fold(ip_sum(all, n, 0)) == 0xffff ? IP_CHECKSUM_OK : IP_CHECKSUM_WRONG;
	return true;
}

static bool walk_icmp6(struct walk *w, struct layer *l)
{
	struct span start = w->span;

	w->next = (struct next){ NEXT_DATA, 0 };
	if (!icmp6_decode(&w->span, &l->icmp))
		return false;
	l->icmp.checked = walk_check(w, &start, l->icmp.checksum);
	return true;
}

static bool walk_igmp(struct walk *w, struct layer *l)
{
	w->next = (struct next){ NEXT_DATA, 0 };
	return igmp_decode(&w->span, &l->igmp);
}

/* RFC 1035 4.2.2: two bytes of length. A segment from the middle of a message has none, so the number must fit what follows. */
static bool dns_tcp_starts(struct span s, uint32_t *ret_length)
{
	uint16_t length = 0, flags = 0;

	if (!span_be16(&s, &length) || length < 12 || !span_skip(&s, 2) || !span_be16(&s, &flags))
		return false;
	*ret_length = length;
	return length <= span_should(&s) + 4 || (flags >> 11 & 15) <= 5;
}

static void next_by_tcp_port(struct walk *w, const struct tcp *tcp)
{
	uint32_t length = 0;

	if (tcp->source_port != 53 && tcp->destination_port != 53)
		return;
	if (!dns_tcp_starts(w->span, &length))
		return;
	span_skip(&w->span, 2);
	if (length > span_should(&w->span))
		span_open_end(&w->span); /* the rest comes in other segments */
	w->span = span_sub(&w->span, length);
	w->next = (struct next){ NEXT_DNS, DNS_OVER_TCP };
}

/*
 * Docker's resolver has this address and nothing else. Questions to its port 53 are redirected to another port before a capture in the
 * container sees them (iptables in its OUTPUT chain), answers come from 53.
 */
static bool is_docker_resolver(const struct packet *p)
{
	static const uint8_t resolver[4] = { 127, 0, 0, 11 };
	const struct layer *below = p->n_layers >= 2 ? &p->layers[p->n_layers - 2] : NULL;

	return below && below->kind == LAYER_IP4 &&
		(memcmp(below->ip4.source, resolver, 4) == 0 || memcmp(below->ip4.destination, resolver, 4) == 0);
}

static void next_by_udp_port(struct walk *w, const struct udp *udp)
{
	static const struct {
		uint16_t port;
		enum dns_flavour flavour;
	} ports[] = { { 53, DNS_PLAIN }, { 5353, DNS_MULTICAST }, { 5355, DNS_LLMNR } };

	for (unsigned i = 0; i < ARRAY_LEN(ports) && span_should(&w->span) > 0; i++) {
		if (udp->source_port != ports[i].port && udp->destination_port != ports[i].port)
			continue;
		w->next = (struct next){ NEXT_DNS, ports[i].flavour };
		return;
	}
	if (span_should(&w->span) > 0 && is_docker_resolver(w->packet))
		w->next = (struct next){ NEXT_DNS, DNS_PLAIN };
}

static bool walk_tcp(struct walk *w, struct layer *l)
{
	struct span start = w->span;

	if (!tcp_decode(&w->span, &l->tcp))
		return false;
	l->tcp.checked = walk_check(w, &start, l->tcp.checksum);
	w->next = (struct next){ NEXT_DATA, 0 };
	next_by_tcp_port(w, &l->tcp);
	return true;
}

static bool walk_udp(struct walk *w, struct layer *l)
{
	struct span start = w->span;

	if (!udp_decode(&w->span, &l->udp))
		return false;
	if (l->udp.checksum != 0)
		l->udp.checked = walk_check(w, &start, l->udp.checksum);
	w->next = (struct next){ NEXT_DATA, 0 };
	next_by_udp_port(w, &l->udp);
	return true;
}

static bool walk_dns(struct walk *w, struct layer *l)
{
	l->dns.over_tcp = w->next.number == DNS_OVER_TCP;
	l->dns.flavour = l->dns.over_tcp ? DNS_PLAIN : (enum dns_flavour)w->next.number;
	if (!dns_header_decode(&w->span, &l->dns))
		return false;
	w->next = (struct next){ NEXT_NONE, 0 };
	return span_seek(&w->span, w->span.end);
}

/* Tables before their only readers, since they hold the functions above. */

static const struct decoder link_decoders[] = {
	{ LINK_TYPE_ETHERNET, LAYER_ETHER, walk_ether },
	{ LINK_TYPE_SLL, LAYER_SLL, walk_sll },
	{ LINK_TYPE_SLL2, LAYER_SLL2, walk_sll2 },
	{ LINK_TYPE_NULL, LAYER_NULL, walk_null },
	{ LINK_TYPE_LOOP, LAYER_NULL, walk_null },
	{ LINK_TYPE_IP4, LAYER_IP4, walk_ip4 },
	{ LINK_TYPE_IP6, LAYER_IP6, walk_ip6 },
};

static const struct decoder ether_decoders[] = {
	{ ETHER_TYPE_IP4, LAYER_IP4, walk_ip4 },
	{ ETHER_TYPE_IP6, LAYER_IP6, walk_ip6 },
	{ ETHER_TYPE_ARP, LAYER_ARP, walk_arp },
	{ ETHER_TYPE_VLAN, LAYER_VLAN, walk_vlan },
	{ ETHER_TYPE_QINQ, LAYER_VLAN, walk_vlan },
	{ ETHER_TYPE_LLC, LAYER_LLC, walk_llc },
};

static const struct decoder ip_decoders[] = {
	{ IP_PROTO_TCP, LAYER_TCP, walk_tcp },
	{ IP_PROTO_UDP, LAYER_UDP, walk_udp },
	{ IP_PROTO_ICMP, LAYER_ICMP, walk_icmp },
	{ IP_PROTO_ICMP6, LAYER_ICMP6, walk_icmp6 },
	{ IP_PROTO_IGMP, LAYER_IGMP, walk_igmp },
	{ IP_PROTO_IP4, LAYER_IP4, walk_ip4 },
	{ IP_PROTO_IP6, LAYER_IP6, walk_ip6 },
};

static const struct decoder dns_decoders[] = {
	{ DNS_PLAIN, LAYER_DNS, walk_dns },
	{ DNS_MULTICAST, LAYER_DNS, walk_dns },
	{ DNS_LLMNR, LAYER_DNS, walk_dns },
	{ DNS_OVER_TCP, LAYER_DNS, walk_dns },
};

static const struct {
	const struct decoder *decoders;
	unsigned n;
} spaces[] = {
	[NEXT_LINK] = { link_decoders, ARRAY_LEN(link_decoders) },
	[NEXT_ETHER] = { ether_decoders, ARRAY_LEN(ether_decoders) },
	[NEXT_IP] = { ip_decoders, ARRAY_LEN(ip_decoders) },
	[NEXT_DNS] = { dns_decoders, ARRAY_LEN(dns_decoders) },
	[NEXT_DATA] = { NULL, 0 },
};

static const struct decoder *walk_find(struct next next)
{
	for (unsigned i = 0; i < spaces[next.space].n; i++) {
		if (spaces[next.space].decoders[i].number == next.number)
			return &spaces[next.space].decoders[i];
	}
	return NULL;
}

/* LINKTYPE_RAW carries IPv4 or IPv6; the version says which. */
static uint32_t link_type_of(const struct span *s, uint32_t link_type)
{
	const uint8_t *first = span_bytes(s, 0, 1);

	if (link_type != LINK_TYPE_RAW && link_type != LINK_TYPE_RAW_DLT)
		return link_type;
	return first && *first >> 4 == 6 ? LINK_TYPE_IP6 : LINK_TYPE_IP4;
}

/* One layer; false when it is in trouble. */
static bool walk_layer(struct walk *w, const struct decoder *d)
{
	struct layer *l = &w->packet->layers[w->packet->n_layers++];
	bool good;

	*l = (struct layer){ .kind = d->kind, .offset = w->span.at };
	w->span.cut = false;
	w->span.why = NULL;
	good = d->decode(w, l);
	l->length = w->span.at - l->offset;
	if (!good) {
		l->trouble = w->span.cut ? TROUBLE_CUT : TROUBLE_MALFORMED;
		l->why = w->span.why ? w->span.why : "cannot be read";
		w->next = (struct next){ NEXT_NONE, 0 };
		return false;
	}
	l->payload = w->span.limit == UINT32_MAX ? span_left(&w->span) : span_should(&w->span);
	return true;
}

void packet_decode(
	const void *bytes, uint32_t captured, uint32_t length, uint32_t link_type, struct packet *ret)
{
	struct walk w = { .packet = ret, .span = span_of(bytes, captured, length) };
	const struct decoder *d;

	ret->bytes = bytes;
	ret->captured = captured;
	ret->length = length;
	ret->n_layers = 0;
	ret->too_deep = false;
	w.next = (struct next){ NEXT_LINK, link_type_of(&w.span, link_type) };
	while (w.next.space != NEXT_NONE && (d = walk_find(w.next))) {
		ret->too_deep = ret->n_layers == PACKET_LAYERS;
		if (ret->too_deep || !walk_layer(&w, d))
			break;
	}
	ret->rest = w.next.space;
	ret->rest_number = w.next.number;
	ret->rest_offset = w.span.at;
	ret->rest_length = span_left(&w.span);
}

const struct layer *packet_layer(const struct packet *p, enum layer_kind kind)
{
	for (uint32_t i = p->n_layers; i > 0; i--) {
		if (p->layers[i - 1].kind == kind)
			return &p->layers[i - 1];
	}
	return NULL;
}

const struct layer *packet_trouble(const struct packet *p)
{
	const struct layer *last = p->n_layers ? &p->layers[p->n_layers - 1] : NULL;

	return last && last->trouble != TROUBLE_NONE ? last : NULL;
}
