/*
 * A tool in full screen: the operator's descriptors and terminal are lent to it until it ends. Terminals are never handed over: the tool
 * gets a pseudo-terminal and we relay, with window size, signals and job control as a shell's child would have them.
 */
#ifndef NSDBG_TUI_HANDOVER_H
#define NSDBG_TUI_HANDOVER_H

#include "core/tool.h"

enum { HANDOVER_FAILED = 125, HANDOVER_NOT_EXECUTABLE = 126, HANDOVER_NOT_FOUND = 127 };

struct err;

struct handover {
	struct session *session;
	struct tool_spec *spec; /* fds and the terminal's flags are filled in */
	int fds[3]; /* of the operator; lent */
	void (*note)(void *arg, const char *sentence); /* what is not as asked */
	void *arg;
};

/* Runs the tool until it ends. Returns its exit status as a shell has it (128+n for signal n), or one of the above with the sentence. */
int handover_run(const struct handover *h, struct err *err);

#endif
