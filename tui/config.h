/*
 * The configuration: /etc/nsdbg/config, then $XDG_CONFIG_HOME/nsdbg/config (~/.config), or only the file of --config. A file counts when
 * it belongs to root or to the user nsdbg works for, and nobody else may write to it. It is read by the process that holds no rights
 * any more; only for root itself, who becomes nobody, it is opened before. Problems never stop nsdbg: they are told and left out.
 *
 *   [settings]                    [commands]
 *   interval = 5s                 psql = psql -h {ip} -p {port} -U app
 *   color = never                 [commands.psql]
 *                                 key = K
 */
#ifndef NSDBG_TUI_CONFIG_H
#define NSDBG_TUI_CONFIG_H

#include "tui/template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_NAME = 32, CONFIG_HELP = 128, CONFIG_COMMANDS = 64, CONFIG_PROBLEMS = 16, CONFIG_MAX_BYTES = 65536 };
enum { CONFIG_MIN_MS = 500, CONFIG_MAX_MS = 60000 };

struct config_command {
	char name[CONFIG_NAME];
	char help[CONFIG_HELP]; /* "": the template says enough */
	char *text; /* as written */
	int key; /* KEYS_*; 0: palette only */
	bool shell; /* through /bin/sh -c */
	bool in_target; /* with the target's network and name resolution, else as any program of the host */
	unsigned line; /* where it begins, for messages */
	struct template run;
};

struct config {
	struct config_command commands[CONFIG_COMMANDS];
	unsigned n_commands;
	uint64_t interval_ms; /* 0: not set */
	const char *color; /* "auto", "always", "never"; NULL: not set */
	bool ascii, no_mouse, utc;
	char problems[CONFIG_PROBLEMS][256]; /* one sentence each */
	unsigned n_problems;
	struct config_files *files;
};

/* Notes which files there are to read; `file`: --config, NULL none. Call before rights are dropped, then config_read after. */
struct config *config_new(const char *file);
/* 0, or -errno with the sentence when the file of --config cannot be used. */
int config_read(struct config *c, struct err *err);
void config_free(struct config *c); /* NULL is fine */

/* The bytes of one file, `path` for messages: adds to `c`. */
void config_parse(struct config *c, const char *path, const char *bytes, size_t n);

/* 500ms, 5s, 2m, 1h; a plain number is seconds. False: no time. */
bool config_time(const char *text, uint64_t *ret_ms);

#endif
