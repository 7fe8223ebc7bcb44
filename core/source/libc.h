/*
 * Which C library a container's first process uses, told by what it has mapped: the dynamic linker of musl (/lib/ld-musl-*.so.1, its
 * version inside) or of glibc (ld-linux*, libc.so.6). A static program has neither and may even resolve names by itself (Go): unknown.
 */
#ifndef NSDBG_CORE_SOURCE_LIBC_H
#define NSDBG_CORE_SOURCE_LIBC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum libc_kind { LIBC_UNKNOWN, LIBC_GLIBC, LIBC_MUSL, LIBC_STATIC };

struct libc_found {
	enum libc_kind kind;
	uint32_t version; /* 1002003 for 1.2.3; 0: unknown */
	char path[128]; /* of the file that told, "" none; bytes of the container */
};

/* What the lines of /proc/PID/maps say (proc_pid_maps(5)); any bytes will do. *ret_done: no need to read on. */
void libc_from_maps(const char *bytes, size_t n, struct libc_found *ret, bool *ret_done);

/* The version in the bytes of musl's dynamic linker; 0: none there. */
uint32_t libc_musl_version(const char *bytes, size_t n);

/* Reads open descriptors (-1: none): maps, and the image's own musl linker. Called in the cage. */
void libc_read(int maps, int musl, struct libc_found *ret);

#endif
