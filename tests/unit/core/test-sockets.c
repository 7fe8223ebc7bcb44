/* Who owns sockets (over a made-up /proc) and what the join of sockets, owners and targets says. */
#include "core/source/sockets.h"

#include "core/err.h"
#include "core/source/sockets_diag.h"
#include "core/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proctree.h"

enum { HOST = 100, WEB = 200 };

static struct block *walk(struct owners_scan *s)
{
	struct builder *b = builder_new(&owner_row_type);
	struct err err = { 0 };
	struct block *ret;

	assert_int_equal(owners_scan_read(s, b, &err), 0);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static const struct owner_row *find_owner(const struct block *b, uint64_t inode)
{
	for (uint32_t i = 0; i < block_count(b); i++)
		if (((const struct owner_row *)block_row(b, i))->inode == inode)
			return block_row(b, i);
	return NULL;
}

static void owners_are_found(void **state)
{
	const struct proctree_process inside = { .pid = 40, .netns = WEB, .pidns = 2, .comm = "nginx", .state = 'S' };
	const struct proctree_process outside = { .pid = 30, .netns = HOST, .pidns = 1, .comm = "dockerd", .state = 'S' };
	const uint64_t wanted[] = { 503, 999 };
	const struct owner_row *o;
	struct owners_scan *s;
	struct proctree t;
	struct block *b;

	(void)state;
	proctree_make(&t);
	proctree_process(&t, &outside);
	proctree_process(&t, &inside);
	proctree_link(&t, "40/fd/3", "socket:[501]");
	proctree_link(&t, "40/fd/4", "/tmp/socket:[502]");
	proctree_link(&t, "30/fd/9", "socket:[503]");
	proctree_link(&t, "30/fd/8", "socket:[504]");
	s = owners_scan_new(t.fd, WEB);

	b = walk(s);
	assert_int_equal(block_count(b), 1);
	o = find_owner(b, 501);
	assert_true(o && o->pid == 40 && o->fd == 3 && o->guest == 0);
	assert_string_equal(proctree_text(b, o->process), "nginx");
	block_unref(b);

	owners_scan_search(s, wanted, ARRAY_LEN(wanted));
	for (int i = 0; i < 2; i++) { /* found, and remembered */
		b = walk(s);
		assert_int_equal(block_count(b), 2);
		o = find_owner(b, 503);
		assert_true(o && o->pid == 30 && o->fd == 9 && o->guest == 1);
		assert_ptr_equal(block_row(b, 1), o); /* after those inside */
		block_unref(b);
	}

	/* It comes inside: then it is none of the guests. */
	proctree_link(&t, "30/ns/net", "net:[%d]", WEB);
	b = walk(s);
	assert_int_equal(block_count(b), 3);
	assert_int_equal(find_owner(b, 504)->guest, 0);
	block_unref(b);
	owners_scan_free(s);
	proctree_remove(&t);
}

static void new_sockets_are_found(void **state)
{
	const struct proctree_process p = { .pid = 40, .netns = WEB, .pidns = 2, .comm = "nginx", .state = 'S' };
	const uint64_t wanted[] = { 602 };
	struct owners_scan *s;
	struct proctree t;
	struct block *b;

	(void)state;
	proctree_make(&t);
	proctree_process(&t, &p);
	proctree_link(&t, "40/fd/3", "socket:[601]");
	s = owners_scan_new(t.fd, 0); /* 0: everybody is inside */
	block_unref(walk(s));
	/* As many descriptors as before, but another socket: only asking for it tells. */
	proctree_link(&t, "40/fd/3", "socket:[602]");
	owners_scan_search(s, wanted, 1);
	b = walk(s);
	assert_int_equal(block_count(b), 1);
	assert_non_null(find_owner(b, 602));
	assert_int_equal(find_owner(b, 602)->guest, 0);
	block_unref(b);
	/* And the next walk is from memory again. */
	b = walk(s);
	assert_int_equal(block_count(b), 1);
	assert_non_null(find_owner(b, 602));
	block_unref(b);
	owners_scan_free(s);
	proctree_remove(&t);
}

/* --- join --- */

static struct addr parse(const char *text)
{
	struct addr a = { 0 };

	if (text)
		assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static const struct {
	const char *remote;
	uint64_t inode;
	const char *peer; /* expected */
	uint64_t pid;
	uint32_t owners;
} cases[] = {
	{ "172.18.0.3", 501, "db", 40, 2 },
	{ "::ffff:172.18.0.3", 502, "db", 30, 1 },
	{ "fd00::3", ROW_NO_UINT, "db", ROW_NO_UINT, 0 },
	{ "172.18.0.9", 777, "?", ROW_NO_UINT, 0 }, /* two containers have it */
	{ "172.18.0.8", 503, "twin-a", 40, 1 }, /* one container has it twice */
	{ "0.0.0.0", 504, "?", ROW_NO_UINT, 0 },
	{ NULL, 505, "?", ROW_NO_UINT, 0 },
};

static struct block *some_sockets(void)
{
	struct builder *b = builder_new(&sock_row_type);
	struct block *ret;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sock_row *row = builder_row(b);

		sockets_diag_blank(row);
		row->head.id = i;
		row->protocol = SOCK_PROTO_TCP;
		row->state = SOCK_STATE_ESTAB;
		row->remote_address = parse(cases[i].remote);
		row->inode = cases[i].inode;
		row->path = builder_str(b, "kept");
	}
	builder_note(b, 0, "a note");
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct block *some_owners(void)
{
	static const struct {
		uint64_t inode, pid;
	} list[] = { { 501, 40 }, { 503, 40 }, { 502, 30 }, { 501, 30 } };
	struct builder *b = builder_new(&owner_row_type);
	struct block *ret;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		struct owner_row *row = builder_row(b);

		*row = (struct owner_row){ .inode = list[i].inode, .pid = list[i].pid, .fd = i,
			.process = builder_str(b, list[i].pid == 40 ? "nginx" : "dockerd") };
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void add_target(struct builder *b, const char *name, const char *a4, const char *a6, const char *other)
{
	struct endpoint_row e[2] = { 0 };
	struct target_row *row = builder_row(b);

	for (unsigned i = 0; i < 2; i++)
		e[i].network = e[i].network_id = e[i].interface = e[i].aliases = ROW_NO_TEXT;
	e[0].address = parse(a4);
	e[0].address6 = parse(a6);
	e[1].address = parse(other);
	row->name = builder_str(b, name);
	row->endpoints = builder_rows(b, &endpoint_row_type, e, 2);
}

static struct block *some_targets(void)
{
	struct builder *b = builder_new(&target_row_type);
	struct block *ret;

	add_target(b, "db", "172.18.0.3/16", "fd00::3", "0.0.0.0");
	add_target(b, "twin-a", "172.18.0.9", NULL, "172.18.0.8");
	add_target(b, "twin-b", "172.18.0.9", NULL, NULL);
	add_target(b, "twin-a", "172.18.0.8", NULL, NULL);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void join_puts_together(void **state)
{
	struct block *sockets = some_sockets(), *owners = some_owners(), *targets = some_targets();
	struct block *b = sockets_join(sockets, owners, targets), *bare = sockets_join(sockets, NULL, NULL);

	(void)state;
	assert_int_equal(block_count(b), ARRAY_LEN(cases));
	for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct sock_row *row = block_row(b, i), *plain = block_row(bare, i);

		assert_int_equal(row->head.id, i);
		assert_string_equal(proctree_text(b, row->peer), cases[i].peer);
		assert_true(row->pid == cases[i].pid);
		assert_int_equal(row->owners.n, cases[i].owners);
		assert_string_equal(proctree_text(b, row->path), "kept");
		assert_true(plain->pid == ROW_NO_UINT && plain->owners.n == 0 && plain->peer.len == UINT32_MAX);
	}
	assert_string_equal(proctree_text(b, ((const struct sock_row *)block_row(b, 0))->process), "nginx");
	assert_string_equal(proctree_text(b, ((const struct owner_row *)block_nested(b, &owner_row_type,
		((const struct sock_row *)block_row(b, 0))->owners, 1))->process), "dockerd");
	assert_int_equal(block_notes(b), 1);
	block_unref(b);
	block_unref(bare);
	block_unref(sockets);
	block_unref(owners);
	block_unref(targets);
}

static struct block *socket_with(uint64_t inode)
{
	struct builder *b = builder_new(&sock_row_type);
	struct sock_row *row = builder_row(b);
	struct block *ret;

	row->inode = inode;
	row->path = row->type = row->interface = row->process = row->peer = ROW_NO_TEXT;
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* Each process is in one share, and together they say what one walk would: who owns it first is not a matter of shares. */
static void shares_make_a_whole(void **state)
{
	struct block *parts[2], *sockets = socket_with(700), *joined;
	const struct sock_row *row;
	struct proctree t;

	(void)state;
	proctree_make(&t);
	for (int pid = 40; pid < 60; pid++) {
		char path[32];

		proctree_process(&t, &(struct proctree_process){ .pid = pid, .netns = WEB, .pidns = 2, .comm = "nginx", .state = 'S' });
		snprintf(path, sizeof path, "%d/fd/3", pid);
		proctree_link(&t, path, "socket:[700]");
	}
	for (uint32_t i = 0; i < 2; i++) {
		struct owners_scan *s = owners_scan_new(t.fd, WEB);

		owners_scan_share(s, &(struct owners_params){ .share = i, .shares = 2 });
		parts[i] = walk(s);
		assert_in_range(block_count(parts[i]), 5, 15);
		owners_scan_free(s);
	}
	joined = sockets_join_shares(sockets, (const struct block *const *)parts, 2, NULL);
	row = block_row(joined, 0);
	assert_true(row->pid == 40 && row->owners.n == 20);
	for (uint32_t i = 0; i < 20; i++)
		assert_true(((const struct owner_row *)block_nested(joined, &owner_row_type, row->owners, i))->pid == 40 + i);
	block_unref(joined);
	block_unref(sockets);
	block_unref(parts[0]);
	block_unref(parts[1]);
	proctree_remove(&t);
}

static void states_are_judged(void **state)
{
	static const struct {
		uint32_t protocol, state;
		uint64_t recv, send, resent;
		enum severity want;
	} table[] = {
		{ SOCK_PROTO_TCP, SOCK_STATE_ESTAB, 0, 0, 0, SEVERITY_NONE },
		{ SOCK_PROTO_TCP, SOCK_STATE_ESTAB, 0, 100, 2, SEVERITY_WARN },
		{ SOCK_PROTO_TCP, SOCK_STATE_SYN_SENT, 0, 1, 0, SEVERITY_WARN },
		{ SOCK_PROTO_TCP, SOCK_STATE_SYN_SENT, 0, 1, 3, SEVERITY_BAD },
		{ SOCK_PROTO_TCP, SOCK_STATE_CLOSE_WAIT, 1, 0, 0, SEVERITY_WARN },
		{ SOCK_PROTO_TCP, SOCK_STATE_LISTEN, 0, 128, 0, SEVERITY_NONE },
		{ SOCK_PROTO_TCP, SOCK_STATE_LISTEN, 110, 128, 0, SEVERITY_WARN },
		{ SOCK_PROTO_TCP, SOCK_STATE_LISTEN, 129, 128, 0, SEVERITY_BAD },
		{ SOCK_PROTO_TCP, SOCK_STATE_LISTEN, 5, ROW_NO_UINT, 0, SEVERITY_NONE },
		{ SOCK_PROTO_UDP, SOCK_STATE_UNCONN, 0, 0, ROW_NO_UINT, SEVERITY_NONE },
		{ SOCK_PROTO_TCP, SOCK_STATE_TIME_WAIT, 0, 0, ROW_NO_UINT, SEVERITY_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct sock_row row;

		sockets_diag_blank(&row);
		row.protocol = table[i].protocol;
		row.state = table[i].state;
		row.recv_queue = table[i].recv;
		row.send_queue = table[i].send;
		row.retransmits = table[i].resent;
		assert_int_equal(sockets_diag_severity(&row), table[i].want);
	}
	assert_int_equal(sockets_diag_state(1), SOCK_STATE_ESTAB);
	assert_int_equal(sockets_diag_state(10), SOCK_STATE_LISTEN);
	assert_int_equal(sockets_diag_state(12), SOCK_STATE_SYN_RECV);
	assert_int_equal(sockets_diag_state(99), SOCK_STATE_UNCONN);
}

static void cells_look_like_ss(void **state)
{
	static const struct {
		uint32_t protocol;
		const char *local, *remote, *path, *device;
		uint64_t port, peer;
		const char *want_local, *want_remote;
	} table[] = {
		{ SOCK_PROTO_TCP, "0.0.0.0", "0.0.0.0", NULL, NULL, 8080, ROW_NO_UINT, "0.0.0.0:8080", "-" },
		{ SOCK_PROTO_TCP, "::1", "fe80::2", NULL, NULL, 80, ROW_NO_UINT, "[::1]:80", "[fe80::2]:99" },
		{ SOCK_PROTO_UDP, "0.0.0.0", "0.0.0.0", NULL, "eth0", 68, ROW_NO_UINT, "0.0.0.0%eth0:68", "-" },
		{ SOCK_PROTO_UNIX, NULL, NULL, "@x", NULL, ROW_NO_UINT, 77, "@x", "* 77" },
		{ SOCK_PROTO_UNIX, NULL, NULL, NULL, NULL, ROW_NO_UINT, ROW_NO_UINT, "*", "-" },
		{ SOCK_PROTO_UNIX, NULL, NULL, "/run/user/1000/something/long/docker.sock", NULL, ROW_NO_UINT, ROW_NO_UINT,
			"~er/1000/something/long/docker.sock" + 3, "-" },
	};
	struct row_look look = { .charset = TEXT_UTF8 };
	char cell[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct builder *b = builder_new(&sock_row_type);
		struct sock_row *row = builder_row(b);
		struct block *block;

		sockets_diag_blank(row);
		row->protocol = table[i].protocol;
		row->local_address = parse(table[i].local);
		row->remote_address = parse(table[i].remote);
		row->local_port = table[i].port;
		row->remote_port = 99;
		row->peer_inode = table[i].peer;
		row->path = builder_str(b, table[i].path);
		row->interface = builder_str(b, table[i].device);
		block = builder_block(b);
		row_format(block, row_field_find(&sock_row_type, "local"), block_row(block, 0), &look, cell, sizeof cell);
		if (i + 1 < ARRAY_LEN(table))
			assert_string_equal(cell, table[i].want_local);
		else /* the end of a long path */
			assert_true(cell[0] == '~' && strstr(cell, "docker.sock") && strlen(cell) == 32);
		row_format(block, row_field_find(&sock_row_type, "remote"), block_row(block, 0), &look, cell, sizeof cell);
		assert_string_equal(cell, table[i].want_remote);
		block_unref(block);
		builder_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_are_found),
		cmocka_unit_test(new_sockets_are_found),
		cmocka_unit_test(join_puts_together),
		cmocka_unit_test(shares_make_a_whole),
		cmocka_unit_test(states_are_judged),
		cmocka_unit_test(cells_look_like_ss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
