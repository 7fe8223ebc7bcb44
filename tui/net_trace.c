/*
 * How the interfaces' counters moved while the view was open: the latest rates as bars, what drops and errors grew by and when. Rows are
 * found by their id, so a trace follows an interface that is renamed.
 */
#include "core/fd.h"
#include "tui/net_view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATELY_MS = 60000, SHORTEST_MS = 400 };

struct net_trace {
	uint64_t id;
	double rates[NET_TRACE]; /* both directions, the latest last */
	unsigned n;
	uint64_t dropped, errors; /* first seen */
	uint64_t now_dropped, now_errors;
	int64_t dropped_ms, errors_ms; /* last moved; 0: never */
	bool seen;
};

static struct net_trace *find(const struct net_view *v, uint64_t id)
{
	for (uint32_t i = 0; i < v->n_traces; i++)
		if (v->traces[i].id == id)
			return &v->traces[i];
	return NULL;
}

static uint64_t sum(uint64_t x, uint64_t y)
{
	return x == ROW_NO_UINT || y == ROW_NO_UINT ? ROW_NO_UINT : x + y;
}

static struct net_trace *add(struct net_view *v, const struct net_link_row *r)
{
	if ((v->n_traces & (v->n_traces - 1)) == 0) /* grows at each power of two */
		v->traces = fd_xrealloc(v->traces, v->n_traces ? 2 * v->n_traces : 1, sizeof *v->traces);
	v->traces[v->n_traces] = (struct net_trace){ .id = r->head.id, .dropped = sum(r->rx.dropped, r->tx.dropped),
		.errors = sum(r->rx.errors, r->tx.errors) };
	v->traces[v->n_traces].now_dropped = v->traces[v->n_traces].dropped;
	v->traces[v->n_traces].now_errors = v->traces[v->n_traces].errors;
	return &v->traces[v->n_traces++];
}

static void move(uint64_t now, uint64_t *before, int64_t *ms, int64_t at)
{
	if (now != *before && now != ROW_NO_UINT)
		*ms = at;
	*before = now;
}

static void follow(struct net_view *v, const struct net_link_row *r, int64_t at, bool bar)
{
	struct net_trace *t = find(v, r->head.id);

	if (!t)
		t = add(v, r);
	t->seen = true;
	move(sum(r->rx.dropped, r->tx.dropped), &t->now_dropped, &t->dropped_ms, at);
	move(sum(r->rx.errors, r->tx.errors), &t->now_errors, &t->errors_ms, at);
	if (!bar || isnan(r->rx_rate) || isnan(r->tx_rate))
		return;
	if (t->n == NET_TRACE)
		memmove(t->rates, t->rates + 1, (NET_TRACE - 1) * sizeof t->rates[0]);
	else
		t->n++;
	t->rates[t->n - 1] = r->rx_rate + r->tx_rate;
}

static void forget(struct net_view *v)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < v->n_traces; i++) {
		if (!v->traces[i].seen)
			continue;
		v->traces[i].seen = false;
		v->traces[kept++] = v->traces[i];
	}
	v->n_traces = kept;
}

/* Of samples that the kernel's messages caused at once, one makes a bar. */
void net_trace_take(struct net_view *v, const struct block *links)
{
	int64_t at = block_time(links) / 1000000;
	bool bar = at - v->traced_ms >= SHORTEST_MS;

	for (uint32_t i = 0; i < block_count(links); i++)
		follow(v, block_row(links, i), at, bar);
	forget(v);
	v->traced_now_ms = at;
	if (bar)
		v->traced_ms = at;
}

void net_trace_done(struct net_view *v)
{
	free(v->traces);
	v->traces = NULL;
	v->n_traces = 0;
}

size_t net_trace_bars(const struct net_view *v, uint64_t id, enum text_charset charset, char *buf, size_t cap)
{
	const struct net_trace *t = find(v, id);
	double most = 0;
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned i = 0; t && i < t->n; i++)
		most = t->rates[i] > most ? t->rates[i] : most;
	for (unsigned i = 0; most > 0 && i < t->n && len + 4 < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, "%s", canvas_bar_text(charset, t->rates[i] / most));
	return len;
}

uint64_t net_trace_grown(const struct net_view *v, uint64_t id, bool errors)
{
	const struct net_trace *t = find(v, id);
	int64_t ms = !t ? 0 : errors ? t->errors_ms : t->dropped_ms;

	if (!ms || v->traced_now_ms - ms > LATELY_MS)
		return 0;
	return errors ? t->now_errors - t->errors : t->now_dropped - t->dropped;
}
