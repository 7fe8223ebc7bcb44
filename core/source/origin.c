/*
 * Recognisers of containers: see origin.h. Ids are taken only in the forms that engines give them (64 hexadecimal digits; a cgroup may
 * have 32 for other reasons). Nothing found here is a right: it names a row, and namespaces are entered by pid.
 */
#include "core/source/origin.h"

#include "core/fd.h"
#include "core/source/proc_text.h"

#include <stdio.h>
#include <string.h>

enum { ID = PROC_TEXT_CONTAINER - 1, MAX_ARGS = 256 };

static bool starts_with(struct text t, const char *prefix)
{
	size_t n = strlen(prefix);

	return t.n >= n && memcmp(t.p, prefix, n) == 0;
}

static bool ends_with(struct text t, const char *suffix)
{
	size_t n = strlen(suffix);

	return t.n >= n && memcmp(t.p + t.n - n, suffix, n) == 0;
}

static struct text skip(struct text t, size_t n)
{
	return (struct text){ .p = t.p + n, .n = t.n - n };
}

static void copy(char *to, size_t cap, struct text t)
{
	snprintf(to, cap, "%.*s", (int)(t.n < cap ? t.n : cap - 1), t.p ? t.p : "");
}

static bool is_id(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!(t.p[i] >= '0' && t.p[i] <= '9') && !(t.p[i] >= 'a' && t.p[i] <= 'f'))
			return false;
	return t.n == ID;
}

/* --- parents --- */

enum origin_parent origin_parent_of(struct text comm)
{
	static const struct {
		const char *name;
		enum origin_parent kind;
	} names[] = { /* comm holds 15 bytes */
		{ "conmon", ORIGIN_CONMON }, { "containerd-shim", ORIGIN_SHIM }, { "lxc-start", ORIGIN_LXC },
		{ "[lxc monitor]", ORIGIN_LXC }, { "systemd-nspawn", ORIGIN_NSPAWN }, { "dockerd", ORIGIN_DAEMON },
		{ "podman", ORIGIN_DAEMON }, { "containerd", ORIGIN_DAEMON }, { "crio", ORIGIN_DAEMON },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_equal(comm, text_of(names[i].name)) || (names[i].kind == ORIGIN_LXC && starts_with(comm, names[i].name)))
			return names[i].kind;
	/* Incus and LXD fork their monitors themselves. */
	return starts_with(comm, "incusd") || starts_with(comm, "lxd") ? ORIGIN_LXC : ORIGIN_NOBODY;
}

/* Cuts the next argument off; false at the end. */
static bool next_arg(struct text *rest, struct text *ret)
{
	const char *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, 0, rest->n);
	ret->p = rest->p;
	ret->n = end ? (size_t)(end - rest->p) : rest->n;
	*rest = skip(*rest, end ? ret->n + 1 : ret->n);
	return true;
}

/* Value of an option, as the next argument or behind "="; false: not given. */
static bool find_option(struct text cmdline, const char *option, struct text *ret)
{
	struct text arg;
	size_t n = strlen(option);

	for (int i = 0; i < MAX_ARGS && next_arg(&cmdline, &arg); i++) {
		if (text_equal(arg, text_of(option)))
			return next_arg(&cmdline, ret);
		if (starts_with(arg, option) && arg.n > n && arg.p[n] == '=') {
			*ret = skip(arg, n + 1);
			return true;
		}
	}
	return false;
}

static bool has_arg(struct text cmdline, const char *wanted)
{
	struct text arg;

	for (int i = 0; i < MAX_ARGS && next_arg(&cmdline, &arg); i++)
		if (text_equal(arg, text_of(wanted)))
			return true;
	return false;
}

static struct text base_name(struct text path)
{
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/')
			return skip(path, i);
	return path;
}

/* CRI-O names containers k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT; the sandbox's CONTAINER is "POD". */
static void take_kubernetes_name(struct text name, struct origin *ret)
{
	struct text parts[4] = { 0 };
	const char *end;

	name = skip(name, 4);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		end = name.n ? memchr(name.p, '_', name.n) : NULL;
		if (!end)
			return;
		parts[i] = (struct text){ .p = name.p, .n = (size_t)(end - name.p) };
		name = skip(name, parts[i].n + 1);
	}
	copy(ret->name, sizeof ret->name, parts[0]);
	copy(ret->pod, sizeof ret->pod, parts[1]);
	copy(ret->space, sizeof ret->space, parts[2]);
}

static bool from_conmon(struct text cmdline, struct origin *ret)
{
	struct text id, name = { 0 }, exits = { 0 };
	bool crio;

	if (has_arg(cmdline, "-e") || has_arg(cmdline, "--exec-attach") || find_option(cmdline, "--exec-process-spec", &name))
		return false;
	if (!(find_option(cmdline, "-c", &id) || find_option(cmdline, "--cid", &id)) || !is_id(id))
		return false;
	crio = find_option(cmdline, "--exit-dir", &exits) && exits.n && memmem(exits.p, exits.n, "/crio/", 6);
	copy(ret->runtime, sizeof ret->runtime, text_of(crio ? "cri" : "podman"));
	copy(ret->id, sizeof ret->id, id);
	if (!find_option(cmdline, "-n", &name) && !find_option(cmdline, "--name", &name))
		return true;
	if (crio && starts_with(name, "k8s_"))
		take_kubernetes_name(name, ret);
	else
		copy(ret->name, sizeof ret->name, name);
	return true;
}

static bool from_shim(struct text cmdline, struct origin *ret)
{
	struct text space, id, address;

	if (!find_option(cmdline, "-namespace", &space) || space.n == 0)
		return false;
	/* Version 1 of the shim had its id at the end of the working directory. */
	if (!find_option(cmdline, "-id", &id)) {
		if (!find_option(cmdline, "-workdir", &id))
			return false;
		id = base_name(id);
	}
	if (id.n == 0 || id.n >= sizeof ret->id)
		return false;
	copy(ret->runtime, sizeof ret->runtime, text_of(text_equal(space, text_of("moby")) ? "docker" :
		text_equal(space, text_of("k8s.io")) ? "cri" : "containerd"));
	copy(ret->id, sizeof ret->id, id);
	copy(ret->space, sizeof ret->space, space);
	if (find_option(cmdline, "-address", &address) && address.n < sizeof ret->address)
		copy(ret->address, sizeof ret->address, address);
	return true;
}

/* One argument, "[lxc monitor] /path NAME"; it may be padded. */
static bool from_lxc(struct text cmdline, struct origin *ret)
{
	static const char title[] = "[lxc monitor] ";
	struct text arg = { 0 }, name;
	size_t at;

	if (!next_arg(&cmdline, &arg) || !starts_with(arg, title))
		return false;
	name = arg = skip(arg, sizeof title - 1);
	for (at = arg.n; at > 0 && arg.p[at - 1] != ' '; at--)
		;
	name = skip(arg, at);
	if (at == 0 || name.n == 0 || name.n >= sizeof ret->id)
		return false;
	copy(ret->runtime, sizeof ret->runtime, text_of("lxc"));
	copy(ret->id, sizeof ret->id, name);
	copy(ret->name, sizeof ret->name, name);
	return true;
}

static bool from_nspawn(struct text cmdline, struct origin *ret)
{
	static const char *const options[] = { "-M", "--machine", "-D", "--directory", "-i", "--image" };
	struct text name = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(options) && name.n == 0; i++)
		if (find_option(cmdline, options[i], &name))
			name = base_name(name);
	if (name.n == 0 || name.n >= sizeof ret->id)
		return false;
	copy(ret->runtime, sizeof ret->runtime, text_of("nspawn"));
	copy(ret->id, sizeof ret->id, name);
	copy(ret->name, sizeof ret->name, name);
	return true;
}

bool origin_from_parent(enum origin_parent kind, struct text cmdline, struct origin *ret)
{
	struct origin o = { 0 };
	bool found = false;

	switch (kind) {
	case ORIGIN_CONMON:
		found = from_conmon(cmdline, &o);
		break;
	case ORIGIN_SHIM:
		found = from_shim(cmdline, &o);
		break;
	case ORIGIN_LXC:
		found = from_lxc(cmdline, &o);
		break;
	case ORIGIN_NSPAWN:
		found = from_nspawn(cmdline, &o);
		break;
	case ORIGIN_NOBODY:
	case ORIGIN_DAEMON:
		break;
	}
	if (!found || o.id[0] == 0)
		return false;
	*ret = o;
	return true;
}

bool origin_bundle(struct text cmdline, char *ret, size_t cap)
{
	struct text dir = { 0 };

	if (!find_option(cmdline, "-b", &dir) && !find_option(cmdline, "--bundle", &dir))
		return false;
	if (dir.n == 0 || dir.n >= cap || dir.p[0] != '/')
		return false;
	copy(ret, cap, dir);
	return true;
}

/* --- cgroups --- */

/* Names that engines give: prefix, 64 digits, suffix. */
static const struct {
	const char *prefix, *runtime;
} group_names[] = {
	{ "docker-", "docker" }, { "libpod-", "podman" }, { "libpod-payload-", "podman" }, { "cri-containerd-", "cri" },
	{ "crio-", "cri" }, { "nerdctl-", "containerd" },
};

/* Names with a container's own name in them. */
static bool named_group(struct text part, struct text parent, struct origin *ret)
{
	static const struct {
		const char *prefix, *suffix, *runtime;
	} forms[] = {
		{ "lxc.payload.", "", "lxc" },
		{ "machine-", ".scope", "nspawn" },
		{ "systemd-nspawn@", ".service", "nspawn" },
	};
	struct text name = { 0 };

	if (text_equal(parent, text_of("lxc")) && !starts_with(part, "lxc."))
		name = part;
	copy(ret->runtime, sizeof ret->runtime, text_of("lxc"));
	for (size_t i = 0; i < ARRAY_LEN(forms) && name.n == 0; i++) {
		size_t n = strlen(forms[i].prefix), end = strlen(forms[i].suffix);

		if (!starts_with(part, forms[i].prefix) || !ends_with(part, forms[i].suffix) || part.n <= n + end)
			continue;
		name = (struct text){ .p = part.p + n, .n = part.n - n - end };
		copy(ret->runtime, sizeof ret->runtime, text_of(forms[i].runtime));
	}
	copy(ret->id, sizeof ret->id, name);
	copy(ret->name, sizeof ret->name, name);
	return ret->id[0] != 0;
}

static bool id_group(struct text part, struct text parent, bool in_pods, struct origin *ret)
{
	const char *runtime = in_pods ? "cri" : text_equal(parent, text_of("docker")) ? "docker" : "";
	struct text id = part;

	if (ends_with(id, ".scope"))
		id.n -= 6;
	for (size_t i = 0; i < ARRAY_LEN(group_names); i++) {
		size_t n = strlen(group_names[i].prefix);

		if (id.n == n + ID && starts_with(id, group_names[i].prefix)) {
			runtime = group_names[i].runtime;
			id = skip(id, n);
			break;
		}
	}
	if (!is_id(id))
		return false;
	copy(ret->runtime, sizeof ret->runtime, text_of(runtime));
	copy(ret->id, sizeof ret->id, id);
	return true;
}

static bool next_part(struct text *path, struct text *ret)
{
	const char *slash;

	while (path->n > 0 && path->p[0] == '/')
		*path = skip(*path, 1);
	if (path->n == 0)
		return false;
	slash = memchr(path->p, '/', path->n);
	*ret = (struct text){ .p = path->p, .n = slash ? (size_t)(slash - path->p) : path->n };
	*path = skip(*path, ret->n);
	return true;
}

/* The innermost that is known: in a pod the container, not the pod. */
static bool from_group(struct text path, struct origin *ret)
{
	struct text part, parent = { 0 };
	bool found = false, in_pods = false;

	while (next_part(&path, &part)) {
		struct origin o = { 0 };

		in_pods |= starts_with(part, "kubepods");
		if (id_group(part, parent, in_pods, &o) || named_group(part, parent, &o)) {
			*ret = o;
			found = true;
		}
		parent = part;
	}
	return found;
}

bool origin_from_cgroup(struct text bytes, struct origin *ret)
{
	struct text line;

	while (proc_text_line(&bytes, &line)) {
		const char *p = line.n ? memchr(line.p, ':', line.n) : NULL;
		const char *end = line.p + line.n;

		p = p ? memchr(p + 1, ':', (size_t)(end - p - 1)) : NULL;
		if (p && from_group((struct text){ .p = p + 1, .n = (size_t)(end - p - 1) }, ret))
			return true;
	}
	return false;
}

/* --- mounts --- */

/* Where the files come from that engines put over those of the image. */
static bool from_source(struct text path, struct origin *ret)
{
	static const struct {
		const char *before, *after, *runtime;
	} forms[] = {
		{ "/overlay-containers/", "/userdata/", "podman" },
		{ "/io.containerd.grpc.v1.cri/sandboxes/", "/", "cri" },
		{ "/containers/", "/", "docker" },
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *at = memmem(path.p, path.n, forms[i].before, strlen(forms[i].before));
		struct text rest, id;

		if (!at)
			continue;
		rest = skip(path, (size_t)(at - path.p) + strlen(forms[i].before));
		id = (struct text){ .p = rest.p, .n = ID };
		if (rest.n < ID || !is_id(id) || !starts_with(skip(rest, ID), forms[i].after))
			continue;
		copy(ret->runtime, sizeof ret->runtime, text_of(forms[i].runtime));
		copy(ret->id, sizeof ret->id, id);
		return true;
	}
	return false;
}

bool origin_from_mounts(struct text bytes, struct origin *ret)
{
	static const char *const files[] = { "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv" };
	struct text line, root, at, word;

	while (proc_text_line(&bytes, &line)) {
		struct origin o = { 0 };
		bool wanted = false;

		if (!proc_text_word(&line, &word) || !proc_text_word(&line, &word) || !proc_text_word(&line, &word) ||
			!proc_text_word(&line, &root) || !proc_text_word(&line, &at))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(files); i++)
			wanted |= text_equal(at, text_of(files[i]));
		if (wanted && from_source(root, &o)) {
			*ret = o;
			return true;
		}
	}
	return false;
}

/* --- daemons --- */

static const struct daemon {
	const char *program, *kind;
	const char *options[2]; /* that say where */
	const char *unsaid; /* an option with which the default may not hold */
	const char *root, *user; /* default places; the user's below /run/user/UID, NULL: none */
} daemons[] = {
	{ "dockerd", "docker", { "-H", "--host" }, NULL, "/var/run/docker.sock", "docker.sock" },
	{ "podman", "podman", { NULL, NULL }, NULL, "/run/podman/podman.sock", "podman/podman.sock" },
	{ "containerd", "containerd", { "-a", "--address" }, "--config", "/run/containerd/containerd.sock", NULL },
	{ "crio", "containerd", { "--listen", NULL }, NULL, "/var/run/crio/crio.sock", NULL },
};

static const struct daemon *find_daemon(struct text cmdline)
{
	struct text rest = cmdline, program;

	if (!next_arg(&rest, &program))
		return NULL;
	program = base_name(program);
	for (size_t i = 0; i < ARRAY_LEN(daemons); i++)
		if (text_equal(program, text_of(daemons[i].program)))
			return i != 1 || (has_arg(cmdline, "system") && has_arg(cmdline, "service")) ? &daemons[i] : NULL;
	return NULL;
}

/* Where it says it listens; "fd://" is a socket that systemd made, at the default place. */
static struct text said_place(const struct daemon *d, struct text cmdline)
{
	struct text at = { 0 }, arg;

	for (size_t i = 0; i < ARRAY_LEN(d->options) && d->options[i] && at.n == 0; i++)
		find_option(cmdline, d->options[i], &at);
	if (!d->options[0]) /* podman: a plain argument */
		while (next_arg(&cmdline, &arg))
			if (starts_with(arg, "unix:") || starts_with(arg, "tcp:"))
				at = arg;
	if (starts_with(at, "unix://"))
		at = skip(at, 7);
	else if (starts_with(at, "unix:"))
		at = skip(at, 5);
	return starts_with(at, "fd://") ? (struct text){ 0 } : at;
}

bool origin_endpoint(struct text cmdline, uint64_t uid, const char **ret_kind, char ret[ORIGIN_ADDRESS + 8])
{
	const struct daemon *d = find_daemon(cmdline);
	struct text at = d ? said_place(d, cmdline) : (struct text){ 0 }, ignored;

	if (!d || at.n >= ORIGIN_ADDRESS || (at.n > 0 && (at.p[0] != '/' || uid != 0)) || (uid != 0 && !d->user) ||
		(at.n == 0 && d->unsaid && find_option(cmdline, d->unsaid, &ignored)))
		return false;
	*ret_kind = d->kind;
	if (uid != 0)
		snprintf(ret, ORIGIN_ADDRESS + 8, "unix:///run/user/%llu/%s", (unsigned long long)uid, d->user);
	else if (at.n == 0)
		snprintf(ret, ORIGIN_ADDRESS + 8, "unix://%s", d->root);
	else
		snprintf(ret, ORIGIN_ADDRESS + 8, "unix://%.*s", (int)at.n, at.p);
	return true;
}
