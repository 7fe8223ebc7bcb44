/*
 * What containers are called when no engine answers: from the files that engines and OCI runtimes leave beside a container. The bundle's
 * config.json (OCI runtime-spec: annotations of CRI-O, containerd's CRI and nerdctl), Docker's config.v2.json, runc's state.json,
 * containers/storage's containers.json. Every byte is hostile: read in the cage, within limits (docker_tree.h).
 */
#ifndef NSDBG_CORE_ENGINE_BUNDLE_H
#define NSDBG_CORE_ENGINE_BUNDLE_H

#include "core/source.h"

struct block;

enum { BUNDLE_WORD = 256, BUNDLE_PATH = 1024, BUNDLE_MAX_FILE = 4 << 20, BUNDLE_MAX_TARGETS = 8192 };

/* "" and ROW_NO_*: unknown. */
struct bundle_facts {
	char name[BUNDLE_WORD], image[BUNDLE_WORD * 2], hostname[BUNDLE_WORD], project[BUNDLE_WORD];
	char space[BUNDLE_WORD], pod[BUNDLE_WORD]; /* Kubernetes' namespace and pod, nerdctl's namespace */
	uint8_t infra; /* a pod's sandbox */
	uint64_t attempt, restarts;
	int64_t created_at, started_at;
	char files[BUNDLE_PATH]; /* where Docker keeps /etc/hosts of containers: ".../containers" */
	char bundle[BUNDLE_PATH]; /* of state.json: where config.json is */
};

void bundle_facts_init(struct bundle_facts *f);

/* Each adds what its file tells to *f, without replacing what is known. 0, -EBADMSG (not such a file), -E2BIG (a limit). */
int bundle_config_read(const char *p, size_t n, struct bundle_facts *f, struct err *err);
int bundle_docker_read(const char *p, size_t n, struct bundle_facts *f, struct err *err);
int bundle_state_read(const char *p, size_t n, struct bundle_facts *f, struct err *err);
/* containers.json holds all containers of a storage: that with this id. */
int bundle_storage_read(const char *p, size_t n, const char *id, struct bundle_facts *f, struct err *err);
/* Docker's daemon.json: its data-root, as `files`. */
int bundle_daemon_read(const char *p, size_t n, struct bundle_facts *f, struct err *err);

struct bundle_row {
	struct row_head head;
	uint64_t pid, start; /* whose */
	struct str name, image, hostname, project, space, pod;
	uint8_t infra;
	uint64_t attempt, restarts;
	int64_t created_at, started_at;
};
extern const struct row_type bundle_row_type;

/* Request with a list in a memfd (bundle_list); answered by two blocks of bundle_row: root's containers, then those and the users'. A file
 * of an ordinary user may lie on a file system that never answers: do not wait for the second one for long. */
enum { BUNDLE_LOOK = 16, BUNDLE_BLOCKS = 2 };
extern const struct source bundle_source; /* serve(); CAGE_SCAN with CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH */

/* Puts those of `targets` (target_row) that no engine named into a memfd; the descriptor, -ENOENT: there are none, or -errno. */
int bundle_list(const struct block *targets);
/* Changes when that list does; 0: it is empty. */
uint64_t bundle_list_hash(const struct block *targets);

#endif
