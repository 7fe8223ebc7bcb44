/* How a target is said in words: see target_words.h. One table of rules, the first that fits is what is wrong. */
#include "core/target_words.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/fd.h"

enum { SECOND = 1000000000 };

char *target_words_age(int64_t since_ns, int64_t now_ns, char buf[TARGET_WORDS_AGE])
{
	int64_t s = (now_ns / SECOND) - (since_ns / SECOND);

	s = s < 0 ? 0 : s;
	if (since_ns == ROW_NO_INT)
		snprintf(buf, TARGET_WORDS_AGE, "?");
	else if (s < 60)
		snprintf(buf, TARGET_WORDS_AGE, "%" PRId64 "s", s);
	else if (s < 3600)
		snprintf(buf, TARGET_WORDS_AGE, "%" PRId64 "m", s / 60);
	else if (s < 2 * 86400)
		snprintf(buf, TARGET_WORDS_AGE, "%" PRId64 "h", s / 3600);
	else
		snprintf(buf, TARGET_WORDS_AGE, "%" PRId64 "d", s / 86400);
	return buf;
}

static size_t bounded(int n, size_t cap)
{
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

static int number_word(const char *word, uint64_t n, bool known, char *buf, size_t cap)
{
	return known ? snprintf(buf, cap, "%s %" PRIu64, word, n) : snprintf(buf, cap, "%s", word);
}

size_t target_words_state(const struct target_row *row, int64_t now_ns, char *buf, size_t cap)
{
	char age[TARGET_WORDS_AGE];
	int n = 0;

	if (row->head.flags & TARGET_IS_NETNS && row->processes != ROW_NO_UINT)
		return bounded(snprintf(buf, cap, "%" PRIu64 " proc%s", row->processes, row->processes == 1 ? "" : "s"), cap);
	switch ((enum target_state)row->state) {
	case TARGET_STATE_RUNNING:
		n = row->started_at == ROW_NO_INT ? snprintf(buf, cap, "up") :
			snprintf(buf, cap, "up %s", target_words_age(row->started_at, now_ns, age));
		break;
	case TARGET_STATE_RESTARTING:
		n = number_word("rst", row->restarts, row->restarts != ROW_NO_UINT, buf, cap);
		break;
	case TARGET_STATE_EXITED:
		n = row->exit_code == ROW_NO_INT ? snprintf(buf, cap, "exit") : snprintf(buf, cap, "exit %" PRId64, row->exit_code);
		break;
	case TARGET_STATE_CREATED:
	case TARGET_STATE_PAUSED:
	case TARGET_STATE_REMOVING:
	case TARGET_STATE_DEAD:
		n = snprintf(buf, cap, "%s", target_state_names[row->state]);
		break;
	case TARGET_STATE_N:
	default:
		n = snprintf(buf, cap, "-");
		break;
	}
	return bounded(n, cap);
}

/* --- what is wrong --- */

struct rule {
	bool (*applies)(const struct target_row *row, int64_t now_ns);
	enum severity severity;
	void (*say)(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap);
};

static bool is_dead(const struct target_row *row, int64_t now_ns)
{
	(void)now_ns;
	return row->state == TARGET_STATE_DEAD;
}

static void say_dead(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	(void)row, (void)runtime, (void)now_ns;
	snprintf(buf, cap, "dead: could not be removed");
}

static bool is_restarting(const struct target_row *row, int64_t now_ns)
{
	(void)now_ns;
	return row->state == TARGET_STATE_RESTARTING;
}

static void say_restarting(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "restarting");

	(void)runtime, (void)now_ns;
	if (row->restarts != ROW_NO_UINT)
		n += snprintf(buf + n, cap - (size_t)n, ", %" PRIu64 " time%s", row->restarts, row->restarts == 1 ? "" : "s");
	if (row->oom_killed == 1)
		snprintf(buf + n, cap - (size_t)n, ", OOM killed");
	else if (row->exit_code != ROW_NO_INT)
		snprintf(buf + n, cap - (size_t)n, ", last exit %" PRId64, row->exit_code);
}

static bool is_stopped(const struct target_row *row)
{
	return row->state == TARGET_STATE_EXITED || row->state == TARGET_STATE_DEAD;
}

static bool is_oom_killed(const struct target_row *row, int64_t now_ns)
{
	(void)now_ns;
	return is_stopped(row) && row->oom_killed == 1;
}

static void say_oom_killed(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	char age[TARGET_WORDS_AGE];

	(void)runtime;
	if (row->finished_at == ROW_NO_INT)
		snprintf(buf, cap, "OOM killed");
	else
		snprintf(buf, cap, "OOM killed %s ago", target_words_age(row->finished_at, now_ns, age));
}

static bool is_unhealthy(const struct target_row *row, int64_t now_ns)
{
	(void)now_ns;
	return row->state == TARGET_STATE_RUNNING && row->health == TARGET_HEALTH_UNHEALTHY;
}

static void say_unhealthy(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	(void)row, (void)runtime, (void)now_ns;
	snprintf(buf, cap, "unhealthy: its health check fails");
}

static bool has_failed(const struct target_row *row, int64_t now_ns)
{
	(void)now_ns;
	return is_stopped(row) && row->exit_code != ROW_NO_INT && row->exit_code != 0;
}

static void say_failed(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	char age[TARGET_WORDS_AGE];

	(void)runtime;
	if (row->finished_at == ROW_NO_INT)
		snprintf(buf, cap, "exited %" PRId64, row->exit_code);
	else
		snprintf(buf, cap, "exited %" PRId64 " %s ago", row->exit_code, target_words_age(row->finished_at, now_ns, age));
}

static bool is_paused(const struct target_row *row, int64_t now_ns)
{
	(void)now_ns;
	return row->state == TARGET_STATE_PAUSED;
}

static void say_paused(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	(void)row, (void)runtime, (void)now_ns;
	snprintf(buf, cap, "paused");
}

/* Up again, but not for long: worth a look. */
static bool came_back(const struct target_row *row, int64_t now_ns)
{
	const int64_t recent = 600LL * SECOND;

	return row->state == TARGET_STATE_RUNNING && row->restarts != ROW_NO_UINT && row->restarts > 0 &&
		row->started_at != ROW_NO_INT && now_ns - row->started_at < recent;
}

static void say_came_back(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	char age[TARGET_WORDS_AGE];

	(void)runtime;
	snprintf(buf, cap, "restarted %" PRIu64 " time%s, last %s ago%s", row->restarts, row->restarts == 1 ? "" : "s",
		target_words_age(row->started_at, now_ns, age), row->oom_killed == 1 ? ", OOM killed" : "");
}

static bool is_stale(const struct target_row *row, int64_t now_ns)
{
	(void)now_ns;
	return row->as_of != ROW_NO_INT || row->head.flags & TARGET_STALE;
}

static void say_stale(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	char age[TARGET_WORDS_AGE];

	if (row->as_of == ROW_NO_INT)
		snprintf(buf, cap, "%s does not answer", runtime);
	else
		snprintf(buf, cap, "%s does not answer: as of %s ago", runtime, target_words_age(row->as_of, now_ns, age));
}

static bool is_going(const struct target_row *row, int64_t now_ns)
{
	(void)now_ns;
	return row->state == TARGET_STATE_REMOVING;
}

static void say_going(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	(void)row, (void)runtime, (void)now_ns;
	snprintf(buf, cap, "being removed");
}

/* The worst first. */
static const struct rule rules[] = {
	{ is_dead, SEVERITY_BAD, say_dead },
	{ is_restarting, SEVERITY_BAD, say_restarting },
	{ is_oom_killed, SEVERITY_BAD, say_oom_killed },
	{ is_unhealthy, SEVERITY_BAD, say_unhealthy },
	{ has_failed, SEVERITY_WARN, say_failed },
	{ is_paused, SEVERITY_WARN, say_paused },
	{ came_back, SEVERITY_WARN, say_came_back },
	{ is_stale, SEVERITY_UNKNOWN, say_stale },
	{ is_going, SEVERITY_IDLE, say_going },
};

enum severity target_words_problem(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap)
{
	buf[0] = 0;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].applies(row, now_ns)) {
			rules[i].say(row, runtime, now_ns, buf, cap);
			return rules[i].severity;
		}
	if (row->state == TARGET_STATE_RUNNING)
		return SEVERITY_OK;
	return row->state >= TARGET_STATE_N ? SEVERITY_UNKNOWN : SEVERITY_IDLE;
}
