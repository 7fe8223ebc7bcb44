/* Mounted network namespaces: the names below /run/netns with who made them, and what other mounts hold. For `nsdbg netns`. */
#ifndef NSDBG_CORE_SOURCE_NETNAMES_H
#define NSDBG_CORE_SOURCE_NETNAMES_H

#include "core/source.h"

enum netname_state {
	NETNAME_ALIVE, /* processes run in it */
	NETNAME_KEPT, /* none does: only the mount keeps it alive */
	NETNAME_EMPTY, /* a file of ours with no namespace on it */
	NETNAME_ATTACHED, /* just now, by this command */
	NETNAME_DETACHED, /* likewise */
	NETNAME_STATES,
};

struct netname_row {
	struct row_head head; /* id: hash of the path */
	struct str name; /* below /run/netns; unknown: mounted elsewhere */
	uint64_t netns; /* inode; ROW_NO_UINT: nothing is mounted */
	uint32_t state; /* enum netname_state; ROW_NO_ENUM until somebody joins it with the processes */
	uint8_t ours; /* attached by nsdbg; ROW_NO_BOOL: not allowed to look */
	struct str targets; /* list of names; filled by the front */
	uint64_t processes; /* in the namespace; filled by the front */
	struct str path;
	struct str problem; /* filled by the front */
};
extern const struct row_type netname_row_type; /* "netns" */

extern const struct source netnames_source; /* sample(): netname_row; CAGE_SCAN */

#endif
