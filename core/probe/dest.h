/* Destinations as people type them: "db:5432", "[::1]:80", "https://api/health"; found among the containers before any DNS. */
#ifndef NSDBG_CORE_PROBE_DEST_H
#define NSDBG_CORE_PROBE_DEST_H

#include "core/source/probe.h"
#include "core/target.h"

struct dest {
	char host[256]; /* without brackets and zone */
	char zone[16];
	uint16_t port; /* 0: none given */
	struct addr literal; /* ADDR_NONE: a name */
	bool tls;
};

/* HOST:PORT, [ADDRESS]:PORT, or HOST where `kind` has no port (ping, mtu; optional for trace); URLs for http, "http://" may be left out.
 * 0 or -EINVAL with the sentence. */
int dest_parse(uint32_t kind, const char *text, struct dest *ret, struct err *err);

/* PROBE_KIND_N: no such kind. */
uint32_t dest_kind(const char *word);

struct dest_ask {
	uint32_t kind;
	const char *text;
	int family; /* 4, 6; 0: whatever there is */
	const struct block *targets; /* may be NULL */
	const struct target_row *own; /* whose namespace it starts in; may be NULL */
};

/* Fills kind, address (or PROBE_RESOLVE), how, port, name, zone, url, label; clears the rest. A container's address on a network that both
 * share comes first. 0; -EINVAL: not a destination; -ESRCH: a container that does not run; -EADDRNOTAVAIL: one without such an address. */
int dest_fill(const struct dest_ask *ask, struct probe_params *ret, struct err *err);

/* For PROBE_RESOLVE: the hosts file first: true when it knew (*p has the address then); else *ret is the question for PROBE_OP_GO. */
bool dest_look_up(const struct block *files, int family, struct probe_params *p, struct dns_request *ret);

/* Rows of several blocks of probe_row in one: containers named, paused ones said. Never NULL. */
struct block *dest_name_targets(const struct block *const *blocks, unsigned n, const struct block *targets);

#endif
