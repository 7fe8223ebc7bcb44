/*
 * A watch fed with packets of a hostile container. Input: pieces, each with a control byte, a length byte pair and that many bytes. The
 * control byte says what is made of them: a raw packet, or a payload in UDP or TCP between fixed ends, so that pairing, streams and groups
 * are reached, and how far the clock goes. Then all rows are made and checked as the app would.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/packet.h"
#include "capture/dnswatch_wire.h"
#include "core/err.h"
#include "core/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static size_t put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return 2;
}

/* control: bit 0-1 what, bit 2 direction, bit 3-4 which client port, bit 5-7 time. */
static size_t wrap(uint8_t *p, uint8_t control, const uint8_t *bytes, size_t n, uint32_t *sequence)
{
	static const uint8_t ends[2][4] = { { 10, 0, 0, 5 }, { 127, 0, 0, 11 } };
	bool tcp = (control & 3) == 2, back = control & 4;
	size_t head = tcp ? 20 : 8;

	memset(p, 0, 40);
	p[0] = 0x45;
	put16(p + 2, (unsigned)(20 + head + n));
	p[9] = tcp ? 6 : 17;
	memcpy(p + 12, ends[back], 4);
	memcpy(p + 16, ends[!back], 4);
	put16(p + 20 + (back ? 2 : 0), 40000 + (control >> 3 & 3));
	put16(p + 20 + (back ? 0 : 2), 53);
	if (tcp) {
		put16(p + 24, *sequence >> 16);
		put16(p + 26, *sequence & 0xffff);
		p[32] = 0x50;
		p[33] = control & 0x80 ? TCP_SYN : TCP_ACK;
		*sequence += (uint32_t)n - (control & 0x40 ? 3 : 0);
	} else {
		put16(p + 24, (unsigned)(8 + n));
	}
	memcpy(p + 20 + head, bytes, n);
	return 20 + head + n;
}

static void look(struct dnswatch_wire *w, const struct row_type *type, void (*fill)(struct dnswatch_wire *w, struct builder *b))
{
	struct builder *b = builder_new(type);
	struct block *block = NULL;
	struct err err;
	int fd = -1;

	fill(w, b);
	check(builder_seal(b, &fd, &err) == 0);
	check(block_map(fd, type, &block, &err) == 0);
	block_unref(block);
	builder_free(b);
}

static void fill_findings(struct dnswatch_wire *w, struct builder *b)
{
	dnswatch_findings_rows(&w->findings, w->names, w->groups, b);
}

static void fill_settled(struct dnswatch_wire *w, struct builder *b)
{
	dnswatch_rows_settled(w, b, &(struct dnswatch_fetch){ .now = 1 });
}

static void fill_state(struct dnswatch_wire *w, struct builder *b)
{
	struct dnswatch_row *row = dnswatch_rows_state(w, b);

	check(row->answered + row->late + row->unanswered + row->unreachable <= row->asked);
	check(row->settled >= row->answered);
}

static void feed(struct dnswatch_wire *w, const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { LINK_TYPE_RAW, LINK_TYPE_SLL2, LINK_TYPE_ETHERNET, LINK_TYPE_SLL };
	static const int64_t steps[] = { 0, 1000, 1000000, 1000000000, 2500000000, 5000000000, 6100000000, 0 };
	int64_t now = 1795356000000000000;
	uint32_t sequence[2] = { 1, 1 };
	uint8_t packet[4200];

	while (size >= 3) {
		uint8_t control = data[0];
		size_t n = (size_t)(data[1] << 8 | data[2]) % 4096;

		data += 3;
		size -= 3;
		n = n < size ? n : size;
		now += steps[control >> 5];
		if ((control & 3) == 0)
			dnswatch_wire_packet(w, data, (uint32_t)n, (uint32_t)n + (control >> 2 & 1) * 100U, types[control >> 3 & 3], now);
		else
			dnswatch_wire_packet(w, packet, (uint32_t)wrap(packet, control, data, n, &sequence[control >> 2 & 1]),
				(uint32_t)n + ((control & 3) == 2 ? 40 : 28), LINK_TYPE_RAW, now);
		data += n;
		size -= n;
	}
	dnswatch_wire_tick(w, now + 20000000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dnswatch_params params = { .search = { "a.example", "example", "b" }, .n_search = 3 };
	static struct dnswatch_wire *w; /* megabytes: cleared, not made anew */

	if (!w)
		w = dnswatch_wire_new(1);
	dnswatch_wire_clear(w);
	dnswatch_tcp_free(w->tcp);
	w->tcp = dnswatch_tcp_new();
	dnswatch_wire_setup(w, &params);
	feed(w, data, size);
	if (size % 16 == 0 || w->totals.asked) {
		look(w, &dnswatch_question_type, dnswatch_rows_all);
		look(w, &dnswatch_question_type, fill_settled);
		look(w, &dnswatch_name_type, dnswatch_rows_names);
		look(w, &dnswatch_search_type, dnswatch_rows_searches);
		look(w, &dnswatch_finding_type, fill_findings);
		look(w, &dnswatch_row_type, fill_state);
	}
	return 0;
}
