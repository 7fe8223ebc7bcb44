/*
 * Filter words over rows: see filter.h. A word is parsed once into needles and a set of columns; matching compares raw values by
 * kind where it can and formats a cell only where text is what the reader sees, so that 100,000 rows pass within a frame or two.
 */
#include "core/filter.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	MAX_WORDS = 32,
	MAX_NEEDLES = 64, /* of all words */
	MAX_FIELDS = 64, /* one bit each */
	MAX_TEXT = 1024,
	MAX_REGEX = 256,
	MAX_REGEX_COST = 1 << 16, /* length times repetitions: regcomp(3) unrolls x{n,m} */
	CELL = 4096,
};

enum word_kind { WORD_CONTAINS, WORD_EQUALS, WORD_COMPARE, WORD_REGEX };
enum word_op { OP_LESS = 1, OP_EQUAL = 2, OP_MORE = 4 };

struct needle {
	struct text text; /* in filter.words_text */
	double number; /* NAN: not a plain number */
	struct addr addr;
	bool numeric; /* may occur in a formatted number or age */
	bool addressy; /* may occur in an address */
};

struct word {
	enum word_kind kind;
	bool negate;
	uint64_t fields; /* bit = index of the field */
	bool named; /* the user named the column */
	unsigned op; /* enum word_op, of WORD_COMPARE */
	const struct needle *needles;
	uint32_t n_needles;
	char amount[24]; /* of WORD_COMPARE: what a number means depends on the column's unit */
	bool compiled;
	regex_t regex;
};

struct filter {
	const struct row_type *type;
	struct word words[MAX_WORDS];
	uint32_t n_words;
	struct needle needles[MAX_NEEDLES];
	uint32_t n_needles;
	char *copy; /* the text; needles point into it */
};

/* --- columns --- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_alnum(char c)
{
	return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/* Compares letters and digits only, so that cpu finds "CPU%" and recvq "RECV-Q". 2: same, 1: `want` is a prefix, 0: neither. */
static int name_fits(const char *have, struct text want)
{
	size_t i = 0;

	for (; have && *have; have++) {
		while (i < want.n && !is_alnum(want.p[i]))
			i++;
		if (!is_alnum(*have))
			continue;
		if (i == want.n)
			return 1;
		if (lower(*have) != lower(want.p[i]))
			return 0;
		i++;
	}
	return have && i == want.n ? 2 : 0;
}

/* local_port has a part that starts with "port". */
static bool part_fits(const char *have, struct text want)
{
	for (const char *p = have ? strchr(have, '_') : NULL; p; p = strchr(p + 1, '_'))
		if (strncasecmp(p + 1, want.p, want.n) == 0)
			return true;
	return false;
}

static uint32_t n_fields(const struct row_type *t)
{
	return t->n_fields < MAX_FIELDS ? t->n_fields : MAX_FIELDS;
}

static uint64_t fields_that(const struct row_type *t, struct text want, int fit)
{
	uint64_t set = 0;

	for (uint32_t i = 0; i < n_fields(t); i++) {
		const struct field *f = &t->fields[i];

		if (fit == 0 ? part_fits(f->name, want) : name_fits(f->name, want) >= fit || name_fits(f->title, want) >= fit)
			set |= UINT64_C(1) << i;
	}
	return set;
}

static int ambiguous(const struct row_type *t, struct text want, uint64_t set, struct err *err)
{
	const char *names[2] = { NULL, NULL };

	for (uint32_t i = 0; i < n_fields(t); i++)
		if (set >> i & 1)
			names[names[0] != NULL] = t->fields[i].name;
	return err_set(err, EINVAL, "column \"%.*s\" could be %s or %s: write more of it", (int)want.n, want.p, names[0], names[1]);
}

/* Same name or title, else an unambiguous prefix, else every column with such a part (port: local_port and remote_port). */
static int fields_find(const struct row_type *t, struct text want, uint64_t *ret, struct err *err)
{
	uint64_t set = fields_that(t, want, 2);

	if (!set) {
		set = fields_that(t, want, 1);
		if (set & (set - 1))
			return ambiguous(t, want, set, err);
	}
	if (!set)
		set = fields_that(t, want, 0);
	if (!set)
		return err_set(err, EINVAL, "no column \"%.*s\" in %s (nsdbg fields %s lists them; quotes make it plain text)",
			(int)(want.n < 40 ? want.n : 40), want.p, t->noun, t->name);
	*ret = set;
	return 0;
}

/* What a word without a column looks at: all that may be on the screen. Yes and no would match everything. */
static uint64_t fields_any(const struct row_type *t)
{
	uint64_t set = 0;

	for (uint32_t i = 0; i < n_fields(t); i++)
		if (!(t->fields[i].flags & FIELD_HIDDEN) && t->fields[i].kind != FIELD_BOOL)
			set |= UINT64_C(1) << i;
	return set;
}

/* --- numbers --- */

/* Digits with at most one point; independent of the locale. Returns the bytes used, 0: not a number. */
static size_t number_scan(const char *p, size_t n, double *ret)
{
	double v = 0, scale = 0;
	size_t i = 0, digits = 0;
	bool minus = n > 0 && p[0] == '-';

	for (i = minus; i < n; i++) {
		if (p[i] == '.' && scale == 0) {
			scale = 1;
			continue;
		}
		if (p[i] < '0' || p[i] > '9')
			break;
		v = v * 10 + (p[i] - '0');
		scale *= 10;
		digits++;
	}
	if (digits == 0)
		return 0;
	v = scale > 1 ? v / scale : v;
	*ret = minus ? -v : v;
	return i;
}

/* Microseconds of a time suffix; 0: none of ours. */
static double time_suffix(const char *s)
{
	static const struct {
		const char *name;
		double us;
	} suffixes[] = { { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "m", 6e7 }, { "min", 6e7 }, { "h", 3.6e9 }, { "d", 8.64e10 } };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (strcasecmp(s, suffixes[i].name) == 0)
			return suffixes[i].us;
	return 0;
}

/* Microseconds in one of what the column counts; 0: it is no time. */
static double time_unit(const struct field *f)
{
	size_t n = strlen(f->name);

	if (f->unit == UNIT_US)
		return 1;
	if (f->unit == UNIT_SECONDS || f->kind == FIELD_TIME)
		return 1e6;
	return n > 3 && strcmp(f->name + n - 3, "_ms") == 0 ? 1e3 : 0;
}

/* "1.5M" in the column's own unit; NAN when it is not a number of that column. */
static double amount_parse(const struct field *f, const char *text)
{
	static const char prefixes[] = "kmgt";
	double v, time = time_unit(f), thousand = f->unit == UNIT_BYTES ? 1024 : 1000;
	size_t used = number_scan(text, strlen(text), &v);
	const char *suffix = text + used, *prefix;

	if (used == 0)
		return NAN;
	if (*suffix == 0 || (f->unit == UNIT_PERCENT && strcmp(suffix, "%") == 0))
		return v;
	if (time != 0)
		return time_suffix(suffix) != 0 ? v * time_suffix(suffix) / time : NAN;
	prefix = strchr(prefixes, lower(*suffix));
	if (!prefix || (suffix[1] && strcasecmp(suffix + 1, "b") != 0 && strcasecmp(suffix + 1, "ib") != 0))
		return NAN;
	return v * pow(thousand, (double)(prefix - prefixes + 1));
}

static bool is_number(const struct field *f)
{
	return f->kind == FIELD_UINT || f->kind == FIELD_INT || f->kind == FIELD_REAL || f->kind == FIELD_TIME || f->kind == FIELD_ROWS;
}

/* --- parsing --- */

struct parser {
	struct filter *f;
	const char *text;
	size_t at; /* of what comes next */
	size_t word; /* where this word starts */
	char *out; /* next free byte of filter.copy */
	struct err *err;
};

static void needle_init(struct needle *n, struct text t)
{
	char buf[ADDR_TEXT];
	size_t used;

	*n = (struct needle){ .text = t, .number = NAN, .numeric = true, .addressy = true };
	for (size_t i = 0; i < t.n; i++) {
		if (!strchr("0123456789.-+:% kmgtpebszdhuz", lower(t.p[i])))
			n->numeric = false;
		if (!strchr("0123456789abcdef:./", lower(t.p[i])))
			n->addressy = false;
	}
	used = number_scan(t.p, t.n, &n->number);
	if (used == 0 || used != t.n)
		n->number = NAN;
	if (t.n < sizeof buf) {
		memcpy(buf, t.p, t.n);
		buf[t.n] = 0;
		addr_parse(buf, &n->addr); /* stays ADDR_NONE when it is none */
	}
}

static int needle_add(struct parser *p, struct word *w, struct text t)
{
	if (p->f->n_needles == MAX_NEEDLES)
		return err_set(p->err, EINVAL, "more than %d filter words", MAX_NEEDLES);
	if (w->n_needles == 0)
		w->needles = &p->f->needles[p->f->n_needles];
	needle_init(&p->f->needles[p->f->n_needles++], t);
	w->n_needles++;
	return 0;
}

static bool at_end(const struct parser *p)
{
	char c = p->text[p->at];

	return c == 0 || c == ' ' || c == '\t';
}

/* Takes text up to a blank (or a comma), quotes removed. -EINVAL: a quote stays open. */
static int take_text(struct parser *p, bool comma, struct text *ret)
{
	bool quoted = false;
	char *start = p->out;

	while (p->text[p->at] && (quoted || !at_end(p)) && (quoted || !comma || p->text[p->at] != ',')) {
		char c = p->text[p->at++];

		if (c == '"')
			quoted = !quoted;
		else
			*p->out++ = c;
	}
	if (quoted)
		return err_set(p->err, EINVAL, "a quote is not closed");
	*ret = (struct text){ .p = start, .n = (size_t)(p->out - start) };
	return 0;
}

static int parse_values(struct parser *p, struct word *w)
{
	bool more = true;

	while (more) {
		struct text t;
		int r = take_text(p, true, &t);

		more = p->text[p->at] == ',';
		p->at += more;
		if (r == 0 && t.n > 0)
			r = needle_add(p, w, t);
		if (r < 0)
			return r;
	}
	return w->n_needles > 0 ? 0 : err_set(p->err, EINVAL, "nothing after the column's name to look for");
}

static int parse_amount(struct parser *p, struct word *w)
{
	struct text t;
	int r = take_text(p, false, &t);

	if (r < 0)
		return r;
	if (t.n >= sizeof w->amount)
		return err_set(p->err, EINVAL, "number too long");
	memcpy(w->amount, t.p, t.n);
	w->amount[t.n] = 0;
	for (uint32_t i = 0; i < n_fields(p->f->type); i++) {
		const struct field *f = &p->f->type->fields[i];

		if (!(w->fields >> i & 1))
			continue;
		if (!is_number(f))
			return err_set(p->err, EINVAL, "column %s is not a number: use : or =", f->name);
		if (isnan(amount_parse(f, w->amount)))
			return err_set(p->err, EINVAL, "\"%.20s\" is not a number for column %s (examples: 10, 1.5M, 20ms)",
				w->amount, f->name);
	}
	return 0;
}

/* The largest number between the braces at re[i]; *at moves to the closing one. */
static unsigned long regex_bound(const char *re, size_t n, size_t *at)
{
	unsigned long most = 1, v = 0;

	for (size_t i = *at + 1; i < n && re[i] != '}'; i++, (*at)++) {
		v = re[i] >= '0' && re[i] <= '9' && v < 100000 ? v * 10 + (unsigned long)(re[i] - '0') : 0;
		most = v > most ? v : most;
	}
	return most;
}

/* regcomp(3) of glibc unrolls x{n,m} and doubles (x)+ and each of x***, nested ones multiply; back references make matching explode. */
static bool regex_is_cheap(const char *re, size_t n)
{
	unsigned long cost = n;

	for (size_t i = 0; i < n; i++) {
		if (re[i] == '\\' && i + 1 < n && re[i + 1] >= '1' && re[i + 1] <= '9')
			return false;
		if (i > 0 && ((re[i] == '+' && strchr(")+}*?", re[i - 1])) || (strchr("*?", re[i]) && strchr("*+}?", re[i - 1]))))
			cost *= 2;
		else if (re[i] == '{')
			cost *= regex_bound(re, n, &i);
		if (cost > MAX_REGEX_COST)
			return false;
	}
	return true;
}

static int parse_regex(struct parser *p, struct word *w, size_t len)
{
	char re[MAX_REGEX], why[100];
	int r;

	if (len >= sizeof re)
		return err_set(p->err, EINVAL, "regular expression longer than %d bytes", MAX_REGEX - 1);
	memcpy(re, p->text + p->at + 1, len);
	re[len] = 0;
	if (!regex_is_cheap(re, len))
		return err_set(p->err, EINVAL, "regular expression too complex (nested repetitions or back references)");
	r = regcomp(&w->regex, re, REG_EXTENDED | REG_ICASE);
	if (r != 0) {
		regerror(r, &w->regex, why, sizeof why);
		return err_set(p->err, EINVAL, "regular expression: %s", why);
	}
	w->compiled = true;
	w->kind = WORD_REGEX;
	p->at += len + 2;
	return 0;
}

/* Bytes between the slashes of /regex/; 0: a path or so, not a regular expression. */
static size_t regex_length(const char *s)
{
	size_t i;

	if (s[0] != '/')
		return 0;
	for (i = 1; s[i] && !(s[i] == '/' && (s[i + 1] == 0 || s[i + 1] == ' ')); i++)
		if (s[i] == '\\' && s[i + 1])
			i++;
	return s[i] ? i - 1 : 0;
}

/* Length of what looks like a column's name before an operator; 0: this is a plain word. */
static size_t column_length(const char *s)
{
	size_t n = 0;

	if (!is_alnum(s[0]) || (s[0] >= '0' && s[0] <= '9'))
		return 0;
	while (is_alnum(s[n]) || s[n] == '_' || s[n] == '-' || s[n] == '%')
		n++;
	return s[n] && (strchr(":=<>", s[n]) || (s[n] == '!' && s[n + 1] == '=')) ? n : 0;
}

/* fe80::1 and 02:42:ac:11:00:02 start like a column, too. */
static bool is_addressy(const char *s)
{
	size_t n = strcspn(s, " \t");

	return strspn(s, "0123456789abcdefABCDEF:.") == n && memchr(s, ':', n);
}

static int parse_operator(struct parser *p, struct word *w)
{
	const char *op = p->text + p->at;

	if (op[0] == '!')
		w->negate = !w->negate;
	w->kind = op[0] == ':' ? WORD_CONTAINS : op[0] == '=' || op[0] == '!' ? WORD_EQUALS : WORD_COMPARE;
	w->op = op[0] == '<' ? OP_LESS : OP_MORE;
	p->at++;
	if (op[0] != ':' && op[0] != '=' && op[1] == '=') {
		w->op |= OP_EQUAL;
		p->at++;
	}
	return w->kind == WORD_COMPARE ? parse_amount(p, w) : parse_values(p, w);
}

static int parse_plain(struct parser *p, struct word *w)
{
	struct text t;
	int r = take_text(p, false, &t);

	return r < 0 ? r : t.n == 0 ? err_set(p->err, EINVAL, "an empty word") : needle_add(p, w, t);
}

static int parse_word(struct parser *p, struct word *w)
{
	const char *s = p->text + p->at;
	size_t n;
	int r;

	if (s[0] == '-' && s[1] && s[1] != ' ' && s[1] != '-') {
		w->negate = true;
		p->at++;
		s++;
	}
	w->fields = fields_any(p->f->type);
	n = regex_length(s);
	if (n > 0)
		return parse_regex(p, w, n);
	n = column_length(s);
	if (n == 0)
		return parse_plain(p, w);
	r = fields_find(p->f->type, (struct text){ .p = s, .n = n }, &w->fields, p->err);
	if (r < 0)
		return is_addressy(s) ? parse_plain(p, w) : r;
	w->named = true;
	p->at += n;
	return parse_operator(p, w);
}

static int parse_all(struct parser *p)
{
	struct filter *f = p->f;

	for (;;) {
		int r;

		while (p->text[p->at] == ' ' || p->text[p->at] == '\t')
			p->at++;
		p->word = p->at;
		if (!p->text[p->at])
			return 0;
		if (f->n_words == MAX_WORDS)
			return err_set(p->err, EINVAL, "more than %d filter words", MAX_WORDS);
		r = parse_word(p, &f->words[f->n_words++]);
		if (r < 0)
			return r;
	}
}

int filter_parse(const struct row_type *type, const char *text, struct filter **ret, size_t *ret_column, struct err *err)
{
	struct parser p = { .text = text, .err = err };
	size_t n = strlen(text);
	int r;

	if (ret_column)
		*ret_column = 0;
	if (n > MAX_TEXT)
		return err_set(err, EINVAL, "filter longer than %d bytes", MAX_TEXT);
	p.f = fd_xcalloc(1, sizeof *p.f);
	p.f->type = type;
	p.f->copy = p.out = fd_xcalloc(1, n + 1);
	r = parse_all(&p);
	if (r < 0 || p.f->n_words == 0) {
		filter_free(p.f);
		if (ret_column)
			*ret_column = p.word;
		if (r == 0)
			*ret = NULL;
		return r;
	}
	*ret = p.f;
	return 0;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; i < f->n_words; i++)
		if (f->words[i].compiled)
			regfree(&f->words[i].regex);
	free(f->copy);
	free(f);
}

/* --- matching --- */

struct cell { /* one value of one row */
	const struct block *b;
	const struct field *f;
	const void *row;
	const struct row_look *look;
};

static const void *value(const struct cell *c)
{
	return (const char *)c->row + c->f->offset;
}

static struct str value_str(const struct cell *c)
{
	struct str s;

	memcpy(&s, value(c), sizeof s);
	return s;
}

static bool equal_nocase(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static bool text_fits(struct text have, const struct needle *n, bool whole)
{
	return whole ? equal_nocase(have, n->text) : text_contains(have, n->text);
}

static bool formatted_fits(const struct cell *c, const struct needle *n, bool whole)
{
	char buf[CELL];
	size_t len = row_format(c->b, c->f, c->row, c->look, buf, sizeof buf);

	return text_fits((struct text){ .p = buf, .n = len }, n, whole);
}

static bool list_fits(const struct cell *c, const struct needle *n, bool whole)
{
	struct text item;

	for (uint32_t i = 0; block_list_item(c->b, value_str(c), i, &item); i++)
		if (text_fits(item, n, whole))
			return true;
	return false;
}

/* Ports, pids and inodes that a user names must be the same: port:80 is not 8080. */
static bool number_fits(const struct cell *c, const struct needle *n, bool whole, bool named)
{
	char buf[24];
	uint64_t v;

	if (!isnan(n->number) && (whole || (named && c->f->unit == UNIT_ID)))
		return row_number(c->f, c->row) == n->number;
	if (!n->numeric)
		return false;
	if (c->f->kind != FIELD_UINT || (c->f->unit != UNIT_ID && c->f->unit != UNIT_NONE))
		return formatted_fits(c, n, whole);
	memcpy(&v, value(c), sizeof v);
	return text_fits((struct text){ .p = buf, .n = (size_t)snprintf(buf, sizeof buf, "%llu", (unsigned long long)v) }, n, whole);
}

static bool addr_fits(const struct cell *c, const struct needle *n, bool whole)
{
	const struct addr *a = value(c);
	char buf[ADDR_TEXT];

	if (whole && n->addr.kind != ADDR_NONE && !n->addr.has_prefix)
		return addr_same(a, &n->addr);
	return n->addressy && text_fits(text_of(addr_format(a, buf)), n, whole);
}

static bool bool_fits(const struct cell *c, const struct needle *n)
{
	static const char *const no[] = { "no", "false", "0" }, *const yes[] = { "yes", "true", "1" };
	const char *const *names = *(const uint8_t *)value(c) ? yes : no;

	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (equal_nocase(text_of(names[i]), n->text))
			return true;
	return false;
}

static bool kind_fits(const struct cell *c, const struct needle *n, bool whole, bool named)
{
	uint32_t e;

	switch (c->f->kind) {
	case FIELD_TEXT:
		return text_fits(block_text(c->b, value_str(c)), n, whole);
	case FIELD_LIST:
		return list_fits(c, n, whole);
	case FIELD_ENUM:
		memcpy(&e, value(c), sizeof e);
		return text_fits(text_of(c->f->names[e]), n, whole);
	case FIELD_ADDR:
		return addr_fits(c, n, whole);
	case FIELD_BOOL:
		return bool_fits(c, n);
	case FIELD_UINT:
	case FIELD_INT:
	case FIELD_REAL:
	case FIELD_TIME:
		return number_fits(c, n, whole, named);
	case FIELD_ROWS: /* cell_fits looks into them */
		break;
	}
	return false;
}

/* One value, by its raw form or by what the column shows. */
static bool value_fits(const struct cell *c, const struct needle *n, bool whole, bool named)
{
	if (c->f->format && formatted_fits(c, n, whole))
		return true;
	if (c->f->flags & FIELD_SCREEN)
		return false;
	if (row_is_unknown(c->b, c->f, c->row))
		return named && n->text.n == 1 && n->text.p[0] == '-';
	return kind_fits(c, n, whole, named);
}

static bool nested_fits(const struct cell *c, const struct needle *n, bool whole, bool named)
{
	struct rows rows;
	const void *row;

	memcpy(&rows, value(c), sizeof rows);
	for (uint32_t i = 0; (row = block_nested(c->b, c->f->sub, rows, i)); i++)
		for (uint32_t k = 0; k < c->f->sub->n_fields; k++) {
			struct cell in = { .b = c->b, .f = &c->f->sub->fields[k], .row = row, .look = c->look };

			if (in.f->kind != FIELD_ROWS && in.f->kind != FIELD_BOOL && value_fits(&in, n, whole, named))
				return true;
		}
	return false;
}

static bool cell_fits(const struct cell *c, const struct word *w)
{
	bool whole = w->kind == WORD_EQUALS;

	for (uint32_t i = 0; i < w->n_needles; i++) {
		const struct needle *n = &w->needles[i];

		if (value_fits(c, n, whole, w->named))
			return true;
		if (c->f->kind == FIELD_ROWS && !(c->f->flags & FIELD_SCREEN) && nested_fits(c, n, whole, w->named))
			return true;
	}
	return false;
}

/* Times compare by age: started_at<5m is what began less than five minutes ago. */
static bool cell_compares(const struct cell *c, const struct word *w)
{
	double v = row_number(c->f, c->row), limit = amount_parse(c->f, w->amount);

	if (isnan(v))
		return false;
	if (c->f->kind == FIELD_TIME)
		v = ((double)(c->look && c->look->now_ns ? c->look->now_ns : block_time(c->b)) - v) / 1e9;
	return v < limit ? w->op & OP_LESS : v > limit ? w->op & OP_MORE : w->op & OP_EQUAL;
}

static bool cell_matches_regex(const struct cell *c, const struct word *w)
{
	char buf[CELL];

	row_format(c->b, c->f, c->row, c->look, buf, sizeof buf);
	return regexec(&w->regex, buf, 0, NULL, 0) == 0;
}

static bool word_matches(const struct filter *f, const struct word *w, struct cell *c)
{
	for (uint64_t left = w->fields; left; left &= left - 1) {
		bool fits = false;

		c->f = &f->type->fields[__builtin_ctzll(left)];
		if (w->kind == WORD_COMPARE)
			fits = cell_compares(c, w);
		else if (w->kind == WORD_REGEX)
			fits = cell_matches_regex(c, w);
		else
			fits = cell_fits(c, w);
		if (fits)
			return true;
	}
	return false;
}

bool filter_match(const struct filter *f, const struct block *b, const void *row, const struct row_look *look)
{
	struct row_look plain = { .charset = TEXT_UTF8 };
	struct cell c = { .b = b, .row = row, .look = look ? look : &plain };

	if (!f)
		return true;
	for (uint32_t i = 0; i < f->n_words; i++)
		if (word_matches(f, &f->words[i], &c) == f->words[i].negate)
			return false;
	return true;
}

/* --- highlighting --- */

static bool find_nocase(struct text hay, struct text needle, size_t *ret_from)
{
	for (size_t i = 0; needle.n > 0 && i + needle.n <= hay.n; i++)
		if (strncasecmp(hay.p + i, needle.p, needle.n) == 0) {
			*ret_from = i;
			return true;
		}
	return false;
}

static bool highlight_regex(const struct word *w, struct text cell, size_t *ret_from, size_t *ret_n)
{
	char buf[CELL];
	regmatch_t m;

	if (cell.n >= sizeof buf)
		return false;
	memcpy(buf, cell.p, cell.n);
	buf[cell.n] = 0;
	if (regexec(&w->regex, buf, 1, &m, 0) != 0 || m.rm_eo <= m.rm_so)
		return false;
	*ret_from = (size_t)m.rm_so;
	*ret_n = (size_t)(m.rm_eo - m.rm_so);
	return true;
}

static bool word_highlights(const struct word *w, struct text cell, size_t *ret_from, size_t *ret_n)
{
	if (w->kind == WORD_REGEX)
		return highlight_regex(w, cell, ret_from, ret_n);
	for (uint32_t i = 0; i < w->n_needles; i++)
		if (find_nocase(cell, w->needles[i].text, ret_from)) {
			*ret_n = w->needles[i].text.n;
			return true;
		}
	return false;
}

bool filter_highlight(const struct filter *f, const struct field *field, struct text cell, size_t *ret_from, size_t *ret_n)
{
	if (!f || !cell.p || field < f->type->fields || field >= f->type->fields + n_fields(f->type))
		return false;
	for (uint32_t i = 0; i < f->n_words; i++) {
		const struct word *w = &f->words[i];

		if (!w->negate && w->kind != WORD_COMPARE && (w->fields >> (field - f->type->fields) & 1) &&
			word_highlights(w, cell, ret_from, ret_n))
			return true;
	}
	return false;
}
