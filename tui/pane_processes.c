/* Processes of the target: a tree as the source sends it, or a flat list sorted by any column; the selected one in full
 * below. */
#include "core/fd.h"
#include "core/source/processes.h"
#include "tui/facts.h"
#include "tui/pane.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct processes_state {
	struct grid grid;
	double cpu; /* sums over all rows */
	uint64_t rss, threads;
	uint64_t wanted; /* pid to put the cursor on when it shows up; ROW_NO_UINT: none */
};

static bool is_tree(const struct processes_state *s)
{
	bool descending;

	return !table_sort_field(s->grid.table, &descending);
}

static size_t format_command(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct process_row *r = row;
	struct text command = block_text(b, r->command);
	uint64_t depth = is_tree(arg) && r->depth != ROW_NO_UINT ? r->depth : 0;
	bool utf8 = look->charset == TEXT_UTF8;
	size_t n = 0;

	depth = depth > 20 ? 20 : depth;
	for (uint64_t i = 1; i < depth; i++)
		n += (size_t)snprintf(buf + n, cap - n, "   ");
	if (depth)
		n += (size_t)snprintf(buf + n, cap - n, "%s", utf8 ? "└─ " : "`- ");
	return n + (size_t)snprintf(buf + n, cap - n, "%.*s", command.n > 800 ? 800 : (int)command.n,
			   command.n ? command.p : "-");
}

/* Today: 11:02; else Jan 31. */
static size_t format_start(
	const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	int64_t ns = ((const struct process_row *)row)->started_at;
	time_t s = (time_t)(ns / 1000000000), now = (time_t)(look->now_ns / 1000000000);
	struct tm tm;

	(void)arg, (void)b;
	if (ns == ROW_NO_INT || !(look->utc ? gmtime_r(&s, &tm) : localtime_r(&s, &tm)))
		return (size_t)snprintf(buf, cap, "-");
	return strftime(buf, cap, now - s < 86400 ? "%H:%M:%S" : "%b %d", &tm);
}

static size_t format_ns(
	const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf, size_t cap)
{
	uint8_t same = ((const struct process_row *)row)->same_netns;

	(void)arg, (void)b, (void)look;
	return (size_t)snprintf(buf, cap, "%s", same == ROW_NO_BOOL ? "-" : same ? "own" : "other");
}

static const struct grid_column columns[] = {
	{ .field = "pid", .title = "PID", .priority = 0, .flags = GRID_RIGHT },
	{ .field = "ns_pid", .title = "IN-NS", .priority = 6, .flags = GRID_RIGHT },
	{ .field = "ppid", .title = "PPID", .priority = 11, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "user", .title = "USER", .min = 4, .max = 12, .priority = 4 },
	{ .field = "state", .title = "S", .priority = 5 },
	{ .field = "cpu_percent", .title = "CPU%", .priority = 2, .flags = GRID_RIGHT },
	{ .field = "rss_bytes", .title = "RSS", .priority = 3, .flags = GRID_RIGHT },
	{ .field = "threads", .title = "THR", .priority = 7, .flags = GRID_RIGHT },
	{ .field = "cpu_time_us", .title = "TIME", .priority = 10, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "started_at", .title = "START", .priority = 8, .format = format_start },
	{ .field = "same_netns", .title = "NETNS", .priority = 9, .format = format_ns },
	{ .field = "name", .title = "NAME", .priority = 11, .flags = GRID_WIDE },
	{ .field = "command",
		.title = "COMMAND",
		.min = 16,
		.good = 40,
		.max = 250,
		.priority = 1,
		.flags = GRID_FLEX,
		.format = format_command },
};

static int processes_init(struct pane *p, struct err *err)
{
	struct processes_state *s = p->state;

	(void)err;
	grid_init(&s->grid, &process_row_type, columns, ARRAY_LEN(columns), NULL, s);
	table_sort(s->grid.table, NULL, false, false);
	s->wanted = ROW_NO_UINT;
	pane_feed_open(p, 0, &(struct feed_spec){ .source = &processes_source, .sampled = true });
	return 0;
}

static void processes_done(struct pane *p)
{
	grid_done(&((struct processes_state *)p->state)->grid);
}

static void jump_wanted(struct processes_state *s)
{
	const struct table *t = s->grid.table;

	for (uint32_t i = 0; s->wanted != ROW_NO_UINT && i < table_count(t); i++) {
		if (((const struct process_row *)table_at(t, i))->pid != s->wanted)
			continue;
		grid_jump(&s->grid, i);
		s->wanted = ROW_NO_UINT;
	}
}

static void processes_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	struct processes_state *s = p->state;

	(void)slot;
	if (ev->type != LINK_BLOCK)
		return;
	table_set_block(s->grid.table, ev->block);
	s->cpu = 0;
	s->rss = s->threads = 0;
	for (uint32_t i = 0; i < block_count(ev->block); i++) {
		const struct process_row *r = block_row(ev->block, i);
		s->cpu += isnan(r->cpu_percent) ? 0 : r->cpu_percent;
		s->rss += r->rss_bytes == ROW_NO_UINT ? 0 : r->rss_bytes;
		s->threads += r->threads == ROW_NO_UINT ? 0 : r->threads;
	}
	block_unref(ev->block);
	jump_wanted(s);
}

static struct grid *processes_grid(const struct pane *p)
{
	return &((struct processes_state *)p->state)->grid;
}

/* --- drawing --- */

static const char *bytes_text(uint64_t bytes, char *buf, size_t cap)
{
	static const char units[] = " KMGT";
	double v = (double)bytes;
	unsigned u = 0;

	while (v >= 1000 && u < 4) {
		v /= 1024;
		u++;
	}
	snprintf(buf, cap, u ? v < 9.95 ? "%.1f%c" : "%.0f%c" : "%.0f", v, units[u]);
	return buf;
}

static void draw_summary(const struct pane *p, struct area a)
{
	const struct processes_state *s = p->state;
	uint32_t n = table_total(s->grid.table);
	char rss[24];
	int x = 1;

	if (!table_block(s->grid.table)) /* nothing is known yet: no numbers */
		return;
	x += canvas_printf(a, x, 0, STYLE_STRONG, "%u", n);
	x += canvas_str(a, x, 0, STYLE_TEXT, n == 1 ? " process" : " processes") + 3;
	x += canvas_printf(a, x, 0, STYLE_TEXT, "%" PRIu64 " thread%s   cpu %.1f %%   rss %s", s->threads, s->threads == 1 ? "" : "s",
		s->cpu, bytes_text(s->rss, rss, sizeof rss));
	if (is_tree(s))
		x += canvas_str(a, x + 3, 0, STYLE_TEXT, "tree") + 3;
	pane_table_words(p, &s->grid, a, x + 3);
}

static const char *state_words(const char *state)
{
	static const char *const words[] = { "R running", "S sleeping", "D waiting for a device", "T stopped",
		"t traced", "Z ended, not collected by its parent", "I idle", "X dead" };

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (words[i][0] == state[0])
			return words[i] + 2;
	return state;
}

/* The command line over as many lines as there are. */
static int draw_command(struct area a, int y, struct text command, enum text_charset cs)
{
	char buf[4096];
	struct text rest = { buf, text_clean(buf, sizeof buf, command, cs) };
	int width = a.w - 13;

	canvas_str(a, 1, y, STYLE_DIM, "command");
	while (rest.n && y < a.h && width > 0) {
		size_t n = text_fit(rest, (size_t)width, NULL);
		if (n == 0)
			break;
		canvas_put(a, 12, y++, STYLE_TEXT, (struct text){ rest.p, n });
		rest = (struct text){ rest.p + n, rest.n - n };
	}
	return y;
}

static void draw_detail(const struct pane *p, struct area a)
{
	const struct processes_state *s = p->state;
	const struct block *b = NULL;
	const struct process_row *r = grid_selected(&s->grid, &b);
	char title[160], state[8], user[64], started[24], age[24], time_text[32];
	const struct row_look *look = &p->env->look;

	if (!r) {
		canvas_rule(a, 0, NULL);
		return;
	}
	struct text name = block_text(b, r->name);
	snprintf(title, sizeof title, "%" PRIu64 " %.*s", r->pid, name.n > 64 ? 64 : (int)name.n, name.n ? name.p : "");
	canvas_rule(a, 0, title);
	row_format(b, row_field_find(&process_row_type, "state"), r, look, state, sizeof state);
	row_format(b, row_field_find(&process_row_type, "user"), r, look, user, sizeof user);
	row_format(b, row_field_find(&process_row_type, "cpu_time_us"), r, look, time_text, sizeof time_text);
	format_start(NULL, b, r, look, started, sizeof started);
	canvas_str(a, 1, 1, STYLE_DIM, "state");
	int x = 12 + canvas_printf(a, 12, 1, STYLE_TEXT, "%s   user %s   started %s (%s ago)   cpu time %s",
			     state_words(state), user, started, facts_age(r->started_at, look->now_ns, age, sizeof age),
			     time_text);
	if (r->same_netns == 0)
		canvas_str(a, x + 3, 1, STYLE_WARN, "in another network namespace");
	int y = draw_command(canvas_sub(a, 0, 0, a.w, a.h - 2), 2, block_text(b, r->command), look->charset);
	canvas_str(a, 1, y, STYLE_DIM, "ids");
	x = 12 + canvas_printf(a, 12, y, STYLE_TEXT, "pid %" PRIu64, r->pid);
	if (r->ns_pid != ROW_NO_UINT)
		x += canvas_printf(a, x, y, STYLE_TEXT, ", inside %" PRIu64, r->ns_pid);
	if (r->ppid != ROW_NO_UINT)
		x += canvas_printf(a, x, y, STYLE_TEXT, "   parent %" PRIu64, r->ppid);
	if (r->uid != ROW_NO_UINT)
		canvas_printf(a, x, y, STYLE_TEXT, "   uid %" PRIu64, r->uid);
	canvas_str(a, 1, ++y, STYLE_DIM, "next");
	canvas_hint(a, 12, y, STYLE_TEXT, "[s] its sockets");
}

static void processes_draw(const struct pane *p, struct area a)
{
	struct processes_state *s = p->state;
	int screen_h = canvas_height(a.canvas), top = screen_h >= 14;
	int below = screen_h < 20 || p->zoom ? 0 : screen_h >= 30 ? 6 : 5;
	struct area rows = canvas_sub(a, 0, top, a.w, a.h - top - below);

	if (top)
		draw_summary(p, canvas_line(a, 0));
	grid_draw(&s->grid, rows, &p->env->look, true);
	if (grid_count(&s->grid) == 0)
		pane_draw_empty(p, &s->grid, rows, "No processes here.");
	if (below)
		draw_detail(p, canvas_sub(a, 0, a.h - below, a.w, below));
}

/* --- keys --- */

static int key_tree(struct pane *p, int key)
{
	struct processes_state *s = p->state;

	(void)key;
	if (is_tree(s))
		grid_sort_by(&s->grid, "cpu_percent", true, false);
	else
		table_sort(s->grid.table, NULL, false, false);
	return PANE_USED | PANE_DRAW;
}

static int key_sockets(struct pane *p, int key)
{
	struct carry carry;
	const struct process_row *r = grid_selected(processes_grid(p), NULL);

	(void)key;
	carry_init(&carry);
	if (r)
		snprintf(carry.filter, sizeof carry.filter, "pid=%" PRIu64, r->pid);
	pane_go(p, 's', 0, r ? &carry : NULL);
	return PANE_USED;
}

static void processes_give(const struct pane *p, char letter, struct carry *ret)
{
	const struct process_row *r = grid_selected(processes_grid(p), NULL);

	if (r && letter == 's')
		snprintf(ret->filter, sizeof ret->filter, "pid=%" PRIu64, r->pid);
}

static void processes_take(struct pane *p, const struct carry *c)
{
	((struct processes_state *)p->state)->wanted = c->pid;
	jump_wanted(p->state);
}

static const struct binding bindings[] = {
	{ .key = KEYS_ENTER,
		.alias = KEYS_DOUBLE_CLICK,
		.label = "its sockets",
		.help = "sockets of this process",
		.run = key_sockets,
		.rank = 2,
		.group = BINDING_VIEW },
	{ .key = 't',
		.label = "tree",
		.help = "tree, or flat and sorted by CPU",
		.run = key_tree,
		.rank = 3,
		.group = BINDING_VIEW },
};

const struct pane_ops pane_processes = {
	.name = "processes",
	.title = "Processes",
	.short_title = "Proc",
	.digit = '3',
	.letter = 'p',
	.state_size = sizeof(struct processes_state),
	.init = processes_init,
	.done = processes_done,
	.draw = processes_draw,
	.event = processes_event,
	.grid = processes_grid,
	.take = processes_take,
	.give = processes_give,
	.bindings = bindings,
	.n_bindings = ARRAY_LEN(bindings),
};
