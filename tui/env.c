/* Descriptors and environment at the start, security.md 4.2 steps 1-4; see env.h. */
#include "tui/env.h"

#include "core/fd.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_VALUE = 4096, MAX_TERM = 64 };

/* Kept as they are; a final _ stands for all that begin so. */
static const char *const kept[] = { "TERM", "LANG", "LC_", "COLORTERM", "NO_COLOR", "SUDO_UID", "SUDO_GID", "SUDO_USER", "DOCKER_",
	"XDG_RUNTIME_DIR", "CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT", "HOME", "XDG_CONFIG_HOME", "TZ",
	"TMUX", "ESCDELAY", "NSDBG_", "COLUMNS", "LINES" };

/* What makes libc load or read files before main; setting them for root is an attack or an accident. */
static const char *const loader[] = { "LD_", "GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "NLSPATH", "MALLOC_" };

bool env_is_elevated(void)
{
	return getauxval(AT_SECURE) != 0;
}

static bool name_in(const char *entry, const char *const *list, size_t n)
{
	size_t len = strcspn(entry, "=");

	for (size_t i = 0; i < n; i++) {
		size_t want = strlen(list[i]);

		if (list[i][want - 1] == '_' ? len >= want && memcmp(entry, list[i], want) == 0 :
					       len == want && memcmp(entry, list[i], want) == 0)
			return true;
	}
	return false;
}

/* A terminal's name becomes part of a path in ncurses. */
static bool term_is_sane(const char *value)
{
	size_t n = strlen(value);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)value[i]) && !strchr("-+._", value[i]))
			return false;
	return n > 0 && n <= MAX_TERM && value[0] != '.';
}

/* Root reads nothing from a home that belongs to someone else (sudo -E). */
static bool home_is_ours(const char *value)
{
	struct stat st;

	return geteuid() != 0 || (stat(value, &st) == 0 && st.st_uid == 0);
}

static bool is_kept(const char *entry)
{
	const char *value = strchr(entry, '=');

	if (!value || strlen(value) > MAX_VALUE || !name_in(entry, kept, ARRAY_LEN(kept)))
		return false;
	value++;
	if (strncmp(entry, "TERM=", 5) == 0)
		return term_is_sane(value);
	if (strncmp(entry, "HOME=", 5) == 0)
		return home_is_ours(value);
	if (strncmp(entry, "TZ=", 3) == 0) /* the name of a zone, not a file of the caller's choice */
		return value[0] != '/' && value[0] != ':' && !strstr(value, "..");
	return true;
}

/* Returns whether a loader variable was there. */
static bool clean_variables(void)
{
	AUTO(fd_freep) char **keep = NULL;
	bool loads = false;
	size_t n = 0;

	for (char **e = environ; e && *e; e++)
		n++;
	keep = fd_xcalloc(n + 1, sizeof *keep);
	n = 0;
	for (char **e = environ; e && *e; e++) {
		loads = loads || name_in(*e, loader, ARRAY_LEN(loader));
		if (is_kept(*e))
			keep[n++] = *e;
	}
	clearenv();
	for (size_t i = 0; i < n; i++)
		putenv(keep[i]); /* lives in the process's own stack from the start */
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	return loads;
}

static void clean_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		/* the lowest free number: not CLOEXEC on purpose; an output that is closed stays one that fails */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0)
			_exit(10);
	close_range(3, ~0u, 0);
}

void env_clean(char *const *argv)
{
	struct rlimit none = { 0 };

	clean_descriptors();
	setrlimit(RLIMIT_CORE, &none);
	if (clean_variables() && geteuid() == 0)
		execv("/proc/self/exe", argv); /* when that fails, go on: the damage is done already or was none */
}
