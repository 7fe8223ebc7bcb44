/*
 * A capture while it runs: the ring, the spool, the list of shown packets, the file, and how they move together. One turn of the worker's
 * loop is: wait, drain the ring, save, look, answer, say how it stands.
 */
#ifndef NSDBG_CAPTURE_LIVE_H
#define NSDBG_CAPTURE_LIVE_H

#include "capture/device.h"
#include "capture/display.h"
#include "capture/save.h"

struct worker;

enum live_state {
	LIVE_STOPPED,
	LIVE_RUNNING,
	LIVE_STOPPING, /* waits until the ring has handed out what came before */
	LIVE_OVER, /* no ring any more */
};

struct live {
	struct worker *worker;
	struct device *device; /* NULL when over */
	struct links *links;
	struct spool *spool;
	struct display *display;
	struct saver *saver; /* NULL: nothing is saved */
	enum live_state state;
	enum live_state after_stop; /* LIVE_STOPPED or LIVE_OVER */
	uint64_t stop_at_ms; /* monotonic: the ring has given all by then */
	int64_t ignore_after; /* realtime ns: packets after STOP; 0 none */
	uint32_t stop_tag; /* who waits for the stop; 0 nobody */
	uint64_t limit; /* number of the last packet wanted; 0 no end */
	uint64_t max_packets;
	uint64_t dropped;
	int64_t started_at;
	char interface[LINK_NAME];
	uint32_t ifindex; /* 0: any */
	uint32_t link_type;
	uint32_t snaplen;
	char filter[CAPTURE_FILTER_TEXT]; /* as typed */
	char over[96]; /* why it is over */
	bool is_down;
	bool target_gone;
	uint64_t gone_at_ms; /* the app is still to be told; 0 no */
	bool changed; /* say so at once */
	bool stale; /* numbers grew since the last capture_row */
	uint64_t told_ms; /* when that was */
};

uint64_t live_now_ms(void);

struct rows_about live_about(const struct live *l);

/* Puts a filter in force, or checks it only. On error the old one stays. */
int live_filter(struct live *l, const char *text, bool keep, struct err *err);
int live_start(struct live *l, struct err *err);
/* Ends when the ring is empty; `tag` is answered then. */
void live_stop(struct live *l, uint32_t tag);
void live_clear(struct live *l);
int live_save(struct live *l, int fd, enum capture_format format); /* takes fd; -1 ends the file */

/* The target's process has ended: the rest of the ring is taken, then everything that holds its namespace is closed. */
void live_target_gone(struct live *l);

/* Says so to the app, once, when ring and file have their last packets. */
void live_tell_gone(struct live *l);

/* Takes packets from the ring. True when there are more. */
bool live_drain(struct live *l);
/* Interfaces have changed. */
void live_links_changed(struct live *l);
/* Time has passed: stops that are due, the file, the list. True when there is more to do now. */
bool live_step(struct live *l);

/* Sends the capture_row. 0 or -EPIPE. */
int live_tell(struct live *l, uint32_t tag);

void live_done(struct live *l);

#endif
