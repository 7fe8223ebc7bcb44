/* Two processes, one socket: see nat_ask.h. The one that asks ends when the other's end of the pair closes. */
#include "core/net/nat_ask.h"

#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/capability.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHARED = 64 << 20, MAX_DUMP = 256 << 20, BUFFER = 64 << 10, QUESTION = 1024, LEGACY = NAT_DUMPS, TRIES = 3 };

struct question {
	uint32_t what; /* enum nat_dump, or LEGACY */
	uint32_t family; /* NFPROTO_*; 4 or 6 of LEGACY */
	uint32_t seq;
	char table[NAT_NAME], set[NAT_NAME];
};

struct nat_ask {
	int nft, legacy[2]; /* -1: not there */
	int pair; /* to the other process */
	uint32_t seq;
	uint8_t *shared; /* where it lets the kernel put legacy tables */
	uint8_t *buffer;
};

static const uint16_t messages[NAT_DUMPS] = {
	[NAT_DUMP_TABLES] = NFT_MSG_GETTABLE, [NAT_DUMP_CHAINS] = NFT_MSG_GETCHAIN, [NAT_DUMP_RULES] = NFT_MSG_GETRULE,
	[NAT_DUMP_SETS] = NFT_MSG_GETSET, [NAT_DUMP_ELEMENTS] = NFT_MSG_GETSETELEM,
};

/* --- the process that asks --- */

/* With an address: without one, whoever opened the socket would need the right as well (netlink_ns_capable). */
static int ask_nft(const struct nat_ask *a, const struct question *q)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	_Alignas(NLMSG_ALIGNTO) char buf[QUESTION];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | messages[q->what]);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = q->seq;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof *g);
	g->nfgen_family = (uint8_t)q->family;
	if (q->what == NAT_DUMP_ELEMENTS) {
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, q->table);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, q->set);
	}
	return sendto(a->nft, buf, nlh->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0 ? -errno : 0;
}

/* Both families have the same struct and numbers for the first question, and entries behind the same head for the second. */
static int ask_legacy(const struct nat_ask *a, const struct question *q)
{
	int fd = a->legacy[q->family == 6], level = q->family == 6 ? SOL_IPV6 : SOL_IP;
	struct ipt_getinfo info = { 0 };
	struct ipt_get_entries *entries = (struct ipt_get_entries *)(void *)(a->shared + sizeof info);
	socklen_t n = sizeof info;

	_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "one struct for both");
	_Static_assert((int)IPT_SO_GET_INFO == (int)IP6T_SO_GET_INFO && (int)IPT_SO_GET_ENTRIES == (int)IP6T_SO_GET_ENTRIES, "one number");
	_Static_assert(sizeof(struct ipt_getinfo) % 4 == 0 && sizeof *entries == offsetof(struct ip6t_get_entries, entrytable), "one head");
	memcpy(info.name, q->table, NAT_TABLE_NAME - 1);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &n) < 0)
		return -errno;
	if (info.size > SHARED - sizeof info - sizeof *entries)
		return -EFBIG;
	n = (socklen_t)(sizeof *entries + info.size);
	memset(entries, 0, sizeof *entries);
	memcpy(entries->name, q->table, NAT_TABLE_NAME - 1);
	entries->size = info.size;
	memcpy(a->shared, &info, sizeof info);
	return getsockopt(fd, level, IPT_SO_GET_ENTRIES, entries, &n) < 0 ? -errno : 0;
}

static int ask(const struct nat_ask *a, const struct question *q)
{
	if (!memchr(q->table, 0, sizeof q->table) || !memchr(q->set, 0, sizeof q->set) || q->what > LEGACY)
		return -EINVAL;
	if (q->what == LEGACY)
		return a->shared ? ask_legacy(a, q) : -EINVAL;
	return a->nft < 0 ? -EINVAL : ask_nft(a, q);
}

static _Noreturn void serve(struct nat_ask *a)
{
	const uint64_t admin = 1ull << CAP_NET_ADMIN;
	struct question q;
	struct err err = { 0 };
	int r;

	prctl(PR_SET_NAME, "nsdbg: nat ask");
	cage_raise_caps(admin);
	r = cage_enter(CAGE_NETLINK, admin, false, &err);
	while (r >= 0 && recv(a->pair, &q, sizeof q, 0) == sizeof q) {
		int32_t answer = ask(a, &q);

		if (send(a->pair, &answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer)
			break;
	}
	_exit(r < 0);
}

/* --- the process that reads --- */

static int put_question(struct nat_ask *a, const struct question *q)
{
	int32_t answer = -EPIPE;

	if (send(a->pair, q, sizeof *q, MSG_NOSIGNAL) != sizeof *q || recv(a->pair, &answer, sizeof answer, 0) != sizeof answer)
		return -EPIPE;
	return answer;
}

static void append(struct nat_bytes *to, const void *p, size_t n)
{
	while (to->n + n > to->cap) {
		to->cap = to->cap ? to->cap * 2 : BUFFER;
		to->p = fd_xrealloc(to->p, to->cap, 1);
	}
	memcpy(to->p + to->n, p, n);
	to->n += n;
}

struct taken {
	struct nat_bytes *to;
	bool full;
};

static bool take(const struct nlmsghdr *nlh, void *arg)
{
	struct taken *t = arg;

	t->full = t->to->n + nlh->nlmsg_len > MAX_DUMP;
	if (!t->full)
		append(t->to, nlh, NLMSG_ALIGN(nlh->nlmsg_len));
	return !t->full;
}

static int receive(struct nat_ask *a, struct nat_bytes *ret)
{
	struct taken t = { .to = ret };
	int r = netlink_receive(&(struct netlink_answer){ a->nft, a->seq, a->buffer, BUFFER }, take, &t);

	return t.full ? -EFBIG : r;
}

static void copy_text(char to[NAT_NAME], struct text t)
{
	memcpy(to, t.n ? t.p : "", t.n < NAT_NAME - 1 ? t.n : NAT_NAME - 1);
}

int nat_ask_dump(struct nat_ask *a, enum nat_dump what, uint8_t family, struct text table, struct text set, struct nat_bytes *ret)
{
	struct question q = { .what = what, .family = family };
	int r = 0;

	copy_text(q.table, table);
	copy_text(q.set, set);
	for (unsigned i = 0; i < TRIES; i++) {
		size_t before = ret->n;

		q.seq = ++a->seq;
		r = put_question(a, &q);
		if (r == 0)
			r = receive(a, ret);
		if (r == -ENOENT && what == NAT_DUMP_ELEMENTS)
			r = 1; /* the set went */
		if ((r != 1 && r != -EINTR) || i + 1 == TRIES)
			return r == -EINTR ? 1 : r;
		ret->n = before;
	}
	return r;
}

int nat_ask_legacy(struct nat_ask *a, uint8_t family, const char *table, struct nat_bytes *ret)
{
	struct question q = { .what = LEGACY, .family = family };
	struct ipt_getinfo info;
	int r;

	if (a->legacy[family == 6] < 0 || !a->shared)
		return -ENOENT;
	memcpy(q.table, table, strnlen(table, NAT_TABLE_NAME - 1));
	for (unsigned i = 0; i < TRIES; i++) { /* EAGAIN: it changed between both questions */
		r = put_question(a, &q);
		if (r != -EAGAIN)
			break;
	}
	if (r < 0)
		return r;
	memcpy(&info, a->shared, sizeof info);
	if (info.size > SHARED - sizeof info - sizeof(struct ipt_get_entries))
		return -EFBIG;
	*ret = (struct nat_bytes){ .p = a->shared, .n = sizeof info + sizeof(struct ipt_get_entries) + info.size };
	return 0;
}

static int start(struct nat_ask *a, struct err *err)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a pair of sockets");
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		a->pair = pair[1];
		serve(a);
	}
	close(pair[1]);
	a->pair = pair[0];
	return pid < 0 ? err_set(err, errno, "start a process") : 0;
}

int nat_ask_start(bool nft, bool legacy, struct nat_ask **ret, struct err *err)
{
	struct nat_ask *a = fd_xcalloc(1, sizeof *a);

	*ret = a;
	a->pair = -1;
	a->buffer = fd_xcalloc(1, BUFFER);
	a->nft = nft ? socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_NETFILTER) : -1;
	a->legacy[0] = legacy ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	a->legacy[1] = legacy ? socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (nft && a->nft < 0)
		return err_set(err, errno, "open a netfilter socket");
	if (legacy) {
		void *p = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED)
			return err_set(err, errno, "map memory");
		a->shared = p;
	}
	return start(a, err);
}

void nat_ask_stop(struct nat_ask *a)
{
	if (!a)
		return;
	fd_closep(&a->nft);
	fd_closep(&a->legacy[0]);
	fd_closep(&a->legacy[1]);
	fd_closep(&a->pair);
	if (a->shared)
		munmap(a->shared, SHARED);
	free(a->buffer);
	free(a);
}
