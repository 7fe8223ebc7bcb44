/* What the app may ask of a capture: one function for each enum capture_op. */
#ifndef NSDBG_CAPTURE_REQUESTS_H
#define NSDBG_CAPTURE_REQUESTS_H

#include "capture/live.h"

struct msg;

/* Answers m; takes its descriptor when it needs it. 0, or -EPIPE when the app has left, -EBADMSG for what no app sends. */
int requests_answer(struct live *l, struct msg *m);

#endif
