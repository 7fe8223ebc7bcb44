/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with options and extension headers. */
#ifndef NSDBG_CAPTURE_DECODE_IP_H
#define NSDBG_CAPTURE_DECODE_IP_H

#include "capture/decode/span.h"

enum {
	IP_PROTO_HOPOPTS = 0,
	IP_PROTO_ICMP = 1,
	IP_PROTO_IGMP = 2,
	IP_PROTO_IP4 = 4,
	IP_PROTO_TCP = 6,
	IP_PROTO_UDP = 17,
	IP_PROTO_IP6 = 41,
	IP_PROTO_ROUTING = 43,
	IP_PROTO_FRAGMENT = 44,
	IP_PROTO_AH = 51,
	IP_PROTO_ICMP6 = 58,
	IP_PROTO_NONE = 59,
	IP_PROTO_DSTOPTS = 60,
	IP_PROTO_MOBILITY = 135,
};

enum { IP_CHECKSUM_UNKNOWN, IP_CHECKSUM_OK, IP_CHECKSUM_OFFLOAD, IP_CHECKSUM_WRONG };

struct ip4 {
	uint8_t header_length; /* bytes */
	uint8_t tos;
	uint16_t total_length; /* 0: segmentation offload, the frame's length counts */
	uint16_t id;
	uint16_t fragment; /* flags and offset as on the wire */
	uint8_t ttl;
	uint8_t protocol;
	uint16_t checksum;
	uint8_t source[4];
	uint8_t destination[4];
	uint8_t checked; /* IP_CHECKSUM_ */
	bool dont_fragment;
	bool more_fragments;
	uint32_t fragment_offset; /* bytes */
	uint16_t options_length;
};

enum { IP6_EXTENSIONS = 16 };

struct ip6_extension {
	uint8_t kind; /* IP_PROTO_ */
	uint8_t next;
	uint16_t length;
	uint32_t offset;
	uint8_t routing_type;
	uint8_t segments_left;
};

struct ip6 {
	uint8_t traffic_class;
	uint32_t flow;
	uint16_t payload_length;
	uint8_t next; /* in the fixed header */
	uint8_t hop_limit;
	uint8_t source[16];
	uint8_t destination[16];
	uint8_t protocol; /* after the extension headers */
	uint32_t n_extensions;
	struct ip6_extension extensions[IP6_EXTENSIONS];
	bool is_fragment;
	bool more_fragments;
	uint32_t fragment_offset;
	uint32_t fragment_id;
};

/* Addresses around a transport layer: for checksums. */
struct ip_pseudo {
	uint8_t address_length; /* 4, 16; 0 none */
	uint8_t protocol;
	bool fragmented; /* cannot be summed */
	uint8_t source[16];
	uint8_t destination[16];
};

/* On success s is what the header says it carries. *ret_protocol: what follows, UINT32_MAX when it must not be decoded (a later
 * fragment). */
bool ip4_decode(struct span *s, struct ip4 *ret, uint32_t *ret_protocol);
bool ip6_decode(struct span *s, struct ip6 *ret, uint32_t *ret_protocol);

/* The Internet checksum (RFC 1071) of n bytes, added to sum; fold with ip_fold. */
uint32_t ip_sum(const uint8_t *p, uint32_t n, uint32_t sum);
uint16_t ip_fold(uint32_t sum);

/* Checks a transport checksum over all n bytes from p, the checksum field's value being `seen`. OFFLOAD: only the pseudo header is
 * summed, the network card would do the rest (usual for what a container sends). */
int ip_check(const struct ip_pseudo *pseudo, const uint8_t *p, uint32_t n, uint16_t seen);

#endif
