/* Reads GOLDEN_DIR/NAME.txt and compares it with the canvas's dump. */
#include "golden.h"

#include "core/fd.h"
#include "tui/canvas.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { GOLDEN_MAX = 256 * 1024 };

void golden_check(const char *name, const struct canvas *c)
{
	AUTO(fd_freep) char *is = canvas_dump(c);
	AUTO(fd_freep) char *want = calloc(1, GOLDEN_MAX);
	AUTO(fd_closep) int fd = -1;
	char path[512];
	ssize_t n;

	snprintf(path, sizeof path, "%s/%s.txt", getenv("GOLDEN_DIR") ? getenv("GOLDEN_DIR") : GOLDEN_DIR, name);
	if (getenv("GOLDEN_UPDATE")) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		assert_int_equal(fd_write_all(fd, is, strlen(is)), 0);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_all(fd, want, GOLDEN_MAX - 1);
	if (n < 0)
		fail_msg("no golden screen %s", path);
	if (strcmp(is, want) != 0)
		fail_msg("screen %s differs\n--- on record\n%s--- now\n%s", name, want, is);
}
