/* Mounts of open files, by their number: /proc/self/fdinfo says it, mountinfo says what it is. Paths in there are the container's. */
#include "core/source/mounts.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/source/proc_text.h"

enum { MAX_MOUNTINFO = 1 << 20 };

static bool read_number(struct text word, uint64_t *ret)
{
	uint64_t v = 0;

	if (word.n == 0 || word.n > 18)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(word.p[i] - '0');
	}
	*ret = v;
	return true;
}

/* The word after the one that is only "-": fields before it vary in number. */
static bool line_type(struct text line, char ret[MOUNTS_TYPE])
{
	struct text word;
	bool is_next = false;

	while (proc_text_word(&line, &word)) {
		if (is_next) {
			if (word.n >= MOUNTS_TYPE)
				return false;
			memcpy(ret, word.p, word.n);
			ret[word.n] = 0;
			return true;
		}
		is_next = word.n == 1 && word.p[0] == '-';
	}
	return false;
}

bool mounts_find(struct text mountinfo, uint64_t id, char ret[MOUNTS_TYPE])
{
	struct text line, word;
	uint64_t number;

	while (proc_text_line(&mountinfo, &line))
		if (proc_text_word(&line, &word) && read_number(word, &number) && number == id)
			return line_type(line, ret);
	return false;
}

/* "mnt_id:\t42" in fdinfo. */
static bool mount_id(int proc, int fd, uint64_t *ret)
{
	AUTO(fd_closep) int info = -1;
	char name[48], buf[512];
	struct text rest, line, word;
	ssize_t n;

	snprintf(name, sizeof name, "self/fdinfo/%d", fd);
	info = openat(proc, name, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : fd_read_all(info, buf, sizeof buf);
	rest = (struct text){ .p = buf, .n = n > 0 ? (size_t)n : 0 };
	while (proc_text_line(&rest, &line))
		if (proc_text_word(&line, &word) && text_equal(word, text_of("mnt_id:")) && proc_text_word(&line, &word))
			return read_number(word, ret);
	return false;
}

bool mounts_type(int proc, int dir, int fd, char ret[MOUNTS_TYPE])
{
	AUTO(fd_closep) int info = openat(dir >= 0 ? dir : proc, dir >= 0 ? "mountinfo" : "self/mountinfo", O_RDONLY | O_CLOEXEC);
	AUTO(fd_freep) char *bytes = NULL;
	uint64_t id;
	ssize_t n;

	if (info < 0 || !mount_id(proc, fd, &id))
		return false;
	bytes = fd_xrealloc(NULL, MAX_MOUNTINFO, 1); /* not zeroed: 4 KiB of it are used, and 256 pages take 0.5 ms */
	n = fd_read_all(info, bytes, MAX_MOUNTINFO);
	return n > 0 && mounts_find((struct text){ .p = bytes, .n = (size_t)n }, id, ret);
}

bool mounts_changed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

char *mounts_read(int fd, size_t *ret_n)
{
	enum { MAX = 16 << 20 }; /* a large host has some 100 KiB */
	AUTO(fd_freep) char *buf = NULL;
	size_t cap = 0, n = 0;
	ssize_t r = 1;

	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return NULL;
	while (r > 0 && n < MAX) {
		if (n == cap) {
			cap = cap ? cap * 2 : 65536;
			buf = fd_xrealloc(buf, cap, 1);
		}
		r = read(fd, buf + n, cap - n);
		n += r > 0 ? (size_t)r : 0;
	}
	*ret_n = n;
	return fd_ptr_take(&buf);
}
