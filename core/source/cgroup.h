/*
 * What the control groups of a container say (cgroups(7); kernel Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst): CPU, memory,
 * processes, and their limits. v1 hierarchies and the v2 tree are read alike; a controller that v1 has is read there.
 */
#ifndef NSDBG_CORE_SOURCE_CGROUP_H
#define NSDBG_CORE_SOURCE_CGROUP_H

#include "core/text.h"

enum cgroup_controller { CGROUP_CPU, CGROUP_CPUACCT, CGROUP_MEMORY, CGROUP_PIDS, CGROUP_N };

/* Where the hierarchies of this host are mounted, open. */
struct cgroup_host {
	int v1[CGROUP_N]; /* -1: not mounted */
	int v2; /* -1: not mounted */
};

/* Reads `mountinfo` (proc_pid_mountinfo(5)) of the process we are. What is not mounted stays -1. */
void cgroup_host_open(struct text mountinfo, struct cgroup_host *ret);
void cgroup_host_close(struct cgroup_host *h);

/* The groups of one container, open; they may vanish at any time, then nothing is read. */
struct cgroup {
	int dir[CGROUP_N]; /* -1: none */
	bool is_v2[CGROUP_N];
	unsigned depth[CGROUP_N]; /* directories below the root of the hierarchy */
	int cpu; /* the file that cgroup_keep opened; -1: opened for each reading */
};

/*
 * Opens the groups that /proc/PID/cgroup names, cut behind the part that stands for the container: 64 hex digits, a name that LXC or
 * systemd-nspawn gives, or one whose row_hash(.., 0) is `name_hash`. A path without such a part belongs to whoever started it and
 * is left out: false when nothing is left.
 */
bool cgroup_open(const struct cgroup_host *h, struct text bytes, uint64_t name_hash, struct cgroup *ret);
void cgroup_close(struct cgroup *g);

/* Keeps the file of the CPU open, which saves most of the time of a reading, when there is a descriptor below `last_file`. The group
 * should then be closed soon after its container has ended. */
void cgroup_keep(struct cgroup *g, int last_file);

/* Unknown, and for limits none: UINT64_MAX. */
struct cgroup_values {
	uint64_t cpu_us; /* used since the group was made */
	uint64_t periods, throttled; /* of the CFS quota; throttled: periods that hit it */
	uint64_t memory; /* bytes in use without the page cache that may be dropped at once, as docker stats says it */
	uint64_t memory_limit; /* the lowest on the way up */
	uint64_t processes; /* threads too: what pids.max counts */
	uint64_t processes_limit;
	uint64_t oom_kills;
};

/* `v` has the last values (cpu_us unknown: none). Without `all` nothing but the CPU is read when none was used since, and never the
 * limits: these cost a walk upwards and seldom change. */
void cgroup_read(const struct cgroup *g, bool all, struct cgroup_values *v);

/* --- on bytes --- */

/* Number behind "KEY " at the start of a line; false: not there. */
bool cgroup_text_key(struct text bytes, const char *key, uint64_t *ret);

/* The part of a path up to and with the component that names a container. */
bool cgroup_text_container(struct text path, uint64_t name_hash, struct text *ret);

#endif
