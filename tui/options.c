/*
 * The command table and what is made from it: parser, help, completion. See options.h. The parser is our own because getopt_long knows one
 * table at a time and names no near misses.
 */
#include "tui/options.h"

#include "core/err.h"
#include "core/dns/ask.h"
#include "core/fd.h"
#include "tui/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const format_names[WRITER_N] = {
	[WRITER_TABLE] = "table", [WRITER_WIDE] = "wide", [WRITER_JSON] = "json", [WRITER_NDJSON] = "ndjson",
	[WRITER_CSV] = "csv", [WRITER_RECORD] = "record",
};
static const char *const libc_names[DNS_LIBC_N] = { [DNS_LIBC_NONE] = "auto", [DNS_LIBC_GLIBC] = "glibc", [DNS_LIBC_MUSL] = "musl" };
static const char *const color_names[] = { [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never" };
static const char *const watch_views[] = { "question", "name", "search" }; /* enum options_by */
static const char *const file_formats[] = { "auto", "pcapng", "pcap" }; /* enum options_file */

#define AT(member) .offset = offsetof(struct options, member)
#define FLAG(member) .kind = OPTION_FLAG, AT(member)
#define TEXT(member, v) .kind = OPTION_TEXT, .value = v, AT(member)
#define NUMBER(member, v) .kind = OPTION_NUMBER, .value = v, AT(member)
#define TIME(member, v) .kind = OPTION_TIME, .value = v, AT(member)
#define LIST(member, v) .kind = OPTION_LIST, .value = v, AT(member)
#define CHOICE(member, v, names) .kind = OPTION_CHOICE, .value = v, AT(member), .choices = names, .n_choices = ARRAY_LEN(names)

static const struct option_def global_options[] = {
	{ 'o', "output", CHOICE(format, "FORMAT", format_names), .help = "table, wide, json, ndjson, csv or record" },
	{ 0, "json", FLAG(json), .help = "one JSON document (same as -o json)", .no_variable = true },
	{ 'H', "no-header", FLAG(no_header), .help = "no heading above tables" },
	{ 0, "columns", TEXT(columns, "A,B"), .help = "these columns in this order (nsdbg fields lists them)" },
	{ 0, "sort", TEXT(sort, "COLUMN"), .help = "sort by this column; -COLUMN backwards" },
	{ 0, "utc", FLAG(utc), .help = "times in UTC" },
	{ 0, "timeout", TIME(timeout_ms, "TIME"), .help = "wait this long for engines and answers (5s)" },
	{ 0, "color", CHOICE(color, "WHEN", color_names), .help = "auto, always or never" },
	{ 0, "ascii", FLAG(ascii), .help = "nothing but ASCII" },
	{ 0, "config", TEXT(config, "FILE"), .help = "settings and own commands from this file instead of ~/.config/nsdbg/config" },
	{ 0, "docker-host", TEXT(docker_host, "URL"), .help = "Docker here: unix:///path or tcp://address:port" },
	{ 0, "podman-host", TEXT(podman_host, "URL"), .help = "podman here: unix:///path" },
	{ 0, "containerd-host", TEXT(containerd_host, "URL"), .help = "containerd or CRI-O here: unix:///path" },
	{ 0, "runtime", TEXT(runtime, "NAMES"), .help = "only these: docker,podman,containerd,cri,lxc,nspawn,netns,host" },
	{ 'h', "help", FLAG(help), .help = "this help", .no_variable = true },
	{ 0, "version", FLAG(version), .help = "print the version", .no_variable = true },
	{ 0, "print-manual", FLAG(print_manual), .help = "the manual page in scdoc(5)", .hidden = true },
	{ 0, "print-keys", FLAG(print_keys), .help = "the keys of all views as Markdown", .hidden = true },
};

static const struct option_def ls_options[] = {
	{ 'a', "all", FLAG(all), .help = "stopped containers, and namespaces that only a descriptor, socket or thread holds" },
	{ 'q', "quiet", FLAG(quiet), .help = "only ids" },
	{ 0, "no-trunc", FLAG(no_trunc), .help = "whole ids and texts" },
	{ 'f', "filter", TEXT(filter, "WORDS"), .help = "filter words, as behind the command" },
};

static const struct option_def list_options[] = {
	{ 'q', "quiet", FLAG(quiet), .help = "only ids" },
	{ 0, "no-trunc", FLAG(no_trunc), .help = "whole ids and texts" },
};

static const struct option_def health_options[] = {
	{ 0, "for", TIME(for_ms, "TIME"), .help = "measure for this long (1s)" },
};

static const struct option_def ss_options[] = {
	{ 't', "tcp", FLAG(tcp), .help = "TCP sockets" },
	{ 'u', "udp", FLAG(udp), .help = "UDP and UDP-Lite sockets" },
	{ 'w', "raw", FLAG(raw), .help = "raw and ICMP sockets" },
	{ 'x', "unix", FLAG(unix_sockets), .help = "unix sockets" },
	{ 'l', "listening", FLAG(listening), .help = "only those that listen" },
	{ 'a', "all", FLAG(ignored), .help = "all states (the default)" },
	{ '4', "ipv4", FLAG(ip4), .help = "IPv4 only" },
	{ '6', "ipv6", FLAG(ip6), .help = "IPv6 only" },
	{ 'n', "numeric", FLAG(numbers), .help = "digits, no 1.2M" },
	{ 'p', "processes", FLAG(ignored), .help = "processes are always shown" },
};

static const struct option_def ps_options[] = {
	{ 0, "tree", FLAG(tree), .help = "children below their parents" },
	{ 'n', "numeric", FLAG(numbers), .help = "digits, no 1.2M" },
};

static const struct option_def cap_options[] = {
	{ 'i', "interface", TEXT(interface, "IF"), .help = "this interface, or any (the first that is up)" },
	{ 'w', "write", TEXT(file, "FILE"), .help = "save packets; - is standard output" },
	{ 'c', "count", NUMBER(count, "N"), .min = 1, .help = "stop after N packets" },
	{ 's', "snaplen", NUMBER(snaplen, "LEN"), .help = "keep LEN bytes of each packet" },
	{ 0, "for", TIME(for_ms, "TIME"), .help = "stop after this time: 30s, 5m" },
	{ 'F', "file-format", CHOICE(file_format, "FORMAT", file_formats), .help = "pcapng, pcap, or auto: pcap for names that end in .pcap" },
	{ 0, "force", FLAG(force), .help = "replace an existing file" },
	{ 'n', "numeric", FLAG(ignored), .help = "addresses are always numbers" },
	{ 'p', "no-promiscuous", FLAG(ignored), .help = "as always, unless --promiscuous", .hidden = true },
	{ 0, "promiscuous", FLAG(promiscuous), .help = "also packets that are for others" },
	{ 'v', "verbose", FLAG(verbose), .help = "with -w: also print the packets on standard error" },
};

static const struct option_def dns_options[] = {
	{ 'x', "reverse", TEXT(reverse, "ADDR"), .help = "names of this address and of those that follow (PTR)" },
	{ 'f', "file", TEXT(names, "FILE"), .help = "names from this file, a line NAME [TYPE] or -x ADDR; - is standard input" },
	{ 'p', "port", NUMBER(port, "PORT"), .min = 1, .help = "port of the server (53)" },
	{ 'v', "verbose", FLAG(verbose), .help = "all sections and every step" },
	{ 0, "compare", FLAG(compare), .help = "ask all resolvers that matter for this name, and say where they differ" },
	{ 0, "libc", CHOICE(libc, "NAME", libc_names), .help = "ask as glibc or as musl does (auto: the one the target has)" },
	{ 0, "watch", FLAG(watch), .help = "no question of ours: watch those that are asked in there, and their answers" },
	{ 0, "by", CHOICE(by, "WHAT", watch_views), .help = "with --watch, a row for each question, name or search-list lookup" },
	{ 'c', "count", NUMBER(count, "N"), .min = 1, .help = "with --watch: stop after N rows" },
	{ 0, "for", TIME(for_ms, "TIME"), .help = "with --watch: stop after this time: 30s, 5m" },
};

static const struct option_def hostaliases_options[] = {
	{ 0, "domain", TEXT(domain, "WILDCARD"), .help = "domain whose server finds the address in the name (nip.io)" },
	{ 0, "hosts", FLAG(hosts), .help = "lines of /etc/hosts instead" },
	{ 'w', "write", TEXT(file, "FILE"), .help = "into this file instead of standard output" },
	{ 0, "force", FLAG(force), .help = "replace an existing file" },
};

static const struct option_def ip_options[] = {
	{ 'a', "all", FLAG(all), .help = "routes of the local table, too; settings that are as usual, too" },
	{ '4', "ipv4", FLAG(ip4), .help = "IPv4 only" },
	{ '6', "ipv6", FLAG(ip6), .help = "IPv6 only" },
	{ 'n', "numeric", FLAG(numbers), .help = "digits, no 1.2M" },
};

static const struct option_def ports_options[] = {
	{ 'a', "all", FLAG(all), .help = "also what only the container itself reaches" },
};

static const struct option_def probe_options[] = {
	{ 'c', "count", NUMBER(count, "N"), .min = 1, .help = "try N times (1)" },
	{ 'i', "interval", TIME(interval_ms, "TIME"), .help = "from try to try (1s); without -c until ^C" },
	{ '4', "ipv4", FLAG(ip4), .help = "IPv4 only" },
	{ '6', "ipv6", FLAG(ip6), .help = "IPv6 only" },
	{ 's', "size", NUMBER(size, "LEN"), .help = "ping, udp: payload bytes; trace: packet bytes" },
	{ 0, "send", TEXT(send, "TEXT"), .help = "tcp, udp: send this and wait for an answer; \\r \\n \\xNN" },
	{ 'T', "tcp", FLAG(tcp), .help = "trace by SYNs to HOST:PORT (80)" },
	{ 'I', "icmp", FLAG(icmp), .help = "trace by echo requests; default UDP" },
	{ 'm', "hops", NUMBER(hops, "N"), .min = 1, .help = "trace: at most N hops (30)" },
	{ 'k', "insecure", FLAG(insecure), .help = "http: go on when the certificate does not hold" },
	{ 0, "cacert", TEXT(cacert, "FILE"), .help = "http: trust these certificates (PEM), not the host's" },
	{ 'v', "verbose", FLAG(verbose), .help = "evidence also for what works" },
};

static const struct option_def netns_options[] = {
	{ 0, "all", FLAG(all), .help = "all running containers; detach: all names that nsdbg gave" },
	{ 0, "name", TEXT(name, "NAME"), .help = "attach under this name instead of the container's" },
};

static const struct option_def exec_options[] = {
	{ 0, "ns", TEXT(ns, "NAMES"), .help = "join exactly these: net,mnt,pid,uts,ipc,user,cgroup,time or all (net)" },
	{ 'n', NULL, FLAG(ns_net), .help = "network, and its name resolution (--ns net)" },
	{ 'm', NULL, FLAG(ns_mnt), .help = "the container's files and programs (--ns mnt)" },
	{ 'p', NULL, FLAG(ns_pid), .help = "process numbers; the container sees the tool (--ns pid)" },
	{ 'u', NULL, FLAG(ns_uts), .help = "host name (--ns uts)" },
	{ 'i', NULL, FLAG(ns_ipc), .help = "shared memory and queues (--ns ipc)" },
	{ 'U', NULL, FLAG(ns_user), .help = "user numbers, as its root (--ns user)" },
	{ 'C', NULL, FLAG(ns_cgroup), .help = "view of control groups (--ns cgroup)" },
	{ 'T', NULL, FLAG(ns_time), .help = "clock offsets (--ns time)" },
	{ 'a', "all", FLAG(all), .help = "all namespaces that differ from ours" },
	{ 'r', "root", FLAG(root), .help = "the target's root directory, without joining mnt" },
	{ 'w', "wd", TEXT(directory, "DIR"), .help = "working directory inside; target: that of its process" },
	{ 'S', "uid", TEXT(uid, "N"), .help = "run as this user (who called nsdbg; the container's files: 0)" },
	{ 'G', "gid", TEXT(gid, "N"), .help = "run as this group" },
	{ 0, "caps", TEXT(caps, "LIST"), .help = "capabilities: all, none, net_raw,..., or +sys_admin,-kill from the default" },
	{ 'e', "env", LIST(env, "K=V"), .help = "set a variable; K alone: as it is here; may be repeated" },
	{ 0, "proc", FLAG(proc), .help = "a /proc of the container: ps, top and htop show it alone" },
	{ 0, "no-files", FLAG(no_files), .help = "leave /etc and /sys the host's" },
	{ 0, "force", FLAG(force), .help = "join a pid namespace whose processes could take the tool over" },
	{ 'q', "quiet", FLAG(quiet), .help = "no remarks of nsdbg's own" },
};

#define OPTIONS(list) .options = list, .n_options = ARRAY_LEN(list)

const struct command_def options_commands[COMMAND_N] = {
	[COMMAND_APP] = { .name = "", .args = "[TARGET]", .help = "open the screen, on TARGET when given", .max_words = 1 },
	[COMMAND_LS] = { .name = "ls", .args = "[FILTER...]", .help = "list containers, bare namespaces and the host",
		OPTIONS(ls_options), .max_words = OPTIONS_MAX_WORDS,
		.more = "Examples:\n"
			"  nsdbg ls                         running containers, then namespaces nobody named, then the host\n"
			"  nsdbg ls -a state:exited         containers that have ended\n"
			"  nsdbg ls --json | jq -r '.data[] | select(.health==\"unhealthy\") | .name'\n" },
	[COMMAND_NETWORKS] = { .name = "networks", .args = "[FILTER...]", .help = "list the engines' networks and who is on them",
		OPTIONS(list_options), .max_words = OPTIONS_MAX_WORDS },
	[COMMAND_ENGINES] = { .name = "engines", .args = "", .help = "say which engines answer, and how fast" },
	[COMMAND_SHOW] = { .name = "show", .args = "TARGET", .help = "all facts about one target", .min_words = 1, .max_words = 1 },
	[COMMAND_HEALTH] = { .name = "health", .args = "[FILTER...]", .help = "traffic, CPU, memory and what is wrong, of all targets",
		OPTIONS(health_options), .max_words = OPTIONS_MAX_WORDS,
		.more = "Reads twice, the time of --for apart: rates and \"lately\" are about that time.\n\nExamples:\n"
			"  nsdbg health --sort -cpu_percent\n"
			"  nsdbg health 'memory_percent>80' --for 5s\n" },
	[COMMAND_DOCTOR] = { .name = "doctor", .args = "[FILTER...]", .help = "rights, kernel, engines, terminal: what is missing and what that costs",
		.max_words = OPTIONS_MAX_WORDS, .more = "Exit status 1: something is missing.\n\nExample:\n  nsdbg doctor state:missing,less\n" },
	[COMMAND_SS] = { .name = "ss", .args = "TARGET [FILTER...]", .help = "sockets inside a target", OPTIONS(ss_options),
		.min_words = 1, .max_words = OPTIONS_MAX_WORDS,
		.more = "Letters as in ss(8). Without any of -t -u -w -x all kinds are shown.\n\nExamples:\n"
			"  nsdbg ss web -tl                 what listens\n"
			"  nsdbg ss web state:close-wait port:5432\n" },
	[COMMAND_PS] = { .name = "ps", .args = "TARGET [FILTER...]", .help = "processes of a target", OPTIONS(ps_options),
		.min_words = 1, .max_words = OPTIONS_MAX_WORDS,
		.more = "Examples:\n"
			"  nsdbg ps web --sort -rss_bytes   biggest first\n"
			"  nsdbg ps web --tree\n" },
	[COMMAND_CAP] = { .name = "cap", .args = "TARGET [BPF...]", .help = "capture packets inside a target", OPTIONS(cap_options),
		.min_words = 1, .max_words = OPTIONS_MAX_WORDS,
		.more = "The rest of the line is a capture filter, pcap-filter(7), with or without quotes. ^C ends.\n\nExamples:\n"
			"  nsdbg cap web tcp port 5432\n"
			"  nsdbg cap web -c 100 -w web.pcapng\n"
			"  nsdbg cap web -w - | wireshark -k -i -\n"
			"  nsdbg cap web -o ndjson --for 30s udp port 53\n" },
	[COMMAND_DNS] = { .name = "dns", .args = "TARGET NAME... [TYPE...] [@SERVER] [+short] [+trace] [+tcp] [+nosearch]",
		.help = "look names up as a target would", OPTIONS(dns_options), .min_words = 1, .max_words = OPTIONS_MAX_WORDS,
		.more = "The name is tried as the container's libc would: /etc/hosts, then its servers and search list.\n"
			"Many names are asked at the same time; answers are in the order of the names, with -o ndjson as they come.\n"
			"  +short     data only, one a line\n"
			"  +trace     every name, server and try on the way, too\n"
			"  +tcp       TCP from the start\n"
			"  +nosearch  the name as it is\n"
			"  @SERVER    ask this server, an address\n"
			"With --watch nothing is asked; the words are filter words over nsdbg fields dnswire, -p watches one port more.\n\nExamples:\n"
			"  nsdbg dns web db\n"
			"  nsdbg dns web db cache queue A +short\n"
			"  nsdbg dns web example.org MX @1.1.1.1\n"
			"  nsdbg dns web --watch --for 30s state:unanswered,late\n  nsdbg dns web --watch --for 1m --by name --sort -p95_us\n"
			"  nsdbg dns web db --compare   what other resolvers say about it\n"
			"  nsdbg dns web -x 172.18.0.3 172.18.0.4\n"
			"  nsdbg dns web -f names.txt -o ndjson\n" },
	[COMMAND_PROBE] = { .name = "probe", .args = "TARGET tcp|udp|ping|trace|mtu|http DESTINATION...",
		.help = "try destinations from inside a target", OPTIONS(probe_options), .min_words = 2, .max_words = OPTIONS_MAX_WORDS,
		.more = "DESTINATION is HOST:PORT for tcp and udp, HOST for the others, a URL for http. HOST is a container's\n"
			"name (its address on a network that both share comes first), a name as the target would resolve it,\n"
			"or an address; IPv6 with a port as [::1]:80.\n"
			"Exit status: 0 all work, 1 the answer is no, 6 no answer.\n\nExamples:\n"
			"  nsdbg probe web tcp db:5432 cache:6379\n"
			"  nsdbg probe web ping db -c 20 -i 200ms\n"
			"  nsdbg probe web trace 1.1.1.1\n"
			"  nsdbg probe web mtu db\n"
			"  nsdbg probe web http https://api:8443/health -k\n" },
	[COMMAND_FILES] = { .name = "files", .args = "TARGET [FILTER...]", .help = "resolv.conf, hosts and nsswitch.conf of a target",
		.min_words = 1, .max_words = OPTIONS_MAX_WORDS },
	[COMMAND_IP] = { .name = "ip", .args = "TARGET [link|addr|route|rule|neigh|sysctl|nat|check|path [TO]|get IP] [FILTER...]",
		.help = "interfaces, addresses, routes of a target, and the way out of it", OPTIONS(ip_options), .min_words = 1,
		.max_words = OPTIONS_MAX_WORDS,
		.more = "  link    interfaces: state, MTU, addresses, where the other end of each is (the default)\n"
			"  addr    addresses with their flags\n"
			"  route   routes of all tables (-a: the kernel's local one, too)\n"
			"  rule    which table is asked for which packets\n"
			"  neigh   hardware addresses on the link, ARP and NDP\n"
			"  sysctl  net.* settings that differ from the host's or the kernel's default (-a: all)\n"
			"  nat     rules that send packets elsewhere: DNAT and REDIRECT of nft and both iptables\n"
			"  path    the way out, or to an address or another target, device by device through all namespaces\n"
			"  check   what is wrong with all that\n"
			"  get     the route to an address; exit 1 when there is none\n\nExamples:\n"
			"  nsdbg ip web                     interfaces\n"
			"  nsdbg ip web path db\n"
			"  nsdbg ip web get 10.0.0.7\n" },
	[COMMAND_NETNS] = { .name = "netns", .args = "attach|detach|list [TARGET]", OPTIONS(netns_options),
		.help = "names of network namespaces for ip netns", .max_words = OPTIONS_MAX_WORDS,
		.more = "A name stays until detach takes it away, which touches only names that nsdbg gave.\n\nExamples:\n"
			"  nsdbg netns attach --all && ip netns exec web ip addr\n"
			"  nsdbg netns list                 every name, and what a mount alone keeps alive\n"
			"  nsdbg netns detach web           by its name or its container; --all: all of ours\n" },
	[COMMAND_EXEC] = { .name = "exec", .args = "TARGET [--] [CMD...]", .help = "run a tool of the host inside a target", OPTIONS(exec_options),
		.min_words = 1, .max_words = 1,
		.more = "The host's program, with the container's network and name resolution; without CMD a shell. All behind TARGET\n"
			"belongs to CMD, so options of exec go before TARGET or between it and --. The letters are nsenter(1)'s.\n"
			"Nothing that CMD starts outlives it. The exit status is CMD's; 125: nsdbg failed, 126: not executable,\n"
			"127: not found, 128+N: ended by signal N.\n\n"
			"CMD is run as the user who called nsdbg (also with sudo), with the capabilities net_raw, net_admin,\n"
			"net_bind_service, sys_ptrace, dac_read_search, setuid, setgid, chown and kill; with -m or --root as root,\n"
			"with the container's own.\n\n"
			"Examples:\n"
			"  nsdbg exec web -- psql -h db\n"
			"  nsdbg exec web -- tcpdump -ni eth0 port 53\n"
			"  nsdbg exec web --proc -- htop\n"
			"  nsdbg exec web --all -- sh       as docker exec\n" },
	[COMMAND_HOSTALIASES] = { .name = "hostaliases", .args = "TARGET NAME...", OPTIONS(hostaliases_options), .min_words = 2,
		.help = "a file that lets programs of the host use a target's names", .max_words = OPTIONS_MAX_WORDS,
		.more = "HOSTALIASES is read by glibc, for names without a dot: hostname(7). Its lines need a domain with wildcard DNS,\n"
			"public or your own, which learns the names. --hosts needs none.\n\nExamples:\n"
			"  nsdbg hostaliases web db cache -w aliases && HOSTALIASES=$PWD/aliases psql -h db\n"
			"  nsdbg hostaliases web db --domain ip.example.net\n"
			"  nsdbg hostaliases web db --hosts | sudo tee -a /etc/hosts\n" },
	[COMMAND_PORTS] = { .name = "ports", .args = "[TARGET [FILTER...]]", .help = "ports that others may reach: published and listening, how, by whom",
		OPTIONS(ports_options), .max_words = OPTIONS_MAX_WORDS,
		.more = "Three facts are compared: what the engine published, which rules (DNAT) and programs forward, and who listens\n"
			"inside. EXPOSED, by addresses alone (firewall rules are not looked at): loopback, only this host or only the\n"
			"container itself; host, this machine and its containers; lan, private networks; world, a global address.\n\n"
			"Examples:\n  nsdbg ports\n  nsdbg ports web --json\n  nsdbg ports exposure=world\n  nsdbg ports host\n" },
	[COMMAND_FIELDS] = { .name = "fields", .args = "[TYPE]", .help = "explain every column and JSON field", .max_words = 1 },
	[COMMAND_COMPLETION] = { .name = "completion", .args = "bash", .help = "print a completion script for bash", .min_words = 1,
		.max_words = 1, .more = "Example:\n  source <(nsdbg completion bash)\n" },
	[COMMAND_HELP] = { .name = "help", .args = "[COMMAND]", .help = "explain a command", .max_words = 1 },
	[COMMAND_VERSION] = { .name = "version", .args = "", .help = "print the version" },
};

const struct option_def *options_globals(unsigned *ret_n)
{
	*ret_n = ARRAY_LEN(global_options);
	return global_options;
}

/* --- near misses --- */

/* Edits between two short words (Damerau-Levenshtein without the transposed pairs' refinements). */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[32], n = (unsigned)strlen(b);

	if (n >= ARRAY_LEN(row) || strlen(a) >= ARRAY_LEN(row))
		return ARRAY_LEN(row);
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned change = diagonal + (a[i - 1] != b[j - 1]), least = row[j] < row[j - 1] ? row[j] : row[j - 1];

			diagonal = row[j];
			row[j] = change < least + 1 ? change : least + 1;
		}
	}
	return row[n];
}

struct nearest {
	const char *text;
	const char *best;
	unsigned distance;
};

static void nearest_try(struct nearest *n, const char *candidate)
{
	unsigned d = candidate && *candidate ? distance(n->text, candidate) : 99;

	if (candidate && strlen(n->text) >= 3 && strncmp(candidate, n->text, strlen(n->text)) == 0)
		d = 1; /* the beginning of it */
	if (d < n->distance && d < strlen(n->text)) {
		n->best = candidate;
		n->distance = d;
	}
}

const char *options_nearest_command(const char *text)
{
	struct nearest n = { .text = text, .distance = 3 };

	for (size_t i = 0; i < COMMAND_N; i++)
		nearest_try(&n, options_commands[i].name);
	return n.best;
}

enum command_id options_command_find(const char *name)
{
	for (size_t i = 1; i < COMMAND_N; i++)
		if (strcmp(options_commands[i].name, name) == 0)
			return (enum command_id)i;
	return COMMAND_N;
}

/* --- parser --- */

struct parser {
	int argc;
	char *const *argv;
	int at;
	const struct command_def *command; /* NULL until it is known */
	struct options *o;
	struct err *err;
};

typedef bool (*option_test)(const struct option_def *d, const char *name, size_t n);

static bool has_name(const struct option_def *d, const char *name, size_t n)
{
	return d->name && strlen(d->name) == n && memcmp(d->name, name, n) == 0;
}

static bool has_letter(const struct option_def *d, const char *name, size_t n)
{
	(void)n;
	return d->letter && d->letter == *name;
}

/* The command's own options come first: its -n is not another's. */
static const struct option_def *option_find(const struct parser *p, option_test test, const char *name, size_t n)
{
	for (unsigned i = 0; p->command && i < p->command->n_options; i++)
		if (test(&p->command->options[i], name, n))
			return &p->command->options[i];
	for (unsigned i = 0; i < ARRAY_LEN(global_options); i++)
		if (test(&global_options[i], name, n))
			return &global_options[i];
	return NULL;
}

/* Another command's option, to say where it belongs. */
static const char *option_owner(option_test test, const char *name, size_t n)
{
	for (size_t c = 0; c < COMMAND_N; c++)
		for (unsigned i = 0; i < options_commands[c].n_options; i++)
			if (test(&options_commands[c].options[i], name, n))
				return options_commands[c].name;
	return NULL;
}

/* "" as long as none was named. */
static const char *command_name(const struct parser *p)
{
	return p->command ? p->command->name : "";
}

static int unknown_option(const struct parser *p, const char *name, size_t n)
{
	char text[32];
	struct nearest near = { .text = text, .distance = 4 };
	const char *of = command_name(p), *owner = option_owner(has_name, name, n);

	if (n >= sizeof text)
		n = sizeof text - 1;
	memcpy(text, name, n);
	text[n] = 0;
	for (unsigned i = 0; p->command && i < p->command->n_options; i++)
		nearest_try(&near, p->command->options[i].name);
	for (unsigned i = 0; i < ARRAY_LEN(global_options); i++)
		nearest_try(&near, global_options[i].name);
	if (near.best)
		return err_set(p->err, EINVAL, "unknown option --%s: did you mean --%s?", text, near.best);
	if (owner && !p->command)
		return err_set(p->err, EINVAL, "option --%s goes behind its command: nsdbg %s ... --%s", text, owner, text);
	return err_set(p->err, EINVAL, "unknown option --%s: see nsdbg help%s%s", text, *of ? " " : "", of);
}

static int unknown_letter(const struct parser *p, const char *word, char letter)
{
	const char *of = command_name(p), *owner = option_owner(has_letter, &letter, 1);

	if (!p->command && owner)
		return err_set(p->err, EINVAL, "option -%c goes behind its command: nsdbg %s ... -%c", letter, owner, letter);
	return err_set(p->err, EINVAL, "unknown option -%c in \"%.30s\": see nsdbg help%s%s (a filter word that begins with - goes "
		"behind --)", letter, word, *of ? " " : "", of);
}

static void *member(const struct parser *p, const struct option_def *d)
{
	return (char *)p->o + d->offset;
}

static const char *shown(const struct option_def *d, char buf[40])
{
	if (d->name)
		snprintf(buf, 40, "--%s", d->name);
	else
		snprintf(buf, 40, "-%c", d->letter);
	return buf;
}

static int set_number(const struct parser *p, const struct option_def *d, const char *value)
{
	char *end, name[40];
	unsigned long long v;

	errno = 0;
	v = strtoull(value, &end, 10);
	if (errno || *end || value[0] < '0' || value[0] > '9')
		return err_set(p->err, EINVAL, "%s wants a number, not \"%.30s\"", shown(d, name), value);
	if (v < d->min)
		return err_set(p->err, EINVAL, "%s is at least %llu", shown(d, name), (unsigned long long)d->min);
	*(uint64_t *)member(p, d) = v;
	return 0;
}

static int set_time(const struct parser *p, const struct option_def *d, const char *value)
{
	static const struct {
		const char *suffix;
		unsigned ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 } };
	char *end, name[40];
	double v = 0;

	if (value[0] >= '0' && value[0] <= '9') {
		v = strtod(value, &end);
		for (size_t i = 0; v <= 1e6 && i < ARRAY_LEN(units); i++)
			if (strcmp(end, units[i].suffix) == 0) {
				*(uint64_t *)member(p, d) = (uint64_t)(v * units[i].ms);
				return 0;
			}
	}
	return err_set(p->err, EINVAL, "%s wants a time such as 500ms, 5s or 2m, not \"%.30s\"", shown(d, name), value);
}

static int set_choice(const struct parser *p, const struct option_def *d, const char *value)
{
	char list[80] = "", name[40];

	for (uint32_t i = 0; i < d->n_choices; i++) {
		size_t n = strlen(list);

		if (strcmp(d->choices[i], value) == 0) {
			*(uint32_t *)member(p, d) = i;
			return 0;
		}
		snprintf(list + n, sizeof list - n, "%s%s", i == 0 ? "" : i + 1 == d->n_choices ? " or " : ", ", d->choices[i]);
	}
	return err_set(p->err, EINVAL, "%s is %s, not \"%.30s\"", shown(d, name), list, value);
}

static int add_item(const struct parser *p, const struct option_def *d, const char *value)
{
	struct option_list *l = member(p, d);
	char name[40];

	if (l->n == OPTIONS_MAX_WORDS)
		return err_set(p->err, EINVAL, "%s more than %d times", shown(d, name), OPTIONS_MAX_WORDS);
	l->items[l->n++] = value;
	return 0;
}

static int option_set(const struct parser *p, const struct option_def *d, const char *value)
{
	switch (d->kind) {
	case OPTION_FLAG:
		*(bool *)member(p, d) = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)member(p, d) = value;
		return 0;
	case OPTION_NUMBER:
		return set_number(p, d, value);
	case OPTION_TIME:
		return set_time(p, d, value);
	case OPTION_CHOICE:
		return set_choice(p, d, value);
	case OPTION_LIST:
		return add_item(p, d, value);
	}
	return 0;
}

/* The value in the next argument. */
static int next_value(struct parser *p, const struct option_def *d, const char **ret)
{
	char name[40];

	if (p->at >= p->argc)
		return err_set(p->err, EINVAL, "%s wants a value: %s", shown(d, name), d->value);
	*ret = p->argv[p->at++];
	return 0;
}

static int parse_long(struct parser *p, const char *arg)
{
	const char *name = arg + 2, *value = strchr(name, '=');
	size_t n = value ? (size_t)(value - name) : strlen(name);
	const struct option_def *d = option_find(p, has_name, name, n);
	int r = 0;

	if (!d)
		return unknown_option(p, name, n);
	if (value && d->kind == OPTION_FLAG)
		return err_set(p->err, EINVAL, "--%s takes no value", d->name);
	if (value)
		value++;
	else if (d->kind != OPTION_FLAG)
		r = next_value(p, d, &value);
	return r < 0 ? r : option_set(p, d, value);
}

static int parse_letters(struct parser *p, const char *arg)
{
	for (const char *c = arg + 1; *c; c++) {
		const struct option_def *d = option_find(p, has_letter, c, 1);
		const char *value = c + 1;
		int r = 0;

		if (!d)
			return unknown_letter(p, arg, *c);
		if (d->kind != OPTION_FLAG && !*value)
			r = next_value(p, d, &value);
		if (r == 0)
			r = option_set(p, d, value);
		if (r < 0 || d->kind != OPTION_FLAG)
			return r;
	}
	return 0;
}

/* The first word is the command, or a target for the screen. */
static int parse_word(struct parser *p, const char *word)
{
	enum command_id id = options_command_find(word);

	if (!p->command && id != COMMAND_N) {
		p->command = &options_commands[id];
		p->o->command = id;
		return 0;
	}
	if (!p->command)
		p->command = &options_commands[COMMAND_APP];
	if (p->o->n_words == OPTIONS_MAX_WORDS)
		return err_set(p->err, EINVAL, "more than %d words", OPTIONS_MAX_WORDS);
	p->o->words[p->o->n_words++] = word;
	return 0;
}

/* exec: from here on the words are another program's. */
static void take_tail(struct parser *p, int from)
{
	p->o->tail = p->argv + from;
	p->o->n_tail = (unsigned)(p->argc - from);
	p->at = p->argc;
}

static int parse_argument(struct parser *p, const char *arg, bool *literal)
{
	bool is_word = *literal || arg[0] != '-' || !arg[1];

	if (p->o->command == COMMAND_EXEC && p->o->n_words == 1 && (is_word || strcmp(arg, "--") == 0)) {
		take_tail(p, is_word ? p->at - 1 : p->at);
		return 0;
	}
	if (*literal || arg[0] != '-' || !arg[1])
		return parse_word(p, arg);
	if (strcmp(arg, "--") == 0) {
		*literal = true;
		return 0;
	}
	return arg[1] == '-' ? parse_long(p, arg) : parse_letters(p, arg);
}

static int check_words(const struct parser *p)
{
	const struct command_def *c = &options_commands[p->o->command];
	unsigned n = p->o->n_words;
	const char *near;

	if (p->o->help || p->o->version)
		return 0;
	if (p->o->command == COMMAND_APP && n > 0) {
		near = options_nearest_command(p->o->words[0]);
		if (near && (n > 1 || distance(p->o->words[0], near) == 1))
			return err_set(p->err, EINVAL, "no command \"%.40s\": did you mean %s?", p->o->words[0], near);
		if (n > 1)
			return err_set(p->err, EINVAL, "no command \"%.40s\": nsdbg help lists them", p->o->words[0]);
	}
	if (n < c->min_words)
		return err_set(p->err, EINVAL, "%s wants %s: nsdbg %s %s", c->name,
			p->o->command == COMMAND_COMPLETION ? "a shell" : "a target", c->name, c->args);
	if (n > c->max_words)
		return err_set(p->err, EINVAL, "%s takes no \"%.40s\": see nsdbg help %s", c->name, p->o->words[c->max_words], c->name);
	return 0;
}

/* NSDBG_DOCKER_HOST for --docker-host: weaker than the command line. */
static int parse_environment(const struct parser *p)
{
	for (unsigned i = 0; i < ARRAY_LEN(global_options); i++) {
		const struct option_def *d = &global_options[i];
		char name[40];
		const char *value;
		int r;

		snprintf(name, sizeof name, "NSDBG_%s", d->name);
		for (char *c = name; *c; c++)
			*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
		value = getenv(name);
		if (!value || !*value || d->hidden || d->no_variable || (d->kind == OPTION_FLAG && strcmp(value, "0") == 0))
			continue;
		r = option_set(p, d, value);
		if (r < 0)
			return err_wrap(p->err, r, "%s", name);
	}
	return 0;
}

int options_parse(int argc, char *const *argv, struct options *ret, struct err *err)
{
	struct parser p = { .argc = argc, .argv = argv, .at = 1, .o = ret, .err = err };
	bool literal = false;
	int r;

	*ret = (struct options){ .timeout_ms = 5000 };
	r = parse_environment(&p);
	while (r == 0 && p.at < argc)
		r = parse_argument(&p, argv[p.at++], &literal);
	if (r < 0)
		return r;
	if (ret->json)
		ret->format = WRITER_JSON;
	return check_words(&p);
}

/* --- help --- */

static void help_option(FILE *out, const struct option_def *d)
{
	char left[48];

	if (d->hidden)
		return;
	snprintf(left, sizeof left, "%c%c%s%s%s%s%s", d->letter ? '-' : ' ', d->letter ? d->letter : ' ',
		d->letter && d->name ? ", " : "  ", d->name ? "--" : "", d->name ? d->name : "", d->value ? " " : "",
		d->value ? d->value : "");
	fprintf(out, "  %-26s %s\n", left, d->help);
}

static void help_globals(FILE *out)
{
	fprintf(out, "\nOptions of all commands:\n");
	for (unsigned i = 0; i < ARRAY_LEN(global_options); i++)
		help_option(out, &global_options[i]);
}

static void help_overview(FILE *out)
{
	fprintf(out, "nsdbg looks inside containers' namespaces: packets, sockets, processes, DNS.\n\n"
		"Usage: nsdbg [TARGET]                     the screen\n"
		"       nsdbg COMMAND [TARGET] [OPTIONS]   the same facts as text or JSON\n\nCommands:\n");
	for (size_t i = 1; i < COMMAND_N; i++)
		fprintf(out, "  %-11s %s\n", options_commands[i].name, options_commands[i].help);
	help_globals(out);
	fprintf(out, "\nTARGET is a container's name or the beginning of its id (4 digits or more), docker:NAME, POD/NAME,\n"
		"pod:NAME, ctr:SPACE/NAME, pid:N, netns:NAME, netns:PATH, ns:INODE or host.\n"
		"\nFilter words: web (any column) -web (none) state:estab port:80,443 name=web rss>10M /regex/\n"
		"\nExit status: 0 done, 1 the answer is no, 2 usage, 3 no such target, 4 not permitted,\n"
		"5 no engine, 6 timed out, 7 partial result, 10 internal error, 130 interrupted.\n"
		"\nnsdbg help COMMAND says more.\n");
}

void options_help(FILE *out, enum command_id command)
{
	const struct command_def *c = &options_commands[command];

	if (command == COMMAND_APP || command >= COMMAND_N) {
		help_overview(out);
		return;
	}
	fprintf(out, "nsdbg %s: %s\n\nUsage: nsdbg %s%s%s%s\n", c->name, c->help, c->name, c->n_options ? " [OPTIONS]" : "",
		*c->args ? " " : "", c->args);
	if (c->n_options)
		fprintf(out, "\nOptions:\n");
	for (unsigned i = 0; i < c->n_options; i++)
		help_option(out, &c->options[i]);
	if (c->more)
		fprintf(out, "\n%s", c->more);
	help_globals(out);
}

/* --- completion --- */

/* A case line for each option that takes a value: its choices, or nothing, which means file names. */
static void completion_values(FILE *out, const char *command, const struct option_def *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct option_def *d = &list[i];

		if (d->kind == OPTION_FLAG || !d->name)
			continue;
		fprintf(out, "\t%s:--%s", command, d->name);
		if (d->letter)
			fprintf(out, "|%s:-%c", command, d->letter);
		fprintf(out, ") value=1 words='");
		for (uint32_t k = 0; k < d->n_choices; k++)
			fprintf(out, "%s%s", k ? " " : "", d->choices[k]);
		fprintf(out, "' ;;\n");
	}
}

static void completion_names(FILE *out, const struct option_def *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!list[i].hidden && list[i].name)
			fprintf(out, " --%s", list[i].name);
}

static void completion_commands(FILE *out, bool (*wanted)(const struct command_def *c), const char *between)
{
	bool first = true;

	for (size_t c = 1; c < COMMAND_N; c++)
		if (wanted(&options_commands[c])) {
			fprintf(out, "%s%s", first ? "" : between, options_commands[c].name);
			first = false;
		}
}

static bool any_command(const struct command_def *c)
{
	return c->name != NULL;
}

static bool takes_target(const struct command_def *c)
{
	return strncmp(c->args, "TARGET", 6) == 0;
}

/* Names of targets come from outside: nothing of them is expanded (as compgen -W would), odd ones are left out. */
static void completion_types(FILE *out)
{
	unsigned n;
	const struct row_type *const *types = cli_row_types(&n);

	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? " " : "", types[i]->name);
}

void options_completion(FILE *out)
{
	fputs("# bash completion of nsdbg: source <(nsdbg completion bash)\n"
	      "_nsdbg()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command='' words='' value='' options='' place=0 i list\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n\t\t-*) ;;\n"
	      "\t\t*) if [ -n \"$command\" ]; then place=$((place + 1)); else command=${COMP_WORDS[i]}; fi ;;\n\t\tesac\n\tdone\n"
	      "\tcase $command:$before in\n", out);
	for (size_t c = 1; c < COMMAND_N; c++)
		completion_values(out, options_commands[c].name, options_commands[c].options, options_commands[c].n_options);
	completion_values(out, "*", global_options, ARRAY_LEN(global_options));
	fputs("\tesac\n\tcase $command in\n", out);
	for (size_t c = 1; c < COMMAND_N; c++) {
		fprintf(out, "\t%s) options='", options_commands[c].name);
		completion_names(out, options_commands[c].options, options_commands[c].n_options);
		fputs("' ;;\n", out);
	}
	fputs("\tesac\n\tif [ -n \"$value\" ]; then :\n\telif [[ $word == -* ]]; then words=\"$options", out);
	completion_names(out, global_options, ARRAY_LEN(global_options));
	fputs("\"\n\telif [ -z \"$command\" ]; then words='", out);
	completion_commands(out, any_command, " ");
	fputs("'\n\telif [ \"$place\" = 0 ]; then\n\t\tcase $command in\n\t\t", out);
	completion_commands(out, takes_target, "|");
	fputs(") words=$(timeout 1 nsdbg ls -a -H --columns name 2>/dev/null) ;;\n\t\thelp) words='", out);
	completion_commands(out, any_command, " ");
	fputs("' ;;\n\t\tfields) words='", out);
	completion_types(out);
	fputs("' ;;\n\t\tnetns) words='attach detach list' ;;\n\t\tcompletion) words=bash ;;\n\t\tesac\n\tfi\n"
	      "\tCOMPREPLY=()\n\tread -rd '' -a list <<<\"$words\"\n\tfor i in \"${list[@]}\"; do\n"
	      "\t\t[[ $i == \"$word\"* && $i != *[!A-Za-z0-9_.:/@%+,-]* ]] && COMPREPLY+=(\"$i\")\n\tdone\n}\n"
	      "complete -o default -F _nsdbg nsdbg\n", out);
}
