/* Sockets made here, read back from the kernel both ways: sock_diag and /proc/net must tell the same of each. No privilege needed. */
#include "core/source/sockets_diag.h"
#include "core/source/sockets_proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "proctree.h"

enum { N = 11 };

struct zoo {
	int fd[N];
	int n;
	uint16_t port; /* of the IPv4 listener */
};

static int made(struct zoo *z, int fd)
{
	assert_true(fd >= 0 && z->n < N);
	z->fd[z->n++] = fd;
	return fd;
}

static uint16_t listen_at(int fd, int family, int backlog)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a4;

	if (family == AF_INET6) {
		assert_int_equal(bind(fd, (struct sockaddr *)&a6, sizeof a6), 0);
		return (uint16_t)listen(fd, backlog);
	}
	assert_int_equal(bind(fd, (struct sockaddr *)&a4, sizeof a4), 0);
	if (backlog)
		assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a4, &n), 0);
	return ntohs(a4.sin_port);
}

static int connected(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void make_zoo(struct zoo *z)
{
	static const struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0nsdbg-unit\n0: 1 1 1 1 01 1 /forged" };
	const socklen_t length = offsetof(struct sockaddr_un, sun_path) + 35;
	int listener, accepted, v6, pair[2];

	memset(z, 0, sizeof *z);
	listener = made(z, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	z->port = listen_at(listener, AF_INET, 9);
	assert_int_equal(write(made(z, connected(z->port)), "12345", 5), 5);
	accepted = made(z, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	shutdown(accepted, SHUT_WR);
	made(z, connected(z->port)); /* waits to be accepted */
	listen_at(made(z, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), AF_INET, 0);
	v6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (v6 >= 0)
		listen_at(made(z, v6), AF_INET6, 3);
	assert_int_equal(bind(made(z, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)), (const struct sockaddr *)&abstract, length), 0);
	assert_int_equal(listen(z->fd[z->n - 1], 4), 0);
	made(z, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	made(z, pair[0]);
	made(z, pair[1]);
	usleep(50000); /* the kernel's end of the handshake */
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static const struct sock_row *find(const struct block *b, uint64_t inode)
{
	for (uint32_t i = 0; i < block_count(b); i++)
		if (((const struct sock_row *)block_row(b, i))->inode == inode)
			return block_row(b, i);
	return NULL;
}

static struct block *by_diag(void)
{
	static const enum sock_protocol protocols[] = { SOCK_PROTO_TCP, SOCK_PROTO_UDP, SOCK_PROTO_UNIX };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct sockets_diag *d = sockets_diag_new(fd, -1);
	struct builder *b = builder_new(&sock_row_type);
	struct block *ret;
	int r = fd >= 0 ? 0 : -errno;

	for (size_t i = 0; i < ARRAY_LEN(protocols) && r == 0; i++)
		r = sockets_diag_read(d, protocols[i], b);
	ret = r == 0 ? builder_block(b) : NULL;
	sockets_diag_free(d);
	builder_free(b);
	close(fd);
	return ret;
}

static struct block *by_proc(void)
{
	static const struct {
		enum sock_protocol protocol;
		const char *path;
	} tables[] = {
		{ SOCK_PROTO_TCP, "/proc/thread-self/net/tcp" }, { SOCK_PROTO_TCP, "/proc/thread-self/net/tcp6" },
		{ SOCK_PROTO_UDP, "/proc/thread-self/net/udp" }, { SOCK_PROTO_UNIX, "/proc/thread-self/net/unix" },
	};
	struct builder *b = builder_new(&sock_row_type);
	struct block *ret;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		AUTO(fd_closep) int fd = open(tables[i].path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			assert_int_equal(sockets_proc_read(fd, tables[i].protocol, b), 0);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void compare(const struct block *diag, const struct sock_row *d, const struct block *proc, const struct sock_row *p)
{
	assert_int_equal(d->protocol, p->protocol);
	assert_int_equal(d->state, p->state);
	assert_int_equal(d->family, p->family);
	if (d->protocol == SOCK_PROTO_UNIX) {
		assert_string_equal(proctree_text(diag, d->type), proctree_text(proc, p->type));
		return; /* the table has no queues, owners or peers */
	}
	assert_true(addr_same(&d->local_address, &p->local_address) && addr_same(&d->remote_address, &p->remote_address));
	assert_int_equal(d->local_port, p->local_port);
	assert_int_equal(d->remote_port, p->remote_port);
	assert_int_equal(d->recv_queue, p->recv_queue);
	assert_int_equal(d->uid, p->uid);
	assert_true(d->retransmits == p->retransmits);
	if (d->state != SOCK_STATE_LISTEN)
		assert_int_equal(d->send_queue, p->send_queue);
}

static void both_ways_agree(void **state)
{
	struct block *diag, *proc;
	const struct sock_row *row;
	struct zoo z;

	(void)state;
	make_zoo(&z);
	diag = by_diag();
	proc = by_proc();
	if (!diag)
		skip();
	for (int i = 0; i < z.n; i++) {
		const struct sock_row *d = find(diag, inode_of(z.fd[i])), *p = find(proc, inode_of(z.fd[i]));

		assert_non_null(d);
		assert_non_null(p);
		compare(diag, d, proc, p);
	}
	row = find(diag, inode_of(z.fd[0]));
	assert_true(row->state == SOCK_STATE_LISTEN && row->local_port == z.port && row->recv_queue == 1 && row->send_queue == 9);
	row = find(diag, inode_of(z.fd[2]));
	assert_true(row->recv_queue == 5 && row->state == SOCK_STATE_FIN_WAIT_2 && row->uid == getuid());
	row = find(diag, inode_of(z.fd[1]));
	assert_true(row->state == SOCK_STATE_CLOSE_WAIT && row->head.severity == SEVERITY_WARN);
	row = find(diag, inode_of(z.fd[z.n - 1]));
	assert_true(row->peer_inode == inode_of(z.fd[z.n - 2]) && row->uid == getuid());
	for (int i = 0; i < z.n; i++)
		close(z.fd[i]);
	block_unref(diag);
	block_unref(proc);
}

static void names_forge_nothing(void **state)
{
	struct block *diag;
	const struct sock_row *row;
	struct zoo z;

	(void)state;
	make_zoo(&z);
	diag = by_diag();
	if (!diag)
		skip();
	row = find(diag, inode_of(z.fd[z.n - 4]));
	assert_non_null(row);
	assert_string_equal(proctree_text(diag, row->path), "@nsdbg-unit\n0: 1 1 1 1 01 1 /forged");
	for (uint32_t i = 0; i < block_count(diag); i++)
		assert_string_not_equal(proctree_text(diag, ((const struct sock_row *)block_row(diag, i))->path), "/forged");
	for (int i = 0; i < z.n; i++)
		close(z.fd[i]);
	block_unref(diag);
}

/* A table longer than what is read at once: no line is lost or torn where the pieces meet. */
static void long_tables(void **state)
{
	enum { LINES = 3000 };
	struct builder *b = builder_new(&sock_row_type);
	struct proctree t;
	int fd;

	(void)state;
	proctree_make(&t);
	fd = openat(t.fd, "tcp", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	dprintf(fd, "  sl  local_address rem_address   st\n");
	for (int i = 0; i < LINES; i++)
		dprintf(fd, "%4d: 0100007F:%04X 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 %d 1%s", i, i,
			i + 1, i == LINES - 1 ? "" : "\n");
	assert_int_equal(sockets_proc_read(fd, SOCK_PROTO_TCP, b), 0);
	assert_int_equal(builder_count(b), LINES);
	for (uint32_t i = 0; i < LINES; i++) {
		const struct sock_row *row = builder_at(b, i);

		assert_true(row->local_port == i && row->inode == i + 1);
	}
	close(fd);
	builder_free(b);
	proctree_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_agree),
		cmocka_unit_test(names_forge_nothing),
		cmocka_unit_test(long_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
