/*
 * What containerd and CRI told in one round: their protobuf answers, unpacked within limits and written as rows. Every byte is hostile:
 * sizes and counts are bounded before anything is built.
 */
#ifndef NSDBG_CORE_ENGINE_CONTAINERD_FACTS_H
#define NSDBG_CORE_ENGINE_CONTAINERD_FACTS_H

#include "core/engine/docker_rows.h"
#include "core/engine/mover.h"

#include <sys/types.h>

struct err;
struct containerd_facts;

enum { CONTAINERD_SPACES = 32, CONTAINERD_OBJECTS = 20000 };

struct containerd_facts *containerd_facts_new(void);
void containerd_facts_free(struct containerd_facts *f); /* NULL is fine */

/* Takes the gRPC answer of one call; `space` and `id` as they were asked for. 0, -EBADMSG, -E2BIG. */
int containerd_facts_take(struct containerd_facts *f, enum mover_kind kind, const char *space, const char *id, const void *body, size_t n,
	struct err *err);

/* What is to be asked next: the i-th namespace, pod, CRI container; NULL past the end. Namespaces of Docker are left out: it tells more
 * of them itself. */
const char *containerd_facts_space(const struct containerd_facts *f, unsigned i);
const char *containerd_facts_pod(const struct containerd_facts *f, unsigned i);
const char *containerd_facts_container(const struct containerd_facts *f, unsigned i);
/* Of containerd or of the CRI runtime; "" unknown. */
const char *containerd_facts_version(const struct containerd_facts *f);

void containerd_facts_rows(const struct containerd_facts *f, const struct docker_rows_stamp *stamp, struct builder *b);

/* Bytes of the first whole gRPC frame in p[0..n), 0: not whole yet, -EBADMSG; *ret_body and *ret_n: its message. */
ssize_t containerd_frame(const unsigned char *p, size_t n, const unsigned char **ret_body, size_t *ret_n);
/* Is this event about a container that rows tell of? */
bool containerd_event_matters(const unsigned char *p, size_t n);

#endif
