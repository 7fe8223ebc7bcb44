/* The grammar of names to look up: see dns_words.h. As dig's, but a type holds for all names that have none of their own. */
#include "tui/dns_words.h"

#include "core/dns/ask.h"
#include "core/dns/batch.h"
#include "core/err.h"
#include "core/fd.h"
#include "tui/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 4096 };

static int add_name(struct dns_words *w, const char *name, size_t n, const uint16_t types[DNS_WORDS_TYPES], struct err *err)
{
	struct dns_word *d;

	if (n >= DNS_NAME_TEXT)
		return err_set(err, EINVAL, "the name is too long");
	if (w->n_names == DNS_BATCH_MAX_NAMES)
		return err_set(err, E2BIG, "more than %d names: ask for them in parts", DNS_BATCH_MAX_NAMES);
	if (w->n_names == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 16;
		w->names = fd_xrealloc(w->names, w->cap, sizeof *w->names);
	}
	d = &w->names[w->n_names++];
	d->name = fd_xcalloc(1, n + 1);
	memcpy(d->name, name, n);
	memcpy(d->types, types, sizeof d->types);
	return 0;
}

static int add_address(struct dns_words *w, const char *text, struct err *err)
{
	const uint16_t types[DNS_WORDS_TYPES] = { dns_type_parse("PTR") };
	struct addr a;

	if (addr_parse(text, &a) < 0 || a.has_prefix || a.kind == ADDR_MAC)
		return err_set(err, EINVAL, "-x wants an address, not \"%.60s\"", text);
	return add_name(w, text, strlen(text), types, err);
}

static int add_type(uint16_t types[DNS_WORDS_TYPES], uint16_t type, struct err *err)
{
	for (unsigned i = 0; i < DNS_WORDS_TYPES; i++) {
		if (types[i] == type)
			return 0;
		if (types[i])
			continue;
		types[i] = type;
		return 0;
	}
	return err_set(err, EINVAL, "at most %d record types at a time", DNS_WORDS_TYPES);
}

/* Nobody writes names in capitals: that was to be a type. */
static bool is_shouted(const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i < n; i++)
		if (!isupper((unsigned char)word[i]) && !isdigit((unsigned char)word[i]))
			return false;
	return n > 0 && n <= 10 && isupper((unsigned char)word[0]);
}

/* --- words --- */

static int parse_plus(struct dns_words *w, const char *word, struct err *err)
{
	if (strcmp(word, "+short") == 0)
		w->is_short = true;
	else if (strcmp(word, "+trace") == 0)
		w->is_trace = true;
	else if (strcmp(word, "+tcp") == 0)
		w->flags |= DNS_TCP;
	else if (strcmp(word, "+nosearch") == 0)
		w->flags |= DNS_NO_SEARCH;
	else if (strcmp(word, "+norecurse") == 0)
		w->flags |= DNS_NO_RECURSE;
	else
		return err_set(err, EINVAL, "unknown \"%.30s\": there are +short, +trace, +tcp, +nosearch and +norecurse", word);
	return 0;
}

static int parse_server(struct dns_words *w, const char *text, struct err *err)
{
	if (addr_parse(text, &w->server) < 0 || w->server.has_prefix || w->server.kind == ADDR_MAC)
		return err_set(err, EINVAL, "@%.60s is not an address: look the server's name up first", text);
	w->has_server = true;
	return 0;
}

/* What is neither +OPTION nor @SERVER, sorted into names and types. */
struct plain {
	const char *words[OPTIONS_MAX_WORDS];
	unsigned n;
};

static int take_types(struct plain *p, uint16_t types[DNS_WORDS_TYPES], bool needs_name, struct err *err)
{
	unsigned kept = 0, n_types = 0;
	int r = 0;

	for (unsigned i = 0; i < p->n; i++)
		n_types += dns_type_parse(p->words[i]) != 0;
	for (unsigned i = 0; i < p->n && r == 0; i++) {
		uint16_t type = dns_type_parse(p->words[i]);

		/* "dns web mx": the only name, whatever it looks like */
		if (!type || (needs_name && kept == 0 && n_types == p->n && i == 0))
			p->words[kept++] = p->words[i];
		else
			r = add_type(types, type, err);
	}
	p->n = kept;
	return r;
}

static int take_names(struct dns_words *w, const struct plain *p, const uint16_t types[DNS_WORDS_TYPES], bool reverse, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < p->n && r == 0; i++) {
		if (i > 0 && is_shouted(p->words[i]))
			r = err_set(err, EINVAL, "\"%.30s\" is not a record type such as A, AAAA, MX, TXT, SRV, NS or TYPE65", p->words[i]);
		else if (reverse)
			r = add_address(w, p->words[i], err);
		else
			r = add_name(w, p->words[i], strlen(p->words[i]), types, err);
	}
	return r;
}

static void default_types(uint16_t types[DNS_WORDS_TYPES])
{
	if (types[0])
		return;
	types[0] = dns_type_parse("A");
	types[1] = dns_type_parse("AAAA");
}

int dns_words_parse(const struct options *o, struct dns_words *w, struct err *err)
{
	uint16_t types[DNS_WORDS_TYPES] = { 0 };
	struct plain plain = { .n = 0 };
	int r = 0;

	for (unsigned i = 1; i < o->n_words && r == 0; i++) {
		if (o->words[i][0] == '+')
			r = parse_plus(w, o->words[i], err);
		else if (o->words[i][0] == '@')
			r = parse_server(w, o->words[i] + 1, err);
		else
			plain.words[plain.n++] = o->words[i];
	}
	if (r == 0)
		r = take_types(&plain, types, !o->reverse && !o->names, err);
	default_types(types);
	if (r == 0 && o->reverse)
		r = add_address(w, o->reverse, err);
	if (r == 0)
		r = take_names(w, &plain, types, o->reverse != NULL, err);
	if (r < 0)
		return r;
	if (w->n_names == 0 && !o->names)
		return err_set(err, EINVAL, "a name is wanted behind the target: NAME [TYPE] [@SERVER], or -f FILE");
	if (o->port > 65535)
		return err_set(err, EINVAL, "a port is at most 65535");
	w->is_list = w->n_names > 1 || o->names;
	memcpy(w->types, types, sizeof w->types);
	return 0;
}

int dns_words_hosts(const struct options *o, struct dns_words *w, struct err *err)
{
	int r = 0;

	default_types(w->types);
	for (unsigned i = 1; i < o->n_words && r == 0; i++)
		r = add_name(w, o->words[i], strlen(o->words[i]), w->types, err);
	w->is_list = true;
	return r;
}

/* --- files --- */

/* The next word of a line, or an empty text. */
static struct text next_word(struct text *line)
{
	struct text word = { 0 };

	while (line->n && isspace((unsigned char)line->p[0]))
		line->p++, line->n--;
	word.p = line->p;
	while (line->n && !isspace((unsigned char)line->p[0]))
		line->p++, line->n--;
	word.n = (size_t)(line->p - word.p);
	return word;
}

static int line_types(struct text *line, uint16_t types[DNS_WORDS_TYPES], struct err *err)
{
	struct text word;
	char text[32];
	int r = 0;

	while (r == 0 && (word = next_word(line)).n > 0) {
		snprintf(text, sizeof text, "%.*s", (int)(word.n < sizeof text ? word.n : sizeof text), word.p);
		r = dns_type_parse(text) ? add_type(types, dns_type_parse(text), err) :
					   err_set(err, EINVAL, "\"%s\" is not a record type such as A, AAAA, MX or TXT", text);
	}
	return r;
}

static int parse_line(struct dns_words *w, struct text line, struct err *err)
{
	uint16_t types[DNS_WORDS_TYPES] = { 0 };
	struct text word = next_word(&line);
	char address[80];
	int r;

	if (word.n == 0 || word.p[0] == '#' || word.p[0] == ';')
		return 0;
	if (text_equal(word, text_of("-x"))) {
		word = next_word(&line);
		snprintf(address, sizeof address, "%.*s", (int)(word.n < sizeof address ? word.n : sizeof address), word.p);
		return add_address(w, address, err);
	}
	if (memchr(word.p, 0, word.n))
		return err_set(err, EINVAL, "a NUL byte is no part of a name");
	r = line_types(&line, types, err);
	return r < 0 ? r : add_name(w, word.p, word.n, types[0] ? types : w->types, err);
}

int dns_words_file(struct dns_words *w, const char *bytes, size_t n, const char *file, struct err *err)
{
	size_t number = 1;

	for (size_t at = 0; at < n; number++) {
		const char *end = memchr(bytes + at, '\n', n - at);
		struct text line = { .p = bytes + at, .n = end ? (size_t)(end - bytes) - at : n - at };
		int r = line.n > MAX_LINE ? err_set(err, EINVAL, "a line of more than %d bytes", MAX_LINE) : parse_line(w, line, err);

		if (r < 0)
			return err_wrap(err, r, "%.80s, line %zu", file, number);
		at += line.n + 1;
	}
	return 0;
}

/* --- */

bool dns_words_are_absolute(const struct dns_words *w)
{
	struct addr a;

	for (size_t i = 0; i < w->n_names && !(w->flags & DNS_NO_SEARCH); i++) {
		const char *name = w->names[i].name;
		size_t n = strlen(name);

		if ((n == 0 || name[n - 1] != '.') && addr_parse(name, &a) < 0)
			return false;
	}
	return true;
}

void dns_words_done(struct dns_words *w)
{
	for (size_t i = 0; i < w->n_names; i++)
		free(w->names[i].name);
	free(w->names);
	*w = (struct dns_words){ 0 };
}
