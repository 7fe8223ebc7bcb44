/* Which address of a target another one reaches best, by what engines told of their networks: see target.h. */
#include "core/target.h"

static const struct endpoint_row *endpoint(const struct block *targets, const struct target_row *t, uint32_t i)
{
	return block_nested(targets, &endpoint_row_type, t->endpoints, i);
}

static bool is_on(const struct block *targets, const struct target_row *t, struct text network)
{
	for (uint32_t i = 0; t && i < t->endpoints.n; i++)
		if (text_equal(block_text(targets, endpoint(targets, t, i)->network), network))
			return true;
	return false;
}

static bool take_family(const struct endpoint_row *e, int family, struct addr *ret)
{
	if (e->address.kind && family != 6)
		*ret = e->address;
	else if (e->address6.kind && family != 4)
		*ret = e->address6;
	else
		return false;
	ret->has_prefix = ret->prefix = 0;
	return true;
}

/* On a network that both are on, else on any. */
static bool address_of(const struct block *targets, const struct target_row *own, const struct target_row *t, int family, struct addr *ret)
{
	bool found = false;

	for (uint32_t i = 0; i < t->endpoints.n; i++) {
		const struct endpoint_row *e = endpoint(targets, t, i);

		if (is_on(targets, own, block_text(targets, e->network)) && take_family(e, family, ret))
			return true;
	}
	for (uint32_t i = 0; i < t->endpoints.n && !found; i++)
		found = take_family(endpoint(targets, t, i), family, ret);
	return found;
}

bool target_address(const struct block *targets, const struct target_row *own, const struct target_row *t, int family, struct addr *ret)
{
	struct text with = block_text(targets, t->shares_with);

	if (address_of(targets, own, t, family, ret))
		return true;
	for (uint32_t i = 0; with.n && i < block_count(targets); i++) {
		const struct target_row *owner = block_row(targets, i);

		if ((owner->head.flags & TARGET_IS_CONTAINER) && text_equal(block_text(targets, owner->name), with))
			return address_of(targets, own, owner, family, ret);
	}
	return false;
}
