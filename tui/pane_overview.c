/* The target at a glance: what is wrong, its networks and ports, its sockets and processes in short. Enter opens what
 * is in focus. */
#include "core/fd.h"
#include "core/source/processes.h"
#include "core/source/sockets.h"
#include "tui/facts.h"
#include "tui/pane.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SLOT_SOCKETS, SLOT_PROCESSES };
enum { PART_SOCKETS, PART_PROCESSES, PART_N };
enum { SPLIT_WIDTH = 100 };

struct overview_state {
	struct grid grids[PART_N];
	struct block *sockets;
	uint32_t by_state[SOCK_STATE_N];
	int focus; /* PART_* */
};

static size_t format_local(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct sock_row *s = row;

	(void)arg, (void)b, (void)look;
	return facts_endpoint(&s->local_address, s->local_port, buf, cap);
}

static size_t format_remote(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct sock_row *s = row;

	(void)arg, (void)b, (void)look;
	if (addr_is_any(&s->remote_address))
		return (size_t)snprintf(buf, cap, "-");
	return facts_endpoint(&s->remote_address, s->remote_port, buf, cap);
}

static const struct grid_column socket_columns[] = {
	{ .field = "state", .title = "STATE", .priority = 0 },
	{ .field = "local_address",
		.title = "LOCAL",
		.good = 21,
		.priority = 1,
		.flags = GRID_NOCUT,
		.format = format_local },
	{ .field = "remote_address",
		.title = "REMOTE",
		.good = 21,
		.priority = 2,
		.flags = GRID_NOCUT,
		.format = format_remote },
	{ .field = "peer", .title = "PEER", .min = 8, .max = 20, .priority = 3 },
};

static const struct grid_column process_columns[] = {
	{ .field = "pid", .title = "PID", .priority = 0, .flags = GRID_RIGHT },
	{ .field = "user", .title = "USER", .min = 4, .max = 10, .priority = 4 },
	{ .field = "cpu_percent", .title = "CPU%", .priority = 2, .flags = GRID_RIGHT },
	{ .field = "rss_bytes", .title = "RSS", .priority = 3, .flags = GRID_RIGHT },
	{ .field = "command", .title = "COMMAND", .min = 12, .good = 24, .max = 200, .priority = 1, .flags = GRID_FLEX },
};

/* What is over (TIME-WAIT) is only counted. */
static bool keep_network(const struct block *b, const void *row, void *arg)
{
	const struct sock_row *s = row;

	(void)b, (void)arg;
	return s->protocol != SOCK_PROTO_UNIX && s->state != SOCK_STATE_TIME_WAIT;
}

static int overview_init(struct pane *p, struct err *err)
{
	struct overview_state *s = p->state;

	(void)err;
	grid_init(&s->grids[PART_SOCKETS], &sock_row_type, socket_columns, ARRAY_LEN(socket_columns), NULL, s);
	grid_init(&s->grids[PART_PROCESSES], &process_row_type, process_columns, ARRAY_LEN(process_columns), NULL, s);
	table_set_keep(s->grids[PART_SOCKETS].table, keep_network, s);
	grid_sort_by(&s->grids[PART_SOCKETS], "state", true, true);
	grid_sort_by(&s->grids[PART_PROCESSES], "cpu_percent", true, true);
	pane_feed_open(p, SLOT_SOCKETS, &(struct feed_spec){ .source = &sockets_source, .sampled = true });
	pane_feed_open(p, SLOT_PROCESSES, &(struct feed_spec){ .source = &processes_source, .sampled = true });
	return 0;
}

static void overview_done(struct pane *p)
{
	struct overview_state *s = p->state;

	for (int i = 0; i < PART_N; i++)
		grid_done(&s->grids[i]);
	block_unref(s->sockets);
}

static void show_sockets(struct pane *p)
{
	struct overview_state *s = p->state;
	struct block *joined;

	if (!s->sockets)
		return;
	joined = sockets_join(s->sockets, NULL, p->env->targets);
	table_set_block(s->grids[PART_SOCKETS].table, joined);
	memset(s->by_state, 0, sizeof s->by_state);
	for (uint32_t i = 0; i < block_count(joined); i++) {
		const struct sock_row *row = block_row(joined, i);
		if (row->state < SOCK_STATE_N && row->protocol != SOCK_PROTO_UNIX)
			s->by_state[row->state]++;
	}
	block_unref(joined);
}

static void overview_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	struct overview_state *s = p->state;

	if (ev->type != LINK_BLOCK)
		return;
	if (slot == SLOT_SOCKETS) {
		block_unref(s->sockets);
		s->sockets = ev->block;
		show_sockets(p);
		return;
	}
	table_set_block(s->grids[PART_PROCESSES].table, ev->block);
	block_unref(ev->block);
}

static struct grid *overview_grid(const struct pane *p)
{
	struct overview_state *s = p->state;

	return &s->grids[s->focus];
}

/* --- drawing --- */

static int draw_facts(const struct pane *p, struct area a)
{
	static const enum facts order[] = { FACTS_PROBLEM, FACTS_STATE, FACTS_LOAD, FACTS_NETWORKS, FACTS_PORTS, FACTS_PROCESS, FACTS_HOLDERS, FACTS_GROUP,
		FACTS_IMAGE };
	const struct block *b = NULL;
	const struct target_row *t = pane_target(p, &b);
	int y = 0;

	if (!t) {
		canvas_printf(a, 1, 0, STYLE_DIM, "%s has left the list", p->target_name);
		return 1;
	}
	for (unsigned i = 0; i < ARRAY_LEN(order); i++)
		y = facts_draw(order[i], a, y, b, t, &p->env->look);
	return y;
}

static void socket_words(const struct overview_state *s, char *buf, size_t cap)
{
	static const enum sock_state first[] = { SOCK_STATE_LISTEN, SOCK_STATE_ESTAB };
	const struct field *state = row_field_find(&sock_row_type, "state");
	uint32_t all = 0;
	size_t n;

	for (unsigned i = 0; i < SOCK_STATE_N; i++)
		all += s->by_state[i];
	n = (size_t)snprintf(buf, cap, "Sockets %u", all);
	for (unsigned i = 0; i < ARRAY_LEN(first) + SOCK_STATE_N && n < cap; i++) {
		unsigned st = i < ARRAY_LEN(first) ? first[i] : i - (unsigned)ARRAY_LEN(first);
		bool again = i >= ARRAY_LEN(first) && (st == SOCK_STATE_LISTEN || st == SOCK_STATE_ESTAB);
		if (s->by_state[st] && !again)
			n += (size_t)snprintf(buf + n, cap - n, "   %s %u", state->names[st], s->by_state[st]);
	}
}

static void draw_part(const struct pane *p, struct area a, int part)
{
	struct overview_state *s = p->state;
	const struct feed *f = &p->feeds[part];
	char title[256];

	if (!table_block(s->grids[part].table)) /* nothing is known yet: no numbers */
		snprintf(title, sizeof title, "%s", part == PART_SOCKETS ? "Sockets" : "Processes");
	else if (part == PART_SOCKETS)
		socket_words(s, title, sizeof title);
	else
		snprintf(title, sizeof title, "Processes %u", table_total(s->grids[part].table));
	canvas_rule(a, 0, title);
	struct area rows = canvas_sub(a, 0, 1, a.w, a.h - 1);
	s->grids[part].no_heading = rows.h < 5;
	grid_draw(&s->grids[part], rows, &p->env->look, s->focus == part);
	if (grid_count(&s->grids[part]))
		return;
	if (f->state == FEED_FAILED || f->state == FEED_ENDED)
		canvas_fit(rows, 3, rows.h > 2 ? 1 : 0, rows.w - 4, false, STYLE_DIM, text_of(f->why));
	else if (f->fresh_ms)
		canvas_str(rows, 3, rows.h > 2 ? 1 : 0, STYLE_DIM, "none");
}

static void overview_draw(const struct pane *p, struct area a)
{
	const struct overview_state *s = p->state;
	int y;

	if (p->zoom) {
		draw_part(p, a, s->focus);
		return;
	}
	y = draw_facts(p, canvas_sub(a, 0, 0, a.w, a.h / 2));
	if (a.w >= SPLIT_WIDTH) {
		int left = a.w / 2;
		draw_part(p, canvas_sub(a, 0, y, left, a.h - y), PART_SOCKETS);
		draw_part(p, canvas_sub(a, left + 1, y, a.w - left - 1, a.h - y), PART_PROCESSES);
		canvas_glyph(a, left, y, STYLE_RULE, GLYPH_TEE_DOWN);
		canvas_vline(a, left, y + 1, a.h - y - 1);
		return;
	}
	int half = (a.h - y + 1) / 2;
	if (a.h - y < 6) {
		draw_part(p, canvas_sub(a, 0, y, a.w, a.h - y), s->focus);
		return;
	}
	draw_part(p, canvas_sub(a, 0, y, a.w, half), PART_SOCKETS);
	draw_part(p, canvas_sub(a, 0, y + half, a.w, a.h - y - half), PART_PROCESSES);
}

/* --- keys --- */

static int key_focus(struct pane *p, int key)
{
	struct overview_state *s = p->state;

	(void)key;
	s->focus = (s->focus + 1) % PART_N;
	return PANE_USED | PANE_DRAW;
}

static void overview_give(const struct pane *p, char letter, struct carry *ret)
{
	const struct overview_state *s = p->state;
	const struct process_row *process =
		s->focus == PART_PROCESSES ? grid_selected(&s->grids[PART_PROCESSES], NULL) : NULL;

	if (process && letter == 'p')
		ret->pid = process->pid;
}

static int key_open(struct pane *p, int key)
{
	struct overview_state *s = p->state;
	struct carry carry;

	(void)key;
	carry_init(&carry);
	overview_give(p, 'p', &carry);
	pane_go(p, s->focus == PART_SOCKETS ? 's' : 'p', 0, &carry);
	return PANE_USED;
}

static int overview_mouse(struct pane *p, int key, int x, int y)
{
	struct overview_state *s = p->state;

	for (int i = 0; i < PART_N; i++) {
		struct grid *g = &s->grids[i];
		if (y < g->y || y >= g->y + g->height || x < g->x ||
			(i == PART_SOCKETS && x >= s->grids[PART_PROCESSES].x && s->grids[PART_PROCESSES].x))
			continue;
		s->focus = i;
		if (key == KEYS_WHEEL_UP || key == KEYS_WHEEL_DOWN)
			grid_key(g, key);
		else
			grid_click(g, x, y);
		return PANE_USED | PANE_DRAW;
	}
	return 0;
}

static void overview_targets(struct pane *p)
{
	if (!p->frozen)
		show_sockets(p);
}

static const struct binding bindings[] = {
	{ .key = KEYS_ENTER,
		.alias = KEYS_DOUBLE_CLICK,
		.label = "open",
		.help = "open the part in focus",
		.run = key_open,
		.rank = 1,
		.group = BINDING_VIEW },
	{ .key = KEYS_TAB,
		.alias = KEYS_BACK_TAB,
		.label = "part",
		.help = "next part",
		.run = key_focus,
		.rank = 2,
		.group = BINDING_VIEW },
};

const struct pane_ops pane_overview = {
	.name = "overview",
	.title = "Overview",
	.short_title = "Over",
	.digit = '1',
	.state_size = sizeof(struct overview_state),
	.init = overview_init,
	.done = overview_done,
	.draw = overview_draw,
	.event = overview_event,
	.mouse = overview_mouse,
	.targets = overview_targets,
	.grid = overview_grid,
	.give = overview_give,
	.bindings = bindings,
	.n_bindings = ARRAY_LEN(bindings),
};
