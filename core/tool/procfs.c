/*
 * The /proc of another pid namespace for a tool that stays outside of it. Since Linux 6.17 procfs takes the namespace as an option, so nobody
 * enters. There /proc/self would lead nowhere: the host's /proc is kept at /proc/tty/ldisc, a directory that is always there and always
 * empty, and links to it are mounted over self and thread-self. (sys/mount.h and linux/mount.h collide in some libc: syscall(2) here.)
 */
#include "core/tool/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"

static const char hidden[] = "/proc/tty/ldisc";

enum { LAZY_UMOUNT = 2 }; /* MNT_DETACH */

static int fs_mount(int fs)
{
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int attach(int mount, const char *path)
{
	return syscall(SYS_move_mount, mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static int clone_mount(int at, const char *path)
{
	int fd = (int)syscall(SYS_open_tree, at, path,
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH));

	return fd < 0 ? -errno : fd;
}

/* --- the procfs --- */

/* By option: a descriptor of the mount, or -errno. */
static int proc_by_option(int pid_namespace)
{
	AUTO(fd_closep) int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_FD, "pidns", NULL, pid_namespace) < 0)
		return -errno;
	return fs_mount(fs);
}

/* A child with our table of descriptors: what it opens, we have. Its end says the number; 0: it failed. */
static pid_t fork_with_files(void)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_FILES | SIGCHLD), NULL, NULL, NULL, 0);
}

static int wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static int mount_inside(void)
{
	AUTO(fd_closep) int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	int mount = fs < 0 ? -1 : fs_mount(fs);

	return mount > 0 && mount < 256 ? mount : 0;
}

/* Two children: who calls setns(2) is not in the namespace, its children are; and ours must not be. */
static int proc_by_child(int pid_namespace)
{
	pid_t pid = fork_with_files();
	int fd;

	if (pid == 0) {
		pid_t inner = setns(pid_namespace, CLONE_NEWPID) < 0 ? -1 : fork_with_files();

		if (inner == 0)
			_exit(mount_inside());
		_exit(wait_for(inner));
	}
	fd = wait_for(pid);
	return fd > 0 ? fd : -EPERM;
}

int tool_procfs_open(int pid_namespace, bool may_enter, int *ret, struct err *err)
{
	int fd = proc_by_option(pid_namespace);

	if (fd < 0 && !may_enter)
		return err_set(err, EPERM, "--proc: this kernel mounts such a /proc only from inside, where the container's processes may trace "
			"(CAP_SYS_PTRACE) and overwrite nsdbg; --force does it all the same");
	if (fd < 0)
		fd = proc_by_child(pid_namespace);
	if (fd < 0)
		return err_set(err, -fd, "mount the /proc of the target's pid namespace");
	*ret = fd;
	return 0;
}

/* --- /proc/self --- */

static const char *const selves[] = { "self", "thread-self" };

static int link_selves(int tmpfs)
{
	char target[48], path[48];

	for (size_t i = 0; i < ARRAY_LEN(selves); i++) {
		AUTO(fd_closep) int link = -1;

		snprintf(target, sizeof target, "%s/%s", hidden + strlen("/proc/"), selves[i]);
		snprintf(path, sizeof path, "/proc/%s", selves[i]);
		if (symlinkat(target, tmpfs, selves[i]) < 0)
			return -errno;
		link = clone_mount(tmpfs, selves[i]);
		if (link < 0 || attach(link, path) < 0)
			return link < 0 ? link : -EINVAL;
	}
	return 0;
}

static int keep_selves(int host_proc)
{
	AUTO(fd_closep) int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	AUTO(fd_closep) int tmpfs = fs < 0 ? -1 : fs_mount(fs);
	int r = tmpfs < 0 ? -errno : attach(tmpfs, hidden);

	if (r == 0)
		r = link_selves(tmpfs);
	syscall(SYS_umount2, hidden, LAZY_UMOUNT);
	return r < 0 ? r : attach(host_proc, hidden);
}

/* --- the whole --- */

int tool_procfs_attach(int procfs, bool outside, struct err *err)
{
	AUTO(fd_closep) int host = clone_mount(AT_FDCWD, "/proc");
	int r = attach(procfs, "/proc");

	if (r < 0)
		return err_set(err, -r, "cover /proc with the target's");
	if (outside && host >= 0)
		keep_selves(host); /* refused by a kernel: top and htop work without */
	return 0;
}
