/* The runner as a sealed copy of this program: nobody who gets hold of its /proc/PID/exe can write into the file on disk. */
#ifndef NSDBG_CORE_TOOL_COPY_H
#define NSDBG_CORE_TOOL_COPY_H

#include "core/msg.h"

#include <stdbool.h>

struct err;

/* Executes a copy of this program, which goes on with the same tool and channel (descriptor 3). Returns only when that fails: -errno. */
int tool_copy_execute(const struct msg_tool *spec, struct err *err);

/* main() first of all: is this such a copy? Then it runs the tool and never returns. */
void tool_copy_resume(int argc, char *const *argv);

#endif
