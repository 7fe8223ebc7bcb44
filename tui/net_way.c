/*
 * The way on top of the network pane: the default route's, or to a typed destination, walked anew with each sample. Three lines: devices,
 * their state, and a sentence. Where there is little room, namespaces' names go first, then gateways, then the middle of names.
 */
#include "core/fd.h"
#include "core/net/neighbour.h"
#include "core/net/walk.h"
#include "tui/net_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HOP_TEXT = 96, MAX_HOPS = 24, GAP = 3, SHORTEST_NAME = 4 };

/* --- walking --- */

void net_way_clear(struct net_view *v)
{
	block_unref(v->walk);
	block_unref(v->way);
	v->walk = v->way = NULL;
	v->no_way[0] = '\0';
}

static void judge(struct net_view *v)
{
	block_unref(v->way);
	v->way = v->walk ? net_judge_walk(v->walk, v->pane->env->targets) : NULL;
}

static void open_walk(struct net_view *v)
{
	struct net_map map = net_view_map(v);
	struct net_walk_params params = { .to = v->to };

	net_walk_list(v->pane->env->targets, map.netns, &params);
	v->walked = row_hash(params.list, params.n * sizeof params.list[0], 1);
	pane_feed_open(v->pane, NET_SLOT_WALK, &(struct feed_spec){ .source = &net_walk_source, .params = &params, .n_params = sizeof params,
		.sampled = true });
}

void net_way_to(struct net_view *v, const struct addr *to)
{
	v->to = *to;
	net_way_clear(v);
	if (to->kind)
		open_walk(v);
	else
		pane_feed_close(v->pane, NET_SLOT_WALK);
}

void net_way_event(struct net_view *v, struct link_event *ev)
{
	if (ev->type == LINK_ERROR) {
		net_way_clear(v);
		snprintf(v->no_way, sizeof v->no_way, "%s", ev->msg);
	}
	if (ev->type != LINK_BLOCK)
		return;
	net_way_clear(v);
	v->walk = ev->block;
	judge(v);
}

/* Whoever came meanwhile may be where the way was not known. */
void net_way_targets(struct net_view *v)
{
	const struct net_hop_row *last = v->walk && block_count(v->walk) ? block_row(v->walk, block_count(v->walk) - 1) : NULL;
	struct net_walk_params params = { .to = v->to };
	struct net_map map = net_view_map(v);

	judge(v);
	if (!last || last->end != NET_HOP_UNKNOWN)
		return;
	net_walk_list(v->pane->env->targets, map.netns, &params);
	if (row_hash(params.list, params.n * sizeof params.list[0], 1) != v->walked)
		open_walk(v);
}

/* --- a typed destination --- */

bool net_way_parse(const struct pane *p, const char *text, struct addr *ret)
{
	const struct block *b = p->env->targets;
	struct target_ref ref;
	uint32_t row = UINT32_MAX;

	if (addr_parse(text, ret) == 0)
		return ret->kind != ADDR_MAC && !ret->has_prefix;
	if (!b || target_resolve(b, text, &row, &ref, NULL) < 0 || row == UINT32_MAX)
		return false;
	return target_address(b, pane_target(p, NULL), block_row(b, row), 0, ret);
}

/* --- the picture --- */

struct hop {
	char name[HOP_TEXT]; /* "eth0" */
	char where[HOP_TEXT]; /* "web" */
	char facts[2 * HOP_TEXT]; /* "up 1500 drops 3" */
	enum severity severity;
	int width;
};

enum level { WITH_ALL, WITHOUT_GATEWAYS, WITHOUT_NAMES, SHORTENED, LEVELS };

/* "up 1500 drops 3 via 172.18.0.1"; in short, that it is up goes without saying. */
static void state_words(const struct net_view *v, const struct net_hop_row *h, enum level level, char *buf, size_t cap)
{
	const struct net_link_row l = { .up = h->up, .carrier = h->carrier, .state = h->state };
	uint64_t lost = h->dropped == ROW_NO_UINT ? 0 : h->dropped + (h->errors == ROW_NO_UINT ? 0 : h->errors);
	const char *state = net_link_words(&l);
	char mtu[24] = "", text[ADDR_TEXT];
	int n;

	if (h->mtu != ROW_NO_UINT)
		snprintf(mtu, sizeof mtu, "%" PRIu64, h->mtu);
	n = snprintf(buf, cap, "%s%s%s", level == SHORTENED && strcmp(state, "up") == 0 ? "" : state, level == SHORTENED && strcmp(state, "up") == 0 ? "" : " ", mtu);
	if (lost)
		n += snprintf(buf + n, cap - (size_t)n, " drops %" PRIu64, lost);
	if (level == WITH_ALL && h->next_hop.kind && !addr_same(&h->next_hop, &v->to))
		snprintf(buf + n, cap - (size_t)n, " via %s", addr_format(&h->next_hop, text));
}

static void words_of(const struct net_view *v, const struct block *b, const struct net_hop_row *h, struct text before, enum level level,
	struct hop *ret)
{
	enum text_charset charset = v->pane->env->look.charset;
	struct text where = block_text(b, h->target);
	int name, facts;

	text_clean(ret->name, sizeof ret->name, block_text(b, h->name), charset);
	ret->where[0] = '\0';
	if (level < WITHOUT_NAMES && where.n && !text_equal(where, before)) /* said where it changes */
		text_clean(ret->where, sizeof ret->where, where, charset);
	state_words(v, h, level, ret->facts, sizeof ret->facts);
	ret->severity = h->head.severity >= SEVERITY_UNKNOWN ? (enum severity)h->head.severity : SEVERITY_OK;
	name = (int)text_width(text_of(ret->name)) + 2 + (ret->where[0] ? 1 + (int)text_width(text_of(ret->where)) : 0);
	facts = (int)strlen(ret->facts) + 2;
	ret->width = name > facts ? name : facts;
}

static unsigned words(const struct net_view *v, const struct block *b, enum level level, struct hop hops[MAX_HOPS], int *ret_width)
{
	struct text before = { 0 };
	unsigned n = 0;

	*ret_width = 1;
	for (; b && n < block_count(b) && n < MAX_HOPS; n++) {
		const struct net_hop_row *h = block_row(b, n);

		words_of(v, b, h, before, level, &hops[n]);
		before = block_text(b, h->target);
		*ret_width += hops[n].width + (n ? GAP + 1 : 1);
	}
	return n;
}

/* The widest gives way until all fit, or all are as short as it makes sense. */
static void shorten(struct hop *hops, unsigned n, int over)
{
	while (over > 0) {
		struct hop *widest = hops;

		for (unsigned i = 1; i < n; i++)
			widest = hops[i].width > widest->width ? &hops[i] : widest;
		if (widest->width <= SHORTEST_NAME + 2)
			return;
		widest->width--;
		over--;
	}
}

static void draw_hops(struct area a, const struct hop *hops, unsigned n)
{
	int x = 1;

	for (unsigned i = 0; i < n && x < a.w; i++) {
		const struct hop *h = &hops[i];
		enum style facts = h->severity >= SEVERITY_WARN ? canvas_severity_style(h->severity) : STYLE_TEXT;

		if (i) {
			canvas_glyph(a, x, 0, STYLE_DIM, GLYPH_ARROW_RIGHT);
			x += 2;
		}
		canvas_sign(a, x, 0, h->severity);
		int at = x + 2 + canvas_fit(a, x + 2, 0, h->width - 2, false, STYLE_STRONG, text_of(h->name));
		if (h->where[0])
			canvas_str(a, at + 1, 0, STYLE_DIM, h->where);
		canvas_fit(a, x + 2, 1, h->width - 2, false, facts, text_of(h->facts));
		x += h->width + 2;
	}
}

static void draw_devices(const struct net_view *v, const struct block *b, struct area a)
{
	struct hop hops[MAX_HOPS];
	unsigned n = 0;
	int width = a.w + 1;

	for (unsigned level = WITH_ALL; level < LEVELS && width > a.w; level++)
		n = words(v, b, (enum level)level, hops, &width);
	if (n == 0 && v->no_way[0])
		canvas_fit(a, 1, 0, a.w - 2, false, STYLE_BAD, text_of(v->no_way));
	else if (n == 0 && v->facts.findings)
		canvas_str(a, 1, 0, STYLE_DIM, v->to.kind ? "looking for the way" : "no default route: nothing leads out of this namespace");
	shorten(hops, n, width - a.w);
	draw_hops(a, hops, n);
}

/* --- the sentence --- */

struct sentence {
	enum severity severity;
	char words[320];
	char more[64];
};

static const struct net_hop_row *gravest(const struct block *way)
{
	const struct net_hop_row *worst = NULL;

	for (uint32_t i = 0; way && i < block_count(way); i++) {
		const struct net_hop_row *h = block_row(way, i);

		if (h->head.severity >= SEVERITY_UNKNOWN && (!worst || h->head.severity > worst->head.severity))
			worst = h;
	}
	return worst;
}

static void way_sentence(const struct net_view *v, struct sentence *s)
{
	const struct block *b = v->way;
	const struct net_hop_row *last = block_row(b, block_count(b) - 1), *worst = gravest(b);
	struct text name = block_text(b, worst ? worst->name : last->name), where = block_text(b, worst ? worst->target : last->target),
		why = worst ? block_text(b, worst->problem) : (struct text){ 0 };
	char to[ADDR_TEXT];
	int n = snprintf(s->words, sizeof s->words, "to %s: ", addr_format(&v->to, to));

	s->severity = worst ? (enum severity)worst->head.severity : SEVERITY_OK;
	if (worst)
		snprintf(s->words + n, sizeof s->words - (size_t)n, "%.*s%s%.*s: %.*s", (int)name.n, name.n ? name.p : "", where.n ? " of " : "",
			(int)where.n, where.n ? where.p : "", (int)why.n, why.n ? why.p : "");
	else
		snprintf(s->words + n, sizeof s->words - (size_t)n, "%s %.*s%s%.*s", last->end == NET_HOP_UPLINK ? "leaves by" : "arrives at",
			(int)name.n, name.n ? name.p : "", where.n ? " of " : "", (int)where.n, where.n ? where.p : "");
	if (!worst)
		snprintf(s->more, sizeof s->more, "   firewalls are not looked at");
}

static void finding_sentence(const struct block *b, struct sentence *s)
{
	const struct net_finding_row *f = block_row(b, 0);
	struct text object = block_text(b, f->object), problem = block_text(b, f->problem);

	s->severity = (enum severity)f->head.severity;
	snprintf(s->words, sizeof s->words, "%.*s%s%.*s", (int)object.n, object.n ? object.p : "", object.n ? ": " : "", (int)problem.n,
		problem.n ? problem.p : "");
	if (block_count(b) > 1)
		snprintf(s->more, sizeof s->more, "   and %u more", block_count(b) - 1);
}

static void draw_sentence(const struct net_view *v, struct area a)
{
	const struct block *b = v->facts.findings;
	struct sentence s = { .severity = SEVERITY_OK, .words = "nothing wrong found" };
	char choice[128];
	int x;

	if (v->to.kind && (!v->way || !block_count(v->way)))
		return;
	if (v->to.kind)
		way_sentence(v, &s);
	else if (!b)
		return;
	else if (block_count(b))
		finding_sentence(b, &s);
	canvas_sign(a, 1, 0, s.severity);
	x = 3 + canvas_fit(a, 3, 0, a.w - 4 - (int)strlen(s.more), false, s.severity == SEVERITY_OK ? v->to.kind ? STYLE_TEXT : STYLE_DIM :
		canvas_severity_style(s.severity), text_of(s.words));
	x += canvas_str(a, x, 0, STYLE_DIM, s.more);
	if (!v->to.kind && net_route_choice(v->facts.parts[NET_ROUTES], net_view_map(v).netns, choice, sizeof choice) > 1 &&
		x + 3 + (int)strlen(choice) < a.w)
		canvas_left_of(a, a.w - 1, 0, STYLE_DIM, choice);
}

void net_way_draw(const struct net_view *v, struct area a)
{
	draw_devices(v, v->to.kind ? v->way : v->facts.path, canvas_sub(a, 0, 0, a.w, 2));
	draw_sentence(v, canvas_line(a, 2));
}
