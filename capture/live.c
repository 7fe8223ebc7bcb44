/* State and movement of one capture: see live.h. */
#include "capture/live.h"

#include "capture/bpf.h"
#include "capture/words.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	LIVE_PORTION = 8192, /* packets taken in one turn */
	LIVE_GONE_MS = 1000,
	LIVE_RETIRE_MS = 130, /* a block of the ring is handed over after 100 ms at the latest */
};

static uint64_t now(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t live_now_ms(void)
{
	return now(CLOCK_MONOTONIC) / 1000000;
}

struct rows_about live_about(const struct live *l)
{
	return (struct rows_about){ .spool = l->spool, .links = l->links, .interface = l->interface,
		.link_type = l->link_type };
}

/* --- filter, start, stop --- */

static int over_error(const struct live *l, struct err *err)
{
	return err_set(err, ENODEV, "%s", l->over[0] ? l->over : "the capture is over");
}

int live_filter(struct live *l, const char *text, bool keep, struct err *err)
{
	char prepared[BPF_TEXT];
	int r;

	if (strlen(text) >= sizeof l->filter)
		return err_set(err, EINVAL, "the filter is longer than %d characters", CAPTURE_FILTER_TEXT - 1);
	r = bpf_prepare(text, prepared, err);
	if (r < 0)
		return r;
	if (!l->device)
		r = device_check(l->link_type, l->snaplen, prepared, err);
	else
		r = device_filter(l->device, prepared, keep && l->state == LIVE_RUNNING, err);
	if (r < 0 || !keep)
		return r;
	if (!l->device)
		return over_error(l, err);
	if (text != l->filter) /* snprintf may not copy onto itself: the filter would be in force and not be told */
		snprintf(l->filter, sizeof l->filter, "%s", text);
	l->changed = true;
	return 0;
}

int live_start(struct live *l, struct err *err)
{
	enum live_state before = l->state;
	int r;

	if (l->state == LIVE_OVER || (l->state == LIVE_STOPPING && l->after_stop == LIVE_OVER))
		return over_error(l, err);
	l->state = LIVE_RUNNING;
	r = live_filter(l, l->filter, true, err);
	if (r < 0) {
		l->state = before;
		return r;
	}
	l->ignore_after = 0;
	if (l->max_packets && (l->limit == 0 || spool_last(l->spool) >= l->limit))
		l->limit = spool_last(l->spool) + l->max_packets;
	l->changed = true;
	return 0;
}

static void stopped(struct live *l)
{
	struct err err = { 0 };

	l->dropped += device_drops(l->device);
	l->ignore_after = 0;
	l->state = l->after_stop;
	if (l->state == LIVE_OVER) {
		device_close(l->device);
		l->device = NULL;
	} else if (device_block_all(l->device, &err) < 0) {
		snprintf(l->over, sizeof l->over, "%.90s", err.msg);
	}
	if (l->target_gone)
		links_close(l->links);
	l->changed = true;
}

static void stop_soon(struct live *l, enum live_state after)
{
	if (l->state != LIVE_STOPPING || after == LIVE_OVER)
		l->after_stop = after;
	if (l->state == LIVE_RUNNING) {
		l->state = LIVE_STOPPING;
		l->stop_at_ms = live_now_ms() + LIVE_RETIRE_MS;
		l->ignore_after = after == LIVE_OVER ? 0 : (int64_t)now(CLOCK_REALTIME);
	} else if (l->state == LIVE_STOPPED && after == LIVE_OVER) {
		stopped(l);
	}
}

static void answer_stop(struct live *l)
{
	if (l->stop_tag && l->state != LIVE_STOPPING) {
		live_tell(l, l->stop_tag);
		l->stop_tag = 0;
	}
}

void live_stop(struct live *l, uint32_t tag)
{
	stop_soon(l, LIVE_STOPPED);
	if (l->stop_tag)
		live_tell(l, l->stop_tag);
	l->stop_tag = tag;
	answer_stop(l);
}

static void over(struct live *l, const char *why)
{
	if (l->over[0] == 0)
		snprintf(l->over, sizeof l->over, "%s", why);
	if (l->device)
		stop_soon(l, LIVE_OVER);
	l->changed = true;
}

/* The ring itself failed: nothing is left to wait for. */
static void failed(struct live *l, const struct err *err)
{
	char why[96];

	if (err->code == ENODEV && l->ifindex)
		snprintf(why, sizeof why, "interface %s is gone", l->interface);
	else
		snprintf(why, sizeof why, "the capture failed: %.70s", err->msg);
	l->after_stop = LIVE_OVER;
	over(l, why);
	if (l->state != LIVE_OVER)
		stopped(l);
}

void live_target_gone(struct live *l)
{
	l->target_gone = true;
	over(l, "the container has ended");
	if (!l->device)
		links_close(l->links);
	l->gone_at_ms = live_now_ms();
}

/* The file may still need what is in the spool, but the app must not wait long for the news. */
static bool gone_is_due(const struct live *l)
{
	bool writing = l->saver && saver_is_behind(l->saver, l->spool);

	return l->gone_at_ms && l->state == LIVE_OVER && (!writing || live_now_ms() > l->gone_at_ms + LIVE_GONE_MS);
}

void live_tell_gone(struct live *l)
{
	if (!gone_is_due(l))
		return;
	live_tell(l, 0);
	worker_send_gone(l->worker);
	l->gone_at_ms = 0;
}

void live_clear(struct live *l)
{
	if (l->saver)
		saver_restart(l->saver, l->spool);
	if (l->limit)
		l->limit -= spool_last(l->spool) < l->limit ? spool_last(l->spool) : 0;
	spool_clear(l->spool);
	display_clear(l->display);
	l->dropped = 0;
	l->changed = true;
}

static struct record_end record_end(const struct live *l)
{
	return (struct record_end){ .time = (int64_t)now(CLOCK_REALTIME), .received = spool_last(l->spool),
		.dropped = l->dropped };
}

/* What a regular file has not got yet is written; a pipe's reader is not waited for. */
static void end_file(struct live *l)
{
	struct record_end end = record_end(l);

	while (l->saver && saver_step(l->saver, l->spool, &end))
		;
	saver_free(l->saver);
	l->saver = NULL;
}

int live_save(struct live *l, int fd, enum capture_format format)
{
	struct record_file about = { .link_type = l->link_type, .snaplen = l->snaplen, .interface = l->interface,
		.filter = l->filter };
	uint64_t first = spool_first(l->spool);

	end_file(l);
	l->saver = fd < 0 ? NULL : saver_new(fd, format, &about, first ? first : spool_last(l->spool) + 1);
	l->changed = true;
	return 0;
}

/* --- packets --- */

static void take(void *arg, const struct device_packet *p)
{
	struct live *l = arg;

	if (l->state != LIVE_RUNNING && l->state != LIVE_STOPPING)
		return;
	if ((l->ignore_after && p->time > l->ignore_after) || (l->limit && spool_last(l->spool) >= l->limit))
		return;
	spool_add(l->spool, p->time, p->bytes, p->captured, p->length);
}

bool live_drain(struct live *l)
{
	struct err err = { 0 };
	uint64_t before = spool_last(l->spool);
	int n;

	if (!l->device)
		return false;
	n = device_read(l->device, LIVE_PORTION, take, l, &err);
	l->stale |= spool_last(l->spool) != before;
	if (n < 0 && err.code != ENETDOWN)
		failed(l, &err);
	if (l->device && l->limit && spool_last(l->spool) >= l->limit &&
		(l->state == LIVE_RUNNING || l->state == LIVE_STOPPING)) {
		if (l->state == LIVE_RUNNING)
			l->after_stop = LIVE_STOPPED;
		stopped(l);
	}
	return n == LIVE_PORTION;
}

/* By index, so a rename is only a new name. */
void live_links_changed(struct live *l)
{
	const struct link_info *link = l->ifindex ? links_find(l->links, l->ifindex) : NULL;
	char why[96];

	if (l->ifindex == 0 || !l->device)
		return;
	if (!link) {
		snprintf(why, sizeof why, "interface %s is gone", l->interface);
		over(l, why);
		return;
	}
	l->changed |= l->is_down == link->up || strcmp(link->name, l->interface) != 0;
	l->is_down = !link->up;
	snprintf(l->interface, sizeof l->interface, "%s", link->name);
}

static bool look(struct live *l)
{
	struct rows_about about = live_about(l);
	uint64_t shown = display_count(l->display, l->spool);
	bool more = display_step(l->display, &about);

	l->stale |= shown != display_count(l->display, l->spool);
	return more;
}

bool live_step(struct live *l)
{
	bool more = false;

	if (l->state == LIVE_STOPPING && live_now_ms() >= l->stop_at_ms) {
		while (live_drain(l) && l->state == LIVE_STOPPING && live_now_ms() < l->stop_at_ms + LIVE_RETIRE_MS)
			;
		if (l->state == LIVE_STOPPING)
			stopped(l);
	}
	if (l->saver) {
		struct record_end end = record_end(l);
		bool idle = l->state == LIVE_STOPPED || l->state == LIVE_OVER, ended = saver_has_ended(l->saver);
		uint64_t saved = saver_saved(l->saver);

		more = saver_step(l->saver, l->spool, idle ? &end : NULL);
		l->changed |= ended != saver_has_ended(l->saver) || (idle && saved != saver_saved(l->saver) && !more);
		l->stale |= saved != saver_saved(l->saver);
	}
	answer_stop(l);
	return look(l) || more;
}

/* --- telling --- */

static void note(struct words *w, const char *text)
{
	if (text[0])
		words_add(w, "%s%s", w->n ? "; " : "", text);
}

static void notes(const struct live *l, struct words *w)
{
	char text[160] = "";

	words_clear(w);
	note(w, l->over);
	if (l->is_down && !l->over[0])
		snprintf(text, sizeof text, "interface %s is down", l->interface);
	note(w, text);
	if (!l->saver)
		return;
	note(w, saver_problem(l->saver));
	if (saver_missed(l->saver) == 0)
		return;
	snprintf(text, sizeof text, "%llu packets left before they could be written",
		(unsigned long long)saver_missed(l->saver));
	note(w, text);
}

static void fill(const struct live *l, struct builder *b)
{
	bool writing = l->saver && saver_is_behind(l->saver, l->spool);
	struct capture_row *row = builder_row(b);
	struct words w;

	row->head.id = 1;
	notes(l, &w);
	row->head.severity = w.n ? SEVERITY_WARN : SEVERITY_OK;
	row->head.flags = (l->state == LIVE_OVER ? CAPTURE_IS_OVER : 0) |
		(writing ? CAPTURE_IS_SAVING : 0) | (l->saver && saver_problem(l->saver)[0] ? CAPTURE_CANNOT_SAVE : 0);
	row->interface = builder_str(b, l->interface);
	row->filter = builder_str(b, l->filter);
	row->running = l->state == LIVE_RUNNING || l->state == LIVE_STOPPING || writing;
	row->received = spool_last(l->spool);
	row->shown = display_count(l->display, l->spool);
	row->first = spool_first(l->spool);
	row->last = spool_last(l->spool);
	row->bytes = spool_bytes(l->spool);
	row->dropped = l->dropped;
	row->overwritten = spool_overwritten(l->spool);
	row->saved = l->saver ? saver_saved(l->saver) : ROW_NO_UINT;
	row->started_at = l->started_at;
	row->note = w.n ? builder_text(b, w.text, w.n) : ROW_NO_TEXT;
}

int live_tell(struct live *l, uint32_t tag)
{
	struct builder *b = builder_new(&capture_row_type);
	int r;

	if (l->device)
		l->dropped += device_drops(l->device);
	fill(l, b);
	r = worker_send_block(l->worker, tag, b);
	builder_free(b);
	l->told_ms = live_now_ms();
	l->changed = l->stale = false;
	return r;
}

void live_done(struct live *l)
{
	saver_free(l->saver);
	device_close(l->device);
	links_free(l->links);
	display_free(l->display);
	spool_free(l->spool);
	l->saver = NULL;
	l->device = NULL;
	l->links = NULL;
	l->display = NULL;
	l->spool = NULL;
}
