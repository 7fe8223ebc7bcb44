/* Link layers: Ethernet II and 802.3 with LLC, 802.1Q and 802.1ad tags, Linux cooked (LINKTYPE_LINUX_SLL, _SLL2), BSD loopback. */
#ifndef NSDBG_CAPTURE_DECODE_ETHER_H
#define NSDBG_CAPTURE_DECODE_ETHER_H

#include "capture/decode/span.h"

enum {
	ETHER_TYPE_IP4 = 0x0800,
	ETHER_TYPE_ARP = 0x0806,
	ETHER_TYPE_VLAN = 0x8100,
	ETHER_TYPE_IP6 = 0x86dd,
	ETHER_TYPE_QINQ = 0x88a8,
	ETHER_TYPE_LLC = 0, /* ours: an 802.3 length instead of a type */
};

struct ether {
	uint8_t destination[6];
	uint8_t source[6];
	uint16_t type; /* or length, when < 0x600 */
};

struct vlan {
	uint16_t tag; /* priority 3, drop eligible 1, id 12 */
	uint16_t type;
};

struct llc {
	uint8_t dsap;
	uint8_t ssap;
	uint8_t control;
	uint16_t type; /* EtherType of SNAP, else 0 */
};

struct sll {
	uint16_t packet_type; /* 0 to us, 1 broadcast, 2 multicast, 3 to someone else, 4 sent by us */
	uint16_t hardware; /* ARPHRD_ */
	uint16_t address_length;
	uint8_t address[8];
	uint16_t type;
	uint32_t ifindex; /* SLL2 only, else 0 */
};

/* All: false with s->why when the header is not all there. *ret_type is the EtherType that follows. */
bool ether_decode(struct span *s, struct ether *ret, uint32_t *ret_type);
bool vlan_decode(struct span *s, struct vlan *ret, uint32_t *ret_type);
bool llc_decode(struct span *s, struct llc *ret, uint32_t *ret_type);
bool sll_decode(struct span *s, struct sll *ret, uint32_t *ret_type);
bool sll2_decode(struct span *s, struct sll *ret, uint32_t *ret_type);
/* LINKTYPE_NULL has the family in the byte order of the host that captured, LINKTYPE_LOOP in network order: both are tried. */
bool null_decode(struct span *s, uint32_t *ret_family, uint32_t *ret_type);

#endif
