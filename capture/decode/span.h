/*
 * The only way to read a packet's bytes. A span knows two ends: where the bytes we hold stop, and where they should stop by the lengths
 * around it. A read past the first but not the second means "cut off by the capture"; past both means "malformed".
 */
#ifndef NSDBG_CAPTURE_DECODE_SPAN_H
#define NSDBG_CAPTURE_DECODE_SPAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *base; /* the whole packet */
	uint32_t at; /* next byte; at <= end <= limit */
	uint32_t end;
	uint32_t limit;
	bool cut; /* a read failed for want of captured bytes only */
	const char *why; /* what span_fail was told */
};

static inline struct span span_of(const void *bytes, uint32_t captured, uint32_t length)
{
	return (struct span){ .base = bytes,
		.end = captured,
		.limit = length > captured ? length : captured };
}

/* Are there n more bytes? If not, remembers whether the capture is to blame. */
static inline bool span_has(struct span *s, uint32_t n)
{
	if (n <= s->end - s->at)
		return true;
	s->cut = n <= s->limit - s->at;
	return false;
}

/* Returns false, so that a decoder can say: return span_fail(s, "shorter than its header"). */
static inline bool span_fail(struct span *s, const char *why)
{
	s->why = why;
	return false;
}

static inline uint32_t span_left(const struct span *s)
{
	return s->end - s->at;
}

/* Bytes that should follow, held or not. */
static inline uint32_t span_should(const struct span *s)
{
	return s->limit - s->at;
}

static inline bool span_skip(struct span *s, uint32_t n)
{
	if (!span_has(s, n))
		return false;
	s->at += n;
	return true;
}

static inline bool span_u8(struct span *s, uint8_t *ret)
{
	if (!span_has(s, 1))
		return false;
	*ret = s->base[s->at++];
	return true;
}

static inline bool span_be16(struct span *s, uint16_t *ret)
{
	if (!span_has(s, 2))
		return false;
	*ret = (uint16_t)(s->base[s->at] << 8 | s->base[s->at + 1]);
	s->at += 2;
	return true;
}

static inline bool span_be32(struct span *s, uint32_t *ret)
{
	uint16_t high = 0, low = 0;

	if (!span_has(s, 4))
		return false;
	span_be16(s, &high);
	span_be16(s, &low);
	*ret = (uint32_t)high << 16 | low;
	return true;
}

static inline bool span_copy(struct span *s, void *ret, uint32_t n)
{
	if (!span_has(s, n))
		return false;
	memcpy(ret, s->base + s->at, n);
	s->at += n;
	return true;
}

/* The next n bytes as a span of their own; n may reach past what was captured, or even past the limit (then it is shortened). Does not
 * move s. */
static inline struct span span_sub(const struct span *s, uint32_t n)
{
	struct span sub = *s;

	if (n < s->limit - s->at)
		sub.limit = s->at + n;
	if (sub.end > sub.limit)
		sub.end = sub.limit;
	sub.cut = false;
	sub.why = NULL;
	return sub;
}

/* What is missing at the end is elsewhere (another fragment, another segment): reads past the end are "cut", never "malformed". */
static inline void span_open_end(struct span *s)
{
	s->limit = UINT32_MAX;
}

/* Moves to an absolute offset inside the packet; false past the bytes held. */
static inline bool span_seek(struct span *s, uint32_t at)
{
	if (at > s->end)
		return false;
	s->at = at;
	return true;
}

/* Held bytes at an absolute range, for checksums and text; NULL when not all are there. */
static inline const uint8_t *span_bytes(const struct span *s, uint32_t at, uint32_t n)
{
	return at <= s->end && n <= s->end - at ? s->base + at : NULL;
}

#endif
