/*
 * Is it there? See nat_there.h. Each namespace lists the kernel's own netfilter socket in /proc/net/netlink (protocol 12, port 0) if
 * nfnetlink is there. nf_tables is there if /sys/module has it (a module that was loaded), if the kernel loads no modules at all (no
 * /proc/modules), or if it is part of it: modules.builtin, else a symbol in /proc/kallsyms, whose names anyone may read.
 */
#include "core/net/nat_there.h"

#include "core/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, NEEDLE = 32 };

/* Is `needle` in the file? -errno when it cannot be opened. */
static int file_has(int dir, const char *path, const char *needle)
{
	AUTO(fd_closep) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char buf[CHUNK + NEEDLE];
	size_t kept = 0, n = strlen(needle);
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, buf + kept, CHUNK)) > 0) {
		size_t have = kept + (size_t)got;

		if (memmem(buf, have, needle, n))
			return 1;
		kept = have < n - 1 ? have : n - 1;
		memmove(buf, buf + have - kept, kept);
	}
	return 0;
}

bool nat_there_has_netlink(int proc)
{
	AUTO(fd_closep) int fd = openat(proc, "self/net/netlink", O_RDONLY | O_CLOEXEC);
	AUTO(fd_freep) char *line = NULL;
	size_t cap = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	bool found = false;

	if (!f)
		return false;
	fd_take(&fd);
	while (!found && getline(&line, &cap, f) > 0) {
		unsigned protocol, port;

		found = sscanf(line, "%*s %u %u", &protocol, &port) == 2 && protocol == NETLINK_NETFILTER && port == 0;
	}
	fclose(f);
	return found;
}

bool nat_there_has_nf_tables(int proc, int root, const char *release)
{
	char path[128];
	int builtin;

	if (faccessat(root, "sys/module/nf_tables", F_OK, 0) == 0)
		return true;
	if (faccessat(proc, "modules", F_OK, 0) < 0)
		return true; /* nothing can be loaded: asking does no harm */
	snprintf(path, sizeof path, "lib/modules/%.64s/modules.builtin", release);
	builtin = file_has(root, path, "/nf_tables.ko");
	return builtin < 0 ? file_has(proc, "kallsyms", " nf_tables_getrule") > 0 : builtin > 0;
}

bool nat_there_nft(int proc)
{
	AUTO(fd_closep) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct utsname u;

	return uname(&u) == 0 && root >= 0 && nat_there_has_netlink(proc) && nat_there_has_nf_tables(proc, root, u.release);
}

int nat_there_names(int proc, int family)
{
	int fd = openat(proc, family == 6 ? "self/net/ip6_tables_names" : "self/net/ip_tables_names", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
