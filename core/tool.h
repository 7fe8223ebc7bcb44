/*
 * A tool: any program of the host (or of the container), run in a target's namespaces by a runner that the broker forks. The front gives
 * descriptors for 0, 1 and 2, sends signals and hears of the end. The operator's terminal is never among them: a tool gets a
 * pseudo-terminal of its own (TIOCSTI, security.md E14). Whatever the program started ends with it, and all of it ends with the front.
 */
#ifndef NSDBG_CORE_TOOL_H
#define NSDBG_CORE_TOOL_H

#include "core/msg.h"

#include <stdbool.h>

struct err;
struct session;
struct tool;
struct winsize;

enum { /* tool_spec.flags */
	TOOL_FILES = 1 << 0, /* own mount namespace: the target's resolv.conf, hosts, nsswitch hosts line over the host's, its /sys */
	TOOL_PROC = 1 << 1, /* and a fresh /proc of the target's pid namespace */
	TOOL_ROOT = 1 << 2, /* the target's root directory */
	TOOL_TARGET_DIRECTORY = 1 << 3, /* its working directory */
	TOOL_TARGET_CAPS = 1 << 4, /* no more capabilities than the target's bounding set has */
	TOOL_NO_NEW_PRIVS = 1 << 5, /* no_new_privs(7): set-uid programs give nothing */
	TOOL_TERMINAL = 1 << 6, /* the first of 0, 1, 2 that is a terminal controls it */
	TOOL_FOREGROUND = 1 << 7, /* it owns that terminal from the start, else a read stops it (SIGTTIN) until tool_continue */
	TOOL_FORCE = 1 << 8, /* join a pid namespace whose processes may trace ours */
};

struct tool_spec {
	struct target_ref target;
	unsigned namespaces; /* CLONE_NEW* to join */
	unsigned flags;
	unsigned uid, gid;
	uint64_t caps;
	const char *directory; /* absolute, inside; NULL: as it is, or / when the mount namespace or root is another */
	const char *const *words; /* words[0]: a path, or a name that is looked for in PATH of the variables */
	unsigned n_words;
	const char *const *variables; /* "NAME=value": the whole environment */
	unsigned n_variables;
	int fds[3]; /* lent */
};

enum tool_event_type {
	TOOL_NOTHING,
	TOOL_STARTED,
	TOOL_NOTE, /* msg: what is not as asked; it goes on */
	TOOL_STOPPED, /* status: WSTOPSIG says why; SIGTTIN, SIGTTOU: it wants the terminal */
	TOOL_ENDED, /* status as from waitpid; only tool_free is left */
	TOOL_FAILED, /* it did not run: code (ENOENT no such program, EACCES ...) and msg; only tool_free is left */
};

struct tool_event {
	enum tool_event_type type;
	int status;
	int code;
	bool exec_failed; /* TOOL_FAILED: all was ready but the program (126, 127) */
	char msg[192];
};

/* Starts a tool; never waits. Failures arrive as TOOL_FAILED. NULL with the sentence: too long, or the broker is gone. */
struct tool *session_tool(struct session *s, const struct tool_spec *spec, struct err *err);
int tool_fd(const struct tool *t); /* readable: call tool_read until TOOL_NOTHING */
void tool_read(struct tool *t, struct tool_event *ret);
/* To the program's process group. 0, -EPIPE. */
int tool_signal(struct tool *t, int signal);
/* After a stop: goes on, with the terminal when `foreground`. */
int tool_continue(struct tool *t, bool foreground);
/* Ends it, when it still runs: hang-up, then after a moment kill. NULL is fine. */
void tool_free(struct tool *t);

/* A pseudo-terminal of that size; settings as of `like` (a terminal, -1 none). 0 or -errno; window changes: TIOCSWINSZ on the master. */
int tool_pty(const struct winsize *size, int like, int *ret_master, int *ret_slave, struct err *err);

/* "default", "all", "none", "net_raw,sys_ptrace", "+sys_admin,-net_raw" (from the usual set on): bit set in *ret. -EINVAL. */
int tool_caps_parse(const char *text, uint64_t usual, uint64_t *ret, struct err *err);
/* What tcpdump, ping, ip, ss -p and curl need, run by that user with the host's files. */
uint64_t tool_caps_default(unsigned uid);
uint64_t tool_caps_all(void);
/* "CAP_NET_RAW", or "capability 63" for one that is not known; returns buf. */
enum { TOOL_CAP_TEXT = 32 };
const char *tool_caps_name(int cap, char buf[TOOL_CAP_TEXT]);

#endif
