/*
 * containerd's and CRI's protobuf: frames of a kind byte, a length byte and a gRPC answer, taken one after the other as in a round, then
 * written as a block and read back. Without frames in it the input is tried as an event.
 */
#include "core/engine/containerd_facts.h"

#include "core/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum mover_kind kinds[] = { MOVER_CTR_VERSION, MOVER_CTR_SPACES, MOVER_CTR_CONTAINERS, MOVER_CTR_TASKS, MOVER_CRI_VERSION,
	MOVER_CRI_PODS, MOVER_CRI_POD, MOVER_CRI_CONTAINERS, MOVER_CRI_CONTAINER };

/* The five bytes in front are made here: a mutated length would only be refused. */
static void take(struct containerd_facts *f, enum mover_kind kind, const uint8_t *p, size_t n)
{
	unsigned char *body = malloc(n + 5);
	const char *space = containerd_facts_space(f, 0), *id = kind == MOVER_CRI_POD ? containerd_facts_pod(f, 0) : containerd_facts_container(f, 0);
	struct err err = { 0 };

	memcpy(body, (const unsigned char[]){ 0, 0, 0, (unsigned char)(n >> 8), (unsigned char)n }, 5);
	if (n)
		memcpy(body + 5, p, n);
	containerd_facts_take(f, kind, space ? space : "", id ? id : "", body, n + 5, &err);
	free(body);
}

static void check(const struct containerd_facts *f)
{
	const struct docker_rows_stamp stamp = { .runtime = "containerd", .engine = "unix:///x", .owner = ROW_NO_UINT, .as_of = ROW_NO_INT };
	struct builder *b = builder_new(&target_row_type);
	struct block *block = NULL;
	struct err err = { 0 };
	int fd = -1;

	containerd_facts_rows(f, &stamp, b);
	if (builder_count(b) > 0 && (builder_seal(b, &fd, &err) < 0 || block_map(fd, &target_row_type, &block, &err) < 0))
		abort();
	block_unref(block);
	builder_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct containerd_facts *f = containerd_facts_new();
	const unsigned char *body;
	size_t n;

	containerd_event_matters(data, size);
	containerd_frame(data, size, &body, &n);
	while (size >= 2) {
		n = data[1] < size - 2 ? data[1] : size - 2;
		take(f, kinds[data[0] % (sizeof kinds / sizeof kinds[0])], data + 2, n);
		data += 2 + n;
		size -= 2 + n;
	}
	check(f);
	containerd_facts_free(f);
	return 0;
}
