/*
 * What a name costs inside the running app: a session and a DNS worker as the pane has them, then questions one after the other.
 * asker PID NAME N: milliseconds of each, from request to checked rows, one a line.
 */
#include "core/block.h"
#include "core/dns/ask.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/session.h"
#include "core/source/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 5000 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "asker: %s\n", what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static struct block *wait_block(struct link *l)
{
	for (;;) {
		struct link_event ev = { 0 };

		link_wait(l, WAIT_MS, &ev);
		if (ev.type == LINK_BLOCK)
			return ev.block;
		if (ev.type != LINK_READY)
			die(ev.msg[0] ? ev.msg : "no answer");
	}
}

static struct link *open_link(struct session *s, const struct source *source, int pid)
{
	struct target_ref ref = { .kind = TARGET_PID, .pid = pid };
	struct link *l = session_open(s, source, &ref, NULL, 0, NULL);

	if (!l)
		die("no worker");
	return l;
}

int main(int argc, char **argv)
{
	static const struct source *const sources[] = { &files_source, &dns_source };
	struct session *session = NULL;
	struct dns_request q;
	struct block *files;
	struct link *l;
	int pid;

	if (argc != 4 || session_start(sources, ARRAY_LEN(sources), &session, NULL) < 0)
		die("usage: asker PID NAME N");
	pid = atoi(argv[1]);
	files = wait_block(open_link(session, &files_source, pid));
	dns_request_from_files(files, &q);
	snprintf(q.name, sizeof q.name, "%s", argv[2]);
	q.types[0] = 1;
	l = open_link(session, &dns_source, pid);
	for (uint32_t i = 0; i < (uint32_t)atoi(argv[3]); i++) {
		double from = now_ms();

		if (link_request(l, i + 1, DNS_OP_ASK, &q, sizeof q, -1) < 0)
			die("the worker takes no question");
		block_unref(dns_answer_complete(files, &q, wait_block(l)));
		printf("%.3f\n", now_ms() - from);
	}
	return 0;
}
