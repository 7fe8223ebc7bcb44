/* stat, status, cgroup, mountinfo and links of /proc: names and paths in them are bytes that a container chose. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/source/proc_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_stat(struct text bytes)
{
	struct proc_text_stat s;

	if (proc_text_stat(bytes, &s) && s.comm.n && (s.comm.p <= bytes.p || s.comm.p + s.comm.n >= bytes.p + bytes.n))
		abort();
}

static void try_cgroup(struct text bytes)
{
	char id[PROC_TEXT_CONTAINER];

	if (!proc_text_cgroup(bytes, id))
		return;
	if (strspn(id, "0123456789abcdef") != PROC_TEXT_CONTAINER - 1 || !proc_text_cgroup_has(bytes, id))
		abort();
}

static void try_mounts(struct text bytes)
{
	char path[PROC_TEXT_PATH];
	struct text line;
	uint64_t inode;

	while (proc_text_line(&bytes, &line))
		if (proc_text_nsfs(line, &inode, path) && (strlen(path) == 0 || strlen(path) >= PROC_TEXT_PATH))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proc_text_status status;
	struct text bytes;
	uint64_t v;

	if (size == 0)
		return 0;
	bytes = (struct text){ .p = (const char *)data + 1, .n = size - 1 };
	switch (data[0] % 5) {
	case 0:
		try_stat(bytes);
		break;
	case 1:
		proc_text_status(bytes, &status);
		break;
	case 2:
		try_cgroup(bytes);
		break;
	case 3:
		try_mounts(bytes);
		break;
	default:
		proc_text_link(bytes, "socket", &v);
	}
	return 0;
}
