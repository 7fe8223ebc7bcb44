/* libpcap's functions that we use, each passing its call on to the library, which is loaded by the first of them: see core/lazy.h. */
#include "capture/lazy_pcap.h"

#include "core/err.h"
#include "core/lazy.h"

#include <dlfcn.h>
#include <errno.h>
#include <pcap/pcap.h>

/* Loaded code stays for the life of the process, as if it were linked: that is all the state there is. */
static void *symbol(const char *name)
{
	static const char *const names[] = { "libpcap.so.1", "libpcap.so.0.8", NULL }; /* Debian's has the older name */
	static void *library;

	if (!library)
		library = lazy_open(names);
	return library ? dlsym(library, name) : NULL;
}

int lazy_pcap_load(struct err *err)
{
	if (!symbol("pcap_create"))
		return err_set(err, ENOENT, "libpcap is missing: install the package libpcap0.8 or libpcap");
	return 0;
}

#define PASS(type, name, parameters, arguments, none) \
	type name parameters \
	{ \
		type(*real) parameters = (type(*) parameters)symbol(#name); \
\
		return real ? real arguments : none; \
	}
#define PASS_VOID(name, parameters, arguments) \
	void name parameters \
	{ \
		void(*real) parameters = (void (*) parameters)symbol(#name); \
\
		if (real) \
			real arguments; \
	}

PASS(pcap_t *, pcap_create, (const char *interface, char *why), (interface, why), NULL)
PASS(pcap_t *, pcap_open_dead, (int type, int snaplen), (type, snaplen), NULL)
PASS_VOID(pcap_close, (pcap_t * p), (p))
PASS(int, pcap_activate, (pcap_t * p), (p), PCAP_ERROR)
PASS(int, pcap_set_snaplen, (pcap_t * p, int n), (p, n), PCAP_ERROR)
PASS(int, pcap_set_promisc, (pcap_t * p, int on), (p, on), PCAP_ERROR)
PASS(int, pcap_set_timeout, (pcap_t * p, int ms), (p, ms), PCAP_ERROR)
PASS(int, pcap_set_buffer_size, (pcap_t * p, int n), (p, n), PCAP_ERROR)
PASS(int, pcap_set_tstamp_precision, (pcap_t * p, int precision), (p, precision), PCAP_ERROR)
PASS(int, pcap_set_datalink, (pcap_t * p, int type), (p, type), PCAP_ERROR)
PASS(int, pcap_setnonblock, (pcap_t * p, int on, char *why), (p, on, why), PCAP_ERROR)
PASS(int, pcap_setfilter, (pcap_t * p, struct bpf_program *program), (p, program), PCAP_ERROR)
PASS(int, pcap_compile, (pcap_t * p, struct bpf_program *program, const char *text, int optimize, bpf_u_int32 mask),
	(p, program, text, optimize, mask), PCAP_ERROR)
PASS_VOID(pcap_freecode, (struct bpf_program * program), (program))
PASS(int, pcap_dispatch, (pcap_t * p, int most, pcap_handler fn, u_char *arg), (p, most, fn, arg), PCAP_ERROR)
PASS(int, pcap_datalink, (pcap_t * p), (p), PCAP_ERROR)
PASS(int, pcap_snapshot, (pcap_t * p), (p), PCAP_ERROR)
PASS(int, pcap_fileno, (pcap_t * p), (p), -1)
PASS(int, pcap_get_selectable_fd, (pcap_t * p), (p), -1)
PASS(char *, pcap_geterr, (pcap_t * p), (p), (char *)"libpcap is missing")
PASS(const char *, pcap_statustostr, (int status), (status), "libpcap is missing")
