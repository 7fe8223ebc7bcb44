/* The target's name resolution files, copied for a tool that keeps the host's files. */
#ifndef NSDBG_CORE_TOOL_NAMES_H
#define NSDBG_CORE_TOOL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct worker_target;

enum tool_name_file { TOOL_RESOLV, TOOL_HOSTS, TOOL_NSSWITCH, TOOL_NAME_FILES };
enum { TOOL_NAME_BYTES = 1 << 20, TOOL_NAME_WHY = 192 };

struct tool_names {
	int files[TOOL_NAME_FILES]; /* memfds with what to show; -1: the host's stays, see why */
	char why[TOOL_NAME_FILES][TOOL_NAME_WHY]; /* what is not as it should be; "": nothing */
};

extern const char *const tool_name_paths[TOOL_NAME_FILES]; /* "/etc/resolv.conf" ... */

/* Reads them in a process of its own, which is left behind when a mount does not answer within 2 s. 0 with all of *ret set (missing
 * files are no failure), or -errno. Close with tool_names_done. */
int tool_names_read(struct worker_target *t, struct tool_names *ret, struct err *err);
void tool_names_done(struct tool_names *n);

/* The host's nsswitch.conf with the services of the container's hosts line, of which only "files", "dns" and actions between them are
 * kept: others (resolve, mdns, myhostname) would ask the host's daemons. Returns the length written, at most `cap`. */
size_t tool_names_nsswitch(const char *host, size_t n_host, const char *target, size_t n_target, char *out, size_t cap);

#endif
