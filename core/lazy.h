/*
 * Libraries that only few processes need are loaded by those, at their first call: libcurl brings 35 others along and costs every
 * command 8 ms when the program is linked with it (measured on glibc 2.36). Their functions are defined here a second time, each
 * passing its call on (lazy_curl.c, capture/lazy_pcap.c), so code that uses such a library reads as if it were linked.
 */
#ifndef NSDBG_CORE_LAZY_H
#define NSDBG_CORE_LAZY_H

struct err;

/* Loads libcurl; for processes that go into a cage: there no file can be opened. 0 or -ENOENT with a sentence. */
int lazy_curl_load(struct err *err);

/* The first library of `names` (NULL ends) that is there; stays loaded. NULL: none of them. dlopen(3) */
void *lazy_open(const char *const *names);

#endif
