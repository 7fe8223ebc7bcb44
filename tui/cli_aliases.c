/*
 * nsdbg hostaliases: names as a target resolves them, as a file for programs of the host: HOSTALIASES of hostname(7), where each name
 * stands for one that has its address in it, below a domain whose server reads it from there; or lines of hosts(5).
 */
#include "tui/cli.h"

#include "core/dns/ask.h"
#include "core/err.h"
#include "core/fd.h"
#include "tui/cli_names.h"
#include "tui/dns_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ALIAS = 200, MAX_DOMAIN = 150, MAX_FQDN = 253 };

static const char default_domain[] = "nip.io";

struct alias_row {
	struct row_head head;
	struct str name;
	struct str fqdn;
	struct addr address;
	struct str target;
	struct str rcode;
};

#define F(member, k) ROW_FIELD(struct alias_row, member, k)
static const struct field fields[] = {
	{ F(name, TEXT), .title = "NAME", .help = "name as it was given" },
	{ F(fqdn, TEXT), .title = "ALIAS FOR", .help = "name with the address in it; unknown with --hosts, or without an address" },
	{ F(address, ADDR), .title = "ADDRESS", .help = "what the name is in the target" },
	{ F(target, TEXT), .title = "IS", .help = "container that has this address" },
	{ F(rcode, TEXT), .title = "RCODE", .help = "response code, or why there was no valid reply" },
};
#undef F

const struct row_type cli_alias_row_type = { .name = "hostaliases", .noun = "aliases", .id = 0x616c6961, .schema = 1,
	.size = sizeof(struct alias_row), .fields = fields, .n_fields = ARRAY_LEN(fields) };

struct aliases {
	struct cli *c;
	struct dns_words words;
	char domain[MAX_DOMAIN + 1];
	struct builder *rows;
	size_t n_found, n_silent; /* names */
};

/* --- words --- */

static int take_domain(struct aliases *a, struct err *err)
{
	const char *text = a->c->o->domain ? a->c->o->domain : default_domain;
	size_t n;

	while (*text == '.' || *text == '*') /* as one writes wildcards: *.example.org */
		text++;
	n = strlen(text);
	n -= n > 0 && text[n - 1] == '.';
	if (n == 0 || n > MAX_DOMAIN || strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") < n)
		return err_set(err, EINVAL, "--domain wants a domain such as nip.io, not \"%.60s\"", text);
	snprintf(a->domain, sizeof a->domain, "%.*s", (int)n, text);
	return 0;
}

/* A line of either file is parted by blanks, and # begins a comment. */
static int check_name(const struct aliases *a, const char *name, struct err *err)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!isgraph((unsigned char)name[i]) || name[i] == '#')
			return err_set(err, EINVAL, "\"%.60s\" cannot stand in such a file: it is no name", name);
	if (n == 0 || n > MAX_ALIAS)
		return err_set(err, EINVAL, "the name is empty or too long");
	if (!a->c->o->hosts && strchr(name, '.'))
		return err_set(err, EINVAL, "the C library looks for aliases of names without a dot only, not of %.60s: use --hosts", name);
	return 0;
}

static int parse(struct aliases *a, struct err *err)
{
	int r = take_domain(a, err);

	if (r == 0)
		r = dns_words_hosts(a->c->o, &a->words, err);
	for (size_t i = 0; r == 0 && i < a->words.n_names; i++)
		r = check_name(a, a->words.names[i].name, err);
	return r;
}

/* --- rows --- */

/* "172-18-0-3", "fd00--3": the forms that nip.io and sslip.io read. */
static void address_label(const struct addr *address, char ret[ADDR_TEXT + 2])
{
	char text[ADDR_TEXT];
	size_t n;

	addr_format(address, text);
	for (char *p = text; *p; p++)
		if (*p == '.' || *p == ':')
			*p = '-';
	n = strlen(text);
	/* A label begins and ends with a letter or digit (RFC 1123 2.1). */
	snprintf(ret, ADDR_TEXT + 2, "%s%s%s", text[0] == '-' ? "0" : "", text, n && text[n - 1] == '-' ? "0" : "");
}

static bool is_label(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && (name[i] != '-' || i == 0 || i + 1 == n))
			return false;
	return n > 0 && n <= 63;
}

static void add_row(struct aliases *a, const struct block *b, const struct dns_row *from, const char *name)
{
	struct alias_row *row = builder_row(a->rows);
	struct text rcode = block_text(b, from->rcode), target = block_text(b, from->target);
	char label[ADDR_TEXT + 2], fqdn[MAX_FQDN + 1];
	uint64_t id[] = { from->head.id, builder_count(a->rows) };

	*row = (struct alias_row){ .head.id = row_hash(id, sizeof id, 0), .head.severity = SEVERITY_BAD, .fqdn = ROW_NO_TEXT,
		.address = from->address };
	row->name = builder_str(a->rows, name);
	row->rcode = builder_text(a->rows, rcode.p, rcode.n);
	row->target = builder_text(a->rows, target.p, target.n);
	if (from->address.kind == ADDR_NONE)
		return;
	row->head.severity = SEVERITY_OK;
	address_label(&from->address, label);
	snprintf(fqdn, sizeof fqdn, "%s%s%s.%s", is_label(name) ? name : "", is_label(name) ? "." : "", label, a->domain);
	if (!a->c->o->hosts)
		row->fqdn = builder_str(a->rows, fqdn);
}

/* Only words in capitals come from a reply. */
static bool is_reply(const struct block *b, const struct dns_row *row)
{
	struct text t = block_text(b, row->rcode);

	return t.n > 0 && t.p[0] >= 'A' && t.p[0] <= 'Z';
}

/* Rows of one name, [i, end): its addresses, of which an alias has but one, IPv4 first; or why there are none. */
static void take_name(struct aliases *a, const struct block *b, uint32_t i, uint32_t end)
{
	const struct dns_row *first = block_row(b, i), *none = NULL;
	const char *name = a->words.names[first->position - 1].name;
	bool replied = false;
	unsigned n = 0;

	for (uint32_t k = i; k < end; k++) {
		const struct dns_row *row = block_row(b, k);

		if (row->section != DNS_SECTION_ANSWER)
			continue;
		replied = replied || is_reply(b, row);
		none = none ? none : row;
		if (row->address.kind == ADDR_NONE || (n > 0 && !a->c->o->hosts))
			continue;
		add_row(a, b, row, name);
		n++;
	}
	a->n_found += n > 0;
	a->n_silent += n == 0 && !replied;
	if (n == 0 && none)
		add_row(a, b, none, name);
}

static void take_names(struct aliases *a, const struct block *b)
{
	for (uint32_t i = 0, end; i < block_count(b); i = end) {
		const struct dns_row *row = block_row(b, i);

		for (end = i + 1; end < block_count(b) && ((const struct dns_row *)block_row(b, end))->position == row->position;)
			end++;
		take_name(a, b, i, end);
	}
}

/* --- writing --- */

/* The file, which is the caller's to free. */
static char *file_text(const struct aliases *a, const struct block *b, size_t *ret_n)
{
	char *text = NULL, address[ADDR_TEXT];
	FILE *f = open_memstream(&text, ret_n);

	for (uint32_t i = 0; f && i < block_count(b); i++) {
		const struct alias_row *row = block_row(b, i);
		struct text name = block_text(b, row->name), fqdn = block_text(b, row->fqdn);

		if (row->address.kind == ADDR_NONE)
			continue;
		if (a->c->o->hosts)
			fprintf(f, "%s\t%.*s\n", addr_format(&row->address, address), (int)name.n, name.p);
		else
			fprintf(f, "%.*s %.*s\n", (int)name.n, name.p, (int)fqdn.n, fqdn.p);
	}
	if (!f || fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int write_file(const struct aliases *a, const struct block *b, struct err *err)
{
	const char *path = a->c->o->file && strcmp(a->c->o->file, "-") != 0 ? a->c->o->file : NULL;
	AUTO(fd_closep) int fd = -1;
	AUTO(fd_freep) char *text = NULL;
	size_t n = 0;
	int r;

	text = file_text(a, b, &n);
	if (!text)
		return err_set(err, ENOMEM, "make the file");
	if (path) {
		fd = session_create(a->c->session, path, a->c->o->force, err);
		if (fd < 0)
			return fd;
	}
	r = fd_write_all(path ? fd : a->c->out, text, n);
	return r == -EPIPE && !path ? 0 : r < 0 ? err_set(err, -r, "write %s", path ? path : "to standard output") : 0;
}

/* One sentence for each name without an address. */
static void say_missing(struct aliases *a, const struct block *b)
{
	enum cli_status status = a->n_found ? CLI_PARTIAL : a->n_silent ? CLI_TIMEOUT : CLI_NO;

	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct alias_row *row = block_row(b, i);
		struct text name = block_text(b, row->name), rcode = block_text(b, row->rcode);
		char msg[MAX_ALIAS + 300];

		if (row->address.kind != ADDR_NONE)
			continue;
		snprintf(msg, sizeof msg, "no address for %.*s in %.80s: %.*s", (int)name.n, name.p, a->c->o->words[0], (int)rcode.n,
			rcode.p ? rcode.p : "unknown");
		cli_error(a->c, status, 0, msg);
	}
}

static void print(struct aliases *a, const struct dns_request *as, const struct block *files, struct link *worker)
{
	struct cli_names names = { .worker = worker, .words = &a->words, .as = as, .files = files };
	AUTO(block_unrefp) struct block *answers = cli_names_ask(a->c, &names), *named = NULL, *b = NULL;
	struct cli_print p = { .type = &cli_alias_row_type, .first_word = OPTIONS_MAX_WORDS };
	struct err err = { 0 };

	if (!answers)
		return;
	cli_complete(a->c);
	named = dns_name_targets(answers, a->c->targets);
	take_names(a, named);
	p.block = b = builder_block(a->rows);
	say_missing(a, b);
	if (a->c->o->format != WRITER_TABLE)
		cli_print(a->c, &p);
	else if (a->n_found && write_file(a, b, &err) < 0)
		cli_error_err(a->c, cli_status_of(err.code), &err);
}

static void ask(struct aliases *a)
{
	AUTO(block_unrefp) struct block *files = NULL;
	struct dns_request as;
	struct err err = { 0 };
	struct link *worker = session_open(a->c->session, &dns_source, &a->c->ref, NULL, 0, &err);

	if (!worker) {
		cli_error_err(a->c, cli_status_of(err.code), &err);
		return;
	}
	files = cli_read_files(a->c);
	dns_request_from_files(files, &as);
	as.deadline_ms = a->c->o->timeout_ms < 600000 ? (uint32_t)a->c->o->timeout_ms : 600000;
	print(a, &as, files, worker);
	link_free(worker);
}

void cli_hostaliases(struct cli *c)
{
	struct cli_print p = { .type = &cli_alias_row_type, .first_word = OPTIONS_MAX_WORDS };
	struct aliases a = { .c = c };
	struct err err = { 0 };

	if (parse(&a, &err) < 0) {
		cli_error_err(c, CLI_USAGE, &err);
	} else if (cli_check(c, &p) && cli_find(c, c->o->format == WRITER_TABLE ? CLI_WANTS_REF : CLI_WANTS_NAMES)) {
		a.rows = builder_new(&cli_alias_row_type);
		ask(&a);
		builder_free(a.rows);
	}
	dns_words_done(&a.words);
}
