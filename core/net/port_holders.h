/*
 * Which process holds a listening socket, and is it one that forwards? One walk over /proc for the sockets of many namespaces. Links
 * are read, never followed (proc_pid_fd(5)).
 */
#ifndef NSDBG_CORE_NET_PORT_HOLDERS_H
#define NSDBG_CORE_NET_PORT_HOLDERS_H

#include "core/net/forwarder.h"
#include "core/source.h"

struct net_holder_row {
	struct row_head head;
	uint64_t inode;
	uint64_t pid; /* the first that holds it, but rather a service than who started it */
	struct str process; /* command name */
	uint64_t netns; /* it is in; ROW_NO_UINT: not readable */
	struct str container; /* 64 digits, from its cgroup */
	uint32_t forwarder; /* enum net_forwarder */
	struct str command; /* of a forwarder: its arguments */
	uint64_t inner_netns; /* rootlessport: where its child connects from */
	struct addr to_address; /* docker-proxy: where it sends to */
	uint64_t to_port;
};
extern const struct row_type net_holder_row_type;

/* Op: the descriptor holds uint64_t inodes[] (<= NET_HOLDERS). Answered by a sample. */
enum { NET_HOLDERS_OP_INODES = 16, NET_HOLDERS = 1 << 20 };

/* sample(): net_holder_row for those inodes that somebody holds; CAGE_SCAN, CAP_SYS_PTRACE + CAP_DAC_READ_SEARCH. */
extern const struct source net_holders_source;

/* The walk without its worker: `proc` is lent; inodes sorted. */
struct builder;
void net_holders_read(int proc, const uint64_t *inodes, uint32_t n, struct builder *b);

#endif
