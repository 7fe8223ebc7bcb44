/*
 * A packet taken apart: up to PACKET_LAYERS layers, each a plain struct with its place in the bytes. No text here; describe.c makes it.
 * Decoding never fails: what cannot be read ends the chain with a trouble.
 */
#ifndef NSDBG_CAPTURE_DECODE_PACKET_H
#define NSDBG_CAPTURE_DECODE_PACKET_H

#include "capture/decode/arp.h"
#include "capture/decode/dns.h"
#include "capture/decode/ether.h"
#include "capture/decode/icmp.h"
#include "capture/decode/ip.h"
#include "capture/decode/span.h"
#include "capture/decode/tcp.h"
#include "capture/decode/udp.h"

enum { PACKET_LAYERS = 8 };

/* Link types as registered at tcpdump.org/linktypes.html; capture handles use the same numbers but for RAW (12). */
enum link_type {
	LINK_TYPE_NULL = 0,
	LINK_TYPE_ETHERNET = 1,
	LINK_TYPE_RAW_DLT = 12,
	LINK_TYPE_RAW = 101,
	LINK_TYPE_LOOP = 108,
	LINK_TYPE_SLL = 113,
	LINK_TYPE_IP4 = 228,
	LINK_TYPE_IP6 = 229,
	LINK_TYPE_SLL2 = 276,
};

enum layer_kind {
	LAYER_ETHER,
	LAYER_SLL,
	LAYER_SLL2,
	LAYER_NULL,
	LAYER_VLAN,
	LAYER_LLC,
	LAYER_ARP,
	LAYER_IP4,
	LAYER_IP6,
	LAYER_ICMP,
	LAYER_ICMP6,
	LAYER_IGMP,
	LAYER_TCP,
	LAYER_UDP,
	LAYER_DNS,
	LAYER_N,
};

enum trouble {
	TROUBLE_NONE,
	TROUBLE_CUT, /* the capture kept too few bytes */
	TROUBLE_MALFORMED,
};

struct layer {
	enum layer_kind kind;
	uint32_t offset;
	uint32_t length; /* header bytes; of a layer in trouble: as far as it could be read */
	uint32_t payload; /* bytes that follow inside this layer by its own lengths, captured or not */
	enum trouble trouble;
	const char *why; /* TROUBLE_MALFORMED */
	union {
		struct ether ether;
		struct sll sll; /* LAYER_SLL, LAYER_SLL2 */
		uint32_t family; /* LAYER_NULL */
		struct vlan vlan;
		struct llc llc;
		struct arp arp;
		struct ip4 ip4;
		struct ip6 ip6;
		struct icmp icmp; /* LAYER_ICMP, LAYER_ICMP6 */
		struct igmp igmp;
		struct tcp tcp;
		struct udp udp;
		struct dns dns;
	};
};

/* What the bytes after the last layer are, by the number that announced them. */
enum next_space { NEXT_NONE, NEXT_LINK, NEXT_ETHER, NEXT_IP, NEXT_DNS, NEXT_DATA };
enum { DNS_OVER_TCP = 16 }; /* number in NEXT_DNS; the others are enum dns_flavour */

struct packet {
	const uint8_t *bytes;
	uint32_t captured;
	uint32_t length; /* on the wire */
	uint32_t n_layers;
	struct layer layers[PACKET_LAYERS];
	enum next_space rest; /* NEXT_DATA: payload; NEXT_ETHER and NEXT_IP: a protocol that is not decoded; NEXT_LINK: nothing was */
	uint32_t rest_number; /* link type, EtherType or IP protocol of it */
	uint32_t rest_offset;
	uint32_t rest_length; /* bytes held */
	bool too_deep; /* more layers than PACKET_LAYERS */
};

void packet_decode(
	const void *bytes, uint32_t captured, uint32_t length, uint32_t link_type, struct packet *ret);

/* The innermost layer of a kind, or NULL. */
const struct layer *packet_layer(const struct packet *p, enum layer_kind kind);

/* The layer in trouble, or NULL. It is always the last. */
const struct layer *packet_trouble(const struct packet *p);

#endif
