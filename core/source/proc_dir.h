/* Reading /proc/PID files relative to an open /proc: one place for paths, bounds and races with processes that leave. */
#ifndef NSDBG_CORE_SOURCE_PROC_DIR_H
#define NSDBG_CORE_SOURCE_PROC_DIR_H

#include <dirent.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens the directory `name` under `at` for proc_dir_next. NULL with errno. */
DIR *proc_dir_open(int at, const char *name);
void proc_dir_closep(DIR **d); /* for AUTO */

/* Name of the next entry that is a number, good until the next call; NULL at the end. */
const char *proc_dir_next(DIR *d, uint64_t *ret);

/* A process and the inode of its directory, as proc_dir_look says it. */
struct proc_dir_entry {
	uint64_t pid, inode;
};

/* All processes in ascending order, memory owned by the caller; 0 or -errno. */
int proc_dir_list(int proc, struct proc_dir_entry **ret, uint32_t *ret_n);

/* All processes in ascending order, memory owned by the caller; 0 or -errno. */
int proc_dir_pids(int proc, uint64_t **ret, uint32_t *ret_n);

/* All of an open file of procfs, sysfs or a control group, as fd_read_all; without the second read(2) that only sees the end of a short one. */
ssize_t proc_dir_read_fd(int fd, char *buf, size_t cap);

/* Reads PID/name, at most cap-1 bytes and a NUL; returns the length or -errno. */
ssize_t proc_dir_read(int proc, uint64_t pid, const char *name, char *buf, size_t cap);

/* Inode of PID/ns/KIND ("net", "pid"); 0 or -errno. -ENOENT also for zombies. */
int proc_dir_ns(int proc, uint64_t pid, const char *kind, uint64_t *ret_inode);

/* The same of the host: of pid 1; if we may not look at it (it may hold rights that we cannot have), of kthreadd, else of ourselves. */
int proc_dir_host_ns(int proc, const char *kind, uint64_t *ret_inode);

/* Is /proc mounted with hidepid, which leaves processes of others out (proc(5))? Then adds a note: what was read is not all. */
struct builder;
bool proc_dir_is_hiding(int proc);
void proc_dir_note_hiding(int proc, struct builder *b);

/* Opens the network namespace of a process; of pid 1, when we may not look at it, kthreadd's. -1: errno says why. */
int proc_dir_open_netns(int proc, uint64_t pid);

/* Are we in a pid namespace of our own: a container's, not the machine's? false: not known either. */
bool proc_dir_is_inside(int proc);

/*
 * A number that changes when the pid is taken by another process: the inode of PID in procfs, made when its dentry is made and
 * dropped when the process ends. It may also change while the process lives (memory pressure); then cached facts are read again.
 * And its effective user: who owns PID itself, dumpable or not (task_dump_owner in fs/proc/base.c). 0 or -errno.
 */
int proc_dir_look(int proc, uint64_t pid, uint64_t *ret_identity, uint64_t *ret_uid);

#endif
