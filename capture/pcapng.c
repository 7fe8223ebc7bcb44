/*
 * pcapng blocks: section header, interface description with nanoseconds, enhanced packets, interface statistics.
 * draft-ietf-opsawg-pcapng-02 sections 4.1 to 4.6.
 */
#include "capture/record.h"

#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	OPT_END = 0,
	SHB_USERAPPL = 4,
	IDB_NAME = 2,
	IDB_TSRESOL = 9,
	IDB_FILTER = 11,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
};

/* A block being written; n past cap: it did not fit. */
struct piece {
	uint8_t *p;
	size_t cap;
	size_t n;
};

static void add(struct piece *b, const void *p, size_t n)
{
	static const uint8_t zeros[4];
	size_t pad = (4 - n % 4) % 4;

	if (b->n + n + pad <= b->cap) {
		if (n > 0)
			memcpy(b->p + b->n, p, n);
		memcpy(b->p + b->n + n, zeros, pad);
	}
	b->n += n + pad;
}

static void add_u32(struct piece *b, uint32_t v)
{
	add(b, &v, sizeof v);
}

static void add_halves(struct piece *b, uint16_t first, uint16_t second)
{
	uint16_t v[2] = { first, second };

	add(b, v, sizeof v);
}

static void add_time(struct piece *b, int64_t ns)
{
	add_u32(b, (uint32_t)((uint64_t)ns >> 32));
	add_u32(b, (uint32_t)ns);
}

static void add_option(struct piece *b, uint16_t code, const void *p, size_t n)
{
	if (n > 2048) /* of a text; cutting it is harmless */
		n = 2048;
	add_halves(b, code, (uint16_t)n);
	add(b, p, n);
}

/* Type and length in front, the length again behind. */
static void block_open(struct piece *b, uint32_t type)
{
	add_u32(b, type);
	add_u32(b, 0);
}

static void block_close(struct piece *b, size_t from)
{
	uint32_t n = (uint32_t)(b->n + 4 - from);

	add_u32(b, n);
	if (b->n <= b->cap)
		memcpy(b->p + from + 4, &n, sizeof n);
}

static void section(struct piece *b)
{
	static const uint64_t unknown_length = UINT64_MAX;
	static const char writer[] = "nsdbg " NSDBG_VERSION;
	size_t from = b->n;

	block_open(b, BLOCK_SECTION);
	add_u32(b, 0x1a2b3c4d);
	add_halves(b, 1, 0);
	add(b, &unknown_length, sizeof unknown_length);
	add_option(b, SHB_USERAPPL, writer, sizeof writer - 1);
	add_u32(b, OPT_END);
	block_close(b, from);
}

static void interface(struct piece *b, const struct record_file *f)
{
	static const uint8_t nanoseconds = 9;
	char filter[2048] = "";
	size_t n = strlen(f->filter), from = b->n;

	block_open(b, BLOCK_INTERFACE);
	add_halves(b, (uint16_t)f->link_type, 0);
	add_u32(b, f->snaplen);
	add_option(b, IDB_NAME, f->interface, strlen(f->interface));
	add_option(b, IDB_TSRESOL, &nanoseconds, 1);
	if (n > 0 && n < sizeof filter) { /* kind 0: libpcap's language */
		memcpy(filter + 1, f->filter, n);
		add_option(b, IDB_FILTER, filter, n + 1);
	}
	add_u32(b, OPT_END);
	block_close(b, from);
}

static size_t done(const struct piece *b)
{
	return b->n <= b->cap ? b->n : 0;
}

static size_t pcapng_head(const struct record_file *f, uint8_t *buf, size_t cap)
{
	struct piece b = { buf, cap, 0 };

	section(&b);
	interface(&b, f);
	return done(&b);
}

static size_t pcapng_packet(const struct spool_packet *p, uint8_t *buf, size_t cap)
{
	struct piece b = { buf, cap, 0 };

	block_open(&b, BLOCK_PACKET);
	add_u32(&b, 0);
	add_time(&b, p->time);
	add_u32(&b, p->captured);
	add_u32(&b, p->length);
	add(&b, p->bytes, p->captured);
	block_close(&b, 0);
	return done(&b);
}

static size_t pcapng_end(const struct record_end *e, uint8_t *buf, size_t cap)
{
	struct piece b = { buf, cap, 0 };

	block_open(&b, BLOCK_STATISTICS);
	add_u32(&b, 0);
	add_time(&b, e->time);
	add_option(&b, ISB_IFRECV, &e->received, sizeof e->received);
	add_option(&b, ISB_IFDROP, &e->dropped, sizeof e->dropped);
	add_u32(&b, OPT_END);
	block_close(&b, 0);
	return done(&b);
}

const struct record_format record_pcapng = { pcapng_head, pcapng_packet, pcapng_end };
