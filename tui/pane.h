/*
 * A pane is a view: a record of functions and key tables, a state, its feeds (workers on its target). The app calls the functions;
 * the pane asks for things by writing into its env (pane_toast, pane_prompt, pane_go): it never calls the app and never waits.
 */
#ifndef NSDBG_TUI_PANE_H
#define NSDBG_TUI_PANE_H

#include "core/session.h"
#include "core/target.h"
#include "tui/grid.h"
#include "tui/keys.h"
#include "tui/prompt.h"

struct app;
struct loop;
struct loop_item;
struct pane;

enum { PANE_USED = 1 << 0, PANE_DRAW = 1 << 1 }; /* what key functions return; 0: not mine, try the next table */

enum binding_group { BINDING_VIEW, BINDING_GO, BINDING_MOVE, BINDING_TABLE, BINDING_SCREEN, BINDING_OUT, BINDING_N };

/* One key: what it does, how the footer and help call it. Footer, help and README come from these tables. */
struct binding {
	int key;
	int alias; /* second key, 0 none */
	const char *shown; /* how it is written when key_name is not enough: "1-5", "< >" */
	const char *label; /* footer; NULL: only in help */
	const char *help; /* one clause */
	int (*run)(struct pane *p, int key); /* PANE_* */
	bool (*works)(const struct pane *p); /* NULL: always; false: not shown, not run */
	uint8_t rank; /* footer: the highest number is left out first */
	uint8_t group; /* enum binding_group */
	bool right; /* right end of the footer */
	bool list_only; /* footer only on the list of targets */
};

/* What a view letter takes along from the selection; empty strings and ROW_NO_UINT: nothing. */
struct carry {
	char bpf[512]; /* to capture: "host 172.18.0.3 and port 5432" */
	char name[256]; /* to DNS */
	char filter[256]; /* to tables: "pid=12841" */
	uint64_t pid; /* to processes: put the cursor there */
	char probe[320]; /* to probe: "tcp 172.18.0.3:5432", started at once */
};

struct pane_ops {
	const char *name; /* "sockets" */
	const char *title; /* tab: "Sockets" */
	const char *short_title; /* narrow tab: "Sock" */
	char digit, letter; /* '2', 's'; 0: not a view of a target */
	size_t state_size;
	/* 0 or -errno. Opens its feeds with pane_feed_open. In tests env->session is NULL and feeds do nothing. */
	int (*init)(struct pane *p, struct err *err);
	void (*done)(struct pane *p); /* feeds are closed by the caller */
	void (*draw)(const struct pane *p, struct area a); /* state is only read, but for scroll memory in grids */
	int (*key)(struct pane *p, int key); /* before the tables; may be NULL; PANE_* */
	int (*mouse)(struct pane *p, int key, int x, int y); /* screen coordinates; may be NULL: the grid takes it */
	void (*paste)(struct pane *p, struct text raw); /* may be NULL: pastes are ignored */
	/* News of a feed. LINK_BLOCK: the pane owns ev->block now. Errors, ends and gone are already in the feed's state. */
	void (*event)(struct pane *p, unsigned slot, struct link_event *ev);
	void (*targets)(struct pane *p); /* env->targets changed; may be NULL */
	struct grid *(*grid)(const struct pane *p); /* the table that table keys act on; NULL: none */
	/* Row id of the target that the selection stands for (a view letter opens it); NULL or 0: the pane's own. */
	uint64_t (*subject)(const struct pane *p);
	void (*take)(struct pane *p, const struct carry *c); /* right after init, and when already open; may be NULL */
	void (*give)(const struct pane *p, char view_letter, struct carry *ret); /* may be NULL */
	/* Left part of the message line when there is nothing more urgent. NULL: freshness of slot 0. */
	void (*status)(const struct pane *p, char *buf, size_t cap);
	bool (*busy)(const struct pane *p); /* runs something that leaving the target must not end silently (capture) */
	void (*freeze)(struct pane *p, bool on); /* NULL: blocks are held back for it */
	/* R with everything alive: sample now. NULL: pane_feeds_refresh. */
	void (*refresh)(struct pane *p);
	/* W: own formats. NULL: the grid's rows as text, CSV or JSON. 0, or -errno with the sentence. */
	int (*write)(struct pane *p, const char *path, int fd, struct err *err);
	const char *(*write_name)(const struct pane *p, char *buf, size_t cap); /* suggested file name */
	const char *write_hint; /* under that prompt; NULL: formats of tables */
	const struct binding *bindings;
	unsigned n_bindings;
	bool lies_over; /* overlay that leaves the pane below in sight */
};

/* --- feeds: one worker each --- */

enum { PANE_FEEDS = 22, PANE_FEED_TYPES = 6 };

enum feed_state {
	FEED_OFF,
	FEED_STARTING,
	FEED_LIVE,
	FEED_DONE, /* closed in order, as asked */
	FEED_FAILED, /* could not start or broke: `why` */
	FEED_ENDED, /* the worker died: `why` = "killed by signal 9" */
	FEED_GONE, /* the target's process has ended */
};

struct feed_spec {
	const struct source *source;
	const void *params; /* copied */
	size_t n_params;
	const struct row_type *const *types; /* further row types it may send; static storage */
	unsigned n_types;
	bool sampled; /* ask for a sample every env->every_ms while the pane is on the screen */
	uint64_t every_ms; /* 0: env->every_ms */
	uint64_t deadline_ms; /* 0 none; no first block until then: FEED_FAILED "no answer in 2 s" */
	bool on_host; /* with no_target: in the host's namespaces */
	bool no_target; /* TARGET_NONE (engine, scan) */
	struct target_ref at; /* with no_target: look there, unless its kind is TARGET_NONE */
};

struct feed {
	struct pane *pane;
	unsigned slot;
	struct feed_spec spec;
	unsigned char *params;
	struct link *link;
	struct loop_item *item;
	enum feed_state state;
	char why[192];
	int64_t fresh_ms; /* loop_now_ms of the last block; 0 none */
	int64_t gone_ms; /* FEED_GONE: since then */
	int64_t asked_ms;
	uint64_t opened_ms;
	bool waiting; /* a sample was asked for */
	bool same; /* set by event(): this block says what the one before said, nothing is drawn for it */
	uint64_t cost_us; /* of the last block */
	uint64_t interval_ms; /* in force: grows with the cost, stays under 5 % of a core */
	struct block *held; /* while frozen */
};

/* --- the env: what all panes share; the app owns it and empties the requests after each call --- */

enum { PANE_TOAST = 256 };

struct pane_prompt {
	const char *label;
	const char *hint;
	char initial[PROMPT_TEXT];
	struct prompt_history *history;
	struct pane *pane;
	/* After each change; may call pane_prompt_error now or later. NULL fine. */
	void (*changed)(struct pane *p, const char *text);
	/* Enter; returning false keeps the prompt open (say why with pane_prompt_error). */
	bool (*done)(struct pane *p, const char *text);
	void (*cancelled)(struct pane *p); /* Esc; NULL fine */
};

struct pane_env {
	struct app *app; /* for the app's own key functions; panes leave it alone */
	struct session *session; /* NULL in tests */
	struct loop *loop; /* NULL in tests */
	struct block *targets; /* target_row; may be NULL */
	struct block *networks; /* network_row; may be NULL */
	struct block *engines; /* engine_row; may be NULL */
	struct row_look look; /* charset, utc, raw numbers; now_ns set at each draw */
	uint64_t every_ms;
	const struct engine_places *places; /* engines to ask; NULL: none */
	int64_t now_ms; /* loop_now_ms at this turn; tests set it */
	/* requests */
	bool dirty; /* draw again */
	bool targets_changed;
	char toast[PANE_TOAST];
	enum severity toast_severity;
	struct pane_prompt prompt; /* .done set: put it up */
	char prompt_error[192];
	size_t prompt_error_column;
	bool prompt_error_set;
	char go; /* view letter, '0' list; 0 nothing */
	uint64_t go_target; /* row id; 0: the same */
	struct carry go_carry;
	bool go_has_carry;
	char *copy; /* to the clipboard, owned */
};

struct pane {
	const struct pane_ops *ops;
	void *state;
	struct pane_env *env;
	uint64_t target_id; /* row id in env->targets; 0: none (list) */
	struct target_ref ref; /* what the feeds look at; kind TARGET_NONE: see no_ref */
	char no_ref[192]; /* why there is nothing to look at ("web is not running"), else "" */
	char target_name[128]; /* clean; kept when the row has left */
	bool frozen;
	int64_t frozen_ms;
	bool visible;
	bool zoom; /* z: the main part alone */
	struct feed feeds[PANE_FEEDS];
};

/* New pane on a target row (row NULL: none). 0 or -errno; a target that is not running gives a pane all the same (feeds fail with the
 * sentence). */
int pane_new(const struct pane_ops *ops, struct pane_env *env, const struct target_row *row, struct pane **ret, struct err *err);
void pane_free(struct pane *p); /* closes the feeds: their workers end */

/* The pane's target as it is now: NULL when its row has left. *ret_block may be NULL. */
const struct target_row *pane_target(const struct pane *p, const struct block **ret_block);

/* Puts the pane on another row (a container that came back) and opens its feeds again. 0, or -ESRCH: it is not running. */
int pane_retarget(struct pane *p, const struct target_row *row);

/* Opens (or opens again) slot; errors show up as the feed's state. spec NULL: as the last time. */
void pane_feed_open(struct pane *p, unsigned slot, const struct feed_spec *spec);
void pane_feed_close(struct pane *p, unsigned slot);
/* 0, -EAGAIN, -EPIPE, -ENOTCONN. fd is lent. */
int pane_feed_request(struct pane *p, unsigned slot, uint32_t tag, uint32_t op, const void *params, size_t n, int fd);
void pane_feed_sample(struct pane *p, unsigned slot); /* now */
void pane_feeds_refresh(struct pane *p); /* samples all that are alive, opens again all that ended */
void pane_feeds_reopen(struct pane *p); /* everything anew, on p->ref */
void pane_tick(struct pane *p); /* the app, when something is due: asks for samples, checks deadlines */
uint64_t pane_due_ms(const struct pane *p); /* until then; UINT64_MAX: nothing planned */
/* First feed that is not well; NULL: none. */
const struct feed *pane_trouble(const struct pane *p);
/* "every 2 s   fresh 0.3 s   cost 1.2 ms". */
void pane_freshness(const struct pane *p, unsigned slot, char *buf, size_t cap);
void pane_freeze(struct pane *p, bool on);

/* What stands where rows would be: nothing matches, why there are none, or `nothing`. */
void pane_draw_empty(const struct pane *p, const struct grid *g, struct area a, const char *nothing);

/* Right end of a summary line, where there is room right of column `from`: "17 of 55   filter: listen   sort: state ^". */
void pane_table_words(const struct pane *p, const struct grid *g, struct area a, int from);

/* Requests. */
void pane_dirty(struct pane *p);
void pane_toast(struct pane *p, enum severity s, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void pane_prompt(struct pane *p, const struct pane_prompt *what); /* .pane is filled in */
void pane_prompt_error(struct pane *p, size_t column, const char *sentence); /* "" = fine */
/* target_id 0: the same target. carry NULL: none. */
void pane_go(struct pane *p, char view_letter, uint64_t target_id, const struct carry *carry);
void pane_copy(struct pane *p, struct text what); /* and a toast */
void carry_init(struct carry *c);

/* The views, each in its own file: tui/pane_NAME.c. */
extern const struct pane_ops pane_list; /* '0', no target */
extern const struct pane_ops pane_overview;
extern const struct pane_ops pane_sockets;
extern const struct pane_ops pane_processes;
extern const struct pane_ops pane_capture;
extern const struct pane_ops pane_dns;
extern const struct pane_ops pane_net;
extern const struct pane_ops pane_probe;

/* All views of a target in tab order: app.c. */
extern const struct pane_ops *const pane_views[];
extern const unsigned pane_n_views;

#endif
