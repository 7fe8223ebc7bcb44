/*
 * The health worker: reads the counters of every target it was told of, keeps the last few samples of each, and makes rows of them.
 * A target is held by an open /proc/PID, which never becomes another process. See health.h.
 */
#include "core/source/health.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/source/cgroup.h"
#include "core/source/health_row.h"
#include "core/source/net_counters.h"
#include "core/source/proc_dir.h"
#include "core/source/proc_text.h"
#include "core/worker.h"

/* Reading everything each time would cost a percent of a core for a hundred: what cannot have changed is read now and then. */
enum { BUFFER = 1 << 20, ALL_EVERY = 16, FILES = 16384, SPARE_FILES = 24 };

struct watched {
	struct health_target target;
	int dir; /* /proc/PID; -1: it has left */
	bool lacks_file; /* we have no descriptor left for it */
	bool unread; /* its network was not read the last time: it may have left */
	struct cgroup group;
	struct cgroup_values values; /* of the group, as last read */
	bool has_group;
	uint64_t packets; /* net_counters_dev.all_packets of the last reading */
	uint64_t segments; /* of TCP that came in, at the last reading */
	unsigned n_reads;
	int64_t read_at; /* monotonic ns */
	struct health_history history;
	bool keep; /* named in the list that came last */
};

struct health {
	int proc;
	struct cgroup_host host;
	int last_file; /* descriptors from here on are for control groups, readings and the snapshot */
	struct watched *watched;
	uint32_t n;
	char *buf, *route; /* BUFFER bytes each */
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The whole file, or nothing when it is larger than BUFFER. */
static bool read_at(int dir, const char *name, char *buf, struct text *ret)
{
	AUTO(fd_closep) int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : proc_dir_read_fd(fd, buf, BUFFER);

	*ret = (struct text){ .p = buf, .n = n > 0 ? (size_t)n : 0 };
	return n > 0 && n < BUFFER;
}

/* --- targets --- */

static bool is_same_process(int dir, uint64_t start, char *buf)
{
	struct proc_text_stat stat;
	struct text bytes;

	return read_at(dir, "stat", buf, &bytes) && proc_text_stat(bytes, &stat) && (start == ROW_NO_UINT || stat.start == start);
}

static bool has_left(int dir)
{
	struct stat st;

	return fstatat(dir, "stat", &st, 0) < 0 && err_gone(-errno);
}

static void watched_open(struct health *h, struct watched *w)
{
	char name[24];
	struct text bytes;

	snprintf(name, sizeof name, "%llu", (unsigned long long)w->target.pid);
	w->dir = openat(h->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	w->lacks_file = w->dir >= h->last_file || (w->dir < 0 && (errno == EMFILE || errno == ENFILE));
	if (w->dir >= h->last_file)
		fd_closep(&w->dir);
	if (w->dir >= 0 && !is_same_process(w->dir, w->target.start, h->buf))
		fd_closep(&w->dir);
	if (w->target.flags & HEALTH_CONTAINER && read_at(w->dir, "cgroup", h->buf, &bytes))
		w->has_group = cgroup_open(&h->host, bytes, w->target.name_hash, &w->group);
	if (w->has_group)
		cgroup_keep(&w->group, h->last_file);
}

static void watched_close(struct watched *w)
{
	fd_closep(&w->dir);
	if (w->has_group)
		cgroup_close(&w->group);
	w->has_group = false;
}

static struct watched *find(struct health *h, const struct health_target *t)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (h->watched[i].target.id == t->id && h->watched[i].target.pid == t->pid && h->watched[i].target.start == t->start)
			return &h->watched[i];
	return NULL;
}

static void drop_unnamed(struct health *h)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < h->n; i++) {
		if (h->watched[i].keep)
			h->watched[n++] = h->watched[i];
		else
			watched_close(&h->watched[i]);
	}
	h->n = n;
}

static void watch(struct health *h, const struct health_target *targets, uint32_t n)
{
	uint32_t had = h->n, fresh = 0;

	for (uint32_t i = 0; i < h->n; i++)
		h->watched[i].keep = false;
	h->watched = fd_xrealloc(h->watched, h->n + n + 1, sizeof *h->watched);
	for (uint32_t i = 0; i < n; i++) {
		struct watched *w = find(h, &targets[i]);

		if (!w) {
			w = &h->watched[had + fresh++];
			memset(w, 0, sizeof *w);
			w->target = targets[i];
			w->values = (struct cgroup_values){ .cpu_us = UINT64_MAX, .memory_limit = UINT64_MAX, .processes_limit = UINT64_MAX };
		}
		w->keep = true;
	}
	h->n = had + fresh;
	drop_unnamed(h);
	for (uint32_t i = h->n - fresh; i < h->n; i++)
		watched_open(h, &h->watched[i]);
}

/* --- reading --- */

/* True: no packet came or went since the last reading. */
static bool read_traffic(struct health *h, struct watched *w, struct health_counters *c)
{
	bool host = w->target.flags & HEALTH_HOST;
	struct text dev, route = { 0 };
	struct net_counters_dev d;
	bool quiet;

	w->unread = w->target.flags & HEALTH_SHARED_NET || (host && !read_at(w->dir, "net/route", h->route, &route)) ||
		!read_at(w->dir, "net/dev", h->buf, &dev);
	if (w->unread || !net_counters_dev(dev, host ? &route : NULL, &d) || (host && !d.interfaces))
		return false;
	quiet = w->n_reads && d.all_packets == w->packets;
	w->packets = d.all_packets;
	c->v[HEALTH_RX_BYTES] = d.rx_bytes;
	c->v[HEALTH_RX_PACKETS] = d.rx_packets;
	c->v[HEALTH_RX_ERRORS] = d.rx_errors;
	c->v[HEALTH_RX_DROPS] = d.rx_drops;
	c->v[HEALTH_TX_BYTES] = d.tx_bytes;
	c->v[HEALTH_TX_PACKETS] = d.tx_packets;
	c->v[HEALTH_TX_ERRORS] = d.tx_errors;
	c->v[HEALTH_TX_DROPS] = d.tx_drops;
	return quiet;
}

struct counter_name {
	enum health_counter counter;
	const char *prefix, *name;
};

static void take_pairs(struct text bytes, const struct counter_name *names, unsigned n, struct health_counters *c)
{
	for (unsigned i = 0; i < n; i++)
		net_counters_pair(bytes, names[i].prefix, names[i].name, &c->v[names[i].counter]);
}

/* True: a segment of TCP came in since the last reading, or nobody knows. */
static bool read_snmp(struct health *h, struct watched *w, struct health_counters *c)
{
	static const struct counter_name snmp[] = {
		{ HEALTH_SEGMENTS, "Tcp:", "OutSegs" }, { HEALTH_RETRANSMITS, "Tcp:", "RetransSegs" },
		{ HEALTH_RESETS, "Tcp:", "EstabResets" }, { HEALTH_CONNECTIONS, "Tcp:", "CurrEstab" },
	};
	uint64_t before = w->segments;
	struct text bytes;

	if (!read_at(w->dir, "net/snmp", h->buf, &bytes))
		return true;
	take_pairs(bytes, snmp, ARRAY_LEN(snmp), c);
	return !net_counters_pair(bytes, "Tcp:", "InSegs", &w->segments) || w->segments != before;
}

/* Not all targets in the same sample, but each first time. */
static bool is_due(const struct watched *w)
{
	return w->n_reads == 0 || (w->n_reads + w->target.pid) % ALL_EVERY == 0;
}

/* The widest file by far is that of listeners' overflows: none comes about without a segment. `last`: NULL, the first time. */
static void read_protocols(struct health *h, struct watched *w, const struct health_counters *last, struct health_counters *c)
{
	static const struct counter_name netstat[] = {
		{ HEALTH_LISTEN_OVERFLOWS, "TcpExt:", "ListenOverflows" }, { HEALTH_LISTEN_DROPS, "TcpExt:", "ListenDrops" },
	};
	struct text bytes;

	if (w->target.flags & HEALTH_SHARED_NET)
		return;
	if (read_snmp(h, w, c) || !last || is_due(w)) {
		if (read_at(w->dir, "net/netstat", h->buf, &bytes))
			take_pairs(bytes, netstat, ARRAY_LEN(netstat), c);
	} else {
		c->v[HEALTH_LISTEN_OVERFLOWS] = last->v[HEALTH_LISTEN_OVERFLOWS];
		c->v[HEALTH_LISTEN_DROPS] = last->v[HEALTH_LISTEN_DROPS];
	}
	if (read_at(w->dir, "net/sockstat", h->buf, &bytes))
		net_counters_sockstat(bytes, "sockets:", "used", &c->v[HEALTH_SOCKETS]);
}

/* Without a packet TCP has no news, but for segments sent again into an interface that is down: now and then all is read. */
static void keep_protocols(const struct health_counters *last, struct health_counters *c)
{
	memcpy(&c->v[HEALTH_SEGMENTS], &last->v[HEALTH_SEGMENTS], (HEALTH_SOCKETS + 1 - HEALTH_SEGMENTS) * sizeof c->v[0]);
}

static void read_group(struct watched *w, struct health_counters *c)
{
	struct cgroup_values *v = &w->values;

	if (!w->has_group)
		return;
	cgroup_read(&w->group, is_due(w), v);
	c->v[HEALTH_CPU_US] = v->cpu_us;
	c->v[HEALTH_PERIODS] = v->periods;
	c->v[HEALTH_THROTTLED] = v->throttled;
	c->v[HEALTH_MEMORY] = v->memory;
	c->v[HEALTH_PROCESSES] = v->processes;
	c->v[HEALTH_OOM_KILLS] = v->oom_kills;
	w->history.memory_limit = v->memory_limit;
	w->history.processes_limit = v->processes_limit;
}

/* The machine: /proc/stat (first line, in ticks: user nice system idle iowait irq softirq steal) and /proc/meminfo (KiB). */
static void read_machine(struct health *h, struct watched *w, struct health_counters *c)
{
	long hz = sysconf(_SC_CLK_TCK);
	struct text bytes, word;
	uint64_t v, total, available, busy = 0;

	if (!(w->target.flags & HEALTH_HOST))
		return;
	if (hz > 0 && read_at(h->proc, "stat", h->buf, &bytes) && proc_text_word(&bytes, &word)) {
		for (int i = 0; i < 8 && proc_text_word(&bytes, &word) && proc_text_number(word, 10, &v); i++)
			busy += i == 3 || i == 4 ? 0 : v;
		c->v[HEALTH_CPU_US] = busy * (1000000 / (uint64_t)hz);
	}
	if (!read_at(h->proc, "meminfo", h->buf, &bytes) || !cgroup_text_key(bytes, "MemTotal:", &total) ||
		!cgroup_text_key(bytes, "MemAvailable:", &available) || available > total)
		return;
	c->v[HEALTH_MEMORY] = (total - available) * 1024;
	w->history.memory_limit = total * 1024;
}

static void read_target(struct health *h, struct watched *w)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	const struct health_counters *last = health_history_last(&w->history);
	struct health_counters *c;

	if (w->n_reads > 0 && now - w->read_at < HEALTH_LEAST_MS * INT64_C(1000000))
		return;
	w->read_at = now;
	c = health_history_next(&w->history);
	c->time = now;
	c->at = clock_ns(CLOCK_REALTIME);
	if (read_traffic(h, w, c) && last && !is_due(w))
		keep_protocols(last, c);
	else
		read_protocols(h, w, last, c);
	read_group(w, c);
	read_machine(h, w, c);
	w->n_reads++;
}

/* --- the source --- */

static int health_open(struct worker *w, struct err *err)
{
	struct health *h = fd_xcalloc(1, sizeof *h);
	struct rlimit files = { .rlim_max = FILES };
	struct text mountinfo;

	(void)err;
	getrlimit(RLIMIT_NOFILE, &files);
	h->last_file = (int)(files.rlim_max < FILES ? files.rlim_max : FILES) - SPARE_FILES;
	h->proc = worker_target(w)->proc;
	h->buf = fd_xcalloc(1, BUFFER);
	h->route = fd_xcalloc(1, BUFFER);
	read_at(h->proc, "self/mountinfo", h->buf, &mountinfo);
	cgroup_host_open(mountinfo, &h->host);
	*worker_state(w) = h;
	return 0;
}

static int health_sample(struct worker *w, struct builder *b, struct err *err)
{
	struct health *h = *worker_state(w);
	uint32_t lacking = 0;

	(void)err;
	for (uint32_t i = 0; i < h->n; i++) {
		struct watched *t = &h->watched[i];

		lacking += t->lacks_file;
		if (t->dir < 0)
			continue;
		read_target(h, t);
		if (t->unread && has_left(t->dir))
			watched_close(t);
		else
			health_row_build(b, &t->target, &t->history);
	}
	if (lacking)
		builder_note(b, EMFILE, "health of %u targets is not read: the limit of open files (ulimit -Hn) is too low", lacking);
	return 0;
}

static int health_request(struct worker *w, const struct msg *m, struct err *err)
{
	AUTO(fd_freep) struct health_target *list = NULL;
	uint32_t n;

	if (m->request.op != HEALTH_WATCH)
		return err_set(err, EINVAL, "not a request of the health worker");
	list = msg_list(m, sizeof *list, HEALTH_MAX_TARGETS, "targets", &n, err);
	if (!list)
		return -EBADMSG;
	watch(*worker_state(w), list, n);
	return 0;
}

const struct source health_source = {
	.name = "health", .type = &health_row_type, .cage = CAGE_SCAN,
	.open = health_open, .sample = health_sample, .request = health_request,
};
