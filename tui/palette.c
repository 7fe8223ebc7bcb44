/*
 * The palette's entries come from the tables: key bindings of the pane in front, views, own commands, settings, targets. Words are
 * and-ed over name, help and kind; what begins with the first word comes first. Enter closes the palette, then does it.
 */
#include "tui/palette.h"

#include "core/fd.h"
#include "tui/app_state.h"
#include "tui/facts.h"
#include "tui/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ROWS_MAX = 14, ROWS_LEFT = 8, NAME_WIDE = 24, NAME_NARROW = 14, KEY_WIDTH = 10, NARROW = 60, ENTRY_NAME = 64, ENTRY_HELP = 160 };

enum kind { KIND_KEY, KIND_VIEW, KIND_COMMAND, KIND_SETTING, KIND_TARGET, KIND_N };

static const char *const kind_words[KIND_N] = { [KIND_KEY] = "key", [KIND_VIEW] = "view", [KIND_COMMAND] = "command",
	[KIND_SETTING] = "set", [KIND_TARGET] = "target" };

struct entry {
	enum kind kind;
	char name[ENTRY_NAME];
	char help[ENTRY_HELP];
	char key[16];
	const struct binding *binding; /* KIND_KEY */
	int press; /* KIND_KEY: with this key; KIND_VIEW: letter or digit */
	unsigned index; /* KIND_COMMAND, KIND_SETTING */
	uint64_t target; /* KIND_TARGET */
};

struct palette {
	struct pane *over;
	struct prompt input;
	struct entry *entries;
	unsigned n, cap;
	unsigned *found; /* indices of entries, best first */
	unsigned n_found, cursor;
};

/* --- settings --- */

static bool set_interval(struct app *app, const char *text)
{
	uint64_t ms;

	if (!config_time(text, &ms) || ms < CONFIG_MIN_MS || ms > CONFIG_MAX_MS)
		return false;
	app->env.every_ms = ms;
	app_toast(app, SEVERITY_NONE, "views refresh every %g s", (double)ms / 1000);
	return true;
}

static bool set_utc(struct app *app, const char *text)
{
	bool on = strcmp(text, "on") == 0 || strcmp(text, "yes") == 0;

	if (!on && strcmp(text, "off") != 0 && strcmp(text, "no") != 0)
		return false;
	app->env.look.utc = on;
	app_toast(app, SEVERITY_NONE, on ? "times in UTC" : "times of this place");
	return true;
}

static void say_interval(const struct app *app, char *buf, size_t cap)
{
	snprintf(buf, cap, "%g s", (double)app->env.every_ms / 1000);
}

static void say_utc(const struct app *app, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s", app->env.look.utc ? "on" : "off");
}

static const struct setting {
	const char *name, *help, *wants;
	bool (*set)(struct app *app, const char *text);
	void (*say)(const struct app *app, char *buf, size_t cap);
} settings[] = {
	{ "interval", "how often views refresh", "interval wants a time from 500ms to 60s", set_interval, say_interval },
	{ "utc", "times in UTC, on or off", "utc is on or off", set_utc, say_utc },
};

/* --- entries --- */

static struct entry *add(struct palette *s, enum kind kind)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 128;
		s->entries = fd_xrealloc(s->entries, s->cap, sizeof *s->entries);
	}
	s->entries[s->n] = (struct entry){ .kind = kind };
	return &s->entries[s->n++];
}

/* Keys without a word for the footer are called by the beginning of their help: "untag all". */
static void name_binding(const struct binding *b, struct entry *e)
{
	if (b->label)
		snprintf(e->name, sizeof e->name, "%s", b->label);
	else
		snprintf(e->name, sizeof e->name, "%.*s", (int)strcspn(b->help, ",;:("), b->help);
	if (strcmp(e->name, b->help) != 0 || strlen(e->name) > NAME_WIDE)
		snprintf(e->help, sizeof e->help, "%s", b->help);
}

static bool is_there(const struct palette *s, int key)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->entries[i].kind == KIND_KEY && s->entries[i].press == key)
			return true;
	return false;
}

static void add_binding(struct palette *s, const struct binding *b, int key)
{
	char name[KEYS_TEXT];
	struct entry *e;

	if (is_there(s, key))
		return; /* a pane's own comes before the general one */
	e = add(s, KIND_KEY);
	name_binding(b, e);
	snprintf(e->key, sizeof e->key, "%s", key == ':' ? b->shown : keys_name(key, name));
	e->binding = b;
	e->press = key;
}

static void add_bindings(struct palette *s)
{
	const struct binding *b;
	unsigned n;

	for (unsigned t = 0; (b = app_bindings(s->over, t, &n)); t++) {
		for (unsigned i = 0; i < n; i++) {
			bool is_view = app_view_index((char)b[i].key) >= 0 && t == 2;

			if (!b[i].run || !b[i].help || is_view || (b[i].key == ':' && t == 2) || (b[i].works && !b[i].works(s->over)))
				continue;
			add_binding(s, &b[i], b[i].key);
			if (b[i].shown && b[i].alias) /* two directions: "{ }" */
				add_binding(s, &b[i], b[i].alias);
		}
	}
}

static void add_views(struct palette *s)
{
	for (unsigned i = 0; i < pane_n_views; i++) {
		const struct pane_ops *o = pane_views[i];
		struct entry *e = add(s, KIND_VIEW);

		snprintf(e->name, sizeof e->name, "%s", o->title);
		snprintf(e->help, sizeof e->help, "view of the target%s", o->letter ? ", with the selection" : "");
		snprintf(e->key, sizeof e->key, o->letter ? "%c %c" : "%c", o->digit, o->letter);
		e->press = o->letter ? o->letter : o->digit;
	}
}

static void add_commands(struct palette *s)
{
	const struct config *c = s->over->env->app->options->config;

	for (unsigned i = 0; c && i < c->n_commands; i++) {
		struct entry *e = add(s, KIND_COMMAND);
		char name[KEYS_TEXT];

		snprintf(e->name, sizeof e->name, "%s", c->commands[i].name);
		snprintf(e->help, sizeof e->help, "%s%s%s", c->commands[i].help, c->commands[i].help[0] ? ": " : "", c->commands[i].text);
		if (c->commands[i].key)
			snprintf(e->key, sizeof e->key, "%s", keys_name(c->commands[i].key, name));
		e->index = i;
	}
}

static void add_settings(struct palette *s)
{
	for (unsigned i = 0; i < ARRAY_LEN(settings); i++) {
		struct entry *e = add(s, KIND_SETTING);
		char now[32];

		settings[i].say(s->over->env->app, now, sizeof now);
		snprintf(e->name, sizeof e->name, "%s", settings[i].name);
		snprintf(e->help, sizeof e->help, "%s; now %s", settings[i].help, now);
		e->index = i;
	}
}

static void add_targets(struct palette *s)
{
	const struct pane_env *env = s->over->env;
	const struct block *b = env->targets;

	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct target_row *t = block_row(b, i);
		struct entry *e = add(s, KIND_TARGET);
		struct text runtime = block_text(b, t->runtime), id = block_text(b, t->id);
		char state[80] = "";

		text_clean(e->name, sizeof e->name, block_text(b, t->name), env->look.charset);
		state[facts_state(t, &env->look, state, sizeof state)] = '\0';
		snprintf(e->help, sizeof e->help, "target   %.*s %.*s   %s", (int)(runtime.n < 20 ? runtime.n : 20), runtime.p ? runtime.p : "",
			(int)(id.n < 12 ? id.n : 12), id.p ? id.p : "", state);
		e->target = t->head.id;
	}
}

/* --- finding --- */

static bool has_word(const struct entry *e, struct text word)
{
	return text_contains(text_of(e->name), word) || text_contains(text_of(e->help), word) || text_contains(text_of(kind_words[e->kind]), word);
}

/* 0 best; UINT32_MAX: no match. A setting's words behind its name are its value. */
static unsigned score(const struct entry *e, const char *input)
{
	size_t first = strcspn(input, " ");

	if (e->kind == KIND_SETTING && input[first] && first == strlen(e->name) && strncasecmp(e->name, input, first) == 0)
		return 0;
	for (const char *p = input; *p;) {
		size_t n = strcspn(p, " ");

		if (!has_word(e, (struct text){ p, n }))
			return UINT32_MAX;
		p += n + strspn(p + n, " ");
	}
	if (strncasecmp(e->name, input, first) == 0)
		return 0;
	return text_contains(text_of(e->name), (struct text){ input, first }) ? 1 : 2;
}

static bool all_digits(const char *text)
{
	return text[0] && text[strspn(text, "0123456789")] == '\0';
}

static void find(struct palette *s)
{
	const char *input = s->input.text + strspn(s->input.text, " ");

	s->n_found = s->cursor = 0;
	for (unsigned wanted = 0; wanted < 3; wanted++)
		for (unsigned i = 0; i < s->n; i++) {
			const struct entry *e = &s->entries[i];
			unsigned at = all_digits(input) && e->press == ':' ? 0 : score(e, input); /* :42 */

			if (at == wanted)
				s->found[s->n_found++] = i;
		}
}

/* --- doing --- */

static void run_key(struct app *app, const struct entry *e, const char *input)
{
	struct pane_env *env = &app->env;

	e->binding->run(app_front(app), e->press);
	if (e->press != ':' || !all_digits(input) || !env->prompt.done)
		return;
	/* What would be asked for is there already. */
	env->prompt.done(env->prompt.pane, input);
	memset(&env->prompt, 0, sizeof env->prompt);
	if (env->prompt_error_set && env->prompt_error[0])
		app_toast(app, SEVERITY_WARN, "%s", env->prompt_error);
	env->prompt_error_set = false;
}

static void run_view(struct app *app, const struct entry *e)
{
	struct pane *p = app_front(app);
	struct carry carry;

	carry_init(&carry);
	if (p->ops->give && e->press > '9')
		p->ops->give(p, (char)e->press, &carry);
	app_go(app, (char)e->press, 0, &carry);
}

static void run_entry(struct app *app, const struct entry *e, const char *input)
{
	switch (e->kind) {
	case KIND_KEY:
		run_key(app, e, input);
		break;
	case KIND_VIEW:
		run_view(app, e);
		break;
	case KIND_COMMAND:
		app_command(app, &app->options->config->commands[e->index]);
		break;
	case KIND_TARGET:
		app_go(app, app->current == APP_AT_LIST ? '1' : app_front(app)->ops->digit, e->target, NULL);
		break;
	case KIND_SETTING:
	case KIND_N:
		break;
	}
}

/* A setting without its value stays open for it. True: done. */
static bool run_setting(struct palette *s, const struct entry *e)
{
	const struct setting *set = &settings[e->index];
	const char *value = s->input.text + strspn(s->input.text, " ");

	value += strcspn(value, " ");
	value += strspn(value, " ");
	if (*value && set->set(s->over->env->app, value))
		return true;
	if (*value)
		prompt_error(&s->input, (size_t)(value - s->input.text), set->wants);
	else {
		char text[ENTRY_NAME + 2];

		snprintf(text, sizeof text, "%s ", set->name);
		prompt_set(&s->input, text);
		find(s);
	}
	return false;
}

static void enter(struct palette *s)
{
	struct app *app = s->over->env->app;
	char input[64];
	struct entry e;

	if (s->n_found == 0) {
		prompt_error(&s->input, 0, "nothing is called so");
		return;
	}
	e = s->entries[s->found[s->cursor]];
	snprintf(input, sizeof input, "%s", s->input.text + strspn(s->input.text, " "));
	if (e.kind == KIND_SETTING && !run_setting(s, &e))
		return;
	app_overlay(app, NULL); /* ends the palette: nothing of it is used below */
	run_entry(app, &e, input);
}

static void complete(struct palette *s)
{
	const struct entry *e;
	unsigned at = s->cursor;
	char text[ENTRY_NAME + 2];

	if (s->n_found == 0)
		return;
	e = &s->entries[s->found[at]];
	snprintf(text, sizeof text, "%s%s", e->name, e->kind == KIND_SETTING ? " " : "");
	prompt_set(&s->input, text);
	find(s);
}

static void move(struct palette *s, int by)
{
	int64_t at = (int64_t)s->cursor + by;

	if (s->n_found)
		s->cursor = at < 0 ? 0 : at >= s->n_found ? s->n_found - 1 : (unsigned)at;
}

static int palette_key(struct pane *p, int key)
{
	struct palette *s = p->state;
	enum prompt_result r;

	if (key == KEYS_UP || key == KEYS_WHEEL_UP || key == KEYS_BACK_TAB || key == KEYS_CTRL('P'))
		move(s, -1);
	else if (key == KEYS_DOWN || key == KEYS_WHEEL_DOWN || key == KEYS_CTRL('N'))
		move(s, 1);
	else if (key == KEYS_PAGE_UP || key == KEYS_PAGE_DOWN)
		move(s, key == KEYS_PAGE_UP ? -ROWS_MAX : ROWS_MAX);
	else if (key == KEYS_TAB)
		complete(s);
	else if (key == KEYS_ENTER)
		enter(s);
	else if (key == KEYS_ESC || key == KEYS_CTRL('C') || (key == KEYS_BACKSPACE && s->input.len == 0))
		app_overlay(p->env->app, NULL);
	else {
		r = prompt_key(&s->input, key);
		if (r == PROMPT_CHANGED)
			find(s);
	}
	return PANE_USED | PANE_DRAW;
}

static void palette_paste(struct pane *p, struct text raw)
{
	struct palette *s = p->state;

	prompt_paste(&s->input, raw);
	find(s);
}

/* --- picture --- */

static void clear_line(struct area a, int y)
{
	char blanks[512];
	int n = a.w < (int)sizeof blanks ? a.w : (int)sizeof blanks - 1;

	memset(blanks, ' ', sizeof blanks);
	canvas_put(a, 0, y, STYLE_TEXT, (struct text){ blanks, (size_t)n });
	canvas_ground(a, y, GROUND_NONE);
}

/* The letters that were typed, where they stand in the name. */
static void mark(const struct palette *s, struct area a, int x, int y, int width, const char *name)
{
	const char *input = s->input.text + strspn(s->input.text, " "), *at;
	size_t n = strcspn(input, " ");
	char word[ENTRY_NAME];

	if (n == 0 || n >= sizeof word)
		return;
	snprintf(word, sizeof word, "%.*s", (int)n, input);
	at = strcasestr(name, word);
	if (at && (int)text_width((struct text){ name, (size_t)(at - name) + n }) < width)
		canvas_mark_match(a, x + (int)text_width((struct text){ name, (size_t)(at - name) }), y, (int)text_width(text_of(word)));
}

static void draw_entry(const struct palette *s, struct area a, int y, unsigned i)
{
	const struct entry *e = &s->entries[s->found[i]];
	int wide = a.w < NARROW ? NAME_NARROW : NAME_WIDE, left = 3 + wide + 2, right = a.w - KEY_WIDTH;
	bool here = i == s->cursor;

	if (here)
		canvas_ground(a, y, GROUND_SELECTED);
	canvas_str(a, 1, y, STYLE_STRONG, here ? ">" : " ");
	canvas_fit(a, 3, y, wide, false, STYLE_STRONG, text_of(e->name));
	mark(s, a, 3, y, wide, e->name);
	canvas_fit(a, left, y, right - left - 1, false, here ? STYLE_TEXT : STYLE_DIM, text_of(e->help));
	canvas_fit(a, right, y, KEY_WIDTH - 2, false, STYLE_KEY, text_of(e->key));
}

static void palette_draw(const struct pane *p, struct area a)
{
	struct palette *s = p->state;
	int rows = a.h - ROWS_LEFT < ROWS_MAX ? a.h - ROWS_LEFT : ROWS_MAX, top;
	unsigned from;
	char count[48];

	rows = rows < 1 ? 1 : rows;
	top = a.h - 2 - rows - 1;
	from = s->cursor >= (unsigned)rows ? s->cursor - (unsigned)rows + 1 : 0;
	for (int y = top; y < a.h; y++)
		clear_line(a, y);
	canvas_rule(a, top, "Commands");
	snprintf(count, sizeof count, " %u of %u ", s->n_found, s->n);
	canvas_left_of(a, a.w - 2, top, STYLE_DIM, count);
	for (int y = 0; y < rows && from + (unsigned)y < s->n_found; y++)
		draw_entry(s, a, top + 1 + y, from + (unsigned)y);
	prompt_draw(&s->input, a, a.h - 2);
}

/* --- opening --- */

static void palette_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	(void)p, (void)slot;
	if (ev->type == LINK_BLOCK)
		block_unref(ev->block);
}

static void palette_done(struct pane *p)
{
	struct palette *s = p->state;

	free(s->entries);
	free(s->found);
}

static const struct pane_ops palette_ops = { .name = "palette", .title = "Commands", .state_size = sizeof(struct palette),
	.done = palette_done, .draw = palette_draw, .key = palette_key, .paste = palette_paste, .event = palette_event,
	.lies_over = true };

struct pane *palette_open(struct pane *over)
{
	struct pane *p = NULL;
	struct palette *s;

	pane_new(&palette_ops, over->env, NULL, &p, NULL);
	s = p->state;
	s->over = over;
	add_bindings(s);
	add_views(s);
	add_commands(s);
	add_settings(s);
	add_targets(s);
	s->found = fd_xcalloc(s->n, sizeof *s->found);
	prompt_init(&s->input, ":", "", NULL);
	s->input.hint = "[Enter] do it   [Tab] complete   [Up] [Down] choose   [Esc] close";
	find(s);
	return p;
}
