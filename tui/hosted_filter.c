/* The filter in front of the hosted terminal: see hosted_filter.h. A parser after ECMA-48 5.4 that holds a sequence until its end. */
#include "tui/hosted_filter.h"

#include "core/fd.h"

#include <string.h>

enum { MAX_PARAMS = 12, MAX_DIGITS = 5 };

/* Final bytes of CSI with plain parameters: cursor, erase, insert, delete, scroll, look, tabs, reports. */
static const char finals[] = "@ABCDEFGHIJKLMPSTXZ`acdefgmnr";

/* DEC private modes that may be set; the first are remembered. */
static const struct {
	unsigned number;
	const char *on; /* NULL: not remembered */
	char sets; /* 'h', or 'l' where off is what matters */
} modes[] = {
	{ 1, "\033[?1h", 'h' }, { 1049, "\033[?1049h", 'h' }, { 2004, "\033[?2004h", 'h' }, { 25, "\033[?25l", 'l' },
	{ 5, NULL, 'h' }, { 6, NULL, 'h' }, { 7, NULL, 'h' }, { 12, NULL, 'h' }, { 47, NULL, 'h' }, { 1047, NULL, 'h' },
	{ 1048, NULL, 'h' },
};

const char *hosted_filter_mode(unsigned i)
{
	return i < ARRAY_LEN(modes) ? modes[i].on : NULL;
}

/* --- CSI --- */

/* Parameters within bounds; where `first` is given they start with it. */
static bool params_are_plain(const char *p, unsigned n)
{
	unsigned digits = 0, separators = 0;

	for (unsigned i = 0; i < n; i++) {
		bool digit = p[i] >= '0' && p[i] <= '9';

		if (!digit && p[i] != ';')
			return false;
		digits = digit ? digits + 1 : 0;
		separators += !digit;
		if (digits > MAX_DIGITS || separators > MAX_PARAMS)
			return false;
	}
	return true;
}

static bool mode_known(struct hosted_filter *f, unsigned number, char final)
{
	for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
		if (modes[i].number != number)
			continue;
		if (modes[i].on)
			f->modes = final == modes[i].sets ? f->modes | 1u << i : f->modes & ~(1u << i);
		return true;
	}
	return false;
}

/* CSI ? Pm h or l: only when each is known. */
static bool modes_known(struct hosted_filter *f, const char *p, unsigned n, char final)
{
	unsigned number = 0;

	for (unsigned i = 0; i <= n; i++) {
		if (i < n && p[i] != ';') {
			number = number * 10 + (unsigned)(p[i] - '0');
			continue;
		}
		if (!mode_known(f, number, final))
			return false;
		number = 0;
	}
	return true;
}

/* Is the held sequence, with this end, one that programs need? */
static bool csi_is_wanted(struct hosted_filter *f, char final)
{
	const char *p = f->held + 2;
	unsigned n = f->n - 2;

	if (n > 0 && p[0] == '?')
		return (final == 'h' || final == 'l') && params_are_plain(p + 1, n - 1) && modes_known(f, p + 1, n - 1, final);
	if (final == 'h' || final == 'l')
		return n == 1 && p[0] == '4'; /* insert mode */
	return strchr(finals, final) && params_are_plain(p, n);
}

/* --- bytes --- */

static void hold(struct hosted_filter *f, char c)
{
	if (f->n < sizeof f->held)
		f->held[f->n++] = c;
}

static size_t release(struct hosted_filter *f, char last, char *to)
{
	memcpy(to, f->held, f->n);
	to[f->n] = last;
	f->state = HOSTED_TEXT;
	return f->n + 1;
}

static size_t take_csi(struct hosted_filter *f, char c, char *to)
{
	if (c < '@') {
		hold(f, c);
		if (f->n == sizeof f->held)
			f->held[2] = ' '; /* overlong: no sequence that is wanted starts so */
		return 0;
	}
	if (c != 127 && csi_is_wanted(f, c))
		return release(f, c, to);
	f->state = HOSTED_TEXT;
	return 0;
}

static size_t take_escape(struct hosted_filter *f, char c, char *to)
{
	f->state = HOSTED_TEXT;
	if (c == '[')
		f->state = HOSTED_CSI;
	else if (strchr("]PX^_", c))
		f->state = HOSTED_STRING;
	else if (strchr("()*+", c))
		f->state = HOSTED_CHARSET;
	else if (strchr("78DEMHc=>", c))
		return release(f, c, to);
	hold(f, c);
	return 0;
}

/* ESC and cancels count anywhere; other controls are done at once, even inside a sequence. */
static size_t take_control(struct hosted_filter *f, char c, char *to)
{
	if (c == 0x1b) {
		f->state = f->state == HOSTED_STRING ? HOSTED_STRING_ESCAPE : HOSTED_ESCAPE;
		f->n = 0;
		hold(f, c);
		return 0;
	}
	if (c == 0x18 || c == 0x1a) {
		f->state = HOSTED_TEXT;
		return 0;
	}
	if (f->state == HOSTED_STRING) {
		f->state = c == 7 ? HOSTED_TEXT : HOSTED_STRING;
		return 0;
	}
	if (c < 7 || c > 15) /* all but BEL BS HT LF VT FF CR SO SI */
		return 0;
	*to = c;
	return 1;
}

static size_t take(struct hosted_filter *f, char c, char *to)
{
	if (c >= 0 && c < ' ')
		return take_control(f, c, to);
	switch (f->state) {
	case HOSTED_TEXT:
		*to = c;
		return c != 127;
	case HOSTED_ESCAPE:
		return c < 0 ? (f->state = HOSTED_TEXT, 0) : take_escape(f, c, to);
	case HOSTED_CHARSET:
		f->state = HOSTED_TEXT;
		return c == 'B' || c == '0' ? release(f, c, to) : 0; /* ASCII, line drawing */
	case HOSTED_CSI:
		return c < 0 ? (f->state = HOSTED_TEXT, 0) : take_csi(f, c, to);
	case HOSTED_STRING:
		return 0;
	case HOSTED_STRING_ESCAPE: /* ESC \ ends the string; any other ESC ends it, too, and begins anew */
		f->state = HOSTED_TEXT;
		return c == '\\' || c < 0 ? 0 : take_escape(f, c, to);
	}
	return 0;
}

size_t hosted_filter(struct hosted_filter *f, struct text from, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < from.n; i++)
		n += take(f, from.p[i], to + n);
	return n;
}
