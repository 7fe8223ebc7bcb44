/*
 * Keys e E !: the host's tools on the selected target, in the terminal pane (app_term.c); without libvterm the app lends its terminal and
 * waits, workers go on. The namespace menu is a pane over the others.
 */
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "tui/app_state.h"
#include "tui/exec.h"
#include "tui/handover.h"
#include "tui/hosted.h"
#include "tui/template.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { USED_DRAW = PANE_USED | PANE_DRAW };

/* What a key is about: the row under the cursor on the list, else the view's target. */
struct subject {
	struct target_ref ref;
	char name[128];
	char why[192]; /* "": it can be entered */
};

static bool find_subject(const struct pane *p, struct subject *ret)
{
	uint64_t id = p->ops->subject ? p->ops->subject(p) : 0;
	const struct target_row *row = app_row(p->env->app, id ? id : p->target_id);
	struct err err = { 0 };

	*ret = (struct subject){ 0 };
	if (!row && p->target_name[0] && p->ref.kind) {
		ret->ref = p->ref; /* its row has left, its process perhaps not */
		snprintf(ret->name, sizeof ret->name, "%s", p->target_name);
		return true;
	}
	if (!row)
		return false;
	text_clean(ret->name, sizeof ret->name, block_text(p->env->targets, row->name), TEXT_UTF8);
	if (target_reference(p->env->targets, row, &ret->ref, &err) < 0)
		snprintf(ret->why, sizeof ret->why, "%s", err.msg);
	return true;
}

/* --- lending the terminal --- */

struct lend {
	struct app *app;
	char note[192];
};

/* Shown before the tool's own words: the terminal is its. */
static void say_note(void *arg, const char *sentence)
{
	struct lend *l = arg;
	char clean[512];

	text_clean(clean, sizeof clean, text_of(sentence), TEXT_UTF8);
	dprintf(STDOUT_FILENO, "nsdbg: %s\r\n", clean);
	snprintf(l->note, sizeof l->note, "%s", sentence);
}

/* A command's output must be read before the screen covers it. */
static void wait_key(const char *name, int status)
{
	struct termios before, raw;
	ssize_t n;
	char key;

	dprintf(STDOUT_FILENO, "\n-- %s: exit %d -- any key: back to nsdbg ", name, status);
	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	raw = before;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	n = read(STDIN_FILENO, &key, 1);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	dprintf(STDOUT_FILENO, n < 0 ? "" : "\n");
}

static void lend(struct app *app, const char *name, struct exec_plan *plan, bool is_shell)
{
	struct lend l = { .app = app };
	struct handover h = { .session = app->session, .spec = &plan->spec, .fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
		.note = say_note, .arg = &l };
	struct err err = { 0 };
	int status;

	screen_lend(app->screen);
	dprintf(STDOUT_FILENO, "nsdbg: %s%s\n", plan->where, is_shell ? "   exit: ^D, back to nsdbg" : "");
	status = handover_run(&h, &err);
	if (!is_shell && !err.code)
		wait_key(plan->spec.words[0], status);
	screen_take_back(app->screen);
	if (err.code)
		app_toast(app, SEVERITY_BAD, "%s", err.msg);
	else if (l.note[0])
		app_toast(app, SEVERITY_WARN, "%s", l.note);
	else
		app_toast(app, SEVERITY_NONE, "%s in %s: exit %d", plan->spec.words[0], name, status);
}

/* In the terminal pane, where there is one; else it gets the whole terminal. */
void app_exec(struct app *app, struct exec_request *q)
{
	static const char *const variables[] = { "TERM=screen-256color", "COLORTERM=" }; /* what the pane understands: no REP */
	struct exec_plan *plan;
	struct err err = { 0 };

	if (hosted_is_there() && app_term_busy(app))
		return;
	if (hosted_is_there()) {
		q->variables = variables;
		q->n_variables = ARRAY_LEN(variables);
	}
	if (!app->session || exec_plan(app->session, q, &plan, &err) < 0) {
		app_toast(app, SEVERITY_WARN, "%s", app->session ? err.msg : "nothing to run tools with");
		return;
	}
	if (hosted_is_there())
		app_term_run(app, &plan->spec, plan->where, q->n_words == 0);
	else
		lend(app, q->name, plan, q->n_words == 0);
	exec_plan_free(plan);
}

static void start(struct pane *p, const struct subject *s, struct exec_request *q)
{
	q->ref = &s->ref;
	q->name = s->name;
	if (s->why[0])
		app_toast(p->env->app, SEVERITY_WARN, "%s", s->why);
	else
		app_exec(p->env->app, q);
}

int app_exec_shell(struct pane *p, int key)
{
	struct exec_request q = { 0 };
	struct subject s;

	(void)key;
	if (!find_subject(p, &s))
		return USED_DRAW;
	start(p, &s, &q);
	return USED_DRAW;
}

/* --- one command --- */

/* Words as a shell would split them; braces are nothing special here. */
static int split(const char *text, struct template_args *ret, struct err *err)
{
	AUTO(fd_freep) char *doubled = fd_xcalloc(2, strlen(text) + 1);
	static const struct template_values none;
	struct template t = { 0 };
	char *to = doubled;
	int r;

	for (const char *c = text; *c; c++) {
		*to++ = *c;
		if (*c == '{')
			*to++ = '{';
	}
	r = template_parse(doubled, false, &t, err);
	if (r == 0)
		r = template_expand(&t, &none, ret, err);
	template_done(&t);
	return r;
}

static bool command_done(struct pane *p, const char *text)
{
	AUTO(fd_freep) struct template_args *args = fd_xcalloc(1, sizeof *args);
	struct exec_request q = { 0 };
	struct err err = { 0 };
	struct subject s;

	if (split(text, args, &err) < 0) {
		pane_prompt_error(p, 0, err.msg);
		return false;
	}
	q.words = args->words;
	q.n_words = args->n_words;
	if (q.n_words && find_subject(p, &s))
		start(p, &s, &q);
	return true;
}

int app_exec_command(struct pane *p, int key)
{
	struct app *app = p->env->app;
	struct pane_prompt spec = { .hint = "a program of the host with the target's network and names, such as ss -tni   no shell: write sh -c '...'",
		.label = app->exec_label, .history = &app->exec_history, .done = command_done };
	struct subject s;

	(void)key;
	if (!find_subject(p, &s))
		return USED_DRAW;
	snprintf(app->exec_label, sizeof app->exec_label, "in %.40s run ", s.name);
	pane_prompt(p, &spec);
	return USED_DRAW;
}

/* --- the menu --- */

enum menu_item { MENU_NET, MENU_MNT, MENU_PID, MENU_UTS, MENU_IPC, MENU_USER, MENU_CGROUP, MENU_TIME, MENU_ROOT, MENU_PROC, MENU_N };

static const struct {
	const char *name, *help;
	unsigned flag;
} menu_items[MENU_N] = {
	[MENU_NET] = { "net", "network; with the host's files also its name resolution and /sys", CLONE_NEWNET },
	[MENU_MNT] = { "mnt", "the container's files and programs instead of the host's", CLONE_NEWNS },
	[MENU_PID] = { "pid", "process numbers; the container sees the shell", CLONE_NEWPID },
	[MENU_UTS] = { "uts", "host name", CLONE_NEWUTS },
	[MENU_IPC] = { "ipc", "shared memory and queues", CLONE_NEWIPC },
	[MENU_USER] = { "user", "user numbers, as its root", CLONE_NEWUSER },
	[MENU_CGROUP] = { "cgroup", "view of control groups", CLONE_NEWCGROUP },
	[MENU_TIME] = { "time", "clock offsets", CLONE_NEWTIME },
	[MENU_ROOT] = { "root", "the container's root directory, without its mounts", 0 },
	[MENU_PROC] = { "/proc", "of the container: top and htop show it alone, the shell stays outside", 0 },
};

struct menu {
	struct pane *over;
	int cursor;
	bool on[MENU_N];
};

static void draw_item(const struct menu *m, struct area a, int i)
{
	bool here = i == m->cursor;

	if (here)
		canvas_ground(a, 0, GROUND_SELECTED);
	canvas_str(a, 0, 0, STYLE_STRONG, here ? ">" : " ");
	canvas_str(a, 1, 0, STYLE_KEY, m->on[i] ? "[x]" : "[ ]");
	canvas_str(a, 5, 0, STYLE_STRONG, menu_items[i].name);
	canvas_fit(a, 13, 0, a.w - 14, false, STYLE_TEXT, text_of(menu_items[i].help));
	if (here)
		canvas_cursor(a, 1, 0, false);
}

static void menu_draw(const struct pane *p, struct area a)
{
	const struct menu *m = p->state;
	struct area bar = canvas_line(a, 0);
	struct subject s;

	if (!find_subject(m->over, &s))
		return;
	canvas_ground(bar, 0, GROUND_BAR);
	canvas_printf(bar, 1, 0, STYLE_STRONG, "Shell in %s: which namespaces?", s.name);
	canvas_left_of(bar, a.w - 1, 0, STYLE_DIM, "Esc close");
	for (int i = 0; i < MENU_N && i + 1 < a.h - 1; i++)
		draw_item(m, canvas_line(a, i + 1), i);
	canvas_ground(a, a.h - 1, GROUND_BAR);
	canvas_hint(a, 1, a.h - 1, STYLE_TEXT, "[Space] on, off   [a] all   [Enter] shell   [Esc] close");
}

static void menu_start(struct pane *p)
{
	const struct menu *m = p->state;
	struct exec_request q = { .root = m->on[MENU_ROOT], .proc = m->on[MENU_PROC] };
	struct pane *over = m->over;
	struct subject s;

	for (int i = 0; i < MENU_N; i++)
		q.namespaces |= m->on[i] ? menu_items[i].flag : 0;
	app_overlay(p->env->app, NULL); /* frees p */
	if (find_subject(over, &s))
		start(over, &s, &q);
}

static int menu_key(struct pane *p, int key)
{
	struct menu *m = p->state;

	if (key == 'j' || key == KEYS_DOWN)
		m->cursor += m->cursor + 1 < MENU_N;
	else if (key == 'k' || key == KEYS_UP)
		m->cursor -= m->cursor > 0;
	else if (key == ' ')
		m->on[m->cursor] = !m->on[m->cursor];
	else if (key == 'a')
		for (int i = 0; i <= MENU_TIME; i++)
			m->on[i] = true;
	else if (key == KEYS_ENTER)
		menu_start(p);
	else
		return 0;
	return USED_DRAW;
}

static void menu_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	(void)p;
	(void)slot;
	(void)ev;
}

static const struct pane_ops menu_ops = { .name = "namespaces", .title = "Namespaces", .state_size = sizeof(struct menu),
	.draw = menu_draw, .key = menu_key, .event = menu_event };

int app_exec_choose(struct pane *p, int key)
{
	struct pane *menu = NULL;
	struct subject s;

	(void)key;
	if (!find_subject(p, &s) || pane_new(&menu_ops, p->env, NULL, &menu, NULL) < 0)
		return USED_DRAW;
	*(struct menu *)menu->state = (struct menu){ .over = p, .on = { [MENU_NET] = true } };
	app_overlay(p->env->app, menu);
	return USED_DRAW;
}
