/* ICMP (RFC 792), ICMPv6 (RFC 4443) with neighbour discovery (RFC 4861), and IGMP's type (RFC 3376). */
#ifndef NSDBG_CAPTURE_DECODE_ICMP_H
#define NSDBG_CAPTURE_DECODE_ICMP_H

#include "capture/decode/span.h"

enum {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER = 12,
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_ROUTER_ADVERT = 134,
	ICMP6_NEIGHBOUR_SOLICIT = 135,
	ICMP6_NEIGHBOUR_ADVERT = 136,
	ICMP6_REDIRECT = 137,
};

/* The packet that an error message is about. */
struct icmp_quote {
	uint8_t version; /* 4, 6; 0: not there */
	uint8_t protocol;
	uint8_t source[16];
	uint8_t destination[16];
	bool has_ports;
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t offset;
	uint32_t length;
};

struct icmp {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint8_t checked; /* IP_CHECKSUM_ */
	uint32_t rest; /* the 4 bytes after the checksum: id and sequence, MTU, pointer, flags */
	bool has_target; /* ND: bytes below */
	uint8_t target[16];
	uint32_t target_offset;
	bool has_mac; /* ND source or target link-layer address option */
	uint8_t mac[6];
	uint32_t mac_offset;
	struct icmp_quote quote;
};

struct igmp {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint8_t group[4];
};

bool icmp_decode(struct span *s, struct icmp *ret);
bool icmp6_decode(struct span *s, struct icmp *ret);
bool igmp_decode(struct span *s, struct igmp *ret);

#endif
