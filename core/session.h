/*
 * The front's side: starts the broker, asks it for workers, opens files as the real user. Used alike by the curses app and by the
 * command line. After session_start the calling process holds no privilege.
 */
#ifndef NSDBG_CORE_SESSION_H
#define NSDBG_CORE_SESSION_H

#include "core/block.h"
#include "core/msg.h"
#include "core/source.h"

struct session;
struct link;

/* Forks the broker with the table of all sources (index = what MSG_OPEN names), then drops this process's rights: to SUDO_UID/
 * SUDO_GID when started by sudo, else to nobody when root, else stays. 0 or -errno. */
int session_start(const struct source *const *sources, unsigned n, struct session **ret, struct err *err);
void session_stop(struct session *s); /* closes the broker's channel: broker and workers end */
int session_fd(const struct session *s); /* readable: call session_read */
/* Takes what the broker said; false when the broker has ended. */
bool session_read(struct session *s);

/* Was this process root or does it hold the capabilities to look into other users' containers? */
bool session_is_privileged(const struct session *s);

/* Who called: behind sudo the user who called that. */
void session_user(const struct session *s, unsigned *ret_uid, unsigned *ret_gid);

/* Starts a worker; never waits. Failures arrive on the link as LINK_ERROR then LINK_CLOSED. Returns NULL only when the broker is
 * gone (err says so). params: the source's own struct. */
struct link *session_open(struct session *s, const struct source *source, const struct target_ref *target, const void *params,
	size_t n_params, struct err *err);

/* Creates a file as the real user, 0600. An existing non-empty file is refused (-EEXIST) unless force; links never followed.
 * Waits for the broker, which does nothing else meanwhile. Returns the descriptor or -errno. */
int session_create(struct session *s, const char *path, bool force, struct err *err);

/* Gives a network namespace a name below /run/netns, or takes one of ours away (core/netns.h). Waits for the broker's child.
 * 0; -EEXIST: the name is taken; -EPERM: not allowed, or not ours; -ENOENT: no such name; -ESRCH: the process has ended. */
int session_name(struct session *s, const struct msg_name *name, struct err *err);

/* Sends the broker a message whose answers come on another channel, of which `fd` is the far end. *ret_tag is what MSG_EXITED will
 * carry. 0, or -EPIPE with the sentence. */
int session_send(struct session *s, uint32_t type, const void *body, size_t n, int fd, uint32_t *ret_tag, struct err *err);

/* --- link: the front's end of one worker --- */

enum link_event_type { LINK_NOTHING, LINK_READY, LINK_BLOCK, LINK_ERROR, LINK_GONE, LINK_CLOSED };

struct link_event {
	enum link_event_type type;
	uint32_t tag;
	const struct row_type *row_type;
	struct block *block; /* LINK_BLOCK: owned by the caller */
	int code; /* LINK_ERROR: positive errno */
	char msg[192];
};

/* Row types that this link may receive; blocks of others are refused with LINK_ERROR. The source's own type is always known. */
void link_expect(struct link *l, const struct row_type *const *types, unsigned n);
int link_fd(const struct link *l);
/* Reads one event without waiting; LINK_NOTHING when there is none. After LINK_CLOSED only link_free is left.
 * `ret->msg` of LINK_CLOSED says how the worker ended when the broker told ("killed by signal 9"), else "". */
void link_read(struct link *l, struct link_event *ret);
/* The same, waiting up to timeout_ms (-1: for ever): for the command line. LINK_NOTHING = timed out. */
void link_wait(struct link *l, int timeout_ms, struct link_event *ret);
/* Sends a request; `fd` lent, -1 none. 0, -EAGAIN, -EPIPE. */
int link_request(struct link *l, uint32_t tag, uint32_t op, const void *params, size_t n, int fd);
int link_sample(struct link *l, uint32_t tag);
void link_free(struct link *l); /* ends the worker too; NULL is fine */

#endif
