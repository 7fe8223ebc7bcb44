/* TCP streams of DNS put together: see dnswatch_tcp.h. A stream's buffer starts at the next message's two bytes of length. */
#include "capture/dnswatch_tcp.h"

#include <stdlib.h>
#include <string.h>

#include "capture/decode/tcp.h"
#include "core/fd.h"

struct range {
	uint32_t from, to;
};

struct stream {
	bool used;
	struct dnswatch_way way;
	uint64_t touched;
	uint32_t base; /* sequence number of buf[0] */
	uint32_t have; /* bytes without a gap */
	uint8_t *buf;
	uint32_t cap;
	struct range ahead[DNSWATCH_TCP_GAPS]; /* pieces behind a gap */
	uint32_t n_ahead;
};

struct dnswatch_tcp {
	struct stream streams[DNSWATCH_TCP_STREAMS];
	uint64_t clock;
};

struct dnswatch_tcp *dnswatch_tcp_new(void)
{
	return fd_xcalloc(1, sizeof(struct dnswatch_tcp));
}

void dnswatch_tcp_free(struct dnswatch_tcp *t)
{
	for (unsigned i = 0; t && i < DNSWATCH_TCP_STREAMS; i++)
		free(t->streams[i].buf);
	free(t);
}

uint32_t dnswatch_tcp_count(const struct dnswatch_tcp *t)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < DNSWATCH_TCP_STREAMS; i++)
		n += t->streams[i].used;
	return n;
}

static bool same_way(const struct dnswatch_way *a, const struct dnswatch_way *b)
{
	return a->source_port == b->source_port && a->destination_port == b->destination_port && addr_same(&a->source, &b->source) &&
		addr_same(&a->destination, &b->destination);
}

static void restart(struct stream *s, uint32_t base)
{
	s->base = base;
	s->have = s->n_ahead = 0;
}

static void forget(struct stream *s)
{
	free(s->buf);
	*s = (struct stream){ 0 };
}

/* The way's stream; for a new one the place of the longest quiet. */
static struct stream *stream_of(struct dnswatch_tcp *t, const struct dnswatch_way *way, uint32_t base)
{
	struct stream *oldest = &t->streams[0];

	for (unsigned i = 0; i < DNSWATCH_TCP_STREAMS; i++) {
		struct stream *s = &t->streams[i];

		if (s->used && same_way(&s->way, way))
			return s;
		if (!s->used || (oldest->used && s->touched < oldest->touched))
			oldest = s;
	}
	forget(oldest);
	oldest->used = true;
	oldest->way = *way;
	restart(oldest, base);
	return oldest;
}

static void grow(struct stream *s, uint32_t n)
{
	uint32_t cap = s->cap ? s->cap : 2048;

	while (cap < n)
		cap *= 2;
	if (cap == s->cap)
		return;
	s->buf = fd_xrealloc(s->buf, cap, 1);
	s->cap = cap;
}

/* Pieces that touch what is there without a gap become part of it. */
static void close_gaps(struct stream *s)
{
	for (uint32_t i = 0; i < s->n_ahead;) {
		struct range r = s->ahead[i];

		if (r.from > s->have) {
			i++;
			continue;
		}
		s->have = r.to > s->have ? r.to : s->have;
		s->ahead[i] = s->ahead[--s->n_ahead];
		i = 0; /* another may fit now */
	}
}

/* Neighbours become one. */
static void add_piece(struct stream *s, struct range r)
{
	for (uint32_t i = 0; i < s->n_ahead;) {
		struct range o = s->ahead[i];

		if (o.from > r.to || o.to < r.from) {
			i++;
			continue;
		}
		r = (struct range){ o.from < r.from ? o.from : r.from, o.to > r.to ? o.to : r.to };
		s->ahead[i] = s->ahead[--s->n_ahead];
		i = 0;
	}
	s->ahead[s->n_ahead++] = r;
}

/* Bytes that were there before, or are too far away to be waited for, change nothing or begin anew. */
static void insert(struct stream *s, const struct dnswatch_segment *seg)
{
	int64_t at = (int32_t)(seg->sequence - s->base);
	uint32_t skip = at < 0 ? (uint32_t)-at : 0;

	if (skip >= seg->n && skip <= DNSWATCH_TCP_WINDOW)
		return;
	if (seg->n > DNSWATCH_TCP_WINDOW / 2) {
		restart(s, seg->sequence + seg->n);
		return;
	}
	if (at < -DNSWATCH_TCP_WINDOW || at + seg->n > DNSWATCH_TCP_WINDOW || s->n_ahead == DNSWATCH_TCP_GAPS) {
		restart(s, seg->sequence);
		at = 0;
		skip = 0;
	}
	at += skip;
	grow(s, (uint32_t)at + seg->n - skip);
	memcpy(s->buf + at, seg->bytes + skip, seg->n - skip);
	add_piece(s, (struct range){ (uint32_t)at, (uint32_t)at + seg->n - skip });
	close_gaps(s);
}

static void drop_front(struct stream *s, uint32_t n)
{
	uint32_t end = s->have;

	for (uint32_t i = 0; i < s->n_ahead; i++) {
		end = s->ahead[i].to > end ? s->ahead[i].to : end;
		s->ahead[i].from -= n;
		s->ahead[i].to -= n;
	}
	memmove(s->buf, s->buf + n, end - n);
	s->base += n;
	s->have -= n;
}

static void hand_out(struct stream *s, dnswatch_tcp_fn fn, void *arg)
{
	while (s->have >= 2) {
		uint32_t n = (uint32_t)s->buf[0] << 8 | s->buf[1];

		if (n > 0 && s->have < 2 + n)
			return;
		if (n == 0 || !fn(arg, s->buf + 2, n)) {
			restart(s, s->base + s->have);
			return;
		}
		drop_front(s, 2 + n);
	}
}

void dnswatch_tcp_segment(struct dnswatch_tcp *t, const struct dnswatch_way *way, const struct dnswatch_segment *seg, dnswatch_tcp_fn fn,
	void *arg)
{
	struct stream *s;

	if (seg->length == 0 && !(seg->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		return;
	s = stream_of(t, way, seg->sequence);
	s->touched = ++t->clock;
	if (seg->flags & TCP_SYN)
		restart(s, seg->sequence + 1);
	else if (seg->n < seg->length) /* the capture kept too little: on with what comes behind */
		restart(s, seg->sequence + seg->length);
	else if (seg->n > 0)
		insert(s, seg);
	hand_out(s, fn, arg);
	if (seg->flags & TCP_RST || (seg->flags & TCP_FIN && s->n_ahead == 0))
		forget(s);
}
