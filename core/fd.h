/* File descriptors and memory that free themselves when their scope ends. All fds are O_CLOEXEC; -1 means none. */
#ifndef NSDBG_CORE_FD_H
#define NSDBG_CORE_FD_H

#include <stddef.h>
#include <sys/types.h>

#define AUTO(f)      __attribute__((cleanup(f)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Closes *fd once if it is not -1, keeps errno, sets it to -1. */
void fd_closep(int *fd);

/* Hands the descriptor on: returns *fd and sets it to -1. */
int fd_take(int *fd);

/* Reads until `cap` bytes or end of file; returns the count or -errno. */
ssize_t fd_read_all(int fd, void *buf, size_t cap);

/* Writes everything (EINTR, short writes); returns 0 or -errno. Blocking descriptors only. */
int fd_write_all(int fd, const void *buf, size_t len);

/* free() for AUTO: AUTO(fd_freep) char *p = NULL. */
void fd_freep(void *p);

/* Hands memory on: returns *(void **)p and sets it to NULL. */
void *fd_ptr_take(void *p);

/* calloc and realloc that end the process with a sentence when memory is out: start-up and lists only. */
void *fd_xcalloc(size_t n, size_t size);
void *fd_xrealloc(void *old, size_t n, size_t size);

#endif
