/* Scan of /proc: every network namespace that has a process, or a mount (nsfs in mountinfo). Works without any engine. */
#ifndef NSDBG_CORE_SOURCE_NAMESPACES_H
#define NSDBG_CORE_SOURCE_NAMESPACES_H

#include "core/source.h"

struct netns_member_row {
	struct row_head head;
	uint64_t pid;
	uint64_t start; /* clock ticks */
};
extern const struct row_type netns_member_row_type;

/* A container that /proc shows (core/source/origin.h), by its first process. */
struct found_row {
	struct row_head head;
	uint64_t pid;
	uint64_t start;
	struct str runtime; /* "docker", "podman", "containerd", "cri", "lxc", "nspawn" */
	struct str id;
	struct str name; /* unknown: its parent does not say */
	struct str space; /* containerd's or Kubernetes' namespace */
	struct str pod;
	struct str address; /* socket of its containerd */
	uint64_t owner; /* user of the process that runs it; root: unknown */
	uint8_t infra; /* a pod's sandbox */
};
extern const struct row_type found_row_type;

struct netns_row {
	struct row_head head; /* id: inode */
	uint64_t inode; /* ROW_NO_UINT: of containers whose namespace we may not see */
	uint8_t is_host; /* the namespace of pid 1 */
	uint8_t is_inside; /* ... in a pid namespace of its own: nsdbg runs in a container */
	uint64_t pid; /* leader: innermost pid 1, else the lowest; ROW_NO_UINT without processes */
	uint64_t start;
	struct str leader; /* its command name */
	struct str container; /* 64 hex digits from its cgroup, else unknown */
	struct str path; /* nsfs mount point */
	struct rows members; /* netns_member_row, ascending pid */
	struct rows containers; /* found_row, ascending pid */
	struct str addresses; /* list; only where a container was found */
	struct str daemons; /* list "docker unix:///run/docker.sock": daemons in it and where they listen: origin_endpoint */
};
extern const struct row_type netns_row_type;

/* The scan without its worker: `proc` and `mounts` (mountinfo; -1: none) are lent. */
struct namespaces_scan;
struct namespaces_scan *namespaces_scan_new(int proc, int mounts);
void namespaces_scan_free(struct namespaces_scan *s); /* NULL is fine */
void namespaces_scan_all(struct namespaces_scan *s); /* the next one takes nothing as known; without it what is known may be eight scans old */
int namespaces_scan_read(struct namespaces_scan *s, struct builder *b, struct err *err);

enum { NAMESPACES_LOOK = 16 }; /* request without parameters, answered by rows: namespaces_scan_all */
extern const struct source namespaces_source; /* sample(): netns_row; CAGE_SCAN with CAP_SYS_PTRACE */

#endif
