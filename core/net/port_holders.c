/* One walk over the descriptors of all processes: see port_holders.h. */
#include "core/net/port_holders.h"

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct holders {
	int proc;
	uint64_t *inodes; /* sorted */
	uint32_t n;
};

struct walk {
	int proc;
	const uint64_t *inodes;
	uint64_t *pids; /* who holds inodes[i]; 0: nobody yet */
	bool *weak; /* ... but only started the service */
	uint32_t n, denied;
};

static int by_number(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/* They hand sockets to others: systemd's activation, an engine that starts proxies. */
static bool only_starts(int proc, uint64_t pid)
{
	static const char *const names[] = { "systemd", "init", "dockerd", "podman", "containerd", "conmon" };
	char comm[32];
	ssize_t n = proc_dir_read(proc, pid, "comm", comm, sizeof comm);

	if (n <= 0)
		return false;
	comm[n - (comm[n - 1] == '\n')] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(comm, names[i]) == 0)
			return true;
	return false;
}

static void found(struct walk *w, uint32_t at, uint64_t pid)
{
	if (w->pids[at] == pid || (w->pids[at] && !w->weak[at]))
		return;
	if (w->pids[at] && only_starts(w->proc, pid))
		return;
	w->weak[at] = !w->pids[at] && only_starts(w->proc, pid);
	w->pids[at] = pid;
}

static void visit(struct walk *w, uint64_t pid)
{
	AUTO(proc_dir_closep) DIR *d = NULL;
	char path[32], link[64];
	const char *name;
	uint64_t fd, inode;

	snprintf(path, sizeof path, "%" PRIu64 "/fd", pid);
	d = proc_dir_open(w->proc, path);
	if (!d) {
		w->denied += errno == EACCES || errno == EPERM;
		return;
	}
	while ((name = proc_dir_next(d, &fd))) {
		ssize_t n = readlinkat(dirfd(d), name, link, sizeof link);
		const uint64_t *at;

		if (n <= 0 || !proc_text_link((struct text){ .p = link, .n = (size_t)n }, "socket", &inode))
			continue;
		at = bsearch(&inode, w->inodes, w->n, sizeof inode, by_number);
		if (at)
			found(w, (uint32_t)(at - w->inodes), pid);
	}
}

/* rootlessport's child lives in the container's namespace; PID/task/PID/children (proc_pid_task(5), CONFIG_PROC_CHILDREN). */
static uint64_t netns_of_child(int proc, uint64_t pid)
{
	char name[48], buf[256];
	uint64_t child, netns;
	struct text rest, word;
	ssize_t n;

	snprintf(name, sizeof name, "task/%" PRIu64 "/children", pid);
	n = proc_dir_read(proc, pid, name, buf, sizeof buf);
	rest = (struct text){ .p = buf, .n = n > 0 ? (size_t)n : 0 };
	while (proc_text_word(&rest, &word))
		if (proc_text_number(word, 10, &child) && proc_dir_ns(proc, child, "net", &netns) == 0)
			return netns;
	return ROW_NO_UINT;
}

static void describe(int proc, struct net_holder_row *row, struct builder *b)
{
	char comm[64], cmdline[4096], line[1024], group[8192], id[PROC_TEXT_CONTAINER];
	ssize_t n = proc_dir_read(proc, row->pid, "comm", comm, sizeof comm), m;
	struct text name = { .p = comm, .n = n > 0 ? (size_t)n - (comm[n - 1] == '\n') : 0 }, args;
	struct net_forward f;

	m = proc_dir_read(proc, row->pid, "cmdline", cmdline, sizeof cmdline);
	args = (struct text){ .p = cmdline, .n = m > 0 ? (size_t)m : 0 };
	if (n > 0)
		row->process = builder_text(b, name.p, name.n);
	row->forwarder = net_forwarder_of(name, args);
	proc_dir_ns(proc, row->pid, "net", &row->netns);
	m = proc_dir_read(proc, row->pid, "cgroup", group, sizeof group);
	if (m > 0 && proc_text_cgroup((struct text){ .p = group, .n = (size_t)m }, id))
		row->container = builder_str(b, id);
	if (row->forwarder == NET_FORWARDER_NONE)
		return;
	net_forwarder_line(args, line, sizeof line);
	row->command = builder_str(b, line);
	if (row->forwarder == NET_FORWARDER_DOCKER_PROXY && net_forwarder_parse(args, &f)) {
		row->to_address = f.to_address;
		row->to_port = f.to_port;
	}
	if (row->forwarder == NET_FORWARDER_ROOTLESSPORT)
		row->inner_netns = netns_of_child(proc, row->pid);
}

void net_holders_read(int proc, const uint64_t *inodes, uint32_t n, struct builder *b)
{
	AUTO(fd_freep) uint64_t *pids = NULL, *owners = fd_xcalloc(n + 1, sizeof *owners);
	AUTO(fd_freep) bool *weak = fd_xcalloc(n + 1, sizeof *weak);
	struct walk w = { .proc = proc, .inodes = inodes, .pids = owners, .weak = weak, .n = n };
	uint32_t n_pids = 0;

	if (n == 0 || proc_dir_pids(proc, &pids, &n_pids) < 0)
		return;
	for (uint32_t i = 0; i < n_pids; i++)
		visit(&w, pids[i]);
	for (uint32_t i = 0; i < n; i++) {
		struct net_holder_row row = { .head.id = inodes[i], .inode = inodes[i], .pid = owners[i], .process = ROW_NO_TEXT,
			.netns = ROW_NO_UINT, .container = ROW_NO_TEXT, .command = ROW_NO_TEXT, .inner_netns = ROW_NO_UINT, .to_port = ROW_NO_UINT };

		if (!owners[i])
			continue;
		describe(proc, &row, b);
		memcpy(builder_row(b), &row, sizeof row);
	}
	proc_dir_note_hiding(proc, b);
	if (w.denied)
		builder_note(b, EACCES, "descriptors of %" PRIu32 " process%s hidden: %s", w.denied,
			w.denied == 1 ? "" : "es", rights_needed(RIGHT(CAP_SYS_PTRACE) | RIGHT(CAP_DAC_READ_SEARCH), (char[RIGHTS_TEXT]){ 0 }));
}

/* --- the worker --- */

static int holders_open(struct worker *w, struct err *err)
{
	struct holders *h = fd_xcalloc(1, sizeof *h);

	(void)err;
	h->proc = worker_target(w)->proc;
	*worker_state(w) = h;
	return 0;
}

static int holders_sample(struct worker *w, struct builder *b, struct err *err)
{
	const struct holders *h = *worker_state(w);

	(void)err;
	net_holders_read(h->proc, h->inodes, h->n, b);
	return 0;
}

static int holders_request(struct worker *w, const struct msg *m, struct err *err)
{
	struct holders *h = *worker_state(w);
	uint64_t *list;
	uint32_t n;

	if (m->request.op != NET_HOLDERS_OP_INODES)
		return err_set(err, EBADMSG, "not a request of the holders' worker");
	list = msg_list(m, sizeof *list, NET_HOLDERS, "sockets", &n, err);
	if (!list)
		return -EBADMSG;
	qsort(list, n, sizeof *list, by_number);
	free(h->inodes);
	h->inodes = list;
	h->n = n;
	return 0;
}

#define FIELD(member, kind) ROW_FIELD(struct net_holder_row, member, kind)
static const struct field holder_fields[] = {
	{ FIELD(inode, UINT), .title = "INODE", .unit = UNIT_ID, .help = "the socket" },
	{ FIELD(pid, UINT), .title = "PID", .unit = UNIT_ID, .help = "process that holds it" },
	{ FIELD(process, TEXT), .title = "PROCESS", .help = "its command name" },
	{ FIELD(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .help = "its network namespace" },
	{ FIELD(container, TEXT), .title = "CONTAINER", .help = "id, from its cgroup" },
	{ FIELD(forwarder, ENUM), .title = "FORWARDER", .help = "what forwards", .names = net_forwarder_names, .n_names = NET_FORWARDER_N },
	{ FIELD(command, TEXT), .title = "COMMAND", .help = "arguments of a forwarder" },
	{ FIELD(inner_netns, UINT), .title = "INNER", .unit = UNIT_ID, .help = "namespace that rootlessport connects from" },
	{ FIELD(to_address, ADDR), .title = "TO", .help = "where docker-proxy sends to" },
	{ FIELD(to_port, UINT), .title = "TO-PORT", .unit = UNIT_ID, .help = "and to which port" },
};
#undef FIELD

const struct row_type net_holder_row_type = {
	.name = "holders", .noun = "holders of sockets", .id = 0x686f6c64, .schema = 1, .size = sizeof(struct net_holder_row),
	.fields = holder_fields, .n_fields = ARRAY_LEN(holder_fields),
};

const struct source net_holders_source = {
	.name = "holders", .type = &net_holder_row_type, .needs_target = false, .cage = CAGE_SCAN,
	.caps = 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH,
	.open = holders_open, .sample = holders_sample, .request = holders_request,
};
