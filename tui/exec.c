/*
 * What is asked for and what follows from it: see exec.h. With the host's files a tool is who called nsdbg (also behind sudo), with a few
 * capabilities; with the container's files it is the container's root, with no more capabilities than the container has.
 */
#include "tui/exec.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/session.h"
#include "core/text.h"

#include <errno.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned flag;
} kinds[] = {
	{ "net", CLONE_NEWNET }, { "mnt", CLONE_NEWNS }, { "pid", CLONE_NEWPID }, { "uts", CLONE_NEWUTS }, { "ipc", CLONE_NEWIPC },
	{ "user", CLONE_NEWUSER }, { "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
};

unsigned exec_all_namespaces(void)
{
	unsigned all = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		all |= kinds[i].flag;
	return all;
}

static bool find_kind(const char *word, size_t n, unsigned *ret)
{
	if (n == 3 && memcmp(word, "all", 3) == 0) {
		*ret |= exec_all_namespaces();
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, word, n) == 0) {
			*ret |= kinds[i].flag;
			return true;
		}
	}
	return false;
}

int exec_namespaces(const char *text, unsigned *ret, struct err *err)
{
	unsigned flags = 0;

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, ",");

		if (!find_kind(p, n, &flags)) /* an empty name, too */
			return err_set(err, EINVAL, "no namespace \"%.*s\": there are net, mnt, pid, uts, ipc, user, cgroup, time, and all",
				(int)(n < 40 ? n : 40), p);
		p += n + (p[n] == ',');
	}
	if (!flags)
		return err_set(err, EINVAL, "--ns wants names of namespaces, such as net,pid");
	*ret = flags;
	return 0;
}

/* --- user --- */

static int parse_id(const char *text, const char *option, unsigned *ret, struct err *err)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || v >= UINT32_MAX)
		return err_set(err, EINVAL, "%s wants a number, not \"%.40s\"", option, text);
	*ret = (unsigned)v;
	return 0;
}

/* No NSS: its modules would ask daemons. */
static bool find_user(unsigned uid, struct passwd *ret, char *buf, size_t cap)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *found = NULL;

	while (f && fgetpwent_r(f, ret, buf, cap, &found) == 0 && found->pw_uid != uid)
		found = NULL;
	if (f)
		fclose(f);
	return found != NULL;
}

/* Whose files does it see? */
static bool sees_containers_files(const struct exec_request *q)
{
	return q->root || (q->namespaces & (CLONE_NEWNS | CLONE_NEWUSER));
}

static int fill_user(struct session *s, const struct exec_request *q, struct tool_spec *spec, struct err *err)
{
	int r = 0;

	if (!sees_containers_files(q) && !q->uid)
		session_user(s, &spec->uid, &spec->gid);
	if (q->uid) {
		r = parse_id(q->uid, "--uid", &spec->uid, err);
		spec->gid = spec->uid;
	}
	if (r == 0 && q->gid)
		r = parse_id(q->gid, "--gid", &spec->gid, err);
	return r;
}

static int fill_caps(const struct exec_request *q, struct tool_spec *spec, struct err *err)
{
	int r = 0;

	spec->caps = sees_containers_files(q) ? tool_caps_all() : tool_caps_default(spec->uid);
	if (q->caps)
		r = tool_caps_parse(q->caps, spec->caps, &spec->caps, err);
	else if (sees_containers_files(q))
		spec->flags |= TOOL_TARGET_CAPS;
	if (spec->caps != tool_caps_all())
		spec->flags |= TOOL_NO_NEW_PRIVS;
	return r;
}

/* --- environment --- */

static int add(struct exec_plan *p, const char *name, const char *value, struct err *err)
{
	size_t n = strlen(name), size = n + strlen(value) + 2;
	unsigned at = 0;

	while (at < p->spec.n_variables && (strncmp(p->variables[at], name, n) != 0 || p->variables[at][n] != '='))
		at++;
	if (at == EXEC_VARIABLES)
		return err_set(err, E2BIG, "more than %d variables", EXEC_VARIABLES);
	if (at == p->spec.n_variables)
		p->spec.n_variables++;
	else
		free(p->variables[at]); /* the later one counts */
	p->variables[at] = fd_xcalloc(1, size);
	snprintf(p->variables[at], size, "%s=%s", name, value);
	return 0;
}

static void add_own(struct exec_plan *p, bool foreign)
{
	static const char *const kept[] = { "TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME",
		"LC_NUMERIC", "TZ", "PATH" };

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value && !(foreign && kept[i][0] == 'T' && kept[i][1] == 'Z'))
			add(p, kept[i], value, NULL);
	}
}

/* A name that any shell's prompt may hold. */
static void plain_name(const char *name, char ret[64])
{
	size_t n = 0;

	for (; *name && n < 63; name++)
		ret[n++] = (*name >= '0' && *name <= '9') || ((*name | 32) >= 'a' && (*name | 32) <= 'z') || strchr("._-:", *name) ? *name : '_';
	ret[n] = 0;
}

static void add_user(struct exec_plan *p, const struct exec_request *q)
{
	char buf[2048], name[64];
	struct passwd user;
	bool foreign = sees_containers_files(q);
	bool known = !foreign && find_user(p->spec.uid, &user, buf, sizeof buf);

	add(p, "HOME", known ? user.pw_dir : p->spec.uid == 0 ? "/root" : "/", NULL);
	if (known) {
		add(p, "USER", user.pw_name, NULL);
		add(p, "LOGNAME", user.pw_name, NULL);
	}
	snprintf(p->shell, sizeof p->shell, "%s", known && user.pw_shell[0] && access(user.pw_shell, X_OK) == 0 &&
		!strstr(user.pw_shell, "nologin") && !strstr(user.pw_shell, "/false") ? user.pw_shell : "/bin/sh");
	add(p, "SHELL", p->shell, NULL);
	plain_name(q->name, name);
	add(p, "NSDBG_TARGET", name, NULL);
	if (!foreign)
		add(p, "debian_chroot", name, NULL); /* Debian's and Ubuntu's prompts show it */
}

static int add_variable(struct exec_plan *p, const struct exec_request *q, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	size_t n = strlen(text);
	char name[256];

	if (text[0] == '=' || (size_t)strcspn(text, "=") >= sizeof name)
		return err_set(err, EINVAL, "--env wants NAME=VALUE, not \"%.40s\"", text);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
	if (equals)
		return add(p, name, equals + 1, err);
	for (char *const *e = q->environment; e && *e; e++)
		if (strncmp(*e, text, n) == 0 && (*e)[n] == '=')
			return add(p, name, *e + n + 1, err);
	return err_set(err, EINVAL, "--env %.60s: there is no such variable here; give it as %.60s=VALUE", text, text);
}

static int fill_environment(struct exec_plan *p, const struct exec_request *q, struct err *err)
{
	int r = 0;

	add_own(p, sees_containers_files(q));
	add_user(p, q);
	for (unsigned i = 0; r == 0 && i < q->n_variables; i++)
		r = add_variable(p, q, q->variables[i], err);
	p->spec.variables = (const char *const *)p->variables;
	return r;
}

/* --- the whole --- */

static int check(const struct exec_request *q, unsigned namespaces, struct err *err)
{
	char name[160];

	text_clean(name, sizeof name, text_of(q->name), TEXT_UTF8);
	if (q->ref->kind == TARGET_PATH && ((namespaces & ~(unsigned)CLONE_NEWNET) || q->root || q->proc ||
		(q->directory && strcmp(q->directory, "target") == 0)))
		return err_set(err, EINVAL, "%.120s has no process: only its network can be entered, by exec without --ns, --root and --proc", name);
	if (q->proc && (namespaces & CLONE_NEWNS))
		return err_set(err, EINVAL, "--proc is for the host's files: with --ns mnt the target's own /proc is there");
	if (q->proc && q->root)
		return err_set(err, EINVAL, "--proc is for the host's files: with --root the target's own /proc is there");
	if (q->directory && q->directory[0] != '/' && strcmp(q->directory, "target") != 0)
		return err_set(err, EINVAL, "--wd wants an absolute path, or the word target for the working directory of its process");
	return 0;
}

static void fill_place(const struct exec_request *q, struct tool_spec *spec)
{
	bool is_host = q->ref->kind == TARGET_HOST;

	spec->namespaces = q->namespaces ? q->namespaces : CLONE_NEWNET;
	if ((spec->namespaces & CLONE_NEWNET) && !(spec->namespaces & CLONE_NEWNS) && !q->root && !q->no_files && !is_host)
		spec->flags |= TOOL_FILES;
	if (q->proc)
		spec->flags |= TOOL_PROC;
	if (q->root)
		spec->flags |= TOOL_ROOT;
	if (q->force)
		spec->flags |= TOOL_FORCE;
	if (q->directory && q->directory[0] == '/')
		spec->directory = q->directory;
	else if (q->directory)
		spec->flags |= TOOL_TARGET_DIRECTORY;
}

static void describe(struct exec_plan *p, const struct exec_request *q)
{
	char name[160], joined[80] = "";
	size_t n = 0;

	text_clean(name, sizeof name, text_of(q->name), TEXT_UTF8);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (p->spec.namespaces & kinds[i].flag)
			n += (size_t)snprintf(joined + n, sizeof joined - n, "%s%s", n ? "," : "", kinds[i].name);
	snprintf(p->where, sizeof p->where, "%s of %s   files: %s%s", p->spec.namespaces == exec_all_namespaces() ? "all" : joined, name,
		sees_containers_files(q) && (q->root || (p->spec.namespaces & CLONE_NEWNS)) ? "the container's" : "the host's",
		q->proc ? "   /proc: the container's" : "");
}

int exec_plan(struct session *s, const struct exec_request *q, struct exec_plan **ret, struct err *err)
{
	struct exec_plan *p = fd_xcalloc(1, sizeof *p);
	int r;

	p->spec.target = *q->ref;
	fill_place(q, &p->spec);
	r = check(q, p->spec.namespaces, err);
	if (r == 0)
		r = fill_user(s, q, &p->spec, err);
	if (r == 0)
		r = fill_caps(q, &p->spec, err);
	if (r == 0)
		r = fill_environment(p, q, err);
	if (r < 0) {
		exec_plan_free(p);
		return r;
	}
	p->shell_words[0] = p->shell;
	p->spec.words = q->n_words ? q->words : p->shell_words;
	p->spec.n_words = q->n_words ? q->n_words : 1;
	describe(p, q);
	*ret = p;
	return 0;
}

void exec_plan_free(struct exec_plan *p)
{
	for (unsigned i = 0; p && i < p->spec.n_variables; i++)
		free(p->variables[i]);
	free(p);
}
