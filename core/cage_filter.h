/*
 * The system call filters of cages, as classic BPF for seccomp(2) (Linux 4.14: SECCOMP_RET_KILL_PROCESS). A call that a cage does not
 * name kills the process; a call that libraries only try is refused with EACCES.
 */
#ifndef NSDBG_CORE_CAGE_FILTER_H
#define NSDBG_CORE_CAGE_FILTER_H

#include "core/source.h"

struct sock_filter;

enum { CAGE_FILTER_MAX = 320 }; /* instructions */

/* The program of one cage, into room for CAGE_FILTER_MAX: their number, or -EOVERFLOW. */
int cage_filter_build(enum cage cage, struct sock_filter *ret);

/* Loads it for this process, for good; no_new_privs is set already. 0 or -errno. */
int cage_filter_load(enum cage cage, struct err *err);

#endif
