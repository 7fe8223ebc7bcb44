/*
 * Rows of health: see health_row.h. A counter that went backwards (interfaces were made anew, a group was replaced) has no rate: it is
 * unknown until two readings fit again. What is wrong is judged by what happened lately; totals alone are history, but for OOM kills.
 */
#include "core/source/health_row.h"

#include <math.h>
#include <stdio.h>

#include "core/block.h"
#include "core/fd.h"

enum { MIN_SEGMENTS = 50, MIN_PERIODS = 10, MIN_DROPS = 10 };

struct health_counters *health_history_next(struct health_history *h)
{
	struct health_counters *c = &h->ring[h->n % HEALTH_HISTORY];

	if (h->n == 0)
		h->memory_limit = h->processes_limit = ROW_NO_UINT;
	h->n++;
	for (int i = 0; i < HEALTH_N; i++)
		c->v[i] = ROW_NO_UINT;
	return c;
}

/* Reading `back` before the last one; NULL: there is none. */
static const struct health_counters *reading(const struct health_history *h, uint32_t back)
{
	uint32_t have = h->n < HEALTH_HISTORY ? h->n : HEALTH_HISTORY;

	return back < have ? &h->ring[(h->n - 1 - back) % HEALTH_HISTORY] : NULL;
}

const struct health_counters *health_history_last(const struct health_history *h)
{
	return reading(h, 0);
}

static uint64_t difference(const struct health_counters *from, const struct health_counters *to, enum health_counter c)
{
	if (!from || from->v[c] == ROW_NO_UINT || to->v[c] == ROW_NO_UINT || to->v[c] < from->v[c])
		return ROW_NO_UINT;
	return to->v[c] - from->v[c];
}

/* Since the oldest reading. */
static uint64_t recent(const struct health_history *h, enum health_counter c)
{
	uint32_t have = h->n < HEALTH_HISTORY ? h->n : HEALTH_HISTORY;

	return have < 2 ? ROW_NO_UINT : difference(reading(h, have - 1), reading(h, 0), c);
}

static uint64_t per_second(const struct health_counters *from, const struct health_counters *to, enum health_counter c)
{
	uint64_t d = difference(from, to, c);

	if (d == ROW_NO_UINT || to->time <= from->time)
		return ROW_NO_UINT;
	return (uint64_t)((double)d * 1e9 / (double)(to->time - from->time) + 0.5);
}

/* Share in percent; NAN when either is unknown or the whole is too small to say. */
static double percent(uint64_t part, uint64_t whole, uint64_t least)
{
	if (part == ROW_NO_UINT || whole == ROW_NO_UINT || whole < least || whole == 0)
		return NAN;
	return (double)part * 100 / (double)whole;
}

static double cpu_percent(const struct health_history *h)
{
	const struct health_counters *to = reading(h, 0), *from = reading(h, 1);
	uint64_t us = difference(from, to, HEALTH_CPU_US);

	if (us == ROW_NO_UINT || to->time <= from->time)
		return NAN;
	return (double)us * 1e5 / (double)(to->time - from->time);
}

static struct rows build_rates(struct builder *b, const struct health_history *h)
{
	struct rate_row rates[HEALTH_HISTORY];
	uint32_t have = h->n < HEALTH_HISTORY ? h->n : HEALTH_HISTORY, n = 0;

	for (uint32_t back = have - 1; back > 0; back--) {
		const struct health_counters *from = reading(h, back), *to = reading(h, back - 1);

		rates[n++] = (struct rate_row){ .at = to->at,
			.rx_bytes_per_second = per_second(from, to, HEALTH_RX_BYTES),
			.tx_bytes_per_second = per_second(from, to, HEALTH_TX_BYTES) };
	}
	return builder_rows(b, &rate_row_type, rates, n);
}

/* --- what is wrong --- */

struct verdict {
	enum severity severity;
	char text[160];
};

/* The gravest stays; of equals the first. */
#define JUDGE(v, s, ...) \
	do { \
		if ((s) > (v)->severity) { \
			(v)->severity = (s); \
			snprintf((v)->text, sizeof(v)->text, __VA_ARGS__); \
		} \
	} while (0)

static bool some(uint64_t n)
{
	return n != ROW_NO_UINT && n > 0;
}

static const char *seconds_watched(const struct health_history *h, char buf[24])
{
	uint32_t have = h->n < HEALTH_HISTORY ? h->n : HEALTH_HISTORY;
	double s = (double)(reading(h, 0)->time - reading(h, have - 1)->time) / 1e9;

	snprintf(buf, 24, "%.0f s", s < 1 ? 1 : s);
	return buf;
}

static void judge_memory(const struct health_row *r, const struct health_history *h, struct verdict *v)
{
	char when[24];

	if (some(r->oom_kills_recent))
		JUDGE(v, SEVERITY_BAD, "%llu killed for want of memory (OOM) in %s", (unsigned long long)r->oom_kills_recent,
			seconds_watched(h, when));
	if (r->memory_percent >= 90)
		JUDGE(v, r->memory_percent >= 95 ? SEVERITY_BAD : SEVERITY_WARN, "memory at %.0f %% of its limit", r->memory_percent);
	if (some(r->oom_kills))
		JUDGE(v, SEVERITY_WARN, "%llu killed for want of memory (OOM) since it was made", (unsigned long long)r->oom_kills);
}

static void judge_processes(const struct health_row *r, struct verdict *v)
{
	double share = percent(r->processes, r->processes_limit, 1);

	if (share >= 100)
		JUDGE(v, SEVERITY_BAD, "at its limit of %llu processes: fork fails", (unsigned long long)r->processes_limit);
	else if (share >= 90)
		JUDGE(v, SEVERITY_WARN, "%llu of %llu processes", (unsigned long long)r->processes,
			(unsigned long long)r->processes_limit);
	if (r->throttled_percent >= 25)
		JUDGE(v, SEVERITY_WARN, "CPU quota used up in %.0f %% of its periods", r->throttled_percent);
}

static void judge_network(const struct health_row *r, const struct health_history *h, struct verdict *v)
{
	uint64_t drops = recent(h, HEALTH_RX_DROPS), more = recent(h, HEALTH_TX_DROPS), packets = recent(h, HEALTH_RX_PACKETS);
	char when[24];

	drops = drops == ROW_NO_UINT || more == ROW_NO_UINT ? ROW_NO_UINT : drops + more;
	if (some(r->listen_drops_recent))
		JUDGE(v, SEVERITY_BAD, "%llu connections dropped in %s: a listener's queue is full",
			(unsigned long long)r->listen_drops_recent, seconds_watched(h, when));
	if (r->retransmit_percent >= 5)
		JUDGE(v, r->retransmit_percent >= 20 ? SEVERITY_BAD : SEVERITY_WARN, "%.0f %% of TCP segments sent again",
			r->retransmit_percent);
	if (drops != ROW_NO_UINT && drops >= MIN_DROPS && packets != ROW_NO_UINT && drops * 100 >= packets)
		JUDGE(v, SEVERITY_WARN, "%llu packets dropped at its interfaces in %s", (unsigned long long)drops,
			seconds_watched(h, when));
}

static void judge(struct builder *b, struct health_row *r, const struct health_target *t, const struct health_history *h)
{
	struct verdict v = { .severity = SEVERITY_OK };

	judge_memory(r, h, &v);
	judge_processes(r, &v);
	judge_network(r, h, &v);
	if (t->flags & HEALTH_HOST && v.severity > SEVERITY_WARN)
		v.severity = SEVERITY_WARN; /* the host is where one stands; its containers come first */
	r->head.severity = v.severity;
	r->problem = v.text[0] ? builder_str(b, v.text) : ROW_NO_TEXT;
}

/* --- the row --- */

static void fill_network(struct health_row *r, const struct health_history *h)
{
	const struct health_counters *now = reading(h, 0), *before = reading(h, 1);

	r->rx_bytes_per_second = per_second(before, now, HEALTH_RX_BYTES);
	r->tx_bytes_per_second = per_second(before, now, HEALTH_TX_BYTES);
	r->rx_bytes = now->v[HEALTH_RX_BYTES];
	r->tx_bytes = now->v[HEALTH_TX_BYTES];
	r->rx_packets = now->v[HEALTH_RX_PACKETS];
	r->tx_packets = now->v[HEALTH_TX_PACKETS];
	r->rx_drops = now->v[HEALTH_RX_DROPS];
	r->tx_drops = now->v[HEALTH_TX_DROPS];
	r->rx_errors = now->v[HEALTH_RX_ERRORS];
	r->tx_errors = now->v[HEALTH_TX_ERRORS];
	r->sockets = now->v[HEALTH_SOCKETS];
	r->connections = now->v[HEALTH_CONNECTIONS];
	r->segments_sent = now->v[HEALTH_SEGMENTS];
	r->retransmits = now->v[HEALTH_RETRANSMITS];
	r->retransmit_percent = percent(recent(h, HEALTH_RETRANSMITS), recent(h, HEALTH_SEGMENTS), MIN_SEGMENTS);
	r->resets = now->v[HEALTH_RESETS];
	r->resets_recent = recent(h, HEALTH_RESETS);
	r->listen_overflows = now->v[HEALTH_LISTEN_OVERFLOWS];
	r->listen_drops = now->v[HEALTH_LISTEN_DROPS];
	r->listen_drops_recent = recent(h, HEALTH_LISTEN_DROPS);
}

static void fill_group(struct health_row *r, const struct health_history *h)
{
	const struct health_counters *now = reading(h, 0);

	r->cpu_percent = cpu_percent(h);
	r->throttled_percent = percent(recent(h, HEALTH_THROTTLED), recent(h, HEALTH_PERIODS), MIN_PERIODS);
	r->memory_bytes = now->v[HEALTH_MEMORY];
	r->memory_limit_bytes = h->memory_limit;
	r->memory_percent = percent(r->memory_bytes, r->memory_limit_bytes, 1);
	r->processes = now->v[HEALTH_PROCESSES];
	r->processes_limit = h->processes_limit;
	r->oom_kills = now->v[HEALTH_OOM_KILLS];
	r->oom_kills_recent = recent(h, HEALTH_OOM_KILLS);
}

void health_row_build(struct builder *b, const struct health_target *t, const struct health_history *h)
{
	struct rows rates = build_rates(b, h);
	struct health_row *r = builder_row(b);

	r->head = (struct row_head){ .id = t->id };
	r->name = ROW_NO_TEXT;
	r->pid = t->pid;
	r->rates = rates;
	fill_network(r, h);
	fill_group(r, h);
	judge(b, r, t, h);
}

static const struct field rate_fields[] = {
	{ ROW_FIELD(struct rate_row, at, TIME), .title = "AT", .help = "end of the interval" },
	{ ROW_FIELD(struct rate_row, rx_bytes_per_second, UINT), .title = "RX/S", .unit = UNIT_BYTES, .help = "received per second" },
	{ ROW_FIELD(struct rate_row, tx_bytes_per_second, UINT), .title = "TX/S", .unit = UNIT_BYTES, .help = "sent per second" },
};

const struct row_type rate_row_type = {
	.name = "rate", .noun = "rates", .id = 0x65746172, .schema = 1, .size = sizeof(struct rate_row),
	.fields = rate_fields, .n_fields = ARRAY_LEN(rate_fields),
};

#define NUMBER(member, t, u, p) ROW_FIELD(struct health_row, member, UINT), .title = t, .unit = u, .flags = FIELD_RIGHT, .priority = p
#define WIDE(member, t, u)      ROW_FIELD(struct health_row, member, UINT), .title = t, .unit = u, .flags = FIELD_RIGHT | FIELD_WIDE
#define SHARE(member, t, p) \
	ROW_FIELD(struct health_row, member, REAL), .title = t, .unit = UNIT_PERCENT, .flags = FIELD_RIGHT, .priority = p

static const struct field health_fields[] = {
	{ ROW_FIELD(struct health_row, name, TEXT), .title = "NAME", .help = "of the target" },
	{ ROW_FIELD(struct health_row, pid, UINT), .title = "PID", .unit = UNIT_ID, .flags = FIELD_RIGHT | FIELD_WIDE,
		.help = "its first process" },
	{ NUMBER(rx_bytes_per_second, "RX/S", UNIT_BYTES, 2), .help = "received per second, all interfaces but lo" },
	{ NUMBER(tx_bytes_per_second, "TX/S", UNIT_BYTES, 2), .help = "sent per second, all interfaces but lo" },
	{ SHARE(retransmit_percent, "RETR%", 3), .help = "TCP segments sent again lately; unknown below 50 segments" },
	{ NUMBER(resets_recent, "RST", UNIT_NONE, 6), .help = "TCP connections reset lately" },
	{ NUMBER(listen_drops_recent, "LDROP", UNIT_NONE, 4), .help = "connections that listeners dropped lately" },
	{ NUMBER(connections, "CONNS", UNIT_NONE, 7), .help = "TCP connections, established or close-wait" },
	{ NUMBER(sockets, "SOCKS", UNIT_NONE, 5), .help = "sockets of all families in its network namespace" },
	{ SHARE(cpu_percent, "CPU%", 1), .help = "CPU, 100 is one core" },
	{ SHARE(throttled_percent, "THROT%", 6), .help = "periods in which the CPU quota was used up, lately" },
	{ NUMBER(memory_bytes, "MEM", UNIT_BYTES, 1), .help = "memory without inactive page cache, as docker stats" },
	{ NUMBER(memory_limit_bytes, "LIMIT", UNIT_BYTES, 4), .help = "memory limit, the lowest up the tree; unknown: none" },
	{ SHARE(memory_percent, "MEM%", 2), .help = "memory of its limit" },
	{ NUMBER(processes, "PIDS", UNIT_NONE, 3), .help = "processes and threads in its control group" },
	{ NUMBER(processes_limit, "MAX", UNIT_NONE, 5), .help = "limit of processes and threads; unknown: none" },
	{ NUMBER(oom_kills, "OOM", UNIT_NONE, 6), .help = "processes killed for want of memory since the group was made" },
	{ WIDE(oom_kills_recent, "OOM NOW", UNIT_NONE), .help = "the same, lately" },
	{ WIDE(rx_bytes, "RX", UNIT_BYTES), .help = "received since its interfaces were made" },
	{ WIDE(tx_bytes, "TX", UNIT_BYTES), .help = "sent since its interfaces were made" },
	{ WIDE(rx_packets, "RXPKTS", UNIT_NONE), .help = "packets received" },
	{ WIDE(tx_packets, "TXPKTS", UNIT_NONE), .help = "packets sent" },
	{ WIDE(rx_drops, "RXDROP", UNIT_NONE), .help = "dropped on the way in" },
	{ WIDE(tx_drops, "TXDROP", UNIT_NONE), .help = "dropped on the way out" },
	{ WIDE(rx_errors, "RXERR", UNIT_NONE), .help = "receive errors" },
	{ WIDE(tx_errors, "TXERR", UNIT_NONE), .help = "transmit errors" },
	{ WIDE(segments_sent, "SEGS", UNIT_NONE), .help = "TCP segments sent since the namespace was made" },
	{ WIDE(retransmits, "RETR", UNIT_NONE), .help = "TCP segments sent again since then" },
	{ WIDE(resets, "RESETS", UNIT_NONE), .help = "TCP connections reset since then" },
	{ WIDE(listen_overflows, "OVERFL", UNIT_NONE), .help = "times an accept queue was full since then" },
	{ WIDE(listen_drops, "LDROPS", UNIT_NONE), .help = "connections that listeners dropped since then" },
	{ ROW_FIELD(struct health_row, rates, ROWS), .sub = &rate_row_type, .title = "RATES", .flags = FIELD_HIDDEN,
		.help = "traffic of the samples remembered" },
	{ ROW_FIELD(struct health_row, problem, TEXT), .title = "WHAT IS WRONG", .flags = FIELD_FLEX,
		.help = "the gravest thing that is wrong, in words" },
};

const struct row_type health_row_type = {
	.name = "health", .noun = "targets", .id = 0x746c6568, .schema = 1, .size = sizeof(struct health_row),
	.fields = health_fields, .n_fields = ARRAY_LEN(health_fields),
};
