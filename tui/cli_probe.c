/*
 * nsdbg probe: tries destinations from inside a target and says what each result means. One worker a destination, all at the same
 * time; one table of results with their evidence, or a line a try when it repeats.
 */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/probe/dest.h"
#include "core/table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DESTINATIONS = 32, REPEAT_TIMEOUT_MS = 1000, GRACE_MS = 3000, MAX_TIMEOUT_MS = 600000 };

struct line {
	struct probe_params params;
	struct link *link;
	struct block *latest; /* of probe_row, named */
	bool done;
};

struct probing {
	struct cli *c;
	uint32_t kind;
	int family;
	unsigned n;
	struct line *lines;
	struct block *files;
	bool repeats;
	bool human; /* table output */
	bool interrupted;
	struct writer *w; /* streams */
	struct table *t;
};

/* --- words --- */

static uint32_t count_of(const struct options *o)
{
	if (o->count)
		return o->count > UINT32_MAX ? UINT32_MAX : (uint32_t)o->count;
	return o->interval_ms ? 0 : 1; /* -i alone: until ^C */
}

static void fill_options(const struct probing *p, struct probe_params *ret)
{
	const struct options *o = p->c->o;
	uint64_t timeout = o->timeout_ms > MAX_TIMEOUT_MS ? MAX_TIMEOUT_MS : o->timeout_ms;

	ret->count = count_of(o);
	ret->interval_ms = o->interval_ms > MAX_TIMEOUT_MS ? MAX_TIMEOUT_MS : (uint32_t)o->interval_ms;
	if (p->repeats && timeout > REPEAT_TIMEOUT_MS && timeout > ret->interval_ms && p->kind != PROBE_HTTP && p->kind != PROBE_MTU)
		timeout = ret->interval_ms > REPEAT_TIMEOUT_MS ? ret->interval_ms : REPEAT_TIMEOUT_MS;
	ret->timeout_ms = (uint32_t)timeout;
	ret->size = (uint32_t)o->size;
	ret->max_hops = (uint16_t)o->hops;
	ret->flags |= o->insecure ? PROBE_INSECURE : 0;
	ret->flags |= o->tcp ? PROBE_BY_TCP : o->icmp ? PROBE_BY_ICMP : 0;
	if (p->kind == PROBE_TRACE && !ret->port)
		ret->port = o->tcp ? 80 : 0;
}

/* \r \n \t \0 \\ \xNN, so that a shell word can hold a request. */
static int take_send(const char *text, struct probe_params *ret, struct err *err)
{
	static const char escapes[] = "rntv0\\", bytes[] = "\r\n\t\v\0\\";

	ret->n_send = 0;
	for (const char *c = text; *c; c++) {
		const char *e = *c == '\\' && c[1] ? strchr(escapes, c[1]) : NULL;
		unsigned hex;

		if (ret->n_send == PROBE_MAX_SEND)
			return err_set(err, EINVAL, "--send takes %d bytes at most", PROBE_MAX_SEND);
		if (*c == '\\' && c[1] == 'x' && c[2] && c[3] && sscanf(c + 2, "%2x", &hex) == 1) {
			ret->send[ret->n_send++] = (unsigned char)hex;
			c += 3;
		} else if (e) {
			ret->send[ret->n_send++] = (unsigned char)bytes[e - escapes];
			c++;
		} else {
			ret->send[ret->n_send++] = (unsigned char)*c;
		}
	}
	return 0;
}

static int check_options(const struct probing *p, struct err *err)
{
	const struct options *o = p->c->o;

	if (o->ip4 && o->ip6)
		return err_set(err, EINVAL, "either -4 or -6");
	if (o->size > PROBE_MAX_SIZE)
		return err_set(err, EINVAL, "--size is at most %d", PROBE_MAX_SIZE);
	if (o->hops > PROBE_MAX_HOPS)
		return err_set(err, EINVAL, "--hops is at most %d", PROBE_MAX_HOPS);
	if ((o->tcp || o->icmp) && p->kind != PROBE_TRACE)
		return err_set(err, EINVAL, "-T and -I belong to probe TARGET trace");
	if ((o->insecure || o->cacert) && p->kind != PROBE_HTTP)
		return err_set(err, EINVAL, "-k and --cacert belong to probe TARGET http");
	if (o->send && p->kind != PROBE_TCP && p->kind != PROBE_UDP)
		return err_set(err, EINVAL, "--send belongs to probe TARGET tcp and udp");
	return 0;
}

/* "probe web db:5432" is tcp, "probe web https://api" http. */
static int parse_kind(struct probing *p, unsigned *ret_first, struct err *err)
{
	const struct options *o = p->c->o;
	const char *word = o->words[1];

	*ret_first = 2;
	p->kind = dest_kind(word);
	if (p->kind == PROBE_KIND_N && strstr(word, "://"))
		p->kind = PROBE_HTTP;
	else if (p->kind == PROBE_KIND_N && strchr(word, ':'))
		p->kind = PROBE_TCP;
	else if (p->kind == PROBE_KIND_N)
		return err_set(err, EINVAL, "\"%.40s\" is not a kind of probe: tcp, udp, ping, trace, mtu or http", word);
	else if (o->n_words < 3)
		return err_set(err, EINVAL, "probe %s wants a destination: nsdbg probe TARGET %s %s", word, word,
			p->kind == PROBE_HTTP ? "URL" : p->kind == PROBE_TCP || p->kind == PROBE_UDP ? "HOST:PORT" : "HOST");
	if (dest_kind(word) == PROBE_KIND_N)
		*ret_first = 1;
	if (o->n_words - *ret_first > MAX_DESTINATIONS)
		return err_set(err, EINVAL, "at most %d destinations at once", MAX_DESTINATIONS);
	return check_options(p, err);
}

/* Before any work: the words alone. */
static int check_words(struct probing *p, unsigned first, struct err *err)
{
	struct probe_params ignored;
	struct dest d;
	int r = 0;

	for (unsigned i = first; r == 0 && i < p->c->o->n_words; i++)
		r = dest_parse(p->kind, p->c->o->words[i], &d, err);
	if (r == 0 && p->c->o->send)
		r = take_send(p->c->o->send, &ignored, err);
	return r;
}

/* --- workers --- */

static int open_ca(const struct probing *p, struct err *err)
{
	const char *path = p->c->o->cacert;
	struct stat st;
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		err_set(err, fd < 0 ? errno : EINVAL, fd < 0 ? "open %.120s" : "%.120s is not a file", path);
		fd_closep(&fd);
		return -2;
	}
	return fd;
}

static int start(struct probing *p, struct line *l, const char *text, struct err *err)
{
	struct dest_ask ask = { .kind = p->kind, .text = text, .family = p->family, .targets = p->c->targets, .own = p->c->target };
	AUTO(fd_closep) int ca = open_ca(p, err);
	struct dns_request q;
	int r;

	if (ca == -2)
		return -err->code;
	r = dest_fill(&ask, &l->params, err);
	if (r < 0)
		return r;
	fill_options(p, &l->params);
	if (p->c->o->send)
		take_send(p->c->o->send, &l->params, err);
	if (l->params.flags & PROBE_RESOLVE) {
		if (!p->files)
			p->files = cli_read_files(p->c);
		dest_look_up(p->files, p->family, &l->params, &q);
	}
	l->link = session_open(p->c->session, &probe_source, &p->c->ref, &l->params, sizeof l->params, err);
	if (!l->link)
		return -err->code;
	return link_request(l->link, 1, PROBE_OP_GO, l->params.flags & PROBE_RESOLVE ? &q : NULL,
		l->params.flags & PROBE_RESOLVE ? sizeof q : 0, ca);
}

static bool start_all(struct probing *p, unsigned first)
{
	struct err err = { 0 };

	for (unsigned i = 0; i < p->n; i++) {
		int r = start(p, &p->lines[i], p->c->o->words[first + i], &err);

		if (r == 0)
			continue;
		p->lines[i].done = true;
		cli_error_err(p->c, r == -EINVAL ? CLI_USAGE : r == -ESRCH || r == -EADDRNOTAVAIL ? CLI_NO : cli_status_of(-r), &err);
		if (r == -EINVAL)
			return false;
	}
	return true;
}

/* --- results --- */

static void print_now(struct probing *p, struct block *b)
{
	if (!p->w)
		return;
	table_set_block(p->t, b);
	writer_rows(p->w, p->t);
}

static void take_block(struct probing *p, struct line *l, struct block *b)
{
	const struct block *const one[] = { b };

	block_unref(l->latest);
	l->latest = dest_name_targets(one, 1, p->c->targets);
	block_unref(b);
	print_now(p, l->latest);
}

static void take_event(struct probing *p, struct line *l, struct link_event *ev)
{
	char msg[256];

	switch (ev->type) {
	case LINK_BLOCK:
		take_block(p, l, ev->block);
		break;
	case LINK_ERROR:
		cli_error(p->c, cli_status_of(ev->code), ev->code, ev->msg);
		l->done = true;
		break;
	case LINK_GONE:
		cli_error(p->c, CLI_PARTIAL, 0, "the target has ended: the probe ends with it");
		l->done = true;
		break;
	case LINK_CLOSED:
		snprintf(msg, sizeof msg, "the worker that probes %.120s %.60s", l->params.label, ev->msg[0] ? ev->msg : "ended without a result");
		if (!l->done && !l->latest)
			cli_error(p->c, CLI_INTERNAL, EPIPE, msg);
		l->done = true;
		break;
	case LINK_READY:
	case LINK_NOTHING:
		break;
	}
}

static bool all_done(const struct probing *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (!p->lines[i].done)
			return false;
	return true;
}

/* One that answers no more (a worker stuck in the kernel) must not hold the others' results back. */
static uint64_t deadline_of(const struct probing *p)
{
	uint64_t one = p->c->o->timeout_ms + GRACE_MS;

	if (p->repeats)
		return UINT64_MAX;
	/* A search takes many waits; each of them is bounded by the time limit. */
	return loop_now_ms() + one * (p->kind == PROBE_MTU || p->kind == PROBE_TRACE ? 8 : 2);
}

static void run(struct probing *p, int signals)
{
	uint64_t end = deadline_of(p);

	while (!all_done(p) && !p->interrupted) {
		struct pollfd fds[MAX_DESTINATIONS + 2] = { { .fd = signals, .events = POLLIN }, { .fd = p->c->out } };
		uint64_t now = loop_now_ms();
		struct link_event ev;

		if (now >= end)
			return;
		for (unsigned i = 0; i < p->n; i++)
			fds[i + 2] = (struct pollfd){ .fd = p->lines[i].done ? -1 : link_fd(p->lines[i].link), .events = POLLIN };
		poll(fds, p->n + 2, end == UINT64_MAX ? -1 : (int)(end - now < 60000 ? end - now : 60000));
		p->interrupted = fds[0].revents || (fds[1].revents & (POLLERR | POLLNVAL)) || (p->w && writer_failed(p->w) < 0);
		for (unsigned i = 0; i < p->n; i++) {
			while (fds[i + 2].revents && !p->lines[i].done) {
				link_read(p->lines[i].link, &ev);
				if (ev.type == LINK_NOTHING)
					break;
				take_event(p, &p->lines[i], &ev);
			}
		}
	}
}

/* --- printing --- */

static struct text cleaned(const struct probing *p, char *buf, size_t cap, struct text raw)
{
	return (struct text){ buf, text_clean(buf, cap, raw, p->c->o->ascii ? TEXT_ASCII : TEXT_UTF8) };
}

static void print_ms(const char *label, uint64_t us)
{
	if (us != ROW_NO_UINT)
		printf("%s %.1f ms", label, (double)us / 1000);
}

/* Rows that belong to one row, as a table of their own. */
static void print_nested(struct probing *p, const struct row_type *type, const struct block *from, struct rows rows)
{
	struct builder *b = builder_new(type);
	AUTO(block_unrefp) struct block *block = NULL;
	struct cli_print print = { .type = type, .first_word = OPTIONS_MAX_WORDS };

	for (uint32_t i = 0; i < rows.n; i++)
		builder_copy_row(b, from, block_nested(from, type, rows, i));
	block = builder_block(b);
	builder_free(b);
	print.block = block;
	cli_print(p->c, &print);
}

static void print_http(struct probing *p, const struct block *b, const struct probe_row *r)
{
	char clean[1024];

	if (r->status != ROW_NO_UINT) {
		printf("  status %" PRIu64, r->status);
		if (r->protocol.len != UINT32_MAX)
			printf("  %s", cleaned(p, clean, sizeof clean, block_text(b, r->protocol)).p);
		if (r->content_type.len != UINT32_MAX)
			printf("  %s", cleaned(p, clean, sizeof clean, block_text(b, r->content_type)).p);
		if (r->bytes != ROW_NO_UINT)
			printf("  %" PRIu64 " bytes", r->bytes);
		putchar('\n');
	}
	if (r->location.len != UINT32_MAX)
		printf("  leads to %s\n", cleaned(p, clean, sizeof clean, block_text(b, r->location)).p);
	print_ms("  connect", r->connect_us);
	print_ms("  tls", r->tls_us);
	print_ms("  first byte", r->first_byte_us);
	print_ms("  total", r->total_us);
	if (r->connect_us != ROW_NO_UINT)
		putchar('\n');
	if (r->tls_version.len != UINT32_MAX)
		printf("  %s", cleaned(p, clean, sizeof clean, block_text(b, r->tls_version)).p);
	if (r->tls_cipher.len != UINT32_MAX)
		printf("  %s", cleaned(p, clean, sizeof clean, block_text(b, r->tls_cipher)).p);
	if (r->tls_verified != ROW_NO_BOOL)
		printf("  certificate %s", r->tls_verified ? "holds" : "does not hold: ");
	if (r->tls_verified == 0)
		printf("%s", cleaned(p, clean, sizeof clean, block_text(b, r->tls_problem)).p);
	if (r->tls_version.len != UINT32_MAX)
		putchar('\n');
}

static void print_stats(const struct probe_row *r)
{
	printf("  %" PRIu64 " sent, %" PRIu64 " answered, %.0f %% lost", r->sent, r->received, r->loss);
	if (r->received) {
		printf("   min %.2f  avg %.2f", (double)r->min_us / 1000, (double)r->avg_us / 1000);
		if (r->p95_us != ROW_NO_UINT)
			printf("  p95 %.2f", (double)r->p95_us / 1000);
		if (r->p99_us != ROW_NO_UINT)
			printf("  p99 %.2f", (double)r->p99_us / 1000);
		printf("  max %.2f", (double)r->max_us / 1000);
		if (r->jitter_us != ROW_NO_UINT)
			printf("  jitter %.2f", (double)r->jitter_us / 1000);
		printf(" ms");
	}
	putchar('\n');
}

/* Below the table: what speaks for the verdict, and what only this kind knows. */
static void print_details(struct probing *p, const struct block *b, const struct probe_row *r)
{
	bool more = r->kind == PROBE_TRACE || r->kind == PROBE_HTTP || r->kind == PROBE_MTU || p->repeats || p->c->o->verbose;
	struct text item;
	char clean[1024];

	if (!more && probe_outcome(r->verdict) == PROBE_YES)
		return;
	printf("\n%s: ", cleaned(p, clean, sizeof clean, block_text(b, r->destination)).p);
	printf("%s\n", cleaned(p, clean, sizeof clean, block_text(b, r->meaning)).p);
	if (p->repeats)
		print_stats(r);
	if (r->kind == PROBE_HTTP)
		print_http(p, b, r);
	for (uint32_t i = 0; block_list_item(b, r->evidence, i, &item); i++)
		printf("  %s\n", cleaned(p, clean, sizeof clean, item).p);
	fflush(stdout);
	if (r->hops.n)
		print_nested(p, &hop_row_type, b, r->hops);
	if (r->certificates.n)
		print_nested(p, &certificate_row_type, b, r->certificates);
}

static struct block *all_rows(const struct probing *p)
{
	const struct block *blocks[MAX_DESTINATIONS];

	for (unsigned i = 0; i < p->n; i++)
		blocks[i] = p->lines[i].latest;
	return dest_name_targets(blocks, p->n, p->c->targets);
}

static void set_status(struct probing *p, const struct block *b)
{
	enum cli_status status = CLI_OK;

	for (uint32_t i = 0; i < block_count(b); i++) {
		enum probe_outcome o = probe_outcome(((const struct probe_row *)block_row(b, i))->verdict);

		if (o == PROBE_NO)
			status = CLI_NO;
		else if (o == PROBE_LATE && status == CLI_OK)
			status = CLI_TIMEOUT;
	}
	if (p->c->status == CLI_OK || (p->c->status == CLI_PARTIAL && status != CLI_OK))
		p->c->status = status;
}

static void end_stream(struct probing *p)
{
	struct err err = { 0 };
	int r = writer_end(p->w, p->c->errors, p->c->n_errors);

	if (r == 0 || r == -EPIPE)
		return;
	err_set(&err, -r, "write to standard output");
	cli_error_err(p->c, CLI_INTERNAL, &err);
}

static void report(struct probing *p)
{
	AUTO(block_unrefp) struct block *b = all_rows(p);
	struct cli_print print = { .type = &probe_row_type, .block = b, .first_word = OPTIONS_MAX_WORDS,
		.columns = p->kind == PROBE_MTU && p->human ? "destination,address,is,verdict,path_mtu,kernel_mtu,interface_mtu" : NULL };

	for (unsigned i = 0; i < p->n; i++)
		if (!p->lines[i].latest && !p->lines[i].done && !p->interrupted)
			cli_error(p->c, CLI_TIMEOUT, ETIMEDOUT, "a probe did not end within its time");
	if (p->w)
		end_stream(p);
	else
		cli_print(p->c, &print);
	for (uint32_t i = 0; p->human && i < block_count(b); i++)
		print_details(p, b, block_row(b, i));
	fflush(stdout);
	set_status(p, b);
}

/* --- all of it --- */

/* A line a try, as ping does; JSON and records say how it ended. */
static bool open_stream(struct probing *p)
{
	enum writer_format f = p->c->o->format;
	struct writer_options o;
	struct err err = { 0 };

	if (!p->repeats || f == WRITER_JSON || f == WRITER_RECORD)
		return true;
	cli_writer_options(p->c, &o);
	o.stream = true;
	if (!o.columns && p->human)
		o.columns = "at,destination,address,is,verdict,time_us,loss,avg_us,p95_us,jitter_us";
	if (writer_new(&o, &probe_row_type, p->c->out, &p->w, &err) < 0) {
		cli_error_err(p->c, CLI_USAGE, &err);
		return false;
	}
	writer_head(p->w, p->c->time_ns, p->c->host, p->c->targets, p->c->target);
	p->t = table_new(&probe_row_type);
	return true;
}

static void probe(struct probing *p, unsigned first)
{
	AUTO(fd_closep) int signals = cli_signals();

	p->n = p->c->o->n_words - first;
	p->lines = fd_xcalloc(p->n, sizeof *p->lines);
	if (open_stream(p) && start_all(p, first)) {
		run(p, signals);
		report(p);
	}
	for (unsigned i = 0; i < p->n; i++) {
		link_free(p->lines[i].link);
		block_unref(p->lines[i].latest);
	}
	free(p->lines);
	writer_free(p->w);
	table_free(p->t);
	block_unref(p->files);
}

void cli_probe(struct cli *c)
{
	enum writer_format f = c->o->format;
	struct cli_print check = { .type = &probe_row_type, .first_word = OPTIONS_MAX_WORDS };
	struct probing p = { .c = c, .family = c->o->ip4 ? 4 : c->o->ip6 ? 6 : 0, .repeats = count_of(c->o) != 1,
		.human = f == WRITER_TABLE || f == WRITER_WIDE };
	struct err err = { 0 };
	unsigned first;

	if (parse_kind(&p, &first, &err) < 0 || check_words(&p, first, &err) < 0) {
		cli_error_err(c, CLI_USAGE, &err);
		return;
	}
	if (cli_check(c, &check) && cli_target(c))
		probe(&p, first);
}
