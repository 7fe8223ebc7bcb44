/*
 * DNS messages (RFC 1035, 6762, 4795): the header as a struct, questions and records read one by one. Names are decompressed to wire
 * form; pointers go backwards only.
 */
#ifndef NSDBG_CAPTURE_DECODE_DNS_H
#define NSDBG_CAPTURE_DECODE_DNS_H

#include "capture/decode/span.h"

enum {
	DNS_QR = 0x8000,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
};

enum {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
};

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

/* Uncompressed wire form with the root label: at most 255 bytes. */
struct dns_wire_name {
	uint8_t n;
	uint8_t bytes[255];
};

struct dns_record {
	bool is_question;
	uint8_t section; /* 0 question, 1 answer, 2 authority, 3 additional */
	struct dns_wire_name name;
	uint16_t type;
	uint16_t class; /* mDNS: without the top bit */
	bool top_bit; /* of class: unicast wanted, cache flush */
	uint32_t ttl;
	uint16_t data_length;
	uint32_t offset;
	uint32_t length;
	uint32_t data_offset;
};

/* Where a walk over the records stands. */
struct dns_walk {
	struct span span; /* the message */
	uint32_t start; /* of the message: what pointers count from */
	uint16_t left[4];
	bool multicast;
};

/* Reads the header and leaves s behind it. */
bool dns_decode(struct span *s, struct dns *ret);

/* bytes/captured/length: the packet. */
void dns_walk_init(struct dns_walk *w, const void *bytes, uint32_t captured, const struct dns *dns);
/* The next record; false at the end, and with w->span.why when it cannot be read. */
bool dns_walk_next(struct dns_walk *w, struct dns_record *ret);

/* Reads a name that may be compressed. `start`: offset of the message. */
bool dns_wire_name_read(struct span *s, uint32_t start, struct dns_wire_name *ret);

#endif
