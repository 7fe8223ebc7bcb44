/*
 * Records go through one buffer. A regular file gets it in one write; what a full disk leaves of it is cut back to the last whole record
 * (security.md E13). A pipe gets at most PIPE_BUF bytes after poll said there is room: such a write cannot block (pipe(7)).
 */
#include "capture/save.h"

#include "core/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SAVE_FILL = 64 << 10, /* a write is begun when this much is there */
	SAVE_BUFFER = SAVE_FILL + (512 << 10), /* and one more packet of any size */
	SAVE_RECORDS = 4096, /* in one buffer */
	SAVE_WRITES = 64, /* in one step */
};

struct saver {
	int fd;
	bool regular;
	off_t good; /* end of the last whole record in the file */
	const struct record_format *format;
	uint8_t *buffer;
	uint32_t n; /* bytes in it */
	uint32_t at; /* of them written: pipes */
	uint32_t ends[SAVE_RECORDS]; /* of each record in the buffer */
	uint32_t n_records;
	uint32_t n_others; /* heads and ends among them: come first */
	uint64_t next; /* number of the next packet to take */
	uint64_t saved;
	uint64_t missed;
	bool said_end;
	bool waits;
	char problem[96];
};

static void put_record(struct saver *s, size_t n)
{
	if (n == 0)
		return;
	s->n += (uint32_t)n;
	s->ends[s->n_records++] = s->n;
}

struct saver *saver_new(int fd, enum capture_format format, const struct record_file *about, uint64_t from)
{
	struct saver *s = fd_xcalloc(1, sizeof *s);
	int flags = fcntl(fd, F_GETFL);

	s->fd = fd;
	s->next = from;
	s->good = lseek(fd, 0, flags >= 0 && flags & O_APPEND ? SEEK_END : SEEK_CUR);
	s->regular = s->good >= 0;
	s->format = format == CAPTURE_PCAP ? &record_pcap : &record_pcapng;
	s->buffer = fd_xcalloc(1, SAVE_BUFFER);
	put_record(s, s->format->head(about, s->buffer, RECORD_HEAD));
	s->n_others = 1;
	return s;
}

void saver_free(struct saver *s)
{
	if (!s)
		return;
	if (s->fd >= 0 && s->regular)
		fdatasync(s->fd);
	fd_closep(&s->fd);
	free(s->buffer);
	free(s);
}

static void stop(struct saver *s, int code)
{
	const char *why = code == ENOSPC || code == EDQUOT ? "disk full" :
		code == EPIPE				   ? "the reader has left" :
		code == EFBIG				   ? "file size limit reached" :
							     strerrordesc_np(code);

	snprintf(s->problem, sizeof s->problem, "%s: stopped writing after %llu packets", why ? why : "cannot write",
		(unsigned long long)s->saved);
	s->waits = false;
	fd_closep(&s->fd);
}

/* Whole records among the first n bytes of the buffer. */
static uint32_t whole_records(const struct saver *s, size_t n)
{
	uint32_t i = 0;

	while (i < s->n_records && s->ends[i] <= n)
		i++;
	return i;
}

static void count_records(struct saver *s, uint32_t n)
{
	s->saved += n > s->n_others ? n - s->n_others : 0;
}

static void written(struct saver *s)
{
	count_records(s, s->n_records);
	s->good += s->n;
	s->n = s->at = s->n_records = s->n_others = 0;
}

static void write_regular(struct saver *s)
{
	ssize_t r = write(s->fd, s->buffer, s->n);
	uint32_t whole;
	int code;

	if (r == (ssize_t)s->n) {
		written(s);
		return;
	}
	if (r < 0 && errno == EINTR)
		return;
	code = r < 0 ? errno : ENOSPC;
	whole = whole_records(s, r > 0 ? (size_t)r : 0);
	count_records(s, whole);
	s->good += whole ? s->ends[whole - 1] : 0;
	if (ftruncate(s->fd, s->good) < 0) /* a device, perhaps: there is no tail to cut */
		code = code ? code : errno;
	stop(s, code);
}

static bool has_room(const struct saver *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	return poll(&p, 1, 0) > 0;
}

static void write_pipe(struct saver *s)
{
	size_t n = s->n - s->at;
	ssize_t r;

	s->waits = !has_room(s);
	if (s->waits)
		return;
	r = write(s->fd, s->buffer + s->at, n < PIPE_BUF ? n : PIPE_BUF);
	if (r < 0 && (errno == EAGAIN || errno == EINTR)) {
		s->waits = errno == EAGAIN;
		return;
	}
	if (r < 0) {
		count_records(s, whole_records(s, s->at));
		stop(s, errno);
		return;
	}
	s->at += (uint32_t)r;
	if (s->at == s->n)
		written(s);
}

static void take_packets(struct saver *s, const struct spool *spool)
{
	struct spool_packet p;
	uint64_t first = spool_first(spool);

	if (first > s->next) {
		s->missed += first - s->next;
		s->next = first;
	}
	while (s->n < SAVE_FILL && s->n_records < SAVE_RECORDS && spool_get(spool, s->next, &p)) {
		put_record(s, s->format->packet(&p, s->buffer + s->n, SAVE_BUFFER - s->n));
		s->next++;
		s->said_end = false;
	}
}

static void take_end(struct saver *s, const struct record_end *end)
{
	if (!end || s->said_end)
		return;
	s->said_end = true;
	if (!s->format->end)
		return;
	put_record(s, s->format->end(end, s->buffer + s->n, RECORD_HEAD));
	s->n_others++;
}

/* The buffer is empty or holds only the head: fills it. False when there is nothing to write. */
static bool fill(struct saver *s, const struct spool *spool, const struct record_end *end)
{
	if (s->at > 0)
		return true;
	if (s->n_records <= s->n_others)
		take_packets(s, spool);
	if (s->n == 0)
		take_end(s, end);
	return s->n > 0;
}

bool saver_step(struct saver *s, const struct spool *spool, const struct record_end *end)
{
	s->waits = false;
	for (int i = 0; i < SAVE_WRITES && s->fd >= 0; i++) {
		if (!fill(s, spool, end))
			return false;
		if (s->regular)
			write_regular(s);
		else
			write_pipe(s);
		if (s->waits)
			return false;
	}
	return s->fd >= 0;
}

void saver_restart(struct saver *s, const struct spool *spool)
{
	uint64_t last = spool_last(spool);

	if (last >= s->next)
		s->missed += last + 1 - s->next;
	s->next = 1;
}

int saver_fd(const struct saver *s)
{
	return s->waits ? s->fd : -1;
}

bool saver_waits(const struct saver *s)
{
	return s->waits;
}

bool saver_is_behind(const struct saver *s, const struct spool *spool)
{
	return s->fd >= 0 && (s->n > 0 || s->next <= spool_last(spool));
}

bool saver_has_ended(const struct saver *s)
{
	return s->fd < 0;
}

uint64_t saver_saved(const struct saver *s)
{
	return s->saved;
}

uint64_t saver_missed(const struct saver *s)
{
	return s->missed;
}

const char *saver_problem(const struct saver *s)
{
	return s->problem;
}
