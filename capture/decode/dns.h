/* DNS in packets: the header only (RFC 1035 4.1.1, 6762, 4795). Questions and records are read by core/dns/message.h when asked for. */
#ifndef NSDBG_CAPTURE_DECODE_DNS_H
#define NSDBG_CAPTURE_DECODE_DNS_H

#include "capture/decode/span.h"

enum dns_flavour { DNS_PLAIN, DNS_MULTICAST, DNS_LLMNR };

/* The message's header. */
struct dns {
	enum dns_flavour flavour;
	bool over_tcp; /* offset is after the 2 bytes of length */
	uint32_t offset;
	uint32_t length; /* of the message, captured or not */
	uint16_t id;
	uint16_t flags;
	uint16_t n_questions;
	uint16_t n_answers;
	uint16_t n_authority;
	uint16_t n_additional;
};

/* Reads the header and leaves s behind it. */
bool dns_header_decode(struct span *s, struct dns *ret);

#endif
