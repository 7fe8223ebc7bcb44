/*
 * Runs the engine source as the program does (broker, worker, mover) and prints what it says, for the engine tests:
 *   engine-probe ENDPOINT [live SECONDS | first SECONDS]
 * One line a row: "12 ls name=web state=running ..." with the milliseconds since the start in front.
 */
#include "core/engine/containerd.h"
#include "core/engine/docker.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/session.h"
#include "core/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void print_row(const struct row_type *t, const struct block *b, const void *row, uint64_t ms)
{
	const struct row_look look = { .charset = TEXT_ASCII, .raw_numbers = true, .utc = true };
	char cell[4096];

	printf("%" PRIu64 " %s", ms, t->name);
	for (uint32_t i = 0; i < t->n_fields; i++) {
		const struct field *f = &t->fields[i];

		if (f->flags & FIELD_SCREEN || row_is_unknown(b, f, row))
			continue;
		row_format(b, f, row, &look, cell, sizeof cell);
		printf(" %s=%s", f->name, cell);
	}
	printf(" flags=%u severity=%u\n", ((const struct row_head *)row)->flags, ((const struct row_head *)row)->severity);
}

static void print_block(const struct link_event *e, uint64_t ms)
{
	for (uint32_t i = 0; i < block_count(e->block); i++)
		print_row(e->row_type, e->block, block_row(e->block, i), ms);
	for (uint32_t i = 0; i < block_notes(e->block); i++) {
		int code;
		struct text note = block_note(e->block, i, &code);

		printf("%" PRIu64 " note %s: %.*s\n", ms, e->row_type->name, (int)note.n, note.p);
	}
	printf("%" PRIu64 " block %s rows=%u lost=%" PRIu64 "\n", ms, e->row_type->name, block_count(e->block), block_lost(e->block));
}

static void watch(struct link *l, uint64_t from, uint64_t end)
{
	for (;;) {
		uint64_t now = clock_ms();
		struct link_event e;

		if (now >= end)
			return;
		link_wait(l, (int)(end - now), &e);
		if (e.type == LINK_BLOCK)
			print_block(&e, clock_ms() - from);
		if (e.type == LINK_ERROR)
			printf("%" PRIu64 " error %d %s\n", clock_ms() - from, e.code, e.msg);
		if (e.type == LINK_CLOSED)
			printf("%" PRIu64 " closed %s\n", clock_ms() - from, e.msg);
		fflush(stdout);
		block_unref(e.type == LINK_BLOCK ? e.block : NULL);
		if (e.type == LINK_CLOSED)
			return;
	}
}

int main(int argc, char **argv)
{
	static const struct source *const sources[] = { &docker_source, &containerd_source };
	static const struct row_type *const types[] = { &target_row_type, &network_row_type, &engine_row_type };
	struct docker_params params = { .runtime = "docker", .once = argc < 4 };
	uint64_t from = clock_ms();
	struct session *s = NULL;
	struct err err = { 0 };
	struct link *l;

	if (argc < 2 || session_start(sources, ARRAY_LEN(sources), &s, &err) < 0) {
		fprintf(stderr, "engine-probe: %s\n", argc < 2 ? "no endpoint given" : err.msg);
		return 2;
	}
	snprintf(params.endpoint, sizeof params.endpoint, "%s", argv[1]);
	params.first_list = argc > 3 && strcmp(argv[2], "first") == 0;
	l = session_open(s, sources[strstr(argv[1], "containerd.sock") != NULL], NULL, &params, sizeof params, &err);
	link_expect(l, types, ARRAY_LEN(types));
	watch(l, from, from + (argc > 3 ? (uint64_t)atoi(argv[3]) * 1000 : 20000));
	link_free(l);
	session_stop(s);
	return 0;
}
