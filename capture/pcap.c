/* The classic capture file with nanoseconds: draft-ietf-opsawg-pcap-02. */
#include "capture/record.h"

#include <string.h>

struct file_header {
	uint32_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t zero[2];
	uint32_t snaplen;
	uint32_t link_type;
};

struct packet_header {
	uint32_t seconds;
	uint32_t nanoseconds;
	uint32_t captured;
	uint32_t length;
};

static size_t pcap_head(const struct record_file *f, uint8_t *buf, size_t cap)
{
	struct file_header h = { .magic = 0xa1b23c4d, .major = 2, .minor = 4, .snaplen = f->snaplen,
		.link_type = f->link_type };

	if (cap < sizeof h)
		return 0;
	memcpy(buf, &h, sizeof h);
	return sizeof h;
}

static size_t pcap_packet(const struct spool_packet *p, uint8_t *buf, size_t cap)
{
	struct packet_header h = {
		.seconds = (uint32_t)(p->time / 1000000000),
		.nanoseconds = (uint32_t)(p->time % 1000000000),
		.captured = p->captured,
		.length = p->length,
	};

	if (cap < sizeof h + p->captured)
		return 0;
	memcpy(buf, &h, sizeof h);
	if (p->captured > 0)
		memcpy(buf + sizeof h, p->bytes, p->captured);
	return sizeof h + p->captured;
}

const struct record_format record_pcap = { pcap_head, pcap_packet, NULL };
