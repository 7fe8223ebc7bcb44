/* Who a tool is and what it may: user, capabilities, no_new_privs, and its end with the runner. */
#ifndef NSDBG_CORE_TOOL_RIGHTS_H
#define NSDBG_CORE_TOOL_RIGHTS_H

#include "core/msg.h"

#include <stdbool.h>
#include <sys/types.h>

struct err;

/* Takes up every permitted capability again: setting up needs more than the broker keeps effective. */
void tool_rights_raise(void);

enum tool_rights {
	TOOL_RIGHTS_HERE, /* ids are as everywhere */
	TOOL_RIGHTS_OF_USER, /* in a user namespace of the target's, where ids are other ones */
	TOOL_RIGHTS_STAY, /* an ordinary user in the user namespace of their own container: whoever they are mapped to there */
};

/* Becomes the user of `spec` with `caps` at most, in this process and what it executes. 0 or -errno. */
int tool_rights_drop(const struct msg_tool *spec, uint64_t caps, enum tool_rights where, struct err *err);

/* Just before execve: dies with its parent, signals as at birth. */
void tool_rights_bind(void);

/* Bounding set out of /proc/PID/status in `dir`; 0 when it cannot be read. */
uint64_t tool_rights_bounding(int dir);

#endif
