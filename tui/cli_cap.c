/*
 * nsdbg cap: packets as lines, JSON or a file. The worker keeps and decodes them; this side asks page by page for what is new, so
 * that a slow reader costs nothing but lines, and every line that is missing at the end is counted.
 */
#include "tui/cli.h"

#include "capture/capture.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/table.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	PAGE = 2048,
	TAG_PAGE = 1,
	TAG_SAVE = 2,
	TAG_START = 3,
	TAG_STOP = 4,
	STOP_MS = 3000, /* for the worker to close the file and answer the last page */
	OPEN_MS = 5000,
};

struct cap {
	struct cli *c;
	struct link *l;
	int save; /* descriptor of -w, lent to the worker; -1 none */
	bool prints;
	struct writer *w;
	struct table *t;
	struct capture_row now; /* newest state; its texts are gone */
	char note[256];
	bool paused; /* not started yet */
	bool started;
	bool asked; /* a page is under way */
	bool stopping;
	bool saving; /* packets wait to be written */
	bool ended; /* by the worker */
	bool closed; /* the worker has ended: nobody answers */
	bool reader_left; /* of standard output */
	uint64_t next; /* number of the next packet to print */
	uint64_t printed;
	uint64_t missed; /* left the spool before they were printed */
};

/* --- opening --- */

static int make_params(const struct cli *c, bool paused, struct capture_params *ret, struct err *err)
{
	const struct options *o = c->o;
	size_t n = 0;

	*ret = (struct capture_params){ .snaplen = (uint32_t)o->snaplen, .max_packets = o->count, .paused = paused,
		.promiscuous = o->promiscuous };
	if (o->interface && strlen(o->interface) >= sizeof ret->interface)
		return err_set(err, EINVAL, "no interface \"%.40s\": names have at most 15 characters", o->interface);
	if (o->snaplen > 262144)
		return err_set(err, EINVAL, "--snaplen is at most 262144");
	snprintf(ret->interface, sizeof ret->interface, "%s", o->interface ? o->interface : "");
	for (unsigned i = 1; i < o->n_words && n < sizeof ret->filter; i++)
		n += (size_t)snprintf(ret->filter + n, sizeof ret->filter - n, "%s%s", n ? " " : "", o->words[i]);
	if (n >= sizeof ret->filter)
		return err_set(err, EINVAL, "the capture filter is longer than %d bytes", CAPTURE_FILTER_TEXT - 1);
	return 0;
}

static int open_file(struct cap *k, struct err *err)
{
	struct cli *c = k->c;

	if (!c->o->file)
		return 0;
	if (strcmp(c->o->file, "/dev/null") == 0) { /* to count packets; no right is needed for it */
		k->save = open(c->o->file, O_WRONLY | O_CLOEXEC);
		return k->save < 0 ? err_set(err, errno, "open %s", c->o->file) : 0;
	}
	if (strcmp(c->o->file, "-") != 0) {
		k->save = session_create(c->session, c->o->file, c->o->force, err);
		return k->save < 0 ? k->save : 0;
	}
	if (isatty(c->out))
		return err_set(err, EINVAL, "-w - writes packets in binary form: send it into a pipe or a file, not to a terminal");
	k->save = dup(c->out);
	return k->save < 0 ? err_set(err, errno, "copy standard output") : 0;
}

static void take_state(struct cap *k, const struct block *b)
{
	const struct capture_row *row = block_row(b, 0);
	struct text note;

	if (!row)
		return;
	note = block_text(b, row->note);
	if (note.n > 0) {
		size_t n = note.n < sizeof k->note ? note.n : sizeof k->note - 1;

		memcpy(k->note, note.p, n);
		k->note[n] = 0;
	}
	k->now = *row;
	k->saving = row->head.flags & CAPTURE_IS_SAVING;
	if (row->running == 1)
		k->started = true;
	else if (k->started && !k->saving)
		k->ended = true;
}

static void say_start(const struct cap *k)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "capturing%s%s, ^C ends\n", k->c->o->interface ? " on " : "", k->c->o->interface ? k->c->o->interface : "");
}

/* Until the worker is caged and says so. */
static int wait_ready(struct cap *k, struct err *err)
{
	uint64_t deadline = loop_now_ms() + OPEN_MS;
	struct link_event ev;

	while (loop_now_ms() < deadline) {
		link_wait(k->l, 100, &ev);
		if (ev.type == LINK_READY)
			return 0;
		if (ev.type == LINK_ERROR)
			return err_set(err, ev.code, "%s", ev.msg);
		if (ev.type == LINK_GONE)
			return err_set(err, ESRCH, "the target's process has ended");
		if (ev.type == LINK_CLOSED)
			return err_set(err, EPIPE, "the capture worker %s", ev.msg[0] ? ev.msg : "has ended");
		if (ev.type == LINK_BLOCK)
			take_state(k, ev.block);
		block_unref(ev.block);
	}
	return err_set(err, ETIMEDOUT, "the capture did not start within %d s", OPEN_MS / 1000);
}

static int open_worker(struct cap *k, struct err *err)
{
	static const struct row_type *const types[] = { &packet_row_type, &capture_row_type };
	struct capture_params params;
	int r = make_params(k->c, k->c->o->file != NULL, &params, err);

	if (r < 0)
		return r;
	k->paused = params.paused;
	k->l = session_open(k->c->session, &capture_source, &k->c->ref, &params, sizeof params, err);
	if (!k->l)
		return -EPIPE;
	link_expect(k->l, types, ARRAY_LEN(types));
	return wait_ready(k, err);
}

static uint32_t file_format(const struct options *o)
{
	size_t n = strlen(o->file);

	if (o->file_format == OPTIONS_FILE_AUTO)
		return n > 5 && strcmp(o->file + n - 5, ".pcap") == 0 ? CAPTURE_PCAP : CAPTURE_PCAPNG;
	return o->file_format == OPTIONS_FILE_PCAP ? CAPTURE_PCAP : CAPTURE_PCAPNG;
}

/* The file is in place before the first packet is taken. Made only now, so that a bad filter leaves no empty file. */
static int start(struct cap *k, struct err *err)
{
	int r = open_file(k, err);
	uint32_t format;

	if (r < 0 || k->save < 0)
		return r;
	format = file_format(k->c->o);
	r = link_request(k->l, TAG_SAVE, CAPTURE_OP_SAVE, &format, sizeof format, k->save);
	if (r == 0)
		r = link_request(k->l, TAG_START, CAPTURE_OP_START, NULL, 0, -1);
	if (strcmp(k->c->o->file, "-") != 0)
		fd_closep(&k->save); /* the worker has its own */
	return r < 0 ? err_set(err, -r, "start the capture") : 0;
}

static int open_writer(struct cap *k, struct err *err)
{
	struct writer_options o;
	bool to_pipe = k->c->o->file && strcmp(k->c->o->file, "-") == 0;
	int r;

	k->prints = !k->c->o->file || k->c->o->verbose;
	cli_writer_options(k->c, &o);
	o.stream = true;
	r = writer_new(&o, &packet_row_type, to_pipe ? STDERR_FILENO : k->c->out, &k->w, err);
	cli_complete(k->c);
	if (r == 0)
		writer_head(k->w, k->c->time_ns, k->c->host, k->c->targets, k->c->target);
	k->t = table_new(&packet_row_type);
	return r;
}

/* --- printing --- */

static void ask_page(struct cap *k)
{
	struct capture_page page = { .count = PAGE, .by_number = 1 };

	if (!k->prints || k->asked || k->now.last == ROW_NO_UINT || k->now.last < k->next)
		return;
	page.from = k->next;
	k->asked = link_request(k->l, TAG_PAGE, CAPTURE_OP_PAGE, &page, sizeof page, -1) == 0;
}

static bool is_new(const struct block *b, const void *row, void *arg)
{
	const struct cap *k = arg;

	(void)b;
	return ((const struct packet_row *)row)->number >= k->next;
}

static void take_page(struct cap *k, struct block *b)
{
	const struct packet_row *last = block_row(b, block_count(b) - 1);

	k->asked = false;
	if (!last || last->number < k->next)
		return;
	table_set_keep(k->t, is_new, k);
	table_set_block(k->t, b);
	k->missed += ((const struct packet_row *)table_at(k->t, 0))->number - k->next;
	k->printed += table_count(k->t);
	k->next = last->number + 1;
	writer_rows(k->w, k->t);
}

/* --- running --- */

static void worker_left(struct cap *k, const char *how)
{
	char msg[256];

	snprintf(msg, sizeof msg, "the capture worker %s: what it had is lost, start again", how[0] ? how : "has ended");
	cli_error(k->c, CLI_PARTIAL, 0, msg);
}

static void take_event(struct cap *k, struct link_event *ev)
{
	if (ev->type == LINK_BLOCK && ev->row_type == &packet_row_type)
		take_page(k, ev->block);
	else if (ev->type == LINK_BLOCK)
		take_state(k, ev->block);
	else if (ev->type == LINK_ERROR)
		cli_error(k->c, cli_status_of(ev->code), ev->code, ev->msg);
	else if (ev->type == LINK_GONE)
		cli_error(k->c, CLI_PARTIAL, 0, "the target has ended: the capture ends with it");
	else if (ev->type == LINK_CLOSED && !k->ended)
		worker_left(k, ev->msg);
	if (ev->type == LINK_CLOSED || (ev->type == LINK_ERROR && ev->tag == TAG_PAGE))
		k->asked = false;
	k->closed = k->closed || ev->type == LINK_CLOSED;
	if (ev->type == LINK_GONE || ev->type == LINK_CLOSED || (ev->type == LINK_ERROR && ev->tag != TAG_PAGE))
		k->ended = true;
	block_unref(ev->block);
}

static void drain(struct cap *k)
{
	struct link_event ev;

	do {
		link_read(k->l, &ev);
		take_event(k, &ev);
	} while (ev.type != LINK_NOTHING && !k->closed);
}

/* Everything the worker has is printed. */
static bool is_drained(const struct cap *k)
{
	return !k->prints || (!k->asked && k->now.last < k->next);
}

static void stop(struct cap *k)
{
	if (!k->stopping && !k->ended)
		link_request(k->l, TAG_STOP, CAPTURE_OP_STOP, NULL, 0, -1);
	k->stopping = true;
}

/* Runs until ^C, --for, -c, the reader's or the target's end. */
static void run(struct cap *k, int signals)
{
	struct pollfd p[3] = { { .fd = link_fd(k->l), .events = POLLIN }, { .fd = signals, .events = POLLIN }, { .fd = k->c->out } };
	uint64_t end = k->c->o->for_ms ? loop_now_ms() + k->c->o->for_ms : UINT64_MAX;

	while (!k->closed && !(k->ended && is_drained(k))) {
		uint64_t now = loop_now_ms();

		if (now >= end) {
			if (k->stopping && !k->saving)
				return; /* the worker does not answer */
			stop(k);
			end = now + STOP_MS;
		}
		poll(p, 3, end == UINT64_MAX ? -1 : (int)(end - now < 60000 ? end - now : 60000));
		k->reader_left = (p[2].revents & (POLLERR | POLLNVAL)) || writer_failed(k->w) == -EPIPE;
		if (k->reader_left || writer_failed(k->w) < 0)
			return;
		if (p[1].revents) {
			struct signalfd_siginfo info;

			while (read(signals, &info, sizeof info) > 0)
				k->saving = k->saving && !k->stopping; /* a second ^C does not wait for the disk */
			end = 0;
		}
		if (p[0].revents)
			drain(k);
		if (k->now.head.flags & CAPTURE_CANNOT_SAVE && !k->stopping)
			end = 0; /* what comes from now on would go nowhere */
		ask_page(k);
	}
}

/* As tcpdump does at its end, and as errors[] when packets are missing. */
static void report(struct cap *k)
{
	char msg[128];

	fprintf(stderr, "%llu packets captured\n", (unsigned long long)(k->now.received == ROW_NO_UINT ? 0 : k->now.received));
	fprintf(stderr, "%llu packets dropped by kernel\n", (unsigned long long)(k->now.dropped == ROW_NO_UINT ? 0 : k->now.dropped));
	if (k->c->o->file)
		fprintf(stderr, "%llu packets written\n", (unsigned long long)(k->now.saved == ROW_NO_UINT ? 0 : k->now.saved));
	if (k->now.dropped && k->now.dropped != ROW_NO_UINT) {
		snprintf(msg, sizeof msg, "%llu packets dropped by the kernel: a narrower filter or -s 128 helps",
			(unsigned long long)k->now.dropped);
		cli_error(k->c, CLI_PARTIAL, 0, msg);
	}
	if (k->missed) {
		snprintf(msg, sizeof msg, "%llu packets came faster than they could be printed: -w FILE keeps all",
			(unsigned long long)k->missed);
		cli_error(k->c, CLI_PARTIAL, 0, msg);
	}
	if (k->note[0])
		cli_error(k->c, CLI_PARTIAL, 0, k->note);
}

static int capture(struct cap *k, struct err *err)
{
	AUTO(fd_closep) int signals = -1;
	int r = open_writer(k, err);

	if (r == 0)
		r = open_worker(k, err);
	if (r == 0)
		r = start(k, err);
	if (r < 0)
		return r;
	signals = cli_signals();
	say_start(k);
	run(k, signals);
	if (k->reader_left)
		return 0;
	if (k->started)
		report(k);
	if (k->prints || k->c->o->format == WRITER_JSON)
		r = k->c->o->file && !k->prints ? 0 : writer_end(k->w, k->c->errors, k->c->n_errors);
	return r == 0 || r == -EPIPE ? 0 : err_set(err, -r, "write to standard output");
}

void cli_cap(struct cli *c)
{
	struct cap k = { .c = c, .save = -1, .next = 1, .now = { .last = 0, .first = 1 } };
	struct err err = { 0 };

	if (!cli_find(c, CLI_WANTS_REF))
		return;
	if (capture(&k, &err) < 0)
		cli_error_err(c, cli_status_of(err.code), &err);
	link_free(k.l);
	fd_closep(&k.save);
	writer_free(k.w);
	table_free(k.t);
}
