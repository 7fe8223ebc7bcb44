/*
 * The process that holds an engine's socket: moves bytes by libcurl, parses nothing but HTTP, and sends nothing but the fixed GET
 * requests below. Its owner (the reader) talks to it in datagrams over a SOCK_SEQPACKET pair and trusts none of the bytes it gets.
 */
#ifndef NSDBG_CORE_ENGINE_MOVER_H
#define NSDBG_CORE_ENGINE_MOVER_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum mover_kind {
	MOVER_PING, /* /_ping: versions in mover_done */
	MOVER_LIST, /* /containers/json?all=1 */
	MOVER_INSPECT, /* /containers/ID/json */
	MOVER_FIND, /* the same by what a person typed: a name, an id or its beginning */
	MOVER_NETWORKS, /* /networks */
	MOVER_NETWORK, /* /networks/ID */
	MOVER_POD_LIST, /* /libpod/containers/json?all=true: podman's own, with pids and pods */
	MOVER_POD_NETWORKS, /* /libpod/networks/json: with interfaces */
	MOVER_EVENTS, /* /events: has no end */
	MOVER_CTR_VERSION, /* containerd, by gRPC (mover_grpc.h): its version */
	MOVER_CTR_SPACES, /* its namespaces */
	MOVER_CTR_CONTAINERS, /* of `space` */
	MOVER_CTR_TASKS, /* of `space`: pids */
	MOVER_CTR_EVENTS, /* has no end */
	MOVER_CRI_VERSION, /* Kubernetes' runtime interface */
	MOVER_CRI_PODS,
	MOVER_CRI_POD, /* status of `id` */
	MOVER_CRI_CONTAINERS,
	MOVER_CRI_CONTAINER, /* status of `id` */
	MOVER_CRI_EVENTS, /* has no end */
	MOVER_RESET, /* gives up everything that runs or waits; not answered */
	MOVER_KIND_N,
};

enum {
	MOVER_ID = 64, /* hex digits, at most */
	MOVER_PARALLEL = 8, /* connections, and one more for events */
	MOVER_QUEUE = 32, /* requests that may wait for a connection */
	MOVER_TIMEOUT_MS = 2000, /* a request, connecting included */
	MOVER_MAX_HEADER = 64 << 10,
	MOVER_MAX_BODY = 8 << 20,
	MOVER_MAX_LIST = 32 << 20, /* of LIST: all labels of all containers are in it, and thrown away before anything is built */
	MOVER_CHUNK = 32 << 10,
};

struct mover_request {
	uint32_t kind; /* enum mover_kind */
	uint32_t tag; /* echoed in every frame of the answer */
	uint32_t minor; /* API version 1.minor; 0: unversioned */
	uint32_t is_podman; /* EVENTS: its filter words differ */
	uint32_t long_way; /* not by the finder (finder.h), which has failed */
	uint32_t zero;
	int64_t since; /* EVENTS: replay from this second on */
	char id[MOVER_ID + 1]; /* INSPECT, NETWORK: hex digits; FIND, gRPC: see mover_is_name */
	uint32_t verbose; /* CRI_POD, CRI_CONTAINER: with what the runtime knows besides, its pid for one */
	char space[MOVER_ID + 1]; /* containerd's namespace: see mover_is_name */
};

enum mover_frame_type { MOVER_BODY = 1, MOVER_DONE };

struct mover_head {
	uint32_t type; /* enum mover_frame_type */
	uint32_t tag;
	uint32_t len; /* bytes that follow in this datagram */
	uint32_t zero;
};

/* The end of an answer. */
struct mover_done {
	int32_t code; /* 0 or positive errno; ETIMEDOUT, ECONNREFUSED, EPROTO ... */
	int32_t status; /* of HTTP; 0: none came */
	uint64_t latency_us; /* until the first byte */
	int64_t date; /* of the Date header, seconds; -1: none */
	int32_t grpc; /* grpc-status, its sentence in msg; -1: none came */
	char api[16]; /* Api-Version header */
	char server[64]; /* Server header */
	char msg[192]; /* why, with the remedy, when code is set; gRPC: what the engine says */
};

/* Where the engine is. */
struct mover_target {
	char endpoint[512]; /* as given: for messages */
	char path[108]; /* unix socket; "" for tcp */
	char origin[320]; /* "http://docker" or "http://host:2375" */
	char host[256], port[6]; /* tcp: a name that is to be looked up, else "" */
	char daemon[16]; /* who listens there, for sentences; "": told by the path */
};

/* Takes unix://PATH, tcp://HOST[:PORT] or http://HOST[:PORT] apart. 0 or -EINVAL. */
int mover_target_parse(const char *endpoint, struct mover_target *ret, struct err *err);

/* May this be asked for by FIND? Letters, digits and _.- only, as Docker's own rule for names, so nothing of it is more than a name. */
bool mover_is_name(const char *text);

/* What listens at such a socket, for sentences. */
const char *mover_daemon(const struct mover_target *t);

/* Forks the process and cages it; *ret_fd is the reader's non-blocking end. When root meets the socket of an ordinary user, the
 * mover becomes that user. *ret_owner: whose socket it is, 0 root's or not known. 0 or -errno. */
int mover_start(const struct mover_target *target, int *ret_fd, unsigned *ret_owner, struct err *err);

#endif
