/*
 * Sockets of one network namespace: by netlink where the kernel has the module, else from the tables in /proc, which are opened for
 * all protocols beforehand since nothing can be opened in the cage. ICMP sockets are in /proc only.
 */
#include "core/source/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/source/sockets_diag.h"
#include "core/source/sockets_proc.h"
#include "core/worker.h"

enum { N_FILES = 2 };

struct protocol {
	const char *name;
	const char *files[N_FILES]; /* in /proc/PID/net; the second is IPv6 */
};

static const struct protocol protocols[SOCK_PROTO_N] = {
	[SOCK_PROTO_TCP] = { "tcp", { "tcp", "tcp6" } },
	[SOCK_PROTO_UDP] = { "udp", { "udp", "udp6" } },
	[SOCK_PROTO_UDPLITE] = { "udplite", { "udplite", "udplite6" } },
	[SOCK_PROTO_RAW] = { "raw", { "raw", "raw6" } },
	[SOCK_PROTO_ICMP] = { "icmp", { "icmp", "icmp6" } },
	[SOCK_PROTO_UNIX] = { "unix", { "unix", NULL } },
};

struct sockets_state {
	struct sockets_diag *diag; /* NULL: no netlink at all */
	int files[SOCK_PROTO_N][N_FILES]; /* -1: not there */
	bool from_proc[SOCK_PROTO_N]; /* netlink said it cannot: do not ask again */
};

static int read_tables(const struct sockets_state *s, struct builder *b, enum sock_protocol protocol)
{
	int r = -ENOENT;

	for (unsigned i = 0; i < N_FILES; i++) {
		int fd = s->files[protocol][i], one = fd < 0 ? -ENOENT : sockets_proc_read(fd, protocol, b);

		if (one < 0 && one != -ENOENT)
			return one;
		r = one == 0 ? 0 : r;
	}
	return r;
}

/* --- the source --- */

static bool has_no_module(int r)
{
	return r == -ENOENT || r == -EOPNOTSUPP || r == -EINVAL || r == -EPROTONOSUPPORT || r == -EAFNOSUPPORT;
}

static void read_protocol(struct sockets_state *s, struct builder *b, enum sock_protocol protocol)
{
	int r = s->diag && !s->from_proc[protocol] ? sockets_diag_read(s->diag, protocol, b) : -EOPNOTSUPP;

	if (r == 0)
		return;
	if (has_no_module(r))
		s->from_proc[protocol] = true;
	r = read_tables(s, b, protocol);
	if (r < 0 && r != -ENOENT)
		builder_note(b, -r, "%s sockets could not be read", protocols[protocol].name);
	/* Kernels without UDP-Lite or IPv6 have no such table: nothing is missing. */
	if (r == -ENOENT && (protocol == SOCK_PROTO_TCP || protocol == SOCK_PROTO_UDP || protocol == SOCK_PROTO_UNIX))
		builder_note(b, ENOENT, "%s sockets: the kernel has neither sock_diag nor /proc/net/%s", protocols[protocol].name,
			protocols[protocol].files[0]);
	if (r == 0 && protocol == SOCK_PROTO_UNIX)
		builder_note(b, 0, "unix sockets come from /proc/net/unix, where names may forge rows; peers are unknown");
}

static int sockets_open(struct worker *w, struct err *err)
{
	struct sockets_state *s = fd_xcalloc(1, sizeof *s);
	int diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int route = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool any = diag >= 0;

	for (unsigned p = 0; p < SOCK_PROTO_N; p++)
		for (unsigned i = 0; i < N_FILES; i++) {
			char path[64];

			snprintf(path, sizeof path, "thread-self/net/%s", protocols[p].files[i] ? protocols[p].files[i] : "-");
			s->files[p][i] = openat(worker_target(w)->proc, path, O_RDONLY | O_CLOEXEC);
			any |= s->files[p][i] >= 0;
		}
	if (!any) {
		free(s);
		return err_set(err, EOPNOTSUPP, "read sockets: the kernel has neither sock_diag nor /proc/net");
	}
	s->diag = diag >= 0 ? sockets_diag_new(diag, route) : NULL;
	*worker_state(w) = s;
	return 0;
}

static int sockets_sample(struct worker *w, struct builder *b, struct err *err)
{
	struct sockets_state *s = *worker_state(w);

	(void)err;
	for (unsigned p = 0; p < SOCK_PROTO_N; p++)
		read_protocol(s, b, (enum sock_protocol)p);
	return 0;
}

const struct source sockets_source = {
	.name = "sockets", .type = &sock_row_type, .enter = SOURCE_ENTER_NET, .needs_target = true, .cage = CAGE_NETLINK,
	.open = sockets_open, .sample = sockets_sample,
};
