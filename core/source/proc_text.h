/* What /proc writes about a process, as pure functions on bytes: they hold text that the process chose itself (proc(5)). */
#ifndef NSDBG_CORE_SOURCE_PROC_TEXT_H
#define NSDBG_CORE_SOURCE_PROC_TEXT_H

#include "core/text.h"

enum { PROC_TEXT_CONTAINER = 65, PROC_TEXT_PATH = 4096 };

struct proc_text_stat {
	uint64_t pid;
	struct text comm; /* points into the bytes given */
	char state;
	uint64_t ppid;
	uint64_t session;
	uint64_t ticks; /* user and system time */
	uint64_t threads;
	uint64_t start; /* clock ticks since boot */
	uint64_t rss_pages;
};

/* /proc/PID/stat. The command ends at the last ')': its name may hold any bytes but NUL. */
bool proc_text_stat(struct text bytes, struct proc_text_stat *ret);

struct proc_text_status {
	uint64_t uid; /* effective */
	uint64_t ns_pid; /* innermost; UINT64_MAX when there is one pid namespace only */
	uint64_t rss_kb; /* UINT64_MAX: no memory of its own (kernel thread, zombie) */
};

/* /proc/PID/status; false without a Uid line. */
bool proc_text_status(struct text bytes, struct proc_text_status *ret);

/* /proc/PID/cgroup: the last component of any line that names a container by 64 hex digits, alone or as "docker-<id>.scope". */
bool proc_text_cgroup(struct text bytes, char ret[PROC_TEXT_CONTAINER]);

/* Does a component of any line name this container? Sub-groups that the container made count. */
bool proc_text_cgroup_has(struct text bytes, const char id[PROC_TEXT_CONTAINER]);

/* One line of /proc/PID/mountinfo that mounts a network namespace: its inode and where, unescaped. */
bool proc_text_nsfs(struct text line, uint64_t *ret_inode, char ret_path[PROC_TEXT_PATH]);

/* "net:[4026531840]", "socket:[123]": the number, when the text starts with `kind` and ":[". */
bool proc_text_link(struct text link, const char *kind, uint64_t *ret);

/* Cuts the next line (without its end) off the front; false when nothing is left. */
bool proc_text_line(struct text *rest, struct text *ret);

/* Cuts the next word (blanks and tabs between) off the front of a line; false when nothing is left. */
bool proc_text_word(struct text *rest, struct text *ret);

/* All of `word` as a number in base 10 or 16; false when it is none or too large. */
bool proc_text_number(struct text word, unsigned base, uint64_t *ret);

#endif
