/* Numbered packets and their echoes: see carrier.h. */
#include "core/probe/carrier.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/probe/echo.h"
#include "core/probe/wire.h"

enum { IP4_HEADER = 20, IP6_HEADER = 40, UDP_HEADER = 8 };

int carrier_open(struct probe_run *run, enum carrier_kind kind, bool dont_fragment, struct carrier *ret)
{
	int big = 1 << 20;

	*ret = (struct carrier){ .kind = kind, .fd = -1 };
	for (unsigned i = 0; i < CARRIER_FLIGHTS; i++)
		ret->syns[i] = -1;
	if (kind == CARRIER_TCP)
		return 0;
	ret->fd = kind == CARRIER_ICMP ? echo_socket(run) : wire_socket(wire_family(&run->to), SOCK_DGRAM, 0);
	if (ret->fd < 0)
		return ret->fd;
	if (kind == CARRIER_UDP)
		setsockopt(ret->fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	ret->next = (uint16_t)(run->echo_seq + 1);
	return dont_fragment ? wire_set_probe_mtu(ret->fd, wire_family(&run->to)) : 0;
}

void carrier_close(struct carrier *c)
{
	if (c->kind == CARRIER_UDP)
		fd_closep(&c->fd);
	for (unsigned i = 0; i < CARRIER_FLIGHTS; i++)
		fd_closep(&c->syns[i]);
}

/* --- out --- */

static size_t payload(const struct probe_run *run, size_t size)
{
	size_t headers = (run->to.kind == ADDR_IP6 ? IP6_HEADER : IP4_HEADER) + UDP_HEADER; /* ICMP echo: 8 as well */

	return size > headers ? size - headers : 32;
}

static int send_udp(struct probe_run *run, struct carrier *c, uint16_t key, size_t n)
{
	AUTO(fd_freep) uint8_t *bytes = fd_xcalloc(1, n);
	struct wire_name to = wire_name(&run->to, (uint16_t)(CARRIER_PORT + key % CARRIER_PORTS), run->zone);

	for (unsigned i = 0; i < 8; i++) {
		if (sendto(c->fd, bytes, n, 0, (struct sockaddr *)&to.ss, to.n) >= 0)
			return 0;
		if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != EPROTO && errno != ENOPROTOOPT)
			break; /* else: about an earlier one, in the queue as well */
	}
	return -errno;
}

static int send_syn(struct probe_run *run, struct carrier *c, uint16_t key, int ttl)
{
	struct wire_name to = wire_name(&run->to, run->p->port, run->zone);
	AUTO(fd_closep) int fd = wire_socket(wire_family(&run->to), SOCK_STREAM, 0);
	struct linger now = { .l_onoff = 1 };
	unsigned i = 0;

	while (i < CARRIER_FLIGHTS && c->syns[i] >= 0)
		i++;
	if (i == CARRIER_FLIGHTS || fd < 0)
		return fd < 0 ? fd : -EMFILE;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* no FIN exchange for a connection nobody wanted */
	if (ttl)
		wire_set_ttl(fd, wire_family(&run->to), ttl);
	if (connect(fd, (struct sockaddr *)&to.ss, to.n) < 0 && errno != EINPROGRESS && errno != ECONNREFUSED)
		return -errno;
	c->syns[i] = fd_take(&fd);
	c->syn_keys[i] = key;
	return 0;
}

int carrier_send(struct probe_run *run, struct carrier *c, int ttl, size_t size, uint16_t *ret_key)
{
	uint16_t key = c->next++;
	int r;

	if (c->kind == CARRIER_UDP)
		key %= CARRIER_PORTS;
	*ret_key = key;
	if (c->kind == CARRIER_TCP)
		return send_syn(run, c, key, ttl);
	wire_set_ttl(c->fd, wire_family(&run->to), ttl ? ttl : 64);
	run->echo_seq = key;
	r = c->kind == CARRIER_UDP ? send_udp(run, c, key, payload(run, size)) : echo_send(run, c->fd, key, payload(run, size));
	return r;
}

/* --- back --- */

int carrier_wait(struct probe_run *run, struct carrier *c, uint64_t deadline_us)
{
	struct pollfd p[CARRIER_FLIGHTS + 2] = { { .fd = run->watch.channel }, { .fd = run->watch.pidfd, .events = POLLIN } };
	uint64_t now = wire_now_us();
	int r;

	if (c->kind != CARRIER_TCP)
		return wire_wait(c->fd, POLLIN, deadline_us, &run->watch);
	for (unsigned i = 0; i < CARRIER_FLIGHTS; i++)
		p[i + 2] = (struct pollfd){ .fd = c->syns[i], .events = POLLOUT };
	r = poll(p, CARRIER_FLIGHTS + 2, now < deadline_us ? (int)((deadline_us - now + 999) / 1000) : 0);
	if (r > 0 && p[0].revents)
		return -EPIPE;
	if (r > 0 && p[1].revents)
		return -ESRCH;
	return r > 0;
}

static void classify(const struct wire_error *e, struct carrier_news *ret)
{
	bool v6 = e->from.kind == ADDR_IP6;

	*ret = (struct carrier_news){ .what = CARRIER_UNREACHABLE, .from = e->from, .code = e->code, .type = e->type,
		.icmp_code = e->icmp_code, .says = wire_icmp_name(e->from.kind, e->type, e->icmp_code) };
	if (e->code == EMSGSIZE) {
		ret->what = CARRIER_TOO_BIG;
		ret->mtu = e->info;
		ret->says = e->icmp ? ret->says : "bigger than the interface takes";
	} else if (e->icmp && e->type == (v6 ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED)) {
		ret->what = CARRIER_EXCEEDED;
	}
}

/* A port nobody listens on, said by the destination: it arrived. */
static void arrived_if_refused(const struct probe_run *run, struct carrier_news *n)
{
	if (n->what == CARRIER_UNREACHABLE && n->code == ECONNREFUSED && addr_same(&n->from, &run->to))
		n->what = CARRIER_ARRIVED;
}

static bool next_udp(struct probe_run *run, struct carrier *c, struct carrier_news *ret)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;
	struct wire_error e;
	uint8_t byte;
	uint16_t port;

	while (wire_next_error(c->fd, &e)) {
		if (e.port < CARRIER_PORT)
			continue;
		classify(&e, ret);
		ret->key = (uint16_t)(e.port - CARRIER_PORT);
		arrived_if_refused(run, ret);
		return true;
	}
	if (recvfrom(c->fd, &byte, 1, MSG_DONTWAIT, (struct sockaddr *)&ss, &n) < 0)
		return false;
	*ret = (struct carrier_news){ .what = CARRIER_ARRIVED, .from = wire_addr(&ss, &port), .says = "an answer" };
	ret->key = (uint16_t)(port - CARRIER_PORT);
	return true;
}

static bool next_echo(struct probe_run *run, struct carrier *c, struct carrier_news *ret)
{
	struct wire_error e;
	uint16_t seq;
	uint8_t ttl;

	while (echo_error(run, c->fd, &e)) {
		if (!e.echo)
			continue;
		classify(&e, ret);
		ret->key = e.seq;
		return true;
	}
	if (!echo_receive(run, c->fd, &seq, &ttl))
		return false;
	*ret = (struct carrier_news){ .what = CARRIER_ARRIVED, .key = seq, .from = run->to, .says = "echo reply" };
	return true;
}

static bool next_syn(struct probe_run *run, struct carrier *c, struct carrier_news *ret)
{
	for (unsigned i = 0; i < CARRIER_FLIGHTS; i++) {
		struct pollfd p = { .fd = c->syns[i], .events = POLLOUT };
		int code = 0;
		socklen_t n = sizeof code;
		struct wire_error e;

		if (c->syns[i] < 0 || poll(&p, 1, 0) <= 0)
			continue;
		if (wire_next_error(c->syns[i], &e) && e.icmp) {
			classify(&e, ret);
		} else {
			getsockopt(c->syns[i], SOL_SOCKET, SO_ERROR, &code, &n);
			*ret = (struct carrier_news){ .what = code && code != ECONNREFUSED ? CARRIER_UNREACHABLE : CARRIER_ARRIVED, .from = run->to,
				.code = code, .says = code == ECONNREFUSED ? "RST" : code ? "error" : "SYN-ACK" };
		}
		ret->key = c->syn_keys[i];
		fd_closep(&c->syns[i]);
		return true;
	}
	return false;
}

bool carrier_next(struct probe_run *run, struct carrier *c, struct carrier_news *ret)
{
	if (c->kind == CARRIER_TCP)
		return next_syn(run, c, ret);
	return c->kind == CARRIER_UDP ? next_udp(run, c, ret) : next_echo(run, c, ret);
}
