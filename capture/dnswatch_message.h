/* What a watch wants to know of one DNS message, out of any bytes: RFC 1035 4.1 by the codec in core/dns. */
#ifndef NSDBG_CAPTURE_DNSWATCH_MESSAGE_H
#define NSDBG_CAPTURE_DNSWATCH_MESSAGE_H

#include "core/dns/message.h"

enum { DNSWATCH_TEXTS = 384, DNSWATCH_TEXT = 120, DNSWATCH_SHOWN = 16 };

struct dnswatch_message {
	uint16_t id;
	uint16_t flags;
	unsigned rcode; /* with the bits of EDNS */
	bool is_reply;
	bool has_question; /* replies to what a server cannot read have none */
	struct dns_question question;
	uint32_t size; /* on the wire */
	uint16_t n_answers; /* as the header says */
	uint32_t ttl; /* lowest of the answers; UINT32_MAX none */
	bool broken; /* cut by the capture, or malformed behind the question */
	uint16_t n_texts; /* answers as text, each ended by NUL, as many as fit */
	uint16_t texts_len;
	char texts[DNSWATCH_TEXTS];
};

/* `n` bytes held of `size`. False: not a standard query or its reply with one readable question. */
bool dnswatch_message_read(const void *bytes, size_t n, size_t size, struct dnswatch_message *ret);

#endif
