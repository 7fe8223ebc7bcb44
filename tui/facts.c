/* Facts of a target in words. Text goes out raw: the canvas cleans it. */
#include "tui/facts.h"

#include "core/fd.h"
#include "core/source/holders.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FACTS_LABEL = 10, FACTS_WRAP_HEIGHT = 9, FACTS_LINE = 1024, NS_PER_S = 1000000000 };

/* Text that grows and never overflows. */
struct line {
	char s[FACTS_LINE];
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->s + l->n, sizeof l->s - l->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->n = l->n + (size_t)n < sizeof l->s ? l->n + (size_t)n : sizeof l->s - 1;
}

static bool known(struct str s)
{
	return s.len != UINT32_MAX && s.len > 0;
}

static void add_text(struct line *l, const char *before, struct text t, const char *after)
{
	add(l, "%s%.*s%s", before, t.n > 256 ? 256 : (int)t.n, t.p ? t.p : "", after);
}

/* Up to which byte a line of `room` columns may go: the last two blanks that fit, else as far as it goes. */
static size_t line_break(struct text t, int room)
{
	size_t fit = text_fit(t, (size_t)room, NULL);

	if (fit == t.n)
		return fit;
	for (size_t i = fit; i > 1; i--)
		if (t.p[i - 1] == ' ' && t.p[i] == ' ')
			return i - 1;
	return fit;
}

/* Words from column x on; in a high area on as many lines as they need. Returns the next free line. */
static int wrap(struct area a, int x, int y, const struct line *l, enum text_charset cs)
{
	char clean[FACTS_LINE * 2];
	struct text rest = { clean, text_clean(clean, sizeof clean, (struct text){ l->s, l->n }, cs) };
	int room = a.w - x - 1;

	while (a.h >= FACTS_WRAP_HEIGHT && room > 8 && text_width(rest) > (size_t)room && y < a.h - 1) {
		size_t n = line_break(rest, room);
		canvas_put(a, x, y++, STYLE_TEXT, (struct text){ rest.p, n });
		rest = (struct text){ rest.p + n, rest.n - n };
		while (rest.n && rest.p[0] == ' ')
			rest = (struct text){ rest.p + 1, rest.n - 1 };
	}
	canvas_fit(a, x, y, room, false, STYLE_TEXT, rest);
	return y + 1;
}

static int label(struct area a, int y, const char *name, const struct line *l)
{
	canvas_str(a, 1, y, STYLE_DIM, name);
	return wrap(a, 1 + FACTS_LABEL, y, l, canvas_charset(a.canvas));
}

const char *facts_age(int64_t ns, int64_t now_ns, char *buf, size_t cap)
{
	int64_t s = (now_ns - ns) / NS_PER_S;

	if (ns == ROW_NO_INT)
		snprintf(buf, cap, "-");
	else
		row_format_age(s > 0 ? (double)s : 0, buf, cap);
	return buf;
}

size_t facts_state(const struct target_row *t, const struct row_look *look, char *buf, size_t cap)
{
	char age[24];
	int n;

	if (t->head.flags & TARGET_IS_HOST)
		return (size_t)snprintf(buf, cap, "-");
	if (t->head.flags & TARGET_IS_NETNS) {
		if (t->processes == ROW_NO_UINT)
			return (size_t)snprintf(buf, cap, "-");
		n = t->holders.n && t->processes == 0 ? snprintf(buf, cap, "held") :
			snprintf(buf, cap, "%" PRIu64 " proc%s", t->processes, t->processes == 1 ? "" : "s");
	} else if (t->state == TARGET_STATE_RUNNING) {
		n = snprintf(buf, cap, "up %s", facts_age(t->started_at, look->now_ns, age, sizeof age));
	} else if (t->state == TARGET_STATE_EXITED && t->exit_code != ROW_NO_INT) {
		n = snprintf(buf, cap, "exit %" PRId64, t->exit_code);
	} else if (t->state == TARGET_STATE_RESTARTING && t->restarts != ROW_NO_UINT) {
		n = snprintf(buf, cap, "rst %" PRIu64, t->restarts);
	} else {
		n = snprintf(buf, cap, "%s", t->state < TARGET_STATE_N ? target_state_names[t->state] : "-");
	}
	return n < 0 ? 0 : (size_t)n;
}

const char *facts_runtime(const struct block *b, const struct target_row *t)
{
	static const char *const names[][2] = {
		{ "docker", "dock" }, { "podman", "podm" }, { "containerd", "ctrd" }, { "cri", "cri" }, { "lxc", "lxc" },
		{ "nspawn", "nspn" }, { "netns", "ns" }, { "host", "host" },
	};
	struct text runtime = block_text(b, t->runtime);

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (text_equal(runtime, text_of(names[i][0])))
			return names[i][1];
	return "-";
}

static bool published(const struct port_row *p)
{
	return p->host_port != ROW_NO_UINT;
}

/* The same port on 0.0.0.0 and :: is one port for the reader. */
static bool port_repeats(const struct block *b, const struct target_row *t, uint32_t at)
{
	const struct port_row *p = block_nested(b, &port_row_type, t->ports, at);

	for (uint32_t i = 0; i < at; i++) {
		const struct port_row *q = block_nested(b, &port_row_type, t->ports, i);
		if (q->port == p->port && q->host_port == p->host_port)
			return true;
	}
	return false;
}

size_t facts_ports(const struct block *b, const struct target_row *t, char *buf, size_t cap)
{
	struct line l = { .n = 0 };

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < t->ports.n; i++) {
			const struct port_row *p = block_nested(b, &port_row_type, t->ports, i);
			if (published(p) != (pass == 0) || port_repeats(b, t, i))
				continue;
			add(&l, "%s", l.n ? " " : "");
			if (published(p))
				add(&l, "%" PRIu64 ">", p->host_port);
			add(&l, "%" PRIu64, p->port);
		}
	}
	return (size_t)snprintf(buf, cap, "%s", l.n ? l.s : "-");
}

size_t facts_endpoint(const struct addr *a, uint64_t port, char *buf, size_t cap)
{
	struct addr plain = addr_unmap(a); /* ::ffff:10.0.0.1 is 10.0.0.1 to the reader */
	char text[ADDR_TEXT];
	bool v6 = plain.kind == ADDR_IP6;

	if (plain.kind == ADDR_NONE)
		return (size_t)snprintf(buf, cap, "-");
	addr_format(&plain, text);
	if (port == ROW_NO_UINT)
		return (size_t)snprintf(buf, cap, "%s", text);
	return (size_t)snprintf(buf, cap, "%s%s%s:%" PRIu64, v6 ? "[" : "", text, v6 ? "]" : "", port);
}

/* --- lines --- */

static int draw_problem(struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	(void)look;
	if (!known(t->problem))
		return y;
	canvas_sign(a, 1, y, t->head.severity);
	canvas_fit(a, 3, y, a.w - 4, false, STYLE_STRONG, block_text(b, t->problem));
	if (text_width(block_text(b, t->problem)) <= (size_t)(a.w - 4) || a.h < FACTS_WRAP_HEIGHT)
		return y + 1;
	struct line l = { .n = 0 };
	add_text(&l, "", block_text(b, t->problem), "");
	return wrap(a, 3, y, &l, canvas_charset(a.canvas));
}

static void endpoint_words(struct line *l, const struct block *b, const struct endpoint_row *e)
{
	char buf[ADDR_TEXT];
	struct text alias;

	if (e->address.kind)
		add(l, "%s  ", addr_format(&e->address, buf));
	if (e->address6.kind)
		add(l, "%s  ", addr_format(&e->address6, buf));
	add(l, "gw %s", e->gateway.kind ? addr_format(&e->gateway, buf) : "-");
	if (known(e->interface))
		add_text(l, "  ", block_text(b, e->interface), "");
	if (e->mac.kind)
		add(l, "  %s", addr_format(&e->mac, buf));
	for (uint32_t i = 0; i < 6 && block_list_item(b, e->aliases, i, &alias); i++)
		add_text(l, i ? " " : "  aliases ", alias, "");
}

static bool is_of_network(const struct block *b, const struct target_row *t, struct text address)
{
	char text[ADDR_TEXT];
	struct addr a;

	snprintf(text, sizeof text, "%.*s", (int)(address.n < sizeof text ? address.n : 0), address.n ? address.p : "");
	for (uint32_t i = 0; i < t->endpoints.n && addr_parse(text, &a) == 0; i++) {
		const struct endpoint_row *e = block_nested(b, &endpoint_row_type, t->endpoints, i);

		if (addr_same(&a, &e->address) || addr_same(&a, &e->address6))
			return true;
	}
	return false;
}

/* Those that no network explains: its engine does not say, or somebody gave them by hand. */
static int draw_addresses(struct area a, int y, const struct block *b, const struct target_row *t)
{
	struct line l = { .n = 0 };
	struct text address;

	for (uint32_t i = 0; block_list_item(b, t->addresses, i, &address); i++)
		if (!is_of_network(b, t, address))
			add_text(&l, l.n ? "  " : "", address, "");
	return l.n ? label(a, y, t->endpoints.n ? "also" : "addresses", &l) : y;
}

static int draw_networks(
	struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	int wide = 0;

	(void)look;
	for (uint32_t i = 0; i < t->endpoints.n; i++) {
		const struct endpoint_row *e = block_nested(b, &endpoint_row_type, t->endpoints, i);
		int w = (int)text_width(block_text(b, e->network));
		wide = w > wide ? w : wide;
	}
	wide = wide > 24 ? 24 : wide;
	for (uint32_t i = 0; i < t->endpoints.n && y < a.h; i++) {
		const struct endpoint_row *e = block_nested(b, &endpoint_row_type, t->endpoints, i);
		struct line l = { .n = 0 };
		endpoint_words(&l, b, e);
		canvas_str(a, 1, y, STYLE_DIM, i ? "" : "networks");
		canvas_fit(a, 1 + FACTS_LABEL, y, wide, false, STYLE_STRONG, block_text(b, e->network));
		y = wrap(a, 1 + FACTS_LABEL + wide + 2, y, &l, canvas_charset(a.canvas));
	}
	return y < a.h ? draw_addresses(a, y, b, t) : y;
}

static int draw_ports(struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	struct line l = { .n = 0 };
	char buf[ADDR_TEXT];

	(void)look;
	for (uint32_t i = 0; i < t->ports.n; i++) {
		const struct port_row *p = block_nested(b, &port_row_type, t->ports, i);
		bool v6 = p->host_address.kind == ADDR_IP6;
		add(&l, "%s", l.n ? "   " : "");
		if (published(p))
			add(&l, "%s%s%s:%" PRIu64 " > ", v6 ? "[" : "",
				p->host_address.kind ? addr_format(&p->host_address, buf) : "*", v6 ? "]" : "",
				p->host_port);
		add(&l, "%" PRIu64, p->port);
		add_text(&l, "/", block_text(b, p->protocol), published(p) ? "" : " (not published)");
	}
	return l.n ? label(a, y, "ports", &l) : y;
}

/* "cpu 20.1 %   memory 504K, 0.8 % of its limit   rx 1.2K/s   tx 310/s   sent again 0.4 %" */
static int draw_load(struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	static const struct {
		const char *field, *before, *after;
	} parts[] = {
		{ "cpu_percent", "cpu ", " %" }, { "memory_bytes", "memory ", "" }, { "memory_percent", "which is ", " % of its limit" },
		{ "rx_bytes_per_second", "rx ", "/s" }, { "tx_bytes_per_second", "tx ", "/s" }, { "retransmit_percent", "sent again ", " %" },
	};
	struct line l = { .n = 0 };
	char value[64];

	for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
		const struct field *f = row_field_find(&target_row_type, parts[i].field);

		if (row_is_unknown(b, f, t))
			continue;
		row_format(b, f, t, look, value, sizeof value);
		add(&l, "%s%s%s%s", !l.n ? "" : i == 2 ? ", " : "   ", parts[i].before, value, parts[i].after);
	}
	return l.n ? label(a, y, "load", &l) : y;
}

static int draw_process(struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	struct line l = { .n = 0 };

	(void)look;
	if (t->pid != ROW_NO_UINT)
		add(&l, "%" PRIu64, t->pid);
	if (known(t->command))
		add_text(&l, l.n ? " " : "", block_text(b, t->command), "");
	if (t->netns != ROW_NO_UINT && t->netns)
		add(&l, "%snetns %" PRIu64, l.n ? "   " : "", t->netns);
	if (t->head.flags & TARGET_HOST_NETWORK)
		add(&l, " (the host's)");
	else if (known(t->shares_with))
		add_text(&l, " (shared with ", block_text(b, t->shares_with), ")");
	if (t->processes != ROW_NO_UINT)
		add(&l, "   %" PRIu64 " process%s in it", t->processes, t->processes == 1 ? "" : "es");
	if (known(t->path))
		add_text(&l, "   ", block_text(b, t->path), "");
	return l.n ? label(a, y, "process", &l) : y;
}

/* "pod shop   namespace default   its sandbox   attempt 2   network shared with httpd side" */
static int draw_group(struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	struct line l = { .n = 0 };
	struct text other;

	(void)look;
	if (known(t->pod))
		add_text(&l, "pod ", block_text(b, t->pod), "");
	if (known(t->space))
		add_text(&l, l.n ? "   namespace " : "namespace ", block_text(b, t->space), "");
	if (t->infra == 1)
		add(&l, "   holds the pod's namespaces");
	if (t->attempt != ROW_NO_UINT && t->attempt)
		add(&l, "   attempt %" PRIu64, t->attempt);
	if (t->owner != ROW_NO_UINT)
		add(&l, "%srun by user %" PRIu64, l.n ? "   " : "", t->owner);
	for (uint32_t i = 0; i < 8 && block_list_item(b, t->shared_by, i, &other); i++)
		add_text(&l, i ? " " : l.n ? "   network shared by " : "network shared by ", other, "");
	return l.n ? label(a, y, "group", &l) : y;
}

/* "python3 (4711) by socket 5   keeper (12) by descriptor 3, 2 in all" */
static int draw_holders(struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	struct line l = { .n = 0 };

	(void)look;
	for (uint32_t i = 0; i < 6 && i < t->holders.n; i++) {
		const struct holder_row *h = block_nested(b, &holder_row_type, t->holders, i);

		add_text(&l, i ? "   " : "", block_text(b, h->process), "");
		add(&l, " (%" PRIu64 ") by %s %" PRIu64, h->pid, holder_names[h->by < HOLDER_N ? h->by : 0], h->number);
		if (h->count > 1)
			add(&l, " and %" PRIu64 " more", h->count - 1);
	}
	if (t->holders.n > 6)
		add(&l, "   and %" PRIu32 " more", t->holders.n - 6);
	return l.n ? label(a, y, "held by", &l) : y;
}

static int draw_image(struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	struct line l = { .n = 0 };
	char age[24];
	struct text id = block_text(b, t->id);

	if (!(t->head.flags & TARGET_IS_CONTAINER))
		return y;
	if (known(t->image))
		add_text(&l, "", block_text(b, t->image), "");
	add_text(&l, l.n ? "   " : "", block_text(b, t->runtime), " ");
	add_text(&l, "", (struct text){ id.p, id.n < 12 ? id.n : 12 }, "");
	if (t->created_at != ROW_NO_INT)
		add(&l, "   created %s ago", facts_age(t->created_at, look->now_ns, age, sizeof age));
	if (known(t->project))
		add_text(&l, "   project ", block_text(b, t->project), "");
	if (known(t->hostname))
		add_text(&l, "   hostname ", block_text(b, t->hostname), "");
	return label(a, y, "image", &l);
}

static int draw_state(struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look)
{
	struct line l = { .n = 0 };
	char age[24];

	(void)b;
	if (!(t->head.flags & TARGET_IS_CONTAINER))
		return y;
	add(&l, "%s", t->state < TARGET_STATE_N ? target_state_names[t->state] : "-");
	if (t->state == TARGET_STATE_RUNNING && t->started_at != ROW_NO_INT)
		add(&l, " for %s", facts_age(t->started_at, look->now_ns, age, sizeof age));
	if (t->health < TARGET_HEALTH_N)
		add(&l, "   health %s", target_health_names[t->health]);
	if (t->restarts != ROW_NO_UINT)
		add(&l, "   restarts %" PRIu64, t->restarts);
	if (t->state == TARGET_STATE_EXITED || t->state == TARGET_STATE_DEAD) {
		if (t->exit_code != ROW_NO_INT)
			add(&l, "   exit code %" PRId64, t->exit_code);
		if (t->oom_killed == 1)
			add(&l, " (out of memory)");
		if (t->finished_at != ROW_NO_INT)
			add(&l, "   %s ago", facts_age(t->finished_at, look->now_ns, age, sizeof age));
	}
	if (t->as_of != ROW_NO_INT && t->as_of)
		add(&l, "   as of %s ago: the engine does not answer", facts_age(t->as_of, look->now_ns, age, sizeof age));
	return label(a, y, "state", &l);
}

static int (*const drawers[])(struct area, int, const struct block *, const struct target_row *, const struct row_look *) = {
	[FACTS_PROBLEM] = draw_problem,
	[FACTS_LOAD] = draw_load,
	[FACTS_NETWORKS] = draw_networks,
	[FACTS_PORTS] = draw_ports,
	[FACTS_PROCESS] = draw_process,
	[FACTS_IMAGE] = draw_image,
	[FACTS_GROUP] = draw_group,
	[FACTS_HOLDERS] = draw_holders,
	[FACTS_STATE] = draw_state,
};
_Static_assert(ARRAY_LEN(drawers) == FACTS_N, "every fact has its drawer");

int facts_draw(enum facts what, struct area a, int y, const struct block *b, const struct target_row *t,
	const struct row_look *look)
{
	return y < a.h ? drawers[what](a, y, b, t, look) : y;
}
