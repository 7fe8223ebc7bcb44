/*
 * The packets a capture keeps: a ring of bytes with a fixed size and an index by number. Adding is one copy; the oldest packets leave
 * when room is needed, and are counted. Numbers are 1, 2, 3 ... in order of arrival and are never given twice.
 */
#ifndef NSDBG_CAPTURE_SPOOL_H
#define NSDBG_CAPTURE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct spool;

enum { SPOOL_MIN_BYTES = 1 << 20, SPOOL_DEFAULT_BYTES = 64 << 20, SPOOL_MAX_BYTES = 1 << 30 };

struct spool_packet {
	uint64_t number;
	int64_t time; /* ns since 1970 */
	uint32_t captured;
	uint32_t length; /* on the wire */
	const uint8_t *bytes; /* inside the ring, until the next spool_add */
};

/* All memory is reserved here, touched only as packets come. bytes 0: SPOOL_DEFAULT_BYTES. 0 or -ENOMEM. */
int spool_new(uint32_t bytes, struct spool **ret, struct err *err);
void spool_free(struct spool *s);

/* Keeps a packet; bytes beyond half the ring are left off. */
void spool_add(struct spool *s, int64_t time, const void *bytes, uint32_t captured, uint32_t length);

/* Forgets everything; numbers start at 1 again. */
void spool_clear(struct spool *s);

uint64_t spool_first(const struct spool *s); /* oldest number still here; 0: none */
uint64_t spool_last(const struct spool *s); /* newest number; 0: none yet */
uint64_t spool_count(const struct spool *s); /* here now */
uint64_t spool_overwritten(const struct spool *s);
uint64_t spool_bytes(const struct spool *s); /* packet bytes here now */

/* False when that packet has left or has not come. O(1). */
bool spool_get(const struct spool *s, uint64_t number, struct spool_packet *ret);

#endif
