/* Capture filters: what is handed to libpcap, and what the user is told instead. Each prepared filter must compile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/bpf.h"
#include "capture/device.h"
#include "core/err.h"
#include "core/fd.h"

static const struct {
	const char *text;
	const char *prepared; /* or, when it begins with '!', the sentence */
} filters[] = {
	{ "", "" },
	{ "   ", "" },
	{ "tcp port 80", "tcp port 80" },
	{ "port http or https", "port 80 or 443" },
	{ "tcp port postgresql and not src port ssh", "tcp port 5432 and not src port 22" },
	{ "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0" },
	{ "tcp[13:1] & 2 != 0", "tcp[13:1] & 2 != 0" },
	{ "net 10.0.0.0/8 and not src host ::1", "net 10.0.0.0/8 and not src host ::1" },
	{ "ip proto tcp", "ip proto 6" },
	{ "ip proto \\icmp", "ip proto 1" },
	{ "ether proto \\ip", "ether proto \\ip" },
	{ "ether proto ip6", "ether proto \\ip6" },
	{ "ether host 02:42:ac:11:00:02", "ether host 02:42:ac:11:00:02" },
	{ "portrange 6000-6008", "portrange 6000-6008" },
	{ "vlan 3 and ip6", "vlan 3 and ip6" },
	{ "greater 100 && !arp", "greater 100 && !arp" },
	{ "tcp prot 80", "!syntax error near \"prot\"; did you mean \"port\"?" },
	{ "prot 80", "!syntax error near \"prot\"; did you mean \"port\"?" },
	{ "TCP", "!syntax error near \"TCP\"; did you mean \"tcp\"?" },
	{ "port 80 and hots 1.2.3.4", "!syntax error near \"hots\"; did you mean \"host\"?" },
	{ "port htps", "!syntax error near \"htps\"; did you mean \"https\"?" },
	{ "port nosuch", "!unknown service \"nosuch\"; give the port as a number" },
	{ "host web", "!\"web\" is not an address; names are not looked up in a capture filter" },
	{ "host evil.example", "!\"evil.example\" is not an address; names are not looked up in a capture filter" },
	{ "xyzzy", "!syntax error near \"xyzzy\"" },
	{ "a", "!syntax error near \"a\"" },
	{ "ax", "!syntax error near \"ax\"" },
	{ "iip", "!syntax error near \"iip\"" },
	{ "ipv4", "!syntax error near \"ipv4\"" },
	{ "ipv6", "!syntax error near \"ipv6\"; did you mean \"ip6\"?" },
	{ "poorts 80", "!syntax error near \"poorts\"" },
	{ "ether brodcst", "!syntax error near \"brodcst\"; did you mean \"broadcast\"?" },
	{ "web-1", "!syntax error near \"web-1\"" },
	{ "tcp; rm", "!a capture filter cannot have \";\"" },
	{ "tcp \x1b[2J", "!a capture filter cannot have \"?\"" },
	{ "tcp port", "!the filter ends after \"port\": something must follow" },
	{ "(tcp or udp", "!a \")\" is missing in the filter" },
	{ "tcp)", "!a \"(\" is missing in the filter" },
	{ "host 10.0.0.300", "!invalid IPv4 address '10.0.0.300'" },
};

static void test_filters(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		const char *want = filters[i].prepared;
		char prepared[BPF_TEXT];
		struct err err = { 0 };
		int r = bpf_prepare(filters[i].text, prepared, &err);

		if (r == 0 && want[0] != '!')
			assert_string_equal(prepared, want);
		if (r == 0)
			r = device_check(1, 262144, prepared, &err);
		if (want[0] == '!' && (r == 0 || strcmp(err.msg, want + 1) != 0))
			fail_msg("%s: \"%s\", not \"%s\"", filters[i].text, r == 0 ? "(no error)" : err.msg, want + 1);
		if (want[0] != '!' && r != 0)
			fail_msg("%s: %s", filters[i].text, err.msg);
	}
}

/* Texts of any length and kind end with an answer. */
static void test_long(void **state)
{
	static char text[2048];
	char prepared[BPF_TEXT];
	struct err err = { 0 };

	(void)state;
	memset(text, '(', sizeof text - 1);
	assert_int_equal(bpf_prepare(text, prepared, &err), 0);
	assert_true(device_check(1, 262144, prepared, &err) < 0);
	memset(text, 'a', sizeof text - 1);
	assert_true(bpf_prepare(text, prepared, &err) < 0);
	for (size_t n = 0; n + 12 < sizeof text; n += 8)
		memcpy(text + n, "port ssh or ", 9);
	assert_true(bpf_prepare(text, prepared, &err) == 0 || err.msg[0]);
}

static const struct {
	const char *name;
	bool safe;
} names[] = {
	{ "eth0", true }, { "any", true }, { "veth1a2b@if3", true }, { "br-1234.5", true }, { "lo", true }, { "", false },
	{ "-w", false }, { "usbmon1", false }, { "usbmon0", false }, { "dbus-system", false }, { "dbus-session", false },
	{ "nflog", false }, { "nflog:5", false }, { "nfqueue", false }, { "bluetooth0", false }, { "bluetooth-monitor", false },
	{ "netmap:eth0", false }, { "rpcap://x", false }, { "a/b", false }, { "e\x1b[31m", false }, { "e\x9b", false },
	{ "..", false }, { "name-of-16-chars", false }, { "canary", true },
};

static void test_interface_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (device_name_is_safe(names[i].name) != names[i].safe)
			fail_msg("%s must be %s", names[i].name, names[i].safe ? "safe" : "refused");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_interface_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
