/*
 * The only process that keeps privilege. It forks workers and the runners of tools (core/tool/), opens files as the real user, reports
 * who ended, and parses nothing that comes from outside: fixed-size messages from the app, numbers only, one path (for saving).
 */
#ifndef NSDBG_CORE_BROKER_H
#define NSDBG_CORE_BROKER_H

#include "core/source.h"

#include <sys/types.h>

struct broker_setup {
	const struct source *const *sources;
	unsigned n_sources;
	int app; /* channel to the app */
	uid_t real_uid; /* whose files are written */
	gid_t real_gid;
};

/* Runs until the app leaves; its workers end with it. Never returns. (The terminal has a keeper of its own: tui/screen.c.) */
_Noreturn void broker_main(const struct broker_setup *setup);

#endif
