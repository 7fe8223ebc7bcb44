/*
 * Docker Engine API (and podman's compatible one) as a source. Two processes: one holds the engine's socket, moves bytes by libcurl
 * and parses nothing but HTTP; the other has no socket at all and reads the JSON (security.md 4.1). Live by /events; every request ends
 * within 2 s; while the engine does not answer the last rows stay, with as_of, and it tries again after 1, 2, 4 ... 30 s.
 */
#ifndef NSDBG_CORE_ENGINE_DOCKER_H
#define NSDBG_CORE_ENGINE_DOCKER_H

#include "core/source.h"

/* Params of MSG_OPEN. */
struct docker_params {
	char endpoint[512]; /* "unix:///var/run/docker.sock", "tcp://127.0.0.1:2375" */
	char runtime[16]; /* "docker": goes into the rows */
	uint32_t once; /* full answer, then end (command line): target_row, network_row, engine_row blocks, then the channel closes */
	uint32_t first_list; /* also publish the bare list before details arrive (first screen) */
	uint32_t no_retry; /* once it does not answer, connect again only when asked to (MSG_OP_SAMPLE): systemd would start it */
	char only[72]; /* with `once`: look for the container of this name, id or id prefix first; "" none. When the engine has it, a
			* block of target_row with that one comes first, and nothing else unless `rest`; else all as without it. */
	uint32_t rest; /* with `only`: then the full answer as well */
};

/* serve(): blocks of target_row, network_row, engine_row whenever they change; target_row is complete from the first block on in
 * `once` mode. CAGE_BASE for the reader, CAGE_ENGINE for the mover. */
extern const struct source docker_source;

/* Where Docker is: --docker-host (may be NULL), else DOCKER_HOST, DOCKER_CONTEXT, ~/.docker/config.json's context, else
 * unix:///var/run/docker.sock. 0, or -EINVAL / -ENOENT with a sentence (ssh:// is refused with a hint). *ret_explicit: the user named
 * it, so its absence is an error and not just "no Docker here". */
int docker_endpoint(const char *option, char ret[512], bool *ret_explicit, struct err *err);

/* Checks the spelling of an address that comes `from` a named place ("DOCKER_HOST"); 0 or -EINVAL with hint. */
int docker_endpoint_check(const char *text, const char *from, char ret[512], struct err *err);

/* Calls fn with the Docker address of every context below ~/.docker/contexts. */
void docker_contexts(void (*fn)(const char *endpoint, void *arg), void *arg);

#endif
