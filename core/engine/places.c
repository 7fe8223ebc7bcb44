/*
 * Where engines listen: see places.h. The same socket under two names counts once. Who listens is told by the inodes of listening
 * sockets (/proc/net/unix, proc(5)) and by the descriptors of systemd and of the daemons: nothing is connected to.
 */
#include "core/engine/places.h"

#include "core/engine/containerd.h"
#include "core/engine/docker.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/source/namespaces.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const engine_kind_names[ENGINE_KIND_N] = {
	[ENGINE_DOCKER] = "docker",
	[ENGINE_PODMAN] = "podman",
	[ENGINE_CONTAINERD] = "containerd",
};

bool engine_places_listed(const char *list, const char *name)
{
	const char *p = list;

	while (p && *p) {
		size_t n = strcspn(p, ",");

		if (n == strlen(name) && memcmp(p, name, n) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return list == NULL;
}

bool engine_places_shows(const struct engine_places *p, struct text runtime)
{
	char name[16];

	if (!p->runtimes)
		return true;
	snprintf(name, sizeof name, "%.*s", (int)(runtime.n < sizeof name ? runtime.n : 0), runtime.p ? runtime.p : "");
	return engine_places_listed(p->runtimes, name);
}

/* A word that names nothing would show an empty list. */
static int check_runtimes(const char *list, struct err *err)
{
	static const char names[] = "docker,podman,containerd,cri,lxc,nspawn,netns,host";
	char word[16];

	for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		size_t n = strcspn(p, ",");

		snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : 0), p);
		if ((!word[0] && (n > 0 || !list[0])) || (word[0] && !engine_places_listed(names, word)))
			return err_set(err, EINVAL, "--runtime knows no \"%.*s\": there are %s", (int)(n < 40 ? n : 40), p, names);
	}
	return 0;
}

const struct source *engine_source(enum engine_kind kind)
{
	return kind == ENGINE_CONTAINERD ? &containerd_source : &docker_source;
}

/* --- who listens --- */

/* Inode of the listening socket bound to `path` in this network namespace; 0: none there. */
static uint64_t listening_inode(int proc, const char *path)
{
	enum { LISTENING = 1 << 16, FIELD_FLAGS = 3, FIELD_INODE = 6, FIELD_PATH = 7, MAX = 4 << 20 };
	AUTO(fd_closep) int fd = openat(proc, "net/unix", O_RDONLY | O_CLOEXEC);
	AUTO(fd_freep) char *buf = fd >= 0 ? fd_xrealloc(NULL, MAX, 1) : NULL;
	ssize_t n = buf ? fd_read_all(fd, buf, MAX) : 0;
	struct text rest = { .p = buf, .n = n > 0 ? (size_t)n : 0 }, line, word = { 0 };

	while (proc_text_line(&rest, &line)) {
		uint64_t flags = 0, inode = 0;
		int i = 0;

		for (; i <= FIELD_PATH && proc_text_word(&line, &word); i++) {
			if (i == FIELD_FLAGS)
				proc_text_number(word, 16, &flags);
			else if (i == FIELD_INODE)
				proc_text_number(word, 10, &inode);
		}
		if (i > FIELD_PATH && flags & LISTENING && text_equal(word, text_of(path)))
			return inode;
	}
	return 0;
}

/* 1: has the socket open, 0: has not, -1: we may not look. */
static int holds_socket(int proc, uint64_t pid, uint64_t inode)
{
	AUTO(proc_dir_closep) DIR *dir = NULL;
	char path[32], link[64];
	const char *fd;
	uint64_t number, found;

	snprintf(path, sizeof path, "%llu/fd", (unsigned long long)pid);
	dir = proc_dir_open(proc, path);
	if (!dir)
		return errno == EACCES || errno == EPERM ? -1 : 0;
	while ((fd = proc_dir_next(dir, &number))) {
		ssize_t n = readlinkat(dirfd(dir), fd, link, sizeof link);

		if (n > 0 && proc_text_link((struct text){ .p = link, .n = (size_t)n }, "socket", &found) && found == inode)
			return 1;
	}
	return 0;
}

static bool is_daemon(enum engine_kind kind, const char *comm)
{
	static const char *const names[ENGINE_KIND_N][3] = {
		[ENGINE_DOCKER] = { "dockerd", "podman", NULL },
		[ENGINE_PODMAN] = { "podman", NULL },
		[ENGINE_CONTAINERD] = { "containerd", "crio", "k3s-server" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(names[kind]) && names[kind][i]; i++)
		if (strcmp(names[kind][i], comm) == 0)
			return true;
	return false;
}

static bool read_comm(int proc, uint64_t pid, char comm[32])
{
	ssize_t n = proc_dir_read(proc, pid, "comm", comm, 32);

	if (n <= 0)
		return false;
	comm[strcspn(comm, "\n")] = 0;
	return true;
}

bool engine_places_is_idle(int proc, const char *path, enum engine_kind kind, bool *ret_activated)
{
	AUTO(fd_freep) uint64_t *pids = NULL;
	char comm[32];
	uint64_t inode;
	uint32_t n = 0;
	bool has_daemon = false;

	*ret_activated = false;
	if (!read_comm(proc, 1, comm) || strcmp(comm, "systemd") != 0)
		return false;
	inode = listening_inode(proc, path);
	if (inode == 0 || proc_dir_pids(proc, &pids, &n) < 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (!read_comm(proc, pids[i], comm))
			continue;
		/* A refused look counts as "holds it": an ordinary user sees names only. */
		if (strcmp(comm, "systemd") == 0)
			*ret_activated |= holds_socket(proc, pids[i], inode) != 0;
		else if (!has_daemon && is_daemon(kind, comm))
			has_daemon = holds_socket(proc, pids[i], inode) != 0;
	}
	return *ret_activated && !has_daemon;
}

/* --- the list --- */

static const char *socket_of(const char *endpoint)
{
	return strncmp(endpoint, "unix://", 7) == 0 ? endpoint + 7 : NULL;
}

static bool is_same(const char *a, const char *b)
{
	const char *x = socket_of(a), *y = socket_of(b);
	struct stat s, t;

	if (strcmp(a, b) == 0)
		return true;
	return x && y && stat(x, &s) == 0 && stat(y, &t) == 0 && s.st_ino == t.st_ino && s.st_dev == t.st_dev;
}

static bool add(struct engine_places *p, enum engine_kind kind, const char *endpoint, bool is_explicit)
{
	struct engine_place *place = &p->list[p->n];

	for (unsigned i = 0; i < p->n; i++)
		if (is_same(p->list[i].endpoint, endpoint))
			return false;
	if (p->n == ENGINE_PLACES || strlen(endpoint) >= sizeof place->endpoint)
		return false;
	*place = (struct engine_place){ .kind = kind, .is_explicit = is_explicit };
	snprintf(place->endpoint, sizeof place->endpoint, "%s", endpoint);
	p->n++;
	return true;
}

static void add_socket(struct engine_places *p, enum engine_kind kind, const char *dir, const char *name)
{
	char endpoint[ENGINE_ENDPOINT];
	struct stat st;

	if (snprintf(endpoint, sizeof endpoint, "unix://%s%s", dir, name) >= (int)sizeof endpoint)
		return;
	/* What lies in a user's own directory is for the mover to see, who is root. */
	if (stat(socket_of(endpoint), &st) == 0 ? S_ISSOCK(st.st_mode) : errno == EACCES)
		add(p, kind, endpoint, false);
}

/* --- known sockets --- */

/* Those of a user: rootless engines. `dir` is /run/user/UID. */
static void add_user(struct engine_places *p, const bool wanted[ENGINE_KIND_N], const char *dir)
{
	if (wanted[ENGINE_DOCKER])
		add_socket(p, ENGINE_DOCKER, dir, "/docker.sock");
	if (wanted[ENGINE_PODMAN])
		add_socket(p, ENGINE_PODMAN, dir, "/podman/podman.sock");
}

static void add_users(struct engine_places *p, const bool wanted[ENGINE_KIND_N])
{
	AUTO(proc_dir_closep) DIR *dir = proc_dir_open(AT_FDCWD, "/run/user");
	const char *run = getenv("XDG_RUNTIME_DIR"), *name;
	char path[64];
	uint64_t uid;

	if (run && run[0] == '/')
		add_user(p, wanted, run);
	while (dir && geteuid() == 0 && (name = proc_dir_next(dir, &uid))) {
		snprintf(path, sizeof path, "/run/user/%llu", (unsigned long long)uid);
		add_user(p, wanted, path);
	}
}

static void add_known(struct engine_places *p, const bool wanted[ENGINE_KIND_N])
{
	static const struct {
		enum engine_kind kind;
		const char *path;
	} known[] = {
		{ ENGINE_DOCKER, "/var/run/docker.sock" },
		{ ENGINE_PODMAN, "/run/podman/podman.sock" },
		{ ENGINE_CONTAINERD, "/run/containerd/containerd.sock" },
		{ ENGINE_CONTAINERD, "/run/k3s/containerd/containerd.sock" },
		{ ENGINE_CONTAINERD, "/var/run/crio/crio.sock" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (wanted[known[i].kind])
			add_socket(p, known[i].kind, "", known[i].path);
}

/* --- what the user named --- */

struct naming {
	enum engine_kind kind;
	const char *option, *option_name; /* --docker-host */
	const char *variables[2]; /* DOCKER_HOST; the first that is set counts */
};

static int add_named(struct engine_places *p, enum engine_kind kind, const char *list, const char *from, struct err *err)
{
	char one[ENGINE_ENDPOINT + 1], endpoint[ENGINE_ENDPOINT];

	while (*list) {
		size_t n = strcspn(list, ",");
		int r;

		snprintf(one, sizeof one, "%.*s", (int)(n < sizeof one ? n : sizeof one - 1), list);
		if (kind == ENGINE_CONTAINERD && one[0] == '/') /* CONTAINERD_ADDRESS is a path */
			snprintf(one, sizeof one, "unix://%.*s", (int)(n < ENGINE_ENDPOINT - 8 ? n : ENGINE_ENDPOINT - 8), list);
		r = docker_endpoint_check(one, from, endpoint, err);
		if (r == 0 && kind == ENGINE_CONTAINERD && !socket_of(endpoint))
			r = err_set(err, EINVAL, "%s %.60s: containerd is reached by unix:///path", from, one);
		if (r < 0)
			return r;
		add(p, kind, endpoint, true);
		list += n + (list[n] == ',');
	}
	return 0;
}

/* 1: named, 0: not, or -EINVAL. */
static int take_naming(struct engine_places *p, const struct naming *n, struct err *err)
{
	int r;

	if (n->option) {
		r = add_named(p, n->kind, n->option[0] ? n->option : " ", n->option_name, err);
		return r < 0 ? r : 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(n->variables) && n->variables[i]; i++) {
		const char *value = getenv(n->variables[i]);

		if (!value || !value[0])
			continue;
		r = add_named(p, n->kind, value, n->variables[i], err);
		return r < 0 ? r : 1;
	}
	return 0;
}

/* Docker has contexts besides. 1: the user chose, 0: not, or -errno. */
static int take_docker(struct engine_places *p, const char *option, struct err *err)
{
	const struct naming naming = { ENGINE_DOCKER, option, "--docker-host", { "DOCKER_HOST" } };
	char endpoint[ENGINE_ENDPOINT];
	bool is_explicit = false;
	int r = take_naming(p, &naming, err);

	if (r != 0)
		return r;
	r = docker_endpoint(NULL, endpoint, &is_explicit, err);
	if (r < 0)
		return r;
	if (is_explicit)
		add(p, ENGINE_DOCKER, endpoint, true);
	/* A variable names the one Docker that counts; the current context is only the first of several. */
	return is_explicit && getenv("DOCKER_CONTEXT") && getenv("DOCKER_CONTEXT")[0];
}

static void add_context(const char *endpoint, void *arg)
{
	struct engine_places *p = arg;

	if (socket_of(endpoint)) /* containers of another host are not in this one's namespaces */
		add_socket(p, ENGINE_DOCKER, "", socket_of(endpoint));
}

static void look_at_listeners(struct engine_places *p)
{
	AUTO(fd_closep) int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (unsigned i = 0; i < p->n && proc >= 0; i++) {
		struct engine_place *place = &p->list[i];
		const char *path = socket_of(place->endpoint);

		if (path && !place->is_explicit)
			place->is_idle = engine_places_is_idle(proc, path, place->kind, &place->is_activated);
	}
}

int engine_places_find(const struct engine_wishes *w, struct engine_places *ret, struct err *err)
{
	const struct naming podman = { ENGINE_PODMAN, w->podman, "--podman-host", { "CONTAINER_HOST" } };
	const struct naming containerd = { ENGINE_CONTAINERD, w->containerd, "--containerd-host",
		{ "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT" } };
	bool wanted[ENGINE_KIND_N] = {
		[ENGINE_DOCKER] = engine_places_listed(w->runtimes, "docker"),
		[ENGINE_PODMAN] = engine_places_listed(w->runtimes, "podman"),
		[ENGINE_CONTAINERD] = engine_places_listed(w->runtimes, "containerd") || engine_places_listed(w->runtimes, "cri"),
	};
	int r[ENGINE_KIND_N] = { 0 };

	*ret = (struct engine_places){ .runtimes = w->runtimes };
	if (check_runtimes(w->runtimes, err) < 0)
		return -EINVAL;
	if (wanted[ENGINE_DOCKER])
		r[ENGINE_DOCKER] = take_docker(ret, w->docker, err);
	if (r[ENGINE_DOCKER] >= 0 && wanted[ENGINE_PODMAN])
		r[ENGINE_PODMAN] = take_naming(ret, &podman, err);
	if (r[ENGINE_DOCKER] >= 0 && r[ENGINE_PODMAN] >= 0 && wanted[ENGINE_CONTAINERD])
		r[ENGINE_CONTAINERD] = take_naming(ret, &containerd, err);
	for (int k = 0; k < ENGINE_KIND_N; k++) {
		if (r[k] < 0)
			return r[k];
		ret->is_closed[k] = !wanted[k] || r[k] > 0;
		wanted[k] &= r[k] == 0;
	}
	add_known(ret, wanted);
	add_users(ret, wanted);
	if (wanted[ENGINE_DOCKER])
		docker_contexts(add_context, ret);
	look_at_listeners(ret);
	return 0;
}

/* --- given away by processes --- */

static void add_found(struct engine_places *p, enum engine_kind kind, struct text path)
{
	char text[ENGINE_ENDPOINT];

	if (p->is_closed[kind] || path.n == 0 || path.n >= sizeof text || path.p[0] != '/')
		return;
	snprintf(text, sizeof text, "%.*s", (int)path.n, path.p);
	add_socket(p, kind, "", text);
}

/* "docker unix:///run/docker.sock": the place behind the kind; NULL: of another kind. */
static const char *place_of(struct text item, enum engine_kind kind, size_t *ret_n)
{
	size_t n = strlen(engine_kind_names[kind]) + 1;

	if (item.n <= n + 7 || memcmp(item.p, engine_kind_names[kind], n - 1) != 0 || memcmp(item.p + n - 1, " unix://", 8) != 0)
		return NULL;
	*ret_n = item.n - n;
	return item.p + n;
}

static void add_daemon(struct engine_places *p, struct text item)
{
	for (unsigned k = 0; k < ENGINE_KIND_N; k++) {
		size_t n = 0;
		const char *place = place_of(item, (enum engine_kind)k, &n);

		if (place)
			add_found(p, (enum engine_kind)k, (struct text){ .p = place + 7, .n = n - 7 });
	}
}

bool engine_places_runs(const struct engine_place *place, const struct block *scan)
{
	char endpoint[ENGINE_ENDPOINT];
	struct text item;
	size_t n = 0;

	for (uint32_t i = 0; i < block_count(scan); i++) {
		const struct netns_row *row = block_row(scan, i);

		for (uint32_t k = 0; block_list_item(scan, row->daemons, k, &item); k++) {
			const char *at = place_of(item, place->kind, &n);

			if (!at || n >= sizeof endpoint)
				continue;
			snprintf(endpoint, sizeof endpoint, "%.*s", (int)n, at);
			if (is_same(endpoint, place->endpoint))
				return true;
		}
	}
	return false;
}

unsigned engine_places_from_scan(struct engine_places *p, const struct block *scan)
{
	unsigned before = p->n;
	struct text item;

	for (uint32_t i = 0; i < block_count(scan); i++) {
		const struct netns_row *row = block_row(scan, i);

		for (uint32_t k = 0; k < row->containers.n; k++) {
			const struct found_row *f = block_nested(scan, &found_row_type, row->containers, k);

			/* Docker's own containerd tells nothing that Docker does not. */
			if (f->owner == ROW_NO_UINT && !text_equal(block_text(scan, f->runtime), text_of("docker")))
				add_found(p, ENGINE_CONTAINERD, block_text(scan, f->address));
		}
		for (uint32_t k = 0; block_list_item(scan, row->daemons, k, &item); k++)
			add_daemon(p, item);
	}
	return p->n - before;
}

/* --- idle ones --- */

struct block *engine_places_idle(const struct engine_places *p)
{
	struct builder *b = builder_new(&engine_row_type);
	struct block *ret;
	char why[192];

	for (unsigned i = 0; i < p->n; i++) {
		const char *endpoint = p->list[i].endpoint;
		struct engine_row *e;

		if (!p->list[i].is_idle)
			continue;
		e = builder_row(b);
		snprintf(why, sizeof why, "not running: systemd listens for it, and looking would start it; systemctl%s start %s does",
			strstr(endpoint, "/run/user/") ? " --user" : "", engine_kind_names[p->list[i].kind]);
		*e = (struct engine_row){ .head = { .id = row_hash(endpoint, strlen(endpoint), 0), .severity = SEVERITY_IDLE },
			.runtime = builder_str(b, engine_kind_names[p->list[i].kind]), .endpoint = builder_str(b, endpoint),
			.answering = 0, .version = ROW_NO_TEXT, .api = ROW_NO_TEXT, .latency_us = ROW_NO_UINT, .answered_at = ROW_NO_INT,
			.error = builder_str(b, why), .owner = ROW_NO_UINT };
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}
