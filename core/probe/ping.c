/*
 * ICMP echo: see echo.h. A raw socket sees the echoes of everybody in the namespace, so ours carry a random id; an unprivileged one
 * (net.ipv4.ping_group_range) gets its id from the kernel.
 */
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

enum { DEFAULT_SIZE = 56, RAW_ICMP_FILTER = 1 };

/* --- the socket --- */

static void keep_replies(int fd, int family)
{
	uint32_t only_reply = ~(1u << ICMP_ECHOREPLY);
	struct icmp6_filter six;

	if (family == AF_INET) {
		setsockopt(fd, SOL_RAW, RAW_ICMP_FILTER, &only_reply, sizeof only_reply);
		return;
	}
	ICMP6_FILTER_SETBLOCKALL(&six);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &six);
	setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &six, sizeof six);
}

int echo_open(int family, bool *ret_raw)
{
	int protocol = family == AF_INET6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP, big = 1 << 20;
	int fd = wire_socket(family, SOCK_RAW, protocol);

	*ret_raw = fd >= 0;
	if (fd >= 0)
		keep_replies(fd, family);
	else
		fd = wire_socket(family, SOCK_DGRAM, protocol);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	return fd;
}

static bool is_raw(const struct probe_run *run)
{
	return run->to.kind == ADDR_IP6 ? run->s.raw6 : run->s.raw4;
}

/* What earlier tries left behind. */
static void drain(int fd)
{
	struct wire_error e;
	uint8_t bytes[64];

	for (unsigned i = 0; i < 1000 && recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) >= 0; i++)
		;
	for (unsigned i = 0; i < 1000 && wire_next_error(fd, &e); i++)
		;
}

int echo_socket(struct probe_run *run)
{
	struct wire_name to = wire_name(&run->to, 0, run->zone), own = { .n = sizeof own.ss };
	int fd = run->to.kind == ADDR_IP6 ? run->s.echo6 : run->s.echo4;

	if (fd < 0)
		return fd == -1 ? -EACCES : fd;
	if (connect(fd, (struct sockaddr *)&to.ss, to.n) < 0)
		return -errno;
	drain(fd);
	/* The kernel's id is the socket's port. */
	if (!is_raw(run) && getsockname(fd, (struct sockaddr *)&own.ss, &own.n) == 0)
		wire_addr(&own.ss, &run->echo_id);
	return fd;
}

/* --- packets --- */

static uint16_t checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

int echo_send(struct probe_run *run, int fd, uint16_t seq, size_t size)
{
	AUTO(fd_freep) uint8_t *bytes = fd_xcalloc(1, ECHO_HEADER + size);
	uint16_t sum;

	bytes[0] = run->to.kind == ADDR_IP6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	bytes[4] = (uint8_t)(run->echo_id >> 8);
	bytes[5] = (uint8_t)run->echo_id;
	bytes[6] = (uint8_t)(seq >> 8);
	bytes[7] = (uint8_t)seq;
	for (size_t i = 0; i < size; i++)
		bytes[ECHO_HEADER + i] = (uint8_t)i;
	if (run->to.kind != ADDR_IP6) { /* the kernel does it for ICMPv6 */
		sum = checksum(bytes, ECHO_HEADER + size);
		bytes[2] = (uint8_t)(sum >> 8);
		bytes[3] = (uint8_t)sum;
	}
	for (unsigned i = 0; i < 8; i++) {
		if (send(fd, bytes, ECHO_HEADER + size, 0) >= 0)
			return 0;
		/* An earlier error is reported by the next call, whatever that does: it is still in the queue. */
		if (errno != EHOSTUNREACH && errno != ENETUNREACH && errno != ECONNREFUSED && errno != EPROTO && errno != ENOPROTOOPT)
			break;
	}
	return -errno;
}

bool echo_parse(const uint8_t *bytes, size_t n, bool with_ip, uint16_t *ret_id, uint16_t *ret_seq)
{
	size_t ip = 0;

	if (with_ip) {
		if (n < 20)
			return false;
		ip = (size_t)(bytes[0] & 15) * 4;
	}
	if (n < ip + ECHO_HEADER || (bytes[ip] != ICMP_ECHOREPLY && bytes[ip] != ICMP6_ECHO_REPLY))
		return false;
	*ret_id = (uint16_t)(bytes[ip + 4] << 8 | bytes[ip + 5]);
	*ret_seq = (uint16_t)(bytes[ip + 6] << 8 | bytes[ip + 7]);
	return true;
}

static uint8_t take_ttl(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL;
		int ttl;

		if (!v4 && !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT))
			continue;
		memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
		return (uint8_t)ttl;
	}
	return 0;
}

bool echo_receive(struct probe_run *run, int fd, uint16_t *ret_seq, uint8_t *ret_ttl)
{
	uint8_t bytes[128];
	char control[256];
	struct iovec io = { bytes, sizeof bytes };
	bool with_ip = is_raw(run) && run->to.kind == ADDR_IP4;

	for (;;) {
		struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
		uint16_t id;

		if (n < 0)
			return false;
		*ret_ttl = take_ttl(&m);
		if (echo_parse(bytes, (size_t)n, with_ip, &id, ret_seq) && id == run->echo_id)
			return true;
	}
}

bool echo_error(struct probe_run *run, int fd, struct wire_error *ret)
{
	while (wire_next_error(fd, ret))
		if (!ret->icmp || !ret->echo || ret->id == run->echo_id)
			return true;
	return false;
}

/* --- one ping --- */

static bool take_error(struct probe_run *run, int fd, uint16_t seq, struct probe_facts *f)
{
	struct wire_error e;

	while (echo_error(run, fd, &e)) {
		if (e.echo && e.seq != seq)
			continue;
		f->code = e.code;
		f->icmp.seen = e.icmp;
		f->icmp.type = e.type;
		f->icmp.code = e.icmp_code;
		f->icmp.from = e.from;
		f->icmp.mtu = e.info;
		f->icmp.own = e.icmp && route_is_own(run->s.route, &e.from);
		return true;
	}
	return false;
}

static int wait_reply(struct probe_run *run, int fd, uint16_t seq, struct probe_facts *f, uint64_t deadline)
{
	for (;;) {
		int r = wire_wait(fd, POLLIN, deadline, &run->watch);
		uint16_t got;

		if (r < 0)
			return r;
		if (r == 0) {
			f->code = ETIMEDOUT;
			return 0;
		}
		if (take_error(run, fd, seq, f))
			return 0;
		while (echo_receive(run, fd, &got, &f->ttl)) {
			if (got != seq)
				continue; /* a late one */
			f->answered = true;
			return 0;
		}
	}
}

int probe_ping(struct probe_run *run, struct probe_facts *f)
{
	size_t size = run->p->size ? run->p->size : DEFAULT_SIZE;
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;
	int fd = echo_socket(run), r;
	uint64_t from;

	if (fd < 0) {
		f->code = -fd;
		return 0;
	}
	if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
		f->source = wire_addr(&ss, NULL);
	from = wire_now_us();
	r = echo_send(run, fd, ++run->echo_seq, size);
	if (r < 0) {
		f->code = -r;
		take_error(run, fd, run->echo_seq, f);
		return 0;
	}
	r = wait_reply(run, fd, run->echo_seq, f, from + (uint64_t)run->p->timeout_ms * 1000);
	f->time_us = wire_now_us() - from;
	return r;
}
