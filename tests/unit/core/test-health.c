/* Health: counters out of /proc's bytes, the group of a container out of its path, rates and findings out of readings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/block.h"
#include "core/fd.h"
#include "core/source/cgroup.h"
#include "core/source/health_row.h"
#include "core/source/net_counters.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* --- bytes --- */

static const char dev[] = "Inter-|   Receive                                                |  Transmit\n"
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
	"    lo:  100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0\n"
	"  eth0: 1000      10    1    2    0     0          0         0     2000      20    3    4    0     0       0          0\n"
	"  eth1:18446744073709551000 5 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n";
static const char route[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	"eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
	"eth1\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";

static void test_dev(void **state)
{
	struct text out = text_of(route);
	struct net_counters_dev d;

	(void)state;
	assert_true(net_counters_dev(text_of(dev), &out, &d));
	assert_int_equal(d.interfaces, 1);
	assert_int_equal(d.rx_bytes, 1000);
	assert_int_equal(d.rx_errors, 1);
	assert_int_equal(d.tx_drops, 4);
	assert_true(net_counters_dev(text_of(dev), NULL, &d));
	assert_int_equal(d.interfaces, 2);
	assert_int_equal(d.rx_packets, 15);
	assert_false(net_counters_dev(text_of("a\nb\neth0: 1 2 3\n"), NULL, &d)); /* cut: better nothing than half */
	assert_false(net_counters_dev(text_of(""), NULL, &d));
}

static void test_pairs(void **state)
{
	static const char snmp[] = "Ip: Forwarding\nIp: 1\nTcp: RtoMin MaxConn OutSegs RetransSegs\nTcp: 200 -1 77 3\nTcpExt: OutSegs\nTcpExt: 9\n";
	uint64_t v = 0;

	(void)state;
	assert_true(net_counters_pair(text_of(snmp), "Tcp:", "OutSegs", &v));
	assert_int_equal(v, 77);
	assert_true(net_counters_pair(text_of(snmp), "TcpExt:", "OutSegs", &v));
	assert_int_equal(v, 9);
	assert_false(net_counters_pair(text_of(snmp), "Tcp:", "MaxConn", &v));
	assert_false(net_counters_pair(text_of(snmp), "Udp:", "OutSegs", &v));
	assert_true(net_counters_sockstat(text_of("sockets: used 17\nTCP: inuse 1 orphan 0 tw 4\n"), "TCP:", "tw", &v));
	assert_int_equal(v, 4);
}

static void test_group_path(void **state)
{
	static const struct {
		const char *path;
		size_t n; /* 0: nobody's */
	} rows[] = {
		{ "/docker/" ID, 8 + 64 },
		{ "/docker/" ID "/init.scope", 8 + 64 },
		{ "/system.slice/docker-" ID ".scope", 21 + 64 + 6 },
		{ "/libpod_parent/" ID "/libpod-" ID "/x", 15 + 64 + 8 + 64 },
		{ "/lxc.payload.web/system.slice", 16 },
		{ "/machine.slice/machine-a.scope/init", 30 },
		{ "/test/b1/x", 8 }, /* by its name */
		{ "/user.slice/user-0.slice", 0 },
		{ "/../../docker/" ID, 0 },
		{ "/", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text cut = { 0 };
		bool found = cgroup_text_container(text_of(rows[i].path), row_hash("b1", 2, 0), &cut);

		assert_int_equal(found, rows[i].n > 0);
		assert_int_equal(found ? cut.n : 0, rows[i].n);
	}
}

/* --- rows --- */

struct two {
	struct health_history h;
	struct health_counters *first, *second;
};

/* Two readings, two seconds apart, all counters zero. */
static void two_readings(struct two *t)
{
	memset(t, 0, sizeof *t);
	t->first = health_history_next(&t->h);
	t->second = health_history_next(&t->h);
	memset(t->first->v, 0, sizeof t->first->v);
	memset(t->second->v, 0, sizeof t->second->v);
	t->first->time = 1000000000;
	t->second->time = 3000000000;
}

static struct block *row_of(const struct two *t, uint64_t flags)
{
	struct builder *b = builder_new(&health_row_type);
	struct health_target target = { .id = 5, .pid = 7, .flags = flags };
	struct block *ret;

	health_row_build(b, &target, &t->h);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void expect_problem(const struct two *t, enum severity severity, const char *words)
{
	AUTO(block_unrefp) struct block *b = row_of(t, HEALTH_CONTAINER);
	const struct health_row *r = block_row(b, 0);
	struct text problem = block_text(b, r->problem);

	assert_int_equal(r->head.severity, severity);
	assert_true(words ? text_contains(problem, text_of(words)) : problem.n == 0);
}

static void test_rates(void **state)
{
	struct two t;

	(void)state;
	two_readings(&t);
	t.second->v[HEALTH_RX_BYTES] = 3000;
	t.second->v[HEALTH_CPU_US] = 1000000;
	t.first->v[HEALTH_TX_BYTES] = 10; /* went back: the interface was made anew */
	AUTO(block_unrefp) struct block *b = row_of(&t, HEALTH_CONTAINER);
	const struct health_row *r = block_row(b, 0);
	assert_int_equal(r->head.id, 5);
	assert_int_equal(r->rx_bytes_per_second, 1500);
	assert_true(r->tx_bytes_per_second == ROW_NO_UINT);
	assert_float_equal(r->cpu_percent, 50, 0.01);
	assert_true(isnan(r->retransmit_percent)); /* nothing was sent: no share */
	assert_int_equal(r->rates.n, 1);
	assert_true(r->memory_limit_bytes == ROW_NO_UINT && isnan(r->memory_percent));
}

static void test_one_reading_has_no_rate(void **state)
{
	struct two t = { 0 };

	(void)state;
	t.first = health_history_next(&t.h);
	t.first->v[HEALTH_RX_BYTES] = 100;
	AUTO(block_unrefp) struct block *b = row_of(&t, 0);
	const struct health_row *r = block_row(b, 0);
	assert_int_equal(r->rx_bytes, 100);
	assert_true(r->rx_bytes_per_second == ROW_NO_UINT && r->tx_bytes == ROW_NO_UINT && isnan(r->cpu_percent));
	assert_int_equal(r->rates.n, 0);
}

static void test_findings(void **state)
{
	struct two t;

	(void)state;
	two_readings(&t);
	expect_problem(&t, SEVERITY_OK, NULL);
	t.second->v[HEALTH_SEGMENTS] = 49;
	t.second->v[HEALTH_RETRANSMITS] = 49;
	expect_problem(&t, SEVERITY_OK, NULL); /* too few to say */
	t.second->v[HEALTH_SEGMENTS] = 100;
	t.second->v[HEALTH_RETRANSMITS] = 7;
	expect_problem(&t, SEVERITY_WARN, "7 % of TCP segments");
	t.h.memory_limit = 1000;
	t.second->v[HEALTH_MEMORY] = 960;
	expect_problem(&t, SEVERITY_BAD, "memory at 96 %");
	t.second->v[HEALTH_OOM_KILLS] = 2;
	expect_problem(&t, SEVERITY_BAD, "2 killed for want of memory (OOM) in 2 s");
	two_readings(&t);
	t.first->v[HEALTH_OOM_KILLS] = t.second->v[HEALTH_OOM_KILLS] = 1;
	expect_problem(&t, SEVERITY_WARN, "since it was made");
	t.second->v[HEALTH_LISTEN_DROPS] = 4;
	expect_problem(&t, SEVERITY_BAD, "4 connections dropped in 2 s");
	two_readings(&t);
	t.h.processes_limit = t.second->v[HEALTH_PROCESSES] = 50;
	expect_problem(&t, SEVERITY_BAD, "limit of 50 processes");
	two_readings(&t);
	t.second->v[HEALTH_PERIODS] = 20;
	t.second->v[HEALTH_THROTTLED] = 10;
	expect_problem(&t, SEVERITY_WARN, "50 % of its periods");
}

static void test_history_is_a_ring(void **state)
{
	struct health_history h = { 0 };
	struct builder *b = builder_new(&health_row_type);
	struct health_target target = { .id = 1 };

	(void)state;
	for (int i = 0; i < 3 * HEALTH_HISTORY; i++) {
		struct health_counters *c = health_history_next(&h);

		c->time = c->at = (int64_t)i * 1000000000;
		c->v[HEALTH_RX_BYTES] = (uint64_t)i * (uint64_t)i;
	}
	health_row_build(b, &target, &h);
	AUTO(block_unrefp) struct block *block = builder_block(b);
	builder_free(b);
	const struct health_row *r = block_row(block, 0);
	assert_int_equal(r->rates.n, HEALTH_HISTORY - 1);
	assert_int_equal(r->rx_bytes_per_second, 47 * 47 - 46 * 46);
	assert_int_equal(((const struct rate_row *)block_nested(block, &rate_row_type, r->rates, 0))->rx_bytes_per_second, 33 * 33 - 32 * 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dev),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_group_path),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_one_reading_has_no_rate),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_history_is_a_ring),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
