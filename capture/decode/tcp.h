/* TCP (RFC 9293) header and its options. */
#ifndef NSDBG_CAPTURE_DECODE_TCP_H
#define NSDBG_CAPTURE_DECODE_TCP_H

#include "capture/decode/span.h"

enum {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_PSH = 8,
	TCP_ACK = 16,
	TCP_URG = 32,
	TCP_ECE = 64,
	TCP_CWR = 128,
	TCP_AE = 256,
};

struct tcp {
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t sequence;
	uint32_t acknowledgement;
	uint8_t header_length; /* bytes */
	uint16_t flags; /* TCP_ */
	uint16_t window; /* as sent, not scaled */
	uint16_t checksum;
	uint16_t urgent;
	uint8_t checked; /* IP_CHECKSUM_ */
	uint32_t options_offset;
	uint32_t options_length;
	bool has_mss;
	uint16_t mss;
	bool has_scale;
	uint8_t scale;
	bool sack_permitted;
	bool has_timestamps;
	uint32_t timestamp;
	uint32_t timestamp_echo;
	uint32_t n_sack;
	uint32_t sack[8]; /* left and right edges of up to 4 blocks, RFC 2018 */
};

bool tcp_decode(struct span *s, struct tcp *ret);

/* One option: false at the end. With a wrong length: false and s->why set. */
struct tcp_option {
	uint8_t kind;
	uint32_t offset;
	uint32_t length; /* with kind and length bytes */
};
bool tcp_option_next(struct span *s, struct tcp_option *ret);

#endif
