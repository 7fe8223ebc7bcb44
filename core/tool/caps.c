/* Capabilities by name, capabilities(7), and which of them a host's tool gets unless told otherwise. */
#include "core/tool.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/err.h"
#include "core/fd.h"

static const char *const names[] = {
	[CAP_CHOWN] = "chown", [CAP_DAC_OVERRIDE] = "dac_override", [CAP_DAC_READ_SEARCH] = "dac_read_search", [CAP_FOWNER] = "fowner",
	[CAP_FSETID] = "fsetid", [CAP_KILL] = "kill", [CAP_SETGID] = "setgid", [CAP_SETUID] = "setuid", [CAP_SETPCAP] = "setpcap",
	[CAP_LINUX_IMMUTABLE] = "linux_immutable", [CAP_NET_BIND_SERVICE] = "net_bind_service", [CAP_NET_BROADCAST] = "net_broadcast",
	[CAP_NET_ADMIN] = "net_admin", [CAP_NET_RAW] = "net_raw", [CAP_IPC_LOCK] = "ipc_lock", [CAP_IPC_OWNER] = "ipc_owner",
	[CAP_SYS_MODULE] = "sys_module", [CAP_SYS_RAWIO] = "sys_rawio", [CAP_SYS_CHROOT] = "sys_chroot", [CAP_SYS_PTRACE] = "sys_ptrace",
	[CAP_SYS_PACCT] = "sys_pacct", [CAP_SYS_ADMIN] = "sys_admin", [CAP_SYS_BOOT] = "sys_boot", [CAP_SYS_NICE] = "sys_nice",
	[CAP_SYS_RESOURCE] = "sys_resource", [CAP_SYS_TIME] = "sys_time", [CAP_SYS_TTY_CONFIG] = "sys_tty_config", [CAP_MKNOD] = "mknod",
	[CAP_LEASE] = "lease", [CAP_AUDIT_WRITE] = "audit_write", [CAP_AUDIT_CONTROL] = "audit_control", [CAP_SETFCAP] = "setfcap",
	[CAP_MAC_OVERRIDE] = "mac_override", [CAP_MAC_ADMIN] = "mac_admin", [CAP_SYSLOG] = "syslog", [CAP_WAKE_ALARM] = "wake_alarm",
	[CAP_BLOCK_SUSPEND] = "block_suspend", [CAP_AUDIT_READ] = "audit_read", [CAP_PERFMON] = "perfmon", [CAP_BPF] = "bpf",
	[CAP_CHECKPOINT_RESTORE] = "checkpoint_restore",
};

/*
 * The network's own (raw sockets, addresses and filters of that namespace, low ports) and reading any process (ss -p). Root's tools step
 * down to users of their own and give them files (tcpdump); for others that would be the way to root. Not: mounts and namespaces
 * (SYS_ADMIN), writing over permissions (DAC_OVERRIDE), modules, devices, the clock.
 */
uint64_t tool_caps_default(unsigned uid)
{
	const uint64_t all = 1ull << CAP_NET_RAW | 1ull << CAP_NET_ADMIN | 1ull << CAP_NET_BIND_SERVICE | 1ull << CAP_SYS_PTRACE |
		1ull << CAP_DAC_READ_SEARCH;
	const uint64_t root = 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_CHOWN | 1ull << CAP_KILL;

	return uid == 0 ? all | root : all;
}

uint64_t tool_caps_all(void)
{
	return ~0ull;
}

static bool find(const char *word, size_t n, uint64_t usual, uint64_t *ret)
{
	if (n == 3 && strncasecmp(word, "all", 3) == 0)
		*ret = tool_caps_all();
	else if (n == 4 && strncasecmp(word, "none", 4) == 0)
		*ret = 0;
	else if (n == 7 && strncasecmp(word, "default", 7) == 0)
		*ret = usual;
	else
		return false;
	return true;
}

static bool find_name(const char *word, size_t n, uint64_t *ret)
{
	if (n > 4 && strncasecmp(word, "cap_", 4) == 0) {
		word += 4;
		n -= 4;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i] && strlen(names[i]) == n && strncasecmp(names[i], word, n) == 0) {
			*ret = 1ull << i;
			return true;
		}
	}
	return false;
}

int tool_caps_parse(const char *text, uint64_t usual, uint64_t *ret, struct err *err)
{
	uint64_t caps = *text == '+' || *text == '-' ? usual : 0, bits;

	for (const char *p = text; *p;) {
		bool minus = *p == '-';
		const char *word = p + (*p == '-' || *p == '+');
		size_t n = strcspn(word, ",");

		if (!find(word, n, usual, &bits) && !find_name(word, n, &bits))
			return err_set(err, EINVAL, "no capability \"%.*s\": names as in capabilities(7), such as net_raw or sys_admin, or all, none, "
				"default", (int)(n < 40 ? n : 40), word);
		caps = minus ? caps & ~bits : caps | bits;
		p = word + n + (word[n] == ',');
	}
	*ret = caps;
	return 0;
}

const char *tool_caps_name(int cap, char buf[TOOL_CAP_TEXT])
{
	size_t n = (size_t)snprintf(buf, TOOL_CAP_TEXT, "CAP_");

	if (cap < 0 || (size_t)cap >= ARRAY_LEN(names) || !names[cap])
		snprintf(buf, TOOL_CAP_TEXT, "capability %d", cap);
	else
		for (const char *p = names[cap]; *p && n + 1 < TOOL_CAP_TEXT; p++, buf[n] = 0)
			buf[n++] = (char)toupper((unsigned char)*p);
	return buf;
}
