/*
 * A ring of records (header, bytes, padding to 8), none of which wraps round: where one does not fit before the end, the rest of the
 * ring is left empty. Positions count up for ever; position modulo size is the place. The index holds one position a packet.
 */
#include "capture/spool.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SPOOL_RECORD_MIN = 32 }; /* bytes of ring for each index entry: smaller packets may leave early */

struct record {
	int64_t time;
	uint32_t captured;
	uint32_t length;
};

struct spool {
	uint8_t *ring;
	uint64_t *index; /* position of packet n at n % n_index */
	uint64_t size; /* of the ring */
	uint64_t n_index;
	uint64_t head; /* position of the next record */
	uint64_t tail; /* position of the oldest */
	uint64_t first; /* number of the oldest; last + 1 when empty */
	uint64_t last;
	uint64_t bytes;
};

static void *spool_map(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int spool_new(uint32_t bytes, struct spool **ret, struct err *err)
{
	struct spool *s = fd_xcalloc(1, sizeof *s);

	if (bytes == 0)
		bytes = SPOOL_DEFAULT_BYTES;
	s->size = bytes < SPOOL_MIN_BYTES ? SPOOL_MIN_BYTES : bytes & ~7U;
	s->n_index = s->size / SPOOL_RECORD_MIN;
	s->first = 1;
	s->ring = spool_map(s->size);
	s->index = spool_map(s->n_index * sizeof *s->index);
	if (!s->ring || !s->index) {
		spool_free(s);
		return err_set(err, ENOMEM, "keep %u MiB of packets", (unsigned)(bytes >> 20));
	}
	*ret = s;
	return 0;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	if (s->ring)
		munmap(s->ring, s->size);
	if (s->index)
		munmap(s->index, s->n_index * sizeof *s->index);
	free(s);
}

static struct record *spool_record(const struct spool *s, uint64_t position)
{
	return (struct record *)(void *)(s->ring + position % s->size);
}

static void spool_drop_first(struct spool *s)
{
	s->bytes -= spool_record(s, s->tail)->captured;
	s->first++;
	s->tail = s->first <= s->last ? s->index[s->first % s->n_index] : s->head;
}

/* Position of a record of `need` bytes in one piece; the oldest packets make room. */
static uint64_t spool_room(struct spool *s, uint64_t need)
{
	uint64_t at = s->head, to_end = s->size - s->head % s->size;

	if (need > to_end)
		at += to_end;
	while (s->first <= s->last && (at + need - s->tail > s->size || s->last - s->first + 2 > s->n_index))
		spool_drop_first(s);
	return at;
}

void spool_add(struct spool *s, int64_t time, const void *bytes, uint32_t captured, uint32_t length)
{
	uint64_t most = s->size / 2 - sizeof(struct record), need, at;
	struct record *r;

	if (captured > most)
		captured = (uint32_t)most;
	need = (sizeof *r + captured + 7) & ~7ULL;
	at = spool_room(s, need);
	if (s->first > s->last)
		s->tail = at;
	r = spool_record(s, at);
	*r = (struct record){ .time = time, .captured = captured, .length = length };
	if (captured > 0)
		memcpy(r + 1, bytes, captured);
	s->last++;
	s->index[s->last % s->n_index] = at;
	s->head = at + need;
	s->bytes += captured;
}

void spool_clear(struct spool *s)
{
	s->head = s->tail = s->last = s->bytes = 0;
	s->first = 1;
}

uint64_t spool_first(const struct spool *s)
{
	return s->first <= s->last ? s->first : 0;
}

uint64_t spool_last(const struct spool *s)
{
	return s->last;
}

uint64_t spool_count(const struct spool *s)
{
	return s->last + 1 - s->first;
}

uint64_t spool_overwritten(const struct spool *s)
{
	return s->first - 1;
}

uint64_t spool_bytes(const struct spool *s)
{
	return s->bytes;
}

bool spool_get(const struct spool *s, uint64_t number, struct spool_packet *ret)
{
	const struct record *r;

	if (number < s->first || number > s->last)
		return false;
	r = spool_record(s, s->index[number % s->n_index]);
	*ret = (struct spool_packet){ .number = number, .time = r->time, .captured = r->captured,
		.length = r->length, .bytes = (const uint8_t *)(r + 1) };
	return true;
}
