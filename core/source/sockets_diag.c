/*
 * Sockets by netlink. TCP comes by the older request, since that walks the hash of all sockets once for both families where the newer
 * one needs a walk for each (0.3 ms against 0.7 on an idle host with 262,144 buckets). Rows say what ss(8) says: for listeners the
 * queues are connections waiting and the limit.
 */
#include "core/source/sockets_diag.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/fd.h"
#include "core/netlink.h"

enum { TRIES = 3, BUFFER = 64 << 10, ALL_STATES = 0xfff, KERNEL_TIME_WAIT = 6 };
enum { TIMER_RETRANSMIT = 1 };

struct link {
	uint32_t index;
	char name[IF_NAMESIZE];
};

struct sockets_diag {
	int diag, route;
	uint32_t seq;
	struct link *links;
	uint32_t n_links;
	bool links_fresh; /* read during this sample */
	_Alignas(NLMSG_ALIGNTO) char buffer[BUFFER];
};

struct dump {
	struct sockets_diag *d;
	struct builder *b;
	enum sock_protocol protocol;
};

typedef void (*message_fn)(struct dump *dump, const struct nlmsghdr *nlh);

struct sockets_diag *sockets_diag_new(int diag, int route)
{
	struct sockets_diag *d = fd_xcalloc(1, sizeof *d);

	d->diag = diag;
	d->route = route;
	return d;
}

void sockets_diag_free(struct sockets_diag *d)
{
	if (d)
		free(d->links);
	free(d);
}

void sockets_diag_blank(struct sock_row *row)
{
	*row = (struct sock_row){ .protocol = ROW_NO_ENUM, .family = ROW_NO_ENUM, .state = ROW_NO_ENUM,
		.local_port = ROW_NO_UINT, .remote_port = ROW_NO_UINT, .recv_queue = ROW_NO_UINT, .send_queue = ROW_NO_UINT,
		.uid = ROW_NO_UINT, .inode = ROW_NO_UINT, .pid = ROW_NO_UINT, .process = ROW_NO_TEXT, .path = ROW_NO_TEXT,
		.type = ROW_NO_TEXT, .peer_inode = ROW_NO_UINT, .peer = ROW_NO_TEXT, .retransmits = ROW_NO_UINT,
		.timer_ms = ROW_NO_UINT, .interface = ROW_NO_TEXT };
}

enum sock_state sockets_diag_state(unsigned kernel_state)
{
	enum { NEW_SYN_RECV = 12 };

	_Static_assert(SOCK_STATE_ESTAB == 0 && SOCK_STATE_CLOSING == 10, "in the order of net/tcp_states.h");
	if (kernel_state == NEW_SYN_RECV)
		return SOCK_STATE_SYN_RECV;
	return kernel_state >= 1 && kernel_state <= 11 ? (enum sock_state)(kernel_state - 1) : SOCK_STATE_UNCONN;
}

enum severity sockets_diag_severity(const struct sock_row *row)
{
	bool resent = row->retransmits != ROW_NO_UINT && row->retransmits > 0;
	bool limited = row->send_queue != ROW_NO_UINT && row->recv_queue != ROW_NO_UINT && row->send_queue > 0;

	if (row->state == SOCK_STATE_SYN_SENT)
		return resent ? SEVERITY_BAD : SEVERITY_WARN;
	if (row->state == SOCK_STATE_LISTEN && limited && row->recv_queue > 0 && row->recv_queue >= row->send_queue)
		return SEVERITY_BAD; /* the next connection is refused or waits for a retransmission */
	if (row->state == SOCK_STATE_LISTEN && limited && row->recv_queue * 10 >= row->send_queue * 8)
		return SEVERITY_WARN;
	if (row->state == SOCK_STATE_CLOSE_WAIT || (resent && row->protocol == SOCK_PROTO_TCP))
		return SEVERITY_WARN;
	return SEVERITY_NONE;
}

uint64_t sockets_diag_id(const struct sock_row *row)
{
	struct { /* no padding: hashed as bytes */
		struct addr local, remote;
		uint64_t ports[2], inode;
	} key;

	memset(&key, 0, sizeof key);
	key.local = row->local_address;
	key.remote = row->remote_address;
	key.ports[0] = row->local_port;
	key.ports[1] = row->remote_port;
	key.inode = row->inode;
	return row_hash(&key, sizeof key, row->protocol);
}

/* --- asking --- */

static int ask(int fd, uint32_t seq, uint16_t type, const void *body, size_t n)
{
	_Alignas(NLMSG_ALIGNTO) char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	memcpy(mnl_nlmsg_put_extra_header(nlh, n), body, n);
	return send(fd, buf, nlh->nlmsg_len, 0) < 0 ? -errno : 0;
}

struct asked {
	struct dump *dump;
	message_fn fn;
};

static bool take_message(const struct nlmsghdr *nlh, void *arg)
{
	const struct asked *a = arg;

	a->fn(a->dump, nlh);
	return true;
}

static int receive(struct dump *dump, int fd, message_fn fn)
{
	struct sockets_diag *d = dump->d;
	struct asked asked = { dump, fn };

	return netlink_receive(&(struct netlink_answer){ fd, d->seq, d->buffer, sizeof d->buffer }, take_message, &asked);
}

static int dump_all(struct dump *dump, int fd, uint16_t type, const void *body, size_t n, message_fn fn)
{
	uint32_t before = dump->b ? builder_count(dump->b) : 0;
	int r = 0;

	for (unsigned try = 0; try < TRIES; try++) {
		r = ask(fd, ++dump->d->seq, type, body, n);
		if (r == 0)
			r = receive(dump, fd, fn);
		if (r == 0 || (r > 0 && try == TRIES - 1))
			break;
		while (dump->b && builder_count(dump->b) > before)
			builder_drop_last(dump->b);
		if (r < 0 && r != -EINTR)
			return r;
	}
	if (r > 0 && dump->b)
		builder_note(dump->b, 0, "sockets changed while they were read: some may be missing or twice");
	return r < 0 ? r : 0;
}

/* --- interfaces --- */

static void take_link(struct dump *dump, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	struct sockets_diag *d = dump->d;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof *info)
		return;
	mnl_attr_for_each(attr, nlh, sizeof *info) {
		if (mnl_attr_get_type(attr) != IFLA_IFNAME || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
			continue;
		d->links = fd_xrealloc(d->links, d->n_links + 1, sizeof *d->links);
		d->links[d->n_links].index = (uint32_t)info->ifi_index;
		memset(d->links[d->n_links].name, 0, IF_NAMESIZE);
		strncpy(d->links[d->n_links++].name, mnl_attr_get_str(attr), IF_NAMESIZE - 1);
	}
}

static const char *find_link(const struct sockets_diag *d, uint32_t index)
{
	for (uint32_t i = 0; i < d->n_links; i++)
		if (d->links[i].index == index)
			return d->links[i].name;
	return NULL;
}

/* Names of the devices that rows are bound to. They come as numbers first: a second dump must not run inside the first. */
static void name_links(struct dump *dump, uint32_t from)
{
	struct sockets_diag *d = dump->d;

	for (uint32_t i = from; i < builder_count(dump->b); i++) {
		struct sock_row *row = builder_at(dump->b, i);
		uint32_t index = row->interface.off;
		struct dump links = { .d = d };
		struct ifinfomsg info = { 0 };

		if (row->interface.len != 0)
			continue;
		if (!find_link(d, index) && !d->links_fresh && d->route >= 0) {
			d->n_links = 0;
			d->links_fresh = true;
			dump_all(&links, d->route, RTM_GETLINK, &info, sizeof info, take_link);
		}
		row->interface = builder_str(dump->b, find_link(d, index));
	}
}

/* --- inet --- */

static struct addr take_addr(unsigned family, const __be32 words[4])
{
	return family == AF_INET ? addr_ip4(words) : addr_ip6(words);
}

static uint64_t cookie_id(const uint32_t cookie[2], enum sock_protocol protocol)
{
	return row_hash(cookie, 2 * sizeof cookie[0], protocol);
}

static void take_inet(struct dump *dump, const struct nlmsghdr *nlh)
{
	struct inet_diag_msg m;
	struct sock_row *row;
	bool counts_resends;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof m)
		return;
	memcpy(&m, mnl_nlmsg_get_payload(nlh), sizeof m);
	if (m.idiag_family != AF_INET && m.idiag_family != AF_INET6)
		return;
	row = builder_row(dump->b);
	sockets_diag_blank(row);
	row->protocol = dump->protocol;
	row->family = m.idiag_family == AF_INET ? 4 : 6;
	row->state = sockets_diag_state(m.idiag_state);
	row->local_address = take_addr(m.idiag_family, m.id.idiag_src);
	row->remote_address = take_addr(m.idiag_family, m.id.idiag_dst);
	row->local_port = ntohs(m.id.idiag_sport);
	row->remote_port = ntohs(m.id.idiag_dport);
	row->recv_queue = m.idiag_rqueue;
	row->send_queue = m.idiag_wqueue;
	if (m.idiag_inode) { /* without one nobody owns it, and the uid says nothing */
		row->inode = m.idiag_inode;
		row->uid = m.idiag_uid;
	}
	counts_resends = dump->protocol == SOCK_PROTO_TCP && m.idiag_state != KERNEL_TIME_WAIT;
	if (counts_resends)
		row->retransmits = m.idiag_timer == TIMER_RETRANSMIT || row->state == SOCK_STATE_SYN_RECV ? m.idiag_retrans : 0;
	if (m.idiag_timer)
		row->timer_ms = m.idiag_expires;
	if (m.id.idiag_if)
		row->interface = (struct str){ .off = m.id.idiag_if, .len = 0 }; /* name_links */
	row->head.severity = sockets_diag_severity(row);
	row->head.flags = row->state == SOCK_STATE_TIME_WAIT ? ROW_OVER : 0;
	row->head.id = m.id.idiag_cookie[0] == UINT32_MAX && m.id.idiag_cookie[1] == UINT32_MAX ?
		sockets_diag_id(row) : cookie_id(m.id.idiag_cookie, dump->protocol);
}

static int read_family(struct dump *dump, uint8_t family, uint8_t protocol)
{
	struct inet_diag_req_v2 req = { .sdiag_family = family, .sdiag_protocol = protocol, .idiag_states = ALL_STATES };

	return dump_all(dump, dump->d->diag, SOCK_DIAG_BY_FAMILY, &req, sizeof req, take_inet);
}

static int read_families(struct dump *dump, uint8_t protocol)
{
	uint32_t before = builder_count(dump->b);
	int r = read_family(dump, AF_INET, protocol), r6;

	if (r < 0)
		return r;
	r6 = read_family(dump, AF_INET6, protocol);
	if (r6 == -ENOENT || r6 == -EOPNOTSUPP || r6 == -EAFNOSUPPORT)
		return 0; /* a kernel without IPv6 */
	while (r6 < 0 && builder_count(dump->b) > before)
		builder_drop_last(dump->b);
	return r6;
}

static int read_tcp(struct dump *dump)
{
	struct inet_diag_req req = { .idiag_family = AF_INET, .idiag_states = ALL_STATES };

	if (dump_all(dump, dump->d->diag, TCPDIAG_GETSOCK, &req, sizeof req, take_inet) == 0)
		return 0;
	return read_families(dump, IPPROTO_TCP);
}

/* --- unix --- */

static const char *unix_type(unsigned type)
{
	switch (type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_DGRAM:
		return "dgram";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return NULL;
	}
}

/* A path ends at its first NUL; an abstract name starts with one and may hold more, shown as '@' like ss does (unix(7)). */
static struct str unix_name(struct builder *b, const char *p, size_t n)
{
	char name[256];

	if (n == 0 || n > sizeof name)
		return ROW_NO_TEXT;
	memcpy(name, p, n);
	if (name[0])
		return builder_text(b, name, strnlen(name, n));
	for (size_t i = 0; i < n; i++)
		name[i] = name[i] ? name[i] : '@';
	return builder_text(b, name, n);
}

static uint64_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) < 0 ? ROW_NO_UINT : mnl_attr_get_u32(attr);
}

static void take_unix_attr(struct builder *b, struct sock_row *row, const struct nlattr *attr)
{
	struct unix_diag_rqlen queue;

	switch (mnl_attr_get_type(attr)) {
	case UNIX_DIAG_NAME:
		row->path = unix_name(b, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
		break;
	case UNIX_DIAG_PEER:
		row->peer_inode = attr_u32(attr);
		break;
	case UNIX_DIAG_UID:
		row->uid = attr_u32(attr);
		break;
	case UNIX_DIAG_RQLEN:
		if (mnl_attr_get_payload_len(attr) < sizeof queue)
			break;
		memcpy(&queue, mnl_attr_get_payload(attr), sizeof queue);
		row->recv_queue = queue.udiag_rqueue;
		row->send_queue = queue.udiag_wqueue;
		break;
	default:
		break;
	}
}

static void take_unix(struct dump *dump, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	struct unix_diag_msg m;
	struct sock_row *row;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof m)
		return;
	memcpy(&m, mnl_nlmsg_get_payload(nlh), sizeof m);
	row = builder_row(dump->b);
	sockets_diag_blank(row);
	row->protocol = SOCK_PROTO_UNIX;
	row->state = sockets_diag_state(m.udiag_state);
	row->inode = m.udiag_ino ? m.udiag_ino : ROW_NO_UINT;
	row->type = builder_str(dump->b, unix_type(m.udiag_type));
	mnl_attr_for_each(attr, nlh, sizeof m)
		take_unix_attr(dump->b, row, attr);
	row->peer_inode = row->peer_inode == 0 ? ROW_NO_UINT : row->peer_inode;
	row->head.severity = sockets_diag_severity(row);
	row->head.id = cookie_id(m.udiag_cookie, SOCK_PROTO_UNIX);
}

static int read_unix(struct dump *dump)
{
	struct unix_diag_req req = { .sdiag_family = AF_UNIX, .udiag_states = UINT32_MAX,
		.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID };

	return dump_all(dump, dump->d->diag, SOCK_DIAG_BY_FAMILY, &req, sizeof req, take_unix);
}

int sockets_diag_read(struct sockets_diag *d, enum sock_protocol protocol, struct builder *b)
{
	struct dump dump = { .d = d, .b = b, .protocol = protocol };
	uint32_t from = builder_count(b);
	int r = -EOPNOTSUPP;

	d->links_fresh = false;
	switch (protocol) {
	case SOCK_PROTO_TCP:
		r = read_tcp(&dump);
		break;
	case SOCK_PROTO_UDP:
		r = read_families(&dump, IPPROTO_UDP);
		break;
	case SOCK_PROTO_UDPLITE:
		r = read_families(&dump, IPPROTO_UDPLITE);
		break;
	case SOCK_PROTO_RAW:
		r = read_families(&dump, IPPROTO_RAW);
		break;
	case SOCK_PROTO_UNIX:
		return read_unix(&dump);
	case SOCK_PROTO_ICMP:
	case SOCK_PROTO_N:
		break;
	}
	name_links(&dump, from);
	return r;
}
