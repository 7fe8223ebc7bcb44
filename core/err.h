/* Errors: a code for the program, a sentence for the reader. Never allocates, so reporting cannot fail. */
#ifndef NSDBG_CORE_ERR_H
#define NSDBG_CORE_ERR_H

#include <stdbool.h>

struct err {
	int code; /* positive errno; 0 = no error */
	char msg[192]; /* "open /proc/12/ns/net"; no full stop, no strerror: the viewer adds it */
};

/* Fills `e` (may be NULL) and returns -code; code 0 becomes EINVAL. Messages may hold outside text: viewers clean. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the sentence in `e` and returns `r` unchanged. */
int err_wrap(struct err *e, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The process, container or file left while we looked (-ENOENT, -ESRCH): skip the row, go on. */
bool err_gone(int r);

/* Not allowed (-EACCES, -EPERM): show a lock, keep the rest. */
bool err_denied(int r);

#endif
