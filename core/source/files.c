/*
 * resolv.conf(5), hosts(5) and nsswitch.conf(5) of a container, which is hostile: a path may be a link to anything, a file may be a
 * FIFO, a device, endless, or on a mount that never answers. So: paths are resolved inside the container's root by the kernel,
 * looked at before they are opened, and read only in the cage. Lines are taken as glibc takes them; CR is no line end there.
 */
#include "core/source/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/source/libc.h"
#include "core/source/mounts.h"
#include "core/worker.h"

enum { MAX_FILE = 64 << 10, MAX_SERVERS = 3, MAX_RACES = 64 };

/* Where the rows of one file go. */
struct sheet {
	struct builder *b;
	const char *file;
	uint64_t line;
	uint32_t first_row; /* of this file in the builder */
};

/* --- rows --- */

static const char *const key_names[FILE_KEY_N] = {
	[FILE_NAMESERVER] = "nameserver",
	[FILE_SEARCH] = "search",
	[FILE_OPTION] = "option",
	[FILE_HOST] = "host",
	[FILE_NSS] = "nss",
	[FILE_OTHER] = "other",
	[FILE_HOSTNAME] = "hostname",
	[FILE_LIBC] = "libc",
	[FILE_UPSTREAM] = "upstream",
	[FILE_ERROR] = "error",
};

static const struct field file_fields[] = {
	{ ROW_FIELD(struct file_row, file, TEXT), .title = "FILE", .help = "file in the container", .width = 18 },
	{ ROW_FIELD(struct file_row, line, UINT), .title = "LINE", .help = "line number, from 1", .unit = UNIT_ID,
		.flags = FIELD_RIGHT, .width = 4, .priority = 3 },
	{ ROW_FIELD(struct file_row, key, ENUM), .title = "KEY", .help = "what the line says", .names = key_names,
		.n_names = FILE_KEY_N, .width = 10 },
	{ ROW_FIELD(struct file_row, value, TEXT), .title = "VALUE",
		.help = "address, name, option or source as written; for an error: why the file was not read",
		.flags = FIELD_FLEX, .width = 30 },
	{ ROW_FIELD(struct file_row, address, ADDR), .title = "ADDRESS", .help = "address of a nameserver or host line",
		.flags = FIELD_NOCUT, .width = 15, .priority = 1 },
	{ ROW_FIELD(struct file_row, number, UINT), .title = "NUMBER", .help = "number in an option, ndots:5",
		.unit = UNIT_ID, .flags = FIELD_WIDE | FIELD_RIGHT, .width = 6, .priority = 4 },
};

const struct row_type file_row_type = {
	.name = "files",
	.noun = "lines",
	.id = 0x66696c65, /* "file" */
	.schema = 1,
	.size = sizeof(struct file_row),
	.fields = file_fields,
	.n_fields = ARRAY_LEN(file_fields),
};

static struct file_row *add_row(struct sheet *s, enum file_key key, struct text value)
{
	struct file_row *row = builder_row(s->b);

	row->file = builder_str(s->b, s->file);
	row->line = s->line ? s->line : ROW_NO_UINT;
	row->key = key;
	row->value = builder_text(s->b, value.p, value.n);
	row->number = ROW_NO_UINT;
	row->head.id = row_hash(s->file, strlen(s->file), s->line << 8 | key);
	row->head.id = row_hash(value.p, value.n, row->head.id);
	return row;
}

static void add_error(struct sheet *s, const char *why, enum severity severity)
{
	s->line = 0;
	add_row(s, FILE_ERROR, text_of(why))->head.severity = severity;
}

static void mark_unused(struct file_row *row)
{
	row->head.flags |= FILE_UNUSED;
	row->head.severity = SEVERITY_IDLE;
}

/* Rows of this key on earlier lines of this file: a later line replaces them. */
static void drop_earlier(struct sheet *s, enum file_key key)
{
	for (uint32_t i = s->first_row; i < builder_count(s->b); i++) {
		struct file_row *row = builder_at(s->b, i);

		if (row->key == key && row->line < s->line)
			mark_unused(row);
	}
}

/* --- words --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* As isspace(3) in the C locale: nss_files and nsswitch part words by it, CR included. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the next word off the front of *rest; false when there is none. */
static bool next_word(struct text *rest, bool (*is_gap)(char), struct text *ret)
{
	size_t from = 0, to;

	while (from < rest->n && is_gap(rest->p[from]))
		from++;
	for (to = from; to < rest->n && !is_gap(rest->p[to]);)
		to++;
	*ret = (struct text){ .p = rest->p + from, .n = to - from };
	*rest = (struct text){ .p = rest->p + to, .n = rest->n - to };
	return ret->n > 0;
}

static struct text before(struct text t, char c)
{
	const char *end = memchr(t.p, c, t.n);

	return (struct text){ .p = t.p, .n = end ? (size_t)(end - t.p) : t.n };
}

static bool word_is(struct text t, const char *word)
{
	return t.n == strlen(word) && memcmp(t.p, word, t.n) == 0;
}

/* A literal address and nothing else (inet_pton); false otherwise. */
static bool parse_address(struct text t, struct addr *ret)
{
	char text[ADDR_TEXT];
	struct addr a;

	if (t.n >= sizeof text || memchr(t.p, 0, t.n))
		return false;
	memcpy(text, t.p, t.n);
	text[t.n] = 0;
	if (addr_parse(text, &a) < 0 || a.has_prefix || a.kind == ADDR_MAC)
		return false;
	*ret = a;
	return true;
}

/* --- resolv.conf --- */

static void line_nameserver(struct sheet *s, struct text rest)
{
	unsigned before_it = 0;
	struct file_row *row;
	struct text word;

	if (!next_word(&rest, is_blank, &word))
		return;
	for (uint32_t i = s->first_row; i < builder_count(s->b); i++) {
		row = builder_at(s->b, i);
		before_it += row->key == FILE_NAMESERVER && row->address.kind != ADDR_NONE;
	}
	row = add_row(s, FILE_NAMESERVER, word);
	if (!parse_address(before(word, '%'), &row->address))
		row->head.severity = SEVERITY_BAD; /* libc passes over it without a word */
	else if (before_it >= MAX_SERVERS)
		mark_unused(row);
}

static void line_search(struct sheet *s, struct text rest)
{
	uint32_t old = builder_count(s->b);
	struct text word;

	while (next_word(&rest, is_blank, &word))
		add_row(s, FILE_SEARCH, word);
	if (builder_count(s->b) > old)
		drop_earlier(s, FILE_SEARCH);
}

static void line_domain(struct sheet *s, struct text rest)
{
	struct text word;

	if (!next_word(&rest, is_blank, &word))
		return;
	add_row(s, FILE_SEARCH, word);
	drop_earlier(s, FILE_SEARCH);
}

/* Digits after the colon, "ndots:5". */
static uint64_t option_number(struct text word)
{
	struct text name = before(word, ':');
	uint64_t v = 0;

	if (name.n + 1 >= word.n || word.n - name.n > 10)
		return ROW_NO_UINT;
	for (size_t i = name.n + 1; i < word.n; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return ROW_NO_UINT;
		v = v * 10 + (uint64_t)(word.p[i] - '0');
	}
	return v;
}

static void line_options(struct sheet *s, struct text rest)
{
	struct text word;

	while (next_word(&rest, is_blank, &word)) {
		uint64_t number = option_number(word);

		add_row(s, FILE_OPTION, word)->number = number;
	}
}

static const struct {
	const char *word;
	void (*parse)(struct sheet *s, struct text rest);
} resolv_words[] = {
	{ "nameserver", line_nameserver },
	{ "search", line_search },
	{ "domain", line_domain },
	{ "options", line_options },
};

/* "# ExtServers: [host(127.0.0.53) 8.8.8.8]": Docker 26 and later say where its resolver forwards to. */
static void line_comment(struct sheet *s, struct text line)
{
	static const char mark[] = "# ExtServers: [";
	struct text rest, word;

	if (line.n < sizeof mark - 1 || memcmp(line.p, mark, sizeof mark - 1) != 0)
		return;
	rest = before((struct text){ line.p + sizeof mark - 1, line.n - (sizeof mark - 1) }, ']');
	while (next_word(&rest, is_blank, &word)) {
		struct text plain = word;
		struct addr a;

		if (word.n > 6 && memcmp(word.p, "host(", 5) == 0)
			plain = (struct text){ word.p + 5, word.n - 6 };
		if (parse_address(plain, &a))
			add_row(s, FILE_UPSTREAM, word)->address = a;
	}
}

/* The word must stand in the first column, and a blank after it (res_init). */
static void line_resolv(struct sheet *s, struct text line)
{
	struct text rest = line, word;

	if (line.n && line.p[0] == '#')
		line_comment(s, line);
	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';' || !next_word(&rest, is_blank, &word))
		return;
	for (size_t i = 0; i < ARRAY_LEN(resolv_words); i++) {
		if (word_is(word, resolv_words[i].word) && !is_blank(line.p[0]) && rest.n > 0) {
			resolv_words[i].parse(s, rest);
			return;
		}
	}
	add_row(s, FILE_OTHER, line)->head.severity = SEVERITY_IDLE;
}

/* --- hosts --- */

static void line_hosts(struct sheet *s, struct text line)
{
	struct text rest = before(line, '#'), word;
	struct addr a;

	if (!next_word(&rest, is_space, &word))
		return;
	if (!parse_address(word, &a)) {
		add_row(s, FILE_OTHER, line)->head.severity = SEVERITY_WARN;
		return;
	}
	while (next_word(&rest, is_space, &word))
		add_row(s, FILE_HOST, word)->address = a;
}

/* --- nsswitch.conf --- */

/* A source, or an action in brackets, which may hold blanks. */
static bool next_service(struct text *rest, struct text *ret)
{
	struct text look = *rest, whole;
	size_t n;

	if (!next_word(&look, is_space, ret))
		return false;
	if (ret->p[0] != '[') {
		n = before(*ret, '[').n; /* "dns[NOTFOUND=return]" */
		*ret = (struct text){ .p = ret->p, .n = n };
	} else {
		whole = (struct text){ .p = ret->p, .n = (size_t)(rest->p + rest->n - ret->p) };
		n = before(whole, ']').n;
		*ret = (struct text){ .p = whole.p, .n = n < whole.n ? n + 1 : n };
	}
	n = (size_t)(ret->p + ret->n - rest->p);
	*rest = (struct text){ .p = rest->p + n, .n = rest->n - n };
	return true;
}

/* "hosts", perhaps with blanks before the colon. */
static bool is_hosts(struct text database)
{
	struct text word;

	return next_word(&database, is_space, &word) && word_is(word, "hosts");
}

static void line_nsswitch(struct sheet *s, struct text line)
{
	struct text rest = before(line, '#'), word, look = rest;

	if (!next_word(&look, is_space, &word))
		return;
	rest = (struct text){ .p = word.p, .n = (size_t)(rest.p + rest.n - word.p) };
	word = before(rest, ':');
	if (word.n == rest.n) {
		add_row(s, FILE_OTHER, line)->head.severity = SEVERITY_IDLE;
		return;
	}
	if (!is_hosts(word)) /* passwd and the like: of no use to a resolver, but in order */
		return;
	rest = (struct text){ .p = rest.p + word.n + 1, .n = rest.n - word.n - 1 };
	while (next_service(&rest, &word))
		add_row(s, FILE_NSS, word);
	drop_earlier(s, FILE_NSS);
}

/* --- a file --- */

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

void files_parse(struct builder *b, const char *file, const char *bytes, size_t n)
{
	struct sheet s = { .b = b, .file = file, .first_row = builder_count(b) };
	struct text rest = { .p = bytes, .n = n };

	while (rest.n > 0) {
		struct text line = before(rest, '\n');
		size_t used = line.n < rest.n ? line.n + 1 : line.n;

		s.line++;
		if (ends_in(file, "hosts"))
			line_hosts(&s, line);
		else if (ends_in(file, "nsswitch.conf"))
			line_nsswitch(&s, line);
		else
			line_resolv(&s, line);
		rest = (struct text){ .p = rest.p + used, .n = rest.n - used };
	}
}

/* --- opening: with privilege, nothing is read --- */

static const struct {
	const char *path;
	enum severity missing; /* how bad it is when it is not there */
} wanted[] = {
	{ "/etc/resolv.conf", SEVERITY_WARN },
	{ "/etc/hosts", SEVERITY_IDLE },
	{ "/etc/nsswitch.conf", SEVERITY_IDLE }, /* images without glibc have none */
};

struct opened {
	int fd; /* -1: `why` */
	char why[FILES_WHY];
	char path[96]; /* as shown */
};

struct files_state {
	struct opened files[ARRAY_LEN(wanted)];
	int maps; /* /proc/PID/maps, -1 none */
	struct opened musl; /* its dynamic linker in the image */
	char hostname[65]; /* "": not known */
};

/* musl's names for machines, as in its file names. */
static const char *const musl_machines[] = {
	"x86_64", "aarch64", "armhf", "i386", "riscv64", "powerpc64le", "s390x", "loongarch64",
};

/* File systems whose files are no files: reading some of them takes lines out of the kernel's log. */
static const uint32_t refused[] = {
	PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, DEVPTS_SUPER_MAGIC, SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC,
	CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC,
};

/* Types of mounts, by how they begin, that may never answer. */
static const char *const slow[] = { "fuse", "nfs", "cifs", "smb", "9p", "ceph", "afs" };

static const char *why_not(int code)
{
	switch (code) {
	case ENOENT:
	case ENOTDIR:
		return "not there";
	case ELOOP:
		return "symbolic links lead round in a circle, or to a place that cannot be trusted";
	case EACCES:
	case EPERM:
		return "not permitted";
	case EAGAIN:
		return "it is renamed all the time";
	case EXDEV:
		return "leads out of the container's file system";
	default:
		return strerror(code);
	}
}

static int open_in_root(int root, const char *path, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve };
	long fd = -1;

	/* A rename that runs while the kernel resolves ".." gives EAGAIN. */
	for (int i = 0; i < MAX_RACES; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

/* Before Linux 5.6, or where a filter hides openat2: step by step, and no symbolic link is followed. */
static int open_by_steps(int root, const char *path)
{
	AUTO(fd_closep) int dir = dup(root);
	char step[96];

	for (const char *p = path + 1;;) {
		size_t n = strcspn(p, "/");
		bool is_last = p[n] == 0;
		int next;

		snprintf(step, sizeof step, "%.*s", (int)n, p);
		next = openat(dir, step, O_PATH | O_NOFOLLOW | O_CLOEXEC | (is_last ? 0 : O_DIRECTORY));
		if (next < 0 || is_last)
			return next < 0 ? -errno : next;
		fd_closep(&dir);
		dir = next;
		p += n + 1;
	}
}

/* The file as O_PATH, which opens no device and wakes no FIFO. *ret_behind_mount: it lies on another mount than the root. */
static int find_file(int root, const char *path, bool *ret_behind_mount)
{
	int fd = open_in_root(root, path, RESOLVE_NO_XDEV);

	*ret_behind_mount = fd == -EXDEV;
	if (fd == -EXDEV) /* Docker mounts these files from the host */
		fd = open_in_root(root, path, 0);
	if (fd == -ENOSYS || fd == -EPERM) {
		*ret_behind_mount = true; /* unknown, so the strict rule */
		fd = open_by_steps(root, path);
	}
	return fd;
}

/* fstatfs, and fstat too, may wait for a FUSE daemon or a file server for ever: /proc knows without asking them. */
static bool is_slow(struct worker_target *t, int fd)
{
	char type[MOUNTS_TYPE];

	if (!mounts_type(t->proc, t->dir, fd, type))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(slow); i++)
		if (strncmp(type, slow[i], strlen(slow[i])) == 0)
			return true;
	return false;
}

/* NULL: may be read; else why not. */
static const char *look_at(struct worker_target *t, int fd, bool behind_mount)
{
	struct statfs fs;
	struct stat st;

	if (behind_mount && is_slow(t, fd)) /* a container's whole root may well be FUSE */
		return "on a file system that may not answer";
	if (fstatfs(fd, &fs) < 0)
		return strerror(errno);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if ((uint32_t)fs.f_type == refused[i])
			return "not a file of the container";
	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (S_ISLNK(st.st_mode))
		return "a symbolic link: following it safely needs Linux 5.6";
	return S_ISREG(st.st_mode) ? NULL : "not a regular file";
}

static void open_file(struct worker_target *t, const char *path, struct opened *ret)
{
	AUTO(fd_closep) int fd = -1;
	bool behind_mount;
	const char *why;
	char name[32];

	snprintf(ret->path, sizeof ret->path, "%s", path);
	fd = find_file(t->root, path, &behind_mount);
	why = fd < 0 ? why_not(-fd) : look_at(t, fd, behind_mount);
	if (!why) {
		snprintf(name, sizeof name, "self/fd/%d", fd);
		ret->fd = openat(t->proc, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (ret->fd < 0)
			why = why_not(errno);
	}
	if (why)
		snprintf(ret->why, sizeof ret->why, "%s", why);
}

/* ip-netns(8): a namespace with a name but no process uses /etc/netns/NAME/FILE where there is one. */
static void open_for_path(struct worker_target *t, const char *path, struct opened *ret)
{
	const char *name = strrchr(t->ref.path, '/');
	char own[96];

	if (t->ref.kind != TARGET_PATH || t->ref.pid || !name || !name[1] || name[1] == '.' || strlen(name) > 48)
		return;
	snprintf(own, sizeof own, "/etc/netns%s%s", name, strrchr(path, '/'));
	open_file(t, own, ret);
}

int files_open_safely(struct worker_target *t, const char *path, char ret_why[FILES_WHY])
{
	struct opened o = { .fd = -1 };

	open_for_path(t, path, &o);
	if (o.fd < 0) {
		o.why[0] = 0;
		open_file(t, path, &o);
	}
	snprintf(ret_why, FILES_WHY, "%s", o.why);
	return o.fd;
}

/* This worker ends soon, so it may as well stay in the other UTS namespace. */
static void read_hostname(const struct worker_target *t, char *ret, size_t cap)
{
	AUTO(fd_closep) int ns = t->dir < 0 ? -1 : openat(t->dir, "ns/uts", O_RDONLY | O_CLOEXEC);

	if (t->dir >= 0 && (ns < 0 || setns(ns, CLONE_NEWUTS) < 0))
		return;
	if (gethostname(ret, cap - 1) < 0)
		ret[0] = 0;
}

/* What tells the C library. Maps can be read later too: the kernel checks when it is opened. */
static void open_libc(struct worker_target *t, struct files_state *s)
{
	char path[64];

	s->maps = t->dir < 0 ? -1 : openat(t->dir, "maps", O_RDONLY | O_CLOEXEC);
	s->musl.fd = -1;
	for (size_t i = 0; i < ARRAY_LEN(musl_machines) && s->musl.fd < 0; i++) {
		snprintf(path, sizeof path, "/lib/ld-musl-%s.so.1", musl_machines[i]);
		open_file(t, path, &s->musl);
	}
}

static int files_open(struct worker *w, struct err *err)
{
	struct worker_target *t = worker_target(w);
	struct files_state *s;

	if (t->root < 0)
		return rights_refused(err, EACCES, CAP_SYS_PTRACE, t->dir, "open the root directory of the target");
	s = fd_xcalloc(1, sizeof *s);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		s->files[i].fd = -1;
		open_for_path(t, wanted[i].path, &s->files[i]);
		if (s->files[i].fd < 0)
			open_file(t, wanted[i].path, &s->files[i]);
	}
	open_libc(t, s);
	read_hostname(t, s->hostname, sizeof s->hostname);
	*worker_state(w) = s;
	return 0;
}

/* --- reading: in the cage --- */

static void read_file(struct builder *b, const struct opened *o, enum severity missing)
{
	struct sheet s = { .b = b, .file = o->path };
	AUTO(fd_freep) char *bytes = NULL;
	ssize_t n;

	if (o->fd < 0) {
		add_error(&s, o->why, strcmp(o->why, "not there") == 0 ? missing : SEVERITY_WARN);
		return;
	}
	bytes = fd_xcalloc(1, MAX_FILE + 1);
	n = lseek(o->fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(o->fd, bytes, MAX_FILE + 1);
	if (n < 0) {
		add_error(&s, why_not((int)-n), SEVERITY_WARN);
		return;
	}
	if (n > MAX_FILE)
		builder_note(b, EFBIG, "%s: only the first 64 KiB were read", o->path);
	files_parse(b, o->path, bytes, n > MAX_FILE ? MAX_FILE : (size_t)n);
}

/* "static" is a word of caution: what resolves there may be musl, glibc or the program itself. */
static void add_libc(struct builder *b, const struct files_state *s)
{
	struct sheet sheet = { .b = b };
	struct libc_found found;
	struct file_row *row;
	char text[64];
	uint32_t v;

	libc_read(s->maps, s->musl.fd, &found);
	v = found.version;
	if (found.kind == LIBC_STATIC)
		snprintf(text, sizeof text, "unknown: a static program%s", s->musl.fd >= 0 ? ", in an image with musl" : "");
	else if (found.kind == LIBC_UNKNOWN)
		snprintf(text, sizeof text, "unknown");
	else
		snprintf(text, sizeof text, "%s", found.kind == LIBC_MUSL ? "musl" : "glibc");
	if (v)
		snprintf(text + strlen(text), sizeof text - strlen(text), v % 1000 ? " %u.%u.%u" : " %u.%u", v / 1000000, v / 1000 % 1000,
			v % 1000);
	sheet.file = found.path;
	row = add_row(&sheet, FILE_LIBC, text_of(text));
	row->number = v ? v : ROW_NO_UINT;
	if (!found.path[0])
		row->file = ROW_NO_TEXT;
}

static void add_hostname(struct builder *b, const char *name)
{
	struct sheet sheet = { .b = b, .file = "" };

	if (strchr(name, '.'))
		add_row(&sheet, FILE_HOSTNAME, text_of(name))->file = ROW_NO_TEXT;
}

static int files_sample(struct worker *w, struct builder *b, struct err *err)
{
	const struct files_state *s = *worker_state(w);

	(void)err;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		read_file(b, &s->files[i], wanted[i].missing);
	add_libc(b, s);
	add_hostname(b, s->hostname);
	return 0;
}

const struct source files_source = {
	.name = "files",
	.type = &file_row_type,
	.needs_target = true,
	.cage = CAGE_BASE,
	.open = files_open,
	.sample = files_sample,
};
