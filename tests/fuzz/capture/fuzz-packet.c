/*
 * A packet of any link type, decoded and described: the first byte chooses the link type, the second how much longer the packet was on
 * the wire than what is given. Checks that every line of the tree lies inside the packet.
 */
#include <stdint.h>
#include <stdlib.h>

#include "capture/decode/packet.h"
#include "capture/describe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const struct packet *packet;
	uint32_t n;
};

static void check(bool good)
{
	if (!good)
		abort();
}

static void see(void *arg, const struct tree_line *line)
{
	struct seen *s = arg;

	s->n++;
	check(s->n <= TREE_LINES && line->depth < TREE_DEPTH && line->label && line->value);
	check(line->offset <= s->packet->captured && line->length <= s->packet->captured - line->offset);
	check(line->value->n < sizeof line->value->text && line->value->text[line->value->n] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { LINK_TYPE_ETHERNET, LINK_TYPE_SLL, LINK_TYPE_SLL2, LINK_TYPE_RAW, LINK_TYPE_NULL,
		LINK_TYPE_LOOP, LINK_TYPE_IP4, LINK_TYPE_IP6, LINK_TYPE_RAW_DLT, 147 };
	const struct tree_about about = { .number = 1, .interface = "eth0", .time = "now" };
	struct packet_line line;
	struct packet packet;
	struct seen seen = { .packet = &packet };

	if (size < 2 || size > 70000)
		return 0;
	size -= 2;
	packet_decode(data + 2, (uint32_t)size, (uint32_t)size + data[1] % 8 * 100U, types[data[0] % 10], &packet);
	check(packet.n_layers <= PACKET_LAYERS && packet.rest_offset + packet.rest_length <= size);
	describe_line(&packet, &line);
	check(line.info.n < sizeof line.info.text);
	describe_tree(&packet, &about, see, &seen);
	return 0;
}
