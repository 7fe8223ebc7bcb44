/* nsdbg dns: a lookup as the target's own libc would make it, in the notation of dig. */
#include "tui/cli.h"

#include "core/dns/ask.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FILES_MS = 2000, /* a dead mount holds its reader for ever */
	MAX_DEADLINE_MS = 600000,
};

struct lookup {
	struct cli *c;
	const char *name;
	uint16_t type; /* 0: addresses */
	struct addr server;
	bool has_server;
	bool is_short;
	uint32_t flags;
	struct dns_request request;
};

/* --- words --- */

static int parse_plus(struct lookup *q, const char *word, struct err *err)
{
	if (strcmp(word, "+short") == 0)
		q->is_short = true;
	else if (strcmp(word, "+tcp") == 0)
		q->flags |= DNS_TCP;
	else if (strcmp(word, "+nosearch") == 0)
		q->flags |= DNS_NO_SEARCH;
	else if (strcmp(word, "+norecurse") == 0)
		q->flags |= DNS_NO_RECURSE;
	else
		return err_set(err, EINVAL, "unknown \"%.30s\": there are +short, +tcp, +nosearch and +norecurse", word);
	return 0;
}

static int parse_server(struct lookup *q, const char *text, struct err *err)
{
	if (addr_parse(text, &q->server) < 0 || q->server.has_prefix || q->server.kind == ADDR_MAC)
		return err_set(err, EINVAL, "@%.60s is not an address: look the server's name up first", text);
	q->has_server = true;
	return 0;
}

/* As dig: a type is a type wherever it stands, unless it is the only name. */
static int parse_plain(struct lookup *q, const char *word, struct err *err)
{
	uint16_t type = dns_type_parse(word);

	if (type && q->name && q->type == 0) {
		q->type = type;
		return 0;
	}
	if (q->name && q->type == 0 && dns_type_parse(q->name)) {
		q->type = dns_type_parse(q->name);
		q->name = word;
		return 0;
	}
	if (q->name)
		return err_set(err, EINVAL, "\"%.30s\" is not a record type such as A, AAAA, MX, TXT, SRV, NS or TYPE65", word);
	q->name = word;
	return 0;
}

static int parse_words(struct lookup *q, struct err *err)
{
	const struct options *o = q->c->o;

	for (unsigned i = 1; i < o->n_words; i++) {
		const char *word = o->words[i];
		int r = word[0] == '+' ? parse_plus(q, word, err) :
			word[0] == '@' ? parse_server(q, word + 1, err) :
					 parse_plain(q, word, err);

		if (r < 0)
			return r;
	}
	if (o->reverse && q->name)
		return err_set(err, EINVAL, "either -x ADDR or a name");
	if (o->reverse) {
		struct addr a;

		if (addr_parse(o->reverse, &a) < 0)
			return err_set(err, EINVAL, "-x wants an address, not \"%.60s\"", o->reverse);
		q->name = o->reverse;
		q->type = dns_type_parse("PTR");
	}
	if (!q->name)
		return err_set(err, EINVAL, "dns wants a name: nsdbg dns TARGET NAME [TYPE] [@SERVER]");
	if (strlen(q->name) >= DNS_NAME_TEXT)
		return err_set(err, EINVAL, "the name is too long");
	if (o->port > 65535)
		return err_set(err, EINVAL, "a port is at most 65535");
	return 0;
}

/* --- asking --- */

/* The target's resolver files; without them the defaults of resolv.conf(5) hold, and we say so. */
static struct block *read_files(struct cli *c)
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

	dns_request_from_files(files, r);
	memcpy(r->name, q->name, strlen(q->name) + 1);
	r->types[0] = q->type ? q->type : dns_type_parse("A");
	if (!q->type)
		r->types[1] = dns_type_parse("AAAA");
	r->flags |= q->flags;
	r->port = (uint16_t)q->c->o->port;
	r->deadline_ms = q->c->o->timeout_ms < MAX_DEADLINE_MS ? (uint32_t)q->c->o->timeout_ms : MAX_DEADLINE_MS;
	if (q->has_server) { /* like dig: that server is asked, no file answers for it */
		r->servers[0] = q->server;
		r->n_servers = 1;
		r->flags |= DNS_NO_HOSTS;
	}
}

static struct block *ask(struct lookup *q, const struct block *files)
{
	struct cli *c = q->c;
	struct err err = { 0 };
	struct block *b = q->request.flags & DNS_NO_HOSTS ? NULL : dns_answer_from_files(files, &q->request);
	struct link *l;
	int r = -EPIPE;

	if (b)
		return b;
	l = session_open(c->session, &dns_source, &c->ref, NULL, 0, &err);
	if (l && link_request(l, 1, DNS_OP_ASK, &q->request, sizeof q->request, -1) == 0)
		r = cli_wait(c, l, &dns_row_type, cli_deadline(c) + 1000, &b, &err); /* the worker ends by itself first */
	link_free(l);
	if (r < 0)
		cli_error_err(c, cli_status_of(err.code), &err);
	return b;
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

struct shown {
	bool any_data;
	bool verbose;
	bool table;
};

/* Steps and further sections are for -v. A type without records says nothing beside one that has some. */
static bool keep_row(const struct block *b, const void *row, void *arg)
{
	const struct dns_row *d = row;
	const struct shown *s = arg;

	(void)b;
	if (s->verbose)
		return true;
	if (d->section != DNS_SECTION_ANSWER && (has_data(d) || d->section == DNS_SECTION_STEP))
		return false;
	return has_data(d) || !s->any_data || !s->table;
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

static void print_answer(struct lookup *q, struct block *b)
{
	const struct options *o = q->c->o;
	struct shown s = { .verbose = o->verbose, .table = o->format == WRITER_TABLE || o->format == WRITER_WIDE };
	struct cli_print p = { .type = &dns_row_type, .block = b, .first_word = OPTIONS_MAX_WORDS, .keep = keep_row, .arg = &s };
	bool replied = false;

	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct dns_row *d = block_row(b, i);

		s.any_data = s.any_data || (d->section == DNS_SECTION_ANSWER && has_data(d));
		replied = replied || is_reply(b, d);
	}
	if (!replied) {
		char msg[DNS_NAME_TEXT + 64];

		snprintf(msg, sizeof msg, "no reply for %s: see the rcode column for each server, +tcp and @SERVER ask another way", q->name);
		cli_error(q->c, CLI_TIMEOUT, ETIMEDOUT, msg);
	}
	if (q->is_short && s.table)
		print_short(q, b);
	else
		cli_print(q->c, &p);
}

void cli_dns(struct cli *c)
{
	AUTO(block_unrefp) struct block *files = NULL, *answer = NULL, *named = NULL;
	struct cli_print p = { .type = &dns_row_type, .first_word = OPTIONS_MAX_WORDS };
	struct lookup q = { .c = c };
	struct err err = { 0 };

	if (parse_words(&q, &err) < 0) {
		cli_error_err(c, CLI_USAGE, &err);
		return;
	}
	if (!cli_check(c, &p) || !cli_find(c, q.is_short ? CLI_WANTS_REF : CLI_WANTS_NAMES))
		return;
	files = read_files(c);
	fill_request(&q, files);
	answer = ask(&q, files);
	if (!answer)
		return;
	cli_complete(c);
	named = dns_name_targets(answer, c->targets);
	print_answer(&q, named);
}
