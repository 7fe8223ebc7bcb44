/* Asking the kernel by rtnetlink(7), and reading what it says: attributes are checked for presence and size before they are used. */
#ifndef NSDBG_CORE_NET_RTNL_H
#define NSDBG_CORE_NET_RTNL_H

#include "core/block.h"

#include <linux/netlink.h>

struct net_rtnl;

/* `fd`: a NETLINK_ROUTE socket, lent. Never NULL. */
struct net_rtnl *net_rtnl_new(int fd);
void net_rtnl_free(struct net_rtnl *r); /* NULL is fine */

typedef void (*net_message_fn)(const struct nlmsghdr *nlh, void *arg);

/* Sends a request with `n` bytes of body behind the header and calls fn on each message of the answer. 0; 1 = complete, but things
 * changed meanwhile; -errno of the kernel's refusal. */
int net_rtnl_dump(struct net_rtnl *r, uint16_t type, const void *body, size_t n, net_message_fn fn, void *arg);
int net_rtnl_ask(struct net_rtnl *r, uint16_t type, const void *body, size_t n, net_message_fn fn, void *arg);

/* The number that this namespace has for another one (RTM_GETNSID, Linux 4.9), known by NETNSA_PID or NETNSA_FD and its value;
 * negative: it has none, or there is no such process. */
int64_t net_rtnl_nsid(struct net_rtnl *r, uint16_t what, uint32_t value);

/* One attribute of a request, appended to `body` at *n (which grows); `cap` bytes are there. */
void net_rtnl_put(void *body, size_t cap, size_t *n, uint16_t type, const void *value, size_t size);

/* --- reading --- */

enum { NET_ATTRS = 80 };
struct net_attrs {
	const struct nlattr *at[NET_ATTRS]; /* by type; the last of its kind */
};

/* Attributes behind a header of `header` bytes; none when the message is too short for it. */
void net_attrs_of(const struct nlmsghdr *nlh, size_t header, struct net_attrs *ret);
/* Those inside an attribute; NULL: none. */
void net_attrs_in(const struct nlattr *nest, struct net_attrs *ret);

/* Unknown when the attribute is missing (NULL) or of another size. */
uint64_t net_attr_uint(const struct nlattr *a); /* 1, 2, 4 or 8 bytes in the machine's order */
uint64_t net_attr_be16(const struct nlattr *a);
uint8_t net_attr_bool(const struct nlattr *a);
struct text net_attr_text(const struct nlattr *a); /* up to the first NUL; p NULL: missing */
struct addr net_attr_addr(const struct nlattr *a); /* 4, 16 or 6 bytes */
struct str net_attr_str(struct builder *b, const struct nlattr *a);

/* The name for a bit or number of a const table; NULL: none. */
struct net_name {
	uint32_t value;
	const char *name;
};
const char *net_name_of(const struct net_name *names, size_t n, uint32_t value);
/* Items for all bits that have a name; ROW_NO_TEXT when there is none. */
struct str net_name_flags(struct builder *b, const struct net_name *names, size_t n, uint32_t bits);

/* --- names of interfaces, which messages give as numbers --- */

struct net_names {
	struct net_named *list;
	uint32_t n, cap;
};
void net_names_add(struct net_names *names, uint64_t index, struct text name);
const char *net_names_find(const struct net_names *names, uint64_t index); /* NULL: no such interface */
struct str net_names_str(const struct net_names *names, uint64_t index, struct builder *b);
void net_names_clear(struct net_names *names); /* keeps the memory */
void net_names_done(struct net_names *names);

#endif
