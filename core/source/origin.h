/*
 * Who runs a container, told by /proc alone: its parent process, its cgroup, what is mounted in it. Pure functions on bytes that other
 * processes chose; works when every daemon is dead, and for every cgroup driver (proc(5), cgroups(7)).
 */
#ifndef NSDBG_CORE_SOURCE_ORIGIN_H
#define NSDBG_CORE_SOURCE_ORIGIN_H

#include "core/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { ORIGIN_TEXT = 128, ORIGIN_ADDRESS = 108 };

/* Text that was not found is "". */
struct origin {
	char runtime[16]; /* "docker", "podman", "containerd", "cri", "lxc", "nspawn" */
	char id[ORIGIN_TEXT];
	char name[ORIGIN_TEXT];
	char space[64]; /* containerd's namespace, or Kubernetes' */
	char pod[ORIGIN_TEXT];
	char address[ORIGIN_ADDRESS]; /* socket of the containerd that its shim answers to */
};

/* Processes that have containers as children, and daemons that listen; by command name (comm). */
enum origin_parent {
	ORIGIN_NOBODY,
	ORIGIN_CONMON, /* podman, CRI-O: one container each */
	ORIGIN_SHIM, /* containerd: one container, or a pod */
	ORIGIN_LXC,
	ORIGIN_NSPAWN,
	ORIGIN_DAEMON, /* dockerd, podman's service, containerd, crio: no children that count */
};
enum origin_parent origin_parent_of(struct text comm);

/* The container that a process with these arguments (cmdline: each ended by NUL) runs. False: none, or only an exec'd command. */
bool origin_from_parent(enum origin_parent kind, struct text cmdline, struct origin *ret);

/* Where conmon with these arguments keeps the files of its container ("-b DIR"); false: not said, or not an absolute path. */
bool origin_bundle(struct text cmdline, char *ret, size_t cap);

/* From /proc/PID/cgroup: the innermost component of any line that an engine made. `runtime` stays "" for a bare id of 64 digits. */
bool origin_from_cgroup(struct text bytes, struct origin *ret);

/* From /proc/PID/mountinfo: where hosts, hostname and resolv.conf come from. Those of a shared network namespace name its owner. */
bool origin_from_mounts(struct text bytes, struct origin *ret);

/* Socket that a daemon of `uid` with these arguments listens on, "unix:///run/x.sock", and the kind's name ("docker"): what root's daemon
 * says, else the place where it listens by default. Users are not asked: only their default place counts. False: not known. */
bool origin_endpoint(struct text cmdline, uint64_t uid, const char **ret_kind, char ret[ORIGIN_ADDRESS + 8]);

#endif
