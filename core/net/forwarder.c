/* Command lines of programs that forward ports: see forwarder.h. */
#include "core/net/forwarder.h"

#include "core/fd.h"
#include "core/source/proc_text.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ARGS = 64 };

const char *const net_forwarder_names[NET_FORWARDER_N] = {
	[NET_FORWARDER_NONE] = "none", [NET_FORWARDER_DOCKER_PROXY] = "docker-proxy", [NET_FORWARDER_ROOTLESSPORT] = "rootlessport",
	[NET_FORWARDER_ROOTLESSKIT] = "rootlesskit", [NET_FORWARDER_SLIRP4NETNS] = "slirp4netns", [NET_FORWARDER_PASTA] = "pasta",
	[NET_FORWARDER_HOLDER] = "holder",
};

static bool next_arg(struct text *rest, struct text *ret)
{
	const char *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, 0, rest->n);
	*ret = (struct text){ .p = rest->p, .n = end ? (size_t)(end - rest->p) : rest->n };
	rest->n -= end ? ret->n + 1 : ret->n;
	rest->p += end ? ret->n + 1 : ret->n;
	return true;
}

static struct text base_name(struct text path)
{
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/')
			return (struct text){ .p = path.p + i, .n = path.n - i };
	return path;
}

enum net_forwarder net_forwarder_of(struct text comm, struct text cmdline)
{
	static const struct {
		const char *name;
		enum net_forwarder kind;
	} names[] = { /* podman and rootlesskit run themselves again, as "exe"; then the first argument says what they are */
		{ "docker-proxy", NET_FORWARDER_DOCKER_PROXY }, { "rootlesskit-docker-proxy", NET_FORWARDER_DOCKER_PROXY },
		{ "rootlessport", NET_FORWARDER_ROOTLESSPORT }, { "containers-rootlessport", NET_FORWARDER_ROOTLESSPORT },
		{ "containers-rootlessport-child", NET_FORWARDER_ROOTLESSPORT }, { "rootlessport-child", NET_FORWARDER_ROOTLESSPORT },
		{ "rootlesskit", NET_FORWARDER_ROOTLESSKIT }, { "slirp4netns", NET_FORWARDER_SLIRP4NETNS }, { "pasta", NET_FORWARDER_PASTA },
		{ "pasta.avx2", NET_FORWARDER_PASTA }, { "dockerd", NET_FORWARDER_HOLDER }, { "conmon", NET_FORWARDER_HOLDER },
	};
	struct text first = { 0 };

	next_arg(&cmdline, &first);
	first = base_name(first);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_equal(comm, text_of(names[i].name)) || text_equal(first, text_of(names[i].name)))
			return names[i].kind;
	return NET_FORWARDER_NONE;
}

static bool take_address(struct text t, struct addr *ret)
{
	char buf[ADDR_TEXT];

	if (t.n >= sizeof buf)
		return false;
	memcpy(buf, t.p, t.n);
	buf[t.n] = '\0';
	return addr_parse(buf, ret) == 0 && (ret->kind == ADDR_IP4 || ret->kind == ADDR_IP6) && !ret->has_prefix;
}

static bool take_port(struct text t, uint64_t *ret)
{
	uint64_t n;

	if (!proc_text_number(t, 10, &n) || n == 0 || n > 65535)
		return false;
	*ret = n;
	return true;
}

static bool take_protocol(struct text t, struct net_forward *f)
{
	f->udp = text_equal(t, text_of("udp"));
	f->sctp = text_equal(t, text_of("sctp"));
	return f->udp || f->sctp || text_equal(t, text_of("tcp"));
}

/* Go's flags: one dash or two, the value behind "=" or as the next argument. */
static bool option(struct text arg, struct text *rest, const char *name, struct text *ret)
{
	size_t n = strlen(name);

	for (int dashes = 0; dashes < 2 && arg.n && arg.p[0] == '-'; dashes++) {
		arg.p++;
		arg.n--;
	}
	if (arg.n < n || memcmp(arg.p, name, n) != 0)
		return false;
	if (arg.n == n)
		return next_arg(rest, ret);
	*ret = (struct text){ .p = arg.p + n + 1, .n = arg.n - n - 1 };
	return arg.p[n] == '=';
}

bool net_forwarder_parse(struct text cmdline, struct net_forward *ret)
{
	enum { HAS_ALL = 0x1f };
	struct net_forward f = { 0 };
	struct text arg, value;
	unsigned has = 0;

	for (int i = 0; i < MAX_ARGS && next_arg(&cmdline, &arg); i++) {
		if (option(arg, &cmdline, "proto", &value))
			has |= take_protocol(value, &f) ? 1 : 0;
		else if (option(arg, &cmdline, "host-ip", &value))
			has |= take_address(value, &f.host_address) ? 2 : 0;
		else if (option(arg, &cmdline, "host-port", &value))
			has |= take_port(value, &f.host_port) ? 4 : 0;
		else if (option(arg, &cmdline, "container-ip", &value))
			has |= take_address(value, &f.to_address) ? 8 : 0;
		else if (option(arg, &cmdline, "container-port", &value))
			has |= take_port(value, &f.to_port) ? 16 : 0;
	}
	if (has != HAS_ALL)
		return false;
	*ret = f;
	return true;
}

size_t net_forwarder_line(struct text cmdline, char *buf, size_t cap)
{
	size_t n = 0;

	while (cmdline.n && cmdline.p[cmdline.n - 1] == '\0')
		cmdline.n--;
	for (; n < cmdline.n && n + 1 < cap; n++)
		buf[n] = cmdline.p[n] ? cmdline.p[n] : ' ';
	buf[n] = '\0';
	return n;
}
