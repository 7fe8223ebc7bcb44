/*
 * Why the kernel said no, and what helps: for the end of sentences. Who started the program decides about "run with sudo"; root is told
 * which capability it lacks, or that the kernel refuses although it is held. capabilities(7), ptrace(2), user_namespaces(7).
 */
#ifndef NSDBG_CORE_RIGHTS_H
#define NSDBG_CORE_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum { RIGHTS_TEXT = 136 };
#define RIGHT(cap) (UINT64_C(1) << (cap))

/* Did root start the program? As the kernel noted at execve(2), whoever this process is by now. */
bool rights_of_root(void);

/* "needs CAP_SYS_PTRACE; run with sudo", of one RIGHT or two. Asks the kernel nothing: for caged workers and the front. */
const char *rights_needed(uint64_t rights, char buf[RIGHTS_TEXT]);

/* Not caged: fills `e` with "WHAT: needs ..." if `code` (positive errno) is a refusal, else with WHAT alone. `dir`: /proc/PID of the process
 * that it is about, -1 none. Returns -code. */
int rights_refused(struct err *e, int code, int cap, int dir, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
