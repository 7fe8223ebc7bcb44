/* One line of input. The text is always valid UTF-8 without control characters: keys come as code points, pastes are
 * cleaned. */
#include "tui/prompt.h"

#include "core/fd.h"
#include "tui/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void prompt_init(struct prompt *p, const char *label, const char *initial, struct prompt_history *history)
{
	memset(p, 0, sizeof *p);
	p->label = label;
	p->history = history;
	p->history_at = history ? history->n : 0;
	prompt_set(p, initial ? initial : "");
}

void prompt_set(struct prompt *p, const char *text)
{
	p->len = text_clean(p->text, sizeof p->text, text_of(text), TEXT_UTF8);
	p->cursor = p->len;
	prompt_error(p, 0, "");
}

void prompt_error(struct prompt *p, size_t column, const char *sentence)
{
	snprintf(p->error, sizeof p->error, "%s", sentence);
	p->error_column = column;
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Start of the character before / after `at`. */
static size_t step_back(const struct prompt *p, size_t at)
{
	while (at > 0 && continues(p->text[--at]))
		;
	return at;
}

static size_t step_on(const struct prompt *p, size_t at)
{
	if (at < p->len)
		at++;
	while (at < p->len && continues(p->text[at]))
		at++;
	return at;
}

static size_t word_start(const struct prompt *p)
{
	size_t at = p->cursor;

	while (at > 0 && p->text[at - 1] == ' ')
		at--;
	while (at > 0 && p->text[at - 1] != ' ')
		at--;
	return at;
}

static enum prompt_result cut(struct prompt *p, size_t from, size_t to)
{
	if (from >= to)
		return PROMPT_MOVED;
	memmove(p->text + from, p->text + to, p->len - to + 1);
	p->len -= to - from;
	p->cursor = from;
	prompt_error(p, 0, "");
	return PROMPT_CHANGED;
}

static enum prompt_result insert(struct prompt *p, const char *bytes, size_t n)
{
	if (p->len + n >= sizeof p->text)
		return PROMPT_MOVED;
	memmove(p->text + p->cursor + n, p->text + p->cursor, p->len - p->cursor + 1);
	memcpy(p->text + p->cursor, bytes, n);
	p->len += n;
	p->cursor += n;
	prompt_error(p, 0, "");
	return PROMPT_CHANGED;
}

static enum prompt_result move_to(struct prompt *p, size_t at)
{
	p->cursor = at;
	return PROMPT_MOVED;
}

static enum prompt_result recall(struct prompt *p, int step)
{
	const struct prompt_history *h = p->history;

	if (!h || (step < 0 && p->history_at == 0) || (step > 0 && p->history_at >= h->n))
		return PROMPT_MOVED;
	p->history_at += (unsigned)step;
	prompt_set(p, p->history_at < h->n ? h->items[p->history_at] : "");
	return PROMPT_CHANGED;
}

static enum prompt_result printable(struct prompt *p, int key)
{
	char raw[4], clean[32];
	size_t n;

	if (key < ' ' || key >= KEYS_UP)
		return PROMPT_IGNORED;
	n = text_encode((uint32_t)key, raw);
	n = text_clean(clean, sizeof clean, (struct text){ raw, n }, TEXT_UTF8);
	return insert(p, clean, n);
}

enum prompt_result prompt_key(struct prompt *p, int key)
{
	switch (key) {
	case KEYS_ENTER:
		return PROMPT_DONE;
	case KEYS_ESC:
	case KEYS_CTRL('C'):
		return PROMPT_CANCELLED;
	case KEYS_LEFT:
		return move_to(p, step_back(p, p->cursor));
	case KEYS_RIGHT:
		return move_to(p, step_on(p, p->cursor));
	case KEYS_HOME:
	case KEYS_CTRL('A'):
		return move_to(p, 0);
	case KEYS_END:
	case KEYS_CTRL('E'):
		return move_to(p, p->len);
	case KEYS_BACKSPACE:
		return cut(p, step_back(p, p->cursor), p->cursor);
	case KEYS_DELETE:
		return cut(p, p->cursor, step_on(p, p->cursor));
	case KEYS_CTRL('U'):
		return cut(p, 0, p->cursor);
	case KEYS_CTRL('W'):
		return cut(p, word_start(p), p->cursor);
	case KEYS_CTRL('K'):
		return cut(p, p->cursor, p->len);
	case KEYS_UP:
		return recall(p, -1);
	case KEYS_DOWN:
		return recall(p, 1);
	default:
		return printable(p, key);
	}
}

enum prompt_result prompt_paste(struct prompt *p, struct text raw)
{
	char clean[PROMPT_TEXT];
	size_t n = 0;

	while (n < raw.n && raw.p[n] != '\n' && raw.p[n] != '\r')
		n++;
	n = text_clean(clean, sizeof clean, (struct text){ raw.p, n }, TEXT_UTF8);
	return n ? insert(p, clean, n) : PROMPT_MOVED;
}

void prompt_draw_field(const struct prompt *p, struct area a, int x, int y, int width, bool focused)
{
	struct area field = canvas_sub(a, x, y, width, 1);
	int before = (int)text_width((struct text){ p->text, p->cursor });
	int shift = before >= field.w ? before - field.w + 1 : 0; /* the cursor stays inside */

	canvas_ground(field, 0, GROUND_INPUT);
	canvas_put(field, -shift, 0, STYLE_STRONG, (struct text){ p->text, p->len });
	if (focused)
		canvas_cursor(field, before - shift, 0, true);
}

void prompt_draw(const struct prompt *p, struct area a, int y)
{
	struct area line = canvas_sub(a, 0, y, a.w, 2);
	int x = 1 + canvas_str(line, 1, 0, STYLE_KEY, p->label);
	size_t before = p->error_column < p->len ? p->error_column : p->len;
	int mark;

	prompt_draw_field(p, line, x, 0, line.w - x - 1, true);
	if (!p->error[0]) {
		if (p->hint)
			canvas_hint(line, 1, 1, STYLE_DIM, p->hint);
		return;
	}
	mark = x + (int)text_width((struct text){ p->text, before });
	if (mark > line.w - 2)
		mark = line.w - 2;
	canvas_str(line, mark, 1, STYLE_BAD, "^");
	if (mark + 3 + (int)strlen(p->error) < line.w)
		canvas_str(line, mark + 2, 1, STYLE_BAD, p->error);
	else if (mark > (int)strlen(p->error) + 1)
		canvas_left_of(line, mark - 1, 1, STYLE_BAD, p->error);
	else
		canvas_fit(line, 1, 1, line.w - 2, false, STYLE_BAD, text_of(p->error));
}

void prompt_history_add(struct prompt_history *h, const char *text)
{
	if (!h || !text[0] || (h->n && strcmp(h->items[h->n - 1], text) == 0))
		return;
	if (h->n == PROMPT_HISTORY) {
		free(h->items[0]);
		memmove(h->items, h->items + 1, sizeof h->items - sizeof h->items[0]);
		h->n--;
	}
	h->items[h->n] = fd_xcalloc(strlen(text) + 1, 1);
	memcpy(h->items[h->n++], text, strlen(text));
}

void prompt_history_done(struct prompt_history *h)
{
	for (unsigned i = 0; i < h->n; i++)
		free(h->items[i]);
	h->n = 0;
}
