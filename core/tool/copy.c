/*
 * CVE-2019-5736: a container with CAP_SYS_PTRACE may open the executable of whoever joins its pid namespace, and write to it once that
 * process has ended. So a runner that joins one is a copy in a sealed memfd (as runc's and crun's are).
 */
#include "core/tool/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/tool/run.h"

enum { CHANNEL = 3, SPEC = 4, SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static const char copy_name[] = "nsdbg: tool runner";

static int seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

static int copy_program(int to)
{
	AUTO(fd_closep) int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t at = 0;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	while (at < st.st_size)
		if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
			return -EIO;
	return seal(to);
}

int tool_copy_execute(const struct msg_tool *spec, struct err *err)
{
	char name[sizeof copy_name], *const argv[] = { name, NULL };
	AUTO(fd_closep) int copy = memfd_create("nsdbg-copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	AUTO(fd_closep) int saved = memfd_create("nsdbg-tool", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = copy < 0 || saved < 0 ? -errno : copy_program(copy);

	memcpy(name, copy_name, sizeof name);
	if (r == 0)
		r = fd_write_all(saved, spec, sizeof *spec);
	if (r == 0)
		r = seal(saved);
	if (r < 0)
		return err_set(err, -r, "copy nsdbg before joining a pid namespace");
	/* `saved` may be 4 already, and `copy` must not be: it is closed by execve only when it is above. */
	if (copy <= SPEC && (copy = fcntl(copy, F_DUPFD_CLOEXEC, SPEC + 1)) < 0)
		return err_set(err, errno, "copy nsdbg before joining a pid namespace");
	if (saved != SPEC && dup2(saved, SPEC) < 0)
		return err_set(err, errno, "copy nsdbg before joining a pid namespace");
	fcntl(SPEC, F_SETFD, 0);
	fcntl(CHANNEL, F_SETFD, 0);
	fexecve(copy, argv, environ);
	return err_set(err, errno, "execute a copy of nsdbg");
}

/* Whoever calls us so by hand gets no more than a runner with the caller's own rights: the descriptors decide. */
void tool_copy_resume(int argc, char *const *argv)
{
	static struct msg_tool spec;
	int seals = argc == 1 && strcmp(argv[0], copy_name) == 0 ? fcntl(SPEC, F_GET_SEALS) : -1;

	if (seals != SEALS || lseek(SPEC, 0, SEEK_SET) < 0 || fd_read_all(SPEC, &spec, sizeof spec) != (ssize_t)sizeof spec)
		return;
	close(SPEC);
	fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);
	tool_run(&spec, CHANNEL, true);
}
