/* What is known about a target, in words and lines: the preview under the list, the overview. */
#ifndef NSDBG_TUI_FACTS_H
#define NSDBG_TUI_FACTS_H

#include "core/target.h"
#include "tui/canvas.h"

enum facts {
	FACTS_PROBLEM, /* what is wrong, with its sign */
	FACTS_LOAD, /* CPU, memory, traffic */
	FACTS_NETWORKS, /* a line for each network */
	FACTS_PORTS,
	FACTS_PROCESS,
	FACTS_IMAGE,
	FACTS_GROUP, /* pod, who shares its network, engine's user */
	FACTS_HOLDERS, /* who keeps a namespace without a process alive */
	FACTS_STATE, /* state, health, restarts, times */
	FACTS_N,
};

/* Draws one kind of fact from line y of `a`; returns the next free line (y when there is nothing to say or no room). */
int facts_draw(enum facts what, struct area a, int y, const struct block *b, const struct target_row *t, const struct row_look *look);

/* A network with its id and members, under a rule with its name. */
void facts_draw_network(struct area a, const struct block *b, const struct network_row *n, const struct row_look *look);

/* "3h", "41m", "6s" since `ns`; "-" for unknown. Returns buf. */
const char *facts_age(int64_t ns, int64_t now_ns, char *buf, size_t cap);
/* "up 3h", "exit 1", "paused", "2 procs". Returns length. */
size_t facts_state(const struct target_row *t, const struct row_look *look, char *buf, size_t cap);
/* "dock", "podm", "ctrd", "cri", "lxc", "nspn", "ns", "host". */
const char *facts_runtime(const struct block *b, const struct target_row *t);
/* "8080>80 443": published first. Returns length. */
size_t facts_ports(const struct block *b, const struct target_row *t, char *buf, size_t cap);
/* "172.18.0.5:8080", "[::]:53"; "-" for no address. Returns length. */
size_t facts_endpoint(const struct addr *a, uint64_t port, char *buf, size_t cap);

#endif
