/*
 * How musl asks (1.1 to 1.2): every question to every server at the same time from one unconnected socket, all of it again at each
 * interval, SERVFAIL asked again at once, TCP after a truncated reply since 1.2.4. Which name comes next depends on ndots alone, and
 * a name without records ends the search. It hears no ICMP, so a server that is not there costs the whole timeout.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/dns/shots.h"
#include "core/fd.h"

enum { MUSL_TCP = 1002004, MUSL_UNFIT_IS_NXDOMAIN = 1002004, MUSL_NO_DOUBLE_DOT = 1002004, MAX_NAME = 253, MAX_CANON = 256 };

enum verdict { VERDICT_STOP = 1, VERDICT_NXDOMAIN, VERDICT_NODATA, VERDICT_FOUND };

/* A question on its way over TCP. */
struct circuit {
	int fd; /* -1: none */
	unsigned server;
	bool writing;
	size_t done;
	uint8_t *in; /* DNS_FLIGHT_BYTES */
};

struct musl {
	struct dns_shots *s;
	int udp;
	struct sockaddr_in6 to[DNS_MAX_SERVERS]; /* IPv4 as ::ffff:a.b.c.d, or sockaddr_in when there is only IPv4 */
	socklen_t n_to;
	struct circuit circuits[DNS_SHOTS_QUESTIONS];
	bool settled[DNS_SHOTS_QUESTIONS]; /* UDP has no part in it any more */
	bool has[DNS_SHOTS_QUESTIONS]; /* with a reply that counts */
	unsigned servfails; /* that are asked again at once, until the next interval */
	bool endless; /* the name at hand is written without its end */
};

static bool is_since(const struct musl *m, uint32_t version)
{
	uint32_t own = m->s->request->libc_version;

	return own == 0 || own >= version;
}

/* --- addresses --- */

static void address4(struct musl *m, unsigned i, const struct addr *a)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(m->s->servers[i].port) };

	memcpy(&in4.sin_addr, a->bytes, 4);
	memcpy(&m->to[i], &in4, sizeof in4);
}

static void address6(struct musl *m, unsigned i, const struct addr *a)
{
	struct sockaddr_in6 *in6 = &m->to[i];

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(m->s->servers[i].port);
	if (a->kind == ADDR_IP6) {
		memcpy(&in6->sin6_addr, a->bytes, 16);
		return;
	}
	in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
	memcpy(in6->sin6_addr.s6_addr + 12, a->bytes, 4);
}

/* One socket for all; one IPv6 server makes it an IPv6 one. 0 or -errno. */
static int open_udp(struct musl *m)
{
	struct sockaddr_in6 any = { 0 };
	int family = AF_INET, off = 0;

	memset(m->to, 0, sizeof m->to);
	for (unsigned i = 0; i < m->s->n_servers; i++)
		if (m->s->servers[i].address.kind == ADDR_IP6)
			family = AF_INET6;
	for (unsigned i = 0; i < m->s->n_servers; i++)
		(family == AF_INET ? address4 : address6)(m, i, &m->s->servers[i].address);
	m->n_to = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	m->udp = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->udp < 0)
		return -errno;
	if (family == AF_INET6)
		setsockopt(m->udp, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	any.sin6_family = (sa_family_t)family;
	return bind(m->udp, (struct sockaddr *)&any, m->n_to) < 0 ? -errno : 0;
}

/* The server that sent it; -1: none of ours. */
static int find_server(const struct musl *m, const struct sockaddr_in6 *from)
{
	for (unsigned i = 0; i < m->s->n_servers; i++) {
		const struct sockaddr_in *x = (const struct sockaddr_in *)from, *y = (const struct sockaddr_in *)&m->to[i];

		if (m->n_to == sizeof *x && x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr)
			return (int)i;
		if (m->n_to == sizeof *from && from->sin6_port == m->to[i].sin6_port &&
			memcmp(&from->sin6_addr, &m->to[i].sin6_addr, sizeof from->sin6_addr) == 0)
			return (int)i;
	}
	return -1;
}

/* --- datagrams --- */

static void send_to(struct musl *m, unsigned question, unsigned server)
{
	const struct dns_shots *s = m->s;

	dns_shots_sent(m->s, question, server, false);
	if (sendto(m->udp, s->frames[question] + 2, s->n_frames[question] - 2, MSG_NOSIGNAL, (struct sockaddr *)&m->to[server],
		    m->n_to) < 0)
		dns_shots_failed(m->s, errno);
}

static void send_all(struct musl *m)
{
	for (unsigned i = 0; i < m->s->n_questions; i++)
		for (unsigned k = 0; !m->settled[i] && k < m->s->n_servers; k++)
			send_to(m, i, k);
	m->servfails = 2 * m->s->n_questions;
}

static void start_tcp(struct musl *m, unsigned question, unsigned server)
{
	struct circuit *c = &m->circuits[question];
	int r;

	dns_shots_cut(m->s, question);
	dns_shots_sent(m->s, question, server, true);
	r = dns_shots_open(m->s, server, true, &c->fd);
	if (r < 0 && r != -EINPROGRESS) {
		dns_shots_failed(m->s, -r);
		return; /* and waits until its time is up */
	}
	c->server = server;
	c->writing = true;
	c->done = 0;
}

static void take_datagram(struct musl *m, unsigned server, size_t n)
{
	struct dns_shots *s = m->s;
	int question = dns_shots_match(s, s->in, n);
	unsigned rcode;

	if (question < 0 || m->settled[question]) {
		if (question < 0)
			dns_shots_stray(s, server);
		else
			dns_shots_reply(s, (unsigned)question, server, s->in, n, false);
		return;
	}
	rcode = s->in[3] & 15;
	dns_shots_reply(s, (unsigned)question, server, s->in, n, rcode == 0 || rcode == 3);
	if (rcode == 2 && m->servfails > 0) {
		m->servfails--;
		send_to(m, (unsigned)question, server);
	}
	if (rcode != 0 && rcode != 3) /* REFUSED and the like: as if nothing had come */
		return;
	m->settled[question] = true;
	if (s->in[2] & 2 && is_since(m, MUSL_TCP))
		start_tcp(m, (unsigned)question, server);
	else
		m->has[question] = true;
}

static void read_udp(struct musl *m)
{
	for (;;) {
		struct sockaddr_in6 from = { 0 };
		socklen_t n_from = sizeof from;
		ssize_t n = recvfrom(m->udp, m->s->in, DNS_FLIGHT_BYTES, MSG_DONTWAIT, (struct sockaddr *)&from, &n_from);
		int server;

		if (n < 0)
			return;
		server = find_server(m, &from);
		if (n >= 12 && server >= 0)
			take_datagram(m, (unsigned)server, (size_t)n);
	}
}

/* --- TCP --- */

/* Anything wrong with one circuit ends the whole name, as in musl. False then. */
static bool circuit_failed(struct musl *m, struct circuit *c, int code)
{
	dns_shots_lost(m->s, c->server, code ? code : ECONNRESET);
	fd_closep(&c->fd);
	return false;
}

static bool write_tcp(struct musl *m, unsigned question)
{
	struct circuit *c = &m->circuits[question];
	ssize_t n = send(c->fd, m->s->frames[question] + c->done, m->s->n_frames[question] - c->done, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR || circuit_failed(m, c, errno);
	c->done += (size_t)n;
	if (c->done == m->s->n_frames[question]) {
		c->writing = false;
		c->done = 0;
	}
	return true;
}

static bool read_tcp(struct musl *m, unsigned question)
{
	struct circuit *c = &m->circuits[question];
	size_t want = c->done < 2 ? 2 : 2 + ((size_t)c->in[0] << 8 | c->in[1]);
	ssize_t n = recv(c->fd, c->in + c->done, want - c->done, MSG_DONTWAIT);
	unsigned rcode;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return circuit_failed(m, c, n < 0 ? errno : 0);
	c->done += (size_t)n;
	want = c->done < 2 ? 2 : 2 + ((size_t)c->in[0] << 8 | c->in[1]);
	if (c->done < want || want == 2)
		return c->done < 2 || want > 2 || circuit_failed(m, c, 0);
	if (want < 2 + 13 || dns_shots_match(m->s, c->in + 2, want - 2) != (int)question)
		return circuit_failed(m, c, EBADMSG);
	rcode = dns_shots_reply(m->s, question, c->server, c->in + 2, want - 2, true);
	fd_closep(&c->fd);
	m->has[question] = rcode == 0 || rcode == 3;
	return m->has[question];
}

/* --- one name --- */

static bool all_have(const struct musl *m)
{
	for (unsigned i = 0; i < m->s->n_questions; i++)
		if (!m->has[i])
			return false;
	return true;
}

/* Waits once and takes what is there: 1, 0: the name is over, or the watch's error. */
static int turn(struct musl *m, uint64_t until_us)
{
	struct pollfd p[DNS_SHOTS_QUESTIONS + 3] = { 0 };
	int r;

	for (unsigned i = 0; i < DNS_SHOTS_QUESTIONS; i++)
		p[i] = (struct pollfd){ .fd = m->circuits[i].fd, .events = m->circuits[i].writing ? POLLOUT : POLLIN };
	p[DNS_SHOTS_QUESTIONS] = (struct pollfd){ .fd = m->udp, .events = POLLIN };
	r = dns_shots_poll(m->s, p, DNS_SHOTS_QUESTIONS + 1, until_us);
	if (r <= 0)
		return r < 0 ? r : 1;
	if (p[DNS_SHOTS_QUESTIONS].revents)
		read_udp(m);
	for (unsigned i = 0; i < m->s->n_questions; i++) {
		if (!p[i].revents)
			continue;
		if (!(m->circuits[i].writing ? write_tcp : read_tcp)(m, i))
			return 0;
	}
	return 1;
}

static int ask_servers(struct musl *m)
{
	const struct dns_request *q = m->s->request;
	uint64_t from = dns_now_us(), end = from + (uint64_t)q->timeout_ms * 1000, interval = (uint64_t)(q->timeout_ms / q->attempts) * 1000;
	uint64_t sent = 0, now = from;
	int r = 1;

	m->s->waits_ms = end > m->s->deadline_us ? q->timeout_ms : 0;
	end = end < m->s->deadline_us ? end : m->s->deadline_us;
	for (; r > 0 && now < end && !all_have(m); now = dns_now_us()) {
		if (!sent || now - sent >= interval) {
			send_all(m);
			sent = now;
		}
		r = turn(m, sent + interval < end ? sent + interval : end);
	}
	return r < 0 ? r : 0;
}

static void reset(struct musl *m)
{
	fd_closep(&m->udp);
	for (unsigned i = 0; i < DNS_SHOTS_QUESTIONS; i++) {
		fd_closep(&m->circuits[i].fd);
		m->circuits[i].writing = false;
		m->settled[i] = m->has[i] = false;
	}
}

/* The questions in order: the first that has no good reply decides. */
static enum verdict judge(const struct musl *m)
{
	enum verdict v = VERDICT_NODATA;

	for (unsigned i = 0; i < m->s->n_questions; i++) {
		const uint8_t *p = m->s->taken[i].flight.reply;

		if (!m->has[i])
			return VERDICT_STOP;
		if ((p[3] & 15) == 3)
			return VERDICT_NXDOMAIN;
		if (p[6] || p[7])
			v = VERDICT_FOUND;
	}
	return v;
}

/* "db..": the second dot stands where the name should end, and is read as the length of a label that is not there. */
static void leave_endless(struct dns_shots *s)
{
	for (unsigned i = 0; i < s->n_questions; i++) {
		uint8_t *frame = s->frames[i];
		size_t n = s->n_frames[i]++ - 1;

		frame[2 + 12 + s->queries[i].question.name.n - 1] = '.';
		frame[n + 1] = 0;
		frame[0] = (uint8_t)(n >> 8);
		frame[1] = (uint8_t)n;
	}
}

static int ask_name(struct musl *m, const struct dns_name *name, const char *how, enum verdict *ret)
{
	int r;

	if (!dns_shots_name(m->s, name, how))
		return -EIO;
	if (m->endless)
		leave_endless(m->s);
	reset(m);
	r = open_udp(m);
	if (r < 0) {
		dns_shots_sent(m->s, 0, 0, false); /* it did not leave: the row says why */
		dns_shots_failed(m->s, -r);
	} else {
		r = ask_servers(m);
	}
	*ret = judge(m);
	if (r == -EPIPE || r == -ESRCH)
		return r;
	dns_shots_end(m->s, *ret, *ret == VERDICT_FOUND ? m->has : NULL);
	reset(m);
	return 0;
}

/* --- names in turn --- */

/* musl leaves out what is too long for its buffer, and takes what no question can be made of for a name that is not there. */
static int try_domain(struct musl *m, const char *domain, enum verdict *ret)
{
	size_t typed = strnlen(m->s->request->name, sizeof m->s->request->name), n = strlen(domain);
	char how[DNS_NAME_PRINT + 16];
	bool is_root = strcmp(domain, ".") == 0;
	struct dns_name name;

	m->endless = is_root && !is_since(m, MUSL_NO_DOUBLE_DOT);
	snprintf(how, sizeof how, "search %s%s", domain, m->endless ? ", malformed: musl before 1.2.4" : "");
	*ret = VERDICT_NXDOMAIN;
	if (dns_shots_late(m->s, how)) {
		*ret = VERDICT_STOP;
		return 0;
	}
	if (n + typed + 1 < MAX_CANON && n + typed + 1 <= MAX_NAME && is_root == m->endless && dns_shots_join(m->s, domain, &name))
		return ask_name(m, &name, how, ret);
	dns_shots_unfit(m->s, how);
	if (n + typed + 1 < MAX_CANON && !is_since(m, MUSL_UNFIT_IS_NXDOMAIN))
		*ret = VERDICT_STOP;
	return 0;
}

/* The root as a search domain makes "db..": no name for musl since 1.2.4, before that a question that no server can read. */
static int search(struct musl *m, bool is_absolute)
{
	const struct dns_request *q = m->s->request;
	unsigned dots = dns_name_labels(&m->s->typed) - 1;
	bool searches = !is_absolute && !(q->flags & DNS_NO_SEARCH) && dots < q->ndots && dns_musl_searches(q);
	enum verdict v = VERDICT_NXDOMAIN;
	int r = 0;

	for (unsigned i = 0; searches && i < q->n_search && r == 0 && v == VERDICT_NXDOMAIN; i++)
		r = try_domain(m, q->search[i], &v);
	if (r < 0 || v != VERDICT_NXDOMAIN || dns_shots_late(m->s, "as typed"))
		return r;
	m->endless = false;
	return ask_name(m, &m->s->typed, "as typed", &v);
}

bool dns_musl_searches(const struct dns_request *request)
{
	for (size_t i = 0; i < ARRAY_LEN(request->types) && request->types[i]; i++)
		if (request->types[i] != DNS_TYPE_A && request->types[i] != DNS_TYPE_AAAA)
			return false;
	return true;
}

int dns_musl_replay(struct dns_shots *s, bool is_absolute)
{
	AUTO(fd_freep) uint8_t *in = fd_xcalloc(DNS_SHOTS_QUESTIONS, DNS_FLIGHT_BYTES);
	struct musl m = { .s = s, .udp = -1 };
	int r;

	for (unsigned i = 0; i < DNS_SHOTS_QUESTIONS; i++) {
		m.circuits[i].fd = -1;
		m.circuits[i].in = in + i * DNS_FLIGHT_BYTES;
	}
	r = search(&m, is_absolute);
	reset(&m);
	return r;
}
