/* ARP over Ethernet and IPv4 (RFC 826); other address sizes are stepped over. */
#ifndef NSDBG_CAPTURE_DECODE_ARP_H
#define NSDBG_CAPTURE_DECODE_ARP_H

#include "capture/decode/span.h"

struct arp {
	uint16_t hardware; /* 1 Ethernet */
	uint16_t protocol; /* EtherType, 0x0800 */
	uint8_t hardware_length;
	uint8_t protocol_length;
	uint16_t operation; /* 1 request, 2 reply */
	bool plain; /* 6 and 4 bytes: the fields below are filled */
	uint8_t sender_mac[6];
	uint8_t sender_ip[4];
	uint8_t target_mac[6];
	uint8_t target_ip[4];
};

bool arp_decode(struct span *s, struct arp *ret);

#endif
