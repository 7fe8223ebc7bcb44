/* From packets to what came of each question: see dnswatch_wire.h. */
#include "capture/dnswatch_wire.h"

#include <stdlib.h>
#include <string.h>

#include "capture/decode/packet.h"
#include "core/fd.h"

#define TICK_NS ((int64_t)20000000) /* looking for what is over costs more than a packet */

struct dnswatch_wire *dnswatch_wire_new(uint64_t seed)
{
	struct dnswatch_wire *w = fd_xcalloc(1, sizeof *w);

	w->pair = dnswatch_pair_new(seed);
	w->tcp = dnswatch_tcp_new();
	w->names = dnswatch_names_new(seed);
	w->groups = dnswatch_groups_new();
	return w;
}

void dnswatch_wire_free(struct dnswatch_wire *w)
{
	if (!w)
		return;
	dnswatch_pair_free(w->pair);
	dnswatch_tcp_free(w->tcp);
	dnswatch_names_free(w->names);
	dnswatch_groups_free(w->groups);
	free(w);
}

void dnswatch_wire_setup(struct dnswatch_wire *w, const struct dnswatch_params *p)
{
	w->findings.timeout_ms = p->timeout_ms;
	w->findings.attempts = p->attempts;
	w->port = p->port;
	dnswatch_pair_timeout(w->pair, p->timeout_ms);
	dnswatch_groups_list(w->groups, p);
}

void dnswatch_wire_clear(struct dnswatch_wire *w)
{
	dnswatch_pair_clear(w->pair);
	dnswatch_names_clear(w->names);
	dnswatch_groups_clear(w->groups);
	dnswatch_findings_clear(&w->findings);
	w->totals = (struct dnswatch_row){ 0 };
	memset(w->per_second, 0, sizeof w->per_second);
	w->begun = 0;
}

/* --- what came of it --- */

static void count_state(struct dnswatch_row *t, const struct dnswatch_exchange *e, int by)
{
	uint64_t add = (uint64_t)(int64_t)by;

	t->answered += e->state == DNSWATCH_ANSWERED ? add : 0;
	t->late += e->state == DNSWATCH_LATE ? add : 0;
	t->unanswered += e->state == DNSWATCH_UNANSWERED ? add : 0;
	t->unreachable += e->state == DNSWATCH_UNREACHABLE ? add : 0;
}

static void settled(struct dnswatch_wire *w, struct dnswatch_exchange *e, enum dnswatch_state before)
{
	struct dnswatch_row *t = &w->totals;
	struct dnswatch_exchange old = { .state = before };
	bool again = before != DNSWATCH_WAITING;

	dnswatch_findings_settled(&w->findings, e, dnswatch_pair_find(w->pair, e->repeats), again);
	if (e->forwarded)
		return;
	dnswatch_names_settled(w->names, e, again);
	dnswatch_groups_settled(w->groups, e);
	if (again)
		count_state(t, &old, -1);
	count_state(t, e, 1);
	if (e->client_gone)
		return;
	t->nxdomain += e->answer_ns && e->rcode == 3;
	t->failed += dnswatch_is_failure(e);
}

/* --- messages --- */

static void count_rate(struct dnswatch_wire *w, int64_t time)
{
	int64_t second = time / 1000000000;

	if (!w->begun)
		w->begun = time;
	for (int64_t s = w->second + 1; s <= second && s <= w->second + DNSWATCH_RATE_SECONDS; s++)
		w->per_second[s % DNSWATCH_RATE_SECONDS] = 0;
	w->second = second > w->second ? second : w->second;
	if (second > 0)
		w->per_second[second % DNSWATCH_RATE_SECONDS]++;
}

static void take_question(struct dnswatch_wire *w, const struct dnswatch_seen *seen, const struct dnswatch_message *m)
{
	struct dnswatch_exchange *e;
	bool is_new;

	e = dnswatch_pair_question(w->pair, seen, m, &is_new);
	if (!e)
		return;
	if (!is_new) {
		w->totals.retried += e->retries == 1 && !e->forwarded;
		return;
	}
	if (e->forwarded)
		w->totals.forwarded++;
	else
		w->totals.asked++;
	if (!e->forwarded)
		count_rate(w, seen->time);
	dnswatch_groups_question(w->groups, e);
	if (w->asked)
		w->asked(w->arg, e);
}

static bool take_message(struct dnswatch_wire *w, const struct dnswatch_seen *seen, const uint8_t *bytes, uint32_t n, uint32_t size)
{
	struct dnswatch_exchange *e;
	enum dnswatch_state before;
	struct dnswatch_message m;

	if (!dnswatch_message_read(bytes, n, size, &m)) {
		w->totals.malformed++;
		return false;
	}
	if (!m.is_reply) {
		take_question(w, seen, &m);
		return true;
	}
	w->totals.malformed += m.broken && n == size;
	e = dnswatch_pair_reply(w->pair, seen, &m, &before);
	if (e)
		settled(w, e, before);
	return true;
}

struct tcp_context {
	struct dnswatch_wire *w;
	const struct dnswatch_seen *seen;
};

static bool take_from_tcp(void *arg, const uint8_t *message, uint32_t n)
{
	const struct tcp_context *c = arg;

	return take_message(c->w, c->seen, message, n, n);
}

/* --- packets --- */

static bool is_port(const struct dnswatch_wire *w, uint16_t port)
{
	return port == 53 || (w->port && port == w->port);
}

/* Is this one of ours? The capture's filter lets through a little more: other services of a host named 127.0.0.11 do not exist. */
static bool is_dns(const struct dnswatch_wire *w, const struct dnswatch_way *way)
{
	return is_port(w, way->source_port) || is_port(w, way->destination_port) || dnswatch_is_docker(&way->source) ||
		dnswatch_is_docker(&way->destination);
}

/* Addresses of the innermost network layer; false: there is none. */
static bool way_of(const struct packet *p, struct dnswatch_way *ret)
{
	const struct layer *ip4 = packet_layer(p, LAYER_IP4), *ip6 = packet_layer(p, LAYER_IP6);

	*ret = (struct dnswatch_way){ 0 };
	if (ip4 && ip4->trouble == TROUBLE_NONE && !(ip6 && ip6 > ip4)) {
		ret->source = addr_ip4(ip4->ip4.source);
		ret->destination = addr_ip4(ip4->ip4.destination);
	} else if (ip6 && ip6->trouble == TROUBLE_NONE) {
		ret->source = addr_ip6(ip6->ip6.source);
		ret->destination = addr_ip6(ip6->ip6.destination);
	}
	return ret->source.kind != ADDR_NONE;
}

/* What follows a transport header up to the end of its IP packet: bytes held, and how many there should be. */
static const uint8_t *payload_of(const struct packet *p, uint32_t at, uint32_t *ret_n, uint32_t *ret_length)
{
	const struct layer *ip4 = packet_layer(p, LAYER_IP4), *ip6 = packet_layer(p, LAYER_IP6), *ip = ip6 && (!ip4 || ip6 > ip4) ? ip6 : ip4;
	uint32_t end = ip->offset + ip->length + ip->payload, held = end < p->captured ? end : p->captured;

	*ret_length = end > at ? end - at : 0;
	*ret_n = held > at ? held - at : 0;
	return p->bytes + (*ret_n ? at : 0);
}

static void take_udp(struct dnswatch_wire *w, const struct packet *p, const struct layer *l, struct dnswatch_way *way, uint32_t ifindex)
{
	struct dnswatch_seen seen = { .way = way, .time = w->now, .ifindex = ifindex };
	const uint8_t *bytes;
	uint32_t n, length;

	way->source_port = l->udp.source_port;
	way->destination_port = l->udp.destination_port;
	if (!is_dns(w, way))
		return;
	bytes = payload_of(p, l->offset + l->length, &n, &length);
	if (length > 0)
		take_message(w, &seen, bytes, n, length);
}

static void take_tcp(struct dnswatch_wire *w, const struct packet *p, const struct layer *l, struct dnswatch_way *way, uint32_t ifindex)
{
	struct dnswatch_seen seen = { .way = way, .time = w->now, .ifindex = ifindex, .tcp = true };
	struct tcp_context context = { w, &seen };
	struct dnswatch_segment s = { .sequence = l->tcp.sequence, .flags = l->tcp.flags };

	way->source_port = l->tcp.source_port;
	way->destination_port = l->tcp.destination_port;
	if (!is_dns(w, way))
		return;
	s.bytes = payload_of(p, l->offset + l->tcp.header_length, &s.n, &s.length);
	if ((s.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		dnswatch_findings_tcp(&w->findings, &way->destination, false);
	else if (s.flags & TCP_RST && s.flags & TCP_ACK && l->tcp.sequence == 0) /* RFC 9293 3.10.7.1: in answer to a SYN */
		dnswatch_findings_tcp(&w->findings, &way->source, true);
	dnswatch_tcp_segment(w->tcp, way, &s, take_from_tcp, &context);
}

static void take_icmp(struct dnswatch_wire *w, const struct layer *l, const struct dnswatch_way *outer)
{
	const struct icmp_quote *q = &l->icmp.quote;
	struct dnswatch_way way = { .source_port = q->source_port, .destination_port = q->destination_port };
	bool unreachable = l->icmp.type == (l->kind == LAYER_ICMP ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE);
	struct dnswatch_exchange *e;
	enum dnswatch_state before = DNSWATCH_WAITING;

	if (!unreachable || !q->version || q->protocol != IP_PROTO_UDP || !q->has_ports)
		return;
	way.source = q->version == 4 ? addr_ip4(q->source) : addr_ip6(q->source);
	way.destination = q->version == 4 ? addr_ip4(q->destination) : addr_ip6(q->destination);
	if (!is_dns(w, &way))
		return;
	e = dnswatch_pair_refused(w->pair, &way, &outer->source, l->icmp.type, l->icmp.code, w->now);
	if (!e)
		return;
	if (e->client_gone)
		before = DNSWATCH_ANSWERED;
	settled(w, e, before);
}

void dnswatch_wire_packet(struct dnswatch_wire *w, const void *bytes, uint32_t captured, uint32_t length, uint32_t link_type, int64_t time)
{
	const struct layer *sll, *l;
	struct dnswatch_way way;
	struct packet p;
	uint32_t ifindex;

	dnswatch_wire_tick(w, time);
	packet_decode(bytes, captured, length, link_type, &p);
	w->totals.packets++;
	sll = packet_layer(&p, LAYER_SLL2);
	ifindex = sll && sll->trouble == TROUBLE_NONE ? sll->sll.ifindex : 0;
	if (!way_of(&p, &way))
		return;
	for (uint32_t i = 0; i < p.n_layers; i++) {
		l = &p.layers[i];
		if (l->trouble != TROUBLE_NONE)
			return;
		if (l->kind == LAYER_UDP)
			take_udp(w, &p, l, &way, ifindex);
		else if (l->kind == LAYER_TCP)
			take_tcp(w, &p, l, &way, ifindex);
		else if (l->kind == LAYER_ICMP || l->kind == LAYER_ICMP6)
			take_icmp(w, l, &way);
	}
}

void dnswatch_wire_tick(struct dnswatch_wire *w, int64_t now)
{
	struct dnswatch_exchange *e;

	w->now = now;
	if (now - w->ticked >= 0 && now - w->ticked < TICK_NS)
		return;
	w->ticked = now;
	while ((e = dnswatch_pair_expired(w->pair, now)))
		settled(w, e, DNSWATCH_WAITING);
	while ((e = dnswatch_pair_truncated(w->pair, now)))
		dnswatch_findings_truncated(&w->findings, e);
}

void dnswatch_wire_owner(struct dnswatch_wire *w, const struct dnswatch_owner *owner)
{
	for (uint64_t n = dnswatch_pair_first(w->pair); n && n <= dnswatch_pair_last(w->pair); n++) {
		struct dnswatch_exchange *e = dnswatch_pair_find(w->pair, n);

		if (!e || e->inode != owner->inode || e->pid != ROW_NO_UINT)
			continue;
		e->pid = owner->pid;
		memcpy(e->process, owner->process, sizeof e->process);
		e->process[sizeof e->process - 1] = 0;
	}
}
