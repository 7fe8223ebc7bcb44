/*
 * Reads the files beside containers: see bundle.h. OCI runtime-spec config.md; containerd pkg/cri/annotations; CRI-O
 * pkg/annotations; moby container/container.go (config.v2.json); runc libcontainer/container.go (state.json: labels "key=value").
 */
#include "core/engine/bundle.h"

#include "core/engine/docker_json.h"
#include "core/engine/docker_tree.h"
#include "core/err.h"
#include "core/fd.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LIST = 1000 };

void bundle_facts_init(struct bundle_facts *f)
{
	memset(f, 0, sizeof *f);
	f->infra = ROW_NO_BOOL;
	f->attempt = f->restarts = ROW_NO_UINT;
	f->created_at = f->started_at = ROW_NO_INT;
}

/* --- values --- */

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, key) : NULL;
}

static const char *get_word(const cJSON *o, const char *key)
{
	const cJSON *v = get(o, key);

	return cJSON_IsString(v) && v->valuestring[0] ? v->valuestring : NULL;
}

/* What is known first stays; what does not fit is no name. */
static void take(char *to, size_t cap, const char *text)
{
	if (text && text[0] && !to[0] && strlen(text) < cap)
		memcpy(to, text, strlen(text) + 1);
}

/* "/a/containers/ID/hosts" -> "/a/containers"; ID may be another container's, whose network this one uses. */
static void take_files(struct bundle_facts *f, const char *path)
{
	static const char mark[] = "/containers/";
	const char *at = path && path[0] == '/' ? strstr(path, mark) : NULL, *last = NULL;
	char dir[BUNDLE_PATH];

	for (; at; at = strstr(at + 1, mark))
		last = at;
	if (!last || (size_t)(last - path) + sizeof mark >= sizeof dir)
		return;
	snprintf(dir, sizeof dir, "%.*s", (int)(last - path + (long)sizeof mark - 2), path);
	take(f->files, sizeof f->files, dir);
}

/* --- annotations --- */

/* Who wrote them, and which field they are; in order of preference. */
static const struct {
	const char *key;
	size_t at, cap;
} annotations[] = {
#define FIELD(name) offsetof(struct bundle_facts, name), sizeof(((struct bundle_facts *)0)->name)
	{ "io.kubernetes.cri.container-name", FIELD(name) },
	{ "io.kubernetes.container.name", FIELD(name) },
	{ "nerdctl/name", FIELD(name) },
	{ "io.kubernetes.cri.sandbox-name", FIELD(pod) },
	{ "io.kubernetes.pod.name", FIELD(pod) },
	{ "io.kubernetes.cri.sandbox-namespace", FIELD(space) },
	{ "io.kubernetes.pod.namespace", FIELD(space) },
	{ "nerdctl/namespace", FIELD(space) },
	{ "io.kubernetes.cri.image-name", FIELD(image) },
	{ "io.kubernetes.cri-o.ImageName", FIELD(image) },
	{ "nerdctl/hostname", FIELD(hostname) },
	{ "com.docker.compose.project", FIELD(project) },
#undef FIELD
};

static void take_kind(struct bundle_facts *f, const char *kind)
{
	if (f->infra == ROW_NO_BOOL && (strcmp(kind, "sandbox") == 0 || strcmp(kind, "container") == 0))
		f->infra = strcmp(kind, "sandbox") == 0;
}

static void take_annotation(struct bundle_facts *f, const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(annotations); i++)
		if (strcmp(annotations[i].key, key) == 0)
			take((char *)f + annotations[i].at, annotations[i].cap, value);
	if (strcmp(key, "io.kubernetes.cri.container-type") == 0 || strcmp(key, "io.kubernetes.cri-o.ContainerType") == 0)
		take_kind(f, value);
	if (strcmp(key, "io.kubernetes.container.restartCount") == 0 && f->attempt == ROW_NO_UINT && strlen(value) < 10 &&
		strspn(value, "0123456789") == strlen(value) && value[0])
		f->attempt = strtoull(value, NULL, 10);
}

/* A sandbox has no name of its own: the pod's. */
static void finish(struct bundle_facts *f)
{
	if (f->infra == 1 && (!f->name[0] || strcmp(f->name, "POD") == 0)) {
		f->name[0] = 0;
		take(f->name, sizeof f->name, f->pod);
	}
}

/* --- files --- */

int bundle_config_read(const char *p, size_t n, struct bundle_facts *f, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *root = NULL;
	const cJSON *e;
	unsigned count = 0;
	int r = docker_tree_parse(p, n, &root, err);

	if (r < 0)
		return r;
	if (!cJSON_IsObject(root))
		return err_set(err, EBADMSG, "config.json is not an object");
	cJSON_ArrayForEach(e, get(root, "annotations"))
	{
		if (cJSON_IsString(e) && e->string)
			take_annotation(f, e->string, e->valuestring);
	}
	cJSON_ArrayForEach(e, get(root, "mounts"))
	{
		const char *to = get_word(e, "destination");

		if (++count > MAX_LIST)
			break;
		if (to && (strcmp(to, "/etc/hosts") == 0 || strcmp(to, "/etc/hostname") == 0 || strcmp(to, "/etc/resolv.conf") == 0))
			take_files(f, get_word(e, "source"));
	}
	take(f->hostname, sizeof f->hostname, get_word(root, "hostname"));
	finish(f);
	return 0;
}

static uint64_t get_count(const cJSON *o, const char *key)
{
	const cJSON *v = get(o, key);

	return cJSON_IsNumber(v) && isfinite(v->valuedouble) && v->valuedouble >= 0 && v->valuedouble < 1e9 ? (uint64_t)v->valuedouble :
		ROW_NO_UINT;
}

static int64_t get_time(const cJSON *o, const char *key)
{
	const char *text = get_word(o, key);

	return text ? docker_json_time(text) : ROW_NO_INT;
}

int bundle_docker_read(const char *p, size_t n, struct bundle_facts *f, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *root = NULL;
	const cJSON *config, *labels;
	const char *name;
	int r = docker_tree_parse(p, n, &root, err);

	if (r < 0)
		return r;
	name = get_word(root, "Name");
	if (!name)
		return err_set(err, EBADMSG, "config.v2.json has no Name");
	config = get(root, "Config");
	labels = get(config, "Labels");
	take(f->name, sizeof f->name, name + (name[0] == '/'));
	take(f->image, sizeof f->image, get_word(config, "Image"));
	f->hostname[0] = 0; /* the bundle's says the same, or the host's */
	take(f->hostname, sizeof f->hostname, get_word(config, "Hostname"));
	take(f->project, sizeof f->project, get_word(labels, "com.docker.compose.project"));
	f->restarts = get_count(root, "RestartCount");
	f->created_at = get_time(root, "Created");
	f->started_at = get_time(get(root, "State"), "StartedAt");
	return 0;
}

int bundle_state_read(const char *p, size_t n, struct bundle_facts *f, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *root = NULL;
	const cJSON *label;
	unsigned count = 0;
	char key[BUNDLE_WORD];
	int r = docker_tree_parse(p, n, &root, err);

	if (r < 0)
		return r;
	if (!cJSON_IsObject(root))
		return err_set(err, EBADMSG, "state.json is not an object");
	cJSON_ArrayForEach(label, get(get(root, "config"), "labels"))
	{
		const char *text = cJSON_IsString(label) ? label->valuestring : "", *equals = strchr(text, '=');

		if (++count > MAX_LIST)
			break;
		if (!equals || (size_t)(equals - text) >= sizeof key)
			continue;
		snprintf(key, sizeof key, "%.*s", (int)(equals - text), text);
		if (strcmp(key, "bundle") == 0 && equals[1] == '/')
			take(f->bundle, sizeof f->bundle, equals + 1);
		else
			take_annotation(f, key, equals + 1);
	}
	finish(f);
	return 0;
}

/* Its "metadata" is JSON in a string. */
static void take_metadata(struct bundle_facts *f, const char *text)
{
	AUTO(docker_tree_freep) cJSON *root = NULL;
	struct err ignored = { 0 };

	if (!text || docker_tree_parse(text, strlen(text), &root, &ignored) < 0)
		return;
	take(f->name, sizeof f->name, get_word(root, "name"));
	take(f->image, sizeof f->image, get_word(root, "image-name"));
}

int bundle_storage_read(const char *p, size_t n, const char *id, struct bundle_facts *f, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *root = NULL;
	const cJSON *e;
	int r = docker_tree_parse(p, n, &root, err);

	if (r < 0)
		return r;
	if (!cJSON_IsArray(root))
		return err_set(err, EBADMSG, "containers.json is not a list");
	cJSON_ArrayForEach(e, root)
	{
		const char *its = get_word(e, "id");
		const cJSON *name = cJSON_GetArrayItem(get(e, "names"), 0);

		if (!its || strcmp(its, id) != 0)
			continue;
		take(f->name, sizeof f->name, cJSON_IsString(name) ? name->valuestring : NULL);
		take_metadata(f, get_word(e, "metadata"));
		f->created_at = f->created_at == ROW_NO_INT ? get_time(e, "created") : f->created_at;
		return 0;
	}
	return 0;
}

int bundle_daemon_read(const char *p, size_t n, struct bundle_facts *f, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *root = NULL;
	const char *dir;
	char files[BUNDLE_PATH + 16];
	int r = docker_tree_parse(p, n, &root, err);

	if (r < 0)
		return r;
	dir = get_word(root, "data-root");
	dir = dir ? dir : get_word(root, "graph"); /* before Docker 17.05 */
	if (!dir || dir[0] != '/' || strlen(dir) >= BUNDLE_PATH)
		return 0;
	snprintf(files, sizeof files, "%s/containers", dir);
	take(f->files, sizeof f->files, files);
	return 0;
}
