/*
 * A source is one kind of fact that one worker process reads in one target. The record says everything: which namespaces to enter,
 * what is opened while there is still privilege, which capabilities and system calls remain, and how to read afterwards.
 */
#ifndef NSDBG_CORE_SOURCE_H
#define NSDBG_CORE_SOURCE_H

#include "core/msg.h"
#include "core/row.h"

struct builder;
struct err;
struct worker;

/* System call sets, security.md 4.3; all of them refuse exec, new namespaces, and opening for writing. */
enum cage {
	CAGE_BASE, /* memory, read, write, clock, messages to the app (memfd) */
	CAGE_NETLINK, /* + send and receive on open sockets */
	CAGE_CAPTURE, /* + what libpcap does on an open ring, other filters on it */
	CAGE_DNS, /* + new INET and INET6 datagram and stream sockets */
	CAGE_PROBE, /* + those, and what libcurl with TLS does on a connected socket */
	CAGE_SCAN, /* + open read-only, getdents, readlink, stat; numbers in pid namespaces */
	CAGE_ENGINE, /* + connect to an engine's socket: for the process that moves bytes and parses nothing but HTTP */
	CAGE_N,
};

enum { SOURCE_ENTER_NET = 1 << 0 }; /* setns(CLONE_NEWNET) before open() */

struct source {
	const char *name; /* as in messages and process titles */
	const struct row_type *type; /* of what sample() builds; serve() may send others */
	unsigned enter; /* SOURCE_ENTER_* */
	bool needs_target; /* pin target.pid before open() */
	enum cage cage;
	uint64_t caps; /* capabilities kept in the cage (1 << CAP_x), only with CAGE_SCAN */
	/* With privilege, in the target's namespaces, before any outside byte is parsed: open what is needed, keep it in
	 * *worker_state(w). 0 or negative errno with the sentence in err. */
	int (*open)(struct worker *w, struct err *err);
	/* In the cage. Either sample(): fill the builder each time the app asks (MSG_OP_SAMPLE; the first comes at once); or
	 * serve(): own loop until the app closes the channel; its return value is the process's end (0 or -errno). */
	int (*sample)(struct worker *w, struct builder *b, struct err *err);
	int (*serve)(struct worker *w, struct err *err);
	/* For sample() sources: other requests (op >= 16). May be NULL. */
	int (*request)(struct worker *w, const struct msg *m, struct err *err);
};

#endif
