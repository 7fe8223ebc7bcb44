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
#include "core/source/proc_net.h"
#include "core/source/proc_text.h"
#include "core/source/sockets_diag.h"
#include "core/worker.h"

enum { N_FILES = 2, MAX_LINE = 4096, CHUNK = 64 << 10 };

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

/* --- from /proc --- */

static void add_inet(struct builder *b, enum sock_protocol protocol, struct text line)
{
	enum { RETRANSMIT = 1, TIME_WAIT = 6 };
	struct proc_net_inet n;
	struct sock_row *row;

	if (!proc_net_inet(line, &n))
		return;
	row = builder_row(b);
	sockets_diag_blank(row);
	row->protocol = protocol;
	row->family = n.local.kind == ADDR_IP4 ? 4 : 6;
	row->state = sockets_diag_state(n.state);
	row->local_address = n.local;
	row->remote_address = n.remote;
	row->local_port = n.local_port;
	row->remote_port = n.remote_port;
	row->recv_queue = n.recv_queue;
	/* The limit of a listener is in no table of /proc. */
	row->send_queue = protocol == SOCK_PROTO_TCP && row->state == SOCK_STATE_LISTEN ? ROW_NO_UINT : n.send_queue;
	if (n.inode) {
		row->inode = n.inode;
		row->uid = n.uid;
	}
	if (protocol == SOCK_PROTO_TCP && n.state != TIME_WAIT)
		row->retransmits = n.timer == RETRANSMIT ? n.retransmits : 0;
	if (protocol == SOCK_PROTO_TCP && n.timer)
		row->timer_ms = n.timer_ms;
	row->head.severity = sockets_diag_severity(row);
	row->head.id = sockets_diag_id(row);
}

static void add_unix(struct builder *b, struct text line)
{
	static const char *const types[] = { [SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram", [SOCK_SEQPACKET] = "seqpacket" };
	enum { SS_IS_CONNECTED = 3 };
	struct proc_net_unix u;
	struct sock_row *row;

	if (!proc_net_unix(line, &u))
		return;
	row = builder_row(b);
	sockets_diag_blank(row);
	row->protocol = SOCK_PROTO_UNIX;
	row->state = u.listens ? SOCK_STATE_LISTEN : u.state == SS_IS_CONNECTED ? SOCK_STATE_ESTAB : SOCK_STATE_UNCONN;
	row->inode = u.inode ? u.inode : ROW_NO_UINT;
	row->type = builder_str(b, u.type < ARRAY_LEN(types) ? types[u.type] : NULL);
	row->path = builder_text(b, u.path.p, u.path.n);
	row->head.id = sockets_diag_id(row);
}

static void add_line(struct builder *b, enum sock_protocol protocol, struct text line)
{
	if (protocol == SOCK_PROTO_UNIX)
		add_unix(b, line);
	else
		add_inet(b, protocol, line);
}

/* Lines of a table in pieces: one may have any size, a line not. 0 or -errno. */
static int add_table(struct builder *b, enum sock_protocol protocol, int fd)
{
	AUTO(fd_freep) char *buf = fd_xcalloc(1, CHUNK);
	size_t n = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		struct text rest, line;
		ssize_t r = read(fd, buf + n, CHUNK - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		n += (size_t)r;
		rest = (struct text){ .p = buf, .n = n };
		while (rest.n && (r == 0 || memchr(rest.p, '\n', rest.n)) && proc_text_line(&rest, &line))
			add_line(b, protocol, line);
		if (r == 0)
			return 0;
		n = rest.n < MAX_LINE ? rest.n : 0;
		memmove(buf, rest.p, n);
	}
}

static int read_tables(const struct sockets_state *s, struct builder *b, enum sock_protocol protocol)
{
	int r = -ENOENT;

	for (unsigned i = 0; i < N_FILES; i++) {
		int fd = s->files[protocol][i], one = fd < 0 ? -ENOENT : add_table(b, protocol, fd);

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
