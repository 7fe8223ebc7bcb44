/*
 * UDP: one datagram out; an answer, an ICMP error, or silence, which proves nothing. Ports whose usual protocol answers everybody
 * (DNS, NTP) get a real question, so that silence means more there.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/probe/run.h"
#include "core/probe/wire.h"

enum { PORT_DNS = 53, PORT_NTP = 123, TRIES = 2 };

struct payload {
	const uint8_t *bytes;
	size_t n;
};

/* "." NS IN, recursion desired (RFC 1035 4.1); an NTP client's request (RFC 5905 7.3: version 4, mode 3). */
static struct payload usual(uint16_t port)
{
	static const uint8_t dns[] = { 'n', 's', 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1 };
	static const uint8_t ntp[48] = { 0x23 };

	if (port == PORT_DNS)
		return (struct payload){ dns, sizeof dns };
	return port == PORT_NTP ? (struct payload){ ntp, sizeof ntp } : (struct payload){ (const uint8_t *)"nsdbg\n", 6 };
}

static struct payload choose(const struct probe_params *p, uint8_t *padded)
{
	struct payload what = p->n_send ? (struct payload){ p->send, p->n_send } : usual(p->port);

	if (p->size <= what.n)
		return what;
	memcpy(padded, what.bytes, what.n);
	return (struct payload){ padded, p->size };
}

static void take_error(struct probe_run *run, int fd, struct probe_facts *f)
{
	struct wire_error e;

	while (wire_next_error(fd, &e)) {
		f->code = e.code;
		f->icmp.mtu = e.info;
		if (!e.icmp)
			continue;
		f->icmp.seen = true;
		f->icmp.type = e.type;
		f->icmp.code = e.icmp_code;
		f->icmp.from = e.from;
		f->icmp.own = route_is_own(run->s.route, &e.from);
	}
}

/* Answer or error of the datagram just sent. */
static void take_reply(struct probe_run *run, int fd, struct probe_facts *f)
{
	uint8_t bytes[2048];
	char control[256];
	struct iovec io = { bytes, sizeof bytes };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	ssize_t n;

	f->code = 0;
	take_error(run, fd, f);
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0) {
		if (!f->code)
			f->code = errno == EAGAIN ? ETIMEDOUT : errno;
		return;
	}
	f->code = 0;
	f->answered = true;
	f->received = (uint64_t)n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		int ttl;

		if (c->cmsg_type != IP_TTL && c->cmsg_type != IPV6_HOPLIMIT)
			continue;
		memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
		f->ttl = (uint8_t)ttl;
	}
}

static int try_once(struct probe_run *run, int fd, const struct payload *what, struct probe_facts *f, uint64_t deadline)
{
	uint64_t from = wire_now_us();
	int r;

	f->code = 0;
	if (send(fd, what->bytes, what->n, 0) < 0) {
		f->code = errno;
		take_error(run, fd, f);
		f->time_us = wire_now_us() - from;
		return 0;
	}
	r = wire_wait(fd, POLLIN, deadline, &run->watch);
	f->time_us = wire_now_us() - from;
	if (r == 0)
		f->code = ETIMEDOUT;
	else if (r > 0)
		take_reply(run, fd, f);
	return r < 0 ? r : 0;
}

static void take_source(int fd, struct probe_facts *f)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
		f->source = wire_addr(&ss, NULL);
}

int probe_udp(struct probe_run *run, struct probe_facts *f)
{
	AUTO(fd_freep) uint8_t *padded = fd_xcalloc(1, PROBE_MAX_SIZE);
	struct wire_name to = wire_name(&run->to, run->p->port, run->zone);
	AUTO(fd_closep) int fd = wire_socket(wire_family(&run->to), SOCK_DGRAM, 0);
	struct payload what = choose(run->p, padded);
	uint64_t timeout = (uint64_t)run->p->timeout_ms * 1000;
	int r = 0;

	f->port_known = !run->p->n_send && (run->p->port == PORT_DNS || run->p->port == PORT_NTP);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to.ss, to.n) < 0) {
		f->code = fd < 0 ? -fd : errno;
		return 0;
	}
	take_source(fd, f);
	for (unsigned i = 0; r == 0 && i < TRIES; i++) { /* the first may have been lost on the way */
		r = try_once(run, fd, &what, f, wire_now_us() + timeout / TRIES);
		if (f->code != ETIMEDOUT)
			break;
	}
	return r;
}
