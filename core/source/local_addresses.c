/* See local_addresses.h. Layouts: net/ipv4/fib_trie.c (fib_trie_seq_show), net/ipv6/addrconf.c (if6_seq_show), the same since Linux 2.6. */
#include "core/source/local_addresses.h"

#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"

#include <string.h>

enum { MAX_FILE = 32 << 10 };

static void add(struct local_addresses *l, const struct addr *a)
{
	for (unsigned i = 0; i < l->n; i++)
		if (addr_same(&l->list[i], a))
			return;
	if (l->n < LOCAL_ADDRESSES && !addr_is_loopback(a))
		l->list[l->n++] = *a;
}

/* A leaf is "|-- ADDRESS" with lines "/32 host LOCAL" below it. */
void local_addresses_ip4(struct text bytes, struct local_addresses *ret)
{
	struct text line, word, address = { 0 };
	struct addr a;
	char text[ADDR_TEXT];

	while (proc_text_line(&bytes, &line)) {
		bool is_host;

		if (!proc_text_word(&line, &word))
			continue;
		if (text_equal(word, text_of("|--"))) {
			address = (struct text){ 0 };
			proc_text_word(&line, &address);
			continue;
		}
		is_host = text_equal(word, text_of("/32")) && proc_text_word(&line, &word) && text_equal(word, text_of("host")) &&
			proc_text_word(&line, &word) && text_equal(word, text_of("LOCAL"));
		if (!is_host || address.n == 0 || address.n >= sizeof text)
			continue;
		memcpy(text, address.p, address.n);
		text[address.n] = 0;
		if (addr_parse(text, &a) == 0 && a.kind == ADDR_IP4)
			add(ret, &a);
	}
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "fe80000000000000... 02 40 20 80 eth0": address, index, prefix, scope, flags, name; scope 0 is global. */
void local_addresses_ip6(struct text bytes, struct local_addresses *ret)
{
	struct text line, word, hex;

	while (proc_text_line(&bytes, &line)) {
		uint64_t scope = 1;
		uint8_t raw[16];
		struct addr a;
		bool good;

		if (!proc_text_word(&line, &hex) || !proc_text_word(&line, &word) || !proc_text_word(&line, &word) ||
			!proc_text_word(&line, &word) || !proc_text_number(word, 16, &scope) || scope != 0)
			continue;
		good = hex.n == 32;
		for (size_t i = 0; good && i < 16; i++) {
			int hi = digit(hex.p[i * 2]), lo = digit(hex.p[i * 2 + 1]);

			good = hi >= 0 && lo >= 0;
			raw[i] = (uint8_t)(hi << 4 | lo);
		}
		if (!good)
			continue;
		a = addr_ip6(raw);
		add(ret, &a);
	}
}

void local_addresses_read(int proc, uint64_t pid, struct local_addresses *ret)
{
	char buf[MAX_FILE];
	ssize_t n = proc_dir_read(proc, pid, "net/fib_trie", buf, sizeof buf);

	if (n > 0)
		local_addresses_ip4((struct text){ .p = buf, .n = (size_t)n }, ret);
	n = proc_dir_read(proc, pid, "net/if_inet6", buf, sizeof buf);
	if (n > 0)
		local_addresses_ip6((struct text){ .p = buf, .n = (size_t)n }, ret);
}
