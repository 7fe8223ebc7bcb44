/* Counters of a network namespace: see net_counters.h. Names of interfaces in there are the container's choice. */
#include "core/source/net_counters.h"

#include <string.h>

#include "core/source/proc_text.h"

enum { DEV_NUMBERS = 16 };

/* "  eth0: 1 2 3 ...": the name ends at the last ':' that a blank or a digit follows; names may hold ':' but no blank. */
static bool dev_line(struct text line, struct text *ret_name, uint64_t ret[DEV_NUMBERS])
{
	const char *colon;
	struct text word;

	while (line.n > 0 && line.p[0] == ' ') {
		line.p++;
		line.n--;
	}
	colon = line.n ? memrchr(line.p, ':', line.n) : NULL;
	if (!colon)
		return false;
	*ret_name = (struct text){ .p = line.p, .n = (size_t)(colon - line.p) };
	line = (struct text){ .p = colon + 1, .n = line.n - ret_name->n - 1 };
	for (int i = 0; i < DEV_NUMBERS; i++)
		if (!proc_text_word(&line, &word) || !proc_text_number(word, 10, &ret[i]))
			return false;
	return true;
}

/* Does a route to 0.0.0.0/0 use it? Columns of net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask. */
static bool leads_out(struct text route, struct text name)
{
	struct text line, word[8];

	while (proc_text_line(&route, &line)) {
		unsigned n = 0;

		while (n < 8 && proc_text_word(&line, &word[n]))
			n++;
		if (n == 8 && text_equal(word[0], name) && text_equal(word[1], text_of("00000000")) &&
			text_equal(word[7], text_of("00000000")))
			return true;
	}
	return false;
}

static void add(struct net_counters_dev *d, const uint64_t v[DEV_NUMBERS])
{
	d->rx_bytes += v[0];
	d->rx_packets += v[1];
	d->rx_errors += v[2];
	d->rx_drops += v[3];
	d->tx_bytes += v[8];
	d->tx_packets += v[9];
	d->tx_errors += v[10];
	d->tx_drops += v[11];
	d->interfaces++;
}

bool net_counters_dev(struct text dev, const struct text *route, struct net_counters_dev *ret)
{
	struct text line, name;
	uint64_t v[DEV_NUMBERS];
	unsigned n = 0;

	*ret = (struct net_counters_dev){ 0 };
	while (proc_text_line(&dev, &line)) {
		if (n++ < 2) /* headings */
			continue;
		if (!dev_line(line, &name, v))
			return false;
		ret->all_packets += v[1] + v[9];
		if (!text_equal(name, text_of("lo")) && (!route || leads_out(*route, name)))
			add(ret, v);
	}
	return n >= 2;
}

static bool starts_with(struct text line, const char *prefix)
{
	size_t k = strlen(prefix);

	return line.n > k && memcmp(line.p, prefix, k) == 0 && line.p[k] == ' ';
}

/* The word of `values` under the word `name` of `names`. */
static bool under(struct text names, struct text values, const char *name, uint64_t *ret)
{
	struct text a, b;

	while (proc_text_word(&names, &a) && proc_text_word(&values, &b))
		if (text_equal(a, text_of(name)))
			return proc_text_number(b, 10, ret);
	return false;
}

bool net_counters_pair(struct text bytes, const char *prefix, const char *name, uint64_t *ret)
{
	struct text names, values;

	while (proc_text_line(&bytes, &names))
		if (starts_with(names, prefix) && proc_text_line(&bytes, &values) && starts_with(values, prefix))
			return under(names, values, name, ret);
	return false;
}

bool net_counters_sockstat(struct text bytes, const char *prefix, const char *name, uint64_t *ret)
{
	struct text line, key, value;

	while (proc_text_line(&bytes, &line)) {
		if (!starts_with(line, prefix))
			continue;
		proc_text_word(&line, &key);
		while (proc_text_word(&line, &key) && proc_text_word(&line, &value))
			if (text_equal(key, text_of(name)))
				return proc_text_number(value, 10, ret);
	}
	return false;
}
