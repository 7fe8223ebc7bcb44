/*
 * lab web|db|client|dns [ARG]            runs a role right here
 * lab enter NAME DIR ROLE [ARG]          runs it like a container: network namespace NAME, own pid, mount, uts and ipc namespaces and a
 *                                        root of its own with nothing but this program and DIR/etc; prints the pid
 * lab keep PID COMMAND...                waits until PID ends, then runs COMMAND: how a lab goes away when its shell was killed
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

static const struct role {
	const char *name;
	int (*run)(const char *arg);
} roles[] = {
	{ "web", lab_web },
	{ "db", lab_db },
	{ "client", lab_client },
	{ "dns", lab_dns },
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "lab: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(int r, const char *what)
{
	if (r < 0)
		die(what);
}

static void copy_file(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	must(in, from);
	must(out, to);
	while (sendfile(out, in, NULL, 1 << 20) > 0)
		;
	close(in);
	close(out);
}

/* A root file system as FROM scratch has it: the program, /etc for resolvers, /proc. */
static void make_root(const char *dir, const char *role)
{
	static const char *const etc[] = { "etc/resolv.conf", "etc/hosts", "etc/nsswitch.conf" };
	char from[512];

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make mounts private");
	must(mount("lab", "/mnt", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=16m"), "mount a root");
	for (unsigned i = 0; i < 4; i++)
		must(mkdir((const char *[]){ "/mnt/etc", "/mnt/proc", "/mnt/bin", "/mnt/old" }[i], 0755), "mkdir");
	for (unsigned i = 0; i < sizeof etc / sizeof etc[0]; i++) {
		char to[64];

		snprintf(from, sizeof from, "%s/%s", dir, etc[i]);
		snprintf(to, sizeof to, "/mnt/%s", etc[i]);
		copy_file(from, to, 0644);
	}
	snprintf(from, sizeof from, "/mnt/bin/%s", role);
	copy_file("/proc/self/exe", from, 0755);
	must(mount("proc", "/mnt/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "mount /proc");
	must(chdir("/mnt"), "chdir");
	must((int)syscall(SYS_pivot_root, ".", "old"), "pivot_root");
	must(umount2("/old", MNT_DETACH), "leave the old root");
}

static _Noreturn void run_inside(const char *name, const char *dir, char **argv)
{
	char path[64];
	int null = open("/dev/null", O_RDWR);

	setsid();
	must(sethostname(name, strlen(name)), "sethostname");
	for (int fd = 0; fd < 3; fd++)
		must(dup2(null, fd), "/dev/null");
	syscall(SYS_close_range, 3, ~0U, 0);
	make_root(dir, argv[0]);
	snprintf(path, sizeof path, "/bin/%s", argv[0]);
	execve(path, argv, (char *[]){ NULL });
	die(path);
}

static int cmd_enter(int argc, char **argv)
{
	char path[256];
	int net;
	pid_t pid;

	if (argc < 5)
		return 2;
	snprintf(path, sizeof path, "/run/netns/%s", argv[2]);
	net = open(path, O_RDONLY | O_CLOEXEC);
	must(net, path);
	must(setns(net, CLONE_NEWNET), "enter the network namespace");
	must(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC), "unshare");
	pid = fork();
	must(pid, "fork");
	if (pid == 0)
		run_inside(argv[2], argv[3], argv + 4);
	printf("%d\n", (int)pid);
	return 0;
}

static int cmd_keep(int argc, char **argv)
{
	int fd = argc > 3 ? (int)syscall(SYS_pidfd_open, (pid_t)atoi(argv[2]), 0) : -1;

	if (argc <= 3)
		return 2;
	setsid();
	while (fd >= 0 && poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1) < 0 && errno == EINTR)
		;
	execv(argv[3], argv + 3);
	die(argv[3]);
}

static int run_role(const char *name, const char *arg)
{
	const char *slash = strrchr(name, '/');

	for (unsigned i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (!strcmp(slash ? slash + 1 : name, roles[i].name)) {
			signal(SIGCHLD, SIG_IGN);
			signal(SIGPIPE, SIG_IGN);
			return roles[i].run(arg);
		}
	return 2;
}

/* Process 1 of a namespace gets no signal that it does not handle. */
static void leave(int sig)
{
	(void)sig;
	_exit(0);
}

int main(int argc, char **argv)
{
	int r;

	signal(SIGTERM, leave);
	r = run_role(argv[0], argc > 1 ? argv[1] : NULL);
	if (r == 2 && argc > 1 && !strcmp(argv[1], "enter"))
		r = cmd_enter(argc, argv);
	else if (r == 2 && argc > 1 && !strcmp(argv[1], "keep"))
		r = cmd_keep(argc, argv);
	else if (r == 2 && argc > 1)
		r = run_role(argv[1], argc > 2 ? argv[2] : NULL);
	if (r == 2)
		fputs("usage: lab web|db|client|dns [ARG] | lab enter NAME DIR ROLE [ARG] | lab keep PID COMMAND...\n", stderr);
	return r;
}
