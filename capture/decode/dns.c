/* DNS message header, names with compression, records: RFC 1035 4.1. */
#include "capture/decode/dns.h"

bool dns_decode(struct span *s, struct dns *ret)
{
	ret->offset = s->at;
	ret->length = span_should(s);
	if (!span_be16(s, &ret->id) || !span_be16(s, &ret->flags) ||
		!span_be16(s, &ret->n_questions) || !span_be16(s, &ret->n_answers) ||
		!span_be16(s, &ret->n_authority) || !span_be16(s, &ret->n_additional))
		return span_fail(s, "shorter than a DNS header");
	return true;
}

static bool dns_label(struct span *s, uint8_t length, struct dns_wire_name *ret)
{
	if (ret->n + length + 2 > 255) /* this label and at least the root after it */
		return span_fail(s, "name longer than 255 bytes");
	ret->bytes[ret->n++] = length;
	if (!span_copy(s, ret->bytes + ret->n, length))
		return span_fail(s, "name past the end of the message");
	ret->n = (uint8_t)(ret->n + length);
	return true;
}

/* Follows one pointer: only to before where this run of labels began, so a walk must end. */
static bool dns_jump(struct span *s, uint32_t start, uint8_t high, uint32_t *run)
{
	uint8_t low = 0;
	uint32_t to;

	if (!span_u8(s, &low))
		return span_fail(s, "name past the end of the message");
	to = start + ((high & 0x3fU) << 8 | low);
	if (to >= *run)
		return span_fail(s, "name pointer does not go backwards");
	*run = to;
	return span_seek(s, to) || span_fail(s, "name pointer past the end of the message");
}

bool dns_wire_name_read(struct span *s, uint32_t start, struct dns_wire_name *ret)
{
	struct span walk = *s;
	uint32_t run = s->at, after = 0;
	bool jumped = false, good = true;
	uint8_t length = 1;

	ret->n = 0;
	while (good && length != 0) {
		good = span_u8(&walk, &length) || span_fail(&walk, "name past the end of the message");
		if (!good || length == 0)
			break;
		if ((length & 0xc0) == 0xc0) {
			if (!jumped)
				after = walk.at + 1;
			jumped = true;
			good = dns_jump(&walk, start, length, &run);
		} else if (length & 0xc0) {
			good = span_fail(&walk, "label type that does not exist");
		} else {
			good = dns_label(&walk, length, ret);
		}
	}
	if (!good) {
		s->cut = walk.cut && !jumped;
		return span_fail(s, walk.why);
	}
	ret->bytes[ret->n++] = 0;
	s->at = jumped ? after : walk.at;
	return true;
}

void dns_walk_init(struct dns_walk *w, const void *bytes, uint32_t captured, const struct dns *dns)
{
	struct span s = span_of(bytes, captured, captured);

	*w = (struct dns_walk){ .start = dns->offset, .multicast = dns->flavour == DNS_MULTICAST };
	s.limit = UINT32_MAX;
	s.at = dns->offset <= captured ? dns->offset : captured;
	w->span = span_sub(&s, dns->length);
	span_skip(&w->span, 12);
	w->left[0] = dns->n_questions;
	w->left[1] = dns->n_answers;
	w->left[2] = dns->n_authority;
	w->left[3] = dns->n_additional;
}

static bool dns_data(struct span *s, struct dns_record *r)
{
	if (!span_be32(s, &r->ttl) || !span_be16(s, &r->data_length))
		return span_fail(s, "record past the end of the message");
	r->data_offset = s->at;
	if (!span_skip(s, r->data_length))
		return span_fail(s, "record data past the end of the message");
	return true;
}

bool dns_walk_next(struct dns_walk *w, struct dns_record *ret)
{
	struct span *s = &w->span;
	uint8_t section = 0;

	while (section < 4 && w->left[section] == 0)
		section++;
	if (section == 4 || s->why)
		return false;
	w->left[section]--;
	*ret = (struct dns_record){ .section = section, .is_question = section == 0, .offset = s->at };
	if (!dns_wire_name_read(s, w->start, &ret->name))
		return false;
	if (!span_be16(s, &ret->type) || !span_be16(s, &ret->class))
		return span_fail(s, "record past the end of the message");
	if (w->multicast && ret->type != DNS_TYPE_OPT) {
		ret->top_bit = ret->class & 0x8000;
		ret->class &= 0x7fff;
	}
	if (!ret->is_question && !dns_data(s, ret))
		return false;
	ret->length = s->at - ret->offset;
	return true;
}
