/* What the list says of engines: the first that is wrong, else how fast they answered. */
#include "tui/list_words.h"

#include "core/engine/places.h"
#include "core/target.h"

#include <stdio.h>

enum { ENGINES_BY_NAME = 3 };

/* "Docker 20.10.24 answered in 4.1 ms" for one, "docker 4.1 ms, podman 9.0 ms" for several. */
static int answer_words(const struct block *b, const struct engine_row *e, bool alone, char *buf, size_t cap)
{
	struct text runtime = block_text(b, e->runtime), version = block_text(b, e->version);
	char name[17], ms[32] = "";

	snprintf(name, sizeof name, "%.*s", runtime.n > 16 ? 16 : (int)runtime.n, runtime.n ? runtime.p : "engine");
	if (e->latency_us != ROW_NO_UINT)
		snprintf(ms, sizeof ms, "%s%.1f ms", alone ? " in " : " ", (double)e->latency_us / 1000);
	if (!alone)
		return snprintf(buf, cap, "%s%s", name, ms[0] ? ms : " answers");
	if (text_equal(runtime, text_of("docker")))
		name[0] = 'D';
	return snprintf(buf, cap, "%s %.*s answered%s", name, version.n > 40 ? 40 : (int)version.n, version.n ? version.p : "", ms);
}

/* "8 engines answer, the slowest (podman) in 34.8 ms". */
static void many_words(const struct block *b, char *buf, size_t cap)
{
	const struct engine_row *slowest = NULL;
	struct text runtime;
	unsigned n = 0;

	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct engine_row *e = block_row(b, i);

		n += e->answering == 1;
		if (e->answering == 1 && e->latency_us != ROW_NO_UINT && (!slowest || e->latency_us > slowest->latency_us))
			slowest = e;
	}
	runtime = slowest ? block_text(b, slowest->runtime) : (struct text){ 0 };
	if (slowest)
		snprintf(buf, cap, "%u engines answer, the slowest (%.*s) in %.1f ms", n, runtime.n > 16 ? 16 : (int)runtime.n, runtime.p,
			(double)slowest->latency_us / 1000);
	else
		snprintf(buf, cap, "%u engines answer", n);
}

void list_engine_words(const struct engine_places *places, const struct block *b, enum text_charset charset, char *buf, size_t cap)
{
	uint32_t count = b ? block_count(b) : 0;
	size_t n = 0;

	if (places->n == 0 && count == 0)
		snprintf(buf, cap, "no engine here; namespaces come from /proc");
	else if (count == 0 && places->n > 1)
		snprintf(buf, cap, "asking %u engines ...", places->n);
	else if (count == 0)
		snprintf(buf, cap, "asking %s ...", places->list[0].kind == ENGINE_DOCKER ? "Docker" :
			engine_kind_names[places->list[0].kind]);
	for (uint32_t i = 0; i < count; i++) {
		const struct engine_row *e = block_row(b, i);
		struct text why = block_text(b, e->error);

		if (e->answering == 1 || e->head.severity == SEVERITY_IDLE)
			continue;
		snprintf(buf, cap, "%s %.*s", charset == TEXT_UTF8 ? "▲" : "!", why.n > 180 ? 180 : (int)why.n,
			why.n ? why.p : "an engine does not answer");
		return;
	}
	if (count > ENGINES_BY_NAME) {
		many_words(b, buf, cap);
		return;
	}
	for (uint32_t i = 0; i < count && n < cap; i++) {
		const struct engine_row *e = block_row(b, i);

		n += (size_t)snprintf(buf + n, cap - n, n ? ", " : "");
		if (n < cap && e->answering == 1)
			n += (size_t)answer_words(b, e, count == 1, buf + n, cap - n);
		else if (n < cap)
			n += (size_t)snprintf(buf + n, cap - n, "%.*s not running", (int)block_text(b, e->runtime).n,
				block_text(b, e->runtime).p);
	}
}

