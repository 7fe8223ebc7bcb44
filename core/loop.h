/* One epoll loop for the app: descriptors and timers, callbacks, nothing blocks. epoll(7), timerfd_create(2). */
#ifndef NSDBG_CORE_LOOP_H
#define NSDBG_CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_item;
struct err;

/* Returning negative removes the item (and closes nothing). */
typedef int (*loop_fn)(void *arg);

struct loop *loop_new(struct err *err);
void loop_free(struct loop *l);

/* Calls fn(arg) while fd is readable or hung up. The descriptor stays the caller's. */
struct loop_item *loop_add_fd(struct loop *l, int fd, loop_fn fn, void *arg);
/* Calls fn(arg) once after ms, or every ms when repeat. */
struct loop_item *loop_add_timer(struct loop *l, uint64_t ms, bool repeat, loop_fn fn, void *arg);
/* Safe inside callbacks, own item included; freed when the turn ends. NULL is fine. */
void loop_remove(struct loop *l, struct loop_item *item);

/* Waits for something, runs what is due; 0 or -errno. timeout_ms -1: for ever. */
int loop_turn(struct loop *l, int timeout_ms);

uint64_t loop_now_ms(void); /* CLOCK_MONOTONIC */
int64_t loop_now_us(void); /* the same, finer */
int64_t loop_wall_ns(void); /* CLOCK_REALTIME, since 1970 */

#endif
