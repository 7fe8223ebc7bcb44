/*
 * Reads the configuration: see config.h. libinih cuts the lines; it takes no more than 200 bytes of one, so longer ones are refused here
 * and may be continued on an indented line.
 */
#include "tui/config.h"

#include "core/err.h"
#include "core/fd.h"
#include "tui/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_FILES = 2, CONFIG_PATH = 1024 };

struct config_files {
	struct config_file {
		char path[CONFIG_PATH];
		int fd;
		int code; /* errno of open, when that was tried */
	} file[CONFIG_FILES];
	unsigned n;
	bool is_named; /* by --config: must be there */
	bool is_open;
};

static void problem(struct config *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void problem(struct config *c, const char *fmt, ...)
{
	va_list ap;

	if (c->n_problems == CONFIG_PROBLEMS)
		return;
	va_start(ap, fmt);
	vsnprintf(c->problems[c->n_problems++], sizeof c->problems[0], fmt, ap);
	va_end(ap);
}

/* --- values --- */

bool config_time(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *suffix;
		unsigned ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 } };
	char *end;
	double v;

	if (text[0] < '0' || text[0] > '9')
		return false;
	v = strtod(text, &end);
	for (size_t i = 0; v <= 1e6 && i < ARRAY_LEN(units); i++)
		if (strcmp(end, units[i].suffix) == 0) {
			*ret_ms = (uint64_t)(v * units[i].ms);
			return true;
		}
	return false;
}

static bool boolean(const char *text, bool *ret)
{
	static const char *const words[2][4] = { { "no", "false", "off", "0" }, { "yes", "true", "on", "1" } };

	for (int v = 0; v < 2; v++)
		for (size_t i = 0; i < ARRAY_LEN(words[v]); i++)
			if (strcmp(text, words[v][i]) == 0) {
				*ret = v;
				return true;
			}
	return false;
}

/* --- sections --- */

struct parser {
	struct config *c;
	const char *path;
	const char *p, *end;
	unsigned line;
	bool is_indented; /* the line goes on from the one before */
};

static bool set_flag(struct parser *s, const char *name, const char *value, bool *ret)
{
	if (boolean(value, ret))
		return true;
	problem(s->c, "%s line %u: %s is yes or no, not \"%.40s\"", s->path, s->line, name, value);
	return false;
}

static void set_interval(struct parser *s, const char *value)
{
	uint64_t ms;

	if (config_time(value, &ms) && ms >= CONFIG_MIN_MS && ms <= CONFIG_MAX_MS)
		s->c->interval_ms = ms;
	else
		problem(s->c, "%s line %u: interval is a time from 500ms to 60s, not \"%.40s\"", s->path, s->line, value);
}

static void set_color(struct parser *s, const char *value)
{
	static const char *const words[] = { "auto", "always", "never" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(value, words[i]) == 0) {
			s->c->color = words[i];
			return;
		}
	problem(s->c, "%s line %u: color is auto, always or never, not \"%.40s\"", s->path, s->line, value);
}

static void set_setting(struct parser *s, const char *name, const char *value)
{
	bool mouse;

	if (strcmp(name, "interval") == 0)
		set_interval(s, value);
	else if (strcmp(name, "color") == 0)
		set_color(s, value);
	else if (strcmp(name, "ascii") == 0)
		set_flag(s, name, value, &s->c->ascii);
	else if (strcmp(name, "utc") == 0)
		set_flag(s, name, value, &s->c->utc);
	else if (strcmp(name, "mouse") != 0)
		problem(s->c, "%s line %u: no setting \"%.40s\": there are interval, color, ascii, mouse and utc", s->path, s->line, name);
	else if (set_flag(s, name, value, &mouse))
		s->c->no_mouse = !mouse;
}

static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && n < CONFIG_NAME && name[n] == 0 && name[0] != '-';
}

static struct config_command *command_of(struct parser *s, const char *name)
{
	struct config *c = s->c;

	for (unsigned i = 0; i < c->n_commands; i++)
		if (strcmp(c->commands[i].name, name) == 0)
			return &c->commands[i];
	if (!is_name(name)) {
		problem(c, "%s line %u: a command's name is letters, digits, - and _, at most %d, not \"%.40s\"", s->path, s->line,
			CONFIG_NAME - 1, name);
		return NULL;
	}
	if (c->n_commands == CONFIG_COMMANDS) {
		problem(c, "%s line %u: more than %d commands", s->path, s->line, CONFIG_COMMANDS);
		return NULL;
	}
	c->commands[c->n_commands] = (struct config_command){ .line = s->line };
	memcpy(c->commands[c->n_commands].name, name, strlen(name) + 1);
	return &c->commands[c->n_commands++];
}

/* A line that goes on adds a blank and itself. */
static void set_run(struct parser *s, struct config_command *cmd, const char *value)
{
	size_t had = s->is_indented && cmd->text ? strlen(cmd->text) : 0, n = strlen(value);

	if (had + n + 2 > TEMPLATE_BYTES) {
		problem(s->c, "%s line %u: the command is too long", s->path, s->line);
		return;
	}
	cmd->text = fd_xrealloc(cmd->text, had + n + 2, 1);
	if (had)
		cmd->text[had++] = ' ';
	memcpy(cmd->text + had, value, n + 1);
	if (!s->is_indented)
		cmd->line = s->line;
}

static void set_where(struct parser *s, struct config_command *cmd, const char *value)
{
	if (strcmp(value, "host") == 0 || strcmp(value, "target") == 0)
		cmd->in_target = value[0] == 't';
	else
		problem(s->c, "%s line %u: in is host or target, not \"%.40s\"", s->path, s->line, value);
}

static void set_detail(struct parser *s, const char *command, const char *name, const char *value)
{
	struct config_command *cmd = command_of(s, command);

	if (!cmd)
		return;
	if (strcmp(name, "run") == 0)
		set_run(s, cmd, value);
	else if (strcmp(name, "help") == 0)
		snprintf(cmd->help, sizeof cmd->help, "%s", value);
	else if (strcmp(name, "shell") == 0)
		set_flag(s, name, value, &cmd->shell);
	else if (strcmp(name, "in") == 0)
		set_where(s, cmd, value);
	else if (strcmp(name, "key") != 0)
		problem(s->c, "%s line %u: a command has no \"%.40s\": there are run, key, help, shell and in", s->path, s->line, name);
	else if (!(cmd->key = keys_parse(value)))
		problem(s->c, "%s line %u: key is one character, F1-F12 or ^X, not \"%.40s\"", s->path, s->line, value);
}

static int on_entry(void *arg, const char *section, const char *name, const char *value)
{
	struct parser *s = arg;
	struct config_command *cmd;

	if (strcmp(section, "settings") == 0) {
		set_setting(s, name, value);
	} else if (strcmp(section, "commands") == 0) {
		cmd = command_of(s, name);
		if (cmd)
			set_run(s, cmd, value);
	} else if (strncmp(section, "commands.", 9) == 0) {
		set_detail(s, section + 9, name, value);
	} else {
		problem(s->c, "%s line %u: no section [%.40s]: there are [settings], [commands] and [commands.NAME]", s->path, s->line,
			section);
	}
	return 1;
}

/* --- lines --- */

/* The next line with its end, for libinih; a line that it would cut in two is told and left empty. */
static char *next_line(char *buf, int cap, void *arg)
{
	struct parser *s = arg;
	const char *nl;
	size_t n;

	if (s->p == s->end)
		return NULL;
	nl = memchr(s->p, '\n', (size_t)(s->end - s->p));
	n = (size_t)((nl ? nl : s->end) - s->p);
	s->line++;
	s->is_indented = n > 0 && (s->p[0] == ' ' || s->p[0] == '\t');
	if (n + 2 > (size_t)cap || memchr(s->p, 0, n)) {
		problem(s->c, "%s line %u: %s", s->path, s->line,
			n + 2 > (size_t)cap ? "too long: go on with a blank in front on the next line" : "a NUL byte");
		n = 0;
	}
	memcpy(buf, s->p, n);
	memcpy(buf + n, "\n", 2);
	s->p = nl ? nl + 1 : s->end;
	return buf;
}

/* Commands that cannot run leave the list. */
static void finish_commands(struct config *c, const char *path)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < c->n_commands; i++) {
		struct config_command cmd = c->commands[i];
		struct err err = { 0 };

		template_done(&cmd.run);
		if (template_parse(cmd.text ? cmd.text : "", cmd.shell, &cmd.run, &err) == 0) {
			c->commands[kept++] = cmd;
			continue;
		}
		problem(c, "%s line %u: command %s: %s", path, cmd.line, cmd.name, err.msg);
		free(cmd.text);
	}
	c->n_commands = kept;
}

void config_parse(struct config *c, const char *path, const char *bytes, size_t n)
{
	struct parser s = { .c = c, .path = path, .p = bytes, .end = bytes + n };
	int line = ini_parse_stream(next_line, &s, on_entry, &s);

	if (line > 0)
		problem(c, "%s line %d: neither [section] nor name = value", path, line);
	finish_commands(c, path);
}

/* --- files --- */

/* The home of who we are by now, or of root when we are about to stop being root. */
static bool find_home(char *buf, size_t cap)
{
	const char *home = getenv("HOME");
	struct stat st;
	struct passwd *p;
	FILE *f;

	if (home && home[0] == '/' && stat(home, &st) == 0 && st.st_uid == geteuid())
		return snprintf(buf, cap, "%s", home) < (int)cap;
	f = fopen("/etc/passwd", "re"); /* no name service: it might ask the network */
	if (!f)
		return false;
	while ((p = fgetpwent(f)) && p->pw_uid != geteuid())
		;
	if (p)
		snprintf(buf, cap, "%s", p->pw_dir);
	fclose(f);
	return p && buf[0] == '/';
}

static void add_file(struct config_files *f, const char *path)
{
	struct config_file *file = &f->file[f->n++];

	*file = (struct config_file){ .fd = -1 };
	snprintf(file->path, sizeof file->path, "%s", path);
}

static void open_files(struct config_files *f)
{
	f->is_open = true;
	for (unsigned i = 0; i < f->n; i++) {
		struct config_file *file = &f->file[i];

		file->fd = open(file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		file->code = file->fd < 0 ? errno : 0;
	}
}

static void find_files(struct config_files *f)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	char home[CONFIG_PATH - 32] = "", path[CONFIG_PATH];

	if (f->n == 0) {
		add_file(f, "/etc/nsdbg/config");
		if (xdg && xdg[0] == '/' && strlen(xdg) < sizeof home)
			snprintf(path, sizeof path, "%s/nsdbg/config", xdg);
		else if (find_home(home, sizeof home))
			snprintf(path, sizeof path, "%s/.config/nsdbg/config", home);
		else
			path[0] = 0;
		if (path[0])
			add_file(f, path);
	}
	open_files(f);
}

struct config *config_new(const char *file)
{
	struct config *c = fd_xcalloc(1, sizeof *c);

	c->files = fd_xcalloc(1, sizeof *c->files);
	c->files->is_named = file != NULL;
	if (file)
		add_file(c->files, file);
	/* Root by itself becomes nobody, who may not read root's file. With sudo the user's rights have to do. */
	if (geteuid() == 0 && !getenv("SUDO_UID"))
		find_files(c->files);
	return c;
}

static int check(const struct config_file *file, struct err *err)
{
	struct stat st;

	if (file->fd < 0)
		return err_set(err, file->code, "open %.120s", file->path);
	if (fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%.120s is not a file", file->path);
	if (st.st_uid != 0 && st.st_uid != getuid())
		return err_set(err, EPERM, "%.120s is not used; it belongs to neither root nor you", file->path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, EPERM, "%.110s is not used; others may write to it: chmod go-w", file->path);
	if (st.st_size > CONFIG_MAX_BYTES)
		return err_set(err, EFBIG, "%.120s is not used; it is larger than 64 KiB", file->path);
	return 0;
}

static int read_file(struct config *c, struct config_file *file, struct err *err)
{
	AUTO(fd_freep) char *bytes = NULL;
	ssize_t n;
	int r = check(file, err);

	if (r < 0)
		return r;
	bytes = fd_xcalloc(1, CONFIG_MAX_BYTES);
	n = fd_read_all(file->fd, bytes, CONFIG_MAX_BYTES);
	if (n < 0)
		return err_set(err, (int)-n, "read %.120s", file->path);
	config_parse(c, file->path, bytes, (size_t)n);
	return 0;
}

int config_read(struct config *c, struct err *err)
{
	struct config_files *f = c->files;
	int r = 0;

	if (!f->is_open)
		find_files(f);
	for (unsigned i = 0; i < f->n && r == 0; i++) {
		struct err why = { 0 };

		r = read_file(c, &f->file[i], &why);
		fd_closep(&f->file[i].fd);
		if (r < 0 && f->is_named) {
			*err = why;
			return r;
		}
		if (r < 0 && f->file[i].code != ENOENT && f->file[i].code != ENOTDIR)
			problem(c, "%s%s%s", why.msg, f->file[i].code ? ": " : "", f->file[i].code ? strerror(f->file[i].code) : "");
		r = 0;
	}
	return 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n_commands; i++) {
		template_done(&c->commands[i].run);
		free(c->commands[i].text);
	}
	for (unsigned i = 0; i < c->files->n; i++)
		fd_closep(&c->files->file[i].fd);
	free(c->files);
	free(c);
}
