/* The answer to a request on a netlink(7) socket: one loop for rtnetlink, sock_diag and nf_tables. */
#ifndef NSDBG_CORE_NETLINK_H
#define NSDBG_CORE_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink_answer {
	int fd; /* lent */
	uint32_t seq; /* of the request; messages of others are passed over */
	void *buffer; /* lent, aligned as a message is; what does not fit is cut by the kernel, which sends up to 32 KiB at once */
	size_t size;
};

/* False: that is enough. */
typedef bool (*netlink_message_fn)(const struct nlmsghdr *nlh, void *arg);

/* Calls fn on each message up to the last one. 0; 1 = complete, but things changed meanwhile (NLM_F_DUMP_INTR); -errno, also of the
 * kernel's refusal. */
int netlink_receive(const struct netlink_answer *a, netlink_message_fn fn, void *arg);

#endif
