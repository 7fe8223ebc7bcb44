/* Row types of the capture, and packets made into rows. A packet is decoded here, when somebody asks for it, and nowhere before. */
#include "capture/rows.h"

#include "capture/decode/packet.h"
#include "capture/describe.h"
#include "core/fd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- packets --- */

/* The interface that a packet came by: its own in captures on all of them. */
static const char *interface_of(const struct rows_about *about, const struct packet *p, char buf[16])
{
	const struct layer *sll = packet_layer(p, LAYER_SLL2);
	const struct link_info *l;

	if (!sll || sll->trouble != TROUBLE_NONE)
		return about->interface;
	l = about->links ? links_find(about->links, sll->sll.ifindex) : NULL;
	if (l)
		return l->name;
	snprintf(buf, 16, "#%u", sll->sll.ifindex);
	return buf;
}

struct packet_row *rows_packet(struct builder *b, const struct rows_about *about, const struct spool_packet *p)
{
	struct packet_row *row = builder_row(b);
	struct packet_line line;
	struct packet packet;
	char name[16];

	packet_decode(p->bytes, p->captured, p->length, about->link_type, &packet);
	describe_line(&packet, &line);
	row->head.id = row->number = p->number;
	row->head.severity = line.severity;
	row->time = p->time;
	row->interface = builder_str(b, interface_of(about, &packet, name));
	row->source = line.source;
	row->source_port = line.source_port;
	row->destination = line.destination;
	row->destination_port = line.destination_port;
	row->protocol = builder_str(b, line.protocol);
	row->length = p->length;
	row->captured = p->captured;
	row->info = builder_text(b, line.info.text, line.info.n);
	row->position = ROW_NO_UINT;
	return row;
}

static void add_layer(void *arg, const struct tree_line *line)
{
	struct builder *b = arg;
	struct layer_row *row = builder_row(b);

	row->head.id = builder_count(b);
	row->head.severity = line->severity;
	row->depth = line->depth;
	row->label = builder_str(b, line->label);
	row->value = builder_text(b, line->value->text, line->value->n);
	row->offset = line->offset;
	row->length = line->length;
}

static void time_text(int64_t ns, char buf[48])
{
	int64_t rest = ns % 1000000000;
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n;

	if (rest < 0) {
		rest += 1000000000;
		seconds--;
	}
	if (!gmtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof tm);
	n = strftime(buf, 48, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, 48 - n, ".%09dZ", (int)rest);
}

void rows_layers(struct builder *b, const struct rows_about *about, const struct spool_packet *p)
{
	struct tree_about tree = { .number = p->number };
	struct packet packet;
	char name[16], when[48];

	packet_decode(p->bytes, p->captured, p->length, about->link_type, &packet);
	time_text(p->time, when);
	tree.time = when;
	tree.interface = interface_of(about, &packet, name);
	describe_tree(&packet, &tree, add_layer, b);
}

void rows_bytes(struct builder *b, const struct spool_packet *p)
{
	struct bytes_row *row = builder_row(b);

	row->head.id = row->number = p->number;
	row->bytes = builder_text(b, (const char *)p->bytes, p->captured);
}

/* --- interfaces --- */

void rows_interfaces(struct builder *b, const struct links *links)
{
	for (uint32_t i = 0; i < links_count(links); i++) {
		const struct link_info *l = links_at(links, i);
		struct interface_row *row = builder_row(b);
		char text[ADDR_TEXT];

		row->head.id = row->index = l->index;
		row->head.severity = l->up ? SEVERITY_OK : SEVERITY_IDLE;
		row->name = builder_str(b, l->name);
		row->up = l->up;
		row->loopback = l->loopback;
		row->addresses = (struct str){ 0 };
		for (uint32_t k = 0; k < l->n_addresses; k++) {
			addr_format(&l->addresses[k], text);
			builder_list_add(b, &row->addresses, text, strlen(text));
		}
		row->mac = l->mac;
		row->mtu = l->mtu ? l->mtu : ROW_NO_UINT;
	}
}

/* --- row types --- */

static const struct field packet_fields[] = {
	{ ROW_FIELD(struct packet_row, number, UINT), .title = "NO", .help = "number in order of arrival, from 1",
		.unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 7, .priority = 3 },
	{ ROW_FIELD(struct packet_row, time, TIME), .title = "TIME", .unit = UNIT_US, .help = "when the kernel saw it", .width = 15,
		.priority = 2 },
	{ ROW_FIELD(struct packet_row, interface, TEXT), .title = "IFACE", .help = "interface that it came by",
		.flags = FIELD_WIDE, .width = 8, .priority = 6 },
	{ ROW_FIELD(struct packet_row, source, ADDR), .title = "SOURCE",
		.help = "network address of the sender, or its MAC address when there is none", .flags = FIELD_NOCUT,
		.width = 15 },
	{ ROW_FIELD(struct packet_row, source_port, UINT), .title = "SPORT", .help = "TCP or UDP port of the sender",
		.unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 5, .priority = 1 },
	{ ROW_FIELD(struct packet_row, destination, ADDR), .title = "DESTINATION",
		.help = "network address of the receiver, or its MAC address", .flags = FIELD_NOCUT, .width = 15 },
	{ ROW_FIELD(struct packet_row, destination_port, UINT), .title = "DPORT", .help = "TCP or UDP port of the receiver",
		.unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 5, .priority = 1 },
	{ ROW_FIELD(struct packet_row, protocol, TEXT), .title = "PROTO", .help = "innermost protocol that was decoded",
		.width = 6 },
	{ ROW_FIELD(struct packet_row, length, UINT), .title = "LEN", .help = "bytes on the wire", .unit = UNIT_ID,
		.flags = FIELD_RIGHT, .width = 5, .priority = 4 },
	{ ROW_FIELD(struct packet_row, captured, UINT), .title = "CAPTURED", .help = "bytes kept of it", .unit = UNIT_ID,
		.flags = FIELD_RIGHT | FIELD_WIDE, .width = 8, .priority = 7 },
	{ ROW_FIELD(struct packet_row, info, TEXT), .title = "INFO", .help = "what the packet says", .flags = FIELD_FLEX,
		.width = 30 },
};

const struct row_type packet_row_type = {
	.name = "cap",
	.noun = "packets",
	.id = 0x70636b74, /* "pckt" */
	.schema = 1,
	.size = sizeof(struct packet_row),
	.fields = packet_fields,
	.n_fields = ARRAY_LEN(packet_fields),
};

static const struct field layer_fields[] = {
	{ ROW_FIELD(struct layer_row, depth, UINT), .title = "DEPTH", .help = "place in the tree, 0 a layer", .unit = UNIT_ID,
		.flags = FIELD_RIGHT, .width = 5, .priority = 2 },
	{ ROW_FIELD(struct layer_row, label, TEXT), .title = "FIELD", .help = "layer, or field of the layer above",
		.width = 18 },
	{ ROW_FIELD(struct layer_row, value, TEXT), .title = "VALUE", .help = "what it holds", .flags = FIELD_FLEX,
		.width = 30 },
	{ ROW_FIELD(struct layer_row, offset, UINT), .title = "OFFSET", .help = "first of its bytes in the packet, from 0",
		.unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 6, .priority = 1 },
	{ ROW_FIELD(struct layer_row, length, UINT), .title = "BYTES", .help = "how many bytes of the packet it is",
		.unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 5, .priority = 1 },
};

const struct row_type layer_row_type = {
	.name = "layers",
	.noun = "fields",
	.id = 0x6c617972, /* "layr" */
	.schema = 1,
	.size = sizeof(struct layer_row),
	.fields = layer_fields,
	.n_fields = ARRAY_LEN(layer_fields),
};

static const struct field bytes_fields[] = {
	{ ROW_FIELD(struct bytes_row, number, UINT), .title = "NO", .help = "number of the packet", .unit = UNIT_ID,
		.flags = FIELD_RIGHT, .width = 7 },
	{ ROW_FIELD(struct bytes_row, bytes, TEXT), .title = "BYTES", .help = "its bytes as captured", .flags = FIELD_FLEX,
		.width = 30 },
};

const struct row_type bytes_row_type = {
	.name = "bytes",
	.noun = "packets",
	.id = 0x62797465, /* "byte" */
	.schema = 1,
	.size = sizeof(struct bytes_row),
	.fields = bytes_fields,
	.n_fields = ARRAY_LEN(bytes_fields),
};

static const struct field capture_fields[] = {
	{ ROW_FIELD(struct capture_row, interface, TEXT), .title = "IFACE", .help = "interface, or any", .width = 8 },
	{ ROW_FIELD(struct capture_row, filter, TEXT), .title = "FILTER", .help = "capture filter in force, pcap-filter(7)",
		.flags = FIELD_FLEX, .width = 20 },
	{ ROW_FIELD(struct capture_row, running, BOOL), .title = "RUNNING", .help = "takes packets", .width = 7 },
	{ ROW_FIELD(struct capture_row, received, UINT), .title = "RECEIVED",
		.help = "packets that passed the capture filter", .flags = FIELD_RIGHT, .width = 9 },
	{ ROW_FIELD(struct capture_row, shown, UINT), .title = "SHOWN",
		.help = "packets kept that pass the display filter", .flags = FIELD_RIGHT, .width = 9, .priority = 1 },
	{ ROW_FIELD(struct capture_row, first, UINT), .title = "FIRST", .help = "oldest packet kept", .unit = UNIT_ID,
		.flags = FIELD_RIGHT | FIELD_WIDE, .width = 7, .priority = 4 },
	{ ROW_FIELD(struct capture_row, last, UINT), .title = "LAST", .help = "newest packet kept, 0 none", .unit = UNIT_ID,
		.flags = FIELD_RIGHT | FIELD_WIDE, .width = 7, .priority = 4 },
	{ ROW_FIELD(struct capture_row, bytes, UINT), .title = "BYTES", .help = "packet bytes kept", .unit = UNIT_BYTES,
		.flags = FIELD_RIGHT, .width = 6, .priority = 2 },
	{ ROW_FIELD(struct capture_row, dropped, UINT), .title = "DROPPED",
		.help = "packets that the kernel had no room for", .flags = FIELD_RIGHT, .width = 7 },
	{ ROW_FIELD(struct capture_row, overwritten, UINT), .title = "OVERWRITTEN",
		.help = "oldest packets that made room for new ones", .flags = FIELD_RIGHT, .width = 11, .priority = 3 },
	{ ROW_FIELD(struct capture_row, saved, UINT), .title = "SAVED", .help = "packets written to the file",
		.flags = FIELD_RIGHT, .width = 9, .priority = 3 },
	{ ROW_FIELD(struct capture_row, started_at, TIME), .title = "STARTED", .help = "when the capture began",
		.flags = FIELD_WIDE, .width = 15, .priority = 5 },
	{ ROW_FIELD(struct capture_row, note, TEXT), .title = "NOTE", .help = "what the reader must know about it",
		.flags = FIELD_FLEX, .width = 20, .priority = 1 },
};

const struct row_type capture_row_type = {
	.name = "capture",
	.noun = "captures",
	.id = 0x63617074, /* "capt" */
	.schema = 1,
	.size = sizeof(struct capture_row),
	.fields = capture_fields,
	.n_fields = ARRAY_LEN(capture_fields),
};

static const struct field interface_fields[] = {
	{ ROW_FIELD(struct interface_row, name, TEXT), .title = "NAME", .help = "name in its namespace", .width = 15 },
	{ ROW_FIELD(struct interface_row, index, UINT), .title = "INDEX", .help = "number in its namespace", .unit = UNIT_ID,
		.flags = FIELD_RIGHT, .width = 5, .priority = 3 },
	{ ROW_FIELD(struct interface_row, up, BOOL), .title = "UP", .help = "switched on", .width = 3 },
	{ ROW_FIELD(struct interface_row, loopback, BOOL), .title = "LOOPBACK", .help = "talks to itself only", .width = 8,
		.priority = 4 },
	{ ROW_FIELD(struct interface_row, addresses, LIST), .title = "ADDRESSES", .help = "addresses with network length",
		.flags = FIELD_FLEX, .width = 20 },
	{ ROW_FIELD(struct interface_row, mac, ADDR), .title = "MAC", .help = "link address", .width = 17, .priority = 2 },
	{ ROW_FIELD(struct interface_row, mtu, UINT), .title = "MTU", .help = "largest packet in bytes", .unit = UNIT_ID,
		.flags = FIELD_RIGHT, .width = 5, .priority = 2 },
};

const struct row_type interface_row_type = {
	.name = "interfaces",
	.noun = "interfaces",
	.id = 0x69666163, /* "ifac" */
	.schema = 1,
	.size = sizeof(struct interface_row),
	.fields = interface_fields,
	.n_fields = ARRAY_LEN(interface_fields),
};
