/* Packets of a replay: see shots.h. Bytes are believed only when id, question and sender are right, whatever libc itself checks. */
#include "core/dns/shots.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "core/block.h"
#include "core/dns/rows.h"
#include "core/fd.h"

/* --- a name --- */

static bool make_frame(struct dns_shots *s, unsigned i)
{
	uint8_t *frame = s->frames[i];
	size_t n;

	if (getrandom(&s->queries[i].id, sizeof s->queries[i].id, 0) != sizeof s->queries[i].id)
		return false;
	if (i && s->queries[i].id == s->queries[0].id)
		s->queries[i].id ^= 1;
	n = dns_message_query(&s->queries[i], frame + 2);
	frame[0] = (uint8_t)(n >> 8);
	frame[1] = (uint8_t)n;
	s->n_frames[i] = n + 2;
	return true;
}

bool dns_shots_name(struct dns_shots *s, const struct dns_name *name, const char *how)
{
	snprintf(s->how, sizeof s->how, "%s", how);
	s->n = s->unnoted = 0;
	s->waits_ms = 0;
	s->started_us = dns_now_us();
	for (unsigned i = 0; i < s->n_questions; i++) {
		struct dns_query *q = &s->queries[i];

		q->question.name = *name;
		if (!make_frame(s, i))
			return false;
		s->taken[i].flight.query = *q;
		s->taken[i].flight.fate = DNS_FATE_NONE;
		s->taken[i].flight.truncated = false;
	}
	return true;
}

bool dns_shots_join(const struct dns_shots *s, const char *domain, struct dns_name *ret)
{
	struct dns_name suffix;

	return dns_name_parse(domain, &suffix, NULL, NULL) == 0 && dns_name_join(&s->typed, &suffix, ret);
}

bool dns_shots_late(struct dns_shots *s, const char *how)
{
	if (s->best_rank == 0 || dns_now_us() < s->deadline_us)
		return false;
	dns_rows_skipped(s->b, s->request->name, how, "not asked: the time was up");
	return true;
}

void dns_shots_unfit(struct dns_shots *s, const char *how)
{
	dns_rows_skipped(s->b, s->request->name, how, "not a name");
}

/* --- packets --- */

void dns_shots_sent(struct dns_shots *s, unsigned question, unsigned server, bool tcp)
{
	struct dns_shot *shot = &s->shots[s->n];

	if (s->n == DNS_SHOTS_MAX) {
		s->unnoted++;
		return;
	}
	s->n++;
	memset(shot, 0, sizeof *shot);
	shot->question = question;
	shot->server = server;
	shot->open = true;
	shot->waits_ms = s->waits_ms;
	shot->flight.query = s->queries[question];
	shot->flight.tcp = tcp;
	shot->flight.sent_us = dns_now_us();
	shot->flight.reply = shot->head;
}

static void settle(struct dns_shot *shot, enum dns_fate fate, int code)
{
	shot->open = false;
	shot->flight.fate = fate;
	shot->flight.code = code;
	shot->flight.time_us = dns_now_us() - shot->flight.sent_us;
}

/* Without a reply this is what there is to say about the question, until one comes. */
static void take_loss(struct dns_shots *s, const struct dns_shot *shot)
{
	struct dns_taken *t = &s->taken[shot->question];
	uint8_t *reply = t->flight.reply;
	bool truncated = t->flight.truncated;

	if (t->flight.fate == DNS_FATE_REPLY)
		return;
	t->flight = shot->flight;
	t->flight.reply = reply;
	t->flight.truncated = truncated;
	t->server = shot->server;
}

void dns_shots_lost(struct dns_shots *s, unsigned server, int code)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct dns_shot *shot = &s->shots[i];

		if (!shot->open || shot->server != server)
			continue;
		settle(shot, code ? DNS_FATE_FAILED : DNS_FATE_TIMEOUT, code);
		take_loss(s, shot);
	}
}

void dns_shots_failed(struct dns_shots *s, int code)
{
	struct dns_shot *shot = s->n ? &s->shots[s->n - 1] : NULL;

	if (!shot || !shot->open || s->unnoted)
		return;
	settle(shot, DNS_FATE_FAILED, code);
	take_loss(s, shot);
}

void dns_shots_drop(struct dns_shots *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->shots[i].open)
			settle(&s->shots[i], DNS_FATE_NONE, 0);
}

/* An error reply may come without the question (REFUSED of some servers, FORMERR). */
static bool is_bare_error(const struct dns_reader *r, size_t n)
{
	unsigned rcode = r->head.flags & 15;

	return n == 12 && r->head.n[0] == 0 && (rcode == 1 || rcode == 2 || rcode == 4 || rcode == 5);
}

int dns_shots_match(const struct dns_shots *s, const uint8_t *p, size_t n)
{
	struct dns_question q;
	struct dns_reader r;

	if (!dns_message_open(&r, p, n) || !(r.head.flags & DNS_FLAG_QR))
		return -1;
	for (unsigned i = 0; i < s->n_questions; i++) {
		const struct dns_question *ours = &s->queries[i].question;

		if (r.head.id != s->queries[i].id)
			continue;
		if (is_bare_error(&r, n))
			return (int)i;
		if (r.head.n[0] == 1 && dns_message_question(&r, &q) == 1 && q.type == ours->type && q.class == ours->class &&
			dns_name_equal(&q.name, &ours->name))
			return (int)i;
		return -1;
	}
	return -1;
}

/* The latest packet that may have got this reply; NULL: it has one already (a retry was answered twice). */
static struct dns_shot *find_shot(struct dns_shots *s, unsigned question, unsigned server)
{
	for (unsigned i = s->n; i-- > 0;) {
		struct dns_shot *shot = &s->shots[i];

		if (shot->open && shot->question == question && shot->server == server)
			return shot;
	}
	return NULL;
}

static void take_reply(struct dns_shots *s, const struct dns_shot *shot, const uint8_t *p, size_t n)
{
	struct dns_taken *t = &s->taken[shot->question];
	uint8_t *reply = t->flight.reply;
	bool truncated = t->flight.truncated;

	t->flight = shot->flight;
	t->flight.reply = reply;
	t->flight.n_reply = n;
	t->flight.truncated = truncated;
	t->server = shot->server;
	memcpy(reply, p, n);
}

unsigned dns_shots_reply(struct dns_shots *s, unsigned question, unsigned server, const uint8_t *p, size_t n, bool take)
{
	struct dns_shot *shot = find_shot(s, question, server), lost = { .question = question, .server = server };
	int rcode = dns_message_rcode(p, n);

	if (!shot) {
		shot = &lost;
		shot->flight.query = s->queries[question];
	}
	settle(shot, rcode < 0 ? DNS_FATE_MALFORMED : DNS_FATE_REPLY, 0);
	memcpy(shot->head, p, sizeof shot->head);
	shot->flight.n_reply = n;
	shot->flight.rcode = rcode < 0 ? p[3] & 15u : (unsigned)rcode;
	if (take || s->taken[question].flight.fate != DNS_FATE_REPLY)
		take_reply(s, shot, p, n);
	return p[3] & 15u;
}

void dns_shots_cut(struct dns_shots *s, unsigned question)
{
	for (unsigned i = s->n; i-- > 0;) {
		if (s->shots[i].question == question && s->shots[i].flight.fate == DNS_FATE_REPLY) {
			s->shots[i].flight.truncated = true;
			break;
		}
	}
	s->taken[question].flight.truncated = true;
	s->taken[question].flight.fate = DNS_FATE_NONE;
}

void dns_shots_stray(struct dns_shots *s, unsigned server)
{
	for (unsigned i = s->n; i-- > 0;) {
		if (s->shots[i].server == server) {
			s->shots[i].flight.unexpected++;
			return;
		}
	}
}

/* --- sockets --- */

static socklen_t socket_address(const struct dns_server *server, struct sockaddr_storage *ret)
{
	struct addr a = addr_unmap(&server->address);
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(server->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(server->port) };

	memset(ret, 0, sizeof *ret);
	if (a.kind == ADDR_IP4) {
		memcpy(&in4.sin_addr, a.bytes, 4);
		memcpy(ret, &in4, sizeof in4);
		return sizeof in4;
	}
	memcpy(&in6.sin6_addr, a.bytes, 16);
	memcpy(ret, &in6, sizeof in6);
	return sizeof in6;
}

int dns_shots_open(const struct dns_shots *s, unsigned server, bool tcp, int *ret_fd)
{
	const struct dns_server *to = &s->servers[server];
	AUTO(fd_closep) int fd = -1;
	struct sockaddr_storage sa;
	socklen_t n = socket_address(to, &sa);
	int r = 0;

	fd = socket(sa.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (to->zone[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, to->zone, (socklen_t)strlen(to->zone)) < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, n) < 0)
		r = -errno;
	if (r < 0 && r != -EINPROGRESS)
		return r;
	*ret_fd = fd_take(&fd);
	return r;
}

static int left_ms(uint64_t until_us)
{
	uint64_t now = dns_now_us();

	return now >= until_us ? 0 : (int)((until_us - now + 999) / 1000);
}

int dns_shots_poll(const struct dns_shots *s, struct pollfd *p, unsigned n, uint64_t until_us)
{
	int r;

	if (until_us > s->deadline_us)
		until_us = s->deadline_us;
	p[n] = (struct pollfd){ .fd = s->watch->channel, .events = POLLRDHUP };
	p[n + 1] = (struct pollfd){ .fd = s->watch->pidfd, .events = POLLIN };
	do
		r = poll(p, n + 2, left_ms(until_us));
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : 0;
	if (p[n].revents)
		return -EPIPE;
	return p[n + 1].revents ? -ESRCH : 1;
}

int dns_shots_wait(const struct dns_shots *s, int fd, short events, uint64_t until_us)
{
	struct pollfd p[3] = { { .fd = fd, .events = events } };

	return dns_shots_poll(s, p, 1, until_us);
}

/* --- rows --- */

static void add_steps(struct dns_shots *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct dns_shot *shot = &s->shots[i];
		struct dns_asked asked = { .flight = &shot->flight, .server = &s->servers[shot->server], .how = s->how };
		char how[sizeof s->how + 32];

		if (shot->flight.fate == DNS_FATE_TIMEOUT && shot->waits_ms) {
			snprintf(how, sizeof how, "%s; libc waits %g s", s->how, shot->waits_ms / 1000.0);
			asked.how = how;
		}
		dns_rows_step(s->b, &asked);
	}
	if (s->unnoted)
		builder_note(s->b, 0, "%u packets more were sent for %s than are shown", s->unnoted, s->how);
}

static void swap_best(struct dns_shots *s, int rank)
{
	for (unsigned i = 0; i < s->n_questions; i++) {
		struct dns_taken old = s->best[i];

		s->best[i] = s->taken[i];
		s->taken[i] = old;
	}
	memcpy(s->best_how, s->how, sizeof s->best_how);
	s->best_waited_us = dns_now_us() - s->started_us;
	s->best_rank = rank;
}

/* Records that came, but not to the program. */
static void drop_unused(struct dns_shots *s, const bool *used)
{
	for (unsigned i = 0; i < s->n_questions; i++) {
		struct dns_flight *f = &s->taken[i].flight;

		if (f->fate == DNS_FATE_REPLY && (f->reply[3] & 15) == 0 && (f->reply[6] || f->reply[7]) && !(used && used[i]))
			f->fate = DNS_FATE_DROPPED;
	}
}

void dns_shots_end(struct dns_shots *s, int rank, const bool *used)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct dns_shot *shot = &s->shots[i];

		if (!shot->open)
			continue;
		/* With a reply from elsewhere nobody waited for this one. */
		settle(shot, s->taken[shot->question].flight.fate == DNS_FATE_REPLY ? DNS_FATE_NONE : DNS_FATE_TIMEOUT, 0);
		take_loss(s, shot);
	}
	add_steps(s);
	drop_unused(s, used);
	if (rank >= s->best_rank)
		swap_best(s, rank);
}
