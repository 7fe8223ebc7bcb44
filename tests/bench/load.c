/*
 * Load for the benchmarks: load sockets N PROCESSES | load processes N | load namespaces N | load packets SECONDS PER_SECOND
 * Makes N TCP sockets on loopback (in pairs), N sleeping processes, N of them with network namespaces of their own, or a stream of small
 * UDP datagrams; prints "ready" and stays until it is killed (packets: prints how many were sent). Run it in a network namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Each process talks to an address of its own, 127.1.0.n, so that ports never run out. */
static void hold_pairs(unsigned process, unsigned pairs)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(9000), .sin_addr.s_addr = htonl(0x7f010001 + process) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&sa, sizeof sa) || listen(listener, 16))
		die("listen");
	for (unsigned i = 0; i < pairs; i++) {
		int s = socket(AF_INET, SOCK_STREAM, 0);

		if (s < 0 || connect(s, (struct sockaddr *)&sa, sizeof sa) || accept(listener, NULL, NULL) < 0)
			die("connect");
	}
}

static int cmd_sockets(unsigned n, unsigned processes)
{
	struct rlimit files;
	int done[2];

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (pipe(done))
		die("pipe");
	for (unsigned i = 0; i < processes; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			hold_pairs(i, n / 2 / processes);
			if (write(done[1], "", 1) < 0)
				die("write");
			for (;;)
				pause();
		}
	for (unsigned i = 0; i < processes; i++)
		if (read(done[0], &(char){ 0 }, 1) < 1)
			die("read");
	return 0;
}

static int cmd_processes(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	return 0;
}

/* Sleepers, each in a network namespace of its own: what "unshare -n" makes. */
static int cmd_namespaces(unsigned n)
{
	int done[2];

	if (pipe(done))
		die("pipe");
	for (unsigned i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (unshare(CLONE_NEWNET) || write(done[1], "", 1) < 0)
				_exit(1);
			for (;;)
				pause();
		}
	}
	close(done[1]);
	for (unsigned i = 0; i < n; i++)
		if (read(done[0], &(char){ 0 }, 1) < 1)
			die("read");
	return 0;
}

static int cmd_packets(double seconds, unsigned per_second)
{
	enum { BATCH = 32 };
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	char payload[18] = "0123456789abcdefg";
	struct iovec iov = { .iov_base = payload, .iov_len = sizeof payload };
	struct mmsghdr batch[BATCH];
	struct timespec next;
	unsigned long sent = 0, total = (unsigned long)(seconds * per_second);

	for (unsigned i = 0; i < BATCH; i++)
		batch[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &sa, .msg_namelen = sizeof sa, .msg_iov = &iov, .msg_iovlen = 1 } };
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (sent < total) {
		int n = sendmmsg(s, batch, BATCH, 0);

		sent += n > 0 ? (unsigned long)n : 0;
		next.tv_nsec += 1000000000L / per_second * BATCH;
		next.tv_sec += next.tv_nsec / 1000000000L;
		next.tv_nsec %= 1000000000L;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	printf("%lu\n", sent);
	return 0;
}

int main(int argc, char **argv)
{
	int r = -1;

	if (argc == 4 && !strcmp(argv[1], "sockets"))
		r = cmd_sockets((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
	else if (argc == 3 && !strcmp(argv[1], "processes"))
		r = cmd_processes((unsigned)atoi(argv[2]));
	else if (argc == 3 && !strcmp(argv[1], "namespaces"))
		r = cmd_namespaces((unsigned)atoi(argv[2]));
	else if (argc == 4 && !strcmp(argv[1], "packets"))
		return cmd_packets(atof(argv[2]), (unsigned)atoi(argv[3]));
	if (r < 0) {
		fputs("usage: load sockets N PROCESSES | load processes N | load namespaces N | load packets SECONDS PER_SECOND\n", stderr);
		return 2;
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
