/* Route, neighbour and link of one destination over rtnetlink: see route.h. One request at a time, one answer each. */
#include "core/probe/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"

enum { ANSWER_BYTES = 32768, ANSWER_MS = 300 };

int route_open(void)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	AUTO(fd_closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&nl, sizeof nl) < 0)
		return -errno;
	return fd_take(&fd);
}

/* --- one question --- */

struct answer {
	_Alignas(8) char bytes[ANSWER_BYTES];
	int n;
	int code; /* positive errno of an error message */
};

/* The message that answers; NULL: an error (answer->code) or none in time. */
static const struct nlmsghdr *ask(int fd, struct nlmsghdr *question, struct answer *a)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	const struct nlmsghdr *h = (const struct nlmsghdr *)a->bytes;

	question->nlmsg_flags |= NLM_F_REQUEST;
	question->nlmsg_seq = 1;
	a->code = EIO;
	while (recv(fd, a->bytes, sizeof a->bytes, MSG_DONTWAIT) > 0)
		; /* late answers to earlier questions */
	if (sendto(fd, question, question->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0 ||
		poll(&p, 1, ANSWER_MS) <= 0)
		return NULL;
	a->n = (int)recv(fd, a->bytes, sizeof a->bytes, MSG_DONTWAIT);
	if (a->n <= 0 || !mnl_nlmsg_ok(h, a->n))
		return NULL;
	if (h->nlmsg_type == NLMSG_ERROR) {
		if (h->nlmsg_len >= mnl_nlmsg_size(sizeof(struct nlmsgerr)))
			a->code = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
		return NULL;
	}
	a->code = 0;
	return h;
}

static struct addr take_address(const struct nlattr *attr)
{
	size_t n = mnl_attr_get_payload_len(attr);

	if (n == 4)
		return addr_ip4(mnl_attr_get_payload(attr));
	return n == 16 ? addr_ip6(mnl_attr_get_payload(attr)) : (struct addr){ 0 };
}

static size_t width(const struct addr *a)
{
	return a->kind == ADDR_IP6 ? 16 : 4;
}

static int family(const struct addr *a)
{
	return a->kind == ADDR_IP6 ? AF_INET6 : AF_INET;
}

/* --- routes --- */

static void ask_route(int fd, const struct addr *to, struct route *ret)
{
	_Alignas(8) char bytes[256];
	struct answer a;
	struct nlmsghdr *q = mnl_nlmsg_put_header(bytes);
	struct rtmsg *rt;
	const struct nlmsghdr *h;
	struct nlattr *attr;

	q->nlmsg_type = RTM_GETROUTE;
	rt = mnl_nlmsg_put_extra_header(q, sizeof *rt);
	rt->rtm_family = (unsigned char)family(to);
	rt->rtm_dst_len = (unsigned char)(width(to) * 8);
	mnl_attr_put(q, RTA_DST, width(to), to->bytes);
	h = ask(fd, q, &a);
	ret->asked = h || a.code != EIO;
	ret->code = a.code;
	if (!h || h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < mnl_nlmsg_size(sizeof *rt))
		return;
	ret->type = ((const struct rtmsg *)mnl_nlmsg_get_payload(h))->rtm_type;
	mnl_attr_for_each(attr, h, sizeof *rt)
	{
		switch (mnl_attr_get_type(attr)) {
		case RTA_OIF:
			ret->ifindex = mnl_attr_get_u32(attr);
			break;
		case RTA_GATEWAY:
			ret->gateway = take_address(attr);
			break;
		case RTA_PREFSRC:
			ret->source = take_address(attr);
			break;
		}
	}
}

static void ask_neighbour(int fd, const struct addr *to, struct route *ret)
{
	const struct addr *next = ret->gateway.kind ? &ret->gateway : to;
	_Alignas(8) char bytes[256];
	struct answer a;
	struct nlmsghdr *q = mnl_nlmsg_put_header(bytes);
	const struct nlmsghdr *h;
	struct ndmsg *nd;

	q->nlmsg_type = RTM_GETNEIGH;
	nd = mnl_nlmsg_put_extra_header(q, sizeof *nd);
	nd->ndm_family = (uint8_t)family(next);
	nd->ndm_ifindex = (int)ret->ifindex;
	mnl_attr_put(q, NDA_DST, width(next), next->bytes);
	h = ask(fd, q, &a);
	ret->neighbour_asked = h || a.code == ENOENT;
	if (h && h->nlmsg_type == RTM_NEWNEIGH && h->nlmsg_len >= mnl_nlmsg_size(sizeof *nd))
		ret->neighbour = ((const struct ndmsg *)mnl_nlmsg_get_payload(h))->ndm_state;
}

bool route_is_own(int fd, const struct addr *a)
{
	struct route r = { 0 };

	if (fd < 0 || (a->kind != ADDR_IP4 && a->kind != ADDR_IP6))
		return false;
	ask_route(fd, a, &r);
	return r.code == 0 && r.type == RTN_LOCAL;
}

/* --- links --- */

static const struct nlmsghdr *ask_link(int fd, uint32_t index, const char *name, struct answer *a)
{
	_Alignas(8) char bytes[256];
	struct nlmsghdr *q = mnl_nlmsg_put_header(bytes);
	const struct nlmsghdr *h;
	struct ifinfomsg *ifi;

	q->nlmsg_type = RTM_GETLINK;
	ifi = mnl_nlmsg_put_extra_header(q, sizeof *ifi);
	ifi->ifi_index = (int)index;
	if (name)
		mnl_attr_put_strz(q, IFLA_IFNAME, name);
	h = ask(fd, q, a);
	return h && h->nlmsg_type == RTM_NEWLINK && h->nlmsg_len >= mnl_nlmsg_size(sizeof *ifi) ? h : NULL;
}

uint32_t route_index(int fd, const char *interface)
{
	struct answer a;
	const struct nlmsghdr *h = fd < 0 || strlen(interface) >= IFNAMSIZ ? NULL : ask_link(fd, 0, interface, &a);

	return h ? (uint32_t)((const struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_index : 0;
}

void route_interface(int fd, uint32_t index, char buf[16], uint32_t *ret_mtu, bool *ret_up)
{
	struct answer a;
	const struct nlmsghdr *h = fd < 0 || !index ? NULL : ask_link(fd, index, NULL, &a);
	struct nlattr *attr;

	buf[0] = '\0';
	if (!h)
		return;
	*ret_up = ((const struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_flags & IFF_UP;
	mnl_attr_for_each(attr, h, sizeof(struct ifinfomsg))
	{
		size_t n = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == IFLA_IFNAME && n > 0 && n <= 16)
			snprintf(buf, 16, "%.*s", (int)n, (const char *)mnl_attr_get_payload(attr));
		else if (mnl_attr_get_type(attr) == IFLA_MTU && n == 4)
			*ret_mtu = mnl_attr_get_u32(attr);
	}
}

/* --- all of it --- */

void route_ask(int fd, const struct addr *to, struct route *ret)
{
	*ret = (struct route){ 0 };
	if (fd < 0 || (to->kind != ADDR_IP4 && to->kind != ADDR_IP6))
		return;
	ask_route(fd, to, ret);
	if (ret->code || !ret->ifindex)
		return;
	route_interface(fd, ret->ifindex, ret->interface, &ret->mtu, &ret->up);
	if (ret->type == RTN_UNICAST)
		ask_neighbour(fd, to, ret);
}

static const char *type_name(uint8_t type)
{
	switch (type) {
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_PROHIBIT:
		return "prohibit";
	case RTN_LOCAL:
		return "local";
	default:
		return NULL;
	}
}

void route_text(const struct route *r, char *buf, unsigned cap)
{
	const char *type = type_name(r->type);
	char gateway[ADDR_TEXT + 8] = "", source[ADDR_TEXT + 8] = "", text[ADDR_TEXT];

	if (r->code) {
		snprintf(buf, cap, "%s", r->code == ENETUNREACH ? "none" : r->code == EHOSTUNREACH ? "unreachable" :
			r->code == EACCES ? "prohibit" : r->code == EINVAL ? "blackhole" : "unknown");
		return;
	}
	if (r->gateway.kind)
		snprintf(gateway, sizeof gateway, "via %s ", addr_format(&r->gateway, text));
	if (r->source.kind)
		snprintf(source, sizeof source, " src %s", addr_format(&r->source, text));
	snprintf(buf, cap, "%s%s%sdev %s%s", type ? type : "", type ? " " : "", gateway, r->interface[0] ? r->interface : "?", source);
}

const char *route_neighbour_name(const struct route *r)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} states[] = { { NUD_INCOMPLETE, "INCOMPLETE" }, { NUD_REACHABLE, "REACHABLE" }, { NUD_STALE, "STALE" },
		{ NUD_DELAY, "DELAY" }, { NUD_PROBE, "PROBE" }, { NUD_FAILED, "FAILED" }, { NUD_NOARP, "NOARP" },
		{ NUD_PERMANENT, "PERMANENT" } };

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (r->neighbour & states[i].bit)
			return states[i].name;
	return NULL;
}
