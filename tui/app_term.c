/*
 * The terminal pane: a shell or tool below the view in front, so that a capture goes on beside it. ^] changes between the two, V gives it
 * the whole screen. Its tool has a pseudo-terminal of its own; what comes out of that goes to cells (hosted.c) and nowhere else.
 */
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "tui/app_state.h"
#include "tui/exec.h"
#include "tui/hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 16384, READS_A_TURN = 8, KEYS_BYTES = 65536, SPLIT_FROM_H = 20, LEAST_H = 9, WHEEL_LINES = 3, ECHO_MS = 100 };

struct app_term {
	struct app *app;
	struct hosted *hosted;
	struct tool *tool; /* NULL: it has ended */
	int master; /* -1: closed */
	struct loop_item *tool_item, *master_item;
	char where[EXEC_SENTENCE]; /* "net of web   files: the host's" */
	char what[64]; /* the program */
	uint64_t target; /* row id; 0: none */
	bool is_shell, focused, zoomed, ended;
	char end[48]; /* "exit 0" */
	char keys[KEYS_BYTES]; /* typed, not taken yet */
	size_t n_keys;
	uint64_t key_ms;
};

/* --- layout --- */

static bool is_alone(const struct app_term *d, int h)
{
	return d->zoomed || (d->focused && h < SPLIT_FROM_H);
}

int app_term_height(const struct app *app, int h)
{
	const struct app_term *d = app->dock;
	int part = h * 45 / 100;

	if (!d)
		return 0;
	if (is_alone(d, h))
		return h;
	if (h < SPLIT_FROM_H)
		return 1; /* its title only */
	return part < LEAST_H ? LEAST_H : part;
}

static void fit(struct app_term *d, int w, int h)
{
	struct winsize size = { .ws_row = (unsigned short)(h > 2 ? h : 2), .ws_col = (unsigned short)(w > 8 ? w : 8) }, now = { 0 };

	hosted_resize(d->hosted, w, h);
	if (d->master >= 0 && ioctl(d->master, TIOCGWINSZ, &now) == 0 && (now.ws_row != size.ws_row || now.ws_col != size.ws_col))
		ioctl(d->master, TIOCSWINSZ, &size);
}

/* --- life --- */

static void drop_tool(struct app_term *d)
{
	loop_remove(d->app->loop, d->tool_item);
	loop_remove(d->app->loop, d->master_item);
	d->tool_item = d->master_item = NULL;
	tool_free(d->tool);
	d->tool = NULL;
	fd_closep(&d->master);
}

void app_term_close(struct app *app)
{
	struct app_term *d = app->dock;

	if (!d)
		return;
	app->dock = NULL;
	app->env.dirty = true;
	drop_tool(d);
	hosted_free(d->hosted);
	free(d);
}

static void flush_keys(struct app_term *d)
{
	ssize_t n = d->master >= 0 && d->n_keys ? write(d->master, d->keys, d->n_keys) : 0;

	if (n <= 0)
		return;
	d->n_keys -= (size_t)n;
	memmove(d->keys, d->keys + n, d->n_keys);
}

/* A tool that reads nothing loses what is more than the buffer holds. */
static void on_output(void *arg, const char *bytes, size_t n)
{
	struct app_term *d = arg;

	if (n > sizeof d->keys - d->n_keys)
		n = sizeof d->keys - d->n_keys;
	memcpy(d->keys + d->n_keys, bytes, n);
	d->n_keys += n;
	flush_keys(d);
}

static int on_master(void *arg)
{
	struct app_term *d = arg;
	char buf[READ_BYTES];
	ssize_t n = 1;

	for (int i = 0; i < READS_A_TURN && n > 0; i++) {
		n = read(d->master, buf, sizeof buf);
		if (n > 0)
			hosted_write(d->hosted, (struct text){ buf, (size_t)n });
	}
	d->app->env.dirty = true;
	if (loop_now_ms() - d->key_ms < ECHO_MS)
		d->app->drawn_ms = 0; /* the echo of a key is not held back */
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return 0;
	d->master_item = NULL;
	return -1; /* nobody has its other end any more */
}

static void ended(struct app_term *d, int status)
{
	struct app *app = d->app;

	if (WIFSIGNALED(status))
		snprintf(d->end, sizeof d->end, "ended by signal %d", WTERMSIG(status));
	else
		snprintf(d->end, sizeof d->end, "exit %d", WEXITSTATUS(status));
	if (d->master >= 0 && d->master_item)
		on_master(d); /* what it wrote last */
	drop_tool(d);
	d->ended = true;
	app_toast(app, SEVERITY_NONE, "%s: %s", d->what, d->end);
	if (d->is_shell)
		app_term_close(app);
}

static void failed(struct app_term *d, const struct tool_event *e)
{
	struct app *app = d->app;

	if (e->exec_failed)
		app_toast(app, SEVERITY_BAD, "%s: %s", e->msg, e->code == ENOENT ? "no such program" : strerror(e->code));
	else
		app_toast(app, SEVERITY_BAD, "%s", e->msg);
	app_term_close(app);
}

static int on_tool(void *arg)
{
	struct app_term *d = arg;
	struct app *app = d->app;
	struct tool_event e;

	for (tool_read(d->tool, &e); e.type != TOOL_NOTHING; tool_read(d->tool, &e)) {
		if (e.type == TOOL_NOTE)
			app_toast(app, SEVERITY_WARN, "%s", e.msg);
		if (e.type == TOOL_STOPPED) /* no shell is there to bring it back: it goes on */
			tool_continue(d->tool, true);
		if (e.type == TOOL_FAILED)
			failed(d, &e);
		if (e.type == TOOL_ENDED)
			ended(d, e.status);
		if (e.type == TOOL_FAILED || e.type == TOOL_ENDED)
			return -1; /* d may be gone */
	}
	return 0;
}

struct hosted *app_term_open(struct app *app, const char *where, const char *what, bool is_shell)
{
	struct app_term *d = fd_xcalloc(1, sizeof *d);
	int w = canvas_width(app->canvas), h = canvas_height(app->canvas);

	*d = (struct app_term){ .app = app, .master = -1, .is_shell = is_shell, .focused = true, .target = app_front(app)->target_id };
	snprintf(d->where, sizeof d->where, "%s", where);
	text_clean(d->what, sizeof d->what, text_of(what), app->env.look.charset);
	app->dock = d;
	d->hosted = hosted_new(w, app_term_height(app, h) - 1, on_output, d);
	app->env.dirty = true;
	return d->hosted;
}

static int start(struct app_term *d, struct tool_spec *spec, struct err *err)
{
	struct app *app = d->app;
	AUTO(fd_closep) int slave = -1;
	struct winsize size = { .ws_col = (unsigned short)canvas_width(app->canvas),
		.ws_row = (unsigned short)(app_term_height(app, canvas_height(app->canvas)) - 1) };
	int r = tool_pty(&size, -1, &d->master, &slave, err);

	if (r < 0)
		return r;
	fcntl(d->master, F_SETFL, O_RDWR | O_NONBLOCK);
	spec->fds[0] = spec->fds[1] = spec->fds[2] = slave;
	spec->flags |= TOOL_TERMINAL | TOOL_FOREGROUND;
	d->tool = session_tool(app->session, spec, err);
	if (!d->tool)
		return -EPIPE;
	d->tool_item = loop_add_fd(app->loop, tool_fd(d->tool), on_tool, d);
	d->master_item = loop_add_fd(app->loop, d->master, on_master, d);
	return 0;
}

bool app_term_busy(struct app *app)
{
	if (app->dock && app->dock->ended)
		app_term_close(app);
	if (!app->dock)
		return false;
	app_toast(app, SEVERITY_NONE, "%s runs already in the terminal pane", app->dock->what);
	app->dock->focused = true;
	return true;
}

void app_term_run(struct app *app, struct tool_spec *spec, const char *where, bool is_shell)
{
	struct err err = { 0 };

	app_term_open(app, where, spec->words[0], is_shell);
	if (start(app->dock, spec, &err) == 0)
		return;
	app_term_close(app);
	app_toast(app, SEVERITY_BAD, "%s", err.msg);
}

/* --- keys --- */

bool app_term_has(const struct pane *p)
{
	return p->env->app && p->env->app->dock;
}

int app_term_enter(struct pane *p, int key)
{
	struct app_term *d = p->env->app->dock;

	d->focused = true;
	d->zoomed = key == 'V';
	return PANE_USED | PANE_DRAW;
}

bool app_term_key(struct app *app, int key)
{
	struct app_term *d = app->dock;

	if (!d || !d->focused)
		return false;
	if (key == KEYS_CTRL(']')) {
		d->focused = d->zoomed = false;
	} else if (!d->ended) {
		d->key_ms = loop_now_ms();
		hosted_key(d->hosted, key);
	} else if (key == KEYS_UP || key == KEYS_DOWN || key == KEYS_PAGE_UP || key == KEYS_PAGE_DOWN) {
		hosted_scroll(d->hosted, key == KEYS_UP ? 1 : key == KEYS_DOWN ? -1 : key == KEYS_PAGE_UP ? 10 : -10);
	} else if (key == KEYS_ENTER || key == KEYS_ESC || key == 'q' || key == KEYS_CTRL('C') || key == KEYS_CTRL('D')) {
		app_term_close(app);
	}
	return true;
}

bool app_term_paste(struct app *app, struct text raw)
{
	struct app_term *d = app->dock;

	if (!d || !d->focused)
		return false;
	hosted_paste(d->hosted, raw);
	return true;
}

bool app_term_mouse(struct app *app, int key, int y)
{
	struct app_term *d = app->dock;
	int h = canvas_height(app->canvas);

	if (!d)
		return false;
	if (y < h - app_term_height(app, h)) {
		d->focused = d->focused && (key == KEYS_WHEEL_UP || key == KEYS_WHEEL_DOWN);
		return false;
	}
	if (key == KEYS_WHEEL_UP || key == KEYS_WHEEL_DOWN)
		hosted_scroll(d->hosted, key == KEYS_WHEEL_UP ? WHEEL_LINES : -WHEEL_LINES);
	else
		d->focused = true;
	return true;
}

void app_term_tick(struct app *app)
{
	if (app->dock)
		flush_keys(app->dock);
}

/* --- picture --- */

/* The tool keeps the namespaces of a container that has ended: it goes on, in what nobody else uses. */
static bool target_ended(const struct app_term *d)
{
	const struct pane *p = app_front(d->app);
	const struct feed *f = pane_trouble(p);

	return d->target && p->target_id == d->target && f && f->state == FEED_GONE;
}

static void draw_title(const struct app_term *d, struct area a)
{
	char left[EXEC_SENTENCE + 128], right[64] = "";
	const char *key = d->ended && d->focused ? "Enter" : "^]", *way = d->ended && d->focused ? "close" : d->focused ? "back to nsdbg" : "into it";
	int back = hosted_looking_back(d->hosted), at;

	if (d->ended)
		snprintf(left, sizeof left, "%s: %s   ns: %s", d->what, d->end, d->where);
	else
		snprintf(left, sizeof left, "ns: %s%s%s   %s", d->where, d->is_shell ? "" : "   run: ", d->is_shell ? "" : d->what,
			target_ended(d) ? "target ended" : "exit: ^D");
	if (back > 0)
		snprintf(right, sizeof right, "%d lines back   ", back);
	canvas_ground(a, 0, d->focused ? GROUND_SELECTED : GROUND_BAR);
	at = a.w - 2 - (int)(strlen(key) + strlen(way) + strlen(right));
	canvas_fit(a, 1, 0, at - 2, false, STYLE_STRONG, text_of(left));
	canvas_str(a, at, 0, STYLE_TEXT, right);
	at += (int)strlen(right);
	canvas_str(a, at, 0, STYLE_KEY, key);
	canvas_str(a, at + (int)strlen(key) + 1, 0, STYLE_TEXT, way);
}

void app_term_draw(struct app *app, struct area a)
{
	struct app_term *d = app->dock;
	struct area body = canvas_sub(a, 0, 1, a.w, a.h - 1);

	draw_title(d, canvas_line(a, 0));
	if (body.h < 1)
		return;
	fit(d, body.w, body.h);
	hosted_draw(d->hosted, body, d->focused && !app->overlay);
}
