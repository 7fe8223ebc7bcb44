/* The worker's side: what a source's functions may use. A worker is a process: plain blocking code, no threads. */
#ifndef NSDBG_CORE_WORKER_H
#define NSDBG_CORE_WORKER_H

#include "core/source.h"

struct err;

/* Pinned target: all -1 without needs_target. */
struct worker_target {
	struct target_ref ref;
	int proc; /* open /proc */
	int dir; /* open /proc/PID (O_PATH); follows the process, not the number */
	int pidfd;
	int netns; /* open during open() only */
	int root; /* /proc/PID/root (O_PATH), during open() only */
	uint64_t netns_inode; /* of the target, 0 unknown */
};

void **worker_state(struct worker *w); /* the source's own pointer */
const void *worker_params(const struct worker *w, size_t size); /* NULL unless exactly `size` bytes were given */
struct worker_target *worker_target(struct worker *w);
int worker_channel(const struct worker *w); /* to poll in serve() */

/* Next message from the app: 1, 0 = closed (end the worker), -EAGAIN, -errno. `timeout_ms` -1 waits. */
int worker_recv(struct worker *w, struct msg *ret, int timeout_ms);

/* Sends rows; 0, or -EPIPE when the app left. */
int worker_send_block(struct worker *w, uint32_t tag, struct builder *b);
/* Says what went wrong with request `tag` and goes on. */
int worker_send_error(struct worker *w, uint32_t tag, const struct err *err);
int worker_send_gone(struct worker *w);

/* For open(), when it has all that it needs: a process keeps its network namespace alive as much as a socket does. This one goes back to
 * where the broker is, else to an empty namespace; what is open stays where it was made. */
void worker_leave_net(struct worker *w);

/* Did the target's process end? Checks the pidfd, without waiting. */
bool worker_target_gone(const struct worker *w);

/* Pins t->ref: opens /proc, the process and its namespaces, and makes sure that they belong together. All descriptors of *t must be -1;
 * the caller closes them. 0 or -errno with the sentence. */
int worker_pin(struct worker_target *t, struct err *err);

/* Runs one worker from fork to end; called by the broker's child only. Never returns. */
_Noreturn void worker_main(const struct source *source, const struct msg_open *open, int channel);

#endif
