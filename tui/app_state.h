/* The app's own state, shared by its parts: app.c (loop), app_keys.c (what keys do), app_bars.c (top line, tabs, footer). */
#ifndef NSDBG_TUI_APP_STATE_H
#define NSDBG_TUI_APP_STATE_H

#include "tui/app.h"
#include "tui/config.h"
#include "tui/pane.h"

enum { APP_VIEWS = 8, APP_MESSAGES = 200, APP_SPOTS = 48 };
enum { APP_AT_LIST = -1 };

/* A place on the screen that a click turns into a key. */
struct app_spot {
	int x, y, w;
	int key;
};

struct app_message {
	int64_t time_ns;
	enum severity severity;
	char text[PANE_TOAST];
};

struct app {
	struct pane_env env; /* env.app points back here */
	const struct app_options *options;
	struct screen *screen;
	struct canvas *canvas;
	struct loop *loop;
	struct session *session;
	struct loop_item *session_item;
	char host[65];

	struct pane *list;
	struct pane *views[APP_VIEWS]; /* by index in pane_views; all on the same target */
	uint64_t views_target;
	int current; /* index of the view in front; APP_AT_LIST */
	int last; /* view before, for - */
	struct app_term *dock; /* terminal pane below the view; NULL: none */
	struct pane *overlay; /* help, messages, columns: takes the keys while it is there */

	bool prompting;
	struct prompt prompt;
	struct pane_prompt prompt_spec;
	char prompt_hint[128];
	struct prompt_history filter_history, write_history, exec_history;
	char exec_label[64];
	char filter_before[PROMPT_TEXT]; /* for Esc */
	char write_refused[1024]; /* path that exists: Enter again replaces it */

	char toast[PANE_TOAST];
	enum severity toast_severity;
	uint64_t toast_until;
	struct app_message *messages; /* ring of APP_MESSAGES */
	unsigned n_messages;

	struct app_spot spots[APP_SPOTS];
	unsigned n_spots;
	uint64_t interrupt_ms; /* first ^C */
	uint64_t drawn_ms;
	uint64_t started_ms;
	bool mouse, quit, broker_gone, first_done, first_said;
};

/* The pane in front, without overlays. */
struct pane *app_front(struct app *app);
void app_toast(struct app *app, enum severity s, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Opens a view ('0' list, digit or letter) on a target (0: where we are). */
void app_go(struct app *app, char view, uint64_t target, const struct carry *carry);
void app_to_list(struct app *app);
void app_overlay(struct app *app, struct pane *overlay); /* NULL closes */
/* The target of `p` came back as another process or container: its row, else NULL. */
const struct target_row *app_comeback(const struct pane *p);
int app_view_index(char letter_or_digit); /* -1: none */

/* Row id of the target that the front pane stands for, 0 none; and a row by its id, NULL when it has left the list. */
uint64_t app_subject(struct app *app);
const struct target_row *app_row(const struct app *app, uint64_t id);

/* --- app_commands.c --- */

/* Runs an own command on the target in front. */
void app_command(struct app *app, const struct config_command *cmd);
const struct config_command *app_command_of_key(const struct app *app, int key); /* NULL: none */
/* Tells what is wrong with the configuration; takes keys away that are somebody else's. */
void app_config_say(struct app *app);

/* --- app_keys.c --- */

void app_key(struct app *app, struct screen_key key);
void app_prompt_start(struct app *app); /* takes env.prompt */
/* The tables that apply to a pane, most special first: i = 0 pane, 1 table, 2 everywhere; NULL past the end. */
const struct binding *app_bindings(const struct pane *p, unsigned i, unsigned *ret_n);

const struct binding *app_table_bindings(unsigned *ret_n);

/* --- app_exec.c: keys e E ! --- */

struct exec_request;
/* Runs a tool. What fails is told in a toast. */
void app_exec(struct app *app, struct exec_request *q);
int app_exec_shell(struct pane *p, int key);
int app_exec_choose(struct pane *p, int key);
int app_exec_command(struct pane *p, int key);

/* --- app_term.c: the terminal pane --- */

struct hosted;
struct tool_spec;
/* A tool is in there already: says so and goes to it. */
bool app_term_busy(struct app *app);
/* Runs the tool in the pane; `where` for its title. A shell's pane goes with its end, a command's stays to be read. */
void app_term_run(struct app *app, struct tool_spec *spec, const char *where, bool is_shell);
/* The pane without a tool, for tests. */
struct hosted *app_term_open(struct app *app, const char *where, const char *what, bool is_shell);
void app_term_close(struct app *app); /* ends the tool */
int app_term_height(const struct app *app, int h); /* its lines of a screen of h; 0 none, h all */
void app_term_draw(struct app *app, struct area a);
void app_term_tick(struct app *app);
/* true: the pane has the keys and took this one. */
bool app_term_key(struct app *app, int key);
bool app_term_paste(struct app *app, struct text raw);
bool app_term_mouse(struct app *app, int key, int y);
bool app_term_has(const struct pane *p);
int app_term_enter(struct pane *p, int key);

/* --- app_bars.c --- */

void app_draw(struct app *app);
void app_draw_clock(struct app *app); /* only that, on what was drawn before */

#endif
