/* The model as blocks: rows in order of names, references between objects resolved. */
#ifndef NSDBG_CORE_ENGINE_DOCKER_ROWS_H
#define NSDBG_CORE_ENGINE_DOCKER_ROWS_H

#include "core/engine/docker_model.h"

/* What rows of one block have in common. */
struct docker_rows_stamp {
	const char *runtime;
	const char *engine; /* its address */
	uint64_t owner; /* user of a rootless engine; ROW_NO_UINT: root's, or not known */
	int64_t as_of; /* ROW_NO_INT while the engine answers */
};

void docker_rows_targets(const struct docker_model *m, const struct docker_rows_stamp *stamp, struct builder *b);
void docker_rows_networks(const struct docker_model *m, const struct docker_rows_stamp *stamp, struct builder *b);

#endif
