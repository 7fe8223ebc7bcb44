/*
 * Mounts of a tool's own mount namespace: see stage.h. Nothing is made on the host: the tmpfs for the copies is mounted over /sys, bound from
 * there, and taken away again before the tool's own /sys comes. All ends with the last process in the namespace, however it ends.
 */
#include "core/tool/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"

static const char stage[] = "/sys";

int tool_stage_enter(struct err *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return rights_refused(err, errno, CAP_SYS_ADMIN, -1, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(err, errno, "make the mount namespace private");
	return 0;
}

/* --- copies over /etc --- */

static int write_copy(int from, const char *path)
{
	AUTO(fd_closep) int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct stat st;
	off_t at = 0;

	if (to < 0 || fstat(from, &st) < 0)
		return -errno;
	fchmod(to, 0644);
	while (at < st.st_size)
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			return -EIO;
	return 0;
}

/* Follows links at `to`, as mount(2) does: a linked resolv.conf is covered where it really is. */
static int bind_read_only(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		return -errno;
	return mount(NULL, to, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}

/* Caches and resolvers of the host must not answer for the container: their sockets are behind an empty directory. */
static const char *const daemons[] = { "/run/nscd", "/run/systemd/resolve" };

static void cover_daemons(void)
{
	char dir[64];

	snprintf(dir, sizeof dir, "%s/run", stage);
	for (size_t i = 0; i < ARRAY_LEN(daemons); i++)
		bind_read_only(dir, daemons[i]); /* not there: nothing to cover */
}

static int fill_stage(const struct tool_names *names)
{
	static const char *const copies[TOOL_NAME_FILES] = { "resolv.conf", "hosts", "nsswitch.conf" };
	char path[64];
	int r = 0;

	snprintf(path, sizeof path, "%s/run", stage);
	mkdir(path, 0755);
	chmod(path, 0755);
	for (int i = 0; r == 0 && i < TOOL_NAME_FILES; i++) {
		snprintf(path, sizeof path, "%s/%s", stage, copies[i]);
		r = write_copy(names->files[i], path);
	}
	/* Where systemd-resolved's are: /etc/resolv.conf may be a link to one of these. */
	snprintf(path, sizeof path, "%s/run/stub-resolv.conf", stage);
	if (r == 0)
		r = write_copy(names->files[TOOL_RESOLV], path);
	snprintf(path, sizeof path, "%s/run/resolv.conf", stage);
	return r < 0 ? r : write_copy(names->files[TOOL_RESOLV], path);
}

static void cover_files(char *note)
{
	char from[64];

	for (int i = 0; i < TOOL_NAME_FILES; i++) {
		int r;

		snprintf(from, sizeof from, "%s/%s", stage, strrchr(tool_name_paths[i], '/') + 1);
		r = bind_read_only(from, tool_name_paths[i]);
		if (r < 0 && i != TOOL_NSSWITCH) /* without it, glibc does "files dns" by itself */
			snprintf(note, TOOL_NAME_WHY, "the host has no %s that could be covered (%s): the tool does not see the target's",
				tool_name_paths[i], strerror(-r));
	}
}

static int cover_names(const struct tool_names *names, char *note, struct err *err)
{
	int r;

	if (mount("nsdbg", stage, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=8m,mode=0755") < 0)
		return err_set(err, errno, "mount a tmpfs in the tool's own mount namespace");
	r = fill_stage(names);
	if (r == 0) {
		cover_daemons();
		cover_files(note);
	}
	umount2(stage, MNT_DETACH); /* the bound copies keep what they need */
	return r < 0 ? err_set(err, -r, "copy the target's files") : 0;
}

/* --- /sys --- */

/* Mounts below the host's /sys that tools look for. */
static const char *const below_sys[] = { "/sys/fs/cgroup", "/sys/fs/bpf", "/sys/kernel/debug", "/sys/kernel/tracing",
	"/sys/kernel/security" };

/* 1: what stands there shows this very network namespace already, which mount(2) says by EBUSY. 0 or -errno. */
static int mount_over_sys(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount("sysfs", "/sys", "sysfs", flags, NULL) < 0)
		return errno == EBUSY ? 1 : -errno;
	return mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0 ? -errno : 0;
}

static int mount_sys(struct err *err)
{
	int kept[ARRAY_LEN(below_sys)], r;
	char from[32];

	for (size_t i = 0; i < ARRAY_LEN(below_sys); i++)
		kept[i] = open(below_sys[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = mount_over_sys();
	for (size_t i = 0; i < ARRAY_LEN(below_sys); i++) {
		snprintf(from, sizeof from, "/proc/self/fd/%d", kept[i]);
		if (r == 0 && kept[i] >= 0)
			mount(from, below_sys[i], NULL, MS_BIND | MS_REC, NULL);
		fd_closep(&kept[i]);
	}
	return r < 0 ? err_set(err, -r, "mount the /sys of the target's network namespace") : 0;
}

int tool_stage_files(const struct tool_names *names, char *note, struct err *err)
{
	int r = names ? cover_names(names, note, err) : 0;

	return r < 0 ? r : mount_sys(err);
}
