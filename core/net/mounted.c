/* Namespaces in the mount table: see mounted.h. proc_pid_mountinfo(5): their root is "net:[inode]", blanks are written \040. */
#include "core/net/mounted.h"

#include "core/fd.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MAX_MOUNTS = 256, MOUNTINFO = 1 << 20 };

static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		bool octal = s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7';

		*to++ = octal ? (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0')) : *s;
		s += octal ? 3 : 0;
	}
	*to = 0;
}

static void visit(char *path, void (*fn)(int fd, uint64_t inode, void *arg), void *arg)
{
	AUTO(fd_closep) int fd = -1;
	struct statfs fs;
	struct stat st;

	unescape(path);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC && fstat(fd, &st) == 0)
		fn(fd, st.st_ino, arg);
}

void net_mounted_each(int proc, void (*fn)(int fd, uint64_t inode, void *arg), void *arg)
{
	AUTO(fd_closep) int fd = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	AUTO(fd_freep) char *text = fd_xcalloc(1, MOUNTINFO);
	char *save = NULL;
	unsigned n = 0;

	if (fd < 0 || fd_read_all(fd, text, MOUNTINFO - 1) <= 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line && n < MAX_MOUNTS; line = strtok_r(NULL, "\n", &save)) {
		char root[32], *point = NULL;

		if (sscanf(line, "%*s %*s %*s %31s %ms", root, &point) == 2 && strncmp(root, "net:[", 5) == 0) {
			visit(point, fn, arg);
			n++;
		}
		free(point);
	}
}
