/* Command templates: see template.h. No shell is involved here; with `shell = yes` the values still are what a shell leaves alone. */
#include "tui/template.h"

#include "core/addr.h"
#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const template_names[TEMPLATE_N] = {
	[TEMPLATE_NAME] = "name", [TEMPLATE_PID] = "pid", [TEMPLATE_NETNS] = "netns", [TEMPLATE_IP] = "ip", [TEMPLATE_PORT] = "port",
	[TEMPLATE_ID] = "id",
};

/* --- places --- */

enum place { PLACE_NONE, PLACE_BRACE, PLACE_VALUE, PLACE_UNKNOWN };

/* What stands at p: "{{", "{name}", "{lowercase}" that is no value, or nothing special. *ret_n: its bytes. */
static enum place place_at(const char *p, enum template_value *ret_which, size_t *ret_n)
{
	size_t n;

	if (p[0] != '{')
		return PLACE_NONE;
	if (p[1] == '{') {
		*ret_n = 2;
		return PLACE_BRACE;
	}
	n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");
	if (n == 0 || p[1 + n] != '}')
		return PLACE_NONE;
	*ret_n = n + 2;
	for (unsigned i = 0; i < TEMPLATE_N; i++)
		if (strlen(template_names[i]) == n && memcmp(template_names[i], p + 1, n) == 0) {
			*ret_which = (enum template_value)i;
			return PLACE_VALUE;
		}
	return PLACE_UNKNOWN;
}

static int check_places(const char *word, bool is_program, struct err *err)
{
	enum template_value which;
	size_t n;

	for (const char *p = word; *p; p++) {
		enum place what = place_at(p, &which, &n);

		if (what == PLACE_UNKNOWN)
			return err_set(err, EINVAL, "unknown %.*s: there are {name} {pid} {netns} {ip} {port} {id}, and {{ for a brace",
				(int)(n < 40 ? n : 40), p);
		if (what == PLACE_VALUE && is_program)
			return err_set(err, EINVAL, "the program itself cannot be %.*s: a container would choose it", (int)n, p);
		if (what == PLACE_BRACE)
			p++;
	}
	return 0;
}

/* --- words --- */

struct reader {
	const char *p;
	char *out; /* as long as the text */
	size_t n;
};

/* In '...' all is plain; in "..." a backslash protects " and \; outside it protects anything. -EINVAL: not closed. */
static int read_quoted(struct reader *r)
{
	char quote = *r->p++;

	while (*r->p && *r->p != quote) {
		if (quote == '"' && r->p[0] == '\\' && (r->p[1] == '"' || r->p[1] == '\\'))
			r->p++;
		r->out[r->n++] = *r->p++;
	}
	if (!*r->p)
		return -EINVAL;
	r->p++;
	return 0;
}

static int read_word(struct reader *r)
{
	r->n = 0;
	while (*r->p && *r->p != ' ' && *r->p != '\t') {
		if (*r->p == '\'' || *r->p == '"') {
			if (read_quoted(r) < 0)
				return -EINVAL;
			continue;
		}
		if (r->p[0] == '\\' && r->p[1])
			r->p++;
		r->out[r->n++] = *r->p++;
	}
	r->out[r->n] = 0;
	return 0;
}

static int add_word(struct template *t, const char *word, bool is_program, struct err *err)
{
	if (t->n_words == TEMPLATE_WORDS)
		return err_set(err, EINVAL, "more than %d words", TEMPLATE_WORDS);
	t->words[t->n_words] = fd_xcalloc(strlen(word) + 1, 1);
	memcpy(t->words[t->n_words++], word, strlen(word));
	return check_places(word, is_program, err);
}

static int split(const char *text, struct template *t, struct err *err)
{
	AUTO(fd_freep) char *out = fd_xcalloc(strlen(text) + 1, 1);
	struct reader r = { .p = text, .out = out };
	int code;

	for (;;) {
		r.p += strspn(r.p, " \t");
		if (!*r.p)
			break;
		if (read_word(&r) < 0)
			return err_set(err, EINVAL, "a quote is not closed");
		code = add_word(t, out, t->n_words == 0, err);
		if (code < 0)
			return code;
	}
	if (t->n_words == 0 || !t->words[0][0])
		return err_set(err, EINVAL, "no program is named");
	return 0;
}

int template_parse(const char *text, bool shell, struct template *ret, struct err *err)
{
	struct template t = { .n_words = 0 };
	int r;

	if (strlen(text) >= TEMPLATE_BYTES)
		return err_set(err, EINVAL, "longer than %d bytes", TEMPLATE_BYTES - 1);
	if (shell && text[strspn(text, " \t")]) {
		r = add_word(&t, "/bin/sh", false, err);
		r = r < 0 ? r : add_word(&t, "-c", false, err);
		r = r < 0 ? r : add_word(&t, text, false, err);
	} else {
		r = split(text, &t, err);
	}
	if (r < 0) {
		template_done(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void template_done(struct template *t)
{
	for (unsigned i = 0; i < t->n_words; i++)
		free(t->words[i]);
	t->n_words = 0;
}

/* --- values --- */

static bool only(const char *text, const char *bytes)
{
	return text[0] && text[strspn(text, bytes)] == 0;
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool template_value_ok(enum template_value which, const char *text)
{
	struct addr a;

	switch (which) {
	case TEMPLATE_NAME:
		return only(text, DIGITS LETTERS "_.-") && strchr(DIGITS LETTERS, text[0]);
	case TEMPLATE_PID:
	case TEMPLATE_NETNS:
	case TEMPLATE_PORT:
		return only(text, DIGITS) && strlen(text) <= 20;
	case TEMPLATE_IP:
		return only(text, DIGITS "abcdefABCDEF.:") && addr_parse(text, &a) == 0;
	case TEMPLATE_ID:
		return only(text, DIGITS "abcdef");
	case TEMPLATE_N:
		break;
	}
	return false;
}

static int value_of(const struct template_values *v, enum template_value which, const char **ret, struct err *err)
{
	const char *text = v->text[which];

	if (!text[0])
		return err_set(err, ENODATA, "{%s} is not known here", template_names[which]);
	if (!template_value_ok(which, text))
		return err_set(err, EINVAL, "{%s} has characters that no command gets: \"%.60s\"", template_names[which], text);
	*ret = text;
	return 0;
}

static int put(struct template_args *a, size_t *at, const char *bytes, size_t n, struct err *err)
{
	if (n >= sizeof a->bytes - *at)
		return err_set(err, E2BIG, "the command is longer than %d bytes", TEMPLATE_BYTES - 1);
	memcpy(a->bytes + *at, bytes, n);
	*at += n;
	return 0;
}

static int expand_word(const char *word, const struct template_values *v, struct template_args *a, size_t *at, struct err *err)
{
	enum template_value which = TEMPLATE_N;
	const char *value = NULL;
	int r = 0;

	while (r == 0 && *word) {
		size_t n = 1;
		enum place what = place_at(word, &which, &n);

		if (what == PLACE_VALUE) {
			r = value_of(v, which, &value, err);
			if (r == 0)
				r = put(a, at, value, strlen(value), err);
		} else { /* "{{" gives one of the two */
			r = put(a, at, word, what == PLACE_BRACE ? 1 : n, err);
		}
		word += n;
	}
	return r < 0 ? r : put(a, at, "", 1, err);
}

int template_expand(const struct template *t, const struct template_values *v, struct template_args *ret, struct err *err)
{
	size_t at = 0;

	ret->n_words = 0;
	for (unsigned i = 0; i < t->n_words; i++) {
		size_t from = at;
		int r = expand_word(t->words[i], v, ret, &at, err);

		if (r < 0)
			return r;
		ret->words[ret->n_words++] = ret->bytes + from;
	}
	return 0;
}
