/* Lines of /proc/PID/net/{tcp,udp,udplite,raw,icmp}{,6} and unix, as pure functions on bytes (proc_pid_net(5)). */
#ifndef NSDBG_CORE_SOURCE_PROC_NET_H
#define NSDBG_CORE_SOURCE_PROC_NET_H

#include "core/addr.h"
#include "core/text.h"

struct proc_net_inet {
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint8_t state; /* of the kernel: 1 = established ... 12 */
	uint8_t timer; /* 0 none, 1 retransmit, 2 keepalive, 3 time-wait, 4 zero window probe */
	uint64_t send_queue, recv_queue;
	uint64_t timer_ms; /* until it fires */
	uint64_t retransmits;
	uint64_t uid, inode;
};

/* One line of an inet table; false for the heading and whatever is not one. */
bool proc_net_inet(struct text line, struct proc_net_inet *ret);

struct proc_net_unix {
	uint64_t inode;
	unsigned type; /* SOCK_STREAM ... */
	unsigned state; /* SS_UNCONNECTED ... */
	bool listens;
	struct text path; /* as printed: '@' in front of abstract names; empty: none. Points into the line */
};

/* A name with a newline can forge lines of this table: rows are good only when sock_diag is missing. */
bool proc_net_unix(struct text line, struct proc_net_unix *ret);

#endif
