/*
 * How glibc asks (its stub resolver, 2.26 to 2.42; resolv.conf(5)): A and AAAA from one connected socket, servers in turn, the whole
 * round again for each attempt, TCP for both after a truncated reply, one at a time after half an answer. And in which order it
 * tries names. It differs from core/dns/ask.c in what it repeats, never in what it believes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "core/dns/shots.h"
#include "core/fd.h"

/* What one server made of the questions. */
enum outcome {
	OUTCOME_NEXT, /* nothing of use: the next server */
	OUTCOME_DONE,
	OUTCOME_TCP, /* cut short: the same server by TCP */
	OUTCOME_AGAIN, /* half an answer in time: the same server, more carefully */
};

/* What a name came to, in glibc's eyes. The order is that of what it reports in the end. */
enum verdict {
	VERDICT_NOBODY = 1, /* every server refused the connection: it gives up */
	VERDICT_STOP,
	VERDICT_NXDOMAIN,
	VERDICT_SERVFAIL,
	VERDICT_NODATA,
	VERDICT_FIRST, /* rank only: the name as typed decides when it was asked first */
	VERDICT_FOUND,
};

struct glibc {
	struct dns_shots *s;
	bool single; /* the second question only after the first reply */
	bool reopen; /* and from another socket */
	unsigned offset; /* first server, by "rotate" */
	int udp[DNS_MAX_SERVERS];
	/* one sending */
	bool by_tcp;
	bool got_somewhere; /* some server reacted, if only by silence */
	int tcp_code;
	/* one round */
	unsigned server;
	uint64_t until_us;
	bool got[DNS_SHOTS_QUESTIONS]; /* replied, or there is no such question */
	bool has[DNS_SHOTS_QUESTIONS]; /* with a reply that counts */
	int first; /* question that was replied to first; -1 */
	bool first_is_error;
	unsigned first_rcode; /* of the last round in which there was one */
};

enum { RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_NOTIMP = 4, RCODE_REFUSED = 5 };

static void close_udp(struct glibc *g)
{
	for (unsigned i = 0; i < ARRAY_LEN(g->udp); i++)
		fd_closep(&g->udp[i]);
}

static void round_start(struct glibc *g)
{
	for (unsigned i = 0; i < DNS_SHOTS_QUESTIONS; i++) {
		g->got[i] = i >= g->s->n_questions;
		g->has[i] = false;
	}
	g->first = -1;
	g->first_is_error = false;
}

static bool all_got(const struct glibc *g)
{
	return g->got[0] && g->got[1];
}

/* --- datagrams --- */

static int send_udp(struct glibc *g, unsigned question)
{
	const struct dns_shots *s = g->s;

	dns_shots_sent(g->s, question, g->server, false);
	if (send(g->udp[g->server], s->frames[question] + 2, s->n_frames[question] - 2, MSG_NOSIGNAL) < 0) {
		dns_shots_lost(g->s, g->server, errno);
		return -1;
	}
	return 0;
}

/* False: this server cannot be asked. The socket of an earlier attempt is used again. */
static bool open_udp(struct glibc *g)
{
	int r = 0;

	if (g->udp[g->server] < 0)
		r = dns_shots_open(g->s, g->server, false, &g->udp[g->server]);
	if (r == 0)
		return true;
	for (unsigned i = 0; i < g->s->n_questions; i++)
		dns_shots_sent(g->s, i, g->server, false); /* they did not leave: the rows say why */
	dns_shots_lost(g->s, g->server, -r);
	return false;
}

/* A server that knows nothing better than "ask somebody else". */
static bool is_lame(const uint8_t *p)
{
	return (p[3] & 15) == 0 && !p[6] && !p[7] && !(p[2] & 4) && !(p[3] & 0x80) && !p[10] && !p[11];
}

static bool is_error(const uint8_t *p)
{
	unsigned rcode = p[3] & 15;

	return rcode == RCODE_SERVFAIL || rcode == RCODE_NOTIMP || rcode == RCODE_REFUSED || is_lame(p);
}

/* SERVFAIL and the like: the other question's reply may still save this server. */
static enum outcome take_error(struct glibc *g, unsigned question, bool *ret_goes_on)
{
	bool is_strict = g->s->request->flags & DNS_STRICT_ERROR;
	bool waits = !g->single || (g->s->request->libc_version && g->s->request->libc_version < 2041000);

	if (!is_strict && g->s->n_questions == 2 && g->got[!question])
		return g->has[!question] ? OUTCOME_DONE : OUTCOME_NEXT;
	if (!is_strict && g->s->n_questions == 2 && waits) { /* before 2.41 also for a question that it has not sent (bug 30081) */
		g->got[question] = true;
		*ret_goes_on = true;
		return OUTCOME_NEXT;
	}
	close_udp(g);
	return OUTCOME_NEXT;
}

/* The second question, when it had to wait for the first reply. */
static bool send_second(struct glibc *g)
{
	unsigned question = g->got[0] ? 1 : 0;

	if (g->reopen) {
		close_udp(g);
		if (!open_udp(g))
			return false;
	}
	return send_udp(g, question) == 0;
}

/* One datagram has come; *ret_goes_on: the round is not over. */
static enum outcome take_datagram(struct glibc *g, size_t n, bool *ret_goes_on)
{
	struct dns_shots *s = g->s;
	int question = dns_shots_match(s, s->in, n);
	bool error;

	*ret_goes_on = question < 0 || g->got[question];
	if (*ret_goes_on) {
		dns_shots_stray(s, g->server);
		return OUTCOME_NEXT;
	}
	error = is_error(s->in);
	dns_shots_reply(s, (unsigned)question, g->server, s->in, n, !error);
	if (g->first < 0) {
		g->first = question;
		g->first_rcode = s->in[3] & 15;
		g->first_is_error = error;
	}
	if (error)
		return take_error(g, (unsigned)question, ret_goes_on);
	if (s->in[2] & 2) {
		dns_shots_cut(s, (unsigned)question);
		close_udp(g);
		return OUTCOME_TCP;
	}
	g->got[question] = g->has[question] = true;
	if (all_got(g))
		return OUTCOME_DONE;
	*ret_goes_on = !g->single || send_second(g);
	return OUTCOME_NEXT;
}

/* No more replies in time. After half an answer glibc suspects the server, or a firewall, of losing the second of two. */
static enum outcome timed_out(struct glibc *g)
{
	bool half = g->first >= 0 && !g->first_is_error;

	dns_shots_lost(g->s, g->server, 0);
	if (!half || dns_now_us() >= g->s->deadline_us) {
		g->got_somewhere = true;
		return half ? OUTCOME_DONE : OUTCOME_NEXT;
	}
	if (g->single && g->reopen)
		return OUTCOME_DONE;
	if (g->single) {
		g->reopen = true;
		close_udp(g);
	}
	g->single = true;
	return OUTCOME_AGAIN;
}

/* Replies until the round has an outcome, or the watch's error. */
static int read_udp(struct glibc *g, enum outcome *ret)
{
	bool goes_on = true;

	while (goes_on) {
		int r = dns_shots_wait(g->s, g->udp[g->server], POLLIN, g->until_us);
		ssize_t n;

		if (r < 0)
			return r;
		if (r == 0) {
			*ret = timed_out(g);
			return 0;
		}
		n = recv(g->udp[g->server], g->s->in, DNS_FLIGHT_BYTES, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 12) { /* ECONNREFUSED: ICMP said that nobody listens */
			g->got_somewhere |= n >= 0;
			dns_shots_lost(g->s, g->server, n < 0 ? errno : EBADMSG);
			close_udp(g);
			*ret = OUTCOME_NEXT;
			return 0;
		}
		g->got_somewhere = true;
		*ret = take_datagram(g, (size_t)n, &goes_on);
	}
	return 0;
}

/* Later servers get more time, shared by their number. Of a deadline shorter than all that each server gets its part. */
static uint64_t round_end(struct glibc *g)
{
	uint64_t now = dns_now_us(), wait = (uint64_t)g->s->request->timeout_ms << g->server;
	uint64_t left = g->s->deadline_us > now ? g->s->deadline_us - now : 0, share = left / (g->s->n_servers - g->server);

	if (g->server > 0)
		wait /= g->s->n_servers;
	wait = wait < 1000 ? 1000 : wait / 1000 * 1000; /* whole seconds */
	g->s->waits_ms = wait * 1000 > share ? (uint32_t)wait : 0;
	return now + (wait * 1000 < share ? wait * 1000 : share);
}

static int ask_udp(struct glibc *g, enum outcome *ret)
{
	int r = 0;

	do {
		*ret = OUTCOME_NEXT;
		round_start(g);
		if (!open_udp(g))
			return 0;
		g->until_us = round_end(g);
		if (send_udp(g, 0) < 0 || (g->s->n_questions == 2 && !g->single && send_udp(g, 1) < 0)) {
			close_udp(g);
			return 0;
		}
		r = read_udp(g, ret);
	} while (r == 0 && *ret == OUTCOME_AGAIN);
	return r;
}

/* --- TCP: both questions at once, any replies count --- */

/* Moves bytes until all of them have gone; 1, 0: closed or failed (tcp_code), or the watch's error. */
static int move(struct glibc *g, int fd, uint8_t *p, size_t n, short direction)
{
	size_t done = 0;

	while (done < n) {
		int r = dns_shots_wait(g->s, fd, direction, g->s->deadline_us);
		ssize_t k;

		if (r < 0)
			return r;
		if (r == 0) {
			g->tcp_code = ETIMEDOUT; /* glibc itself would wait for ever */
			return 0;
		}
		k = direction == POLLIN ? recv(fd, p + done, n - done, MSG_DONTWAIT) :
					  send(fd, p + done, n - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (k <= 0) {
			g->tcp_code = k < 0 ? errno : 0;
			return 0;
		}
		done += (size_t)k;
	}
	return 1;
}

static int connect_tcp(struct glibc *g, int *ret_fd)
{
	int code = 0, r = dns_shots_open(g->s, g->server, true, ret_fd);
	socklen_t len = sizeof code;

	g->tcp_code = r < 0 && r != -EINPROGRESS ? -r : 0;
	if (g->tcp_code)
		return 0;
	r = dns_shots_wait(g->s, *ret_fd, POLLOUT, g->s->deadline_us);
	if (r < 0)
		return r;
	if (r == 0)
		code = ETIMEDOUT;
	else if (getsockopt(*ret_fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		code = errno;
	g->tcp_code = code;
	return code == 0;
}

/* Both questions in one piece. */
static int write_tcp(struct glibc *g, int fd)
{
	uint8_t both[2 * (2 + DNS_QUERY_MAX)];
	size_t n = 0;

	for (unsigned i = 0; i < g->s->n_questions; i++) {
		memcpy(both + n, g->s->frames[i], g->s->n_frames[i]);
		n += g->s->n_frames[i];
	}
	return move(g, fd, both, n, POLLOUT);
}

static int read_tcp(struct glibc *g, int fd)
{
	struct dns_shots *s = g->s;
	unsigned strays = 0;

	while (!all_got(g)) {
		uint8_t head[2];
		size_t n;
		int question, r = move(g, fd, head, 2, POLLIN);

		if (r <= 0)
			return r;
		n = (size_t)head[0] << 8 | head[1];
		r = n < 12 ? 0 : move(g, fd, s->in, n, POLLIN);
		if (r <= 0)
			return r;
		question = dns_shots_match(s, s->in, n);
		if (question < 0 || g->got[question]) {
			dns_shots_stray(s, g->server);
			if (++strays > 2 * DNS_MAX_UNEXPECTED)
				return 0;
			continue;
		}
		g->got[question] = g->has[question] = true;
		dns_shots_reply(s, (unsigned)question, g->server, s->in, n, true);
		if (g->first < 0) {
			g->first = question;
			g->first_rcode = s->in[3] & 15;
		}
	}
	return 1;
}

static int ask_tcp(struct glibc *g, enum outcome *ret)
{
	bool resets = false;
	int r;

	do {
		AUTO(fd_closep) int fd = -1;

		round_start(g);
		r = connect_tcp(g, &fd);
		for (unsigned i = 0; r >= 0 && i < g->s->n_questions; i++)
			dns_shots_sent(g->s, i, g->server, true);
		if (r > 0)
			r = write_tcp(g, fd);
		if (r > 0)
			r = read_tcp(g, fd);
		if (r != 0)
			break;
		dns_shots_lost(g->s, g->server, g->tcp_code ? g->tcp_code : ECONNRESET);
		resets = !resets && g->tcp_code == ECONNRESET; /* once: a server that was restarted meanwhile */
	} while (resets);
	*ret = r > 0 ? OUTCOME_DONE : OUTCOME_NEXT;
	return r < 0 ? r : 0;
}

/* --- one name --- */

/* One server, by TCP as soon as it is needed. */
static int ask_server(struct glibc *g, enum outcome *ret)
{
	int r = g->by_tcp ? ask_tcp(g, ret) : ask_udp(g, ret);

	if (r < 0 || *ret != OUTCOME_TCP)
		return r;
	g->by_tcp = true;
	dns_shots_drop(g->s); /* the other question's reply would have come over UDP */
	return ask_tcp(g, ret);
}

/* Servers in turn, as often as allowed: 1 an answer, 0 none, or the watch's error. */
static int ask_servers(struct glibc *g)
{
	const struct dns_request *q = g->s->request;
	unsigned offset = q->flags & DNS_ROTATE ? g->offset++ % g->s->n_servers : 0;
	enum outcome outcome = OUTCOME_NEXT;

	g->by_tcp = q->flags & DNS_TCP;
	g->got_somewhere = false;
	g->tcp_code = ETIMEDOUT;
	g->first_rcode = 0;
	for (unsigned k = 0; k < q->attempts * g->s->n_servers; k++) {
		int r;

		if (k && dns_now_us() >= g->s->deadline_us)
			break;
		if (g->by_tcp && k % g->s->n_servers == 0 && k) /* one round is all that TCP gets */
			break;
		g->server = (k + offset) % g->s->n_servers;
		r = ask_server(g, &outcome);
		if (r < 0 || outcome == OUTCOME_DONE)
			return r < 0 ? r : 1;
	}
	return 0;
}

static unsigned header_rcode(const struct dns_shots *s, unsigned question)
{
	return s->taken[question].flight.reply[3] & 15u;
}

static bool has_records(const struct dns_shots *s, unsigned question)
{
	const uint8_t *p = s->taken[question].flight.reply;

	return header_rcode(s, question) == 0 && (p[6] || p[7]);
}

static enum verdict judge_none(const struct glibc *g)
{
	if (g->by_tcp ? g->tcp_code == ECONNREFUSED : !g->got_somewhere)
		return VERDICT_NOBODY;
	return g->first_rcode == RCODE_SERVFAIL ? VERDICT_SERVFAIL : VERDICT_STOP;
}

/* Any record is an answer; else the reply that came first decides, unless it is an empty NOERROR. */
static enum verdict judge(const struct glibc *g)
{
	unsigned first = g->first == 1, rcode;

	for (unsigned i = 0; i < g->s->n_questions; i++)
		if (g->has[i] && has_records(g->s, i))
			return VERDICT_FOUND;
	first = g->has[first] ? first : !first;
	rcode = header_rcode(g->s, first);
	if (rcode == 0 && g->s->n_questions == 2 && g->has[!first])
		rcode = header_rcode(g->s, !first);
	switch (rcode) {
	case 0:
		return VERDICT_NODATA;
	case RCODE_NXDOMAIN:
		return VERDICT_NXDOMAIN;
	case RCODE_SERVFAIL:
		return g->first_rcode == RCODE_SERVFAIL ? VERDICT_SERVFAIL : VERDICT_STOP;
	default:
		return VERDICT_STOP;
	}
}

static int ask_name(struct glibc *g, const struct dns_name *name, const char *how, bool is_first, enum verdict *ret)
{
	enum verdict rank;
	int r;

	if (!dns_shots_name(g->s, name, how))
		return -EIO;
	r = ask_servers(g);
	close_udp(g);
	if (r < 0)
		return r;
	*ret = rank = r ? judge(g) : judge_none(g);
	if (is_first && rank < VERDICT_FIRST)
		rank = VERDICT_FIRST;
	dns_shots_end(g->s, (int)rank, r ? g->has : NULL);
	return 0;
}

/* --- names in turn --- */

static int try_domain(struct glibc *g, const char *domain, enum verdict *ret)
{
	char how[DNS_NAME_PRINT + 16];
	struct dns_name name;

	snprintf(how, sizeof how, "search %s", domain);
	*ret = VERDICT_STOP;
	if (dns_shots_late(g->s, how))
		return 0;
	if (dns_shots_join(g->s, domain, &name))
		return ask_name(g, &name, how, false, ret);
	dns_shots_unfit(g->s, how);
	return 0;
}

static int search_list(struct glibc *g, bool *ret_has_root, enum verdict *ret)
{
	const struct dns_request *q = g->s->request;
	int r = 0;

	for (unsigned i = 0; i < q->n_search && r == 0; i++) {
		*ret_has_root |= strcmp(q->search[i], ".") == 0;
		r = try_domain(g, q->search[i], ret);
		if (*ret == VERDICT_FOUND || *ret == VERDICT_NOBODY || *ret == VERDICT_STOP)
			break;
	}
	return r;
}

static int search(struct glibc *g, bool is_absolute)
{
	const struct dns_request *q = g->s->request;
	unsigned dots = dns_name_labels(&g->s->typed) - 1;
	bool as_is = is_absolute || q->flags & DNS_NO_SEARCH, is_first = as_is || dots >= q->ndots, has_root = false;
	enum verdict v = VERDICT_STOP;
	int r = 0;

	if (is_first)
		r = ask_name(g, &g->s->typed, "as typed", true, &v);
	if (r < 0 || as_is || (is_first && v == VERDICT_FOUND))
		return r;
	r = search_list(g, &has_root, &v);
	if (r < 0 || (q->n_search && (v == VERDICT_FOUND || v == VERDICT_NOBODY)) || is_first || has_root)
		return r;
	if (q->flags & DNS_NO_TLD_QUERY && dots == 0 && q->n_search)
		return 0;
	return dns_shots_late(g->s, "as typed") ? 0 : ask_name(g, &g->s->typed, "as typed", false, &v);
}

int dns_glibc_replay(struct dns_shots *s, bool is_absolute)
{
	struct glibc g = { .s = s, .udp = { -1, -1, -1, -1 } };
	const struct dns_request *q = s->request;
	int r;

	g.reopen = q->flags & DNS_SINGLE_REOPEN;
	g.single = g.reopen || q->flags & DNS_SINGLE_REQUEST;
	if (q->flags & DNS_ROTATE && getrandom(&g.offset, sizeof g.offset, 0) < 0)
		return -EIO;
	r = search(&g, is_absolute);
	close_udp(&g);
	return r;
}
