/*
 * Destination NAT: dumps of nf_tables and of legacy tables, recorded in namespaces with rules of all forms, become rows; loops, cut and
 * odd bytes end well; nothing is asked that could load a module.
 */
#include "core/block.h"
#include "core/fd.h"
#include "core/net/nat.h"
#include "core/net/nat_legacy.h"
#include "core/net/nat_there.h"
#include "proctree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FILE_MAX = 1 << 16 };

struct file {
	_Alignas(8) uint8_t p[FILE_MAX];
	size_t n;
};

static void load(const char *name, struct file *ret)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/nat/%s", getenv("NSDBG_TEST_DATA"), name);
	f = fopen(path, "rb");
	assert_non_null(f);
	ret->n = fread(ret->p, 1, sizeof ret->p, f);
	fclose(f);
}

/* Five lengths, then the five dumps. */
static void split(struct file *f, struct nat_bytes dumps[NAT_DUMPS])
{
	uint32_t lengths[NAT_DUMPS];
	size_t at = sizeof lengths;

	assert_true(f->n >= sizeof lengths);
	memcpy(lengths, f->p, sizeof lengths);
	for (unsigned i = 0; i < NAT_DUMPS; i++) {
		dumps[i] = (struct nat_bytes){ .p = f->p + at, .n = lengths[i] };
		at += lengths[i];
	}
	assert_int_equal(at, f->n);
}

static struct block *walk(struct nat_model *m)
{
	struct builder *b = builder_new(&nat_row_type);
	struct block *block;

	nat_walk(m, b);
	nat_model_done(m);
	block = builder_block(b);
	builder_free(b);
	return block;
}

static struct block *read_nft(const char *name)
{
	static struct file f;
	struct nat_bytes dumps[NAT_DUMPS];
	struct nat_model m;

	load(name, &f);
	split(&f, dumps);
	nat_model_init(&m);
	nat_nft_read(dumps, NULL, &m);
	return walk(&m);
}

/* A row as the table says it. */
static void say(const struct block *b, uint32_t i, char *buf, size_t cap)
{
	static const char *const names[] = { "packets_to", "action", "goes_to", "sent_from", "comes_in", "chain", "conditions" };
	struct row_look look = { .charset = TEXT_UTF8 };
	size_t n = 0;

	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		char text[256];

		row_format(b, row_field_find(&nat_row_type, names[k]), block_row(b, i), &look, text, sizeof text);
		n += (size_t)snprintf(buf + n, cap - n, "%s%s", k ? "|" : "", text);
	}
}

static void expect(struct block *b, const char *const *lines, size_t n)
{
	char text[1024];

	for (uint32_t i = 0; i < n && i < block_count(b); i++) {
		say(b, i, text, sizeof text);
		assert_string_equal(text, lines[i]);
	}
	assert_int_equal(block_count(b), n);
	block_unref(b);
}

#define EXPECT(block, ...) expect(block, (const char *const[]){ __VA_ARGS__ }, ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))

/* --- nf_tables --- */

static void docker_rules(void **state)
{
	(void)state;
	EXPECT(read_nft("docker.nft"),
		"tcp host:8080|dnat|172.17.0.2:80|outside, host not lo|!docker0|DOCKER|-",
		"udp 127.0.0.1:53|dnat|172.17.0.3:5353|outside|!docker0|DOCKER|-",
		"tcp host:80|redirect|host:3128|outside, host not lo||DOCKER|-",
		"tcp host:443|redirect|host:3128|outside, host not lo||DOCKER|-",
		"tcp host:1000-1010|redirect|host:3128|outside, host not lo||DOCKER|-"
	);
}

/* "-A DOCKER -i docker0 -j RETURN" comes first: new to the rule that does not ask for an interface. */
static void earlier_rules(void **state)
{
	struct block *b = read_nft("docker.nft");
	const struct nat_row *dnat = block_row(b, 0), *redirect = block_row(b, 2);

	(void)state;
	assert_null(block_text(b, dnat->unless).p);
	assert_true(text_equal(block_text(b, redirect->unless), text_of("in by docker0")));
	block_unref(b);
}

static void native_rules(void **state)
{
	(void)state;
	EXPECT(read_nft("native.nft"),
		"tcp any:8088|tproxy|127.0.0.1:9999|outside||tp|-",
		"tcp any:8443|dnat|10.7.7.7:443|outside||pre|-",
		"tcp any:8443|dnat|[fd00::7]:443|outside||pre|-",
		"tcp 10.8.8.8:1|redirect|host|outside||pre|-",
		"tcp any:90|dnat|10.0.0.1|outside||pre|turn 0",
		"tcp any:90|dnat|10.0.0.2|outside||pre|turn 1",
		"tcp any:8080|dnat|172.17.0.2:80|outside||pre|-",
		"tcp 127.0.0.1:81|dnat|10.1.1.1|outside||pre|-",
		"tcp host:82|dnat|10.1.1.2:8282|outside||pre|-",
		"tcp any:5000-5010|dnat|10.1.1.3:6000-6010|outside||pre|-",
		"tcp any:22|redirect|host:22|outside||pre|-",
		"tcp any:2222|redirect|host:22|outside||pre|-",
		"udp any:53|redirect|host:5353|outside||pre|-",
		"tcp any:80|dnat|10.0.0.1:8080|outside||pre|-",
		"tcp any:81|dnat|10.0.0.2:8081|outside||pre|-",
		"tcp any:9000-9010|dnat|10.9.9.9|outside||pre|-",
		"tcp any:9100|dnat|10.9.9.9|outside||pre|-",
		"tcp 10.0.0.0/9|dnat|10.5.5.5|outside|eth*|pre|not port 99",
		"udp !10.1.2.3:1000|dnat|10.5.5.5-10.5.5.9:700-709|outside|!lo|pre|-",
		"tcp 10.96.0.1:443|dnat|10.0.0.1:6443|outside||ep1|turn 0",
		"tcp 10.96.0.1:443|dnat|10.0.0.2:6443|outside||ep2|turn 1",
		"udp 10.96.0.10:53|dnat|10.0.0.3:53|outside||svc2|-",
		"tcp any:7|dnat|10.6.6.6|outside||pre|ct state new; limit; from 192.168.0.0/16; mark 23",
		"tcp any:600-700|dnat|10.0.0.1:6443|outside||ep1|turn 0",
		"tcp any:600-700|dnat|10.0.0.2:6443|outside||ep2|turn 1",
		"10.3.0.0/24|dnat|10.4.0.0-10.4.0.255|outside||pre|each address keeps its place in the network",
		"tcp any:80|dnat|[fd00::2]:8080|outside||pre|-",
		"udp [fd00::/64]:9|redirect|host:10|outside||pre|-",
		"tcp any:80|redirect|host|nowhere||pre|-",
		"tcp any:8080|dnat|172.17.0.2:80|host not lo||out|-",
		"tcp any:83|redirect|host|host||out|out by lo",
		"tcp any:1|dnat|1.2.3.4|nowhere||lost|-"
	);
}

static void compat_rules(void **state)
{
	(void)state;
	EXPECT(read_nft("both.nft"),
		"tcp any:80|dnat|[fd00::9]:8080|outside||PREROUTING|-",
		"tcp any:81|redirect|host:8081|outside||PREROUTING|-",
		"tcp any:81|dnat|10.0.0.9|outside||PREROUTING|ct state new; 50 % by chance"
	);
}

struct wanted {
	unsigned n;
	bool maps;
};

static void count(uint8_t family, struct text table, struct text set, void *arg)
{
	struct wanted *w = arg;

	(void)family;
	assert_true(text_equal(table, text_of("t")) || text_equal(table, text_of("x")));
	w->n++;
	w->maps |= text_equal(set, text_of("fwds"));
}

static void only_needed_sets(void **state)
{
	static struct file f;
	struct nat_bytes dumps[NAT_DUMPS];
	struct wanted w = { 0 };

	(void)state;
	load("native.nft", &f);
	split(&f, dumps);
	assert_true(nat_nft_is_one(dumps));
	nat_nft_sets(dumps, count, &w);
	assert_int_equal(w.n, 8);
	assert_true(w.maps);
	load("docker.nft", &f);
	split(&f, dumps);
	w.n = 0;
	nat_nft_sets(dumps, count, &w);
	assert_int_equal(w.n, 0);
}

/* Every beginning of the dump of rules; a byte changed here and there: no crash, rows that a block accepts. */
static void broken_messages(void **state)
{
	static struct file f, g;
	struct nat_bytes dumps[NAT_DUMPS];
	struct nat_model m;

	(void)state;
	load("native.nft", &f);
	for (size_t cut = 0; cut < f.n; cut += 7) {
		split(&f, dumps);
		g = f;
		g.p[cut] ^= 0x41;
		for (unsigned i = 0; i < NAT_DUMPS; i++)
			dumps[i].p = g.p + (dumps[i].p - f.p);
		if (cut % 2 && cut / 7 < dumps[NAT_DUMP_RULES].n)
			dumps[NAT_DUMP_RULES].n = cut / 7;
		nat_model_init(&m);
		nat_nft_read(dumps, NULL, &m);
		block_unref(walk(&m));
	}
}

/* --- legacy --- */

static bool take_legacy(const char *name, uint8_t family, struct nat_model *m)
{
	static struct file f;
	struct nat_bytes b;

	load(name, &f);
	b = (struct nat_bytes){ .p = f.p, .n = f.n };
	return nat_legacy_read(&b, family, m);
}

static void legacy_rules(void **state)
{
	struct nat_model m;

	(void)state;
	nat_model_init(&m);
	assert_true(take_legacy("nat.legacy4", 4, &m));
	assert_true(take_legacy("nat.legacy6", 6, &m));
	assert_true(take_legacy("mangle.legacy4", 4, &m));
	EXPECT(walk(&m),
		"tcp any:99|tproxy|127.0.0.1:1234|outside||PREROUTING|-",
		"tcp host:8080|dnat|172.17.0.2:80|outside, host not lo|!docker0|DOCKER|-",
		"tcp host:80|redirect|host:3128|outside, host not lo||DOCKER|-",
		"tcp host:443|redirect|host:3128|outside, host not lo||DOCKER|-",
		"tcp host:1000-1010|redirect|host:3128|outside, host not lo||DOCKER|-",
		"tcp any:7000-7010|dnat|10.0.0.1:8000-8010|outside||PREROUTING|-",
		"10.9.0.0/24|dnat|10.8.0.0-10.8.0.255|outside||PREROUTING|each address keeps its place in the network",
		"udp [fd00::1]:53|dnat|[fd00::9]:5353|outside||PREROUTING|-"
	);
}

static void broken_tables(void **state)
{
	static struct file f;
	struct nat_model m;

	(void)state;
	load("nat.legacy4", &f);
	for (size_t cut = 0; cut < f.n; cut++) {
		struct nat_bytes b = { .p = f.p, .n = cut };

		nat_model_init(&m);
		assert_false(nat_legacy_read(&b, 4, &m));
		block_unref(walk(&m));
		f.p[cut] ^= 0x88;
		b.n = f.n;
		nat_model_init(&m);
		nat_legacy_read(&b, 4, &m);
		block_unref(walk(&m));
		f.p[cut] ^= 0x88;
	}
}

/* --- ways through chains --- */

static uint32_t chain(struct nat_model *m, const char *name)
{
	return nat_model_chain(m, nat_model_table(m, 4, 2, text_of("t")), text_of(name));
}

static struct nat_rule rule(enum nat_verdict verdict, uint32_t target, uint32_t port)
{
	struct nat_rule r = { .verdict = verdict, .target = target, .handle = port };

	nat_match_init(&r.match);
	r.effect.port = r.effect.port_last = r.effect.base = NAT_NO_PORT;
	if (port)
		nat_match_ports(&r.match, port, port);
	return r;
}

static void add(struct nat_model *m, const char *name, enum nat_verdict verdict, const char *target, uint32_t port)
{
	uint32_t c = chain(m, name);
	struct nat_rule r = rule(verdict, target ? chain(m, target) : NAT_NO_CHAIN, port);

	nat_model_rule(m, c, &r);
}

static void hook(struct nat_model *m, const char *name)
{
	uint32_t c = chain(m, name);

	m->chains[c].from = NAT_FROM_OUTSIDE;
}

static void loops_end(void **state)
{
	struct nat_model m;

	(void)state;
	nat_model_init(&m);
	hook(&m, "pre");
	add(&m, "pre", NAT_JUMP, "a", 0);
	add(&m, "a", NAT_JUMP, "b", 0);
	add(&m, "b", NAT_GOTO, "a", 0);
	add(&m, "b", NAT_ACT, NULL, 7);
	add(&m, "a", NAT_ACT, NULL, 8);
	EXPECT(walk(&m), "any:8|dnat|same|outside||a|-", "any:7|dnat|same|nowhere||b|-");
}

/* Twenty chains that each jump twice to the next: two million steps at most, and it is said. */
static void tangles_end(void **state)
{
	struct nat_model m;
	struct block *b;

	(void)state;
	nat_model_init(&m);
	for (unsigned i = 0; i < 30; i++) {
		char from[8], to[8];

		snprintf(from, sizeof from, "c%u", i);
		snprintf(to, sizeof to, "c%u", i + 1);
		add(&m, from, NAT_JUMP, to, 0);
		add(&m, from, NAT_JUMP, to, 0);
	}
	add(&m, "c30", NAT_ACT, NULL, 1);
	hook(&m, "c0");
	b = walk(&m);
	assert_int_equal(block_count(b), 1);
	assert_int_equal(block_notes(b), 1);
	block_unref(b);
}

static void what_ends_a_chain(void **state)
{
	struct nat_model m;

	(void)state;
	nat_model_init(&m);
	hook(&m, "pre");
	add(&m, "pre", NAT_JUMP, "back", 0);
	add(&m, "back", NAT_RETURN, NULL, 0);
	add(&m, "back", NAT_ACT, NULL, 1); /* never */
	add(&m, "pre", NAT_END, NULL, 5); /* only port 5 */
	add(&m, "pre", NAT_ACT, NULL, 2);
	add(&m, "pre", NAT_JUMP, "last", 6);
	add(&m, "last", NAT_ACT, NULL, 7); /* 6 and 7 */
	add(&m, "pre", NAT_GOTO, "end", 0);
	add(&m, "end", NAT_ACT, NULL, 3);
	add(&m, "pre", NAT_ACT, NULL, 4); /* never: goto does not come back */
	EXPECT(walk(&m), "any:2|dnat|same|outside||pre|-", "any:3|dnat|same|outside||end|-", "any:4|dnat|same|nowhere||pre|-",
		"any:1|dnat|same|nowhere||back|-", "any:7|dnat|same|nowhere||last|-");
}

/* --- a packet --- */

static bool meets(const struct block *b, uint32_t i, const char *protocol, const char *to, uint64_t port)
{
	struct addr a;

	assert_int_equal(addr_parse(to, &a), 0);
	return nat_matches(b, block_row(b, i), text_of(protocol), &a, port);
}

static void packets(void **state)
{
	struct block *b = read_nft("native.nft");

	(void)state;
	assert_true(meets(b, 1, "tcp", "192.0.2.1", 8443));
	assert_false(meets(b, 1, "tcp", "fd00::1", 8443));
	assert_true(meets(b, 2, "tcp", "fd00::1", 8443));
	assert_false(meets(b, 1, "udp", "192.0.2.1", 8443));
	assert_false(meets(b, 1, "tcp", "192.0.2.1", 8444));
	assert_true(meets(b, 3, "tcp", "10.8.8.8", 1));
	assert_true(meets(b, 3, "tcp", "::ffff:10.8.8.8", 1));
	assert_false(meets(b, 3, "tcp", "10.8.8.9", 1));
	assert_true(meets(b, 9, "tcp", "10.8.8.9", 5010));
	assert_false(meets(b, 9, "tcp", "10.8.8.9", 5011));
	assert_true(meets(b, 18, "udp", "10.1.2.4", 1000));
	assert_false(meets(b, 18, "udp", "10.1.2.3", 1000));
	block_unref(b);
}

/* --- matches --- */

static void together(void **state)
{
	struct nat_match m, n;
	struct addr net, one;
	char text[256];

	(void)state;
	addr_parse("10.0.0.0/8", &net);
	addr_parse("10.1.2.3", &one);
	nat_match_init(&m);
	nat_match_address(&m, &one, true);
	nat_match_address(&m, &net, false);
	nat_match_in(&m, "eth*", false);
	nat_match_in(&m, "eth1", true);
	assert_string_equal(nat_match_say(&m, text, sizeof text), "to 10.0.0.0/8 in by eth* not to 10.1.2.3");
	nat_match_address(&m, &one, false);
	assert_true(m.address_not || addr_same(&m.address, &one));
	nat_match_init(&n);
	nat_match_protocol(&n, 6);
	assert_false(n.never);
	nat_match_protocol(&n, 17);
	assert_true(n.never);
	nat_match_init(&n);
	for (unsigned i = 0; i < 100; i++)
		nat_match_words(&n, "condition %u", i);
	assert_non_null(strstr(n.words, "; more"));
	assert_true(strlen(n.words) < sizeof n.words);
}

/* --- what may be asked --- */

static void put(struct proctree *t, const char *path, const char *text)
{
	proctree_write(t, path, text, strlen(text));
}

static void no_module_is_loaded(void **state)
{
	struct proctree t;

	(void)state;
	proctree_make(&t);
	assert_false(nat_there_has_netlink(t.fd));
	put(&t, "self/net/netlink", "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n0 0 12 00 0 0 0 2 0 10\n0 12 77 00 0 0 0 2 0 11\n");
	assert_false(nat_there_has_netlink(t.fd)); /* a program's socket of another protocol, and one that is not the kernel's */
	put(&t, "self/net/netlink", "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n0000 12  0  00000000 0 0 0 2 0 11\n");
	assert_true(nat_there_has_netlink(t.fd));
	assert_true(nat_there_has_nf_tables(t.fd, t.fd, "6.1")); /* no /proc/modules: such a kernel loads nothing */
	put(&t, "modules", "x_tables 1 0 - Live 0x0\n");
	assert_false(nat_there_has_nf_tables(t.fd, t.fd, "6.1"));
	put(&t, "kallsyms", "0000000000000000 t nf_tables_getrule\n");
	assert_true(nat_there_has_nf_tables(t.fd, t.fd, "6.1"));
	put(&t, "lib/modules/6.1/modules.builtin", "kernel/net/netfilter/nfnetlink.ko\n");
	assert_false(nat_there_has_nf_tables(t.fd, t.fd, "6.1"));
	put(&t, "lib/modules/6.1/modules.builtin", "kernel/net/netfilter/nfnetlink.ko\nkernel/net/netfilter/nf_tables.ko\n");
	assert_true(nat_there_has_nf_tables(t.fd, t.fd, "6.1"));
	proctree_dirs(&t, "sys/module/nf_tables/");
	assert_true(nat_there_has_nf_tables(t.fd, t.fd, "6.0"));
	proctree_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(docker_rules), cmocka_unit_test(earlier_rules), cmocka_unit_test(native_rules), cmocka_unit_test(compat_rules), cmocka_unit_test(only_needed_sets),
		cmocka_unit_test(broken_messages), cmocka_unit_test(legacy_rules), cmocka_unit_test(broken_tables), cmocka_unit_test(loops_end),
		cmocka_unit_test(tangles_end), cmocka_unit_test(what_ends_a_chain), cmocka_unit_test(packets), cmocka_unit_test(together),
		cmocka_unit_test(no_module_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
