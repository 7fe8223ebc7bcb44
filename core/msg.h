/*
 * Messages between app, broker and workers: one SOCK_SEQPACKET datagram each, a fixed header and at most MSG_MAX bytes, at most
 * one descriptor (SCM_RIGHTS). Structs are native: both ends are the same binary. Whoever receives checks lengths.
 */
#ifndef NSDBG_CORE_MSG_H
#define NSDBG_CORE_MSG_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum { MSG_MAGIC = 0x6e736462, MSG_MAX = 16384 };

enum msg_type {
	/* app -> broker */
	MSG_OPEN = 1, /* struct msg_open; the descriptor is the worker's end of its channel */
	MSG_CREATE, /* struct msg_create: open a file as the real user; answered by MSG_CREATED */
	MSG_NAME, /* struct msg_name: give or take a name below /run/netns; answered by MSG_CREATED without a descriptor */
	MSG_TOOL, /* struct msg_tool: run a program in a target; the descriptor is the runner's end of its channel */
	/* broker -> app */
	MSG_CREATED, /* struct msg_status; the descriptor is the file */
	MSG_EXITED, /* struct msg_exited: a worker ended; from a runner: its program stopped or ended */
	/* app -> worker */
	MSG_REQUEST, /* struct msg_request; a descriptor may come along */
	/* worker -> app */
	MSG_READY, /* caged, now reading */
	MSG_BLOCK, /* struct msg_block; the descriptor is the sealed memfd */
	MSG_ERROR, /* struct msg_status */
	MSG_GONE, /* the target's process has ended, struct msg_status with nothing set */
	/* app -> runner of a tool (core/tool.h), which answers MSG_READY, MSG_NOTE, MSG_EXITED, MSG_ERROR */
	MSG_TOOL_FD, /* nothing; the tag says which (enum msg_tool_fd), the descriptor is it */
	MSG_TOOL_SIGNAL, /* struct msg_signal */
	/* runner -> app */
	MSG_NOTE, /* struct msg_status: what is not as asked */
};

struct msg_header {
	uint32_t magic;
	uint32_t type; /* enum msg_type */
	uint32_t len; /* bytes after the header */
	uint32_t tag; /* chosen by who asks, echoed by who answers; 0: unasked */
};

/* Which namespaces a worker looks at. Identity of a process is (pid, start). */
enum target_kind { TARGET_NONE, TARGET_HOST, TARGET_PID, TARGET_PATH };
struct target_ref {
	uint32_t kind; /* enum target_kind */
	int32_t pid; /* TARGET_PID; TARGET_PATH below its /proc/PID: who holds the namespace, 0 otherwise */
	uint64_t start; /* field 22 of /proc/PID/stat, clock ticks; 0: not known, do not compare */
	uint64_t netns; /* inode, TARGET_PID of a process that entered it; 0: whatever the process has. With a holder: what it must hold */
	char path[256]; /* TARGET_PATH: an nsfs file such as /run/netns/NAME; of a holder also a socket, /proc/PID/fd/N */
};

enum { MSG_PARAMS = 4096 };
struct msg_open {
	uint32_t source; /* index into the table of sources given to session_start */
	uint32_t n_params; /* bytes of params in use: the source's own struct */
	struct target_ref target;
	unsigned char params[MSG_PARAMS];
};

struct msg_create {
	uint32_t force; /* replace what is there */
	char path[1024];
};

enum msg_name_op { MSG_NAME_ATTACH, MSG_NAME_DETACH };
enum { MSG_NAME_TEXT = 64 };
struct msg_name {
	uint32_t op; /* enum msg_name_op */
	uint32_t zero;
	uint64_t netns; /* DETACH: only while it names this namespace (inode); 0: whatever it names */
	struct target_ref target; /* ATTACH */
	char name[MSG_NAME_TEXT]; /* see netns_name_valid */
};

enum msg_tool_fd { MSG_TOOL_STDIN, MSG_TOOL_STDOUT, MSG_TOOL_STDERR, MSG_TOOL_WORDS, MSG_TOOL_FDS };

/* What core/tool.h explains; words and variables are in a memfd (core/tool/words.h). */
struct msg_tool {
	struct target_ref target;
	uint32_t namespaces; /* CLONE_NEW* to join */
	uint32_t flags; /* TOOL_* */
	uint32_t uid;
	uint32_t gid;
	uint64_t caps; /* bit n = capability n */
	uint32_t n_words;
	uint32_t n_variables;
	char directory[1024]; /* "": as it is */
};

struct msg_signal {
	int32_t signal;
	uint32_t foreground; /* give it the terminal first */
};

struct msg_exited {
	int32_t pid;
	int32_t status; /* as from waitpid */
};

struct msg_status {
	int32_t code; /* positive errno, 0 = fine */
	char msg[192];
};

struct msg_request {
	uint32_t op; /* MSG_OP_SAMPLE or the source's own numbers from 16 on */
	uint32_t n_params;
	unsigned char params[MSG_PARAMS];
};
enum { MSG_OP_SAMPLE = 1 };

struct msg_block {
	uint32_t row_type; /* row_type.id */
	uint32_t zero;
};

struct msg {
	struct msg_header head;
	union {
		unsigned char bytes[MSG_MAX];
		struct msg_open open;
		struct msg_create create;
		struct msg_name name;
		struct msg_tool tool;
		struct msg_signal signal;
		struct msg_exited exited;
		struct msg_status status;
		struct msg_request request;
		struct msg_block block;
	};
	int fd; /* -1: none; owned by whoever received the message */
};

/* Sends one message; `fd` is only lent (-1: none). 0, -EAGAIN (full, non-blocking), -EPIPE (the other side left), -errno. */
int msg_send(int sock, uint32_t type, uint32_t tag, const void *body, size_t len, int fd);

/* The list of fixed-size items that came as the message's descriptor: *ret_n of them, to be freed, with one empty item behind. NULL, with
 * the sentence: there is none, or more than `max` of what `noun` says. */
void *msg_list(const struct msg *m, size_t item, uint32_t max, const char *noun, uint32_t *ret_n, struct err *err);

/* Receives one message, checks magic and lengths (fixed-size types must match), closes surplus descriptors.
 * 1: got one; 0: the other side closed; -EAGAIN; -EBADMSG: not one of ours. `flags`: MSG_DONTWAIT or 0. */
int msg_recv(int sock, struct msg *ret, int flags);

#endif
