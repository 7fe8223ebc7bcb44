/* UDP (RFC 768). */
#ifndef NSDBG_CAPTURE_DECODE_UDP_H
#define NSDBG_CAPTURE_DECODE_UDP_H

#include "capture/decode/span.h"

struct udp {
	uint16_t source_port;
	uint16_t destination_port;
	uint16_t length; /* header included; 0: segmentation offload */
	uint16_t checksum; /* 0: none */
	uint8_t checked; /* IP_CHECKSUM_ */
};

/* On success s is the payload. */
bool udp_decode(struct span *s, struct udp *ret);

#endif
