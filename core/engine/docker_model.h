/*
 * What an engine has told: containers and networks with their facts as rows, strings in an arena of their own. Answers replace whole
 * objects.
 */
#ifndef NSDBG_CORE_ENGINE_DOCKER_MODEL_H
#define NSDBG_CORE_ENGINE_DOCKER_MODEL_H

#include "core/target.h"

enum { DOCKER_ID = 64 };

/* Strings of one object; struct str in its rows points here. */
struct docker_arena {
	char *p;
	uint32_t n, cap;
};

struct docker_container {
	char id[DOCKER_ID + 1];
	struct target_row row; /* runtime, networks, addresses, shares_with, as_of are made when blocks are written */
	struct docker_arena text;
	struct endpoint_row *endpoints;
	struct port_row *ports;
	uint32_t n_endpoints, n_ports;
	uint32_t n_cut; /* endpoints and ports beyond the limits */
	bool is_detailed; /* came from an inspection, not just from the list */
	bool is_wanted; /* to be inspected */
	bool is_asked; /* the inspection is under way */
	bool is_listed; /* the last list had it; neither listed nor detailed: only an event spoke of it, not shown yet */
};

struct docker_network {
	char id[DOCKER_ID + 1]; /* "" for pseudo networks without one */
	struct network_row row;
	struct docker_arena text;
};

/* What only podman's own API tells about a container. */
struct docker_member {
	char id[DOCKER_ID + 1];
	char pod[DOCKER_ID]; /* its name, "" outside pods; cut */
	uint64_t pid; /* ROW_NO_UINT: not running */
	bool is_infra;
};

struct docker_bridge {
	char network[DOCKER_ID + 1]; /* id */
	char interface[16];
};

struct docker_model {
	struct docker_container **containers; /* ascending id */
	struct docker_network **networks; /* ascending id */
	uint32_t n_containers, cap_containers;
	uint32_t n_networks, cap_networks;
	struct docker_member *members; /* podman: ascending id */
	struct docker_bridge *bridges; /* podman */
	uint32_t n_members, n_bridges;
};

/* --- objects --- */

struct docker_container *docker_model_container_new(void); /* every field unknown */
void docker_model_container_free(struct docker_container *c);
struct docker_network *docker_model_network_new(void);
void docker_model_network_free(struct docker_network *n);

/* Copies at most 32 KiB of text into the arena; NULL: unknown. */
struct str docker_model_text(struct docker_arena *a, const char *text);
/* Adds an item to a list; items of one list in one go. */
void docker_model_list_add(struct docker_arena *a, struct str *list, const char *item);
struct text docker_model_get(const struct docker_arena *a, struct str s);

/* --- the set --- */

void docker_model_done(struct docker_model *m);
struct docker_container *docker_model_find(const struct docker_model *m, const char *id);
void docker_model_put(struct docker_model *m, struct docker_container *c); /* takes c; replaces the one with its id */
void docker_model_remove(struct docker_model *m, const char *id);
/* Takes the objects (not the array): what is not among them goes; known containers keep their details until they are inspected. */
void docker_model_merge_list(struct docker_model *m, struct docker_container **list, uint32_t n);
/* Is every network that c is on among the known ones? */
bool docker_model_knows_networks(const struct docker_model *m, const struct docker_container *c);
void docker_model_put_network(struct docker_model *m, struct docker_network *n);
void docker_model_remove_network(struct docker_model *m, const char *id);
/* Take the arrays; members are sorted here. */
void docker_model_set_members(struct docker_model *m, struct docker_member *list, uint32_t n);
void docker_model_set_bridges(struct docker_model *m, struct docker_bridge *list, uint32_t n);
const struct docker_member *docker_model_member(const struct docker_model *m, const char *id); /* NULL: nothing told */
void docker_model_set_networks(struct docker_model *m, struct docker_network **list, uint32_t n);

#endif
