/* nsdbg dns: a lookup as the target's own libc would make it, in the notation of dig. */
#include "tui/cli.h"

#include "core/dns/ask.h"
#include "core/dns/compare.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/files.h"
#include "tui/cli_names.h"
#include "tui/dns_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FILES_MS = 2000, /* a dead mount holds its reader for ever */
	MAX_DEADLINE_MS = 600000,
};

struct lookup {
	struct cli *c;
	struct dns_words words;
	struct link *worker;
	struct dns_request request; /* without a name */
	uint8_t *told; /* by position: what rows the name has, TOLD_* */
};

enum { TOLD_DATA = 1, TOLD_REPLY = 2, TOLD_NO_NAME = 4 /* it could not even be asked for */ };

/* --- asking --- */

/* The target's resolver files; without them the defaults of resolv.conf(5) hold, and we say so. */
struct block *cli_read_files(struct cli *c)
{
	struct err err = { 0 };
	struct link *l = session_open(c->session, &files_source, &c->ref, NULL, 0, &err);
	struct block *files = NULL;

	if (l && cli_wait(c, l, &file_row_type, loop_now_ms() + FILES_MS, &files, &err) == 0) {
		link_free(l);
		return files;
	}
	link_free(l); /* if it hangs in the kernel, it stays behind and we do not */
	cli_error_err(c, CLI_PARTIAL, &err);
	return NULL;
}

static void fill_request(struct lookup *q, const struct block *files)
{
	struct dns_request *r = &q->request;

	dns_request_as(files, (enum dns_libc)q->c->o->libc, r);
	r->flags |= q->words.flags;
	r->port = (uint16_t)q->c->o->port;
	r->deadline_ms = q->c->o->timeout_ms < MAX_DEADLINE_MS ? (uint32_t)q->c->o->timeout_ms : MAX_DEADLINE_MS;
	if (q->words.has_server) { /* like dig: that server is asked, no file answers for it */
		r->servers[0] = q->words.server;
		r->n_servers = 1;
		r->flags |= DNS_NO_HOSTS;
		r->libc = q->c->o->libc;
	}
}

/* One name. */
static struct block *ask(struct lookup *q, const struct block *files)
{
	const struct dns_word *w = &q->words.names[0];
	struct cli *c = q->c;
	struct block *b;
	struct err err = { 0 };
	int r = -EPIPE;

	memcpy(q->request.name, w->name, strlen(w->name) + 1);
	memcpy(q->request.types, w->types, sizeof q->request.types);
	b = q->request.flags & DNS_NO_HOSTS ? NULL : dns_answer_from_files(files, &q->request);
	if (b)
		return b;
	if (link_request(q->worker, 1, DNS_OP_ASK, &q->request, sizeof q->request, -1) == 0)
		r = cli_wait(c, q->worker, &dns_row_type, cli_deadline(c) + 1000, &b, &err); /* the worker ends by itself first */
	if (r < 0)
		cli_error_err(c, cli_status_of(err.code), &err);
	return b ? dns_answer_complete(files, &q->request, b) : NULL;
}

/* --- printing --- */

/* Only words in capitals come from a reply: NOERROR, NXDOMAIN, RCODE12. */
static bool is_reply(const struct block *b, const struct dns_row *row)
{
	struct text t = block_text(b, row->rcode);

	return t.n > 0 && t.p[0] >= 'A' && t.p[0] <= 'Z';
}

static bool has_data(const struct dns_row *row)
{
	return row->data.len != UINT32_MAX;
}

static size_t place(const struct lookup *q, const struct dns_row *row)
{
	return q->words.is_list && row->position - 1 < q->words.n_names ? (size_t)row->position - 1 : 0;
}

/* What each name's rows come to. */
static void read_rows(struct lookup *q, const struct block *b)
{
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dns_row *d = block_row(b, i);
		uint8_t *told = &q->told[place(q, d)];

		if (d->section == DNS_SECTION_ANSWER && has_data(d))
			*told |= TOLD_DATA;
		if (is_reply(b, d))
			*told |= TOLD_REPLY;
		if (d->section == DNS_SECTION_ANSWER && d->server.len == UINT32_MAX)
			*told |= TOLD_NO_NAME;
	}
}

/* Steps and further sections are for -v. A type without records says nothing beside one that has some. */
static bool keep_row(const struct block *b, const void *row, void *arg)
{
	const struct dns_row *d = row;
	const struct lookup *q = arg;
	const struct options *o = q->c->o;
	bool is_table = o->format == WRITER_TABLE || o->format == WRITER_WIDE;

	(void)b;
	if (o->verbose || (q->words.is_trace && d->section == DNS_SECTION_STEP))
		return true;
	if (d->section != DNS_SECTION_ANSWER && (has_data(d) || d->section == DNS_SECTION_STEP))
		return false;
	return has_data(d) || !(q->told[place(q, d)] & TOLD_DATA) || !is_table;
}

static bool print_short(const struct lookup *q, const struct block *b)
{
	char clean[8192];

	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dns_row *d = block_row(b, i);

		if (d->section != DNS_SECTION_ANSWER || !has_data(d))
			continue;
		text_clean(clean, sizeof clean, block_text(b, d->data), q->c->o->ascii ? TEXT_ASCII : TEXT_UTF8);
		puts(clean);
	}
	return fflush(stdout) == 0;
}

/* How many names have none of the bits; the first of them goes to *ret_name. */
static size_t count_without(const struct lookup *q, unsigned bits, const char **ret_name)
{
	size_t n = 0;

	for (size_t i = q->words.n_names; i-- > 0;)
		if (!(q->told[i] & bits)) {
			*ret_name = q->words.names[i].name;
			n++;
		}
	return n;
}

/* No reply to anything is exit 6, no reply to some a partial result, and so is a name that is none. */
static void say_silent(struct lookup *q)
{
	const char *name = "", *bad = "";
	size_t n = count_without(q, TOLD_REPLY | TOLD_NO_NAME, &name), all = q->words.n_names;
	size_t n_bad = count_without(q, TOLD_REPLY, &bad) - n;
	char msg[DNS_NAME_TEXT + 96];

	if (n_bad) {
		snprintf(msg, sizeof msg, "%zu of %zu are no names: see the rcode column", n_bad, all);
		cli_error(q->c, n_bad == all ? CLI_USAGE : CLI_PARTIAL, 0, msg);
	}
	if (n == 0)
		return;
	if (n == 1)
		snprintf(msg, sizeof msg, "no reply for %s: see the rcode column for each server, +tcp and @SERVER ask another way", name);
	else
		snprintf(msg, sizeof msg, "no reply for %zu of %zu names, the first is %.60s: see the rcode column", n, all, name);
	cli_error(q->c, n == all ? CLI_TIMEOUT : CLI_PARTIAL, ETIMEDOUT, msg);
}

static void print_rows(struct lookup *q, struct block *b)
{
	struct cli_print p = { .type = &dns_row_type, .first_word = OPTIONS_MAX_WORDS, .keep = keep_row, .arg = q };
	AUTO(block_unrefp) struct block *named = NULL;

	cli_complete(q->c);
	p.block = named = dns_name_targets(b, q->c->targets);
	cli_print(q->c, &p);
}

/* Lines of JSON leave as the answers come. */
static void print_early(struct cli *c, struct block *rows, void *arg)
{
	(void)c;
	read_rows(arg, rows);
	print_rows(arg, rows);
}

static void answer(struct lookup *q, const struct block *files)
{
	bool is_early = q->words.is_list && q->c->o->format == WRITER_NDJSON;
	struct cli_names names = { .worker = q->worker, .words = &q->words, .as = &q->request, .files = files,
		.each = is_early ? print_early : NULL, .arg = q };
	AUTO(block_unrefp) struct block *b = NULL;

	fill_request(q, files);
	b = q->words.is_list ? cli_names_ask(q->c, &names) : ask(q, files);
	if (!b)
		return;
	read_rows(q, b);
	say_silent(q);
	if (q->c->o->compare)
		cli_compare(q->c, &q->request, files, b);
	else if (q->words.is_short && (q->c->o->format == WRITER_TABLE || q->c->o->format == WRITER_WIDE))
		print_short(q, b);
	else if (!is_early)
		print_rows(q, b);
}

static bool parse(struct lookup *q)
{
	struct cli_print p = { .type = q->c->o->compare ? &dns_compare_row_type : &dns_row_type, .first_word = OPTIONS_MAX_WORDS };
	struct err err = { 0 };

	if (dns_words_parse(q->c->o, &q->words, &err) < 0) {
		cli_error_err(q->c, CLI_USAGE, &err);
		return false;
	}
	if (q->words.is_list && q->c->o->libc != DNS_LIBC_NONE) {
		cli_error(q->c, CLI_USAGE, EINVAL, "--libc replays one name at a time, not a list");
		return false;
	}
	if (q->c->o->compare && (q->words.is_list || q->words.has_server || q->words.is_short)) {
		cli_error(q->c, CLI_USAGE, EINVAL, "--compare takes one name, and asks all servers by itself");
		return false;
	}
	return cli_check(q->c, &p) && (!q->c->o->names || cli_names_read(q->c, &q->words));
}

/* The worker that asks is on its way while the files are read. */
static void look_up(struct lookup *q)
{
	bool needs_files = q->c->o->compare || !q->words.has_server || !dns_words_are_absolute(&q->words);
	AUTO(block_unrefp) struct block *files = NULL;
	struct err err = { 0 };

	q->worker = session_open(q->c->session, &dns_source, &q->c->ref, NULL, 0, &err);
	if (!q->worker) {
		cli_error_err(q->c, cli_status_of(err.code), &err);
		return;
	}
	q->told = fd_xcalloc(q->words.n_names, 1);
	files = needs_files ? cli_read_files(q->c) : NULL;
	answer(q, files);
	free(q->told);
	link_free(q->worker);
}

void cli_dns(struct cli *c)
{
	struct lookup q = { .c = c };

	if (c->o->watch) {
		cli_dnswatch(c);
		return;
	}
	if (c->o->by || c->o->count || c->o->for_ms) {
		cli_error(c, CLI_USAGE, EINVAL, "--by, --count and --for go with --watch: nsdbg dns TARGET --watch");
		return;
	}
	if (parse(&q) && cli_find(c, q.words.is_short ? CLI_WANTS_REF : CLI_WANTS_NAMES))
		look_up(&q);
	dns_words_done(&q.words);
}
