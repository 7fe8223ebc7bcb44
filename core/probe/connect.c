/*
 * TCP: connects, notes what came back instead of an answer and from where, and looks for a moment whether the other side stays.
 * RSTs are seen by a raw socket as well, because connect() cannot say where one came from; see probe.h, run.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/probe/run.h"
#include "core/probe/wire.h"

enum { LINGER_LEAST_US = 20000, LINGER_MOST_US = 200000, RST_FLAG = 4, SYN_FLAG = 2, TCP_BYTES = 20 };

/* --- resets --- */

static int reset_socket(const struct probe_run *run)
{
	return run->to.kind == ADDR_IP6 ? run->s.tcp6 : run->s.tcp4;
}

static void drain(int fd)
{
	uint8_t bytes[64];

	for (unsigned i = 0; fd >= 0 && i < 10000 && recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) >= 0; i++)
		;
}

/* One datagram of the raw socket: where it came in and how far it came. */
static bool next_reset(int fd, struct addr *ret_from, uint16_t *ret_port, uint8_t *ret_ttl, uint32_t *ret_interface)
{
	uint8_t bytes[128];
	char control[256];
	struct sockaddr_storage from = { 0 };
	struct iovec io = { bytes, sizeof bytes };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &io, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof control };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
	size_t ip = 0;

	if (n < 0)
		return false;
	*ret_from = wire_addr(&from, NULL);
	*ret_ttl = 0;
	*ret_interface = 0;
	if (ret_from->kind == ADDR_IP4 && n >= 20) {
		ip = (size_t)(bytes[0] & 15) * 4;
		*ret_ttl = bytes[8];
	}
	*ret_port = (size_t)n >= ip + 2 ? (uint16_t)(bytes[ip] << 8 | bytes[ip + 1]) : 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			*ret_interface = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			*ret_interface = info.ipi6_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) {
			int hops;

			memcpy(&hops, CMSG_DATA(c), sizeof hops);
			*ret_ttl = (uint8_t)hops;
		}
	}
	return true;
}

/* The RST that refused us, if the raw socket saw it. */
static void look_for_reset(struct probe_run *run, struct probe_facts *f)
{
	int fd = reset_socket(run);
	struct addr from;
	uint32_t interface, mtu;
	uint16_t port;
	uint8_t ttl;
	bool up;

	for (unsigned i = 0; fd >= 0 && i < 1000 && next_reset(fd, &from, &port, &ttl, &interface); i++) {
		if (!addr_same(&from, &run->to) || port != run->p->port)
			continue;
		f->rst.seen = true;
		f->rst.ttl = ttl;
		route_interface(run->s.route, interface, f->rst.interface, &mtu, &up);
	}
}

/* A SYN with a wrong checksum, which nobody answers: only whether our own rules let it out counts. */
static int try_syn(const struct probe_run *run)
{
	uint8_t syn[TCP_BYTES] = { [0] = 0xfd, [1] = 0xe8, [12] = 5 << 4, [13] = SYN_FLAG, [14] = 0xff };
	struct wire_name to = wire_name(&run->to, 0, run->zone);
	int fd = reset_socket(run);

	syn[2] = (uint8_t)(run->p->port >> 8);
	syn[3] = (uint8_t)run->p->port;
	if (fd < 0 || sendto(fd, syn, sizeof syn, MSG_DONTWAIT, (struct sockaddr *)&to.ss, to.n) >= 0)
		return 0;
	return errno;
}

/* --- connecting --- */

static void take_errors(struct probe_run *run, int fd, struct probe_facts *f)
{
	struct wire_error e;

	while (wire_next_error(fd, &e)) {
		if (!e.icmp || f->icmp.seen)
			continue;
		f->icmp.seen = true;
		f->icmp.type = e.type;
		f->icmp.code = e.icmp_code;
		f->icmp.from = e.from;
		f->icmp.mtu = e.info;
		f->icmp.own = route_is_own(run->s.route, &e.from);
	}
}

void connect_info(int fd, struct probe_facts *f)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return;
	f->unacked = info.tcpi_unacked;
	f->syns = info.tcpi_total_retrans + 1;
	f->disordered = n > offsetof(struct tcp_info, tcpi_rcv_ooopack) && info.tcpi_rcv_ooopack > 0;
}

static void take_source(int fd, struct probe_facts *f)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
		f->source = wire_addr(&ss, NULL);
}

/* Waits for the handshake; 0, -EPIPE, -ESRCH. f->code says how it ended. */
static int finish(struct probe_run *run, int fd, struct probe_facts *f, uint64_t deadline_us)
{
	socklen_t n = sizeof f->code;
	int r = wire_wait(fd, POLLOUT, deadline_us, &run->watch);

	if (r < 0)
		return r;
	if (r == 0)
		f->code = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &f->code, &n) < 0)
		f->code = errno;
	return 0;
}

int connect_open(struct probe_run *run, struct probe_facts *f, uint64_t deadline_us, int *ret_fd)
{
	struct wire_name to = wire_name(&run->to, run->p->port, run->zone);
	AUTO(fd_closep) int fd = wire_socket(wire_family(&run->to), SOCK_STREAM, 0);
	uint64_t from;
	int r = 0;

	*ret_fd = -1;
	if (fd < 0) {
		f->code = -fd;
		return 0;
	}
	drain(reset_socket(run));
	from = wire_now_us();
	if (connect(fd, (struct sockaddr *)&to.ss, to.n) < 0)
		f->code = errno;
	if (f->code == EINPROGRESS)
		r = finish(run, fd, f, deadline_us);
	f->time_us = wire_now_us() - from;
	if (r < 0)
		return r;
	take_source(fd, f);
	take_errors(run, fd, f);
	connect_info(fd, f);
	if (f->code == ECONNREFUSED)
		look_for_reset(run, f);
	if (f->code == ETIMEDOUT || (f->code == ECONNREFUSED && !f->icmp.seen)) /* an RST of our own rules looks like one from there */
		f->syn_code = try_syn(run);
	f->rst.own = f->code == ECONNREFUSED && f->syn_code == EPERM;
	f->answered = f->code == 0;
	if (f->code == 0)
		*ret_fd = fd_take(&fd);
	return 0;
}

/* --- afterwards --- */

/* Reads what is there: bytes, end of file, an error. */
static bool take_bytes(int fd, struct probe_facts *f)
{
	char bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n > 0)
		f->received += (uint64_t)n;
	else if (n == 0)
		f->closed = 1;
	else if (errno != EAGAIN)
		f->closed = errno;
	return n != 0 && (n > 0 || errno == EAGAIN);
}

/* A proxy that cannot reach its back end accepts first and hangs up then. */
static int linger(struct probe_run *run, int fd, struct probe_facts *f)
{
	uint64_t wait = f->time_us * 3;
	int r;

	wait = wait < LINGER_LEAST_US ? LINGER_LEAST_US : wait > LINGER_MOST_US ? LINGER_MOST_US : wait;
	r = wire_wait(fd, POLLIN | POLLRDHUP, wire_now_us() + wait, &run->watch);
	if (r > 0)
		take_bytes(fd, f);
	return r < 0 ? r : 0;
}

/* Sends what was asked for and waits for an answer; silence is a verdict of its own. */
static int converse(struct probe_run *run, int fd, struct probe_facts *f, uint64_t deadline_us)
{
	int r;

	if (send(fd, run->p->send, run->p->n_send, MSG_NOSIGNAL) < 0)
		f->closed = errno;
	if (f->closed)
		return 0;
	r = wire_wait(fd, POLLIN | POLLRDHUP, deadline_us, &run->watch);
	if (r > 0)
		take_bytes(fd, f);
	connect_info(fd, f);
	if (r == 0)
		f->verdict = PROBE_HUNG;
	return r < 0 ? r : 0;
}

int probe_tcp(struct probe_run *run, struct probe_facts *f)
{
	uint64_t deadline = wire_now_us() + (uint64_t)run->p->timeout_ms * 1000;
	AUTO(fd_closep) int fd = -1;
	int r = connect_open(run, f, deadline, &fd);

	if (r < 0 || fd < 0)
		return r;
	return run->p->n_send ? converse(run, fd, f, deadline) : linger(run, fd, f);
}
