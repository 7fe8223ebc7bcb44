/*
 * The reader's end of the channel to the mover: see docker_calls.h. Frames are checked for size and tag; answers to calls that were
 * given up are dropped, since tags are never used twice.
 */
#include "core/engine/docker_calls.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS_SLOT = DOCKER_CALLS, FRAMES_A_TURN = 64, KEPT_BUFFER = 64 << 10 };

/* Answers without an end have a slot of their own. */
static bool is_stream(uint32_t kind)
{
	return kind == MOVER_EVENTS || kind == MOVER_CTR_EVENTS || kind == MOVER_CRI_EVENTS;
}

void docker_calls_init(struct docker_calls *c, int fd)
{
	*c = (struct docker_calls){ .fd = fd };
}

/* A small buffer stays for the next call. */
static void call_free(struct docker_calls *c, struct docker_call *call)
{
	if (call->tag && !is_stream(call->kind))
		c->n_busy--;
	call->tag = 0;
	call->n = 0;
	if (call->cap <= KEPT_BUFFER)
		return;
	free(call->body);
	call->body = NULL;
	call->cap = 0;
}

static void give_up(struct docker_calls *c)
{
	for (unsigned i = 0; i < DOCKER_CALLS + 1; i++)
		call_free(c, &c->slots[i]);
}

void docker_calls_done(struct docker_calls *c)
{
	give_up(c);
	for (unsigned i = 0; i < DOCKER_CALLS + 1; i++)
		free(c->slots[i].body);
}

static struct docker_call *free_slot(struct docker_calls *c, enum mover_kind kind)
{
	if (is_stream(kind))
		return c->slots[EVENTS_SLOT].tag ? NULL : &c->slots[EVENTS_SLOT];
	for (unsigned i = 0; i < DOCKER_CALLS; i++)
		if (!c->slots[i].tag)
			return &c->slots[i];
	return NULL;
}

bool docker_calls_have_room(const struct docker_calls *c, enum mover_kind kind)
{
	return is_stream(kind) ? !c->slots[EVENTS_SLOT].tag : c->n_busy < DOCKER_CALLS;
}

bool docker_calls_is_busy(const struct docker_calls *c, enum mover_kind kind)
{
	for (unsigned i = 0; i < DOCKER_CALLS + 1; i++)
		if (c->slots[i].tag && c->slots[i].kind == kind)
			return true;
	return false;
}

/* Requests are small and few: they always fit the socket's buffer. */
static int send_request(struct docker_calls *c, const struct mover_request *r)
{
	return write(c->fd, r, sizeof *r) == sizeof *r ? 0 : -EPIPE;
}

int docker_calls_start(struct docker_calls *c, enum mover_kind kind, const struct mover_request *as)
{
	struct docker_call *call = free_slot(c, kind);
	struct mover_request r = *as;
	int ret;

	if (!call)
		return -EAGAIN;
	if (++c->last_tag == 0)
		c->last_tag = 1;
	r.kind = kind;
	r.tag = c->last_tag;
	ret = send_request(c, &r);
	if (ret < 0)
		return ret;
	call->tag = r.tag;
	call->kind = kind;
	call->n = 0;
	memcpy(call->id, r.id, sizeof call->id);
	memcpy(call->space, r.space, sizeof call->space);
	c->n_busy += !is_stream(kind);
	return 0;
}

int docker_calls_reset(struct docker_calls *c)
{
	struct mover_request r = { .kind = MOVER_RESET };

	give_up(c);
	return send_request(c, &r);
}

void docker_calls_eat(struct docker_call *call, size_t n)
{
	n = n < call->n ? n : call->n;
	call->n -= n;
	if (call->n)
		memmove(call->body, call->body + n, call->n);
}

static int append(struct docker_call *call, const void *bytes, size_t n)
{
	if (n > MOVER_MAX_LIST + 1 - call->n) /* the mover keeps the limit; this is about a mover gone wrong */
		return -EBADMSG;
	if (call->n + n > call->cap) {
		call->cap = call->n + n > 8192 ? (call->n + n) * 2 : 8192;
		call->body = fd_xrealloc(call->body, call->cap, 1);
	}
	if (n)
		memcpy(call->body + call->n, bytes, n);
	call->n += n;
	return 0;
}

static struct docker_call *find(struct docker_calls *c, uint32_t tag)
{
	for (unsigned i = 0; tag && i < DOCKER_CALLS + 1; i++)
		if (c->slots[i].tag == tag)
			return &c->slots[i];
	return NULL;
}

struct frame {
	struct mover_head head;
	unsigned char bytes[sizeof(struct mover_done) + MOVER_CHUNK];
};

static int take_frame(struct docker_calls *c, const struct frame *f, docker_calls_fn fn, void *arg, struct err *err)
{
	struct docker_call *call = find(c, f->head.tag);
	const unsigned char *body = f->bytes;
	size_t n = f->head.len;
	struct mover_done done;
	uint32_t tag;

	if (f->head.type == MOVER_DONE) {
		if (n < sizeof done)
			return -EBADMSG;
		memcpy(&done, body, sizeof done);
		done.msg[sizeof done.msg - 1] = done.api[sizeof done.api - 1] = done.server[sizeof done.server - 1] = 0;
		body += sizeof done;
		n -= sizeof done;
		if (f->head.tag == 0) /* the mover could not even begin */
			return err_set(err, done.code, "%s", done.msg);
	} else if (f->head.type != MOVER_BODY) {
		return -EBADMSG;
	}
	if (!call)
		return 0;
	if (append(call, body, n) < 0)
		return -EBADMSG;
	if (f->head.type == MOVER_BODY && !is_stream(call->kind))
		return 0;
	tag = call->tag;
	fn(arg, call, f->head.type == MOVER_DONE ? &done : NULL);
	if (f->head.type == MOVER_DONE && call->tag == tag) /* fn may have reset everything */
		call_free(c, call);
	return 0;
}

int docker_calls_read(struct docker_calls *c, docker_calls_fn fn, void *arg, struct err *err)
{
	struct frame f;

	for (unsigned i = 0; i < FRAMES_A_TURN; i++) {
		ssize_t n = read(c->fd, &f, sizeof f);
		int r;

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		if ((size_t)n < sizeof f.head || f.head.len != (size_t)n - sizeof f.head)
			return -EBADMSG;
		r = take_frame(c, &f, fn, arg, err);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}
