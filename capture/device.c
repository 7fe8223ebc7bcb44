/* libpcap behind device.h. Never immediate mode: TPACKET_V3 blocks cost a 28th of it per packet (performance.md 1). */
#include "capture/device.h"

#include "capture/bpf.h"
#include "capture/decode/packet.h"
#include "capture/lazy_pcap.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct device {
	pcap_t *pcap;
	uint32_t link_type;
	uint32_t snaplen;
	device_fn fn; /* of the device_read going on */
	void *arg;
};

bool device_name_is_safe(const char *name)
{
	/* Every module of libpcap 1.10 that looks at names; some of them open files or sockets of the host. */
	static const char *const special[] = { "usbmon", "bluetooth", "dbus-", "nflog", "nfqueue", "netmap", "vale", "dpdk",
		"dag", "snf", "septel", "rpcap", "canusb" };
	size_t n = strlen(name);

	if (strcmp(name, "any") == 0)
		return true;
	if (n == 0 || n > 15 || name[0] == '-' || name[0] == '.')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (strncmp(name, special[i], strlen(special[i])) == 0)
			return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_.@-", name[i]))
			return false;
	return true;
}

/* libpcap would open the host's InfiniBand device of that name. */
static bool is_rdma(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/sys/class/infiniband/%s", name);
	return access(path, F_OK) == 0;
}

static int open_failed(pcap_t *p, int status, const char *interface, struct err *err)
{
	const char *why = p ? pcap_geterr(p) : "";

	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
		return rights_refused(err, EPERM, CAP_NET_RAW, -1, "capture on %s", interface);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_set(err, ENODEV, "there is no interface %s", interface);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_set(err, ENETDOWN, "interface %s is down; a capture on \"any\" waits until it is up", interface);
	default:
		return err_set(err, EIO, "capture on %s: %s", interface, why[0] ? why : pcap_statustostr(status));
	}
}

static int configure(pcap_t *p, const struct device_options *o)
{
	return pcap_set_snaplen(p, (int)(o->snaplen ? o->snaplen : DEVICE_SNAPLEN)) ||
		pcap_set_promisc(p, o->promiscuous) || pcap_set_timeout(p, o->hold_ms ? (int)o->hold_ms : 100) ||
		pcap_set_buffer_size(p, o->ring_bytes ? (int)o->ring_bytes : DEVICE_RING_BYTES) || pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
}

/* DLT_RAW has another number in files. */
static uint32_t link_type(pcap_t *p)
{
	int type = pcap_datalink(p);

	return type == DLT_RAW ? LINK_TYPE_RAW : (uint32_t)type;
}

int device_open(const struct device_options *o, struct device **ret, struct err *err)
{
	struct device *d = fd_xcalloc(1, sizeof *d);
	char why[PCAP_ERRBUF_SIZE] = "";
	int r = lazy_pcap_load(err);

	if (r == 0 && (!device_name_is_safe(o->interface) || is_rdma(o->interface)))
		r = err_set(err, EINVAL, "interface \"%s\" has a name that cannot be given to libpcap; capture on \"any\"",
			o->interface);
	if (r == 0)
		d->pcap = pcap_create(o->interface, why);
	if (r == 0 && (!d->pcap || configure(d->pcap, o) != 0))
		r = err_set(err, EIO, "capture on %s: %s", o->interface, why);
	if (r == 0) {
		int status = pcap_activate(d->pcap);

		if (status < 0)
			r = open_failed(d->pcap, status, o->interface, err);
	}
	if (r == 0 && strcmp(o->interface, "any") == 0)
		pcap_set_datalink(d->pcap, DLT_LINUX_SLL2); /* names each packet's interface; kernels without it keep SLL */
	if (r == 0 && pcap_setnonblock(d->pcap, 1, why) < 0)
		r = err_set(err, EIO, "capture on %s: %s", o->interface, why);
	if (r == 0) {
		d->link_type = link_type(d->pcap);
		d->snaplen = (uint32_t)pcap_snapshot(d->pcap);
		r = device_block_all(d, err);
	}
	if (r < 0) {
		device_close(d);
		return r;
	}
	*ret = d;
	return 0;
}

void device_close(struct device *d)
{
	if (!d)
		return;
	if (d->pcap)
		pcap_close(d->pcap);
	free(d);
}

int device_fd(const struct device *d)
{
	return pcap_get_selectable_fd(d->pcap);
}

uint32_t device_link_type(const struct device *d)
{
	return d->link_type;
}

uint32_t device_snaplen(const struct device *d)
{
	return d->snaplen;
}

static int compile(pcap_t *p, const char *prepared, struct bpf_program *ret, struct err *err)
{
	if (pcap_compile(p, ret, prepared, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return bpf_explain(prepared, pcap_geterr(p), err);
	return 0;
}

int device_filter(struct device *d, const char *prepared, bool use, struct err *err)
{
	struct bpf_program program = { 0 };
	int r = compile(d->pcap, prepared, &program, err);

	if (r < 0)
		return r;
	if (use && pcap_setfilter(d->pcap, &program) < 0)
		r = err_set(err, EIO, "put the filter in force: %s", pcap_geterr(d->pcap));
	pcap_freecode(&program);
	return r;
}

int device_check(uint32_t type, uint32_t snaplen, const char *prepared, struct err *err)
{
	pcap_t *p = pcap_open_dead(type == LINK_TYPE_RAW ? DLT_RAW : (int)type, (int)snaplen);
	struct bpf_program program = { 0 };
	int r;

	if (!p)
		return err_set(err, ENOMEM, "check the filter");
	r = compile(p, prepared, &program, err);
	if (r == 0)
		pcap_freecode(&program);
	pcap_close(p);
	return r;
}

int device_block_all(struct device *d, struct err *err)
{
	struct bpf_insn none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct bpf_program program = { .bf_len = 1, .bf_insns = &none };

	if (pcap_setfilter(d->pcap, &program) < 0)
		return err_set(err, EIO, "stop the capture: %s", pcap_geterr(d->pcap));
	return 0;
}

static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct device *d = (struct device *)(void *)user;
	struct device_packet packet = {
		.time = (int64_t)h->ts.tv_sec * 1000000000 + h->ts.tv_usec, /* nanoseconds: asked for in configure */
		.captured = h->caplen,
		.length = h->len,
		.bytes = bytes,
	};

	d->fn(d->arg, &packet);
}

/* Takes the news that the interface went down before libpcap sees it: that would ask for the interface by its old name
 * from then on and give up when it has been renamed meanwhile. rtnetlink tells us what really happened. */
static int take_socket_error(struct device *d)
{
	int code = 0;
	socklen_t n = sizeof code;

	if (getsockopt(pcap_fileno(d->pcap), SOL_SOCKET, SO_ERROR, &code, &n) < 0)
		return errno;
	return code == ENETDOWN ? 0 : code;
}

int device_read(struct device *d, int most, device_fn fn, void *arg, struct err *err)
{
	int n = take_socket_error(d);

	if (n != 0)
		return err_set(err, EIO, "%s", strerrordesc_np(n));
	d->fn = fn;
	d->arg = arg;
	n = pcap_dispatch(d->pcap, most, take, (u_char *)d);
	if (n >= 0)
		return n;
	return err_set(err, n == PCAP_ERROR_IFACE_NOT_UP ? ENETDOWN : ENODEV, "%s", pcap_geterr(d->pcap));
}

/* Not pcap_stats: that reads the host's /sys as well (security.md E-12). The kernel's numbers start again with each reading. */
uint64_t device_drops(struct device *d)
{
	struct tpacket_stats_v3 stats = { 0 };
	socklen_t n = sizeof stats;

	if (getsockopt(pcap_fileno(d->pcap), SOL_PACKET, PACKET_STATISTICS, &stats, &n) < 0)
		return 0;
	return stats.tp_drops;
}
