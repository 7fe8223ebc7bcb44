/*
 * The one open packet ring of a capture: libpcap with TPACKET_V3, opened with privilege, used without. Knows the traps: names that
 * libpcap treats specially, silent interfaces, ENETDOWN, filters changed while packets come.
 */
#ifndef NSDBG_CAPTURE_DEVICE_H
#define NSDBG_CAPTURE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct err;

enum { DEVICE_SNAPLEN = 262144, DEVICE_RING_BYTES = 16 << 20 };

struct device_options {
	const char *interface; /* a name, or "any" */
	uint32_t snaplen; /* 0: DEVICE_SNAPLEN */
	bool promiscuous;
	uint32_t ring_bytes; /* 0: DEVICE_RING_BYTES */
	uint32_t hold_ms; /* the kernel hands packets over after so long at the latest; 0: 100 */
};

struct device_packet {
	int64_t time; /* ns since 1970 */
	uint32_t captured;
	uint32_t length;
	const uint8_t *bytes; /* during the call */
};
typedef void (*device_fn)(void *arg, const struct device_packet *packet);

/* May this name be given to libpcap? It opens other things than network interfaces for some (usbmon1, dbus-system, nflog:5). */
bool device_name_is_safe(const char *name);

/* Opens and starts the ring; needs CAP_NET_RAW. Packets of every kind are held back until device_filter. */
int device_open(const struct device_options *o, struct device **ret, struct err *err);
void device_close(struct device *d); /* NULL is fine */

int device_fd(const struct device *d); /* to poll for reading */
uint32_t device_link_type(const struct device *d); /* as in files: enum link_type */
uint32_t device_snaplen(const struct device *d);

/* Compiles a prepared filter (capture/bpf.h) and puts it in force when `use`. */
int device_filter(struct device *d, const char *prepared, bool use, struct err *err);
/* The same for a capture whose ring is closed: only compiles. */
int device_check(uint32_t link_type, uint32_t snaplen, const char *prepared, struct err *err);
/* From now on nothing passes. What is in the ring already can still be read. */
int device_block_all(struct device *d, struct err *err);

/* Hands out at most `most` packets that are there, without waiting. Count, or -errno: -ENODEV the interface is gone. */
int device_read(struct device *d, int most, device_fn fn, void *arg, struct err *err);

/* Packets that the kernel had no room for, since the last call. */
uint64_t device_drops(struct device *d);

#endif
