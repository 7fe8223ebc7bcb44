/*
 * Targets: what nsdbg can look into. One row per container, bare network namespace, and the host; merged from the engines' rows
 * and from what /proc shows. Networks and engines are rows too.
 */
#ifndef NSDBG_CORE_TARGET_H
#define NSDBG_CORE_TARGET_H

#include "core/block.h"
#include "core/msg.h"

struct err;

enum target_state {
	TARGET_STATE_CREATED,
	TARGET_STATE_RUNNING,
	TARGET_STATE_PAUSED,
	TARGET_STATE_RESTARTING,
	TARGET_STATE_REMOVING,
	TARGET_STATE_EXITED,
	TARGET_STATE_DEAD,
	TARGET_STATE_N,
};
extern const char *const target_state_names[TARGET_STATE_N]; /* "created" ... as Docker spells them */

enum target_health { TARGET_HEALTH_STARTING, TARGET_HEALTH_HEALTHY, TARGET_HEALTH_UNHEALTHY, TARGET_HEALTH_N };
extern const char *const target_health_names[TARGET_HEALTH_N]; /* no health check: ROW_NO_ENUM */

enum { /* target_row.head.flags */
	TARGET_IS_CONTAINER = 1 << 0, /* an engine named it */
	TARGET_IS_NETNS = 1 << 1, /* a bare namespace found in /proc or a path */
	TARGET_IS_HOST = 1 << 2,
	TARGET_HOST_NETWORK = 1 << 3, /* a container without a network namespace of its own */
	TARGET_STALE = 1 << 4, /* the engine does not answer; see as_of */
	TARGET_FOUND = 1 << 5, /* a container that only /proc shows: no engine named it */
	TARGET_LOCKED = 1 << 6, /* we may not enter it; `problem` says what is missing */
	TARGET_FOREIGN = 1 << 7, /* TARGET_FOUND, and an engine of its kind answers: it is another one's */
};

/* A published or exposed port. JSON in `ports`: host_address, host_port, port, protocol. */
struct port_row {
	struct row_head head;
	struct addr host_address; /* ADDR_NONE: exposed, not published */
	uint64_t host_port; /* ROW_NO_UINT: not published */
	uint64_t port;
	struct str protocol; /* "tcp" */
};
extern const struct row_type port_row_type;

/* One network that a container is on. */
struct endpoint_row {
	struct row_head head;
	struct str network;
	struct str network_id;
	struct addr address; /* with prefix */
	struct addr gateway;
	struct addr address6;
	struct addr gateway6;
	struct addr mac;
	struct str interface; /* bridge or parent on the host, from the network: "br-3f1c02aa9d11" */
	struct str aliases; /* list */
};
extern const struct row_type endpoint_row_type;

struct target_row {
	struct row_head head; /* id: hash of runtime and id, or of the namespace */
	struct str name;
	struct str id; /* full container id; netns: "4026532871" */
	struct str runtime; /* "docker", "netns", "host" */
	uint32_t state; /* enum target_state; bare namespaces: running */
	uint32_t health; /* enum target_health */
	uint64_t pid; /* host pid of its first process */
	uint64_t start; /* of pid, clock ticks: identity */
	uint64_t netns; /* inode */
	struct str image;
	struct str command;
	struct str networks; /* list of names */
	struct str addresses; /* list, without prefix */
	struct rows ports; /* port_row */
	struct rows endpoints; /* endpoint_row */
	int64_t created_at;
	int64_t started_at;
	int64_t finished_at;
	uint64_t restarts;
	int64_t exit_code;
	uint8_t oom_killed;
	struct str network_mode; /* "bridge", "host", "none", "container:<id>", a network's name */
	struct str shares_with; /* name of the container whose network namespace it uses */
	struct str hostname;
	struct str project; /* compose project */
	struct str engine; /* address of the engine that named it; unknown: found in /proc, no engine answers for it */
	struct str space; /* containerd's or Kubernetes' namespace */
	struct str pod;
	uint8_t infra; /* it only holds a pod's namespaces open */
	uint64_t attempt; /* Kubernetes: how often it was started before */
	uint64_t owner; /* user of a rootless engine */
	struct str shared_by; /* list: names of the others in its network namespace, when it owns that */
	struct str path; /* nsfs file, for namespaces without a process */
	struct rows holders; /* holder_row (core/source/holders.h): who keeps a namespace without a process alive, besides that file */
	uint64_t processes; /* in the network namespace, when scanned */
	struct str problem; /* what is wrong, in words; unknown: nothing */
	int64_t as_of; /* set only while its engine does not answer: time of the last answer */
	/* From target_with_health, else unknown: see core/source/health.h. */
	double cpu_percent;
	uint64_t memory_bytes;
	double memory_percent;
	uint64_t rx_bytes_per_second, tx_bytes_per_second;
	double retransmit_percent;
};
extern const struct row_type target_row_type; /* "ls" */

struct network_row {
	struct row_head head;
	struct str name;
	struct str id;
	struct str runtime;
	struct str driver;
	struct str scope;
	struct str subnets; /* list "172.18.0.0/16" */
	struct addr gateway;
	struct str interface; /* bridge or parent on the host */
	struct str members; /* list of container names */
	uint8_t internal;
	uint8_t ipv6;
	uint64_t mtu; /* when set as an option */
	int64_t created_at;
	int64_t as_of;
};
extern const struct row_type network_row_type; /* "networks" */

/* How an engine is. One row per engine. */
struct engine_row {
	struct row_head head;
	struct str runtime; /* "docker" */
	struct str endpoint; /* "unix:///var/run/docker.sock" */
	uint8_t answering;
	struct str version; /* "20.10.24" */
	struct str api; /* "1.41" */
	uint64_t latency_us; /* of the last answer */
	int64_t answered_at;
	struct str error; /* why not, in words, with the remedy */
	uint64_t owner; /* user whose socket it is, when not root's */
};
extern const struct row_type engine_row_type; /* "engines" */

/* What the kernel and files tell beside the engines; borrowed, each may be NULL. */
struct target_seen {
	const struct block *netns; /* netns_row, core/source/namespaces.h */
	const struct block *holders; /* holder_row, core/source/holders.h: namespaces that only a descriptor, a socket or a thread holds */
	const struct block *bundles; /* bundle_row, core/engine/bundle.h: names from files for containers that no engine names */
};

/*
 * One list from the engines' blocks (target_row; NULL: one that has not answered yet) and what was seen without them: fills netns, start
 * and processes of containers by pid, names shares_with and shared_by, adds containers that only /proc shows, namespaces that no
 * container has, and the host. A container that several engines name is one row, the first one's. Sets problem and severity. Never NULL.
 */
struct block *target_merge(const struct block *const *engines, unsigned n, const struct target_seen *seen);

/* The rows, notes and losses of n blocks of `type` (NULL: none) as one block; never NULL. */
struct block *target_union(const struct row_type *type, const struct block *const *blocks, unsigned n);
/* The same targets with how they do (health_row, core/source/health.h): its numbers, and its problem where it is graver than what the
 * engine says. Never NULL. */
void target_health_unknown(struct target_row *t);
struct block *target_with_health(const struct block *targets, const struct block *health);

enum { TARGET_MIN_PREFIX = 4 }; /* characters of an id that may stand for it */

/* "pid:", "netns:", "ns:" and "host": the kernel knows these, no engine is needed. */
bool target_is_kernel(const char *text);

/* Looks a target up by what a user types: name, id prefix (>= 4 hex), docker:NAME, POD/NAME,
 * pod:[SPACE/]NAME, ctr:SPACE/NAME, pid:N, netns:NAME|PATH, ns:INODE, host (ux.md 3.1).
 * 0 with *ret_row (index into targets, or UINT32_MAX when only `ret` is meaningful: pid:, netns:PATH, host) and the reference to open.
 * -ENOENT: none (message names near ones); -ENOTUNIQ: several, named in the message; -ESRCH: it is not running (*ret_row is set then
 * too, for `show`); -EINVAL: not a form of target. */
int target_resolve(const struct block *targets, const char *text, uint32_t *ret_row, struct target_ref *ret, struct err *err);

/* The address of row `t` that is best reached from `own` (NULL: from anywhere), by what its engine told: on a network that both are on, else
 * its first; of the container whose network it uses, when it has none. family 4, 6; 0: IPv4 first. false: none is known. */
bool target_address(const struct block *targets, const struct target_row *own, const struct target_row *t, int family, struct addr *ret);

/* Reference for a row: -ESRCH with a sentence when it has no process or namespace (stopped). */
int target_reference(const struct block *targets, const struct target_row *row, struct target_ref *ret, struct err *err);

#endif
