/*
 * Docker's JSON answers into objects of the model. Every byte is hostile: read within limits (docker_tree.h), every type and range
 * checked, and what does not fit is unknown.
 */
#ifndef NSDBG_CORE_ENGINE_DOCKER_JSON_H
#define NSDBG_CORE_ENGINE_DOCKER_JSON_H

#include "core/engine/docker_model.h"

struct err;

enum { DOCKER_JSON_MAX_OBJECTS = 20000 };

struct docker_event {
	bool is_network; /* else a container's */
	char id[DOCKER_ID + 1]; /* of the object */
	char action[32]; /* "die", "health_status" (without what follows the colon) */
	char container[DOCKER_ID + 1]; /* network connect, disconnect: who; else "" */
};

/* Answers of /containers/json (whose bytes are used up) and /networks. *ret is an array to free(), its objects the caller's; *ret_skipped counts entries without
 * a usable id. 0, -EBADMSG (not JSON, wrong shape), -E2BIG (a limit); nothing is returned then. */
int docker_json_list(char *p, size_t n, struct docker_container ***ret, uint32_t *ret_n, uint32_t *ret_skipped,
	struct err *err);
int docker_json_networks(const char *p, size_t n, struct docker_network ***ret, uint32_t *ret_n, uint32_t *ret_skipped,
	struct err *err);

/* Answers of /containers/ID/json (whose bytes are used up) and /networks/ID. */
int docker_json_inspect(char *p, size_t n, struct docker_container **ret, struct err *err);
int docker_json_network(const char *p, size_t n, struct docker_network **ret, struct err *err);

/* Answers of podman's own /libpod/containers/json (used up) and /libpod/networks/json; *ret is an array to free(). */
int docker_json_members(char *p, size_t n, struct docker_member **ret, uint32_t *ret_n, struct err *err);
int docker_json_bridges(const char *p, size_t n, struct docker_bridge **ret, uint32_t *ret_n, struct err *err);

/* One line of /events. -ENOMSG: not about a container or a network. */
int docker_json_event(const char *p, size_t n, struct docker_event *ret, struct err *err);

/* The sentence in an error answer: {"message": ...}, or plain text; "" when there is none. */
void docker_json_message(const char *p, size_t n, char *buf, size_t cap);

/* RFC 3339 to nanoseconds since 1970; ROW_NO_INT for anything else and for Docker's "never" (year 1). */
int64_t docker_json_time(const char *text);

#endif
