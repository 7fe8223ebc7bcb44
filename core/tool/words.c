/* Words and variables in a memfd: see words.h. Lengths are checked here, the kernel's own limit (E2BIG of execve) is far above. */
#include "core/tool/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"

static int add(int fd, const char *const *list, unsigned n, size_t *total)
{
	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(list[i]) + 1;
		int r;

		*total += len;
		if (*total > TOOL_WORDS_BYTES)
			return -E2BIG;
		r = fd_write_all(fd, list[i], len);
		if (r < 0)
			return r;
	}
	return 0;
}

int tool_words_pack(const char *const *words, unsigned n_words, const char *const *variables, unsigned n_variables, struct err *err)
{
	AUTO(fd_closep) int fd = memfd_create("nsdbg-words", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t total = 0;
	int r;

	if (fd < 0)
		return err_set(err, errno, "make room for the command");
	if (n_words + n_variables > TOOL_WORDS_MAX)
		return err_set(err, E2BIG, "the command has more than %d words and variables", TOOL_WORDS_MAX);
	r = add(fd, words, n_words, &total);
	if (r == 0)
		r = add(fd, variables, n_variables, &total);
	if (r == -E2BIG)
		return err_set(err, E2BIG, "the command and its environment are longer than %d KiB", TOOL_WORDS_BYTES >> 10);
	if (r < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_set(err, r < 0 ? -r : errno, "hand the command over");
	return fd_take(&fd);
}

int tool_words_split(char *bytes, size_t n, unsigned n_words, unsigned n_variables, struct tool_words *ret, struct err *err)
{
	struct tool_words w = { .bytes = bytes };
	unsigned all = n_words + n_variables, at = 0;
	char **list;

	if (n_words == 0 || n_words > TOOL_WORDS_MAX || n_variables > TOOL_WORDS_MAX || n == 0 || bytes[n - 1] != 0) {
		free(bytes);
		return err_set(err, EBADMSG, "the command did not arrive whole");
	}
	list = fd_xcalloc(all + 2, sizeof *list);
	w.words = list;
	w.variables = list + n_words + 1;
	for (char *p = bytes; p < bytes + n; p += strlen(p) + 1, at++)
		if (at < all)
			list[at < n_words ? at : at + 1] = p;
	if (at != all) {
		tool_words_done(&w);
		return err_set(err, EBADMSG, "the command did not arrive whole");
	}
	*ret = w;
	return 0;
}

int tool_words_unpack(int fd, unsigned n_words, unsigned n_variables, struct tool_words *ret, struct err *err)
{
	char *bytes = fd_xcalloc(1, TOOL_WORDS_BYTES);
	ssize_t n = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(fd, bytes, TOOL_WORDS_BYTES);

	if (n < 0) {
		free(bytes);
		return err_set(err, (int)-n, "read the command");
	}
	return tool_words_split(bytes, (size_t)n, n_words, n_variables, ret, err);
}

void tool_words_done(struct tool_words *w)
{
	free(w->words);
	free(w->bytes);
	*w = (struct tool_words){ 0 };
}
