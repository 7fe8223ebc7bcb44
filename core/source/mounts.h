/* Of what kind is the mount that an open file lies on? Told by /proc, so a file system that does not answer cannot hold us up. */
#ifndef NSDBG_CORE_SOURCE_MOUNTS_H
#define NSDBG_CORE_SOURCE_MOUNTS_H

#include "core/text.h"

enum { MOUNTS_TYPE = 64 };

/* Type of fd's mount, "ext4", "fuse.sshfs". `dir` is /proc/PID of a process that sees the mount; -1: ourselves. False: not found. */
bool mounts_type(int proc, int dir, int fd, char ret[MOUNTS_TYPE]);

/* The same out of the bytes of mountinfo, proc_pid_mountinfo(5). */
bool mounts_find(struct text mountinfo, uint64_t id, char ret[MOUNTS_TYPE]);

/* Did mounts come or go since this was asked last, or the file was opened? proc_pid_mounts(5). */
bool mounts_changed(int fd);

/* Whole of an open mountinfo from its beginning, owned by the caller; NULL: not readable, or fd -1. */
char *mounts_read(int fd, size_t *ret_n);

#endif
