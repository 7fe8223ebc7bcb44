/*
 * The wire side of asking: see exchange.h. Runs in a cage: sockets of INET and INET6, connect, send, recv, poll, setsockopt,
 * getsockopt and nothing else; no file is opened, no name of libc's resolver used. Whatever a server sends costs at most its bytes:
 * replies are matched by id, QR and question before anything in them is believed (RFC 5452 9.1).
 */
#include "core/dns/exchange.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/dns/tape.h"
#include "core/fd.h"

enum { MAX_BURST = 64 }; /* datagrams read in one turn before the others have theirs */

uint64_t dns_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void dns_flight_finish(struct dns_flight *f, enum dns_fate fate, int code)
{
	fd_closep(&f->fd);
	f->fate = fate;
	f->code = code;
	f->wait = 0;
	f->time_us = dns_now_us() - f->sent_us;
}

/* --- opening --- */

static socklen_t socket_address(const struct dns_server *s, struct sockaddr_storage *ret)
{
	struct addr a = addr_unmap(&s->address);
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(s->port) };

	if (a.kind == ADDR_IP4) {
		memcpy(&in4.sin_addr, a.bytes, 4);
		memcpy(ret, &in4, sizeof in4);
		return sizeof in4;
	}
	memcpy(&in6.sin6_addr, a.bytes, 16);
	memcpy(ret, &in6, sizeof in6);
	return sizeof in6;
}

/* A new socket on its way to the server; 0 or -errno (-EINPROGRESS for TCP). The kernel picks a random port. */
static int open_socket(struct dns_flight *f, const struct dns_server *s)
{
	struct sockaddr_storage to = { 0 };
	socklen_t n = socket_address(s, &to);
	int type = f->tcp ? SOCK_STREAM : SOCK_DGRAM;

	fd_closep(&f->fd);
	f->fd = socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0)
		return -errno;
	if (s->zone[0] && setsockopt(f->fd, SOL_SOCKET, SO_BINDTODEVICE, s->zone, (socklen_t)strlen(s->zone)) < 0)
		return -errno;
	return connect(f->fd, (struct sockaddr *)&to, n) < 0 ? -errno : 0;
}

/* A new id for each question that leaves; it stands behind the length that TCP puts in front (RFC 1035 4.2.2). */
static int make_frame(struct dns_flight *f)
{
	if (getrandom(&f->query.id, sizeof f->query.id, 0) != sizeof f->query.id)
		return -errno;
	f->n_frame = dns_message_query(&f->query, f->frame + 2);
	f->frame[0] = (uint8_t)(f->n_frame >> 8);
	f->frame[1] = (uint8_t)f->n_frame;
	f->n_frame += 2;
	f->done = 0;
	return 0;
}

static void start_tcp(struct dns_flight *f, const struct dns_server *s)
{
	int r;

	f->tcp = true;
	r = make_frame(f);
	if (r == 0)
		r = open_socket(f, s);
	if (r < 0 && r != -EINPROGRESS) {
		dns_flight_finish(f, DNS_FATE_FAILED, -r);
		return;
	}
	f->connecting = true;
	f->wait = POLLOUT;
}

static void start_udp(struct dns_flight *f, const struct dns_server *s)
{
	int r = make_frame(f);

	if (r == 0)
		r = open_socket(f, s);
	if (r == 0 && send(f->fd, f->frame + 2, f->n_frame - 2, MSG_NOSIGNAL) < 0)
		r = -errno;
	if (r < 0) {
		dns_flight_finish(f, DNS_FATE_FAILED, -r);
		return;
	}
	f->wait = POLLIN;
}

void dns_flight_start(struct dns_flight *f, const struct dns_server *s)
{
	f->fate = DNS_FATE_NONE;
	f->fd = -1;
	f->unexpected = 0;
	f->truncated = false;
	f->n_reply = 0;
	f->sent_us = dns_now_us();
	if (f->tcp)
		start_tcp(f, s);
	else
		start_udp(f, s);
}

/* --- checking --- */

/* Is this an answer to our question? A server that could not read the question may leave it out (FORMERR). */
static bool is_ours(const struct dns_flight *f, const uint8_t *p, size_t n)
{
	struct dns_question q;
	struct dns_reader r;
	int got;

	if (!dns_message_open(&r, p, n) || r.head.id != f->query.id || !(r.head.flags & DNS_FLAG_QR))
		return false;
	if (r.head.n[0] == 0)
		return (r.head.flags & 15) == 1;
	got = dns_message_question(&r, &q);
	return got == 1 && r.head.n[0] == 1 && q.type == f->query.question.type &&
		q.class == f->query.question.class && dns_name_equal(&q.name, &f->query.question.name);
}

static bool is_flagged(const uint8_t *p, unsigned flag)
{
	return ((unsigned)p[2] << 8 | p[3]) & flag;
}

static void accept_reply(struct dns_flight *f, uint8_t *p, size_t n)
{
	int rcode = dns_message_rcode(p, n);

	memmove(f->reply, p, n);
	f->n_reply = n;
	f->rcode = rcode < 0 ? 0 : (unsigned)rcode;
	dns_flight_finish(f, rcode < 0 ? DNS_FATE_MALFORMED : DNS_FATE_REPLY, 0);
}

/* One datagram. Wrong ones are counted; so many of them are no accident, and TCP cannot be forged from aside. */
static void take_datagram(struct dns_flight *f, const struct dns_server *s, size_t n)
{
	if (!is_ours(f, f->reply, n)) {
		if (++f->unexpected >= DNS_MAX_UNEXPECTED)
			start_tcp(f, s);
		return;
	}
	if (is_flagged(f->reply, DNS_FLAG_TC)) {
		f->truncated = true;
		start_tcp(f, s);
	} else if ((f->reply[3] & 15) == 1 && f->query.edns) { /* FORMERR: it knows no EDNS, RFC 6891 7 */
		f->query.edns = false;
		start_udp(f, s);
	} else {
		accept_reply(f, f->reply, n);
	}
}

static void read_udp(struct dns_flight *f, const struct dns_server *s)
{
	for (int i = 0; i < MAX_BURST && f->wait && !f->tcp; i++) {
		ssize_t n = recv(f->fd, f->reply, DNS_FLIGHT_BYTES, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			dns_flight_finish(f, DNS_FATE_FAILED, errno); /* ECONNREFUSED: ICMP said that nobody listens */
		else
			take_datagram(f, s, (size_t)n);
	}
}

/* --- TCP --- */

static void write_tcp(struct dns_flight *f)
{
	int code = 0;
	socklen_t len = sizeof code;
	ssize_t n;

	if (f->connecting && (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0 || code)) {
		dns_flight_finish(f, DNS_FATE_FAILED, code ? code : errno);
		return;
	}
	f->connecting = false;
	n = send(f->fd, f->frame + f->done, f->n_frame - f->done, MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			dns_flight_finish(f, DNS_FATE_FAILED, errno);
		return;
	}
	f->done += (size_t)n;
	if (f->done < f->n_frame)
		return;
	f->done = 0;
	f->wait = POLLIN;
}

/* Bytes still wanted: the length first, then what it promises. */
static size_t tcp_wants(const struct dns_flight *f)
{
	if (f->done < 2)
		return 2 - f->done;
	return 2 + ((size_t)f->reply[0] << 8 | f->reply[1]) - f->done;
}

static void take_stream(struct dns_flight *f)
{
	size_t n = f->done - 2;

	if (is_ours(f, f->reply + 2, n)) {
		accept_reply(f, f->reply + 2, n);
		return;
	}
	f->done = 0;
	if (++f->unexpected >= 2 * DNS_MAX_UNEXPECTED)
		dns_flight_finish(f, DNS_FATE_MALFORMED, 0);
}

static void read_tcp(struct dns_flight *f)
{
	ssize_t n = recv(f->fd, f->reply + f->done, tcp_wants(f), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		dns_flight_finish(f, DNS_FATE_FAILED, n < 0 ? errno : ECONNRESET);
		return;
	}
	f->done += (size_t)n;
	if (f->done >= 2 && tcp_wants(f) == 0)
		take_stream(f);
}

/* --- waiting --- */

void dns_flight_turn(struct dns_flight *f, const struct dns_server *s)
{
	if (!f->tcp)
		read_udp(f, s);
	else if (f->wait == POLLOUT)
		write_tcp(f);
	else
		read_tcp(f);
}

static int wait_ms(uint64_t deadline_us)
{
	uint64_t now = dns_now_us();

	return now >= deadline_us ? 0 : (int)((deadline_us - now) / 1000 + 1);
}

/* Waits once for the flights and the watch; puts the revents into `p`. The watch comes last, as two entries. */
static int wait_once(const struct dns_flight *f, unsigned n, uint64_t deadline_us, const struct dns_watch *watch, struct pollfd *p)
{
	int r;

	for (unsigned i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = f[i].wait ? f[i].fd : -1, .events = f[i].wait };
	p[n] = (struct pollfd){ .fd = watch->channel, .events = POLLRDHUP };
	p[n + 1] = (struct pollfd){ .fd = watch->pidfd, .events = POLLIN };
	r = poll(p, n + 2, wait_ms(deadline_us));
	if (r <= 0) {
		for (unsigned i = 0; i < n + 2; i++)
			p[i].revents = 0;
		return r < 0 && errno != EINTR ? -errno : 0;
	}
	if (p[n].revents)
		return -EPIPE;
	return p[n + 1].revents ? -ESRCH : 0;
}

static bool all_done(const struct dns_flight *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (f[i].wait)
			return false;
	return true;
}

static void finish_all(struct dns_flight *f, unsigned n, enum dns_fate fate, int code)
{
	for (unsigned i = 0; i < n; i++)
		if (f[i].wait)
			dns_flight_finish(&f[i], fate, code);
}

int dns_exchange(struct dns_flight *flights, unsigned n, const struct dns_server *server, uint64_t deadline_us,
	const struct dns_watch *watch)
{
	struct pollfd p[DNS_MAX_FLIGHTS + 2];
	int r = 0;

	if (watch->tape)
		return dns_tape_exchange(watch->tape, flights, n, server, deadline_us);
	for (unsigned i = 0; i < n; i++)
		dns_flight_start(&flights[i], server);
	while (r == 0 && !all_done(flights, n) && dns_now_us() < deadline_us) {
		r = wait_once(flights, n, deadline_us, watch, p);
		for (unsigned i = 0; r == 0 && i < n; i++)
			if (p[i].revents && flights[i].wait)
				dns_flight_turn(&flights[i], server);
	}
	finish_all(flights, n, r < 0 ? DNS_FATE_FAILED : DNS_FATE_TIMEOUT, -r);
	return r;
}

static void server_text(const struct dns_server *s, char *buf, size_t cap)
{
	struct addr a = addr_unmap(&s->address);
	char text[ADDR_TEXT];
	bool is_ip6 = a.kind == ADDR_IP6;

	addr_format(&a, text);
	snprintf(buf, cap, "%s%s%s%s%s:%u", is_ip6 ? "[" : "", text, s->zone[0] ? "%" : "", s->zone, is_ip6 ? "]" : "", s->port);
}

void dns_fate_text(const struct dns_flight *f, const struct dns_server *server, char *buf, size_t cap)
{
	char where[ADDR_TEXT + 32];

	server_text(server, where, sizeof where);
	if (f->fate == DNS_FATE_NONE)
		snprintf(buf, cap, "not waited for");
	else if (f->fate == DNS_FATE_DROPPED)
		snprintf(buf, cap, "dropped: half an answer");
	else if (f->fate == DNS_FATE_TIMEOUT || f->code == ETIMEDOUT)
		snprintf(buf, cap, "timeout");
	else if (f->fate == DNS_FATE_MALFORMED)
		snprintf(buf, cap, "malformed");
	else if (f->code == ECONNREFUSED)
		snprintf(buf, cap, "refused by %s", where);
	else if (f->code == ENETUNREACH || f->code == EHOSTUNREACH)
		snprintf(buf, cap, "no route to %s", where);
	else if (f->code == ECONNRESET || f->code == EPIPE)
		snprintf(buf, cap, "closed by %s", where);
	else if (f->code == EACCES || f->code == EPERM)
		snprintf(buf, cap, "not allowed to reach %s", where);
	else if (f->code == EINVAL || f->code == ENODEV)
		snprintf(buf, cap, "not an address to ask: %s", where);
	else
		snprintf(buf, cap, "%s: %s", where, strerror(f->code));
}
