/*
 * The first screen: all targets, the sick ones first; networks as a second tab; what is known of the selected one
 * below. This pane also owns the sources of the list (engine, scan of /proc), so it goes on reading while a view is in
 * front.
 */
#include "tui/pane_list.h"

#include "core/engine/bundle.h"
#include "core/engine/docker.h"
#include "core/engine/places.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/changes.h"
#include "core/source/health.h"
#include "core/source/holders.h"
#include "core/source/namespaces.h"
#include "tui/facts.h"
#include "tui/list_ends.h"
#include "tui/list_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The first engine has slot 0, the others those behind. */
enum { SLOT_FIRST, SLOT_SCAN, SLOT_HEALTH, SLOT_BUNDLES, SLOT_HOLDERS, SLOT_CHANGES, SLOT_MORE };
_Static_assert(PANE_FEEDS >= SLOT_MORE + ENGINE_PLACES - 1, "every engine has a slot");

/* What one engine has told. */
struct engine_blocks {
	struct block *targets, *networks, *engines;
};
enum { SIDE_FROM_WIDTH = 160, SIDE_WIDTH = 58, TRAFFIC_BARS = 8 };
enum { TAB_TARGETS, TAB_NETWORKS, TAB_N };
/* How often all descriptors are walked: not before the rest is on the screen, and under half a percent of a core. */
enum { SETTLES_MS = 3000, WALK_FIRST_MS = 1500, WALK_MS = 60000, WALK_SHARE = 200 };

struct list_state {
	struct grid grids[TAB_N];
	int tab;
	bool all; /* stopped ones too */
	uint64_t settles_at; /* loop_now_ms: until then the cursor stays at the top, unless it was moved; 0: it may stay where it is */
	uint64_t on_top; /* id of the row that it was put on */
	struct engine_places places; /* a copy: processes give away further ones */
	struct engine_blocks told[ENGINE_PLACES];
	bool runs[ENGINE_PLACES]; /* its daemon was in the last scan */
	struct block *scan; /* netns_row */
	struct block *holders; /* holder_row */
	uint64_t walk_at; /* loop_now_ms of the next walk over descriptors; 0: not planned */
	struct block *merged; /* target_row, without health */
	struct block *health; /* health_row */
	uint32_t unwatched; /* targets beyond what the health worker takes */
	struct block *bundles; /* bundle_row: names from files */
	uint64_t named; /* bundle_list_hash of what was asked for */
	uint64_t watched; /* health_watch_hash of what the health worker was told */
	unsigned hidden; /* stopped, not shown */
	struct list_ends *ends;
};

/* --- columns --- */

static size_t format_runtime(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	(void)arg, (void)look;
	return (size_t)snprintf(buf, cap, "%s", facts_runtime(b, row));
}

static size_t format_state(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	(void)arg, (void)b;
	return facts_state(row, look, buf, cap);
}

static size_t format_ports(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	(void)arg, (void)look;
	return facts_ports(b, row, buf, cap);
}

/* First item of a list and how many more: "shop_default +1". */
static size_t format_first(const struct block *b, struct str list, char *buf, size_t cap)
{
	struct text item;
	uint32_t n = 0;
	size_t len;

	if (!block_list_item(b, list, 0, &item))
		return (size_t)snprintf(buf, cap, "-");
	len = (size_t)snprintf(buf, cap, "%.*s", item.n > 64 ? 64 : (int)item.n, item.p);
	while (n < 99 && block_list_item(b, list, n + 1, &item))
		n++;
	if (n)
		len += (size_t)snprintf(buf + len, cap - len, " +%" PRIu32, n);
	return len;
}

static size_t format_network(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct target_row *t = row;
	struct text item;

	(void)arg, (void)look;
	if (t->head.flags & TARGET_HOST_NETWORK)
		return (size_t)snprintf(buf, cap, "host");
	if (t->pod.len != UINT32_MAX && t->pod.len && !block_list_item(b, t->networks, 0, &item)) {
		struct text pod = block_text(b, t->pod);
		return (size_t)snprintf(buf, cap, "pod %.*s", pod.n > 60 ? 60 : (int)pod.n, pod.p);
	}
	if (t->shares_with.len != UINT32_MAX && t->shares_with.len && !block_list_item(b, t->networks, 0, &item)) {
		struct text other = block_text(b, t->shares_with);
		return (size_t)snprintf(buf, cap, "of %.*s", other.n > 60 ? 60 : (int)other.n, other.p);
	}
	return format_first(b, t->networks, buf, cap);
}

static size_t format_address(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	struct text item;

	(void)arg, (void)look;
	if (!block_list_item(b, ((const struct target_row *)row)->addresses, 0, &item))
		return (size_t)snprintf(buf, cap, "-");
	return (size_t)snprintf(buf, cap, "%.*s", (int)item.n, item.p);
}

static const struct endpoint_row *first_endpoint(const struct block *b, const struct target_row *t)
{
	return t->endpoints.n ? block_nested(b, &endpoint_row_type, t->endpoints, 0) : NULL;
}

static size_t format_gateway(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct endpoint_row *e = first_endpoint(b, row);
	char text[ADDR_TEXT];

	(void)arg, (void)look;
	return (size_t)snprintf(buf, cap, "%s", e && e->gateway.kind ? addr_format(&e->gateway, text) : "-");
}

static size_t format_bridge(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct endpoint_row *e = first_endpoint(b, row);
	struct text name = e ? block_text(b, e->interface) : (struct text){ 0 };

	(void)arg, (void)look;
	return (size_t)snprintf(buf, cap, "%.*s", name.n ? (int)name.n : 1, name.n ? name.p : "-");
}

static size_t format_health(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct target_row *t = row;

	(void)arg, (void)b, (void)look;
	return (size_t)snprintf(buf, cap, "%s", t->health < TARGET_HEALTH_N ? target_health_names[t->health] : "-");
}

static const struct health_row *health_of(const struct block *health, uint64_t id)
{
	for (uint32_t i = 0; i < block_count(health); i++)
		if (((const struct row_head *)block_row(health, i))->id == id)
			return block_row(health, i);
	return NULL;
}

/* Both directions together; returns how many samples there are. */
static uint32_t traffic_of(const struct block *b, const struct health_row *h, uint64_t ret[HEALTH_HISTORY], uint64_t *ret_top)
{
	uint32_t n = h->rates.n < HEALTH_HISTORY ? h->rates.n : HEALTH_HISTORY;

	*ret_top = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct rate_row *r = block_nested(b, &rate_row_type, h->rates, i);
		bool known = r->rx_bytes_per_second != ROW_NO_UINT && r->tx_bytes_per_second != ROW_NO_UINT;

		ret[i] = known ? r->rx_bytes_per_second + r->tx_bytes_per_second : 0;
		*ret_top = ret[i] > *ret_top ? ret[i] : *ret_top;
	}
	return n;
}

/* The last samples of both directions together, against the highest of them. */
static size_t format_traffic(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { "_", ".", ":", "-", "=", "+", "*", "#" };
	const struct list_state *s = ((const struct pane *)arg)->state;
	const struct health_row *h = health_of(s->health, ((const struct row_head *)row)->id);
	uint64_t sum[HEALTH_HISTORY], top;
	uint32_t have;
	size_t n = 0;

	(void)b;
	have = h ? traffic_of(s->health, h, sum, &top) : 0;
	for (uint32_t i = have > TRAFFIC_BARS ? have - TRAFFIC_BARS : 0; i < have && n + 4 < cap; i++) {
		unsigned level = top ? (unsigned)((double)sum[i] * 7 / (double)top) : 0;

		n += (size_t)snprintf(buf + n, cap - n, "%s", look->charset == TEXT_UTF8 ? bars[level] : ascii[level]);
	}
	return n;
}

static size_t format_problem(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	struct text problem = block_text(b, ((const struct target_row *)row)->problem);

	(void)arg, (void)look;
	return (size_t)snprintf(buf, cap, "%.*s", problem.n > 200 ? 200 : (int)problem.n, problem.n ? problem.p : "");
}

static enum style style_name(const void *arg, const struct block *b, const void *row)
{
	const struct target_row *t = row;

	(void)arg, (void)b;
	if (t->head.flags & TARGET_STALE || t->head.severity == SEVERITY_IDLE)
		return STYLE_DIM;
	return STYLE_STRONG;
}

static const struct grid_column target_columns[] = {
	{ .field = "name", .min = 12, .good = 16, .max = 28, .priority = 0, .style = style_name },
	{ .field = "runtime", .title = "RT", .max = 4, .priority = 6, .format = format_runtime },
	{ .field = "state", .title = "STATE", .max = 12, .priority = 5, .format = format_state },
	{ .field = "health", .title = "HEALTH", .max = 9, .priority = 9, .format = format_health },
	{ .field = "networks", .title = "NETWORK", .min = 8, .good = 12, .max = 24, .priority = 4, .format = format_network },
	{ .field = "addresses", .title = "ADDRESS", .good = 15, .priority = 3, .flags = GRID_NOCUT, .format = format_address },
	{ .title = "GATEWAY", .priority = 11, .flags = GRID_NOCUT | GRID_WIDE, .format = format_gateway },
	{ .title = "BRIDGE", .priority = 11, .max = 16, .flags = GRID_WIDE, .format = format_bridge },
	{ .field = "ports", .title = "PORTS", .min = 7, .max = 20, .priority = 7, .format = format_ports },
	{ .field = "cpu_percent", .good = 5, .priority = 6, .flags = GRID_RIGHT },
	{ .field = "memory_bytes", .good = 5, .priority = 6, .flags = GRID_RIGHT },
	{ .field = "memory_percent", .priority = 11, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "rx_bytes_per_second", .good = 5, .priority = 8, .flags = GRID_RIGHT },
	{ .field = "tx_bytes_per_second", .good = 5, .priority = 8, .flags = GRID_RIGHT },
	{ .title = "TRAFFIC", .good = 8, .priority = 9, .format = format_traffic },
	{ .field = "retransmit_percent", .priority = 9, .flags = GRID_RIGHT },
	{ .field = "restarts", .title = "RST", .priority = 7, .flags = GRID_RIGHT },
	{ .field = "pid", .title = "PID", .priority = 11, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "processes", .title = "PROCS", .priority = 11, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "project", .title = "PROJECT", .max = 20, .priority = 11, .flags = GRID_WIDE },
	{ .field = "image", .title = "IMAGE", .min = 10, .max = 28, .priority = 10 },
	{ .field = "problem",
		.title = "WHAT IS WRONG",
		.min = 14,
		.good = 22,
		.max = 100,
		.priority = 1,
		.flags = GRID_FLEX,
		.format = format_problem },
};

static const struct grid_column network_columns[] = {
	{ .field = "name", .min = 10, .max = 32, .priority = 0 },
	{ .field = "driver", .title = "DRIVER", .max = 10, .priority = 4 },
	{ .field = "subnets", .title = "SUBNET", .max = 40, .priority = 1 },
	{ .field = "gateway", .title = "GATEWAY", .priority = 2, .flags = GRID_NOCUT },
	{ .field = "interface", .title = "INTERFACE", .max = 16, .priority = 3 },
	{ .field = "internal", .title = "INTERNAL", .priority = 7 },
	{ .field = "ipv6", .title = "IPV6", .priority = 8 },
	{ .field = "mtu", .title = "MTU", .priority = 9, .flags = GRID_RIGHT },
	{ .field = "scope", .title = "SCOPE", .priority = 10 },
	{ .field = "id", .title = "ID", .max = 12, .priority = 11, .flags = GRID_WIDE },
	{ .field = "members", .title = "MEMBERS", .min = 12, .good = 24, .max = 120, .priority = 5, .flags = GRID_FLEX },
};

/* --- state --- */

static bool is_stopped(const struct target_row *t)
{
	return t->state == TARGET_STATE_EXITED || t->state == TARGET_STATE_CREATED || t->state == TARGET_STATE_DEAD;
}

/* --runtime */
static bool is_wanted(const struct list_state *s, const struct block *b, const struct target_row *t)
{
	return engine_places_shows(&s->places, block_text(b, t->runtime));
}

/* Stopped ones are hidden unless something is wrong with them. */
static bool keep_target(const struct block *b, const void *row, void *arg)
{
	const struct target_row *t = row;
	const struct list_state *s = arg;

	if (!is_wanted(s, b, t))
		return false;
	return s->all || !is_stopped(t) || t->head.severity == SEVERITY_WARN || t->head.severity == SEVERITY_BAD;
}

static unsigned slot_of(unsigned engine)
{
	return engine == 0 ? SLOT_FIRST : SLOT_MORE + engine - 1;
}

static unsigned engine_of(unsigned slot)
{
	return slot == SLOT_FIRST ? 0 : slot - SLOT_MORE + 1;
}

static void open_engine(struct pane *p, unsigned i)
{
	static const struct row_type *const types[] = { &target_row_type, &network_row_type, &engine_row_type };
	const struct list_state *s = p->state;
	const struct engine_place *place = &s->places.list[i];
	struct docker_params params = { .first_list = 1, .no_retry = place->is_activated };

	if (place->is_idle)
		return;
	snprintf(params.runtime, sizeof params.runtime, "%s", engine_kind_names[place->kind]);
	memcpy(params.endpoint, place->endpoint, sizeof params.endpoint);
	pane_feed_open(p, slot_of(i),
		&(struct feed_spec){ .source = engine_source(place->kind),
			.params = &params,
			.n_params = sizeof params,
			.types = types,
			.n_types = ARRAY_LEN(types),
			.no_target = true });
}

static void open_sources(struct pane *p)
{
	struct list_state *s = p->state;

	if (p->env->places)
		s->places = *p->env->places;
	for (unsigned i = 0; i < s->places.n; i++)
		open_engine(p, i);
	pane_feed_open(
		p, SLOT_SCAN, &(struct feed_spec){ .source = &namespaces_source, .sampled = true, .no_target = true });
	pane_feed_open(p, SLOT_CHANGES, &(struct feed_spec){ .source = &changes_source, .no_target = true });
}

static int list_init(struct pane *p, struct err *err)
{
	struct list_state *s = p->state;

	(void)err;
	grid_init(&s->grids[TAB_TARGETS], &target_row_type, target_columns, ARRAY_LEN(target_columns), NULL, p);
	grid_init(&s->grids[TAB_NETWORKS], &network_row_type, network_columns, ARRAY_LEN(network_columns), NULL, p);
	table_set_keep(s->grids[TAB_TARGETS].table, keep_target, s);
	s->settles_at = loop_now_ms() + SETTLES_MS;
	grid_sort_by(&s->grids[TAB_TARGETS], "name", false, true);
	grid_sort_by(&s->grids[TAB_NETWORKS], "name", false, false);
	s->ends = list_ends_new(p, SLOT_SCAN, &s->walk_at);
	open_sources(p);
	return 0;
}

static void list_done(struct pane *p)
{
	struct list_state *s = p->state;

	list_ends_free(s->ends);
	grid_done(&s->grids[TAB_TARGETS]);
	grid_done(&s->grids[TAB_NETWORKS]);
	for (unsigned i = 0; i < ENGINE_PLACES; i++) {
		block_unref(s->told[i].targets);
		block_unref(s->told[i].networks);
		block_unref(s->told[i].engines);
	}
	block_unref(s->scan);
	block_unref(s->holders);
	block_unref(s->merged);
	block_unref(s->health);
	block_unref(s->bundles);
}

static void count_hidden(struct list_state *s, const struct block *targets)
{
	s->hidden = 0;
	for (uint32_t i = 0; i < block_count(targets); i++)
		s->hidden += is_stopped(block_row(targets, i)) && is_wanted(s, targets, block_row(targets, i));
}

/* Engines answer one after the other: whoever was first is not who is sick first. */
static void set_targets(struct list_state *s, struct block *targets)
{
	struct table *t = s->grids[TAB_TARGETS].table;
	const struct row_head *row = table_selected(t);

	if (row && s->on_top && row->id != s->on_top)
		s->settles_at = 0;
	table_set_block(t, targets);
	if (loop_now_ms() >= s->settles_at)
		return;
	table_jump(t, 0);
	row = table_selected(t);
	s->on_top = row ? row->id : 0;
}

static void show_targets(struct pane *p, struct block *merged)
{
	struct list_state *s = p->state;

	block_unref(p->env->targets);
	p->env->targets = merged;
	p->env->targets_changed = true;
	count_hidden(s, merged);
	if (!p->frozen)
		set_targets(s, merged);
}

/* Tells the health worker who is there; it starts once there is somebody, and not before the list is on the screen. */
static void watch_health(struct pane *p)
{
	static const struct feed_spec spec = { .source = &health_source, .sampled = true, .no_target = true };
	struct list_state *s = p->state;
	uint64_t hash = health_watch_hash(s->merged);
	AUTO(fd_closep) int fd = -1;

	if (!p->env->session || hash == s->watched)
		return;
	if (p->feeds[SLOT_HEALTH].state == FEED_OFF)
		pane_feed_open(p, SLOT_HEALTH, &spec);
	fd = health_watch_list(s->merged, &s->unwatched);
	if (fd >= 0 && pane_feed_request(p, SLOT_HEALTH, 0, HEALTH_WATCH, NULL, 0, fd) == 0)
		s->watched = hash;
}

/* Has some files read for the names of those that no engine named, once all engines have spoken. */
static void look_for_names(struct pane *p, bool is_waiting)
{
	static const struct feed_spec spec = { .source = &bundle_source, .no_target = true };
	struct list_state *s = p->state;
	uint64_t hash = bundle_list_hash(s->merged);
	AUTO(fd_closep) int fd = -1;

	if (!p->env->session || is_waiting || hash == 0 || hash == s->named)
		return;
	if (p->feeds[SLOT_BUNDLES].state == FEED_OFF)
		pane_feed_open(p, SLOT_BUNDLES, &spec);
	fd = bundle_list(s->merged);
	if (fd >= 0 && pane_feed_request(p, SLOT_BUNDLES, 0, BUNDLE_LOOK, NULL, 0, fd) == 0)
		s->named = hash;
}

static void merge(struct pane *p)
{
	struct list_state *s = p->state;
	const struct block *told[ENGINE_PLACES];
	bool is_waiting = false;
	unsigned n = 0;

	for (unsigned i = 0; i < s->places.n; i++) {
		if (s->places.list[i].is_idle)
			continue;
		is_waiting |= !s->told[i].targets;
		told[n++] = s->told[i].targets;
	}
	block_unref(s->merged);
	s->merged = target_merge(told, n, &(struct target_seen){ .netns = s->scan, .holders = s->holders, .bundles = s->bundles });
	show_targets(p, target_with_health(s->merged, s->health));
	list_ends_watch(s->ends, s->merged);
	watch_health(p);
	look_for_names(p, is_waiting);
}

static void merge_networks(struct pane *p)
{
	struct list_state *s = p->state;
	const struct block *told[ENGINE_PLACES];

	for (unsigned i = 0; i < ENGINE_PLACES; i++)
		told[i] = s->told[i].networks;
	block_unref(p->env->networks);
	p->env->networks = target_union(&network_row_type, told, ENGINE_PLACES);
	if (!p->frozen)
		table_set_block(s->grids[TAB_NETWORKS].table, p->env->networks);
}

static void merge_engines(struct pane *p)
{
	struct list_state *s = p->state;
	const struct block *told[ENGINE_PLACES + 1];

	for (unsigned i = 0; i < ENGINE_PLACES; i++)
		told[i] = s->told[i].engines;
	told[ENGINE_PLACES] = engine_places_idle(&s->places);
	block_unref(p->env->engines);
	p->env->engines = target_union(&engine_row_type, told, ENGINE_PLACES + 1);
	block_unref((struct block *)(uintptr_t)told[ENGINE_PLACES]);
}

static void swap(struct block **slot, struct link_event *ev)
{
	block_unref(*slot);
	*slot = ev->block;
}

static void engine_event(struct pane *p, struct engine_blocks *told, struct link_event *ev)
{
	if (ev->row_type == &target_row_type) {
		swap(&told->targets, ev);
		merge(p);
	} else if (ev->row_type == &network_row_type) {
		swap(&told->networks, ev);
		merge_networks(p);
	} else if (ev->row_type == &engine_row_type) {
		swap(&told->engines, ev);
		merge_engines(p);
	} else {
		block_unref(ev->block);
	}
}

static void walk_descriptors(struct pane *p)
{
	static const struct feed_spec spec = { .source = &holders_source, .no_target = true };
	struct list_state *s = p->state;

	s->walk_at = UINT64_MAX; /* until it has answered */
	pane_feed_open(p, SLOT_HOLDERS, &spec);
}

/* With each reading: is it time? */
static void plan_walk(struct pane *p)
{
	struct list_state *s = p->state;

	if (s->walk_at == 0)
		s->walk_at = loop_now_ms() + WALK_FIRST_MS;
	else if (loop_now_ms() >= s->walk_at)
		walk_descriptors(p);
}

static void take_holders(struct pane *p, struct link_event *ev)
{
	struct list_state *s = p->state;
	uint64_t pause = (loop_now_ms() - p->feeds[SLOT_HOLDERS].opened_ms) * WALK_SHARE;

	swap(&s->holders, ev);
	pane_feed_close(p, SLOT_HOLDERS); /* one worker a walk */
	s->walk_at = loop_now_ms() + (pause > WALK_MS ? pause : WALK_MS);
	merge(p);
}

static bool answers(const struct engine_blocks *told)
{
	return block_count(told->engines) && ((const struct engine_row *)block_row(told->engines, 0))->answering == 1;
}

/* Daemons that the scan shows: unknown ones, those that systemd listened for until now, and those that came back are asked at once. */
static void find_daemons(struct pane *p)
{
	struct list_state *s = p->state;
	unsigned known = s->places.n;

	engine_places_from_scan(&s->places, s->scan);
	for (unsigned i = 0; i < s->places.n; i++) {
		struct engine_place *place = &s->places.list[i];
		bool ran = s->runs[i], was_idle = place->is_idle;

		s->runs[i] = engine_places_runs(place, s->scan);
		place->is_idle &= !s->runs[i];
		if (i >= known || (was_idle && !place->is_idle))
			open_engine(p, i);
		else if (s->runs[i] && !ran && s->told[i].engines && !answers(&s->told[i]))
			pane_feed_sample(p, slot_of(i));
		if (place->is_idle ? !p->env->engines : was_idle)
			merge_engines(p);
	}
}

/* Mostly it says what it said before. */
static void take_scan(struct pane *p, struct link_event *ev)
{
	struct list_state *s = p->state;
	bool *same = &p->feeds[SLOT_SCAN].same;

	*same = block_same(s->scan, ev->block);
	swap(&s->scan, ev);
	if (*same)
		return;
	find_daemons(p);
	merge(p);
}

/* Tests hand a finished list in as a block of targets on the scan's slot. */
static void list_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	struct list_state *s = p->state;

	if (ev->type == LINK_READY && slot == SLOT_BUNDLES)
		s->named = 0;
	if (ev->type == LINK_READY && slot == SLOT_HEALTH)
		s->watched = 0; /* a new worker knows nobody: the next list is told again */
	if (slot == SLOT_HOLDERS && ev->type == LINK_CLOSED)
		s->walk_at = loop_now_ms() + WALK_MS;
	if (ev->type != LINK_BLOCK)
		return;
	if (slot == SLOT_FIRST || slot >= SLOT_MORE) {
		engine_event(p, &s->told[engine_of(slot)], ev);
	} else if (ev->row_type == &target_row_type) {
		show_targets(p, ev->block);
	} else if (ev->row_type == &netns_row_type) {
		take_scan(p, ev);
		plan_walk(p);
	} else if (ev->row_type == &bundle_row_type) {
		swap(&s->bundles, ev);
		merge(p);
	} else if (ev->row_type == &holder_row_type) {
		take_holders(p, ev);
	} else if (ev->row_type == &change_row_type) {
		block_unref(ev->block);
		pane_feed_sample(p, SLOT_SCAN);
	} else if (ev->row_type == &health_row_type) {
		swap(&s->health, ev);
		if (s->merged)
			show_targets(p, target_with_health(s->merged, s->health));
		plan_walk(p);
	} else {
		block_unref(ev->block);
	}
}

/* Engines tell by themselves what changes; who presses a key wants to know whether that is still so. */
static void list_refresh(struct pane *p)
{
	struct list_state *s = p->state;

	pane_feeds_refresh(p);
	pane_feed_request(p, SLOT_SCAN, 0, NAMESPACES_LOOK, NULL, 0, -1);
	for (unsigned i = 0; i < s->places.n; i++)
		if (!s->places.list[i].is_activated || answers(&s->told[i]))
			pane_feed_sample(p, slot_of(i));
	walk_descriptors(p);
}

static void list_freeze(struct pane *p, bool on)
{
	struct list_state *s = p->state;

	if (on)
		return;
	if (p->env->targets)
		table_set_block(s->grids[TAB_TARGETS].table, p->env->targets);
	if (p->env->networks)
		table_set_block(s->grids[TAB_NETWORKS].table, p->env->networks);
}

static struct grid *list_grid(const struct pane *p)
{
	struct list_state *s = p->state;

	return &s->grids[s->tab];
}

static uint64_t list_subject(const struct pane *p)
{
	struct list_state *s = p->state;
	const struct row_head *row = s->tab == TAB_TARGETS ? grid_selected(&s->grids[TAB_TARGETS], NULL) : NULL;

	return row ? row->id : 0;
}

/* --- drawing --- */

static void draw_tabs(const struct pane *p, struct area a)
{
	const struct list_state *s = p->state;
	static const char *const names[TAB_N] = { "Targets", "Networks" };
	char text[64], sort[64], filter[160];
	const char *words = table_filter_text(s->grids[s->tab].table);
	int x = 1;

	for (int i = 0; i < TAB_N; i++) {
		snprintf(text, sizeof text, s->tab == i ? "[%s %u]" : "%s %u", names[i], table_total(s->grids[i].table));
		int n = canvas_str(a, x, 0, STYLE_TEXT, text);
		if (s->tab == i)
			canvas_ground_part(a, x, 0, n, GROUND_TAB);
		x += n + 2;
	}
	snprintf(filter, sizeof filter, "sort: %s   filter: %.60s", grid_sort_text(&s->grids[s->tab], sort, sizeof sort),
		words[0] ? words : "none");
	if (x + 2 + (int)text_width(text_of(filter)) < a.w)
		canvas_left_of(a, a.w - 1, 0, words[0] ? STYLE_TEXT : STYLE_DIM, filter);
}

static void draw_target_preview(const struct pane *p, struct area a)
{
	static const enum facts order[] = { FACTS_PROBLEM, FACTS_LOAD, FACTS_NETWORKS, FACTS_PROCESS, FACTS_HOLDERS, FACTS_GROUP, FACTS_STATE,
		FACTS_PORTS, FACTS_IMAGE };
	const struct list_state *s = p->state;
	const struct block *b = NULL;
	const struct target_row *t = grid_selected(&s->grids[TAB_TARGETS], &b);
	char title[160];
	int y = 1;

	if (!t) {
		canvas_rule(a, 0, NULL);
		return;
	}
	struct text name = block_text(b, t->name);
	snprintf(title, sizeof title, "%.*s", name.n > 120 ? 120 : (int)name.n, name.p);
	canvas_rule(a, 0, title);
	for (unsigned i = 0; i < ARRAY_LEN(order); i++)
		y = facts_draw(order[i], a, y, b, t, &p->env->look);
}

static void draw_network_preview(const struct pane *p, struct area a)
{
	const struct list_state *s = p->state;
	const struct block *b = NULL;
	const struct network_row *n = grid_selected(&s->grids[TAB_NETWORKS], &b);

	if (n)
		facts_draw_network(a, b, n, &p->env->look);
	else
		canvas_rule(a, 0, NULL);
}

/* Lines for the preview with its rule: what the screen can spare. */
static int preview_height(const struct area a)
{
	int screen = canvas_height(a.canvas);

	if (screen < 20 || a.h < 10)
		return 0;
	return screen >= 30 ? 9 : 5;
}

static void draw_empty(const struct pane *p, struct area a)
{
	const struct list_state *s = p->state;
	const char *filter = table_filter_text(s->grids[s->tab].table);

	if (filter[0])
		canvas_hint(a, 3, 2, STYLE_TEXT, "Nothing matches the filter.   [\\] clears it");
	else if (s->tab == TAB_TARGETS && p->env->targets)
		canvas_hint(a, 3, 2, STYLE_TEXT,
			s->hidden ? "Nothing runs here.   [a] shows what is stopped" : "Nothing to look into here.");
	else if (s->tab == TAB_NETWORKS)
		canvas_hint(a, 3, 2, STYLE_TEXT, "No networks known: no engine has answered yet.");
	else
		canvas_hint(a, 3, 2, STYLE_TEXT, "Looking for containers and namespaces ...");
}

static void draw_preview(const struct pane *p, struct area a)
{
	const struct list_state *s = p->state;

	if (s->tab == TAB_TARGETS)
		draw_target_preview(p, a);
	else
		draw_network_preview(p, a);
}

static void draw_rows(const struct pane *p, struct area a)
{
	struct list_state *s = p->state;
	struct grid *g = &s->grids[s->tab];

	g->no_heading = canvas_height(a.canvas) < 14;
	grid_draw(g, a, &p->env->look, true);
	if (grid_count(g) == 0)
		draw_empty(p, a);
}

/* The preview stands below; on very wide screens to the right, always. */
static void list_draw(const struct pane *p, struct area a)
{
	int top = canvas_height(a.canvas) >= 14, below = p->zoom ? 0 : preview_height(a);
	struct area body = canvas_sub(a, 0, top, a.w, a.h - top);

	if (top)
		draw_tabs(p, canvas_line(a, 0));
	if (a.w >= SIDE_FROM_WIDTH && below) {
		int left = a.w - SIDE_WIDTH - 1;
		draw_rows(p, canvas_sub(body, 0, 0, left, body.h));
		canvas_vline(body, left, 0, body.h);
		draw_preview(p, canvas_sub(body, left + 1, 0, SIDE_WIDTH, body.h));
		return;
	}
	draw_rows(p, canvas_sub(body, 0, 0, a.w, body.h - below));
	if (below)
		draw_preview(p, canvas_sub(body, 0, body.h - below, a.w, below));
}

/* What the list leaves out, never silently: health of those beyond the limits, descriptors that were not looked at. */
static int left_out(const struct list_state *s, char *buf, size_t cap)
{
	const struct block *const blocks[] = { s->health, s->holders };
	int n = 0;

	if (s->unwatched)
		n = snprintf(buf, cap, "%u targets without health   ", s->unwatched);
	for (unsigned k = 0; k < ARRAY_LEN(blocks); k++) {
		int code = 0;
		struct text note = blocks[k] && block_notes(blocks[k]) ? block_note(blocks[k], 0, &code) : (struct text){ 0 };

		if (note.n && code != EACCES && (size_t)n < cap)
			n += snprintf(buf + n, cap - (size_t)n, "%.*s   ", note.n > 160 ? 160 : (int)note.n, note.p);
	}
	return (size_t)n < cap ? n : (int)cap - 1;
}

static void list_status(const struct pane *p, char *buf, size_t cap)
{
	const struct list_state *s = p->state;
	const struct grid *g = &s->grids[s->tab];
	uint32_t shown = table_count(g->table), total = table_total(g->table);
	char engine[256];
	int n = 0;

	if (shown != total)
		n = snprintf(buf, cap, "%u of %u shown%s   ", shown, total,
			!s->all && s->hidden && s->tab == TAB_TARGETS ? ", [a] all" : "");
	list_engine_words(&s->places, p->env->engines, p->env->look.charset, engine, sizeof engine);
	n += left_out(s, buf + n, cap - (size_t)n);
	snprintf(buf + n, cap - (size_t)n, "%s", engine);
}

/* --- keys --- */

static int key_open(struct pane *p, int key)
{
	struct list_state *s = p->state;
	const struct block *b = NULL;
	const struct row_head *row = grid_selected(list_grid(p), &b);
	char words[300];

	(void)key;
	if (!row)
		return PANE_USED;
	if (s->tab == TAB_TARGETS) {
		pane_go(p, '1', row->id, NULL);
		return PANE_USED;
	}
	struct text name = block_text(b, ((const struct network_row *)row)->name);
	snprintf(words, sizeof words, "networks:%.*s", name.n > 200 ? 200 : (int)name.n, name.p);
	s->tab = TAB_TARGETS;
	table_filter(s->grids[TAB_TARGETS].table, words, NULL, NULL);
	return PANE_USED | PANE_DRAW;
}

static int key_tab(struct pane *p, int key)
{
	struct list_state *s = p->state;

	(void)key;
	s->tab = (s->tab + 1) % TAB_N;
	return PANE_USED | PANE_DRAW;
}

static int key_all(struct pane *p, int key)
{
	struct list_state *s = p->state;

	(void)key;
	s->all = !s->all;
	table_set_keep(s->grids[TAB_TARGETS].table, keep_target, s);
	pane_toast(p, SEVERITY_NONE, s->all ? "all targets, stopped ones too" : "stopped targets are hidden");
	return PANE_USED | PANE_DRAW;
}

static const struct binding list_bindings[] = {
	{ .key = KEYS_ENTER,
		.alias = KEYS_DOUBLE_CLICK,
		.label = "open",
		.help = "open the target; on a network: its members",
		.run = key_open,
		.rank = 1,
		.group = BINDING_VIEW },
	{ .key = 'a',
		.label = "all",
		.help = "show stopped targets too",
		.run = key_all,
		.rank = 8,
		.group = BINDING_VIEW,
		.right = true },
	{ .key = ']',
		.alias = '[',
		.shown = "[ ]",
		.label = "tab",
		.help = "targets or networks",
		.run = key_tab,
		.rank = 9,
		.group = BINDING_VIEW },
	{ .key = KEYS_TAB,
		.alias = KEYS_BACK_TAB,
		.help = "targets or networks",
		.run = key_tab,
		.group = BINDING_VIEW },
};

/* --- for the app --- */

static int64_t index_of(const struct table *t, uint64_t id)
{
	for (uint32_t i = 0; i < table_count(t); i++)
		if (((const struct row_head *)table_at(t, i))->id == id)
			return i;
	return -1;
}

uint64_t pane_list_step(const struct pane *list, uint64_t id, int direction)
{
	const struct list_state *s = list->state;
	const struct table *t = s->grids[TAB_TARGETS].table;
	int64_t n = table_count(t), at = index_of(t, id);

	if (n == 0)
		return 0;
	at = at < 0 ? 0 : at + direction;
	at = at < 0 ? 0 : at >= n ? n - 1 : at;
	return ((const struct row_head *)table_at(t, (uint32_t)at))->id;
}

bool pane_list_place(const struct pane *list, uint64_t id, unsigned *ret_place, unsigned *ret_n)
{
	const struct list_state *s = list->state;
	int64_t at = index_of(s->grids[TAB_TARGETS].table, id);

	if (at < 0)
		return false;
	*ret_place = (unsigned)at + 1;
	*ret_n = table_count(s->grids[TAB_TARGETS].table);
	return true;
}

void pane_list_show(struct pane *list, uint64_t id)
{
	struct list_state *s = list->state;

	s->tab = TAB_TARGETS;
	table_jump_id(s->grids[TAB_TARGETS].table, id);
}

const struct pane_ops pane_list = {
	.name = "list",
	.title = "Targets",
	.short_title = "Targets",
	.digit = '0',
	.state_size = sizeof(struct list_state),
	.init = list_init,
	.done = list_done,
	.draw = list_draw,
	.event = list_event,
	.grid = list_grid,
	.subject = list_subject,
	.status = list_status,
	.freeze = list_freeze,
	.refresh = list_refresh,
	.bindings = list_bindings,
	.n_bindings = ARRAY_LEN(list_bindings),
};
