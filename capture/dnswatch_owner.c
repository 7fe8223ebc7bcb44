/* One socket by its addresses: see dnswatch_owner.h. For UDP the kernel takes source and destination the other way round than for TCP
 * (udp_dump_one, net/ipv4/udp_diag.c, Linux 5.7 and later say so; before, both ways find connected sockets). */
#include "capture/dnswatch_owner.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "core/fd.h"

enum { ANSWER = 4096, TRIES = 8 };

struct end {
	const struct addr *addr;
	uint16_t port;
};

static void fill(struct inet_diag_req_v2 *req, struct end local, struct end remote)
{
	bool swapped = req->sdiag_protocol == IPPROTO_UDP;
	struct end source = swapped ? remote : local, destination = swapped ? local : remote;

	req->id.idiag_sport = htons(source.port);
	req->id.idiag_dport = htons(destination.port);
	memcpy(req->id.idiag_src, source.addr->bytes, source.addr->kind == ADDR_IP6 ? 16 : 4);
	memcpy(req->id.idiag_dst, destination.addr->bytes, destination.addr->kind == ADDR_IP6 ? 16 : 4);
	req->id.idiag_cookie[0] = req->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

static bool ask(int diag, uint32_t seq, const struct dnswatch_exchange *e)
{
	uint16_t server_port = e->server_port ? e->server_port : 53; /* the socket knows the port from before the redirection */
	_Alignas(NLMSG_ALIGNTO) char buf[256] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = seq;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof *req);
	req->sdiag_family = e->client.kind == ADDR_IP6 ? AF_INET6 : AF_INET;
	req->sdiag_protocol = e->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	req->idiag_states = UINT32_MAX;
	fill(req, (struct end){ &e->client, e->client_port }, (struct end){ &e->server, server_port });
	return send(diag, buf, nlh->nlmsg_len, MSG_DONTWAIT) > 0;
}

/* 1 found, 0 there is none, -1 not the answer yet. */
static int take(const struct nlmsghdr *nlh, uint32_t seq, struct dnswatch_exchange *e)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	bool is_local = false;

	if (nlh->nlmsg_seq != seq)
		return -1;
	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(nlh) < sizeof *msg)
		return 0;
	is_local = msg->id.idiag_sport == htons(e->client_port);
	if (!is_local || msg->idiag_inode == 0)
		return 0;
	e->inode = msg->idiag_inode;
	e->uid = msg->idiag_uid;
	return 1;
}

bool dnswatch_owner_find(int diag, struct dnswatch_exchange *e)
{
	uint32_t seq = (uint32_t)e->number + 1;
	_Alignas(NLMSG_ALIGNTO) char buf[ANSWER];

	if (diag < 0 || !ask(diag, seq, e))
		return false;
	for (int i = 0; i < TRIES; i++) { /* the kernel answers in send(): nothing is waited for */
		ssize_t n = recv(diag, buf, sizeof buf, MSG_DONTWAIT);
		int left = (int)n, r = -1;

		if (n <= 0)
			return false;
		for (const struct nlmsghdr *nlh = (const void *)buf; r < 0 && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			r = take(nlh, seq, e);
		if (r >= 0)
			return r;
	}
	return false;
}
