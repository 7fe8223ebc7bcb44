/*
 * Path MTU: packets that may not be fragmented, many sizes at once, until the biggest that arrives is known (RFC 4821 in spirit:
 * arrival counts, not what ICMP claims). Where bigger ones vanish and no router says so (RFC 2923 2.1), packets of both sizes with
 * growing TTL show behind which hop.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/probe/carrier.h"
#include "core/probe/wire.h"

enum { BATCH = 12, TRIES = 2, LEAST4 = 68, LEAST6 = 1280, MOST = 65535, DEFAULT_TOP = 1500, WAIT_LEAST_US = 150000, WAIT_MOST_US = 1000000 };

enum fate { FATE_OUT, FATE_ARRIVED, FATE_TOO_BIG, FATE_LOST, FATE_NOT_SENT };

struct packet {
	uint32_t size;
	uint16_t key;
	enum fate fate;
};

struct search {
	struct probe_run *run;
	struct probe_facts *f;
	struct carrier c;
	uint64_t wait_us;
	uint32_t arrived; /* biggest that did */
	uint32_t failed; /* smallest that did not */
	bool told; /* a router (or our own interface) said why */
	struct addr told_by;
	uint32_t told_mtu;
	int code; /* of a packet that could not be sent */
};

/* --- sending a batch --- */

static void take_news(struct search *s, struct packet *packets, unsigned n)
{
	struct carrier_news news;

	while (carrier_next(s->run, &s->c, &news)) {
		for (unsigned i = 0; i < n; i++) {
			if (packets[i].key != news.key || packets[i].fate != FATE_OUT)
				continue;
			packets[i].fate = news.what == CARRIER_ARRIVED ? FATE_ARRIVED : news.what == CARRIER_TOO_BIG ? FATE_TOO_BIG : FATE_LOST;
			if (news.what == CARRIER_TOO_BIG && (!s->told || news.mtu < s->told_mtu)) {
				s->told = true;
				s->told_by = news.from;
				s->told_mtu = news.mtu;
			}
		}
	}
}

static bool any_out(const struct packet *packets, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (packets[i].fate == FATE_OUT)
			return true;
	return false;
}

/* Sends all that are not settled and waits for them. 0, -EPIPE, -ESRCH. */
static int fly(struct search *s, struct packet *packets, unsigned n)
{
	uint64_t from = wire_now_us();

	for (unsigned i = 0; i < n; i++) {
		int r;

		if (packets[i].fate == FATE_ARRIVED || packets[i].fate == FATE_TOO_BIG)
			continue;
		r = carrier_send(s->run, &s->c, 0, packets[i].size, &packets[i].key);
		if (r == -EMSGSIZE) { /* about this one, or about an earlier one that a router has just refused */
			take_news(s, packets, n);
			r = carrier_send(s->run, &s->c, 0, packets[i].size, &packets[i].key);
		}
		packets[i].fate = r == 0 ? FATE_OUT : r == -EMSGSIZE ? FATE_TOO_BIG : FATE_NOT_SENT;
		if (r < 0 && r != -EMSGSIZE)
			s->code = -r;
	}
	while (any_out(packets, n)) {
		int r = carrier_wait(s->run, &s->c, from + s->wait_us);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		take_news(s, packets, n);
	}
	for (unsigned i = 0; i < n; i++)
		if (packets[i].fate == FATE_OUT)
			packets[i].fate = FATE_LOST;
	return 0;
}

static bool any_lost_below_arrived(const struct packet *packets, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (packets[i].fate == FATE_LOST)
			return true;
	return false;
}

/* --- the search --- */

static void narrow(struct search *s, const struct packet *packets, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (packets[i].fate == FATE_ARRIVED && packets[i].size > s->arrived)
			s->arrived = packets[i].size;
	for (unsigned i = 0; i < n; i++)
		if (packets[i].fate != FATE_ARRIVED && packets[i].size > s->arrived && packets[i].size < s->failed)
			s->failed = packets[i].size;
}

/* What a router said first, what tunnels leave of 1500, then evenly between what is known. */
static unsigned choose(const struct search *s, struct packet *packets)
{
	const uint32_t usual[] = { s->told ? s->told_mtu : 0, s->told ? s->told_mtu + 1 : 0, s->failed - 1, 1500, 1492, 1450, 1420, 1400, 1280 };
	uint32_t gap = s->failed - s->arrived;
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_LEN(usual) && n < BATCH / 2; i++)
		if (usual[i] > s->arrived && usual[i] < s->failed)
			packets[n++] = (struct packet){ .size = usual[i], .fate = FATE_NOT_SENT };
	for (uint32_t i = 1; n < BATCH && i <= BATCH / 2; i++) {
		uint32_t size = s->arrived + gap * i / (BATCH / 2 + 1);

		if (size > s->arrived && size < s->failed)
			packets[n++] = (struct packet){ .size = size, .fate = FATE_NOT_SENT };
	}
	return n;
}

static int narrow_down(struct search *s)
{
	while (s->failed - s->arrived > 1) {
		struct packet packets[BATCH];
		unsigned n = choose(s, packets);
		int r = 0;

		if (n == 0)
			break;
		for (unsigned i = 0; r == 0 && i < TRIES && (i == 0 || any_lost_below_arrived(packets, n)); i++)
			r = fly(s, packets, n);
		if (r < 0)
			return r;
		narrow(s, packets, n);
	}
	return 0;
}

/* Does a small packet come back at all, and how fast? */
static int first_packet(struct search *s, uint32_t size, bool *ret)
{
	struct packet p = { .size = size, .fate = FATE_NOT_SENT };
	uint64_t timeout = (uint64_t)s->run->p->timeout_ms * 1000, from = 0;
	int r = 0;

	s->wait_us = timeout / 4 < WAIT_MOST_US ? timeout / 4 : WAIT_MOST_US;
	for (unsigned i = 0; r == 0 && i < TRIES && p.fate != FATE_ARRIVED; i++) {
		from = wire_now_us();
		r = fly(s, &p, 1);
	}
	*ret = p.fate == FATE_ARRIVED;
	if (*ret) {
		s->f->time_us = wire_now_us() - from;
		s->wait_us = s->f->time_us * 4;
		s->wait_us = s->wait_us < WAIT_LEAST_US ? WAIT_LEAST_US : s->wait_us > WAIT_MOST_US ? WAIT_MOST_US : s->wait_us;
	}
	return r;
}

/* --- where they vanish --- */

/* The last hop that a packet of this size makes. */
static int last_hop(struct search *s, uint32_t size, unsigned *ret, struct addr *ret_addr)
{
	*ret = 0;
	for (unsigned ttl = 1; ttl <= s->run->p->max_hops; ttl++) {
		bool heard = false, arrived = false;

		for (unsigned i = 0; i < TRIES && !heard; i++) {
			struct carrier_news news;
			uint16_t key;
			uint64_t until = wire_now_us() + s->wait_us;

			if (carrier_send(s->run, &s->c, (int)ttl, size, &key) < 0)
				return 0;
			while (!heard) {
				int r = carrier_wait(s->run, &s->c, until);

				if (r < 0)
					return r;
				if (r == 0)
					break;
				while (carrier_next(s->run, &s->c, &news)) {
					if (news.key != key)
						continue;
					heard = news.what == CARRIER_EXCEEDED || news.what == CARRIER_ARRIVED;
					arrived = news.what == CARRIER_ARRIVED;
					*ret_addr = news.from;
				}
			}
		}
		if (!heard)
			return 0;
		*ret = ttl;
		if (arrived)
			return 0;
	}
	return 0;
}

static int locate(struct search *s)
{
	struct addr at = { 0 };
	char text[ADDR_TEXT];
	unsigned hop;
	int r = last_hop(s, s->failed, &hop, &at);

	if (r < 0)
		return r;
	if (hop > 0)
		snprintf(s->f->detail2, sizeof s->f->detail2, "%u bytes still reach hop %u, %s, and vanish behind it", s->failed, hop,
			addr_format(&at, text));
	else
		snprintf(s->f->detail2, sizeof s->f->detail2, "%u bytes vanish before the first hop answers", s->failed);
	return 0;
}

/* --- all of it --- */

/* What the kernel would use for the next connection: the interface's MTU, or less when it has learned something. */
static uint32_t kernel_mtu(const struct probe_run *run)
{
	struct wire_name to = wire_name(&run->to, CARRIER_PORT, run->zone);
	AUTO(fd_closep) int fd = wire_socket(wire_family(&run->to), SOCK_DGRAM, 0);
	int mtu = 0;
	socklen_t n = sizeof mtu;
	int r;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to.ss, to.n) < 0)
		return 0;
	r = run->to.kind == ADDR_IP6 ? getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &n) : getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &n);
	return r < 0 || mtu < 0 ? 0 : (uint32_t)mtu;
}

static void judge(struct search *s, uint32_t top)
{
	struct probe_facts *f = s->f;
	char text[ADDR_TEXT];

	f->answered = true;
	f->path_mtu = s->arrived;
	f->verdict = s->arrived < top && !s->told ? PROBE_MTU_BLACK_HOLE : PROBE_MTU_FOUND;
	if (s->arrived == top)
		snprintf(f->detail, sizeof f->detail, "as much as the interface sends (%u)", top);
	else if (s->told && s->told_by.kind)
		snprintf(f->detail, sizeof f->detail, "router %s says its next link takes %u", addr_format(&s->told_by, text), s->told_mtu);
	else if (!s->told)
		snprintf(f->detail, sizeof f->detail, "%u bytes arrive, %u do not; no ICMP message came", s->arrived, s->failed);
	if (f->kernel_mtu > s->arrived)
		snprintf(f->detail2, sizeof f->detail2, "the kernel believed in %u: it learns from what the router said", f->kernel_mtu);
}

static int search(struct search *s, uint32_t least, uint32_t top)
{
	bool comes_back = false;
	int r = carrier_open(s->run, CARRIER_ICMP, true, &s->c);

	if (r == 0)
		r = first_packet(s, least, &comes_back);
	if (r == -EPIPE || r == -ESRCH)
		return r;
	if (!comes_back) { /* a firewall against pings: try ports nobody listens on */
		carrier_close(&s->c);
		r = carrier_open(s->run, CARRIER_UDP, true, &s->c);
		if (r == 0)
			r = first_packet(s, least, &comes_back);
	}
	if (r < 0 || !comes_back) {
		s->f->code = r < 0 && r != -EPIPE && r != -ESRCH ? -r : s->code ? s->code : ETIMEDOUT;
		snprintf(s->f->detail, sizeof s->f->detail, "not even packets of %u bytes come back: neither echo nor port unreachable", least);
		return r == -EPIPE || r == -ESRCH ? r : 0;
	}
	s->arrived = least;
	s->failed = top + 1;
	r = narrow_down(s);
	if (r < 0)
		return r;
	judge(s, top);
	return s->f->verdict == PROBE_MTU_BLACK_HOLE ? locate(s) : 0;
}

int probe_mtu(struct probe_run *run, struct probe_facts *f)
{
	struct search s = { .run = run, .f = f };
	struct route route;
	uint32_t top;
	int r;

	route_ask(run->s.route, &run->to, &route);
	top = route.mtu ? route.mtu : DEFAULT_TOP;
	top = top > MOST ? MOST : top;
	f->kernel_mtu = kernel_mtu(run);
	r = search(&s, run->to.kind == ADDR_IP6 ? LEAST6 : LEAST4, top);
	carrier_close(&s.c);
	return r;
}
