/* The detail view of a packet: one line a field, each with its place in the bytes. */
#include "capture/tree.h"

#include "capture/decode/packet.h"
#include "capture/describe_dns.h"
#include "capture/names.h"
#include "core/fd.h"

#include <stdarg.h>
#include <stdio.h>

static void put(struct tree *t, const struct tree_line *line)
{
	if (t->n < TREE_LINES && line->depth < TREE_DEPTH) {
		t->n++;
		t->put(t->arg, line);
	}
	words_clear(&t->value);
}

void tree_put(struct tree *t, uint32_t depth, struct place at, const char *label)
{
	put(t, &(struct tree_line){ .depth = depth, .label = label, .value = &t->value, .offset = at.offset,
		.length = at.length });
}

void tree_put_warn(struct tree *t, uint32_t depth, struct place at, const char *label)
{
	put(t, &(struct tree_line){ .depth = depth, .label = label, .value = &t->value, .offset = at.offset,
		.length = at.length, .severity = SEVERITY_WARN });
}

void tree_add(struct tree *t, uint32_t depth, struct place at, const char *label, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	words_add(&t->value, "%s", text);
	tree_put(t, depth, at, label);
}

/* Bytes of a layer, counted from its start. */
static struct place in(const struct layer *l, uint32_t offset, uint32_t length)
{
	return (struct place){ l->offset + offset, length };
}

static struct place whole(const struct layer *l)
{
	return (struct place){ l->offset, l->length };
}

static void tree_ether_type(struct tree *t, struct place at, uint32_t type)
{
	const char *name = names_ether_type(type);

	if (type < 0x600)
		tree_add(t, 1, at, "Length", "%u", type);
	else
		tree_add(t, 1, at, "Type", "0x%04x%s%s", type, name ? " " : "", name ? name : "");
}

static void tree_mac(struct tree *t, struct place at, const char *label, const uint8_t *six)
{
	words_mac(&t->value, six);
	tree_put(t, 1, at, label);
}

static void tree_ip4_addr(struct tree *t, struct place at, const char *label, const uint8_t *four)
{
	words_ip4(&t->value, four);
	tree_put(t, 1, at, label);
}

static void tree_ip6_addr(struct tree *t, struct place at, const char *label, const uint8_t *sixteen)
{
	words_ip6(&t->value, sixteen);
	tree_put(t, 1, at, label);
}

static void tree_checksum(struct tree *t, struct place at, uint16_t value, unsigned checked)
{
	static const char *const said[] = {
		[IP_CHECKSUM_UNKNOWN] = "not checked",
		[IP_CHECKSUM_OK] = "ok",
		[IP_CHECKSUM_OFFLOAD] = "left to the network card",
		[IP_CHECKSUM_WRONG] = "wrong",
	};

	words_add(&t->value, "0x%04x %s", value, said[checked & 3]);
	if (checked == IP_CHECKSUM_WRONG)
		tree_put_warn(t, 1, at, "Checksum");
	else
		tree_put(t, 1, at, "Checksum");
}

static void tree_ether(struct tree *t, const struct packet *p, const struct layer *l)
{
	(void)p;
	words_mac(&t->value, l->ether.source);
	words_add(&t->value, " > ");
	words_mac(&t->value, l->ether.destination);
	tree_put(t, 0, whole(l), "Ethernet");
	tree_mac(t, in(l, 0, 6), "Destination", l->ether.destination);
	tree_mac(t, in(l, 6, 6), "Source", l->ether.source);
	tree_ether_type(t, in(l, 12, 2), l->ether.type);
}

static void tree_sll(struct tree *t, const struct packet *p, const struct layer *l)
{
	const char *name = names_sll_packet(l->sll.packet_type);
	bool v2 = l->kind == LAYER_SLL2;

	(void)p;
	tree_add(t, 0, whole(l), v2 ? "Linux cooked v2" : "Linux cooked", "%s", name ? name : "unknown direction");
	tree_ether_type(t, v2 ? in(l, 0, 2) : in(l, 14, 2), l->sll.type);
	if (v2)
		tree_add(t, 1, in(l, 4, 4), "Interface index", "%u", l->sll.ifindex);
	tree_add(t, 1, v2 ? in(l, 10, 1) : in(l, 0, 2), "Direction", "%u %s", l->sll.packet_type, name ? name : "");
	tree_add(t, 1, v2 ? in(l, 8, 2) : in(l, 2, 2), "Hardware", "%u", l->sll.hardware);
	if (l->sll.address_length == 6)
		tree_mac(t, v2 ? in(l, 12, 6) : in(l, 6, 6), "Source", l->sll.address);
}

static void tree_null(struct tree *t, const struct packet *p, const struct layer *l)
{
	(void)p;
	tree_add(t, 0, whole(l), "Loopback", "family %u", l->family);
}

static void tree_vlan(struct tree *t, const struct packet *p, const struct layer *l)
{
	(void)p;
	tree_add(t, 0, whole(l), "VLAN", "%u", l->vlan.tag & 0xfff);
	tree_add(t, 1, in(l, 0, 2), "Priority", "%u%s", l->vlan.tag >> 13, l->vlan.tag & 0x1000 ? ", may be dropped" : "");
	tree_add(t, 1, in(l, 0, 2), "Id", "%u", l->vlan.tag & 0xfff);
	tree_ether_type(t, in(l, 2, 2), l->vlan.type);
}

static void tree_llc(struct tree *t, const struct packet *p, const struct layer *l)
{
	(void)p;
	tree_add(t, 0, whole(l), "LLC", "%s", l->llc.type ? "SNAP" : "802.2");
	tree_add(t, 1, in(l, 0, 1), "Destination SAP", "0x%02x", l->llc.dsap);
	tree_add(t, 1, in(l, 1, 1), "Source SAP", "0x%02x", l->llc.ssap);
	tree_add(t, 1, in(l, 2, 1), "Control", "0x%02x", l->llc.control);
	if (l->llc.type)
		tree_ether_type(t, in(l, 6, 2), l->llc.type);
}

static void tree_arp(struct tree *t, const struct packet *p, const struct layer *l)
{
	const struct arp *a = &l->arp;
	const char *name = names_arp_operation(a->operation);

	(void)p;
	tree_add(t, 0, whole(l), "ARP", "%s", name ? name : "unknown operation");
	tree_add(t, 1, in(l, 0, 2), "Hardware", "%u%s", a->hardware, a->hardware == 1 ? " Ethernet" : "");
	tree_ether_type(t, in(l, 2, 2), a->protocol);
	tree_add(t, 1, in(l, 4, 2), "Address lengths", "%u, %u", a->hardware_length, a->protocol_length);
	tree_add(t, 1, in(l, 6, 2), "Operation", "%u %s", a->operation, name ? name : "");
	if (!a->plain)
		return;
	tree_mac(t, in(l, 8, 6), "Sender", a->sender_mac);
	tree_ip4_addr(t, in(l, 14, 4), "Sender address", a->sender_ip);
	tree_mac(t, in(l, 18, 6), "Target", a->target_mac);
	tree_ip4_addr(t, in(l, 24, 4), "Target address", a->target_ip);
}

static void tree_protocol(struct tree *t, struct place at, uint32_t protocol)
{
	const char *name = names_ip_protocol(protocol);

	tree_add(t, 1, at, "Protocol", "%u%s%s", protocol, name ? " " : "", name ? name : "");
}

static void tree_ip4(struct tree *t, const struct packet *p, const struct layer *l)
{
	const struct ip4 *ip = &l->ip4;

	(void)p;
	words_ip4(&t->value, ip->source);
	words_add(&t->value, " > ");
	words_ip4(&t->value, ip->destination);
	words_add(&t->value, "  ttl %u  id 0x%04x%s%s  len %u", ip->ttl, ip->id, ip->dont_fragment ? "  DF" : "",
		ip->more_fragments ? "  MF" : "", ip->total_length);
	tree_put(t, 0, whole(l), "IPv4");
	tree_add(t, 1, in(l, 0, 1), "Header length", "%u", ip->header_length);
	tree_add(t, 1, in(l, 1, 1), "Service", "dscp %u, ecn %u", ip->tos >> 2, ip->tos & 3);
	tree_add(t, 1, in(l, 2, 2), "Total length", "%u%s", ip->total_length,
		ip->total_length ? "" : " (segmentation left to the network card)");
	tree_add(t, 1, in(l, 4, 2), "Id", "0x%04x", ip->id);
	tree_add(t, 1, in(l, 6, 2), "Fragment", "%s%soffset %u", ip->dont_fragment ? "do not fragment, " : "",
		ip->more_fragments ? "more follow, " : "", ip->fragment_offset);
	tree_add(t, 1, in(l, 8, 1), "TTL", "%u", ip->ttl);
	tree_protocol(t, in(l, 9, 1), ip->protocol);
	tree_checksum(t, in(l, 10, 2), ip->checksum, ip->checked);
	tree_ip4_addr(t, in(l, 12, 4), "Source", ip->source);
	tree_ip4_addr(t, in(l, 16, 4), "Destination", ip->destination);
	if (ip->options_length)
		tree_add(t, 1, in(l, 20, ip->options_length), "Options", "%u bytes", ip->options_length);
}

static void tree_extension(struct tree *t, const struct ip6_extension *e)
{
	const char *name = names_ip_protocol(e->kind);
	struct place at = { e->offset, e->length };

	if (e->kind == IP_PROTO_ROUTING)
		tree_add(t, 1, at, "Extension", "routing type %u, %u segments left", e->routing_type, e->segments_left);
	else
		tree_add(t, 1, at, "Extension", "%s, %u bytes", name ? name : "unknown", e->length);
}

static void tree_ip6(struct tree *t, const struct packet *p, const struct layer *l)
{
	const struct ip6 *ip = &l->ip6;

	(void)p;
	words_ip6(&t->value, ip->source);
	words_add(&t->value, " > ");
	words_ip6(&t->value, ip->destination);
	words_add(&t->value, "  hops %u  len %u", ip->hop_limit, ip->payload_length);
	tree_put(t, 0, whole(l), "IPv6");
	tree_add(t, 1, in(l, 0, 2), "Traffic class", "dscp %u, ecn %u", ip->traffic_class >> 2, ip->traffic_class & 3);
	tree_add(t, 1, in(l, 1, 3), "Flow label", "0x%05x", ip->flow);
	tree_add(t, 1, in(l, 4, 2), "Payload length", "%u", ip->payload_length);
	tree_protocol(t, in(l, 6, 1), ip->next);
	tree_add(t, 1, in(l, 7, 1), "Hop limit", "%u", ip->hop_limit);
	tree_ip6_addr(t, in(l, 8, 16), "Source", ip->source);
	tree_ip6_addr(t, in(l, 24, 16), "Destination", ip->destination);
	for (uint32_t i = 0; i < ip->n_extensions; i++)
		tree_extension(t, &ip->extensions[i]);
	if (ip->is_fragment)
		tree_add(t, 1, in(l, 0, 0), "Fragment", "id 0x%08x, offset %u%s", ip->fragment_id, ip->fragment_offset,
			ip->more_fragments ? ", more follow" : "");
}

static void tree_quote(struct tree *t, const struct icmp_quote *q)
{
	const char *name = names_ip_protocol(q->protocol);
	bool six = q->version == 6;
	struct addr from = six ? addr_ip6(q->source) : addr_ip4(q->source);
	struct addr to = six ? addr_ip6(q->destination) : addr_ip4(q->destination);

	if (q->version == 0)
		return;
	words_add(&t->value, "%s ", name ? name : "");
	words_addr(&t->value, &from);
	if (q->has_ports)
		words_add(&t->value, " port %u", q->source_port);
	words_add(&t->value, " > ");
	words_addr(&t->value, &to);
	if (q->has_ports)
		words_add(&t->value, " port %u", q->destination_port);
	tree_put(t, 1, (struct place){ q->offset, q->length }, "About");
}

static bool is_echo(const struct layer *l)
{
	if (l->kind == LAYER_ICMP6)
		return l->icmp.type == ICMP6_ECHO || l->icmp.type == ICMP6_ECHO_REPLY;
	return l->icmp.type == ICMP_ECHO || l->icmp.type == ICMP_ECHO_REPLY;
}

static void tree_icmp(struct tree *t, const struct packet *p, const struct layer *l)
{
	const struct icmp *icmp = &l->icmp;
	bool six = l->kind == LAYER_ICMP6;
	const char *name = six ? names_icmp6(icmp->type) : names_icmp(icmp->type);

	(void)p;
	tree_add(t, 0, whole(l), describe_layer_name(l), "%s", name ? name : "unknown");
	tree_add(t, 1, in(l, 0, 1), "Type", "%u", icmp->type);
	tree_add(t, 1, in(l, 1, 1), "Code", "%u", icmp->code);
	tree_checksum(t, in(l, 2, 2), icmp->checksum, icmp->checked);
	if (is_echo(l)) {
		tree_add(t, 1, in(l, 4, 2), "Id", "%u", icmp->rest >> 16);
		tree_add(t, 1, in(l, 6, 2), "Sequence", "%u", icmp->rest & 0xffff);
	}
	if (six && icmp->type == ICMP6_TOO_BIG)
		tree_add(t, 1, in(l, 4, 4), "MTU", "%u", icmp->rest);
	if (!six && icmp->type == ICMP_UNREACHABLE && icmp->code == 4)
		tree_add(t, 1, in(l, 6, 2), "MTU", "%u", icmp->rest & 0xffff);
	if (icmp->has_target)
		tree_ip6_addr(t, (struct place){ icmp->target_offset, 16 }, "Target", icmp->target);
	if (icmp->has_mac)
		tree_mac(t, (struct place){ icmp->mac_offset, 8 }, "Link address", icmp->mac);
	tree_quote(t, &icmp->quote);
}

static void tree_igmp(struct tree *t, const struct packet *p, const struct layer *l)
{
	const char *name = names_igmp(l->igmp.type);

	(void)p;
	tree_add(t, 0, whole(l), "IGMP", "%s", name ? name : "unknown");
	tree_add(t, 1, in(l, 0, 1), "Type", "0x%02x", l->igmp.type);
	tree_add(t, 1, in(l, 2, 2), "Checksum", "0x%04x", l->igmp.checksum);
	if (l->igmp.type != 0x22)
		tree_ip4_addr(t, in(l, 4, 4), "Group", l->igmp.group);
}

static void flag_words(struct words *w, uint16_t flags)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE" };
	bool some = false;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!(flags >> i & 1))
			continue;
		words_add(w, "%s%s", some ? " " : "", names[i]);
		some = true;
	}
	if (!some)
		words_add(w, "none");
}

static void option_words(struct words *w, const struct tcp *tcp, uint32_t kind)
{
	if (kind == 2 && tcp->has_mss)
		words_add(w, " %u", tcp->mss);
	if (kind == 3 && tcp->has_scale)
		words_add(w, " %u (times %u)", tcp->scale, 1U << (tcp->scale < 15 ? tcp->scale : 14));
	if (kind == 8 && tcp->has_timestamps)
		words_add(w, " %u, echo %u", tcp->timestamp, tcp->timestamp_echo);
	for (uint32_t i = 0; kind == 5 && i + 1 < tcp->n_sack; i += 2)
		words_add(w, " %u-%u", tcp->sack[i], tcp->sack[i + 1]);
}

static void tree_options(struct tree *t, const struct packet *p, const struct layer *l)
{
	struct span s = span_of(p->bytes, p->captured, p->captured);
	struct tcp_option o;

	if (!span_seek(&s, l->tcp.options_offset))
		return;
	s = span_sub(&s, l->tcp.options_length);
	while (tcp_option_next(&s, &o)) {
		const char *name = names_tcp_option(o.kind);

		if (name)
			words_add(&t->value, "%s", name);
		else
			words_add(&t->value, "kind %u, %u bytes", o.kind, o.length);
		option_words(&t->value, &l->tcp, o.kind);
		tree_put(t, 2, (struct place){ o.offset, o.length }, "Option");
	}
}

static void tree_tcp(struct tree *t, const struct packet *p, const struct layer *l)
{
	const struct tcp *tcp = &l->tcp;

	words_add(&t->value, "%u > %u  ", tcp->source_port, tcp->destination_port);
	flag_words(&t->value, tcp->flags);
	words_add(&t->value, "  len %u", l->payload);
	tree_put(t, 0, whole(l), "TCP");
	tree_add(t, 1, in(l, 0, 2), "Source port", "%u", tcp->source_port);
	tree_add(t, 1, in(l, 2, 2), "Destination port", "%u", tcp->destination_port);
	tree_add(t, 1, in(l, 4, 4), "Sequence", "%u", tcp->sequence);
	tree_add(t, 1, in(l, 8, 4), "Acknowledgement", "%u%s", tcp->acknowledgement,
		tcp->flags & TCP_ACK ? "" : " (not in use)");
	tree_add(t, 1, in(l, 12, 1), "Header length", "%u", tcp->header_length);
	flag_words(&t->value, tcp->flags);
	tree_put(t, 1, in(l, 12, 2), "Flags");
	tree_add(t, 1, in(l, 14, 2), "Window", "%u%s", tcp->window, tcp->flags & TCP_SYN ? "" : " (not scaled)");
	tree_checksum(t, in(l, 16, 2), tcp->checksum, tcp->checked);
	if (tcp->flags & TCP_URG)
		tree_add(t, 1, in(l, 18, 2), "Urgent pointer", "%u", tcp->urgent);
	if (tcp->options_length == 0)
		return;
	tree_add(t, 1, in(l, 20, tcp->options_length), "Options", "%u bytes", tcp->options_length);
	tree_options(t, p, l);
}

static void tree_udp(struct tree *t, const struct packet *p, const struct layer *l)
{
	const struct udp *udp = &l->udp;

	(void)p;
	tree_add(t, 0, whole(l), "UDP", "%u > %u  len %u", udp->source_port, udp->destination_port, l->payload);
	tree_add(t, 1, in(l, 0, 2), "Source port", "%u", udp->source_port);
	tree_add(t, 1, in(l, 2, 2), "Destination port", "%u", udp->destination_port);
	tree_add(t, 1, in(l, 4, 2), "Length", "%u", udp->length);
	if (udp->checksum)
		tree_checksum(t, in(l, 6, 2), udp->checksum, udp->checked);
	else
		tree_add(t, 1, in(l, 6, 2), "Checksum", "none");
}

static void tree_dns(struct tree *t, const struct packet *p, const struct layer *l)
{
	uint32_t held = p->captured > l->offset ? p->captured - l->offset : 0;
	struct place at = { l->offset, l->dns.length < held ? l->dns.length : held };

	tree_add(t, 0, at, describe_layer_name(l), "%s%s", l->dns.flags & 0x8000 ? "reply" : "query",
		l->dns.over_tcp ? " over TCP" : "");
	describe_dns_tree(t, p, l);
}

static void (*const layer_trees[LAYER_N])(struct tree *, const struct packet *, const struct layer *) = {
	[LAYER_ETHER] = tree_ether,
	[LAYER_SLL] = tree_sll,
	[LAYER_SLL2] = tree_sll,
	[LAYER_NULL] = tree_null,
	[LAYER_VLAN] = tree_vlan,
	[LAYER_LLC] = tree_llc,
	[LAYER_ARP] = tree_arp,
	[LAYER_IP4] = tree_ip4,
	[LAYER_IP6] = tree_ip6,
	[LAYER_ICMP] = tree_icmp,
	[LAYER_ICMP6] = tree_icmp,
	[LAYER_IGMP] = tree_igmp,
	[LAYER_TCP] = tree_tcp,
	[LAYER_UDP] = tree_udp,
	[LAYER_DNS] = tree_dns,
};

static void tree_trouble(struct tree *t, const struct packet *p, const struct layer *l)
{
	struct place at = { l->offset, p->captured > l->offset ? p->captured - l->offset : 0 };

	if (l->trouble == TROUBLE_CUT) {
		tree_add(t, 0, at, describe_layer_name(l), "[cut] the capture kept %u of %u bytes", p->captured, p->length);
		return;
	}
	words_add(&t->value, "malformed: %s", l->why);
	tree_put_warn(t, 0, at, describe_layer_name(l));
}

/* The first printable bytes of a payload, for protocols made of text. */
static void payload_words(struct words *w, const struct packet *p)
{
	struct span s = span_of(p->bytes, p->captured, p->captured);
	uint32_t n = p->rest_length < 48 ? p->rest_length : 48, i = 0;
	const uint8_t *text = span_bytes(&s, p->rest_offset, n);

	while (text && i < n && text[i] >= 0x20 && text[i] < 0x7f)
		i++;
	if (i >= 4)
		words_add(w, "  \"%.*s\"", (int)i, (const char *)text);
}

static void tree_rest(struct tree *t, const struct packet *p)
{
	const char *name = p->rest == NEXT_ETHER ? names_ether_type(p->rest_number) :
		p->rest == NEXT_IP		 ? names_ip_protocol(p->rest_number) :
						   NULL;
	struct place at = { p->rest_offset, p->rest_length };

	if (p->rest_length == 0 || packet_trouble(p) || p->rest == NEXT_NONE)
		return;
	words_add(&t->value, "%u bytes", p->rest_length);
	if (name)
		words_add(&t->value, " of %s", name);
	if (p->rest == NEXT_LINK)
		words_add(&t->value, ", link type %u not decoded", p->rest_number);
	if (p->too_deep)
		words_add(&t->value, ", more than %d layers", PACKET_LAYERS);
	payload_words(&t->value, p);
	tree_put(t, 0, at, "Data");
}

static void tree_about(struct tree *t, const struct packet *p, const struct tree_about *about)
{
	struct place all = { 0, p->captured };

	words_add(&t->value, "%u bytes, %s", p->length, about->time);
	if (about->interface[0])
		words_add(&t->value, ", %s", about->interface);
	tree_put(t, 0, all, "Packet");
	tree_add(t, 1, all, "Number", "%llu", (unsigned long long)about->number);
	tree_add(t, 1, all, "Time", "%s", about->time);
	if (about->interface[0])
		tree_add(t, 1, all, "Interface", "%s", about->interface);
	tree_add(t, 1, all, "Length", "%u bytes", p->length);
	if (p->captured < p->length)
		tree_add(t, 1, all, "Captured", "%u bytes [cut]", p->captured);
}

void describe_tree(const struct packet *p, const struct tree_about *about, tree_fn fn, void *arg)
{
	struct tree t = { .put = fn, .arg = arg };

	tree_about(&t, p, about);
	for (uint32_t i = 0; i < p->n_layers; i++) {
		const struct layer *l = &p->layers[i];

		if (l->trouble != TROUBLE_NONE)
			tree_trouble(&t, p, l);
		else
			layer_trees[l->kind](&t, p, l);
	}
	tree_rest(&t, p);
}
