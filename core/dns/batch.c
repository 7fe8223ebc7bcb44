/*
 * Many names at a time: see batch.h. WINDOW names are under way at once, each with a tape that its asking is played back from (tape.h);
 * one poll waits for the sockets of all. Embedded resolvers take only so many questions at a time (Docker's: 100 before version 20.10),
 * and two types of each name are usual, so the window stays well below that.
 */
#include "core/dns/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/dns/rows.h"
#include "core/dns/tape.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/worker.h"

enum { WINDOW = 32, FLUSH_MS = 20, FLUSH_ROWS = 2000 };

/* One name under way. */
struct slot {
	struct dns_tape *tape; /* NULL: free */
	struct dns_batch_entry entry;
	struct dns_request request;
};

struct batch {
	const struct dns_request *as;
	const unsigned char *list;
	size_t n, at;
	const struct dns_watch *watch;
	dns_batch_fn fn;
	void *arg;
	struct builder *rows; /* of the name at hand */
	struct slot slots[WINDOW];
	unsigned n_busy;
	bool has_news; /* rows that were delivered since the last wait */
};

/* --- the list --- */

void dns_batch_add(struct dns_batch_list *list, const struct dns_batch_entry *entry, const char *name)
{
	size_t n = sizeof *entry + entry->n_name;

	if (list->n + n > list->cap) {
		list->cap = (list->n + n) * 2;
		list->bytes = fd_xrealloc(list->bytes, list->cap, 1);
	}
	memcpy(list->bytes + list->n, entry, sizeof *entry);
	memcpy(list->bytes + list->n + sizeof *entry, name, entry->n_name);
	list->n += n;
}

/* The next entry into a slot: 1, 0 at the end, -EBADMSG. */
static int next_entry(struct batch *b, struct slot *s)
{
	size_t left = b->n - b->at;

	if (left == 0)
		return 0;
	if (left < sizeof s->entry)
		return -EBADMSG;
	memcpy(&s->entry, b->list + b->at, sizeof s->entry);
	left -= sizeof s->entry;
	if (s->entry.n_name > left || s->entry.n_name >= DNS_NAME_TEXT)
		return -EBADMSG;
	s->request = *b->as;
	memset(s->request.name, 0, sizeof s->request.name);
	memcpy(s->request.name, b->list + b->at + sizeof s->entry, s->entry.n_name);
	memcpy(s->request.types, s->entry.types, sizeof s->request.types);
	s->request.libc = DNS_LIBC_NONE; /* those wait by themselves (replay.c): one name at a time */
	b->at += sizeof s->entry + s->entry.n_name;
	return 1;
}

/* --- one name --- */

static void add_no_name(struct batch *b, const struct slot *s, const struct err *err)
{
	struct dns_row *row;

	builder_clear(b->rows);
	row = dns_rows_blank(b->rows);
	row->section = DNS_SECTION_ANSWER;
	row->head.severity = SEVERITY_BAD;
	row->name = builder_str(b->rows, s->request.name);
	row->rcode = builder_str(b->rows, err->msg[0] ? err->msg : "not a name");
}

static void deliver(struct batch *b, const struct slot *s)
{
	AUTO(block_unrefp) struct block *done = NULL;

	for (uint32_t i = 0; i < builder_count(b->rows); i++) {
		struct str asked = builder_str(b->rows, s->request.name);
		struct dns_row *row = builder_at(b->rows, i);
		uint64_t id[] = { row->head.id, s->entry.position };

		row->asked = asked;
		row->position = s->entry.position;
		row->head.id = row_hash(id, sizeof id, 0); /* the same name may be asked twice */
	}
	done = builder_block(b->rows);
	b->fn(b->arg, done);
	b->has_news = true;
}

/* Runs the asking as far as it comes. True: the name is done. */
static bool step(struct batch *b, struct slot *s)
{
	const struct pollfd nothing[DNS_MAX_FLIGHTS] = { 0 };
	struct dns_watch watch = *b->watch;
	struct err err = { 0 };
	int r;

	watch.tape = s->tape;
	do {
		dns_tape_rewind(s->tape);
		builder_clear(b->rows);
		r = dns_ask_run(&s->request, &watch, b->rows, &err);
	} while (r == -EINPROGRESS && dns_tape_turn(s->tape, nothing, 0)); /* what could not even be sent is over already */
	if (r == -EINPROGRESS)
		return false;
	if (r < 0)
		add_no_name(b, s, &err);
	deliver(b, s);
	return true;
}

static void end(struct batch *b, struct slot *s)
{
	dns_tape_free(s->tape);
	s->tape = NULL;
	b->n_busy--;
}

/* Puts names into a slot until one of them stays under way. 0 or -EBADMSG. */
static int fill(struct batch *b, struct slot *s)
{
	int r;

	while (!s->tape && (r = next_entry(b, s)) != 0) {
		if (r < 0)
			return r;
		s->tape = dns_tape_new();
		b->n_busy++;
		if (step(b, s))
			end(b, s);
	}
	return 0;
}

static int fill_all(struct batch *b)
{
	int r = 0;

	for (unsigned i = 0; i < WINDOW && r == 0; i++)
		r = fill(b, &b->slots[i]);
	return r;
}

/* --- all of them --- */

/* Waits once for everything. 0, or what the watch says. */
static int wait_all(struct batch *b, struct pollfd *p)
{
	enum { N = WINDOW * DNS_MAX_FLIGHTS };
	uint64_t first = UINT64_MAX, now;
	int ms;

	for (unsigned i = 0; i < N; i++)
		p[i].fd = -1;
	for (unsigned i = 0; i < WINDOW; i++) {
		uint64_t deadline = b->slots[i].tape ? dns_tape_poll(b->slots[i].tape, p + i * DNS_MAX_FLIGHTS) : UINT64_MAX;

		first = deadline < first ? deadline : first;
	}
	p[N] = (struct pollfd){ .fd = b->watch->channel, .events = POLLRDHUP };
	p[N + 1] = (struct pollfd){ .fd = b->watch->pidfd, .events = POLLIN };
	now = dns_now_us();
	ms = first <= now ? 0 : first - now > 60000000 ? 60000 : (int)((first - now) / 1000 + 1);
	ms = b->has_news && ms > FLUSH_MS ? FLUSH_MS : ms;
	if (poll(p, N + 2, ms) <= 0) {
		for (unsigned i = 0; i < N + 2; i++)
			p[i].revents = 0;
		if (b->has_news)
			b->fn(b->arg, NULL);
		b->has_news = false;
		return 0;
	}
	if (p[N].revents)
		return -EPIPE;
	return p[N + 1].revents ? -ESRCH : 0;
}

static int turn_all(struct batch *b)
{
	struct pollfd p[WINDOW * DNS_MAX_FLIGHTS + 2];
	int r = wait_all(b, p);
	uint64_t now = dns_now_us();

	for (unsigned i = 0; i < WINDOW && r == 0; i++) {
		struct slot *s = &b->slots[i];

		if (!s->tape || !dns_tape_turn(s->tape, p + i * DNS_MAX_FLIGHTS, now) || !step(b, s))
			continue;
		end(b, s);
		r = fill(b, s); /* the next one leaves at once, before the others are looked at */
	}
	return r;
}

int dns_batch_run(const struct dns_request *as, const void *list, size_t n, const struct dns_watch *watch, dns_batch_fn fn, void *arg,
	struct err *err)
{
	AUTO(fd_freep) struct batch *b = fd_xcalloc(1, sizeof *b);
	int r;

	*b = (struct batch){ .as = as, .list = list, .n = n, .watch = watch, .fn = fn, .arg = arg, .rows = builder_new(&dns_row_type) };
	r = fill_all(b);
	while (r == 0 && b->n_busy)
		r = turn_all(b);
	for (unsigned i = 0; i < WINDOW; i++)
		if (b->slots[i].tape)
			end(b, &b->slots[i]);
	builder_free(b->rows);
	return r == -EBADMSG ? err_set(err, EBADMSG, "not a list of names") : r;
}

/* --- the worker --- */

/* Answers on their way to the app: many small blocks would cost more than the asking. */
struct sender {
	struct worker *w;
	uint32_t tag;
	struct builder *out;
};

static void flush(struct sender *s)
{
	if (builder_count(s->out) == 0)
		return;
	worker_send_block(s->w, s->tag, s->out); /* when the app has left, the watch will say so */
	builder_clear(s->out);
}

static void take(void *arg, const struct block *rows)
{
	struct sender *s = arg;

	for (uint32_t i = 0; i < block_count(rows); i++)
		builder_copy_row(s->out, rows, block_row(rows, i));
	if (!rows || builder_count(s->out) >= FLUSH_ROWS)
		flush(s);
}

static int read_list(int fd, void **ret, size_t *ret_n, struct err *err)
{
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	AUTO(fd_freep) void *list = NULL;

	if (size < 0 || size > DNS_BATCH_MAX_BYTES || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, EBADMSG, "a list of names that is none, or of more than %d MiB", DNS_BATCH_MAX_BYTES >> 20);
	list = fd_xcalloc(1, (size_t)size + 1);
	if (fd_read_all(fd, list, (size_t)size) != size)
		return err_set(err, EBADMSG, "read the list of names");
	*ret = fd_ptr_take(&list);
	*ret_n = (size_t)size;
	return 0;
}

int dns_batch_serve(struct worker *w, const struct msg *m, const struct dns_watch *watch)
{
	AUTO(fd_freep) void *list = NULL;
	struct sender s = { .w = w, .tag = m->head.tag };
	struct dns_request as;
	struct err err = { 0 };
	size_t n = 0;
	int r;

	if (m->request.n_params != sizeof as)
		return worker_send_error(w, m->head.tag, &(struct err){ .code = EINVAL, .msg = "a question of a form that this version does not know" });
	memcpy(&as, m->request.params, sizeof as);
	r = read_list(m->fd, &list, &n, &err);
	if (r < 0)
		return worker_send_error(w, m->head.tag, &err);
	s.out = builder_new(&dns_row_type);
	r = dns_batch_run(&as, list, n, watch, take, &s, &err);
	if (r == 0 || r == -EBADMSG)
		flush(&s);
	builder_free(s.out);
	return r == -EBADMSG ? worker_send_error(w, m->head.tag, &err) : r;
}
