/* Processes of one target, from /proc (proc(5)). Which ones: those in its cgroup when that names a container, else in its pid
 * namespace, else in its network namespace; the host: all. Zombies and kernel threads included. */
#ifndef NSDBG_CORE_SOURCE_PROCESSES_H
#define NSDBG_CORE_SOURCE_PROCESSES_H

#include "core/source.h"

struct process_row {
	struct row_head head; /* id: pid and start */
	uint64_t pid;
	uint64_t ns_pid; /* innermost; unknown when it is not in a pid namespace of its own */
	uint64_t ppid;
	uint64_t uid;
	struct str user; /* name on the host (/etc/passwd, read at start), else digits */
	struct str state; /* "S" as in ps */
	double cpu_percent; /* since the sample before; first sample: since its start, as ps does. 100 = one core */
	uint64_t cpu_time_us;
	uint64_t rss_bytes;
	uint64_t threads;
	int64_t started_at;
	struct str command; /* arguments joined by spaces; "[name]" when there are none */
	struct str name; /* comm */
	uint64_t depth; /* in the tree, 0 = top; rows come in tree order */
	uint64_t start; /* clock ticks since boot */
	uint8_t same_netns; /* of the target; 0: shares only cgroup or pid namespace, or entered */
};
extern const struct row_type process_row_type; /* "ps" */

/* The walk without its worker. `proc` is lent; leader 0: none, go by netns. */
struct processes_scan;
struct processes_scan *processes_scan_new(int proc, uint64_t leader, uint64_t netns, bool is_host);
void processes_scan_free(struct processes_scan *s); /* NULL is fine */
/* Takes user names from an open passwd(5) file, at most 1 MiB of it; -1: none. */
void processes_scan_users(struct processes_scan *s, int passwd);
/* Takes the leader's open ns/pid: with it, numbers inside cost less to find (ioctl_nsfs(2), Linux 6.11). Owned by the scan from now on. */
void processes_scan_pidns(struct processes_scan *s, int fd);
int processes_scan_read(struct processes_scan *s, struct builder *b, struct err *err);

extern const struct source processes_source; /* sample(); CAGE_SCAN, CAP_SYS_PTRACE + CAP_DAC_READ_SEARCH */

#endif
