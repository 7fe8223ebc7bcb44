/*
 * Where the engine is: --docker-host, DOCKER_HOST, DOCKER_CONTEXT, the context in ~/.docker/config.json, else the usual sockets. In
 * the order of docker(1); contexts are found by the name inside their meta.json, since the folder's name is only its SHA-256.
 */
#include "core/engine/docker.h"
#include "core/err.h"
#include "core/fd.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENDPOINT = 512, MAX_FILE = 256 << 10 };

static const char default_socket[] = "/var/run/docker.sock";

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Schemes that docker(1) knows and nsdbg refuses. */
static const struct {
	const char *scheme;
	const char *hint;
} refused[] = {
	{ "ssh://", "run nsdbg on that host instead: ssh -t HOST sudo nsdbg" },
	{ "https://", "TLS is not spoken here; forward the socket: ssh -L /tmp/docker.sock:/var/run/docker.sock HOST" },
	{ "npipe://", "a Windows pipe cannot be reached from here" },
	{ "fd://", "that is how dockerd listens; use unix:///var/run/docker.sock" },
};

int docker_endpoint_check(const char *text, const char *from, char ret[512], struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (starts_with(text, refused[i].scheme))
			return err_set(err, EINVAL, "%s %.40s: %s", from, text, refused[i].hint);
	if (strlen(text) >= ENDPOINT)
		return err_set(err, EINVAL, "%s: the address is longer than %d bytes", from, ENDPOINT - 1);
	if (!text[strspn(text, " ")])
		return err_set(err, EINVAL, "%s is empty: write unix:///path or tcp://address:port", from);
	if (text[0] == '/')
		return err_set(err, EINVAL, "%s %.60s: the scheme is missing; write unix://%.60s", from, text, text);
	if (!strstr(text, "://"))
		return err_set(err, EINVAL, "%s %.60s: the scheme is missing; write tcp://%.60s", from, text, text);
	if (starts_with(text, "tcp://") && getenv("DOCKER_TLS_VERIFY") && getenv("DOCKER_TLS_VERIFY")[0])
		return err_set(err, EINVAL, "%s %.40s with DOCKER_TLS_VERIFY: %s", from, text, refused[1].hint);
	if (!starts_with(text, "unix://") && !starts_with(text, "tcp://") && !starts_with(text, "http://"))
		return err_set(err, EINVAL, "%s %.60s: engines are reached by unix:// or tcp://", from, text);
	snprintf(ret, ENDPOINT, "%s", text);
	return 0;
}

static void tree_freep(cJSON **t)
{
	cJSON_Delete(*t);
}

/* A small regular JSON file; NULL when there is none or it is something else. */
static cJSON *read_json(const char *path)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	AUTO(fd_freep) char *buf = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_FILE)
		return NULL;
	buf = fd_xcalloc(1, MAX_FILE);
	n = fd_read_all(fd, buf, MAX_FILE);
	return n > 0 ? cJSON_ParseWithLength(buf, (size_t)n) : NULL;
}

static const char *member_text(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, key) : NULL;

	return cJSON_IsString(v) && v->valuestring[0] ? v->valuestring : NULL;
}

static const cJSON *member(const cJSON *o, const char *key)
{
	return cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, key) : NULL;
}

static int config_dir(char *buf, size_t cap)
{
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	int n;

	if (dir && dir[0])
		n = snprintf(buf, cap, "%s", dir);
	else if (home && home[0])
		n = snprintf(buf, cap, "%s/.docker", home);
	else
		return -ENOENT;
	return n < (int)cap ? 0 : -ENAMETOOLONG;
}

/* Host of the context called `name` if this meta.json is its. */
static bool read_context(const char *path, const char *name, char host[ENDPOINT])
{
	AUTO(tree_freep) cJSON *meta = read_json(path);
	const char *found = member_text(meta, "Name");
	const char *to = member_text(member(member(meta, "Endpoints"), "docker"), "Host");

	if (!found || strcmp(found, name) != 0)
		return false;
	snprintf(host, ENDPOINT, "%s", to ? to : "");
	return true;
}

static void dir_closep(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool find_context(const char *dir, const char *name, char host[ENDPOINT])
{
	char path[4096];
	AUTO(dir_closep) DIR *d = NULL;
	const struct dirent *e;

	snprintf(path, sizeof path, "%s/contexts/meta", dir);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%.3000s/contexts/meta/%.255s/meta.json", dir, e->d_name);
		if (read_context(path, name, host))
			return true;
	}
	return false;
}

static int from_context(const char *name, const char *where, char ret[ENDPOINT], struct err *err)
{
	char dir[3000], host[ENDPOINT], from[100];

	if (strcmp(name, "default") == 0)
		return snprintf(ret, ENDPOINT, "unix://%s", default_socket) < 0 ? -EINVAL : 0;
	if (config_dir(dir, sizeof dir) < 0 || !find_context(dir, name, host))
		return err_set(err, ENOENT, "context %.60s (%s) does not exist: see docker context ls", name, where);
	if (!host[0])
		return err_set(err, EINVAL, "context %.60s (%s) names no Docker host", name, where);
	snprintf(from, sizeof from, "context %.60s", name);
	return docker_endpoint_check(host, from, ret, err);
}

/* Name of config.json's current context; false: none chosen. */
static bool current_context(char *buf, size_t cap)
{
	AUTO(tree_freep) cJSON *config = NULL;
	char path[4096], dir[3000];
	const char *name;

	if (config_dir(dir, sizeof dir) < 0)
		return false;
	snprintf(path, sizeof path, "%s/config.json", dir);
	config = read_json(path);
	name = member_text(config, "currentContext");
	return name && snprintf(buf, cap, "%s", name) < (int)cap;
}

/* Nobody said where: the first socket that exists, root's before the user's. */
static void usual_socket(char ret[ENDPOINT])
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	const struct {
		const char *dir, *path;
	} places[] = {
		{ "", default_socket },
		{ run, "/docker.sock" },
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char path[ENDPOINT - 7];

		if (!places[i].dir || (places[i].dir[0] == 0 && places[i].dir == run))
			continue;
		if (snprintf(path, sizeof path, "%s%s", places[i].dir, places[i].path) >= (int)sizeof path)
			continue;
		/* Not allowed to look still means: there it is. */
		if (stat(path, &st) < 0 && errno != EACCES)
			continue;
		snprintf(ret, ENDPOINT, "unix://%s", path);
		return;
	}
	snprintf(ret, ENDPOINT, "unix://%s", default_socket);
}

int docker_endpoint(const char *option, char ret[ENDPOINT], bool *ret_explicit, struct err *err)
{
	const char *host = getenv("DOCKER_HOST"), *context = getenv("DOCKER_CONTEXT");
	char name[256], found[ENDPOINT];
	bool is_explicit = true;
	int r = 0;

	if (option)
		r = docker_endpoint_check(option, "--docker-host", found, err);
	else if (host && host[0])
		r = docker_endpoint_check(host, "DOCKER_HOST", found, err);
	else if (context && context[0])
		r = from_context(context, "DOCKER_CONTEXT", found, err);
	else if (current_context(name, sizeof name) && strcmp(name, "default") != 0)
		r = from_context(name, "config.json", found, err);
	else {
		usual_socket(found);
		is_explicit = false;
	}
	if (r < 0)
		return r;
	snprintf(ret, ENDPOINT, "%s", found);
	*ret_explicit = is_explicit;
	return 0;
}

void docker_contexts(void (*fn)(const char *endpoint, void *arg), void *arg)
{
	char path[4096], dir[3000];
	AUTO(dir_closep) DIR *d = NULL;
	const struct dirent *e;

	if (config_dir(dir, sizeof dir) < 0)
		return;
	snprintf(path, sizeof path, "%s/contexts/meta", dir);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		AUTO(tree_freep) cJSON *meta = NULL;
		const char *to;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%.3000s/contexts/meta/%.255s/meta.json", dir, e->d_name);
		meta = read_json(path);
		to = member_text(member(member(meta, "Endpoints"), "docker"), "Host");
		if (to)
			fn(to, arg);
	}
}
