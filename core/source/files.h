/*
 * Name resolution files of a container, read safely (openat2 RESOLVE_IN_ROOT, regular files only, 64 KiB, security.md E3-E5) by a
 * short-lived worker: /etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf. A dead FUSE mount may hold this worker for ever: whoever
 * waits sets a deadline of 2 s and abandons it.
 */
#ifndef NSDBG_CORE_SOURCE_FILES_H
#define NSDBG_CORE_SOURCE_FILES_H

#include "core/source.h"

enum file_key {
	FILE_NAMESERVER, /* resolv.conf: address in `address`, text as written in `value` */
	FILE_SEARCH, /* resolv.conf search or domain: one row a name */
	FILE_OPTION, /* resolv.conf options: one row a word, "ndots:5"; `number` when it has one */
	FILE_HOST, /* /etc/hosts: address and one row a name in `value` */
	FILE_NSS, /* nsswitch.conf hosts line: one row a word in order */
	FILE_OTHER, /* a line that means nothing to a resolver; comments and blank lines are left out */
	FILE_ERROR, /* the file could not be read: `value` says why ("not there", "not a regular file") */
	FILE_HOSTNAME, /* the target's, when it has a dot: glibc makes a search list of it when resolv.conf has none */
	FILE_LIBC, /* C library of its first process, "musl 1.2.3", "glibc", "unknown: ..."; `number` 1002003; `file`: what told */
	FILE_UPSTREAM, /* resolv.conf's comment of Docker, one row a server of "# ExtServers: [host(192.168.7.1) 8.8.8.8]" */
	FILE_KEY_N,
};

enum { FILE_UNUSED = 1 << 0 }; /* file_row.head.flags: resolvers pass over this line (a fourth nameserver, an earlier search) */

struct file_row {
	struct row_head head;
	struct str file; /* "/etc/resolv.conf" */
	uint64_t line; /* 1-based */
	uint32_t key; /* enum file_key */
	struct str value;
	struct addr address;
	uint64_t number;
};
extern const struct row_type file_row_type; /* "files" */

extern const struct source files_source; /* sample() once: file_row */

struct builder;
struct worker_target;

/* Opens one such file ("/etc/hosts") of a pinned target for reading, looked at before: the descriptor, or -1 and in `ret_why` the
 * reason in words. May hang on a mount that never answers: only for processes that can be left behind. */
enum { FILES_WHY = 96 };
int files_open_safely(struct worker_target *t, const char *path, char ret_why[FILES_WHY]);

/* Rows of one file's bytes, by its name: what ends in hosts, nsswitch.conf, or else is a resolv.conf. Any bytes will do. */
void files_parse(struct builder *b, const char *file, const char *bytes, size_t n);

#endif
