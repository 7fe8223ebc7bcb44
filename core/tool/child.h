/* The process that becomes the tool: enters what is asked for, gives rights up, executes. */
#ifndef NSDBG_CORE_TOOL_CHILD_H
#define NSDBG_CORE_TOOL_CHILD_H

#include "core/msg.h"
#include "core/tool/names.h"
#include "core/tool/words.h"
#include "core/worker.h"

#include <sys/types.h>

enum { TOOL_NAMESPACES = 8 };

/* What must be entered, opened before anything is. */
struct tool_join {
	int fds[TOOL_NAMESPACES]; /* in the order of joining; -1: stay */
	int procfs; /* for --proc, see core/tool/procfs.h; -1 none */
	int root, directory;
	bool joins_pid, joins_mnt, joins_user;
	bool in_owner; /* came into the network by the user namespace that owns it: an ordinary user's own container */
};

struct tool_child {
	const struct msg_tool *spec;
	const struct tool_names *names; /* NULL: no copies */
	struct tool_join join;
	struct tool_words words;
	uint64_t caps;
	int fds[3];
	int terminal; /* one of fds, or -1 */
	bool number_one; /* in a pid namespace of its own: see run.c */
	int report; /* pipe to the runner: struct tool_report, nothing when the program runs */
};

struct tool_report {
	int code; /* 0: only a note */
	pid_t program; /* 0, or another process became the program: our sister */
	bool exec_failed;
	char msg[TOOL_NAME_WHY];
};

/* Opens the namespaces of a pinned target that differ from ours. 0, or -errno with the sentence. Close with tool_child_close. */
int tool_child_open(const struct msg_tool *spec, const struct worker_target *t, struct tool_join *ret, struct err *err);
void tool_child_close(struct tool_join *j);

/* In the forked process; never returns. */
_Noreturn void tool_child_main(struct tool_child *c);

#endif
