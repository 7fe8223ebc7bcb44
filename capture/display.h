/*
 * The packets that the display filter lets through, in order: a list of numbers that grows as packets come. Looking at a packet costs far
 * more than keeping it, so it is done in portions, when the capture has time.
 */
#ifndef NSDBG_CAPTURE_DISPLAY_H
#define NSDBG_CAPTURE_DISPLAY_H

#include "capture/rows.h"

struct display;

struct display *display_new(void);
void display_free(struct display *d);

/* Takes filter words (core/filter.h); "" shows all. On error the old ones stay. */
int display_set(struct display *d, const char *words, struct err *err);

/* Looks at some more packets and forgets those that left the spool. True when there are more to look at. */
bool display_step(struct display *d, const struct rows_about *about);
void display_clear(struct display *d);

/* Shown packets that are in the spool. */
uint64_t display_count(const struct display *d, const struct spool *s);
/* Number of the n-th shown packet, 0-based; 0 past the end. */
uint64_t display_at(const struct display *d, const struct spool *s, uint64_t n);
/* Position of the first shown packet whose number is not smaller; display_count when there is none. */
uint64_t display_position(const struct display *d, const struct spool *s, uint64_t number);

#endif
