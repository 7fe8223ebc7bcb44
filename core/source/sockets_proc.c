/* Sockets from the tables of /proc/PID/net: see sockets_proc.h. A table is read in pieces: it may have any size, a line not. */
#include "core/source/sockets_proc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/source/proc_net.h"
#include "core/source/proc_text.h"
#include "core/source/sockets_diag.h"

enum { MAX_LINE = 4096, CHUNK = 64 << 10 };

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

int sockets_proc_read(int fd, enum sock_protocol protocol, struct builder *b)
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
