/*
 * The app's life: one loop over terminal, signals, broker and workers; which pane is in front; drawing when something
 * changed and at most 20 times a second. It never waits for anybody.
 */
#include "core/engine/places.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "tui/app_state.h"
#include "tui/pane_list.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { APP_FRAME_MS = 50, APP_FIRST_FRAME_MS = 8, APP_STARTING_MS = 1000, APP_TOAST_MS = 5000, APP_EVERY_MS = 2000, CLOCK_ALONE_MS = 1900, SLOW_MS = 20 };

const struct pane_ops *const pane_views[] = { &pane_overview, &pane_sockets, &pane_processes, &pane_capture, &pane_dns, &pane_net,
	&pane_probe };
const unsigned pane_n_views = ARRAY_LEN(pane_views);
_Static_assert(ARRAY_LEN(pane_views) <= APP_VIEWS, "room for every view");

/* --- messages --- */

void app_toast(struct app *app, enum severity s, const char *fmt, ...)
{
	struct app_message *m = &app->messages[app->n_messages++ % APP_MESSAGES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(app->toast, sizeof app->toast, fmt, ap);
	va_end(ap);
	app->toast_severity = s;
	app->toast_until = loop_now_ms() + APP_TOAST_MS;
	app->env.dirty = true;
	*m = (struct app_message){ .time_ns = loop_wall_ns(), .severity = s };
	memcpy(m->text, app->toast, sizeof m->text);
}

/* --- which pane is in front --- */

struct pane *app_front(struct app *app)
{
	return app->current == APP_AT_LIST ? app->list : app->views[app->current];
}

int app_view_index(char c)
{
	for (unsigned i = 0; i < pane_n_views; i++)
		if (c && (pane_views[i]->letter == c || pane_views[i]->digit == c))
			return (int)i;
	return -1;
}

static void set_visible(struct app *app)
{
	for (int i = 0; i < APP_VIEWS; i++)
		if (app->views[i])
			app->views[i]->visible = i == app->current;
	app->env.dirty = true;
}

static bool is_busy(const struct pane *p)
{
	return p && p->ops->busy && p->ops->busy(p);
}

static void close_views(struct app *app, bool keep_busy)
{
	for (int i = 0; i < APP_VIEWS; i++) {
		if (!app->views[i] || (keep_busy && is_busy(app->views[i])))
			continue;
		if (is_busy(app->views[i]))
			app_toast(app, SEVERITY_WARN, "%s of %s was ended", app->views[i]->ops->name,
				app->views[i]->target_name);
		pane_free(app->views[i]);
		app->views[i] = NULL;
	}
}

void app_to_list(struct app *app)
{
	app->last = app->current != APP_AT_LIST ? app->current : app->last;
	app->current = APP_AT_LIST;
	app->env.dirty = true;
	close_views(app, true);
	set_visible(app);
	if (app->views_target)
		pane_list_show(app->list, app->views_target);
}

void app_overlay(struct app *app, struct pane *overlay)
{
	pane_free(app->overlay);
	app->overlay = overlay;
	app->env.dirty = true;
}

const struct target_row *app_row(const struct app *app, uint64_t id)
{
	const struct block *b = app->env.targets;

	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct target_row *row = block_row(b, i);
		if (row->head.id == id)
			return row;
	}
	return NULL;
}

uint64_t app_subject(struct app *app)
{
	struct pane *p = app_front(app);

	return p->ops->subject && p->ops->subject(p) ? p->ops->subject(p) : p->target_id;
}

static bool open_view(struct app *app, int index, const struct target_row *row)
{
	struct err err = { 0 };

	if (app->views[index])
		return true;
	if (pane_new(pane_views[index], &app->env, row, &app->views[index], &err) == 0)
		return true;
	app_toast(app, SEVERITY_BAD, "%s", err.msg);
	return false;
}

void app_go(struct app *app, char view, uint64_t target, const struct carry *carry)
{
	int index = app_view_index(view);
	const struct target_row *row;

	if (view == '0') {
		app_to_list(app);
		return;
	}
	if (target == 0)
		target = app_subject(app);
	row = app_row(app, target);
	if (index < 0 || (!row && !(app->views_target == target && app->views[index]))) {
		app_toast(app, SEVERITY_NONE, target ? "this target has left the list" : "select a target first");
		return;
	}
	if (app->views_target != target)
		close_views(app, false);
	if (!open_view(app, index, row))
		return;
	app->views_target = target;
	if (app->current != index)
		app->last = app->current;
	app->current = index;
	pane_list_show(app->list, target);
	set_visible(app);
	if (carry && app->views[index]->ops->take)
		app->views[index]->ops->take(app->views[index], carry);
}

/* A start of 0 is not known (yet): the pid has to do. */
static bool same_ref(const struct target_ref *a, const struct target_ref *b)
{
	bool same_start = a->start == b->start || !a->start || !b->start;

	return a->kind == b->kind && a->pid == b->pid && same_start && strcmp(a->path, b->path) == 0;
}

const struct target_row *app_comeback(const struct pane *p)
{
	const struct block *b = p->env->targets;
	char name[sizeof p->target_name];
	struct target_ref ref;

	if (!p->target_id)
		return NULL;
	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct target_row *row = block_row(b, i);
		text_clean(name, sizeof name, block_text(b, row->name), p->env->look.charset);
		if (strcmp(name, p->target_name) != 0 || target_reference(b, row, &ref, NULL) < 0)
			continue;
		return same_ref(&ref, &p->ref) ? NULL : row;
	}
	return NULL;
}

/* --- what panes asked for --- */

static void serve_prompt(struct app *app)
{
	struct pane_env *env = &app->env;

	if (env->prompt.done)
		app_prompt_start(app);
	if (env->prompt_error_set && app->prompting)
		prompt_error(&app->prompt, env->prompt_error_column, env->prompt_error);
	env->prompt_error_set = false;
}

/* A view opened before its target's process was known (first list, starting container) goes on by itself. */
static void retry_without_ref(struct pane *p)
{
	const struct block *b = NULL;
	const struct target_row *row = p->ref.kind == TARGET_NONE ? pane_target(p, &b) : NULL;
	struct target_ref ref;

	if (row && target_reference(b, row, &ref, NULL) == 0)
		pane_retarget(p, row);
}

static void targets_changed(struct app *app)
{
	app->env.targets_changed = false;
	app->env.dirty = true;
	for (int i = 0; i < APP_VIEWS; i++) {
		if (!app->views[i])
			continue;
		retry_without_ref(app->views[i]);
		if (app->views[i]->ops->targets)
			app->views[i]->ops->targets(app->views[i]);
	}
}

static void serve_requests(struct app *app)
{
	struct pane_env *env = &app->env;

	if (env->toast[0])
		app_toast(app, env->toast_severity, "%s", env->toast);
	env->toast[0] = '\0';
	serve_prompt(app);
	if (env->copy) {
		screen_copy(app->screen, text_of(env->copy));
		app_toast(app, SEVERITY_NONE, "copied %zu bytes (by OSC 52: the terminal must allow it)", strlen(env->copy));
		free(env->copy);
		env->copy = NULL;
	}
	if (env->go) {
		struct carry carry = env->go_carry;
		char view = env->go;
		env->go = 0;
		app_go(app, view, env->go_target, env->go_has_carry ? &carry : NULL);
	}
	if (env->targets_changed)
		targets_changed(app);
}

/* --- the first target, from the command line --- */

static void open_first(struct app *app)
{
	const char *wanted = app->options->target;
	struct target_ref ref;
	struct err err = { 0 };
	uint32_t index = UINT32_MAX;
	int r;

	if (!wanted || !app->env.targets || app->first_done)
		return;
	r = target_resolve(app->env.targets, wanted, &index, &ref, &err);
	if (index != UINT32_MAX) {
		const struct target_row *row = block_row(app->env.targets, index);
		app_go(app, app->options->view ? app->options->view : '1', row->head.id, NULL);
		app->first_done = true;
	} else if (!app->first_said && block_count(app->env.engines) >= (app->env.places ? app->env.places->n : 0)) {
		/* An engine may answer before it says its list: go on looking until the user goes on himself. */
		app_toast(app, SEVERITY_WARN, "%s", r < 0 ? err.msg : "only targets of the list can be opened here");
		app->first_said = true;
	}
}

/* --- loop --- */

static int on_terminal(void *arg)
{
	struct app *app = arg;

	for (;;) {
		struct screen_key key = screen_read(app->screen);
		if (key.key == KEYS_NONE || app->quit)
			break;
		app->first_done = true;
		app_key(app, key);
		serve_requests(app);
		app->drawn_ms = 0; /* the answer to a key is not held back */
		app->env.dirty = true;
	}
	app->quit |= screen_left(app->screen);
	return 0;
}

static int on_broker(void *arg)
{
	struct app *app = arg;

	if (session_read(app->session))
		return 0;
	app->broker_gone = true;
	app_toast(app, SEVERITY_BAD, "the privileged helper has ended: nothing new can be opened; quit and start again");
	return -1;
}

static void resize(struct app *app)
{
	int w, h;

	screen_size(app->screen, &w, &h);
	canvas_resize(app->canvas, w, h);
	app->drawn_ms = 0;
	app->env.dirty = true;
}

struct signals {
	struct app *app;
	int fd;
};

static int on_signal(void *arg)
{
	struct signals *s = arg;
	struct signalfd_siginfo info;

	while (read(s->fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH)
			resize(s->app);
		else if (info.ssi_signo == SIGCONT)
			screen_redraw(s->app->screen), resize(s->app);
		else
			s->app->quit = true;
	}
	return 0;
}

static int signals_open(struct signals *s, struct app *app, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->app = app;
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->fd < 0 ? err_set(err, errno, "open a signalfd") : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Data may wait for the next frame; the first pictures do not. */
static uint64_t frame_ms(const struct app *app)
{
	return loop_now_ms() - app->started_ms < APP_STARTING_MS ? APP_FIRST_FRAME_MS : APP_FRAME_MS;
}

static int wait_ms(const struct app *app)
{
	uint64_t now = loop_now_ms(), due = 1000 - (uint64_t)(loop_wall_ns() / 1000000 % 1000);

	due = least(due, pane_due_ms(app->list));
	for (int i = 0; i < APP_VIEWS; i++)
		if (app->views[i])
			due = least(due, pane_due_ms(app->views[i]));
	if (app->env.dirty)
		due = least(due, now - app->drawn_ms >= frame_ms(app) ? 0 : frame_ms(app) - (now - app->drawn_ms));
	return (int)(screen_owes(app->screen) ? SLOW_MS : due);
}

static void tick(struct app *app)
{
	app->env.now_ms = (int64_t)loop_now_ms();
	pane_tick(app->list);
	for (int i = 0; i < APP_VIEWS; i++)
		if (app->views[i])
			pane_tick(app->views[i]);
	if (app->toast[0] && loop_now_ms() >= app->toast_until) {
		app->toast[0] = '\0';
		app->env.dirty = true;
	}
	app_term_tick(app);
	serve_requests(app);
}

/* The list shows no other seconds than the clock's that the next reading, or the second after, would not bring. */
static bool is_clock_enough(const struct app *app, uint64_t now)
{
	return app->current == APP_AT_LIST && !app->overlay && !app->prompting && !app->list->frozen && now - app->drawn_ms < CLOCK_ALONE_MS;
}

static void draw_if_due(struct app *app, int64_t *second)
{
	uint64_t now = loop_now_ms();
	bool ticks = loop_wall_ns() / 1000000000 != *second;

	if (screen_owes(app->screen))
		return;
	if (ticks)
		*second = loop_wall_ns() / 1000000000;
	app->env.look.now_ns = loop_wall_ns();
	if (ticks && !app->env.dirty && is_clock_enough(app, now)) {
		app_draw_clock(app);
		screen_flush(app->screen, app->canvas);
		return;
	}
	app->env.dirty |= ticks;
	if (!app->env.dirty || now - app->drawn_ms < frame_ms(app))
		return;
	app->env.dirty = false;
	app->drawn_ms = now;
	app->env.now_ms = (int64_t)now;
	app_draw(app);
	screen_flush(app->screen, app->canvas);
}

static void run(struct app *app)
{
	int64_t second = 0;

	while (!app->quit) {
		if (loop_turn(app->loop, wait_ms(app)) < 0)
			break;
		screen_pump(app->screen);
		tick(app);
		open_first(app);
		draw_if_due(app, &second);
	}
}

/* --- life --- */

static void done(struct app *app)
{
	app_term_close(app);
	app_overlay(app, NULL);
	close_views(app, false);
	pane_free(app->list);
	block_unref(app->env.targets);
	block_unref(app->env.networks);
	block_unref(app->env.engines);
	loop_free(app->loop);
	screen_stop(app->screen);
	canvas_free(app->canvas);
	prompt_history_done(&app->filter_history);
	prompt_history_done(&app->write_history);
	prompt_history_done(&app->exec_history);
	free(app->env.copy);
	free(app->messages);
}

static void init_env(struct app *app, const struct app_options *o)
{
	struct pane_env *env = &app->env;

	env->app = app;
	env->session = app->session;
	env->loop = app->loop;
	env->places = o->places;
	env->every_ms = o->every_ms ? o->every_ms : APP_EVERY_MS;
	env->look = (struct row_look){ .charset = screen_charset(app->screen), .utc = o->utc, .now_ns = loop_wall_ns() };
	env->now_ms = (int64_t)loop_now_ms();
	env->dirty = true;
}

static int init(struct app *app, struct session *s, const struct app_options *o, struct err *err)
{
	int w, h, r;

	app->options = o;
	app->session = s;
	app->started_ms = loop_now_ms();
	app->current = app->last = APP_AT_LIST;
	app->mouse = !o->screen.no_mouse;
	app->messages = fd_xcalloc(APP_MESSAGES, sizeof *app->messages);
	gethostname(app->host, sizeof app->host - 1);
	app->loop = loop_new(err);
	if (!app->loop)
		return err && err->code ? -err->code : -ENOMEM;
	r = screen_start(&o->screen, &app->screen, err);
	if (r < 0)
		return r;
	screen_size(app->screen, &w, &h);
	app->canvas = canvas_new(w, h, screen_charset(app->screen));
	init_env(app, o);
	loop_add_fd(app->loop, screen_fd(app->screen), on_terminal, app);
	app->session_item = loop_add_fd(app->loop, session_fd(s), on_broker, app);
	r = pane_new(&pane_list, &app->env, NULL, &app->list, err);
	if (r == 0)
		app_config_say(app);
	return r;
}

int app_run(struct session *s, const struct app_options *o, struct err *err)
{
	struct app app = { 0 };
	struct signals signals = { .fd = -1 };
	int r = init(&app, s, o, err);

	if (r == 0)
		r = signals_open(&signals, &app, err);
	if (r == 0) {
		loop_add_fd(app.loop, signals.fd, on_signal, &signals);
		run(&app);
	}
	done(&app);
	fd_closep(&signals.fd);
	return r;
}
