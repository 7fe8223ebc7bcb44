/* The front's end of a tool: see tool.h. Everything the runner needs goes over one channel, a descriptor a message. */
#include "core/tool.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/session.h"
#include "core/tool/words.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct tool {
	int fd;
	bool ended;
};

static void fill(const struct tool_spec *spec, struct msg_tool *ret)
{
	*ret = (struct msg_tool){ .target = spec->target, .namespaces = spec->namespaces, .flags = spec->flags, .uid = spec->uid,
		.gid = spec->gid, .caps = spec->caps, .n_words = spec->n_words, .n_variables = spec->n_variables };
	if (spec->directory)
		snprintf(ret->directory, sizeof ret->directory, "%s", spec->directory);
}

static int hand_over(struct session *s, const struct tool_spec *spec, int near, int far, int words, struct err *err)
{
	const int fds[MSG_TOOL_FDS] = { spec->fds[0], spec->fds[1], spec->fds[2], words };
	struct msg_tool m;
	uint32_t tag;
	int r;

	fill(spec, &m);
	r = session_send(s, MSG_TOOL, &m, sizeof m, far, &tag, err);
	for (uint32_t i = 0; r == 0 && i < MSG_TOOL_FDS; i++)
		if (msg_send(near, MSG_TOOL_FD, i, NULL, 0, fds[i]) < 0)
			r = err_set(err, EPIPE, "hand the tool's descriptors over");
	return r;
}

struct tool *session_tool(struct session *s, const struct tool_spec *spec, struct err *err)
{
	AUTO(fd_closep) int words = tool_words_pack(spec->words, spec->n_words, spec->variables, spec->n_variables, err);
	struct tool *t;
	int pair[2], r;

	if (words < 0)
		return NULL;
	if (spec->directory && strlen(spec->directory) >= sizeof(struct msg_tool){ 0 }.directory) {
		err_set(err, ENAMETOOLONG, "the working directory's name is too long");
		return NULL;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_set(err, errno, "make a channel to the tool");
		return NULL;
	}
	r = hand_over(s, spec, pair[0], pair[1], words, err);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return NULL;
	}
	t = fd_xcalloc(1, sizeof *t);
	t->fd = pair[0];
	return t;
}

int tool_fd(const struct tool *t)
{
	return t->fd;
}

static void take(struct tool *t, struct msg *m, struct tool_event *ret)
{
	if (m->head.type == MSG_READY) {
		ret->type = TOOL_STARTED;
	} else if (m->head.type == MSG_EXITED) {
		ret->type = WIFSTOPPED(m->exited.status) ? TOOL_STOPPED : TOOL_ENDED;
		ret->status = m->exited.status;
	} else if (m->head.type == MSG_ERROR || m->head.type == MSG_NOTE) {
		m->status.msg[sizeof m->status.msg - 1] = 0;
		ret->type = m->head.type == MSG_NOTE ? TOOL_NOTE : TOOL_FAILED;
		ret->code = m->status.code;
		ret->exec_failed = m->head.tag != 0;
		snprintf(ret->msg, sizeof ret->msg, "%s", m->status.msg);
	}
	t->ended = ret->type == TOOL_ENDED || ret->type == TOOL_FAILED;
}

void tool_read(struct tool *t, struct tool_event *ret)
{
	struct msg m;
	int r;

	*ret = (struct tool_event){ .type = TOOL_NOTHING };
	if (t->ended)
		return;
	r = msg_recv(t->fd, &m, MSG_DONTWAIT);
	if (r == -EAGAIN)
		return;
	if (r == 1) {
		take(t, &m, ret);
		fd_closep(&m.fd);
		return;
	}
	t->ended = true;
	*ret = (struct tool_event){ .type = TOOL_FAILED, .code = EPIPE };
	snprintf(ret->msg, sizeof ret->msg, "the process that ran the tool was killed");
}

static int send_signal(struct tool *t, int signal, bool foreground)
{
	struct msg_signal m = { .signal = signal, .foreground = foreground };

	return t->ended ? -EPIPE : msg_send(t->fd, MSG_TOOL_SIGNAL, 0, &m, sizeof m, -1);
}

int tool_signal(struct tool *t, int signal)
{
	return send_signal(t, signal, false);
}

int tool_continue(struct tool *t, bool foreground)
{
	return send_signal(t, SIGCONT, foreground);
}

void tool_free(struct tool *t)
{
	if (!t)
		return;
	close(t->fd);
	free(t);
}

/* --- pseudo-terminal --- */

int tool_pty(const struct winsize *size, int like, int *ret_master, int *ret_slave, struct err *err)
{
	AUTO(fd_closep) int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	AUTO(fd_closep) int slave = -1;
	struct termios settings;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return err_set(err, errno, "open a pseudo-terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(err, errno, "open a pseudo-terminal");
	if (like >= 0 && tcgetattr(like, &settings) == 0)
		tcsetattr(slave, TCSANOW, &settings);
	if (size)
		ioctl(master, TIOCSWINSZ, size);
	*ret_master = fd_take(&master);
	*ret_slave = fd_take(&slave);
	return 0;
}
