/*
 * Where engines listen on this host: named by option or environment, else the known sockets. Looking starts nothing: a socket that
 * systemd(1) holds for a daemon that does not run (systemd.socket(5)) is marked and never connected to.
 */
#ifndef NSDBG_CORE_ENGINE_PLACES_H
#define NSDBG_CORE_ENGINE_PLACES_H

#include <stdbool.h>
#include <stddef.h>

struct block;
struct err;
struct text;
struct source;

enum engine_kind { ENGINE_DOCKER, ENGINE_PODMAN, ENGINE_CONTAINERD, ENGINE_KIND_N };
extern const char *const engine_kind_names[ENGINE_KIND_N]; /* "docker", "podman", "containerd" */

enum { ENGINE_PLACES = 16, ENGINE_ENDPOINT = 512 };

struct engine_place {
	enum engine_kind kind;
	bool is_explicit; /* the user named it: its absence is an error and not just "no Docker here" */
	bool is_activated; /* systemd listens there, too: connecting again after a failure would start it */
	bool is_idle; /* only systemd listens: not to be connected to */
	char endpoint[ENGINE_ENDPOINT];
};

struct engine_places {
	struct engine_place list[ENGINE_PLACES];
	unsigned n;
	bool is_closed[ENGINE_KIND_N]; /* the user's choice is the whole choice: none are added to it */
	const char *runtimes; /* --runtime, the caller's text; NULL: all */
};

/* What the user said; NULL: nothing. Addresses may be several, with commas between them. */
struct engine_wishes {
	const char *docker, *podman, *containerd; /* --docker-host ... */
	const char *runtimes; /* --runtime: engines that have none of these are left out */
};

/* DOCKER_HOST, DOCKER_CONTEXT, CONTAINER_HOST, CONTAINERD_ADDRESS, CONTAINER_RUNTIME_ENDPOINT; contexts in ~/.docker; the usual
 * sockets of root, of $XDG_RUNTIME_DIR and, for root, of every user below /run/user. 0, or -EINVAL / -ENOENT with a sentence. */
int engine_places_find(const struct engine_wishes *w, struct engine_places *ret, struct err *err);

/* What asks an engine of this kind; its params are struct docker_params. */
const struct source *engine_source(enum engine_kind kind);

/* Adds the sockets that root's daemons and containerd's shims give away by their arguments: `scan` is of netns_row
 * (core/source/namespaces.h; NULL: none). Returns how many are new. */
unsigned engine_places_from_scan(struct engine_places *p, const struct block *scan);

/* Does the scan show a daemon that listens there? */
bool engine_places_runs(const struct engine_place *place, const struct block *scan);

/* engine_row of those that are idle: never NULL. */
struct block *engine_places_idle(const struct engine_places *p);

/* Does only systemd listen at the socket `path`? *ret_activated: it listens, whoever else does. `proc` is an open /proc. */
bool engine_places_is_idle(int proc, const char *path, enum engine_kind kind, bool *ret_activated);

/* Is `name` among the words of the list (commas between them)? A NULL list has all. */
bool engine_places_listed(const char *list, const char *name);

/* Does the user want to see targets of this runtime? */
bool engine_places_shows(const struct engine_places *p, struct text runtime);

#endif
