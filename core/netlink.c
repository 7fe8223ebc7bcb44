/* Receiving from netlink: see netlink.h. */
#include "core/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>

/* The number in the body of NLMSG_ERROR and NLMSG_DONE: 0 or negative errno. */
static int end_code(const struct nlmsghdr *nlh)
{
	int32_t code = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof code)
		memcpy(&code, mnl_nlmsg_get_payload(nlh), sizeof code);
	return code > 0 ? 0 : code;
}

int netlink_receive(const struct netlink_answer *a, netlink_message_fn fn, void *arg)
{
	bool disturbed = false;

	for (;;) {
		ssize_t got = recv(a->fd, a->buffer, a->size, 0);
		const struct nlmsghdr *nlh = a->buffer;
		int n = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		for (; mnl_nlmsg_ok(nlh, n); nlh = mnl_nlmsg_next(nlh, &n)) {
			if (nlh->nlmsg_seq != a->seq)
				continue;
			disturbed |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
				int code = end_code(nlh);

				return code < 0 ? code : disturbed;
			}
			if (!fn(nlh, arg))
				return 0;
		}
	}
}
