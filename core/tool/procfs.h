/* The /proc of a container's pid namespace for a tool that is not in it. */
#ifndef NSDBG_CORE_TOOL_PROCFS_H
#define NSDBG_CORE_TOOL_PROCFS_H

#include <stdbool.h>

struct err;

/* A procfs of that pid namespace, attached nowhere yet. Before Linux 6.17 a child must enter the namespace for the moment: refused unless
 * `may_enter`. 0 or -errno. */
int tool_procfs_open(int pid_namespace, bool may_enter, int *ret, struct err *err);

/* Puts it over /proc of this mount namespace. `outside`: we are not in that pid namespace, so /proc/self comes from the host's. */
int tool_procfs_attach(int procfs, bool outside, struct err *err);

#endif
