/* Reading /proc/PID files relative to an open /proc: see proc_dir.h. */
#include "core/source/proc_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/source/proc_text.h"

DIR *proc_dir_open(int at, const char *name)
{
	AUTO(fd_closep) int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d)
		fd_take(&fd);
	return d;
}

void proc_dir_closep(DIR **d)
{
	if (*d)
		closedir(*d);
	*d = NULL;
}

const char *proc_dir_next(DIR *d, uint64_t *ret)
{
	struct dirent *e;

	while ((e = readdir(d)))
		if (proc_text_number(text_of(e->d_name), 10, ret))
			return e->d_name;
	return NULL;
}

static int by_number(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

int proc_dir_pids(int proc, uint64_t **ret, uint32_t *ret_n)
{
	AUTO(proc_dir_closep) DIR *d = proc_dir_open(proc, ".");
	uint64_t *pids = NULL, pid;
	uint32_t n = 0, cap = 0;
	bool sorted = true;

	if (!d)
		return -errno;
	while (proc_dir_next(d, &pid)) {
		if (n == cap) {
			cap = cap ? cap * 2 : 512;
			pids = fd_xrealloc(pids, cap, sizeof *pids);
		}
		sorted = sorted && (n == 0 || pids[n - 1] < pid);
		pids[n++] = pid;
	}
	if (!sorted) /* procfs lists them in order, other file systems do not */
		qsort(pids, n, sizeof *pids, by_number);
	*ret = pids;
	*ret_n = n;
	return 0;
}

ssize_t proc_dir_read(int proc, uint64_t pid, const char *name, char *buf, size_t cap)
{
	AUTO(fd_closep) int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof path, "%" PRIu64 "/%s", pid, name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	/* One read gets all of such a file, as far as it fits: a second one only to see the end would cost a fifth of the time. */
	do
		n = read(fd, buf, cap - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf[n] = 0;
	return n;
}

int proc_dir_ns(int proc, uint64_t pid, const char *kind, uint64_t *ret_inode)
{
	char path[64], link[64];
	ssize_t n;

	snprintf(path, sizeof path, "%" PRIu64 "/ns/%s", pid, kind);
	n = readlinkat(proc, path, link, sizeof link);
	if (n < 0)
		return -errno;
	return proc_text_link((struct text){ .p = link, .n = (size_t)n }, kind, ret_inode) ? 0 : -EINVAL;
}

int proc_dir_host_ns(int proc, const char *kind, uint64_t *ret_inode)
{
	if (proc_dir_ns(proc, 1, kind, ret_inode) == 0)
		return 0;
	return proc_dir_ns(proc, (uint64_t)getpid(), kind, ret_inode);
}

int proc_dir_look(int proc, uint64_t pid, uint64_t *ret_identity, uint64_t *ret_uid)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof path, "%" PRIu64, pid);
	if (fstatat(proc, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret_identity = st.st_ino;
	*ret_uid = st.st_uid;
	return 0;
}

int proc_dir_identity(int proc, uint64_t pid, uint64_t *ret)
{
	uint64_t uid;

	return proc_dir_look(proc, pid, ret, &uid);
}
