/* Reading /proc/PID files relative to an open /proc: see proc_dir.h. */
#include "core/source/proc_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
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

static struct dirent *next(DIR *d, uint64_t *ret)
{
	struct dirent *e;

	while ((e = readdir(d)))
		if (proc_text_number(text_of(e->d_name), 10, ret))
			return e;
	return NULL;
}

const char *proc_dir_next(DIR *d, uint64_t *ret)
{
	const struct dirent *e = next(d, ret);

	return e ? e->d_name : NULL;
}

static int by_pid(const void *x, const void *y)
{
	const struct proc_dir_entry *a = x, *b = y;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

int proc_dir_list(int proc, struct proc_dir_entry **ret, uint32_t *ret_n)
{
	AUTO(proc_dir_closep) DIR *d = proc_dir_open(proc, ".");
	struct proc_dir_entry *list = NULL;
	const struct dirent *e;
	uint32_t n = 0, cap = 0;
	bool sorted = true;
	uint64_t pid;

	if (!d)
		return -errno;
	while ((e = next(d, &pid))) {
		if (n == cap) {
			cap = cap ? cap * 2 : 512;
			list = fd_xrealloc(list, cap, sizeof *list);
		}
		sorted = sorted && (n == 0 || list[n - 1].pid < pid);
		list[n++] = (struct proc_dir_entry){ .pid = pid, .inode = e->d_ino };
	}
	if (!sorted) /* procfs lists them in order, other file systems do not */
		qsort(list, n, sizeof *list, by_pid);
	*ret = list;
	*ret_n = n;
	return 0;
}

int proc_dir_pids(int proc, uint64_t **ret, uint32_t *ret_n)
{
	AUTO(fd_freep) struct proc_dir_entry *list = NULL;
	int r = proc_dir_list(proc, &list, ret_n);

	if (r < 0)
		return r;
	*ret = fd_xcalloc(*ret_n, sizeof **ret);
	for (uint32_t i = 0; i < *ret_n; i++)
		(*ret)[i] = list[i].pid;
	return 0;
}

ssize_t proc_dir_read_fd(int fd, char *buf, size_t cap)
{
	enum { SHORT = 3072 }; /* the kernel hands out a page at a time, in whole lines (seq_file): less is all there is */
	ssize_t n, more;

	do
		n = read(fd, buf, cap);
	while (n < 0 && errno == EINTR);
	if (n < SHORT)
		return n < 0 ? -errno : n;
	more = fd_read_all(fd, buf + n, cap - (size_t)n);
	return more < 0 ? more : n + more;
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

/* A living pid namespace has a process 1. */
bool proc_dir_is_hiding(int proc)
{
	uint64_t identity, uid;

	return proc_dir_look(proc, 1, &identity, &uid) == -ENOENT && proc_dir_look(proc, (uint64_t)getpid(), &identity, &uid) == 0;
}

void proc_dir_note_hiding(int proc, struct builder *b)
{
	if (proc_dir_is_hiding(proc))
		builder_note(b, EACCES, "/proc hides processes of others (hidepid): %s", rights_needed(RIGHT(CAP_SYS_PTRACE), (char[RIGHTS_TEXT]){ 0 }));
}

/* The machine's own pid namespace has this inode, PROC_PID_INIT_INO of the kernel's linux/proc_ns.h, since Linux 3.8. */
enum { FIRST_PIDNS = 0xeffffffc, KTHREADD = 2 };

static uint64_t own_pidns(int proc)
{
	uint64_t inode;

	return proc_dir_ns(proc, (uint64_t)getpid(), "pid", &inode) == 0 ? inode : 0;
}

bool proc_dir_is_inside(int proc)
{
	uint64_t own = own_pidns(proc);

	return own && own != FIRST_PIDNS;
}

/* kthreadd, the second process of a machine, stays in the namespaces that it began with. */
static bool has_kthreadd(int proc)
{
	return own_pidns(proc) == FIRST_PIDNS;
}

int proc_dir_open_netns(int proc, uint64_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof path, "%" PRIu64 "/ns/net", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 || pid != 1 || !err_denied(-errno) || !has_kthreadd(proc))
		return fd;
	snprintf(path, sizeof path, "%d/ns/net", KTHREADD);
	return openat(proc, path, O_RDONLY | O_CLOEXEC);
}

int proc_dir_host_ns(int proc, const char *kind, uint64_t *ret_inode)
{
	if (proc_dir_ns(proc, 1, kind, ret_inode) == 0 || (has_kthreadd(proc) && proc_dir_ns(proc, KTHREADD, kind, ret_inode) == 0))
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
