/*
 * The worker that finds the files of bundle.h: by what runs a container (its shim's working directory, its conmon's -b), else where engines
 * usually keep them. Seen through that process's /proc/PID/root, as rootless engines have mounts of their own. Only regular files that
 * belong to the user of that process are read, no last link is followed. Nobody waits for this worker: a file system may never answer.
 */
#include "core/engine/bundle.h"

#include "core/block.h"
#include "core/engine/bundle_list.h"
#include "core/engine/mover.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/source/origin.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_CMDLINE = 8192, PATH = BUNDLE_PATH + 256 };

/* One container that is looked for. */
struct look {
	int proc;
	const struct bundle_target *target;
	uint64_t parent; /* pid; 1: nobody of ours runs it any more */
	uint64_t uid; /* of parent */
	enum origin_parent kind;
	struct bundle_facts facts;
};

typedef int (*read_fn)(const char *p, size_t n, struct bundle_facts *f, struct err *err);

/* The whole file, to be freed, or NULL. */
static char *read_file(const struct look *l, const char *path, size_t *ret_n)
{
	AUTO(fd_closep) int fd = openat(l->proc, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	AUTO(fd_freep) char *buf = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != l->uid || st.st_size <= 0 ||
		st.st_size > BUNDLE_MAX_FILE)
		return NULL;
	buf = fd_xcalloc(1, (size_t)st.st_size + 1);
	n = fd_read_all(fd, buf, (size_t)st.st_size);
	if (n <= 0)
		return NULL;
	*ret_n = (size_t)n;
	return fd_ptr_take(&buf);
}

/* False: it is not there, or not to be read. */
static bool take(struct look *l, read_fn read, const char *path)
{
	size_t n = 0;
	AUTO(fd_freep) char *bytes = read_file(l, path, &n);
	struct err ignored = { 0 };

	return bytes && read(bytes, n, &l->facts, &ignored) == 0;
}

/* Below the root directory of who runs it. False: too long. */
static bool in_root(const struct look *l, char buf[PATH], const char *dir, const char *name)
{
	return snprintf(buf, PATH, "%llu/root%s/%s", (unsigned long long)l->parent, dir, name) < PATH;
}

/* --- who runs it --- */

static bool read_stat(int proc, uint64_t pid, char buf[1024], struct proc_text_stat *ret)
{
	ssize_t n = proc_dir_read(proc, pid, "stat", buf, 1024);

	return n > 0 && proc_text_stat((struct text){ .p = buf, .n = (size_t)n }, ret);
}

static bool find_parent(struct look *l)
{
	struct proc_text_status status;
	struct proc_text_stat stat;
	char buf[1024], text[8192];
	ssize_t n;

	if (!read_stat(l->proc, l->target->pid, buf, &stat) || (l->target->start != ROW_NO_UINT && stat.start != l->target->start))
		return false;
	l->parent = stat.ppid;
	if (!read_stat(l->proc, l->parent, buf, &stat))
		return false;
	l->kind = origin_parent_of(stat.comm);
	n = proc_dir_read(l->proc, l->parent, "status", text, sizeof text);
	if (n <= 0 || !proc_text_status((struct text){ .p = text, .n = (size_t)n }, &status))
		return false;
	l->uid = status.uid;
	return true;
}

/* --- where the files are --- */

/* A pod's shim is in the sandbox's bundle: the others are beside it. */
static void look_beside_shim(struct look *l)
{
	char path[PATH];

	snprintf(path, sizeof path, "%llu/cwd/../%s/config.json", (unsigned long long)l->parent, l->target->id);
	take(l, bundle_config_read, path);
}

/* Podman's and CRI-O's: "-b .../overlay-containers/ID/userdata"; the names of all are two directories above. */
static void read_userdata(struct look *l, const char *dir)
{
	AUTO(fd_freep) char *bytes = NULL;
	struct err ignored = { 0 };
	char path[PATH];
	size_t n = 0;

	if (in_root(l, path, dir, "config.json"))
		take(l, bundle_config_read, path);
	if (in_root(l, path, dir, "../../containers.json"))
		bytes = read_file(l, path, &n);
	if (bytes)
		bundle_storage_read(bytes, n, l->target->id, &l->facts, &ignored);
}

static void look_behind_conmon(struct look *l)
{
	char cmdline[MAX_CMDLINE], dir[BUNDLE_PATH];
	ssize_t n = proc_dir_read(l->proc, l->parent, "cmdline", cmdline, sizeof cmdline);

	if (n > 0 && origin_bundle((struct text){ .p = cmdline, .n = (size_t)n }, dir, sizeof dir))
		read_userdata(l, dir);
}

/* Its parent has died, so it is a child of some init: the places that root's engines use. */
static void look_at_usual(struct look *l)
{
	static const struct {
		const char *runtime, *before, *after;
		read_fn read;
	} usual[] = {
		{ "docker", "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/", "/config.json", bundle_config_read },
		{ "docker", "/run/containerd/io.containerd.runtime.v2.task/moby/", "/config.json", bundle_config_read },
		{ "cri", "/run/containerd/io.containerd.runtime.v2.task/k8s.io/", "/config.json", bundle_config_read },
		{ "cri", "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/", "/config.json", bundle_config_read },
		{ "cri", "/run/containerd/runc/k8s.io/", "/state.json", bundle_state_read },
		{ "containerd", "/run/containerd/io.containerd.runtime.v2.task/default/", "/config.json", bundle_config_read },
		{ "containerd", "/run/containerd/runc/default/", "/state.json", bundle_state_read },
		{ "podman", "/run/runc/", "/state.json", bundle_state_read },
		{ "podman", "/run/crun/", "/config.json", bundle_config_read },
		{ "cri", "/run/runc/", "/state.json", bundle_state_read },
		{ "cri", "/run/crun/", "/config.json", bundle_config_read },
	};
	char path[PATH];

	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		if (strcmp(usual[i].runtime, l->target->runtime) != 0)
			continue;
		snprintf(path, sizeof path, "%llu/root%s%s%s", (unsigned long long)l->parent, usual[i].before, l->target->id, usual[i].after);
		if (take(l, usual[i].read, path))
			break;
	}
	if (strcmp(l->target->runtime, "podman") != 0)
		return;
	if (!l->facts.bundle[0])
		snprintf(l->facts.bundle, sizeof l->facts.bundle, "/var/lib/containers/storage/overlay-containers/%s/userdata", l->target->id);
	read_userdata(l, l->facts.bundle);
}

static void look_at_docker(struct look *l)
{
	char path[PATH];

	if (strcmp(l->target->runtime, "docker") != 0)
		return;
	if (!l->facts.files[0] && l->uid == 0 && in_root(l, path, "/etc/docker", "daemon.json"))
		take(l, bundle_daemon_read, path);
	if (snprintf(path, sizeof path, "%llu/root%s/%s/config.v2.json", (unsigned long long)l->parent,
		l->facts.files[0] ? l->facts.files : "/var/lib/docker/containers", l->target->id) < (int)sizeof path)
		take(l, bundle_docker_read, path);
}

/* "6fbc8597ed4a-infra", after the pod's id: podman's own name for a container that only holds a pod's namespaces. */
static bool is_infra_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == 12 && strcmp(name + 12, "-infra") == 0;
}

static void look(struct look *l)
{
	bundle_facts_init(&l->facts);
	if (l->kind == ORIGIN_SHIM)
		look_beside_shim(l);
	else if (l->kind == ORIGIN_CONMON)
		look_behind_conmon(l);
	else
		look_at_usual(l);
	look_at_docker(l);
	if (strcmp(l->target->runtime, "podman") == 0 && l->facts.infra == ROW_NO_BOOL)
		l->facts.infra = is_infra_name(l->facts.name);
}

/* --- the source --- */

static struct str word(struct builder *b, const char *text)
{
	return builder_str(b, text[0] ? text : NULL);
}

static void add_row(struct builder *b, const struct look *l)
{
	const struct bundle_facts *f = &l->facts;
	struct bundle_row *r = builder_row(b);

	*r = (struct bundle_row){ .head.id = row_hash(&l->target->pid, sizeof l->target->pid, l->target->start), .pid = l->target->pid,
		.start = l->target->start, .infra = f->infra, .attempt = f->attempt, .restarts = f->restarts, .created_at = f->created_at,
		.started_at = f->started_at };
	r->name = word(b, f->name);
	r->image = word(b, f->image);
	r->hostname = word(b, f->hostname);
	r->project = word(b, f->project);
	r->space = word(b, f->space);
	r->pod = word(b, f->pod);
}

/* The id becomes part of a path. */
static bool is_usable(const struct bundle_target *t)
{
	return memchr(t->id, 0, sizeof t->id) && memchr(t->runtime, 0, sizeof t->runtime) && mover_is_name(t->id) && t->id[0] != '.';
}

static void look_at_all(int proc, const struct bundle_target *list, uint32_t n, bool roots, struct builder *b)
{
	for (uint32_t i = 0; i < n; i++) {
		struct look l = { .proc = proc, .target = &list[i] };

		if (!is_usable(&list[i]) || !find_parent(&l) || (l.uid == 0) != roots)
			continue;
		look(&l);
		add_row(b, &l);
	}
}

static int answer(struct worker *w, const struct msg *m, struct err *err)
{
	AUTO(fd_freep) struct bundle_target *list = NULL;
	struct builder *b;
	int proc = worker_target(w)->proc, r = 0;
	uint32_t n;

	list = msg_list(m, sizeof *list, BUNDLE_MAX_TARGETS, "containers", &n, err);
	if (!list)
		return -EBADMSG;
	b = builder_new(&bundle_row_type);
	for (int pass = 0; pass < BUNDLE_BLOCKS && r == 0; pass++) {
		look_at_all(proc, list, n, pass == 0, b);
		r = worker_send_block(w, m->head.tag, b);
	}
	builder_free(b);
	return r;
}

static int bundle_serve(struct worker *w, struct err *err)
{
	struct msg m;
	int r;

	while ((r = worker_recv(w, &m, -1)) > 0) {
		r = m.head.type == MSG_REQUEST && m.request.op == BUNDLE_LOOK ? answer(w, &m, err) : 0;
		fd_closep(&m.fd);
		if (r < 0)
			return r;
	}
	return r;
}

static const struct field bundle_fields[] = {
	{ ROW_FIELD(struct bundle_row, pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "first process of the container" },
	{ ROW_FIELD(struct bundle_row, start, UINT), .title = "START", .unit = UNIT_ID, .help = "its start, clock ticks since boot" },
	{ ROW_FIELD(struct bundle_row, name, TEXT), .title = "NAME", .help = "name" },
	{ ROW_FIELD(struct bundle_row, image, TEXT), .title = "IMAGE", .help = "image" },
	{ ROW_FIELD(struct bundle_row, hostname, TEXT), .title = "HOSTNAME", .help = "its hostname" },
	{ ROW_FIELD(struct bundle_row, project, TEXT), .title = "PROJECT", .help = "compose project" },
	{ ROW_FIELD(struct bundle_row, space, TEXT), .title = "NAMESPACE", .help = "Kubernetes' or nerdctl's namespace" },
	{ ROW_FIELD(struct bundle_row, pod, TEXT), .title = "POD", .help = "pod" },
	{ ROW_FIELD(struct bundle_row, infra, BOOL), .title = "INFRA", .help = "a pod's sandbox" },
	{ ROW_FIELD(struct bundle_row, attempt, UINT), .title = "ATTEMPT", .help = "how often it was started before" },
	{ ROW_FIELD(struct bundle_row, restarts, UINT), .title = "RESTARTS", .help = "restarts" },
	{ ROW_FIELD(struct bundle_row, created_at, TIME), .title = "CREATED", .help = "when it was created" },
	{ ROW_FIELD(struct bundle_row, started_at, TIME), .title = "STARTED", .help = "when it was started" },
};

const struct row_type bundle_row_type = {
	.name = "bundles", .noun = "names of containers", .id = 0x62756e64, .schema = 1, .size = sizeof(struct bundle_row),
	.fields = bundle_fields, .n_fields = ARRAY_LEN(bundle_fields),
};

const struct source bundle_source = {
	.name = "names", .type = &bundle_row_type, .cage = CAGE_SCAN, .caps = 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH,
	.serve = bundle_serve,
};
