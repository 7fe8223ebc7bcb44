/* One datagram, one message: see msg.h. unix(7), seqpacket; SCM_RIGHTS for at most one descriptor. */
#include "core/msg.h"

#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(8 * sizeof(int))];
};

int msg_send(int sock, uint32_t type, uint32_t tag, const void *body, size_t len, int fd)
{
	struct msg_header head = { .magic = MSG_MAGIC, .type = type, .len = (uint32_t)len, .tag = tag };
	struct iovec iov[2] = { { &head, sizeof head }, { (void *)(uintptr_t)body, len } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = len ? 2 : 1 };
	union control c = { 0 };

	if (len > MSG_MAX)
		return -EMSGSIZE;
	if (fd >= 0) {
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(sizeof fd);
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&c.head), &fd, sizeof fd);
	}
	while (sendmsg(sock, &m, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Keeps the first descriptor, closes the rest. */
static int take_fd(struct msghdr *m)
{
	int kept = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (kept < 0)
				kept = fd;
			else
				close(fd);
		}
	}
	return kept;
}

static bool body_fits(const struct msg_header *h)
{
	switch ((enum msg_type)h->type) {
	case MSG_OPEN:
		return h->len == sizeof(struct msg_open);
	case MSG_CREATE:
		return h->len == sizeof(struct msg_create);
	case MSG_NAME:
		return h->len == sizeof(struct msg_name);
	case MSG_TOOL:
		return h->len == sizeof(struct msg_tool);
	case MSG_TOOL_SIGNAL:
		return h->len == sizeof(struct msg_signal);
	case MSG_EXITED:
		return h->len == sizeof(struct msg_exited);
	case MSG_CREATED:
	case MSG_ERROR:
	case MSG_GONE:
	case MSG_NOTE:
		return h->len == sizeof(struct msg_status);
	case MSG_REQUEST:
		return h->len == sizeof(struct msg_request);
	case MSG_BLOCK:
		return h->len == sizeof(struct msg_block);
	case MSG_READY:
	case MSG_TOOL_FD:
		return h->len == 0;
	}
	return false;
}

int msg_recv(int sock, struct msg *ret, int flags)
{
	struct iovec iov[2] = { { &ret->head, sizeof ret->head }, { ret->bytes, sizeof ret->bytes } };
	union control c;
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = &c, .msg_controllen = sizeof c };
	AUTO(fd_closep) int fd = -1;
	ssize_t n;

	ret->fd = -1;
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	fd = take_fd(&m);
	if (n == 0)
		return 0;
	if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (size_t)n < sizeof ret->head || ret->head.magic != MSG_MAGIC)
		return -EBADMSG;
	if (ret->head.len != (size_t)n - sizeof ret->head || !body_fits(&ret->head))
		return -EBADMSG;
	ret->fd = fd_take(&fd);
	return 1;
}

void *msg_list(const struct msg *m, size_t item, uint32_t max, const char *noun, uint32_t *ret_n, struct err *err)
{
	/* glibc's fstat is a system call that looks for files: refused in a cage */
	off_t size = m->fd < 0 ? -1 : lseek(m->fd, 0, SEEK_END);
	AUTO(fd_freep) void *list = NULL;

	if (size < 0 || (uint64_t)size > (uint64_t)max * item) {
		err_set(err, E2BIG, "no list of %s, or more than %" PRIu32, noun, max);
		return NULL;
	}
	*ret_n = (uint32_t)((size_t)size / item);
	list = fd_xcalloc((size_t)*ret_n + 1, item);
	if (pread(m->fd, list, *ret_n * item, 0) != (ssize_t)(*ret_n * item)) {
		err_set(err, EBADMSG, "the list of %s cannot be read", noun);
		return NULL;
	}
	return fd_ptr_take(&list);
}
