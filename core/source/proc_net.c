/*
 * Parsers of the socket tables in /proc/PID/net. Addresses are hex words in the byte order of this machine, ports are hex numbers.
 * Only the fallback when sock_diag is missing, and the only way to ICMP sockets.
 */
#include "core/source/proc_net.h"

#include <string.h>
#include <unistd.h>

#include "core/source/proc_text.h"

enum { ACCEPTS = 1 << 16 }; /* __SO_ACCEPTCON of linux/net.h */

/* Cuts what stands before `sep` off the front. */
static bool cut(struct text *rest, char sep, struct text *ret)
{
	const char *p = rest->n ? memchr(rest->p, sep, rest->n) : NULL;

	if (!p)
		return false;
	*ret = (struct text){ .p = rest->p, .n = (size_t)(p - rest->p) };
	rest->n -= ret->n + 1;
	rest->p = p + 1;
	return true;
}

static bool number_up_to(struct text word, unsigned base, uint64_t max, uint64_t *ret)
{
	return proc_text_number(word, base, ret) && *ret <= max;
}

/* "0100007F:0035", or four words for IPv6. */
static bool endpoint(struct text word, struct addr *ret, uint16_t *ret_port)
{
	uint32_t words[4] = { 0 };
	struct text hex;
	uint64_t v;

	if (!cut(&word, ':', &hex) || (hex.n != 8 && hex.n != 32) || !number_up_to(word, 16, UINT16_MAX, &v))
		return false;
	*ret_port = (uint16_t)v;
	for (unsigned i = 0; i < hex.n / 8; i++) {
		if (!proc_text_number((struct text){ .p = hex.p + i * 8, .n = 8 }, 16, &v))
			return false;
		words[i] = (uint32_t)v;
	}
	*ret = hex.n == 8 ? addr_ip4(words) : addr_ip6(words);
	return true;
}

/* "00000000:00000000": two hex numbers in one word. */
static bool hex_pair(struct text word, uint64_t *ret_first, uint64_t *ret_second)
{
	struct text first;

	return cut(&word, ':', &first) && proc_text_number(first, 16, ret_first) && proc_text_number(word, 16, ret_second);
}

static uint64_t ticks_to_ms(uint64_t ticks)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), ms;

	return hz && !__builtin_mul_overflow(ticks, 1000, &ms) ? ms / hz : 0;
}

bool proc_net_inet(struct text line, struct proc_net_inet *ret)
{
	enum { SLOT, LOCAL, REMOTE, STATE, QUEUES, TIMER, RETRANSMITS, UID, TIMEOUT, INODE, WORDS };
	struct proc_net_inet n = { 0 };
	struct text w[WORDS];
	uint64_t v, when;

	for (unsigned i = 0; i < WORDS; i++)
		if (!proc_text_word(&line, &w[i]))
			return false;
	if (w[SLOT].p[w[SLOT].n - 1] != ':' || !endpoint(w[LOCAL], &n.local, &n.local_port) ||
		!endpoint(w[REMOTE], &n.remote, &n.remote_port) || n.local.kind != n.remote.kind)
		return false;
	if (!number_up_to(w[STATE], 16, UINT8_MAX, &v) || !hex_pair(w[QUEUES], &n.send_queue, &n.recv_queue))
		return false;
	n.state = (uint8_t)v;
	if (!hex_pair(w[TIMER], &v, &when) || v > UINT8_MAX || !proc_text_number(w[RETRANSMITS], 16, &n.retransmits))
		return false;
	n.timer = (uint8_t)v;
	n.timer_ms = ticks_to_ms(when);
	if (!proc_text_number(w[UID], 10, &n.uid) || !proc_text_number(w[INODE], 10, &n.inode))
		return false;
	*ret = n;
	return true;
}

bool proc_net_unix(struct text line, struct proc_net_unix *ret)
{
	enum { SLOT, COUNT, PROTOCOL, FLAGS, TYPE, STATE, INODE, WORDS };
	struct proc_net_unix u = { 0 };
	struct text w[WORDS];
	uint64_t flags, type, state;

	for (unsigned i = 0; i < WORDS; i++)
		if (!proc_text_word(&line, &w[i]))
			return false;
	if (w[SLOT].p[w[SLOT].n - 1] != ':' || !number_up_to(w[FLAGS], 16, UINT32_MAX, &flags) ||
		!number_up_to(w[TYPE], 16, UINT16_MAX, &type) || !number_up_to(w[STATE], 16, UINT8_MAX, &state) ||
		!proc_text_number(w[INODE], 10, &u.inode))
		return false;
	u.listens = flags & ACCEPTS;
	u.type = (unsigned)type;
	u.state = (unsigned)state;
	/* The path is the rest after one blank: it may start with blanks itself. */
	u.path = line.n > 1 ? (struct text){ .p = line.p + 1, .n = line.n - 1 } : (struct text){ .p = NULL };
	*ret = u;
	return true;
}
