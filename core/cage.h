/* Giving rights up for good: limits, capabilities, user, seccomp. Order as in security.md 4.2 (steps 11-16). */
#ifndef NSDBG_CORE_CAGE_H
#define NSDBG_CORE_CAGE_H

#include "core/source.h"

/* Reduces this process to `caps` and user nobody (65534; its own user when it is not root), no_new_privs, non-dumpable, dies with
 * its parent, then loads the system call filter. keep_uid: stay the user we are (engine sockets belong to root). 0 or -errno. */
int cage_enter(enum cage cage, uint64_t caps, bool keep_uid, struct err *err);

/* For the app: becomes `uid`/`gid` without capabilities or a way back; no seccomp. 0 or -errno. */
int cage_drop_user(unsigned uid, unsigned gid, struct err *err);

/* Leaves this process (the broker) only the given capabilities. */
int cage_keep_caps(uint64_t caps, struct err *err);

/* The same, but what is left out may be taken up again, by this process and by those it forks (who run tools). */
int cage_rest_caps(uint64_t caps, struct err *err);

/* Takes up again what cage_rest_caps left out, as far as it is there: for open() of a worker; cage_enter ends it. */
void cage_raise_caps(uint64_t caps);

/* Effective, permitted and inheritable capabilities as given, bounding set below them. 0 or -errno. */
int cage_set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable);
void cage_drop_bounding(uint64_t keep);

/* Bit set of this process's effective capabilities (bit n = capability n). */
uint64_t cage_caps(void);
uint64_t cage_permitted_caps(void); /* those that rest included */

#endif
