/* Packets as bytes of capture files: pcapng (draft-ietf-opsawg-pcapng) and pcap (draft-ietf-opsawg-pcap), in this machine's order. */
#ifndef NSDBG_CAPTURE_RECORD_H
#define NSDBG_CAPTURE_RECORD_H

#include "capture/spool.h"

#include <stddef.h>
#include <stdint.h>

/* What a file says about its capture. */
struct record_file {
	uint32_t link_type;
	uint32_t snaplen;
	const char *interface;
	const char *filter; /* "" none */
};

/* What it says when it ends. */
struct record_end {
	int64_t time; /* ns since 1970 */
	uint64_t received;
	uint64_t dropped;
};

/* One file format. Every function writes one whole piece to buf (cap bytes) and returns its length, 0 when it does not fit. */
struct record_format {
	size_t (*head)(const struct record_file *f, uint8_t *buf, size_t cap);
	size_t (*packet)(const struct spool_packet *p, uint8_t *buf, size_t cap);
	size_t (*end)(const struct record_end *e, uint8_t *buf, size_t cap); /* NULL: nothing */
};

extern const struct record_format record_pcapng;
extern const struct record_format record_pcap;

/* Room that any head or end fits in, and what a packet needs besides its bytes. */
enum { RECORD_HEAD = 4096, RECORD_PACKET = 64 };

#endif
