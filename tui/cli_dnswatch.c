/*
 * nsdbg dns T --watch: the questions asked in there with what came of them, as they come to their end; at the end the findings. The worker
 * keeps and judges; this side fetches what is new, finds owners for sockets, and prints.
 */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/sockets.h"
#include "core/table.h"
#include "tui/dns_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAG_ROWS = 2, TAG_STOP = 3, TAG_LAST = 4, OPEN_MS = 5000, END_MS = 3000 };

struct watch {
	struct cli *c;
	struct link *l, *owners;
	struct dns_wire_owners sockets;
	struct dnswatch_stale stale;
	const struct row_type *type; /* of what is printed */
	struct writer *w;
	struct table *t;
	struct dnswatch_row now; /* newest state; its texts are gone */
	char note[192];
	bool asked; /* rows are under way */
	bool asked_all; /* also those that wait for their owner */
	bool closed, gone; /* the worker, the target */
	bool over; /* enough, or nothing more will come */
	bool reader_left;
	uint64_t since; /* rows fetched up to here */
	uint64_t printed;
	bool rest; /* rows that still wait are being fetched */
};

static const struct row_type *type_of(const struct options *o)
{
	static const struct row_type *const types[] = { &dnswatch_question_type, &dnswatch_name_type, &dnswatch_search_type };

	return types[o->by];
}

static bool is_live(const struct watch *k)
{
	return k->type == &dnswatch_question_type;
}

static bool is_table(const struct watch *k)
{
	return k->c->o->format == WRITER_TABLE || k->c->o->format == WRITER_WIDE;
}

/* --- opening --- */

static int wait_ready(struct watch *k, struct err *err)
{
	uint64_t deadline = loop_now_ms() + OPEN_MS;
	struct link_event ev;

	while (loop_now_ms() < deadline) {
		link_wait(k->l, 100, &ev);
		block_unref(ev.block);
		if (ev.type == LINK_BLOCK || ev.type == LINK_READY)
			return 0;
		if (ev.type == LINK_ERROR)
			return err_set(err, ev.code, "%s", ev.msg);
		if (ev.type == LINK_GONE)
			return err_set(err, ESRCH, "the target's process has ended");
		if (ev.type == LINK_CLOSED)
			return err_set(err, EPIPE, "the worker that watches DNS %s", ev.msg[0] ? ev.msg : "has ended");
	}
	return err_set(err, ETIMEDOUT, "the watch did not start within %d s", OPEN_MS / 1000);
}

static int open_workers(struct watch *k, struct err *err)
{
	AUTO(block_unrefp) struct block *files = cli_read_files(k->c);
	struct dnswatch_params params;
	struct err ignored;

	dns_wire_params(files, (uint16_t)k->c->o->port, &params);
	k->l = session_open(k->c->session, &dnswatch_source, &k->c->ref, &params, sizeof params, err);
	if (!k->l)
		return -EPIPE;
	link_expect(k->l, dns_wire_types, DNS_WIRE_TYPES);
	k->owners = session_open(k->c->session, &owners_source, &k->c->ref, NULL, 0, &ignored); /* without it nobody has a name */
	return wait_ready(k, err);
}

static int open_writer(struct watch *k, struct err *err)
{
	struct writer_options o;
	char filter[1200] = "";
	size_t n = 0;
	int r;

	cli_writer_options(k->c, &o);
	o.stream = is_live(k);
	r = writer_new(&o, k->type, k->c->out, &k->w, err);
	if (r == 0)
		writer_head(k->w, k->c->time_ns, k->c->host, k->c->targets, k->c->target);
	k->t = table_new(k->type);
	for (unsigned i = 1; i < k->c->o->n_words && n < sizeof filter; i++)
		n += (size_t)snprintf(filter + n, sizeof filter - n, " %s", k->c->o->words[i]);
	return r == 0 ? table_filter(k->t, filter, NULL, err) : r;
}

/* --- rows --- */

static void fetch(struct watch *k, uint32_t tag, uint32_t op)
{
	struct dnswatch_fetch f = { .since = k->since, .now = k->over, .all = k->rest };

	if (link_request(k->l, tag, op, op == DNSWATCH_OP_QUESTIONS ? &f : NULL, op == DNSWATCH_OP_QUESTIONS ? sizeof f : 0, -1) == 0)
		k->asked = true;
	k->asked_all = k->over;
}

static void fetch_news(struct watch *k)
{
	if (!k->asked && !k->closed && k->now.settled > k->since)
		fetch(k, TAG_ROWS, DNSWATCH_OP_QUESTIONS);
}

/* As many rows as may still be printed. */
static bool within_count(const struct block *b, const void *row, void *arg)
{
	const struct watch *k = arg;

	(void)b;
	if (k->rest && ((const struct dnswatch_question *)row)->state != DNSWATCH_WAITING)
		return false;
	return k->c->o->count == 0 || k->printed < k->c->o->count;
}

static struct block *take_first(const struct block *b, const struct row_type *type, const struct table *t, uint64_t n)
{
	struct builder *builder = builder_new(type);
	struct block *ret;

	for (uint32_t i = 0; i < table_count(t) && i < n; i++)
		builder_copy_row(builder, b, table_at(t, i));
	ret = builder_block(builder);
	builder_free(builder);
	return ret;
}

static void print_rows(struct watch *k, struct block *b)
{
	uint64_t left = k->c->o->count ? k->c->o->count - k->printed : UINT64_MAX;

	table_set_keep(k->t, within_count, k);
	table_set_block(k->t, b);
	if (table_count(k->t) > left) {
		AUTO(block_unrefp) struct block *first = take_first(b, k->type, k->t, left);

		table_set_block(k->t, first);
	}
	if (table_count(k->t) == 0)
		return;
	k->printed += table_count(k->t);
	writer_rows(k->w, k->t);
}

/* Rows come in the order of their end; `since` counts those. */
static void take_questions(struct watch *k, const struct block *b)
{
	AUTO(block_unrefp) struct block *named = dnswatch_name_targets(b, k->c->targets);
	const struct dnswatch_question *last = block_row(b, block_count(b) - 1);

	if (!k->rest) {
		k->since = last ? last->settled : k->asked_all ? k->now.settled : k->since; /* what is not here by then has left the table */
		dnswatch_stale_count(&k->stale, b, k->c->targets, k->c->networks, k->c->target, 0);
	}
	if (is_live(k))
		print_rows(k, named);
}

static void take_state(struct watch *k, const struct block *b)
{
	const struct dnswatch_row *row = block_row(b, 0);
	struct text note;

	if (!row)
		return;
	k->now = *row;
	note = block_text(b, row->note);
	if (note.n)
		snprintf(k->note, sizeof k->note, "%.*s", (int)note.n, note.p);
}

static void take_block(struct watch *k, struct link_event *ev)
{
	if (ev->row_type == &dnswatch_row_type) {
		take_state(k, ev->block);
	} else if (ev->row_type == &dnswatch_socket_type) {
		dns_wire_want(&k->sockets, ev->block);
	} else if (ev->row_type == &dnswatch_question_type) {
		k->asked = false;
		take_questions(k, ev->block);
	}
}

static void drain(struct watch *k)
{
	struct link_event ev;

	do {
		link_read(k->l, &ev);
		if (ev.type == LINK_BLOCK)
			take_block(k, &ev);
		else if (ev.type == LINK_ERROR)
			cli_error(k->c, cli_status_of(ev.code), ev.code, ev.msg);
		else if (ev.type == LINK_GONE)
			k->gone = k->over = true;
		else if (ev.type == LINK_CLOSED)
			k->closed = k->over = true;
		block_unref(ev.block);
	} while (ev.type != LINK_NOTHING && !k->closed);
}

static void drain_owners(struct watch *k)
{
	struct link_event ev;

	link_read(k->owners, &ev);
	if (ev.type == LINK_BLOCK && ev.tag == 1)
		dns_wire_tell(&k->sockets, ev.block, k->l);
	block_unref(ev.block);
	if (ev.type == LINK_CLOSED) {
		link_free(k->owners);
		k->owners = NULL;
	}
}

/* --- running --- */

/* Until ^C, --for, -c, or the reader's, the target's or the worker's end. A row that waits for its owner is asked for again. */
static void run(struct watch *k, int signals)
{
	uint64_t end = k->c->o->for_ms ? loop_now_ms() + k->c->o->for_ms : UINT64_MAX;

	while (!k->over) {
		struct pollfd p[4] = { { .fd = link_fd(k->l), .events = POLLIN }, { .fd = signals, .events = POLLIN }, { .fd = k->c->out },
			{ .fd = k->owners ? link_fd(k->owners) : -1, .events = POLLIN } };
		uint64_t now = loop_now_ms(), left = end > now ? end - now : 0, most = k->now.settled > k->since ? 100 : 60000;

		if (left == 0)
			break;
		poll(p, 4, (int)(left < most ? left : most));
		k->reader_left = (p[2].revents & (POLLERR | POLLNVAL)) || writer_failed(k->w) == -EPIPE;
		if (k->reader_left || p[1].revents || writer_failed(k->w) < 0)
			break;
		if (p[0].revents)
			drain(k);
		if (p[3].revents)
			drain_owners(k);
		dns_wire_ask(&k->sockets, k->owners);
		fetch_news(k);
		k->over = k->over || (k->c->o->count && k->printed >= k->c->o->count);
	}
	k->over = true;
}

/* The last packets, then what is left of the rows: those that came to an end, and those that still wait. */
static void finish(struct watch *k)
{
	uint64_t until = loop_now_ms() + END_MS;
	bool stopped = false;
	struct link_event ev;

	if (!k->closed && link_request(k->l, TAG_STOP, DNSWATCH_OP_STOP, NULL, 0, -1) < 0)
		return;
	while (!k->closed && loop_now_ms() < until && !(stopped && !k->asked && k->rest)) {
		link_wait(k->l, 100, &ev);
		stopped = stopped || (ev.type == LINK_BLOCK && ev.tag == TAG_STOP);
		if (ev.type == LINK_BLOCK)
			take_block(k, &ev);
		k->closed = ev.type == LINK_CLOSED;
		block_unref(ev.block);
		if (stopped && k->now.settled > k->since) {
			fetch_news(k);
		} else if (stopped && !k->asked && !k->rest) {
			k->rest = true;
			fetch(k, TAG_ROWS, DNSWATCH_OP_QUESTIONS);
		}
	}
}

/* One kind of row out of the worker's tables; NULL: it has ended. */
static struct block *last_rows(struct watch *k, uint32_t op, const struct row_type *type)
{
	struct block *b = NULL;
	struct err err = { 0 };

	if (k->closed || link_request(k->l, TAG_LAST, op, NULL, 0, -1) < 0)
		return NULL;
	if (cli_wait(k->c, k->l, type, loop_now_ms() + END_MS, &b, &err) < 0)
		cli_error_err(k->c, CLI_PARTIAL, &err);
	return b;
}

/* --- the end --- */

static void say(const struct watch *k, const char *before, struct text t)
{
	char clean[2048];

	text_clean(clean, sizeof clean, t, k->c->o->ascii ? TEXT_ASCII : TEXT_UTF8);
	printf("%s%s\n", before, clean);
}

static void print_findings(const struct watch *k, const struct block *b)
{
	static const char *const signs[2][2] = { { "▲ ", "✗ " }, { "! ", "X " } };
	struct text item;

	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dnswatch_finding *f = block_row(b, i);

		printf(i ? "" : "\n");
		say(k, f->head.severity < SEVERITY_WARN ? "  " : signs[k->c->o->ascii][f->head.severity == SEVERITY_BAD], block_text(b, f->text));
		for (uint32_t n = 0; block_list_item(b, f->evidence, n, &item); n++)
			say(k, "    ", item);
		say(k, "    remedy: ", block_text(b, f->remedy));
	}
	fflush(stdout);
}

static void report(struct watch *k)
{
	const struct dnswatch_row *n = &k->now;
	char msg[128];

	fprintf(stderr, "%llu questions: %llu answered, %llu unanswered, %llu NXDOMAIN, %llu failed, %llu asked again\n",
		(unsigned long long)n->asked, (unsigned long long)n->answered, (unsigned long long)(n->unanswered + n->unreachable + n->late),
		(unsigned long long)n->nxdomain, (unsigned long long)n->failed, (unsigned long long)n->retried);
	if (n->waiting)
		fprintf(stderr, "%llu still waiting for an answer\n", (unsigned long long)n->waiting);
	if (n->dropped) {
		snprintf(msg, sizeof msg, "%llu packets dropped by the kernel: some answers may be missing", (unsigned long long)n->dropped);
		cli_error(k->c, CLI_PARTIAL, 0, msg);
	}
	if (n->missed) {
		snprintf(msg, sizeof msg, "%llu questions came faster than they could be followed", (unsigned long long)n->missed);
		cli_error(k->c, CLI_PARTIAL, 0, msg);
	}
	if (k->gone)
		cli_error(k->c, CLI_PARTIAL, 0, "the target has ended: the watch ends with it");
	else if (k->closed)
		cli_error(k->c, CLI_PARTIAL, 0, "the worker that watches DNS has ended: what it had is lost, start again");
}

static int print_end(struct watch *k, struct err *err)
{
	AUTO(block_unrefp) struct block *findings = last_rows(k, DNSWATCH_OP_FINDINGS, &dnswatch_finding_type);
	AUTO(block_unrefp) struct block *all = dnswatch_findings_join(findings, &k->stale);
	AUTO(block_unrefp) struct block *names = last_rows(k, DNSWATCH_OP_NAMES, &dnswatch_name_type);
	AUTO(block_unrefp) struct block *searches = last_rows(k, DNSWATCH_OP_SEARCHES, &dnswatch_search_type);
	struct block *rows = k->type == &dnswatch_name_type ? names : searches;
	int r;

	if (!is_live(k) && rows)
		print_rows(k, rows);
	report(k);
	if (names && is_live(k))
		writer_more(k->w, "names", names);
	if (searches && is_live(k))
		writer_more(k->w, "searches", searches);
	writer_more(k->w, "findings", all);
	r = writer_end(k->w, k->c->errors, k->c->n_errors);
	if (r == 0 && is_table(k))
		print_findings(k, all);
	return r == 0 || r == -EPIPE ? 0 : err_set(err, -r, "write to standard output");
}

static int watch(struct watch *k, struct err *err)
{
	AUTO(fd_closep) int signals = -1;
	int r = open_writer(k, err);

	if (r == 0)
		r = open_workers(k, err);
	if (r < 0)
		return r;
	signals = cli_signals();
	if (isatty(STDERR_FILENO))
		fputs("watching DNS, ^C ends\n", stderr);
	run(k, signals);
	if (k->reader_left)
		return 0;
	finish(k);
	return print_end(k, err);
}

void cli_dnswatch(struct cli *c)
{
	struct watch k = { .c = c, .type = type_of(c->o) };
	struct cli_print p = { .type = k.type, .first_word = 1 };
	struct err err = { 0 };

	if (c->o->port > 65535) {
		cli_error(c, CLI_USAGE, EINVAL, "a port is at most 65535");
		return;
	}
	if (!cli_check(c, &p) || !cli_target(c))
		return;
	if (watch(&k, &err) < 0)
		cli_error_err(c, cli_status_of(err.code), &err);
	link_free(k.l);
	link_free(k.owners);
	writer_free(k.w);
	table_free(k.t);
}
