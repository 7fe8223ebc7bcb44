/*
 * Sockets of probes: see wire.h. The error queue tells what connect() and recv() only hint at: which ICMP message came, from whom,
 * about which of our packets.
 */
#include "core/probe/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/dns/exchange.h"
#include "core/fd.h"

uint64_t wire_now_us(void)
{
	return dns_now_us();
}

/* --- addresses --- */

struct wire_name wire_name(const struct addr *a, uint16_t port, const char *zone)
{
	struct wire_name n = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&n.ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&n.ss;

	if (a->kind == ADDR_IP6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		in6->sin6_scope_id = zone ? (uint32_t)strtoul(zone, NULL, 10) : 0;
		memcpy(&in6->sin6_addr, a->bytes, 16);
		n.n = sizeof *in6;
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->bytes, 4);
		n.n = sizeof *in;
	}
	return n;
}

struct addr wire_addr(const struct sockaddr_storage *ss, uint16_t *ret_port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	struct addr a = { 0 };

	if (ss->ss_family == AF_INET)
		a = addr_ip4(&in->sin_addr);
	else if (ss->ss_family == AF_INET6)
		a = addr_ip6(&in6->sin6_addr);
	if (ret_port)
		*ret_port = ss->ss_family == AF_INET ? ntohs(in->sin_port) : ss->ss_family == AF_INET6 ? ntohs(in6->sin6_port) : 0;
	return a;
}

/* --- sockets --- */

void wire_report_errors(int fd, int family)
{
	int on = 1;

	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
	} else {
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
		setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
	}
}

int wire_socket(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	wire_report_errors(fd, family);
	return fd;
}

int wire_set_ttl(int fd, int family, int ttl)
{
	int r = family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof ttl) :
				     setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);

	return r < 0 ? -errno : 0;
}

int wire_set_probe_mtu(int fd, int family)
{
	int how = family == AF_INET6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
	int r = family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &how, sizeof how) :
				     setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &how, sizeof how);

	return r < 0 ? -errno : 0;
}

static int wait_ms(uint64_t deadline_us)
{
	uint64_t now = wire_now_us();

	if (now >= deadline_us)
		return 0;
	return deadline_us - now > 60000000 ? 60000 : (int)((deadline_us - now + 999) / 1000);
}

int wire_wait(int fd, short events, uint64_t deadline_us, const struct dns_watch *watch)
{
	struct pollfd p[3] = { { .fd = fd, .events = events }, { .fd = watch->channel }, { .fd = watch->pidfd, .events = POLLIN } };

	for (;;) {
		int r = poll(p, 3, wait_ms(deadline_us));

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0 && p[1].revents)
			return -EPIPE;
		if (r > 0 && p[2].revents)
			return -ESRCH;
		if (r > 0)
			return 1;
		if (wire_now_us() >= deadline_us)
			return 0;
	}
}

/* --- the error queue --- */

bool wire_parse_echo(const uint8_t *bytes, size_t n, struct wire_error *ret)
{
	if (n < 8 || (bytes[0] != ICMP_ECHO && bytes[0] != ICMP6_ECHO_REQUEST))
		return false;
	ret->id = (uint16_t)(bytes[4] << 8 | bytes[5]);
	ret->seq = (uint16_t)(bytes[6] << 8 | bytes[7]);
	ret->echo = true;
	return true;
}

static void take_extended(const struct cmsghdr *c, struct wire_error *ret)
{
	struct {
		struct sock_extended_err e;
		struct sockaddr_in6 offender;
	} data = { 0 };
	struct sockaddr_storage ss = { 0 };
	size_t n = c->cmsg_len - CMSG_LEN(0);

	memcpy(&data, CMSG_DATA(c), n < sizeof data ? n : sizeof data);
	ret->code = (int)data.e.ee_errno;
	ret->icmp = data.e.ee_origin == SO_EE_ORIGIN_ICMP || data.e.ee_origin == SO_EE_ORIGIN_ICMP6;
	ret->type = data.e.ee_type;
	ret->icmp_code = data.e.ee_code;
	ret->info = data.e.ee_info;
	memcpy(&ss, &data.offender, sizeof data.offender);
	if (ret->icmp)
		ret->from = wire_addr(&ss, NULL);
}

bool wire_next_error(int fd, struct wire_error *ret)
{
	uint8_t data[64];
	char control[512];
	struct sockaddr_storage to = { 0 };
	struct iovec io = { data, sizeof data };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &io, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof control };
	ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return false;
	*ret = (struct wire_error){ 0 };
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;

		if (v4 || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			take_extended(c, ret);
	}
	if (m.msg_namelen >= sizeof(struct sockaddr_in))
		wire_addr(&to, &ret->port);
	wire_parse_echo(data, (size_t)n, ret);
	return true;
}

/* --- words --- */

const char *wire_icmp_name(uint8_t addr_kind, uint8_t type, uint8_t code)
{
	static const char *const v4[] = { "network unreachable", "host unreachable", "protocol unreachable", "port unreachable",
		"fragmentation needed", "source route failed", "network unknown", "host unknown", "source isolated",
		"network prohibited", "host prohibited", "network unreachable for this service", "host unreachable for this service",
		"communication prohibited", "precedence violation", "precedence too low" };
	static const char *const v6[] = { "no route", "communication prohibited", "beyond the scope of the source",
		"address unreachable", "port unreachable", "source address refused by policy", "route rejects it" };

	if (addr_kind == ADDR_IP6) {
		if (type == ICMP6_DST_UNREACH)
			return code < ARRAY_LEN(v6) ? v6[code] : "unreachable";
		return type == ICMP6_PACKET_TOO_BIG ? "packet too big" : type == ICMP6_TIME_EXCEEDED ? "time exceeded" : "parameter problem";
	}
	if (type == ICMP_DEST_UNREACH)
		return code < ARRAY_LEN(v4) ? v4[code] : "unreachable";
	return type == ICMP_TIME_EXCEEDED ? "time exceeded" : type == ICMP_SOURCE_QUENCH ? "source quench" : "parameter problem";
}

const char *wire_errno_name(int code, char buf[16])
{
	static const struct {
		int code;
		const char *name;
	} names[] = { { ECONNREFUSED, "ECONNREFUSED" }, { ETIMEDOUT, "ETIMEDOUT" }, { EHOSTUNREACH, "EHOSTUNREACH" },
		{ ENETUNREACH, "ENETUNREACH" }, { EACCES, "EACCES" }, { EPERM, "EPERM" }, { ENOPROTOOPT, "ENOPROTOOPT" },
		{ EINVAL, "EINVAL" }, { EADDRNOTAVAIL, "EADDRNOTAVAIL" }, { EMSGSIZE, "EMSGSIZE" }, { ECONNRESET, "ECONNRESET" },
		{ EAGAIN, "EAGAIN" }, { EMFILE, "EMFILE" }, { ENETDOWN, "ENETDOWN" }, { EHOSTDOWN, "EHOSTDOWN" }, { EPROTO, "EPROTO" },
		{ ENOBUFS, "ENOBUFS" }, { ENOMEM, "ENOMEM" }, { EPIPE, "EPIPE" }, { EAFNOSUPPORT, "EAFNOSUPPORT" },
		{ EOPNOTSUPP, "EOPNOTSUPP" }, { ENODEV, "ENODEV" } };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].code == code)
			return names[i].name;
	snprintf(buf, 16, "errno %d", code);
	return buf;
}
