/* Requests of the app: parameters are checked here, then the capture does what was asked. */
#include "capture/requests.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/filter.h"
#include "core/msg.h"
#include "core/worker.h"

#include <errno.h>
#include <string.h>

enum { PAGE_MAX = 4096, FIND_PORTION = 512 };

/* One request while it is answered. */
struct ask {
	struct live *live;
	const struct msg_request *request;
	int *fd; /* came along; -1 none */
	uint32_t tag;
};

/* The parameters when they have exactly this size, else NULL. */
static const void *params(const struct ask *a, size_t size)
{
	return a->request->n_params == size ? a->request->params : NULL;
}

/* Text parameters: with or without the final NUL. */
static int text_param(const struct ask *a, char *ret, size_t cap, struct err *err)
{
	size_t n = strnlen((const char *)a->request->params, a->request->n_params);

	if (n >= cap)
		return err_set(err, EINVAL, "the text is longer than %zu characters", cap - 1);
	memcpy(ret, a->request->params, n);
	ret[n] = 0;
	return 0;
}

static int bad_params(struct err *err)
{
	return err_set(err, EBADMSG, "a request of the wrong size");
}

/* --- packets --- */

static void add_row(const struct live *l, struct builder *b, uint64_t position)
{
	struct rows_about about = live_about(l);
	struct spool_packet p;

	if (spool_get(l->spool, display_at(l->display, l->spool, position), &p))
		rows_packet(b, &about, &p)->position = position;
}

static int op_page(struct ask *a, struct err *err)
{
	struct live *l = a->live;
	const struct capture_page *page = params(a, sizeof *page);
	struct builder *b;
	uint64_t from, end;
	int r;

	if (!page)
		return bad_params(err);
	from = page->by_number ? display_position(l->display, l->spool, page->from) : page->from;
	end = display_count(l->display, l->spool);
	if (from < end && end - from > (page->count < PAGE_MAX ? page->count : PAGE_MAX))
		end = from + (page->count < PAGE_MAX ? page->count : PAGE_MAX);
	b = builder_new(&packet_row_type);
	for (uint64_t i = from; i < end; i++)
		add_row(l, b, i);
	r = worker_send_block(l->worker, a->tag, b);
	builder_free(b);
	return r;
}

static int op_detail(struct ask *a, struct err *err)
{
	struct live *l = a->live;
	struct rows_about about = live_about(l);
	const uint64_t *number = params(a, sizeof *number);
	struct builder *layers, *bytes;
	struct spool_packet p;
	int r;

	if (!number)
		return bad_params(err);
	if (!spool_get(l->spool, *number, &p))
		return err_set(err, ENOENT, "packet %llu is not kept any more", (unsigned long long)*number);
	layers = builder_new(&layer_row_type);
	bytes = builder_new(&bytes_row_type);
	rows_layers(layers, &about, &p);
	rows_bytes(bytes, &p);
	r = worker_send_block(l->worker, a->tag, layers);
	if (r == 0)
		r = worker_send_block(l->worker, a->tag, bytes);
	builder_free(layers);
	builder_free(bytes);
	return r;
}

/* --- finding --- */

/* A search over the shown packets; numbers, because positions move while packets leave. */
struct search {
	struct live *live;
	struct filter *filter;
	struct builder *builder;
	bool backwards;
	uint64_t number; /* to look at next; 0: the end was reached */
};

/* The shown packet after (or before) the one at this position. */
static uint64_t search_next(const struct search *s, uint64_t position)
{
	if (s->backwards)
		return position ? display_at(s->live->display, s->live->spool, position - 1) : 0;
	return display_at(s->live->display, s->live->spool, position + 1);
}

/* Looks at some packets; the number of the first match, or 0. */
static uint64_t search_portion(struct search *s)
{
	AUTO(block_unrefp) struct block *b = NULL;
	struct live *l = s->live;
	uint32_t n = 0;

	builder_clear(s->builder);
	while (n < FIND_PORTION && s->number) {
		uint64_t position = display_position(l->display, l->spool, s->number);

		add_row(l, s->builder, position);
		s->number = search_next(s, position);
		n++;
	}
	b = builder_block(s->builder);
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct packet_row *row = block_row(b, i);

		if (filter_match(s->filter, b, row, NULL))
			return row->number;
	}
	return 0;
}

static uint64_t search_start(const struct live *l, const struct capture_find *find)
{
	uint64_t count = display_count(l->display, l->spool), from = find->from;

	if (find->by_number)
		from = display_position(l->display, l->spool, find->from);
	if (find->backwards && count && from >= count)
		from = count - 1;
	return display_at(l->display, l->spool, from);
}

static int op_find(struct ask *a, struct err *err)
{
	struct live *l = a->live;
	const struct capture_find *find = params(a, sizeof *find);
	struct search s = { .live = l };
	uint64_t found = 0;
	int r;

	if (!find || !memchr(find->words, 0, sizeof find->words))
		return bad_params(err);
	r = filter_parse(&packet_row_type, find->words, &s.filter, NULL, err);
	if (r < 0)
		return r;
	s.builder = builder_new(&packet_row_type);
	s.backwards = find->backwards;
	s.number = search_start(l, find);
	while (s.number && !(found = search_portion(&s)))
		live_drain(l); /* the ring must not overflow meanwhile */
	builder_clear(s.builder);
	if (found)
		add_row(l, s.builder, display_position(l->display, l->spool, found));
	r = worker_send_block(l->worker, a->tag, s.builder);
	builder_free(s.builder);
	filter_free(s.filter);
	return r;
}

/* --- filters, start and stop, file --- */

static int op_filter(struct ask *a, struct err *err)
{
	char text[CAPTURE_FILTER_TEXT];
	int r = text_param(a, text, sizeof text, err);

	if (r == 0)
		r = live_filter(a->live, text, true, err);
	return r < 0 ? r : live_tell(a->live, a->tag);
}

static int op_check(struct ask *a, struct err *err)
{
	char text[CAPTURE_FILTER_TEXT];
	int r = text_param(a, text, sizeof text, err);

	if (r == 0)
		r = live_filter(a->live, text, false, err);
	return r < 0 ? r : live_tell(a->live, a->tag);
}

static int op_display(struct ask *a, struct err *err)
{
	char text[CAPTURE_FILTER_TEXT];
	int r = text_param(a, text, sizeof text, err);

	if (r == 0)
		r = display_set(a->live->display, text, err);
	if (r < 0)
		return r;
	a->live->changed = true;
	live_step(a->live); /* the first screenful at once */
	return live_tell(a->live, a->tag);
}

static int op_start(struct ask *a, struct err *err)
{
	int r = live_start(a->live, err);

	return r < 0 ? r : live_tell(a->live, a->tag);
}

static int op_stop(struct ask *a, struct err *err)
{
	(void)err;
	live_stop(a->live, a->tag);
	return 0;
}

static int op_save(struct ask *a, struct err *err)
{
	const uint32_t *format = params(a, sizeof *format);
	int r;

	if (!format || *format > CAPTURE_PCAP)
		return bad_params(err);
	r = live_save(a->live, fd_take(a->fd), (enum capture_format)*format);
	return r < 0 ? r : live_tell(a->live, a->tag);
}

static int op_interfaces(struct ask *a, struct err *err)
{
	struct live *l = a->live;
	struct builder *b;
	int r;

	if (links_fd(l->links) >= 0) {
		r = links_refresh(l->links, err);
		if (r < 0)
			return r;
	}
	b = builder_new(&interface_row_type);
	rows_interfaces(b, l->links);
	if (links_fd(l->links) < 0)
		builder_note(b, ESRCH, "the container has ended; its interfaces as they were");
	r = worker_send_block(l->worker, a->tag, b);
	builder_free(b);
	return r;
}

static int op_clear(struct ask *a, struct err *err)
{
	(void)err;
	live_clear(a->live);
	return live_tell(a->live, a->tag);
}

static int op_sample(struct ask *a, struct err *err)
{
	(void)err;
	return live_tell(a->live, a->tag);
}

static int (*const operations[])(struct ask *a, struct err *err) = {
	[MSG_OP_SAMPLE] = op_sample,
	[CAPTURE_OP_PAGE] = op_page,
	[CAPTURE_OP_DETAIL] = op_detail,
	[CAPTURE_OP_FILTER] = op_filter,
	[CAPTURE_OP_CHECK] = op_check,
	[CAPTURE_OP_DISPLAY] = op_display,
	[CAPTURE_OP_START] = op_start,
	[CAPTURE_OP_STOP] = op_stop,
	[CAPTURE_OP_SAVE] = op_save,
	[CAPTURE_OP_INTERFACES] = op_interfaces,
	[CAPTURE_OP_CLEAR] = op_clear,
	[CAPTURE_OP_FIND] = op_find,
};

int requests_answer(struct live *l, struct msg *m)
{
	struct ask a = { .live = l, .request = &m->request, .fd = &m->fd, .tag = m->head.tag };
	struct err err = { 0 };
	int r;

	if (m->head.type != MSG_REQUEST || m->request.op >= ARRAY_LEN(operations) || !operations[m->request.op] ||
		m->request.n_params > sizeof m->request.params)
		return -EBADMSG;
	r = operations[m->request.op](&a, &err);
	if (r < 0 && err.code)
		return worker_send_error(l->worker, m->head.tag, &err);
	return r;
}
