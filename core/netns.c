/*
 * Gives and takes names below /run/netns: see netns.h. The directory is made and shared as ip-netns(8) does when it is not there, and
 * taken away again with our last name if it was made by us. The lock on the directory is the one that iproute2 takes.
 */
#include "core/netns.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { TREE_CLONE = 1, LOCK_TRIES = 150, LOCK_PAUSE_MS = 20, MARK_MAX = 64, PATH_TEXT = sizeof NETNS_DIR + MSG_NAME_TEXT };

static const char mark_head[] = "nsdbg 1 ";
static const char made_attr[] = "trusted.nsdbg"; /* on the directory: "dir" we made it, "mount" we only mounted it */

/* --- names --- */

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool netns_name_valid(const char *name)
{
	size_t n = strnlen(name, MSG_NAME_TEXT);

	if (n == 0 || n == MSG_NAME_TEXT || name[0] == '.' || name[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_name_byte(name[i]))
			return false;
	return true;
}

void netns_name_make(struct text from, const char *suffix, char ret[MSG_NAME_TEXT])
{
	struct text tail = text_of(suffix);
	size_t n = 0, room = MSG_NAME_TEXT - 1 - (tail.n ? tail.n + 1 : 0);

	while (from.n && !(is_name_byte(from.p[0]) && from.p[0] != '.' && from.p[0] != '-')) {
		from.p++;
		from.n--;
	}
	for (; n < room && n < from.n; n++)
		ret[n] = is_name_byte(from.p[n]) ? from.p[n] : '_';
	if (n == 0)
		ret[n++] = '_';
	if (tail.n) {
		ret[n++] = '-';
		memcpy(ret + n, tail.p, tail.n);
		n += tail.n;
	}
	ret[n] = 0;
}

/* --- marks --- */

int netns_below(void)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, NETNS_DIR, TREE_CLONE | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Whole and exactly as we write it, or it is not ours. */
static bool mark_parse(const char *text, uint64_t *ret_inode)
{
	size_t n = sizeof mark_head - 1;
	unsigned long long v;
	char *end;

	if (strncmp(text, mark_head, n) != 0 || text[n] < '1' || text[n] > '9')
		return false;
	errno = 0;
	v = strtoull(text + n, &end, 10);
	if (errno || strcmp(end, "\n") != 0)
		return false;
	*ret_inode = v;
	return true;
}

bool netns_mark(int below, const char *name, uint64_t *ret_inode)
{
	AUTO(fd_closep) int fd = openat(below, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char text[MARK_MAX];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 || st.st_size >= MARK_MAX)
		return false;
	n = fd_read_all(fd, text, sizeof text - 1);
	if (n <= 0)
		return false;
	text[n] = 0;
	return mark_parse(text, ret_inode);
}

static int mark_write(int fd, uint64_t inode, struct err *err)
{
	char text[MARK_MAX];
	int n = snprintf(text, sizeof text, "%s%" PRIu64 "\n", mark_head, inode), r = fd_write_all(fd, text, (size_t)n);

	if (r == 0 && fchmod(fd, 0444) < 0) /* readable for the list, whatever the umask */
		r = -errno;
	return r < 0 ? err_set(err, -r, "write below " NETNS_DIR) : 0;
}

/* --- what a name is now --- */

struct named {
	bool is_there;
	bool is_ours;
	bool is_mounted; /* a namespace covers the file */
	bool is_covered; /* something else does */
	uint64_t marked; /* inode in our mark */
	uint64_t mounted; /* inode of the namespace */
};

static void name_path(const char *name, char ret[PATH_TEXT])
{
	snprintf(ret, PATH_TEXT, NETNS_DIR "/%.*s", MSG_NAME_TEXT - 1, name);
}

static int look(const char *name, struct named *ret, struct err *err)
{
	AUTO(fd_closep) int below = netns_below();
	AUTO(fd_closep) int top = -1;
	struct stat file, shown;
	char path[PATH_TEXT];
	struct statfs fs;

	*ret = (struct named){ 0 };
	if (below < 0)
		return err_set(err, -below, "look below the mounts on " NETNS_DIR ": needs CAP_SYS_ADMIN and Linux 5.2");
	name_path(name, path);
	top = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0 || fstatat(below, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (fstat(top, &shown) < 0 || fstatfs(top, &fs) < 0)
		return err_set(err, errno, "look at %s", path);
	ret->is_there = true;
	ret->is_ours = netns_mark(below, name, &ret->marked);
	ret->is_mounted = fs.f_type == NSFS_MAGIC;
	ret->is_covered = !ret->is_mounted && (file.st_ino != shown.st_ino || file.st_dev != shown.st_dev);
	ret->mounted = ret->is_mounted ? shown.st_ino : 0;
	return 0;
}

/* --- the directory --- */

/* Other programs hold the lock for moments only; one that hangs must not hang us. */
static int lock(int dir, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000 };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(dir, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(err, errno, "lock " NETNS_DIR);
		nanosleep(&pause, NULL);
	}
	return err_set(err, ETIMEDOUT, "another program holds the lock on " NETNS_DIR "; try again");
}

static int open_dir(int *ret, struct err *err)
{
	AUTO(fd_closep) int dir = open(NETNS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0 && errno == ENOENT)
		return err_set(err, ENOENT, "there are no names: " NETNS_DIR " does not exist");
	if (dir < 0)
		return err_set(err, errno, "open " NETNS_DIR);
	*ret = fd_take(&dir);
	return 0;
}

static bool is_mount_point(int dir)
{
	struct statx st;

	return statx(dir, "", AT_EMPTY_PATH, STATX_INO, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* A mount of its own that passes mounts on to other mount namespaces, as ip-netns(8) sets it up; one that is there stays as it is. */
static int share_dir(int dir, bool made, struct err *err)
{
	const char *what = made ? "dir" : "mount";

	if (is_mount_point(dir))
		return 0;
	if (mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
		mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		return rights_refused(err, errno, CAP_SYS_ADMIN, -1, "mount " NETNS_DIR);
	setxattr(NETNS_DIR, made_attr, what, strlen(what), 0); /* no extended attributes here: then it stays */
	return 0;
}

/* *ret_lock: keep open as long as it is worked on. */
static int prepare_dir(int *ret_lock, int *ret_dir, struct err *err)
{
	AUTO(fd_closep) int first = -1;
	bool made = mkdir(NETNS_DIR, 0755) == 0;
	int r;

	if (!made && errno != EEXIST)
		return rights_refused(err, errno, CAP_DAC_OVERRIDE, -1, "make " NETNS_DIR);
	if (made)
		chmod(NETNS_DIR, 0755); /* whatever the umask */
	r = open_dir(&first, err);
	if (r == 0)
		r = lock(first, err);
	if (r == 0)
		r = share_dir(first, made, err);
	if (r == 0)
		r = open_dir(ret_dir, err); /* once more: on the new mount */
	if (r < 0) {
		if (made)
			rmdir(NETNS_DIR);
		return r;
	}
	*ret_lock = fd_take(&first);
	return 0;
}

static bool is_empty(void)
{
	DIR *d = opendir(NETNS_DIR);
	const struct dirent *e;
	unsigned n = 0;

	if (!d)
		return false;
	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n == 0;
}

/* What we made for our names goes with the last name, also if that was another's. */
static void undo_dir(void)
{
	char what[8] = "";

	if (!is_empty() || getxattr(NETNS_DIR, made_attr, what, sizeof what - 1) <= 0)
		return;
	removexattr(NETNS_DIR, made_attr);
	if (umount2(NETNS_DIR, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 && strcmp(what, "dir") == 0)
		rmdir(NETNS_DIR);
}

/* --- attach --- */

static int put_name(int dir, const char *name, const struct worker_target *t, struct err *err)
{
	AUTO(fd_closep) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
	char path[PATH_TEXT], from[32];
	int r;

	if (fd < 0)
		return err_set(err, errno, "make " NETNS_DIR "/%s", name);
	name_path(name, path);
	snprintf(from, sizeof from, "/proc/self/fd/%d", t->netns);
	r = mark_write(fd, t->netns_inode, err);
	if (r == 0 && mount(from, path, "none", MS_BIND, NULL) < 0)
		r = rights_refused(err, errno, CAP_SYS_ADMIN, -1, "mount the namespace on %s", path);
	if (r < 0)
		unlinkat(dir, name, 0);
	return r;
}

static int attach_in(int dir, const char *name, const struct worker_target *t, struct err *err)
{
	struct named now;
	int r = look(name, &now, err);

	if (r < 0)
		return r;
	if (now.is_ours && now.is_mounted && now.mounted == t->netns_inode)
		return 0;
	if (now.is_ours && !now.is_mounted && !now.is_covered && unlinkat(dir, name, 0) == 0)
		now.is_there = false; /* left behind by a reboot or by somebody's umount */
	if (now.is_there)
		return err_set(err, EEXIST, "the name %s is taken: choose another with --name", name);
	return put_name(dir, name, t, err);
}

static int attach(const struct msg_name *m, struct err *err)
{
	struct worker_target t = { .ref = m->target, .proc = -1, .dir = -1, .pidfd = -1, .netns = -1, .root = -1 };
	int first = -1, dir = -1, r; /* all descriptors end with this process */

	if (m->target.kind != TARGET_PID && m->target.kind != TARGET_PATH)
		return err_set(err, EINVAL, "only containers, processes and namespaces can be given a name");
	r = worker_pin(&t, err);
	if (r == 0)
		r = prepare_dir(&first, &dir, err);
	if (r < 0)
		return r;
	r = attach_in(dir, m->name, &t, err);
	if (r < 0)
		undo_dir();
	return r;
}

/* --- detach --- */

static int take_name(int dir, const struct msg_name *m, struct err *err)
{
	char path[PATH_TEXT];
	struct named now;
	int r = look(m->name, &now, err);

	if (r < 0)
		return r;
	if (!now.is_there)
		return err_set(err, ENOENT, "no name %s: nsdbg netns list says which there are", m->name);
	if (!now.is_ours)
		return err_set(err, EPERM, "the name %s is not nsdbg's; ip netns del %s takes it away", m->name, m->name);
	if (now.is_covered || (now.is_mounted && now.mounted != now.marked))
		return err_set(err, EPERM, "somebody mounted something else over the name %s; it is left alone", m->name);
	if (m->netns && m->netns != now.marked)
		return err_set(err, ESRCH, "the name %s has come to stand for another namespace", m->name);
	name_path(m->name, path);
	if (now.is_mounted && umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return rights_refused(err, errno, CAP_SYS_ADMIN, -1, "unmount %s", path);
	if (unlinkat(dir, m->name, 0) < 0)
		return err_set(err, errno, "remove %s", path);
	return 0;
}

static int detach(const struct msg_name *m, struct err *err)
{
	int dir = -1, r = open_dir(&dir, err);

	if (r == 0)
		r = lock(dir, err);
	if (r == 0)
		r = take_name(dir, m, err);
	if (r == 0)
		undo_dir();
	return r;
}

int netns_serve(const struct msg_name *m, struct err *err)
{
	if (!memchr(m->name, 0, sizeof m->name) || !netns_name_valid(m->name))
		return err_set(err, EINVAL, "a name is 1-63 letters, digits and _ . - and does not begin with . or -");
	if (geteuid() != 0)
		return err_set(err, EPERM, "names below " NETNS_DIR " need root; run with sudo");
	return m->op == MSG_NAME_ATTACH ? attach(m, err) : m->op == MSG_NAME_DETACH ? detach(m, err) : err_set(err, EINVAL, "no such request");
}
