/* Descriptors, bytes and memory with an owner: see fd.h. */
#include "core/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fd_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd); /* never retried: on Linux the number is free even after EINTR */
	*fd = -1;
	errno = saved;
}

int fd_take(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

ssize_t fd_read_all(int fd, void *buf, size_t cap)
{
	size_t got = 0;

	while (got < cap) {
		ssize_t r = read(fd, (char *)buf + got, cap - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int fd_write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len > 0) {
		ssize_t r = write(fd, p, len);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		p += r;
		len -= (size_t)r;
	}
	return 0;
}

void fd_freep(void *p)
{
	void **pp = p;

	free(*pp);
	*pp = NULL;
}

void *fd_ptr_take(void *p)
{
	void **pp = p, *v = *pp;

	*pp = NULL;
	return v;
}

static void out_of_memory(void)
{
	static const char msg[] = "nsdbg: out of memory\n";
	ssize_t r = write(STDERR_FILENO, msg, sizeof msg - 1);

	(void)r;
	abort();
}

void *fd_xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *fd_xrealloc(void *old, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	p = realloc(old, bytes ? bytes : 1);
	if (!p)
		out_of_memory();
	return p;
}
