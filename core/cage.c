/*
 * Giving rights up: see cage.h. The order matters: bounding set while CAP_SETPCAP is there, then the user, then capabilities;
 * PR_SET_PDEATHSIG after the user change, which clears it (security.md E29); the filter last.
 */
#include "core/cage.h"

#include "core/cage_filter.h"
#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534, LAST_CAP = 63, MAX_FILES = 1 << 20 };

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* --- capabilities --- */

int cage_set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};

	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

/* Both 0 when the kernel does not say. */
static void get_caps(uint64_t *ret_effective, uint64_t *ret_permitted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	bool good = syscall(SYS_capget, &head, data) == 0;

	*ret_effective = good ? (uint64_t)data[1].effective << 32 | data[0].effective : 0;
	*ret_permitted = good ? (uint64_t)data[1].permitted << 32 | data[0].permitted : 0;
}

uint64_t cage_caps(void)
{
	uint64_t effective, permitted;

	get_caps(&effective, &permitted);
	return effective;
}

uint64_t cage_permitted_caps(void)
{
	uint64_t effective, permitted;

	get_caps(&effective, &permitted);
	return permitted;
}

void cage_drop_bounding(uint64_t keep)
{
	for (int c = 0; c <= LAST_CAP; c++)
		if (!(keep >> c & 1) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return; /* past the last one, or refused without CAP_SETPCAP: then there is nothing to gain either */
}

int cage_keep_caps(uint64_t caps, struct err *err)
{
	uint64_t keep = caps & cage_caps();
	int r;

	cage_drop_bounding(keep);
	r = cage_set_caps(keep, keep, 0);
	if (r < 0)
		return err_set(err, -r, "reduce capabilities");
	return 0;
}

int cage_rest_caps(uint64_t caps, struct err *err)
{
	uint64_t have = cage_caps();
	int r = cage_set_caps(caps & have, have, 0);

	return r < 0 ? err_set(err, -r, "reduce capabilities") : 0;
}

void cage_raise_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t permitted;

	if (syscall(SYS_capget, &head, data) < 0)
		return;
	permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	cage_set_caps(cage_caps() | (caps & permitted), permitted, 0);
}

/* --- user --- */

/* user_namespaces(7): a user namespace made by an ordinary user alone, which maps no other user. Its root is that user. */
static bool is_single_user(void)
{
	AUTO(fd_closep) int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
	char word[8] = "";

	return fd >= 0 && fd_read_all(fd, word, sizeof word - 1) > 0 && strncmp(word, "deny", 4) == 0;
}

static int become(unsigned uid, unsigned gid, struct err *err)
{
	uid_t a, b, c;

	if (setgroups(0, NULL) < 0)
		return errno == EPERM && is_single_user() ? 0 : err_set(err, errno, "leave all groups");
	if (setresgid(gid, gid, gid) < 0)
		return err_set(err, errno, "become group %u", gid);
	if (setresuid(uid, uid, uid) < 0)
		return err_set(err, errno, "become user %u", uid);
	if (getresuid(&a, &b, &c) < 0 || a != uid || b != uid || c != uid)
		return err_set(err, EPERM, "become user %u", uid);
	if (uid != 0 && setuid(0) == 0)
		return err_set(err, EPERM, "stay user %u: root came back", uid);
	return 0;
}

static int finish_drop(uint64_t caps, struct err *err)
{
	int r = cage_set_caps(caps, caps, 0);

	if (r < 0)
		return err_set(err, -r, "reduce capabilities");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "set no_new_privs");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

/*
 * Descriptors under way to a reader count for their sender's user on the whole host, and sending more than RLIMIT_NOFILE fails
 * (ETOOMANYREFS, unix(7)). With a low limit one nsdbg that was stopped, or anything of user nobody in a container, silences every worker,
 * and a front that hands over its sockets.
 */
static void raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max = files.rlim_max < MAX_FILES ? files.rlim_max : MAX_FILES;
	setrlimit(RLIMIT_NOFILE, &files);
}

int cage_drop_user(unsigned uid, unsigned gid, struct err *err)
{
	int r = 0;

	cage_drop_bounding(0);
	if (geteuid() == 0)
		r = become(uid, gid, err);
	if (r < 0)
		return r;
	raise_files();
	return finish_drop(0, err);
}

static void set_limits(void)
{
	struct rlimit core = { 0, 0 }, space = { 2048ul << 20, 2048ul << 20 };

	setrlimit(RLIMIT_CORE, &core);
	raise_files();
	if (!SANITIZED) /* the shadow memory of a sanitizer is larger than any limit */
		setrlimit(RLIMIT_AS, &space);
}

int cage_enter(enum cage cage, uint64_t caps, bool keep_uid, struct err *err)
{
	bool is_root = geteuid() == 0;
	uint64_t keep = caps & cage_caps();
	pid_t parent = getppid();
	int r;

	set_limits();
	cage_drop_bounding(keep);
	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
		SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED, 0, 0, 0);
	if (keep && is_root && !keep_uid && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "keep capabilities over the user change");
	if (is_root && !keep_uid) {
		r = become(NOBODY, NOBODY, err);
		if (r < 0)
			return r;
	}
	r = finish_drop(keep, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		return err_set(err, ECHILD, "stay with the parent process");
	return cage_filter_load(cage, err);
}
