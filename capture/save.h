/*
 * Writing a capture to a file or pipe while it goes on. Regular files get whole records in each write and end on a whole record whatever
 * happens; pipes are written only when they take bytes, so that a slow reader delays nobody: the spool is the buffer.
 */
#ifndef NSDBG_CAPTURE_SAVE_H
#define NSDBG_CAPTURE_SAVE_H

#include "capture/capture.h"
#include "capture/record.h"

#include <stdbool.h>

struct saver;

/* Takes fd. The file begins with packet number `from`. */
struct saver *saver_new(int fd, enum capture_format format, const struct record_file *about, uint64_t from);
void saver_free(struct saver *s); /* closes; NULL is fine */

/* Writes what there is, a bounded portion. `end`: the capture stands still, so the file gets its last words when it has caught up; NULL
 * while packets may come. True when there is more to do and the descriptor would take it. */
bool saver_step(struct saver *s, const struct spool *spool, const struct record_end *end);

/* Numbers start again (CAPTURE_OP_CLEAR). What was not written is lost, and counted. */
void saver_restart(struct saver *s, const struct spool *spool);

int saver_fd(const struct saver *s); /* to poll for writing when saver_waits; else -1 */
bool saver_waits(const struct saver *s);
bool saver_is_behind(const struct saver *s, const struct spool *spool); /* has packets to write and still can */
bool saver_has_ended(const struct saver *s); /* nothing more will be written: see saver_problem */
uint64_t saver_saved(const struct saver *s); /* packets that the kernel took */
uint64_t saver_missed(const struct saver *s); /* packets overwritten before they could be written */

/* Why it stopped, "" while it goes on: "disk full: stopped writing after 1200 packets". */
const char *saver_problem(const struct saver *s);

#endif
