/*
 * Docker's JSON: the first byte selects the answer, the rest is its body. What could be read is written as blocks and read back, so
 * that the model and every string's bounds are tried as well.
 */
#include "core/engine/docker_json.h"
#include "core/engine/docker_rows.h"

#include "core/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes the rows, and opens them again with all checks. */
static void check(const struct docker_model *m)
{
	const struct docker_rows_stamp stamp = { .runtime = "docker", .as_of = ROW_NO_INT };
	struct builder *targets = builder_new(&target_row_type), *networks = builder_new(&network_row_type);

	docker_rows_targets(m, &stamp, targets);
	docker_rows_networks(m, &stamp, networks);
	for (int i = 0; i < 2; i++) {
		const struct row_type *t = i ? &network_row_type : &target_row_type;
		int fd = -1;
		struct block *b = NULL;
		struct err err = { 0 };

		if (builder_seal(i ? networks : targets, &fd, &err) < 0 || block_map(fd, t, &b, &err) < 0)
			abort();
		block_unref(b);
	}
	builder_free(targets);
	builder_free(networks);
}

static void try_lists(struct docker_model *m, const char *p, size_t n)
{
	char *copy = memcpy(malloc(n + 1), p, n); /* reading a list uses it up */
	struct docker_container **containers = NULL;
	struct docker_network **networks = NULL;
	uint32_t count, skipped;
	struct err err = { 0 };

	if (docker_json_list(copy, n, &containers, &count, &skipped, &err) == 0)
		docker_model_merge_list(m, containers, count);
	free(copy);
	if (docker_json_networks(p, n, &networks, &count, &skipped, &err) == 0)
		docker_model_set_networks(m, networks, count);
	free(containers);
	free(networks);
}

static void try_objects(struct docker_model *m, const char *p, size_t n)
{
	char *copy = memcpy(malloc(n + 1), p, n); /* so does an inspection */
	struct docker_container *container = NULL;
	struct docker_network *network = NULL;
	struct err err = { 0 };

	if (docker_json_inspect(copy, n, &container, &err) == 0)
		docker_model_put(m, container);
	free(copy);
	if (docker_json_network(p, n, &network, &err) == 0)
		docker_model_put_network(m, network);
}

/* Podman's own list and networks. */
static void try_podman(struct docker_model *m, const char *p, size_t n)
{
	char *copy = memcpy(malloc(n + 1), p, n);
	struct docker_member *members = NULL;
	struct docker_bridge *bridges = NULL;
	struct err err = { 0 };
	uint32_t count;

	if (docker_json_members(copy, n, &members, &count, &err) == 0)
		docker_model_set_members(m, members, count);
	if (docker_json_bridges(p, n, &bridges, &count, &err) == 0)
		docker_model_set_bridges(m, bridges, count);
	for (uint32_t i = 0; i < m->n_members; i++)
		if (!docker_model_member(m, m->members[i].id))
			abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct docker_model m = { 0 };
	struct docker_event event;
	struct err err = { 0 };
	char message[120];
	const char *p;

	if (size == 0)
		return 0;
	p = (const char *)data + 1;
	if (data[0] == 'P')
		try_podman(&m, p, size - 1);
	else if (data[0] % 4 == 0)
		try_lists(&m, p, size - 1);
	else if (data[0] % 4 == 1)
		try_objects(&m, p, size - 1);
	else if (data[0] % 4 == 2)
		docker_json_event(p, size - 1, &event, &err);
	else
		docker_json_message(p, size - 1, message, sizeof message);
	if (m.n_containers || m.n_networks)
		check(&m);
	docker_model_done(&m);
	return 0;
}
