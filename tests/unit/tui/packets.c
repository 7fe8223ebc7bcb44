/* One TCP connect that gets no answer, some DNS and HTTP, and a segment with an escape sequence where text is expected. */
#include "packets.h"

#include "capture/capture.h"
#include "core/dns/ask.h"
#include "core/fd.h"
#include "core/source/files.h"
#include "core/target.h"

#include <string.h>

static struct addr ip(const char *text)
{
	struct addr a = { 0 };

	addr_parse(text, &a);
	return a;
}

struct block *packets_targets(void)
{
	static const struct { const char *name, *address; } rows[] = {
		{ "shop-api-1", "172.18.0.5" }, { "shop-db-1", "172.18.0.3" }, { "shop-cache-1", "172.18.0.4" },
	};
	struct builder *b = builder_new(&target_row_type);
	struct block *ret;

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct str networks = ROW_NO_TEXT, addresses = ROW_NO_TEXT;
		struct target_row *t;

		builder_list_add(b, &networks, "shop_default", 12);
		builder_list_add(b, &addresses, rows[i].address, strlen(rows[i].address));
		t = builder_row(b);
		t->head = (struct row_head){ .id = i + 1, .severity = SEVERITY_OK, .flags = TARGET_IS_CONTAINER };
		t->name = t->id = builder_str(b, rows[i].name);
		t->runtime = builder_str(b, "docker");
		t->state = TARGET_STATE_RUNNING;
		t->health = ROW_NO_ENUM;
		t->pid = 1000 + i;
		t->start = t->netns = ROW_NO_UINT;
		t->networks = networks;
		t->addresses = addresses;
		t->image = t->command = t->network_mode = t->shares_with = t->hostname = t->project = t->path = t->problem = ROW_NO_TEXT;
		t->created_at = t->started_at = t->finished_at = t->as_of = t->exit_code = ROW_NO_INT;
		t->restarts = t->processes = ROW_NO_UINT;
		t->oom_killed = ROW_NO_BOOL;
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static const struct packet {
	int64_t us;
	const char *source;
	uint64_t source_port;
	const char *destination;
	uint64_t destination_port;
	const char *protocol;
	uint64_t length;
	const char *info;
	enum severity severity;
} packets[PACKETS_N] = {
	{ 0, "172.18.0.5", 43012, "172.18.0.3", 5432, "TCP", 74, "SYN seq=0 win=64240 mss=1460", SEVERITY_NONE },
	{ 1004112, "172.18.0.5", 43012, "172.18.0.3", 5432, "TCP", 74, "SYN seq=0 win=64240 mss=1460", SEVERITY_NONE },
	{ 1402007, "172.18.0.5", 46655, "127.0.0.11", 53, "DNS", 75, "A? db.default.svc", SEVERITY_NONE },
	{ 1402911, "127.0.0.11", 53, "172.18.0.5", 46655, "DNS", 91, "A 172.18.0.3 ttl 600 (A? db.default.svc)", SEVERITY_NONE },
	{ 3020419, "172.18.0.5", 43012, "172.18.0.3", 5432, "TCP", 74, "SYN seq=0 win=64240 mss=1460", SEVERITY_NONE },
	{ 3100201, "fd00::14", 51030, "fd00::5", 8080, "TCP", 412, "PSH ACK seq=1 ack=1 len=346", SEVERITY_NONE },
	{ 3101750, "fd00::5", 8080, "fd00::14", 51030, "TCP", 188, "PSH ACK seq=1 ack=347 len=122", SEVERITY_NONE },
	{ 3240022, "172.18.0.4", 6379, "172.18.0.5", 51022, "TCP", 66, "ACK seq=9 ack=1 win=0 \033[31mzero", SEVERITY_WARN },
	{ 7036811, "172.18.0.5", 43012, "172.18.0.3", 5432, "TCP", 74, "SYN seq=0 win=64240 mss=1460", SEVERITY_NONE },
	{ 7101004, "203.0.113.9", ROW_NO_UINT, "172.18.0.5", ROW_NO_UINT, "ICMP", 102, "port unreachable", SEVERITY_WARN },
	{ 7102410, "02:42:ac:12:00:05", ROW_NO_UINT, "ff:ff:ff:ff:ff:ff", ROW_NO_UINT, "ARP", 42, "who has 172.18.0.3? tell 172.18.0.5",
		SEVERITY_NONE },
};

struct block *packets_page(uint64_t from, uint32_t n)
{
	struct builder *b = builder_new(&packet_row_type);
	struct block *ret;

	for (uint64_t i = from; i < from + n; i++) {
		const struct packet *p = &packets[i % PACKETS_N];
		struct packet_row *r = builder_row(b);

		r->head = (struct row_head){ .id = i + 1, .severity = p->severity };
		r->number = i + 1;
		r->time = PACKETS_NOW - 42000000000 + p->us * 1000 + (int64_t)(i / PACKETS_N) * 10000000000;
		r->interface = builder_str(b, "eth0");
		r->source = ip(p->source);
		r->source_port = p->source_port;
		r->destination = ip(p->destination);
		r->destination_port = p->destination_port;
		r->protocol = builder_str(b, p->protocol);
		r->length = r->captured = p->length;
		r->info = builder_str(b, p->info);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static const struct layer {
	uint64_t depth;
	const char *label, *value;
	uint64_t offset, length;
	enum severity severity;
} layers[] = {
	{ 0, "Frame 9", "74 bytes, 14:06:31.036811, in eth0", 0, 0, SEVERITY_NONE },
	{ 0, "Ethernet", "02:42:ac:12:00:05 > 02:42:ac:12:00:03", 0, 14, SEVERITY_NONE },
	{ 1, "Destination", "02:42:ac:12:00:03", 0, 6, SEVERITY_NONE },
	{ 1, "Source", "02:42:ac:12:00:05", 6, 6, SEVERITY_NONE },
	{ 1, "Type", "0x0800 IPv4", 12, 2, SEVERITY_NONE },
	{ 0, "IPv4", "172.18.0.5 > 172.18.0.3, ttl 64, id 0x1c2e, DF, length 60", 14, 20, SEVERITY_NONE },
	{ 1, "Version", "4", 14, 1, SEVERITY_NONE },
	{ 1, "Flags", "DF", 20, 2, SEVERITY_NONE },
	{ 2, "Don't fragment", "set", 20, 1, SEVERITY_NONE },
	{ 1, "Header checksum", "0xc64f correct", 24, 2, SEVERITY_NONE },
	{ 0, "TCP", "43012 > 5432, SYN", 34, 40, SEVERITY_NONE },
	{ 1, "Source port", "43012", 34, 2, SEVERITY_NONE },
	{ 1, "Destination port", "5432", 36, 2, SEVERITY_NONE },
	{ 1, "Sequence number", "3521112044", 38, 4, SEVERITY_NONE },
	{ 1, "Flags", "SYN", 46, 2, SEVERITY_NONE },
	{ 1, "Window", "64240", 48, 2, SEVERITY_NONE },
	{ 1, "Checksum", "0x58a7 wrong (may be offloaded)", 50, 2, SEVERITY_WARN },
	{ 1, "Options", "mss 1460, sackOK, ts 91244112 0, nop, wscale 7", 54, 20, SEVERITY_NONE },
};

struct block *packets_layers(void)
{
	struct builder *b = builder_new(&layer_row_type);
	struct block *ret;

	for (unsigned i = 0; i < ARRAY_LEN(layers); i++) {
		struct layer_row *r = builder_row(b);

		r->head = (struct row_head){ .id = i, .severity = layers[i].severity };
		r->depth = layers[i].depth;
		r->label = builder_str(b, layers[i].label);
		r->value = builder_str(b, layers[i].value);
		r->offset = layers[i].offset;
		r->length = layers[i].length;
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

struct block *packets_bytes(uint64_t number)
{
	static const char bytes[] =
		"\x02\x42\xac\x12\x00\x03\x02\x42\xac\x12\x00\x05\x08\x00\x45\x00\x00\x3c\x1c\x2e\x40\x00\x40\x06\xc6\x4f\xac\x12\x00\x05"
		"\xac\x12\x00\x03\xa8\x04\x15\x38\xd1\xdf\x27\x2c\x00\x00\x00\x00\xa0\x02\xfa\xf0\x58\xa7\x00\x00\x02\x04\x05\xb4\x04\x02"
		"\x08\x0a\x05\x70\x3a\x50\x00\x00\x00\x00\x01\x03\x03\x07";
	struct builder *b = builder_new(&bytes_row_type);
	struct bytes_row *r = builder_row(b);
	struct block *ret;

	r->number = number;
	r->bytes = builder_text(b, bytes, sizeof bytes - 1);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

struct block *packets_status(uint64_t received, uint64_t shown, bool running)
{
	struct builder *b = builder_new(&capture_row_type);
	struct capture_row *r = builder_row(b);
	struct block *ret;

	r->interface = builder_str(b, "eth0");
	r->filter = builder_str(b, "host 172.18.0.3 or port 53 or port 8080");
	r->running = running;
	r->received = received;
	r->shown = shown;
	r->first = received ? 1 : 0;
	r->last = received;
	r->bytes = received * 200;
	r->dropped = r->overwritten = r->saved = 0;
	r->started_at = PACKETS_NOW - 42000000000;
	r->note = ROW_NO_TEXT;
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

struct block *packets_interfaces(void)
{
	static const char *const names[] = { "eth0", "lo" };
	struct builder *b = builder_new(&interface_row_type);
	struct block *ret;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		struct str addresses = ROW_NO_TEXT;
		struct interface_row *r;

		builder_list_add(b, &addresses, i ? "127.0.0.1/8" : "172.18.0.5/16", i ? 11 : 13);
		r = builder_row(b);
		r->name = builder_str(b, names[i]);
		r->addresses = addresses;
		r->index = 2 - i;
		r->up = 1;
		r->loopback = i == 1;
		r->mac = addr_mac("\x02\x42\xac\x12\x00\x05");
		r->mtu = i ? 65536 : 1500;
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

struct block *packets_files(void)
{
	static const struct { const char *file; uint64_t line; enum file_key key; const char *value, *address; uint64_t number; } lines[] = {
		{ "/etc/resolv.conf", 1, FILE_NAMESERVER, "127.0.0.11", "127.0.0.11", ROW_NO_UINT },
		{ "/etc/resolv.conf", 2, FILE_SEARCH, "shop.internal", NULL, ROW_NO_UINT },
		{ "/etc/resolv.conf", 3, FILE_OPTION, "ndots:0", NULL, 0 },
		{ "/etc/hosts", 1, FILE_HOST, "localhost", "127.0.0.1", ROW_NO_UINT },
		{ "/etc/hosts", 2, FILE_HOST, "localhost", "::1", ROW_NO_UINT },
		{ "/etc/hosts", 7, FILE_HOST, "shop-api-1", "172.18.0.5", ROW_NO_UINT },
		{ "/etc/nsswitch.conf", 9, FILE_NSS, "files", NULL, ROW_NO_UINT },
		{ "/etc/nsswitch.conf", 9, FILE_NSS, "dns", NULL, ROW_NO_UINT },
	};
	struct builder *b = builder_new(&file_row_type);
	struct block *ret;

	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		struct file_row *r = builder_row(b);

		r->head.id = i;
		r->file = builder_str(b, lines[i].file);
		r->line = lines[i].line;
		r->key = lines[i].key;
		r->value = builder_str(b, lines[i].value);
		r->number = lines[i].number;
		if (lines[i].address)
			r->address = ip(lines[i].address);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static struct dns_row *dns_add(struct builder *b, enum dns_section section, const char *type, const char *data, const char *rcode)
{
	struct dns_row *r = builder_row(b);
	bool reply = strcmp(rcode, "timeout") != 0;

	r->head = (struct row_head){ .id = builder_count(b),
		.severity = !reply ? SEVERITY_BAD : data ? SEVERITY_OK : SEVERITY_IDLE };
	r->name = builder_str(b, reply ? "db.default.svc." : "queue.default.svc.");
	r->type = builder_str(b, type);
	r->ttl = data && section == DNS_SECTION_ANSWER ? 600 : ROW_NO_UINT;
	r->data = data ? builder_str(b, data) : ROW_NO_TEXT;
	r->server = builder_str(b, "127.0.0.11");
	r->rcode = builder_str(b, rcode);
	r->time_us = reply ? 1210 : 5000000;
	r->section = section;
	r->flags = reply ? builder_str(b, "qr rd ra") : ROW_NO_TEXT;
	r->transport = builder_str(b, "udp");
	r->size = reply ? 91 : ROW_NO_UINT;
	r->target = ROW_NO_TEXT;
	return r;
}

struct block *packets_answer(bool good)
{
	struct builder *b = builder_new(&dns_row_type);
	struct block *ret;

	if (good) {
		dns_add(b, DNS_SECTION_STEP, "A", "as typed; answers: 1", "NOERROR");
		dns_add(b, DNS_SECTION_STEP, "AAAA", "as typed; answers: 0", "NOERROR");
		dns_add(b, DNS_SECTION_ANSWER, "A", "172.18.0.3", "NOERROR")->address = ip("172.18.0.3");
		dns_add(b, DNS_SECTION_ANSWER, "AAAA", NULL, "NOERROR");
	} else {
		dns_add(b, DNS_SECTION_STEP, "A", "as typed", "timeout");
		dns_add(b, DNS_SECTION_ANSWER, "A", NULL, "timeout");
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}
