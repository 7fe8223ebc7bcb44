/* The private mount namespace of a tool: the target's names over the host's /etc, its /sys. */
#ifndef NSDBG_CORE_TOOL_STAGE_H
#define NSDBG_CORE_TOOL_STAGE_H

#include "core/tool/names.h"

/* A mount namespace of our own in which nothing is shared with the host's, mount_namespaces(7). 0 or -errno. */
int tool_stage_enter(struct err *err);

/* Shows the copies at /etc, hides the host's resolver daemons, mounts the /sys of our network namespace. names NULL: only /sys.
 * Trouble that a tool can live with goes to `note` (TOOL_NAME_WHY bytes, "" none). 0 or -errno. */
int tool_stage_files(const struct tool_names *names, char *note, struct err *err);

#endif
