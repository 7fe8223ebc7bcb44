/* Which C library: see libc.h. All bytes here are the container's: path names it chose, a file that it may have put there. */
#include "core/source/libc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/fd.h"

enum { MAX_MAPS = 8 << 20, MAX_MUSL = 4 << 20, CHUNK = 64 << 10 };

/* "2.31" behind "libc-" (before glibc 2.34 the file's name had it); 0: no version. */
static uint32_t parse_version(const char *p, size_t n)
{
	uint32_t part[3] = { 0 };
	unsigned k = 0;
	bool digit = false;

	for (size_t i = 0; i < n; i++) {
		if (p[i] >= '0' && p[i] <= '9' && part[k] < 1000) {
			part[k] = part[k] * 10 + (uint32_t)(p[i] - '0');
			digit = true;
		} else if (p[i] == '.' && digit && k < 2) {
			k++;
			digit = false;
		} else {
			break;
		}
	}
	k -= k && !digit; /* a dot, and no number behind it */
	return k == 0 || part[0] > 9 || part[1] > 999 || part[2] > 999 ? 0 : part[0] * 1000000 + part[1] * 1000 + part[2];
}

static bool starts(const char *p, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(p, with, strlen(with)) == 0;
}

/* The path of one line, from its first slash. */
static void take_line(const char *line, size_t n, struct libc_found *ret)
{
	const char *path = memchr(line, '/', n), *base;
	size_t n_path, n_base;

	if (!path)
		return;
	n_path = n - (size_t)(path - line);
	base = (const char *)memrchr(path, '/', n_path) + 1;
	n_base = n_path - (size_t)(base - path);
	/* libc.so is where musl's linker may be a link to; glibc has a text file of this name, which nobody maps. */
	if (starts(base, n_base, "ld-musl-") || starts(base, n_base, "libc.musl-") || (n_base == 7 && starts(base, n_base, "libc.so"))) {
		ret->kind = LIBC_MUSL;
	} else if (starts(base, n_base, "libc.so.6") || starts(base, n_base, "ld-linux") || starts(base, n_base, "libc-2.")) {
		ret->kind = LIBC_GLIBC;
		if (starts(base, n_base, "libc-2."))
			ret->version = parse_version(base + 5, n_base - 5);
	} else {
		if (ret->kind == LIBC_UNKNOWN)
			ret->kind = LIBC_STATIC; /* it has a program at least */
		return;
	}
	snprintf(ret->path, sizeof ret->path, "%.*s", (int)(n_path < sizeof ret->path ? n_path : sizeof ret->path - 1), path);
}

void libc_from_maps(const char *bytes, size_t n, struct libc_found *ret, bool *ret_done)
{
	while (n > 0 && !*ret_done) {
		const char *end = memchr(bytes, '\n', n);
		size_t line = end ? (size_t)(end - bytes) : n;

		take_line(bytes, line, ret);
		*ret_done = ret->kind == LIBC_MUSL || ret->kind == LIBC_GLIBC;
		line += end != NULL;
		bytes += line;
		n -= line;
	}
}

/* "1.2.3", "1.2.4_git20230717"; 0: something else. */
static uint32_t musl_word(const char *p, size_t n)
{
	size_t digits = 0;

	while (digits < n && (p[digits] == '.' || (p[digits] >= '0' && p[digits] <= '9')))
		digits++;
	if (n < 5 || n >= 40 || p[digits - 1] == '.' || (digits < n && p[digits] != '_' && p[digits] != '-'))
		return 0;
	return parse_version(p, n);
}

/* It stands by itself between two zeroes. */
uint32_t libc_musl_version(const char *bytes, size_t n)
{
	const char *p = bytes, *end = bytes + n;

	while (p < end && (p = memmem(p, (size_t)(end - p), "\0" "1.", 3))) {
		size_t len;
		uint32_t v;

		p++;
		len = strnlen(p, (size_t)(end - p));
		v = p + len < end ? musl_word(p, len) : 0;
		if (v)
			return v;
	}
	return 0;
}

/* Chunk by chunk; a line that goes over the edge is carried along. */
static void read_maps(int fd, struct libc_found *ret)
{
	AUTO(fd_freep) char *buf = fd_xcalloc(1, CHUNK);
	size_t have = 0, total = 0;
	bool done = false;

	while (!done && total < MAX_MAPS) {
		ssize_t n = read(fd, buf + have, CHUNK - have);
		const char *last;
		size_t whole;

		if (n <= 0)
			break;
		have += (size_t)n;
		total += (size_t)n;
		last = memrchr(buf, '\n', have);
		whole = last ? (size_t)(last - buf) + 1 : have;
		libc_from_maps(buf, whole, ret, &done);
		memmove(buf, buf + whole, have - whole);
		have -= whole;
	}
}

static uint32_t read_musl(int fd)
{
	AUTO(fd_freep) char *buf = fd_xcalloc(1, MAX_MUSL);
	ssize_t n = fd_read_all(fd, buf, MAX_MUSL);

	return n > 0 ? libc_musl_version(buf, (size_t)n) : 0;
}

void libc_read(int maps, int musl, struct libc_found *ret)
{
	memset(ret, 0, sizeof *ret);
	if (maps >= 0)
		read_maps(maps, ret);
	if (ret->kind == LIBC_MUSL && musl >= 0)
		ret->version = read_musl(musl);
}
