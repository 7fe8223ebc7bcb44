/*
 * Who keeps a network namespace alive that no process is in: an open descriptor of its nsfs file (/proc/PID/fd, "net:[inode]"), a socket
 * that was made in it (SIOCGSKNS, Linux 4.10, on a copy by pidfd_getfd(2), Linux 5.6), or a single thread that entered it. A walk over
 * all descriptors of all processes costs what ss -p pays: so it is a source of its own that is asked seldom.
 */
#ifndef NSDBG_CORE_SOURCE_HOLDERS_H
#define NSDBG_CORE_SOURCE_HOLDERS_H

#include "core/source.h"

struct text;

enum holder_by { HOLDER_DESCRIPTOR, HOLDER_SOCKET, HOLDER_THREAD, HOLDER_N };
extern const char *const holder_names[HOLDER_N]; /* "descriptor" ... */

/* One process that holds one namespace in one way. */
struct holder_row {
	struct row_head head;
	uint64_t netns; /* inode */
	uint64_t pid;
	uint64_t start; /* clock ticks: identity */
	struct str process; /* command name */
	uint32_t by; /* enum holder_by */
	uint64_t number; /* the first descriptor, or the thread */
	uint64_t count; /* descriptors, sockets or threads of this process that hold it */
};
extern const struct row_type holder_row_type;

/* Where /proc has what `h` holds the namespace by: "/proc/77/fd/5". */
void holder_path(const struct holder_row *h, char *buf, size_t cap);

/* The walk without its worker. `proc` is lent; `nsfs`: device of namespace files; sockets are looked at only if `sockets`. */
struct holders;
struct holders *holders_new(int proc, uint64_t nsfs, bool sockets);
void holders_walk(struct holders *h);
void holders_build(const struct holders *h, struct builder *b);
void holders_free(struct holders *h); /* NULL is fine */

/* sample(): holder_row, those of namespaces without a process only, ascending inode. One walk, before the cage: a later sample says the
 * same again. Sockets need CAP_SYS_PTRACE and CAP_NET_ADMIN. CAGE_BASE. */
extern const struct source holders_source;

#endif
