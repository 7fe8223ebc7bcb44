/* Requests and attributes of rtnetlink: see rtnl.h. The socket was made inside the namespace and needs no privilege any more. */
#include "core/net/rtnl.h"

#include "core/fd.h"
#include "core/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BUFFER = 64 << 10, BODY = 512 };

struct net_rtnl {
	int fd;
	uint32_t seq;
	_Alignas(NLMSG_ALIGNTO) char buffer[BUFFER];
};

struct net_rtnl *net_rtnl_new(int fd)
{
	struct net_rtnl *r = fd_xcalloc(1, sizeof *r);

	r->fd = fd;
	return r;
}

void net_rtnl_free(struct net_rtnl *r)
{
	free(r);
}

/* --- asking --- */

static int ask(struct net_rtnl *r, uint16_t type, uint16_t flags, const void *body, size_t n)
{
	_Alignas(NLMSG_ALIGNTO) char buf[NLMSG_HDRLEN + BODY];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	if (n > BODY)
		return -EMSGSIZE;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++r->seq;
	memcpy(mnl_nlmsg_put_extra_header(nlh, n), body, n);
	return send(r->fd, buf, nlh->nlmsg_len, 0) < 0 ? -errno : 0;
}

struct asked {
	net_message_fn fn;
	void *arg;
	bool single; /* the first message is the answer, no NLMSG_DONE follows */
};

static bool take(const struct nlmsghdr *nlh, void *arg)
{
	const struct asked *a = arg;

	a->fn(nlh, a->arg);
	return !a->single;
}

static int receive(struct net_rtnl *r, bool single, net_message_fn fn, void *arg)
{
	struct asked asked = { fn, arg, single };

	return netlink_receive(&(struct netlink_answer){ r->fd, r->seq, r->buffer, sizeof r->buffer }, take, &asked);
}

int net_rtnl_dump(struct net_rtnl *r, uint16_t type, const void *body, size_t n, net_message_fn fn, void *arg)
{
	int e = ask(r, type, NLM_F_DUMP, body, n);

	return e < 0 ? e : receive(r, false, fn, arg);
}

int net_rtnl_ask(struct net_rtnl *r, uint16_t type, const void *body, size_t n, net_message_fn fn, void *arg)
{
	int e = ask(r, type, 0, body, n);

	return e < 0 ? e : receive(r, true, fn, arg);
}

void net_rtnl_put(void *body, size_t cap, size_t *n, uint16_t type, const void *value, size_t size)
{
	struct nlattr head = { .nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + size) };
	size_t whole = NLA_ALIGN(head.nla_len);

	if (*n + whole > cap)
		return;
	memset((char *)body + *n, 0, whole);
	memcpy((char *)body + *n, &head, sizeof head);
	memcpy((char *)body + *n + NLA_HDRLEN, value, size);
	*n += whole;
}

static void take_nsid(const struct nlmsghdr *nlh, void *arg)
{
	struct net_attrs a;

	if (nlh->nlmsg_type != RTM_NEWNSID)
		return;
	net_attrs_of(nlh, sizeof(struct rtgenmsg), &a);
	if (a.at[NETNSA_NSID])
		*(int64_t *)arg = (int32_t)(uint32_t)net_attr_uint(a.at[NETNSA_NSID]);
}

int64_t net_rtnl_nsid(struct net_rtnl *r, uint16_t what, uint32_t value)
{
	char body[64] = { 0 };
	size_t n = NLMSG_ALIGN(sizeof(struct rtgenmsg));
	int64_t nsid = NETNSA_NSID_NOT_ASSIGNED;

	net_rtnl_put(body, sizeof body, &n, what, &value, sizeof value);
	return net_rtnl_ask(r, RTM_GETNSID, body, n, take_nsid, &nsid) < 0 ? NETNSA_NSID_NOT_ASSIGNED : nsid;
}

/* --- reading --- */

static int take_attr(const struct nlattr *a, void *arg)
{
	struct net_attrs *attrs = arg;
	uint16_t type = mnl_attr_get_type(a);

	if (type < NET_ATTRS)
		attrs->at[type] = a;
	return MNL_CB_OK;
}

void net_attrs_of(const struct nlmsghdr *nlh, size_t header, struct net_attrs *ret)
{
	size_t from = NLMSG_HDRLEN + MNL_ALIGN(header);

	memset(ret, 0, sizeof *ret);
	if (nlh->nlmsg_len > from) /* mnl_attr_parse would round the end of a cut message up */
		mnl_attr_parse_payload(mnl_nlmsg_get_payload_offset(nlh, header), nlh->nlmsg_len - from, take_attr, ret);
}

void net_attrs_in(const struct nlattr *nest, struct net_attrs *ret)
{
	memset(ret, 0, sizeof *ret);
	if (nest)
		mnl_attr_parse_payload(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), take_attr, ret);
}

uint64_t net_attr_uint(const struct nlattr *a)
{
	const void *p = a ? mnl_attr_get_payload(a) : NULL;
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (a ? mnl_attr_get_payload_len(a) : 0) {
	case 1:
		return *(const uint8_t *)p;
	case sizeof v16:
		memcpy(&v16, p, sizeof v16);
		return v16;
	case sizeof v32:
		memcpy(&v32, p, sizeof v32);
		return v32;
	case sizeof v64:
		memcpy(&v64, p, sizeof v64);
		return v64;
	default:
		return ROW_NO_UINT;
	}
}

uint64_t net_attr_be16(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) == 2 ? ntohs((uint16_t)net_attr_uint(a)) : ROW_NO_UINT;
}

uint8_t net_attr_bool(const struct nlattr *a)
{
	uint64_t v = net_attr_uint(a);

	return v == ROW_NO_UINT ? ROW_NO_BOOL : v != 0;
}

struct text net_attr_text(const struct nlattr *a)
{
	const char *p = a ? mnl_attr_get_payload(a) : NULL;

	return (struct text){ .p = p, .n = p ? strnlen(p, mnl_attr_get_payload_len(a)) : 0 };
}

struct addr net_attr_addr(const struct nlattr *a)
{
	switch (a ? mnl_attr_get_payload_len(a) : 0) {
	case 4:
		return addr_ip4(mnl_attr_get_payload(a));
	case 16:
		return addr_ip6(mnl_attr_get_payload(a));
	case 6:
		return addr_mac(mnl_attr_get_payload(a));
	default:
		return (struct addr){ .kind = ADDR_NONE };
	}
}

struct str net_attr_str(struct builder *b, const struct nlattr *a)
{
	struct text t = net_attr_text(a);

	return builder_text(b, t.p, t.n);
}

const char *net_name_of(const struct net_name *names, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value)
			return names[i].name;
	return NULL;
}

struct str net_name_flags(struct builder *b, const struct net_name *names, size_t n, uint32_t bits)
{
	struct str list = ROW_NO_TEXT;

	for (size_t i = 0; i < n; i++)
		if (bits & names[i].value)
			builder_list_add(b, &list, names[i].name, strlen(names[i].name));
	return list;
}

/* --- names --- */

struct net_named {
	uint64_t index;
	char name[IF_NAMESIZE];
};

void net_names_add(struct net_names *names, uint64_t index, struct text name)
{
	struct net_named *at;

	if (names->n == names->cap) {
		names->cap = names->cap ? names->cap * 2 : 16;
		names->list = fd_xrealloc(names->list, names->cap, sizeof *names->list);
	}
	at = &names->list[names->n++];
	*at = (struct net_named){ .index = index };
	memcpy(at->name, name.n ? name.p : "", name.n < IF_NAMESIZE ? name.n : IF_NAMESIZE - 1);
}

const char *net_names_find(const struct net_names *names, uint64_t index)
{
	for (uint32_t i = 0; i < names->n; i++)
		if (names->list[i].index == index)
			return names->list[i].name;
	return NULL;
}

struct str net_names_str(const struct net_names *names, uint64_t index, struct builder *b)
{
	return builder_str(b, net_names_find(names, index));
}

void net_names_clear(struct net_names *names)
{
	names->n = 0;
}

void net_names_done(struct net_names *names)
{
	free(names->list);
	*names = (struct net_names){ 0 };
}
