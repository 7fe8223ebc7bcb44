/* The bytes of one DNS message. Everything is read through these bounds; nothing else does arithmetic on pointers into a message. */
#ifndef NSDBG_CORE_DNS_WIRE_H
#define NSDBG_CORE_DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_span {
	const uint8_t *p;
	size_t n;
	size_t at; /* next byte; never past n */
};

static inline size_t dns_span_left(const struct dns_span *s)
{
	return s->n - s->at;
}

/* The next n bytes, or NULL when there are not that many. */
static inline const uint8_t *dns_span_take(struct dns_span *s, size_t n)
{
	const uint8_t *p = s->p + s->at;

	if (dns_span_left(s) < n)
		return NULL;
	s->at += n;
	return p;
}

static inline bool dns_span_u8(struct dns_span *s, uint8_t *ret)
{
	const uint8_t *p = dns_span_take(s, 1);

	if (p)
		*ret = p[0];
	return p;
}

static inline bool dns_span_u16(struct dns_span *s, uint16_t *ret)
{
	const uint8_t *p = dns_span_take(s, 2);

	if (p)
		*ret = (uint16_t)(p[0] << 8 | p[1]);
	return p;
}

static inline bool dns_span_u32(struct dns_span *s, uint32_t *ret)
{
	const uint8_t *p = dns_span_take(s, 4);

	if (p)
		*ret = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return p;
}

#endif
