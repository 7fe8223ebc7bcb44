/* Multicast of the host's network: see changes.h. Messages are counted, not read: only their types matter. */
#include "core/source/changes.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/worker.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 32768 };

struct changes {
	struct worker *w;
	int events;
	struct change_row row;
	char buffer[BUFFER];
};

static void count(struct changes *c, unsigned type)
{
	c->row.links += type == RTM_NEWLINK || type == RTM_DELLINK;
	c->row.addresses += type == RTM_NEWADDR || type == RTM_DELADDR;
	c->row.routes += type == RTM_NEWROUTE || type == RTM_DELROUTE;
}

static void take(struct changes *c)
{
	for (;;) {
		ssize_t n = recv(c->events, c->buffer, sizeof c->buffer, MSG_DONTWAIT);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)c->buffer;

		if (n < 0 && errno == ENOBUFS)
			c->row.lost++;
		else if (n < 0)
			return;
		for (; n > 0 && NLMSG_OK(nlh, (size_t)n); nlh = NLMSG_NEXT(nlh, n))
			count(c, nlh->nlmsg_type);
	}
}

static int tell(struct changes *c)
{
	struct builder *b = builder_new(&change_row_type);
	int r;

	*(struct change_row *)builder_row(b) = c->row;
	r = worker_send_block(c->w, 0, b);
	builder_free(b);
	return r;
}

static int changes_open(struct worker *w, struct err *err)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
	struct changes *c = fd_xcalloc(1, sizeof *c);

	*worker_state(w) = c;
	c->w = w;
	c->events = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (c->events < 0 || bind(c->events, (const struct sockaddr *)&a, sizeof a) < 0)
		return err_set(err, errno, "listen to changes of the host's network");
	return 0;
}

/* A burst, as of a container that starts, is told once: then the next 200 ms belong to others. */
static int changes_serve(struct worker *w, struct err *err)
{
	struct changes *c = *worker_state(w);
	struct pollfd p[2] = { { .fd = worker_channel(w), .events = POLLIN }, { .fd = c->events, .events = POLLIN } };

	(void)err;
	for (;;) {
		struct msg m;
		int r;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents) {
			poll(NULL, 0, CHANGES_PAUSE_MS);
			take(c);
			r = tell(c);
			if (r < 0)
				return r;
		}
		if (!p[0].revents)
			continue;
		r = worker_recv(w, &m, 0);
		if (r > 0) {
			fd_closep(&m.fd);
			r = tell(c); /* asked: as it stands */
			if (r < 0)
				return r;
		} else if (r != -EAGAIN) {
			return r;
		}
	}
}

#define FIELD(member) ROW_FIELD(struct change_row, member, UINT)
static const struct field fields[] = {
	{ FIELD(links), .title = "LINKS", .help = "messages about links" },
	{ FIELD(addresses), .title = "ADDRESSES", .help = "messages about addresses" },
	{ FIELD(routes), .title = "ROUTES", .help = "messages about routes" },
	{ FIELD(lost), .title = "LOST", .help = "times that the kernel dropped some" },
};

const struct row_type change_row_type = {
	.name = "changes", .noun = "changes of the host's network", .id = 0x6368616e, .schema = 1, .size = sizeof(struct change_row),
	.fields = fields, .n_fields = ARRAY_LEN(fields),
};

const struct source changes_source = {
	.name = "changes", .type = &change_row_type, .cage = CAGE_NETLINK, .open = changes_open, .serve = changes_serve,
};
