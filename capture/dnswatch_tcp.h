/*
 * DNS messages out of TCP (RFC 7766): segments of both directions in any order, several messages in one segment or one in several.
 * Bounded: the stream that was quiet longest is forgotten when there are too many. What cannot be a message ends until the next segment.
 */
#ifndef NSDBG_CAPTURE_DNSWATCH_TCP_H
#define NSDBG_CAPTURE_DNSWATCH_TCP_H

#include "core/addr.h"

enum { DNSWATCH_TCP_STREAMS = 128, DNSWATCH_TCP_WINDOW = 2 + 65535 + 65535, DNSWATCH_TCP_GAPS = 8 };

/* From where to where. */
struct dnswatch_way {
	struct addr source, destination;
	uint16_t source_port, destination_port;
};

struct dnswatch_segment {
	uint32_t sequence;
	uint16_t flags; /* TCP_ of capture/decode/tcp.h */
	const uint8_t *bytes;
	uint32_t n; /* held */
	uint32_t length; /* on the wire */
};

/* A whole message; false: it is none, the stream is out of step. */
typedef bool (*dnswatch_tcp_fn)(void *arg, const uint8_t *message, uint32_t n);

struct dnswatch_tcp;
struct dnswatch_tcp *dnswatch_tcp_new(void);
void dnswatch_tcp_free(struct dnswatch_tcp *t); /* NULL is fine */
void dnswatch_tcp_segment(struct dnswatch_tcp *t, const struct dnswatch_way *way, const struct dnswatch_segment *s, dnswatch_tcp_fn fn,
	void *arg);
uint32_t dnswatch_tcp_count(const struct dnswatch_tcp *t); /* streams under way */

#endif
