/*
 * Packets by hand against the line and tree that they must give; then each of them cut at every length, once as the capture would cut it
 * and once as a liar would: nothing may read past the end (the copies are exactly as long as they say), nothing may say "malformed"
 * about a packet that was only cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/packet.h"
#include "capture/describe.h"
#include "core/fd.h"

struct sample {
	const char *name;
	uint32_t link_type;
	uint32_t length; /* on the wire */
	const char *hex;
	const char *line;
};

static const struct sample samples[] = {
#include "packets.inc"
};

/* Bytes in memory of exactly their size. */
static uint8_t *unhex(const char *hex, uint32_t *ret_n)
{
	uint32_t n = (uint32_t)strlen(hex) / 2;
	uint8_t *p = malloc(n ? n : 1);

	for (uint32_t i = 0; i < n; i++) {
		unsigned v = 0;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
		p[i] = (uint8_t)v;
	}
	*ret_n = n;
	return p;
}

static void port_text(uint64_t port, char buf[24])
{
	buf[0] = 0;
	if (port != ROW_NO_UINT)
		snprintf(buf, 24, " %llu", (unsigned long long)port);
}

/* "SOURCE [PORT] > DESTINATION [PORT] PROTOCOL[!]: INFO"; ! is a warning. */
static void line_text(const struct packet *p, char *buf, size_t cap)
{
	char source[ADDR_TEXT], destination[ADDR_TEXT], from[24], to[24];
	struct packet_line l;

	describe_line(p, &l);
	port_text(l.source_port, from);
	port_text(l.destination_port, to);
	snprintf(buf, cap, "%s%s > %s%s %s%s: %s", addr_format(&l.source, source), from,
		addr_format(&l.destination, destination), to, l.protocol, l.severity ? "!" : "", l.info.text);
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		AUTO(fd_freep) uint8_t *bytes = NULL;
		struct packet p;
		char text[2048];
		uint32_t n;

		bytes = unhex(samples[i].hex, &n);
		packet_decode(bytes, n, samples[i].length, samples[i].link_type, &p);
		line_text(&p, text, sizeof text);
		if (strcmp(text, samples[i].line) != 0)
			fail_msg("%s\n is  %s\n not %s", samples[i].name, text, samples[i].line);
	}
}

/* --- trees --- */

struct tree_text {
	char text[16384];
	size_t n;
	uint32_t captured;
};

static void add_line(void *arg, const struct tree_line *l)
{
	struct tree_text *t = arg;

	assert_true(l->depth < TREE_DEPTH);
	assert_true(l->offset <= t->captured && l->length <= t->captured - l->offset);
	if (t->n < sizeof t->text)
		t->n += (size_t)snprintf(t->text + t->n, sizeof t->text - t->n, "%u %s=%s @%u+%u\n", l->depth, l->label,
			l->value->text, l->offset, l->length);
}

static void tree_of(const uint8_t *bytes, uint32_t n, uint32_t length, uint32_t link_type, struct tree_text *ret)
{
	const struct tree_about about = { .number = 7, .interface = "eth0", .time = "12:00" };
	struct packet p;

	ret->n = 0;
	ret->text[0] = 0;
	ret->captured = n;
	packet_decode(bytes, n, length, link_type, &p);
	describe_tree(&p, &about, add_line, ret);
}

static const struct sample *sample_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		if (strcmp(samples[i].name, name) == 0)
			return &samples[i];
	fail_msg("no sample %s", name);
	return NULL;
}

static const struct {
	const char *name;
	const char *part; /* must be in the tree */
} trees[] = {
	{ "syn", "0 Packet=74 bytes, 12:00, eth0 @0+74\n1 Number=7 @0+74\n" },
	{ "syn", "0 Ethernet=02:42:ac:12:00:05 > 02:42:ac:12:00:03 @0+14\n1 Destination=02:42:ac:12:00:03 @0+6\n"
		 "1 Source=02:42:ac:12:00:05 @6+6\n1 Type=0x0800 IPv4 @12+2\n"
		 "0 IPv4=172.18.0.5 > 172.18.0.3  ttl 64  id 0x1c2e  DF  len 60 @14+20\n" },
	{ "syn", "1 Checksum=0xc661 ok @24+2\n1 Source=172.18.0.5 @26+4\n1 Destination=172.18.0.3 @30+4\n"
		 "0 TCP=43012 > 5432  SYN  len 0 @34+40\n1 Source port=43012 @34+2\n1 Destination port=5432 @36+2\n"
		 "1 Sequence=3521112044 @38+4\n1 Acknowledgement=0 (not in use) @42+4\n1 Header length=40 @46+1\n"
		 "1 Flags=SYN @46+2\n1 Window=64240 @48+2\n1 Checksum=0x3e19 ok @50+2\n1 Options=20 bytes @54+20\n"
		 "2 Option=mss 1460 @54+4\n2 Option=SACK permitted @58+2\n2 Option=timestamps 91241040, echo 0 @60+10\n"
		 "2 Option=nop @70+1\n2 Option=window scale 7 (times 128) @71+3\n" },
	{ "data, checksum left to the card", " left to the network card @50+2\n0 Data=5 bytes  \"hello\" @54+5\n" },
	{ "udp", "0 Data=16 bytes  \"<13>Nov 22 hello\" @42+16\n" },
	{ "dns answer", "0 DNS=reply @42+48\n1 Id=0x1234 @42+2\n1 Operation=query @44+2\n1 Flags=qr rd ra @44+2\n"
			"1 Result=NOERROR @45+1\n1 Question=db.default.svc A @54+20\n1 Answer=db.default.svc A 172.18.0.3 @74+16\n"
			"2 TTL=600 s @80+4\n" },
	{ "dns over tcp", "0 DNS=reply over TCP @56+48\n" },
	{ "dns record cut by the capture", "1 Cut=the capture kept too few bytes @" },
	{ "dns record cut by the message", "1 Malformed=record cannot be read @" },
	{ "fragmentation needed", "1 MTU=1400 @40+2\n1 About=TCP 172.18.0.5 port 43012 > 172.18.0.3 port 5432 @42+28\n" },
	{ "neighbor advertisement", "1 Target=fd00::3 @62+16\n1 Link address=02:42:ac:12:00:03 @78+8\n" },
	{ "ip6 routing", "1 Extension=routing type 0, 1 segments left @54+24\n0 UDP=1 > 2  len 1 @78+8\n" },
	{ "vlan", "0 VLAN=100 @14+4\n1 Priority=3 @14+2\n" },
	{ "cooked v2", "0 Linux cooked v2=in @0+20\n1 Type=0x0800 IPv4 @0+2\n1 Interface index=3 @4+4\n" },
	{ "tcp header length 0", "0 TCP=malformed: header length under 20 @34+20\n" },
	{ "tcp cut by the capture", "0 TCP=[cut] the capture kept 46 of 74 bytes @34+12\n" },
	{ "50 tunnels", ", more than 8 layers @" },
};

static void test_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		const struct sample *s = sample_named(trees[i].name);
		AUTO(fd_freep) uint8_t *bytes = NULL;
		static struct tree_text t;
		uint32_t n;

		bytes = unhex(s->hex, &n);
		tree_of(bytes, n, s->length, s->link_type, &t);
		if (!strstr(t.text, trees[i].part))
			fail_msg("%s: the tree\n%s has no\n%s", s->name, t.text, trees[i].part);
	}
}

/* --- every length --- */

/* Exactly n bytes on the heap: a read past them is an error under the sanitizer. */
static void cut_at(const struct sample *s, const uint8_t *bytes, uint32_t n, uint32_t length)
{
	AUTO(fd_freep) uint8_t *exact = malloc(n ? n : 1);
	bool whole_is_good = !strstr(s->line, "malformed");
	static struct tree_text t;
	struct packet p;
	char text[2048];

	memcpy(exact, bytes, n);
	packet_decode(exact, n, length, s->link_type, &p);
	line_text(&p, text, sizeof text);
	tree_of(exact, n, length, s->link_type, &t);
	if (length == s->length && whole_is_good && n < length && strstr(text, "malformed"))
		fail_msg("%s cut at %u says %s", s->name, n, text);
	for (uint32_t i = 0; i < 10; i++) { /* as another link type: whatever comes out, it must come out */
		static const uint32_t types[] = { 0, 1, 12, 101, 108, 113, 228, 229, 276, 147 };

		packet_decode(exact, n, length, types[i], &p);
		line_text(&p, text, sizeof text);
	}
}

static void test_every_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		AUTO(fd_freep) uint8_t *bytes = NULL;
		uint32_t n;

		bytes = unhex(samples[i].hex, &n);
		for (uint32_t k = 0; k <= n; k++) {
			cut_at(&samples[i], bytes, k, samples[i].length);
			cut_at(&samples[i], bytes, k, k);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
