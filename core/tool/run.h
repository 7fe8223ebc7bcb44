/* The runner of one tool: forked by the broker, parent of the program, ends with the front. */
#ifndef NSDBG_CORE_TOOL_RUN_H
#define NSDBG_CORE_TOOL_RUN_H

#include "core/msg.h"

#include <stdbool.h>
#include <sys/types.h>

/* Takes descriptors and words from the channel, runs the program, reports. `is_copy`: of core/tool/copy.h. Never returns. */
_Noreturn void tool_run(const struct msg_tool *spec, int channel, bool is_copy);

/* Kills what was left to this process by children that ended (PR_SET_CHILD_SUBREAPER), except `keep`; waits for what it killed. */
void tool_run_sweep(const pid_t *keep, unsigned n);

#endif
