/* Packets of the spool as rows: packet_row, layer_row, bytes_row. */
#ifndef NSDBG_CAPTURE_ROWS_H
#define NSDBG_CAPTURE_ROWS_H

#include "capture/capture.h"
#include "capture/links.h"
#include "capture/spool.h"
#include "core/block.h"

/* What the rows need besides a packet. */
struct rows_about {
	const struct spool *spool;
	const struct links *links; /* names of interfaces, for captures on all of them */
	const char *interface; /* of the capture */
	uint32_t link_type;
};

/* Appends the row of a packet; b is of packet_row_type. */
struct packet_row *rows_packet(struct builder *b, const struct rows_about *about, const struct spool_packet *p);

/* Appends the tree of a packet; b is of layer_row_type. */
void rows_layers(struct builder *b, const struct rows_about *about, const struct spool_packet *p);

/* Appends the bytes; b is of bytes_row_type. */
void rows_bytes(struct builder *b, const struct spool_packet *p);

/* Appends every interface; b is of interface_row_type. */
void rows_interfaces(struct builder *b, const struct links *links);

#endif
