/*
 * Docker's JSON: see docker_json.h. Nothing in the tree is believed: strings may be missing, numbers infinite, lists objects.
 */
#include "core/engine/docker_json.h"

#include "core/engine/docker_tree.h"
#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_ENDPOINTS = 256, MAX_PORTS = 2048, MAX_LIST = 256, MAX_COMMAND = 4096, MAX_PID = 1 << 22 };

/* --- values: absent or of another type is unknown --- */

static const cJSON *get(const cJSON *o, const char *key)
{
	return cJSON_IsObject(o) ? cJSON_GetObjectItemCaseSensitive(o, key) : NULL;
}

static const char *get_text(const cJSON *o, const char *key)
{
	const cJSON *v = get(o, key);

	return cJSON_IsString(v) ? v->valuestring : NULL;
}

/* The empty string counts as absent. */
static const char *get_word(const cJSON *o, const char *key)
{
	const char *v = get_text(o, key);

	return v && v[0] ? v : NULL;
}

static uint64_t get_uint(const cJSON *o, const char *key, double max)
{
	const cJSON *v = get(o, key);

	if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble) || v->valuedouble < 0 || v->valuedouble > max)
		return ROW_NO_UINT;
	return (uint64_t)v->valuedouble;
}

static uint8_t get_bool(const cJSON *o, const char *key)
{
	const cJSON *v = get(o, key);

	return cJSON_IsBool(v) ? cJSON_IsTrue(v) != 0 : ROW_NO_BOOL;
}

static struct addr get_addr(const cJSON *o, const char *key)
{
	const char *v = get_word(o, key);
	struct addr a = { 0 };

	if (!v || addr_parse(v, &a) < 0)
		return (struct addr){ 0 };
	return a;
}

static struct addr get_addr_prefix(const cJSON *o, const char *key, const char *prefix_key)
{
	struct addr a = get_addr(o, key);
	uint64_t prefix = get_uint(o, prefix_key, a.kind == ADDR_IP4 ? 32 : 128);

	if (a.kind != ADDR_NONE && !a.has_prefix && prefix != ROW_NO_UINT && prefix > 0) {
		a.prefix = (uint8_t)prefix;
		a.has_prefix = 1;
	}
	return a;
}

/* Whole decimal number in text. */
static uint64_t number_of(const char *text, uint64_t max)
{
	uint64_t v = 0;

	if (!text || !text[0])
		return ROW_NO_UINT;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return ROW_NO_UINT;
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > max)
			return ROW_NO_UINT;
	}
	return v;
}

static bool copy_id(const char *text, char ret[DOCKER_ID + 1])
{
	size_t n = text ? strlen(text) : 0;

	if (n < 12 || n > DOCKER_ID || strspn(text, "0123456789abcdef") != n)
		return false;
	memcpy(ret, text, n + 1);
	return true;
}

static uint32_t index_of(const char *const *names, uint32_t n, const char *text)
{
	for (uint32_t i = 0; text && i < n; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return ROW_NO_ENUM;
}

/* Takes `n` digits and the byte behind them from *p; -1: not so. */
static int take_digits(const char **p, unsigned n, char behind)
{
	int v = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	if (behind && *(*p)++ != behind)
		return -1;
	return v;
}

/* "Z" or "+01:30": seconds east of Greenwich. */
static bool take_zone(const char *p, int64_t *ret)
{
	int sign = *p == '-' ? -1 : 1, hours, minutes;

	*ret = 0;
	if (strcmp(p, "Z") == 0)
		return true;
	if (*p != '+' && *p != '-')
		return false;
	p++;
	hours = take_digits(&p, 2, ':');
	minutes = hours < 0 ? -1 : take_digits(&p, 2, 0);
	*ret = sign * (hours * 3600 + minutes * 60);
	return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && *p == 0;
}

int64_t docker_json_time(const char *text)
{
	static const struct {
		unsigned digits;
		char behind;
		int min, max;
	} parts[6] = { { 4, '-', 1970, 2200 }, { 2, '-', 1, 12 }, { 2, 'T', 1, 31 }, { 2, ':', 0, 23 }, { 2, ':', 0, 59 }, { 2, 0, 0, 60 } };
	int v[6] = { 0 };
	int64_t ns = 0, unit = 100000000, zone;
	struct tm tm;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		v[i] = text ? take_digits(&text, parts[i].digits, parts[i].behind) : -1;
		if (v[i] < parts[i].min || v[i] > parts[i].max)
			return ROW_NO_INT;
	}
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			ns += (*text - '0') * unit;
	if (!take_zone(text, &zone))
		return ROW_NO_INT;
	tm = (struct tm){ .tm_year = v[0] - 1900, .tm_mon = v[1] - 1, .tm_mday = v[2], .tm_hour = v[3], .tm_min = v[4], .tm_sec = v[5] };
	return (timegm(&tm) - zone) * 1000000000 + ns;
}

/* --- containers --- */

static void take_endpoint(struct docker_container *c, const cJSON *e)
{
	const cJSON *aliases = get(e, "Aliases"), *a;
	struct endpoint_row *row = &c->endpoints[c->n_endpoints++];
	unsigned n = 0;

	*row = (struct endpoint_row){ .network = docker_model_text(&c->text, e->string),
		.network_id = docker_model_text(&c->text, get_word(e, "NetworkID")),
		.address = get_addr_prefix(e, "IPAddress", "IPPrefixLen"), .gateway = get_addr(e, "Gateway"),
		.address6 = get_addr_prefix(e, "GlobalIPv6Address", "GlobalIPv6PrefixLen"),
		.gateway6 = get_addr(e, "IPv6Gateway"), .mac = get_addr(e, "MacAddress"), .interface = ROW_NO_TEXT };
	cJSON_ArrayForEach(a, aliases) {
		if (cJSON_IsString(a) && n++ < MAX_LIST)
			docker_model_list_add(&c->text, &row->aliases, a->valuestring);
	}
}

static void take_endpoints(struct docker_container *c, const cJSON *networks)
{
	const cJSON *e;
	unsigned n = 0;

	cJSON_ArrayForEach(e, networks)
		n += e->string && cJSON_IsObject(e);
	c->n_cut += n > MAX_ENDPOINTS ? n - MAX_ENDPOINTS : 0;
	n = n > MAX_ENDPOINTS ? MAX_ENDPOINTS : n;
	c->endpoints = fd_xcalloc(n, sizeof *c->endpoints);
	cJSON_ArrayForEach(e, networks) {
		if (e->string && cJSON_IsObject(e) && c->n_endpoints < n)
			take_endpoint(c, e);
	}
}

/* Podman leaves the host address empty where Docker says 0.0.0.0. */
static void add_port(struct docker_container *c, uint64_t port, const char *protocol, const char *host, uint64_t host_port)
{
	struct addr any = { .kind = ADDR_IP4 };
	struct port_row *row;

	if (port == ROW_NO_UINT)
		return;
	if (c->n_ports == MAX_PORTS) {
		c->n_cut++;
		return;
	}
	if ((c->n_ports & (c->n_ports - 1)) == 0) /* grows at powers of two */
		c->ports = fd_xrealloc(c->ports, c->n_ports ? c->n_ports * 2 : 1, sizeof *c->ports);
	row = &c->ports[c->n_ports++];
	*row = (struct port_row){ .host_port = host_port, .port = port, .protocol = docker_model_text(&c->text, protocol) };
	if (host_port != ROW_NO_UINT && (!host || !host[0] || addr_parse(host, &row->host_address) < 0))
		row->host_address = any;
	row->head.id = row_hash(row->host_address.bytes, sizeof row->host_address.bytes, port << 16 ^ host_port) +
		(protocol ? (uint64_t)protocol[0] : 0);
}

static int by_port(const void *x, const void *y)
{
	const struct port_row *a = x, *b = y;

	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->host_port != b->host_port)
		return a->host_port < b->host_port ? -1 : 1;
	return addr_compare(&a->host_address, &b->host_address);
}

/* /containers/json: [{IP?, PrivatePort, PublicPort?, Type}] */
static void take_list_ports(struct docker_container *c, const cJSON *ports)
{
	const cJSON *p;

	cJSON_ArrayForEach(p, ports) {
		uint64_t public = get_uint(p, "PublicPort", 65535);

		add_port(c, get_uint(p, "PrivatePort", 65535), get_text(p, "Type"), get_text(p, "IP"), public ? public : ROW_NO_UINT);
	}
	if (c->n_ports)
		qsort(c->ports, c->n_ports, sizeof *c->ports, by_port);
}

/* /containers/ID/json: {"80/tcp": [{HostIp, HostPort}] or null} */
static void take_inspect_ports(struct docker_container *c, const cJSON *ports)
{
	const cJSON *p, *binding;

	cJSON_ArrayForEach(p, ports) {
		const char *slash = p->string ? strchr(p->string, '/') : NULL;
		char number[8] = "";
		uint64_t port;

		if (!slash || slash - p->string > 5)
			continue;
		memcpy(number, p->string, (size_t)(slash - p->string));
		port = number_of(number, 65535);
		if (!p->child)
			add_port(c, port, slash + 1, NULL, ROW_NO_UINT);
		cJSON_ArrayForEach(binding, p)
			add_port(c, port, slash + 1, get_text(binding, "HostIp"), number_of(get_text(binding, "HostPort"), 65535));
	}
	if (c->n_ports)
		qsort(c->ports, c->n_ports, sizeof *c->ports, by_port);
}

static void take_mode(struct docker_container *c, const cJSON *host_config)
{
	const char *mode = get_word(host_config, "NetworkMode");

	if (mode && strcmp(mode, "default") == 0)
		mode = "bridge";
	c->row.network_mode = docker_model_text(&c->text, mode);
	if (mode && strcmp(mode, "host") == 0)
		c->row.head.flags |= TARGET_HOST_NETWORK;
}

static void take_name(struct docker_container *c, const char *name)
{
	if (name && name[0] == '/')
		name++;
	c->row.name = docker_model_text(&c->text, name && name[0] ? name : NULL);
}

/* A link's alias looks like "/other/alias": not the container's own name. */
static void take_names(struct docker_container *c, const cJSON *names)
{
	const cJSON *n, *best = NULL;

	cJSON_ArrayForEach(n, names) {
		if (!cJSON_IsString(n))
			continue;
		if (!best)
			best = n;
		if (n->valuestring[0] && !strchr(n->valuestring + 1, '/')) {
			best = n;
			break;
		}
	}
	take_name(c, best ? best->valuestring : NULL);
}

/* "Up 3 hours (unhealthy)", "Exited (137) 2 days ago": all that a list says of these two before API 1.52. */
static void take_status(struct docker_container *c, const char *status)
{
	static const char *const words[TARGET_HEALTH_N] = {
		[TARGET_HEALTH_STARTING] = "(health: starting)",
		[TARGET_HEALTH_HEALTHY] = "(healthy)",
		[TARGET_HEALTH_UNHEALTHY] = "(unhealthy)",
	};
	int code;

	for (uint32_t i = 0; status && i < TARGET_HEALTH_N; i++)
		if (strstr(status, words[i]))
			c->row.health = i;
	if (status && sscanf(status, "Exited (%9d)", &code) == 1)
		c->row.exit_code = code;
}

static void take_labels(struct docker_container *c, const cJSON *labels)
{
	c->row.project = docker_model_text(&c->text, get_word(labels, "com.docker.compose.project"));
}

static struct docker_container *take_listed(const cJSON *o)
{
	struct docker_container *c = docker_model_container_new();
	uint64_t created = get_uint(o, "Created", 7e9);
	uint32_t health = index_of(target_health_names, TARGET_HEALTH_N, get_text(get(o, "Health"), "Status"));

	if (!copy_id(get_text(o, "Id"), c->id)) {
		docker_model_container_free(c);
		return NULL;
	}
	take_names(c, get(o, "Names"));
	c->row.image = docker_model_text(&c->text, get_word(o, "Image"));
	c->row.command = docker_model_text(&c->text, get_word(o, "Command"));
	c->row.state = index_of(target_state_names, TARGET_STATE_N, get_text(o, "State"));
	c->row.created_at = created == ROW_NO_UINT ? ROW_NO_INT : (int64_t)created * 1000000000;
	take_status(c, get_text(o, "Status"));
	if (health != ROW_NO_ENUM)
		c->row.health = health;
	take_labels(c, get(o, "Labels"));
	take_mode(c, get(o, "HostConfig"));
	take_endpoints(c, get(get(o, "NetworkSettings"), "Networks"));
	take_list_ports(c, get(o, "Ports"));
	return c;
}

/* As a list spells it: the program and its arguments, those with blanks in quotes. */
static void take_command(struct docker_container *c, const char *path, const cJSON *args)
{
	char buf[MAX_COMMAND];
	const cJSON *a;
	int n;

	if (!path)
		return;
	n = snprintf(buf, sizeof buf, "%s", path);
	cJSON_ArrayForEach(a, args) {
		if (!cJSON_IsString(a) || n >= (int)sizeof buf)
			continue;
		n += snprintf(buf + n, sizeof buf - (size_t)n, strchr(a->valuestring, ' ') ? " '%s'" : " %s", a->valuestring);
	}
	c->row.command = docker_model_text(&c->text, buf);
}

static void take_state(struct docker_container *c, const cJSON *s)
{
	const cJSON *code = get(s, "ExitCode");
	struct target_row *r = &c->row;
	uint64_t pid = get_uint(s, "Pid", MAX_PID);

	r->state = index_of(target_state_names, TARGET_STATE_N, get_text(s, "Status"));
	r->health = index_of(target_health_names, TARGET_HEALTH_N, get_text(get(s, "Health"), "Status"));
	r->pid = pid ? pid : ROW_NO_UINT;
	r->oom_killed = get_bool(s, "OOMKilled");
	r->started_at = docker_json_time(get_text(s, "StartedAt"));
	r->finished_at = docker_json_time(get_text(s, "FinishedAt"));
	r->problem = docker_model_text(&c->text, get_word(s, "Error"));
	if (r->state != TARGET_STATE_EXITED && r->state != TARGET_STATE_DEAD && r->state != TARGET_STATE_RESTARTING)
		return; /* a running one has no exit code, though the engine says 0 */
	if (cJSON_IsNumber(code) && fabs(code->valuedouble) < 4294967296.0)
		r->exit_code = (int64_t)code->valuedouble;
}

static struct docker_container *take_inspected(const cJSON *o)
{
	struct docker_container *c = docker_model_container_new();
	const cJSON *config = get(o, "Config"), *network = get(o, "NetworkSettings");

	if (!copy_id(get_text(o, "Id"), c->id)) {
		docker_model_container_free(c);
		return NULL;
	}
	c->is_detailed = true;
	take_name(c, get_text(o, "Name"));
	take_command(c, get_text(o, "Path"), get(o, "Args"));
	take_state(c, get(o, "State"));
	c->row.image = docker_model_text(&c->text, get_word(config, "Image"));
	c->row.hostname = docker_model_text(&c->text, get_word(config, "Hostname"));
	c->row.created_at = docker_json_time(get_text(o, "Created"));
	c->row.restarts = get_uint(o, "RestartCount", 1e15);
	take_labels(c, get(config, "Labels"));
	take_mode(c, get(o, "HostConfig"));
	take_endpoints(c, get(network, "Networks"));
	take_inspect_ports(c, get(network, "Ports"));
	return c;
}

/* --- networks --- */

/* Podman's do not say their bridge in this API; it gives itself away by its address manager. */
static bool is_podman_network(const cJSON *ipam)
{
	return get_text(get(ipam, "Options"), "driver") != NULL;
}

static void take_interface(struct docker_network *n, const cJSON *o)
{
	const cJSON *options = get(o, "Options");
	const char *name = get_word(options, "com.docker.network.bridge.name");
	const char *driver = get_text(o, "Driver");
	char made[16];

	if (!name)
		name = get_word(options, "parent"); /* macvlan, ipvlan */
	if (!name && driver && strcmp(driver, "bridge") == 0 && n->id[0] && !is_podman_network(get(o, "IPAM"))) {
		snprintf(made, sizeof made, "br-%.12s", n->id);
		name = made;
	}
	n->row.interface = docker_model_text(&n->text, name);
}

static void take_subnets(struct docker_network *n, const cJSON *configs)
{
	const cJSON *c;
	unsigned count = 0;

	n->row.subnets = (struct str){ 0 };
	cJSON_ArrayForEach(c, configs) {
		const char *subnet = get_word(c, "Subnet");

		if (subnet && count++ < MAX_LIST)
			docker_model_list_add(&n->text, &n->row.subnets, subnet);
		if (n->row.gateway.kind == ADDR_NONE)
			n->row.gateway = get_addr(c, "Gateway");
	}
	n->row.gateway.prefix = n->row.gateway.has_prefix = 0;
}

static struct docker_network *take_network(const cJSON *o)
{
	struct docker_network *n = docker_model_network_new();
	const char *name = get_word(o, "Name");

	if (!copy_id(get_text(o, "Id"), n->id) && !name) {
		docker_model_network_free(n);
		return NULL;
	}
	n->row.name = docker_model_text(&n->text, name);
	n->row.driver = docker_model_text(&n->text, get_word(o, "Driver"));
	n->row.scope = docker_model_text(&n->text, get_word(o, "Scope"));
	n->row.internal = get_bool(o, "Internal");
	n->row.ipv6 = get_bool(o, "EnableIPv6");
	n->row.created_at = docker_json_time(get_text(o, "Created"));
	n->row.mtu = number_of(get_text(get(o, "Options"), "com.docker.network.driver.mtu"), 1 << 20);
	take_interface(n, o);
	take_subnets(n, get(get(o, "IPAM"), "Config"));
	return n;
}

/* --- exported --- */

/* Opens an answer that must be an array; *ret_n: how many entries to read. */
static int parse_array(const char *p, size_t n, cJSON **ret, uint32_t *ret_n, struct err *err)
{
	int r = docker_tree_parse(p, n, ret, err), size;

	if (r < 0)
		return r;
	if (!cJSON_IsArray(*ret))
		return err_set(err, EBADMSG, "the answer is not a list");
	size = cJSON_GetArraySize(*ret);
	*ret_n = size < DOCKER_JSON_MAX_OBJECTS ? (uint32_t)size : DOCKER_JSON_MAX_OBJECTS;
	return size - (int)*ret_n;
}

int docker_json_list(char *p, size_t n, struct docker_container ***ret, uint32_t *ret_n, uint32_t *ret_skipped,
	struct err *err)
{
	AUTO(docker_tree_freep) cJSON *tree = NULL;
	struct docker_container **list;
	uint32_t size = 0, count = 0;
	int over = parse_array(p, docker_tree_prune(p, n, DOCKER_TREE_LIST), &tree, &size, err);
	const cJSON *o;

	if (over < 0)
		return over;
	list = fd_xcalloc(size, sizeof *list);
	cJSON_ArrayForEach(o, tree) {
		if (size == 0)
			break;
		size--;
		list[count] = take_listed(o);
		over += !list[count];
		count += list[count] != NULL;
	}
	*ret = list;
	*ret_n = count;
	*ret_skipped = (uint32_t)over;
	return 0;
}

int docker_json_networks(const char *p, size_t n, struct docker_network ***ret, uint32_t *ret_n, uint32_t *ret_skipped,
	struct err *err)
{
	AUTO(docker_tree_freep) cJSON *tree = NULL;
	struct docker_network **list;
	uint32_t size = 0, count = 0;
	int over = parse_array(p, n, &tree, &size, err);
	const cJSON *o;

	if (over < 0)
		return over;
	list = fd_xcalloc(size, sizeof *list);
	cJSON_ArrayForEach(o, tree) {
		if (size == 0)
			break;
		size--;
		list[count] = take_network(o);
		over += !list[count];
		count += list[count] != NULL;
	}
	*ret = list;
	*ret_n = count;
	*ret_skipped = (uint32_t)over;
	return 0;
}

static bool take_member(const cJSON *o, struct docker_member *ret)
{
	const char *pod = get_text(o, "PodName");
	uint64_t pid = get_uint(o, "Pid", MAX_PID);

	if (!copy_id(get_text(o, "Id"), ret->id))
		return false;
	snprintf(ret->pod, sizeof ret->pod, "%s", pod ? pod : "");
	ret->pid = pid ? pid : ROW_NO_UINT;
	ret->is_infra = cJSON_IsTrue(get(o, "IsInfra"));
	return true;
}

int docker_json_members(char *p, size_t n, struct docker_member **ret, uint32_t *ret_n, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *tree = NULL;
	uint32_t size = 0, count = 0;
	int over = parse_array(p, docker_tree_prune(p, n, DOCKER_TREE_POD_LIST), &tree, &size, err);
	struct docker_member *list;
	const cJSON *o;

	if (over < 0)
		return over;
	list = fd_xcalloc(size, sizeof *list);
	cJSON_ArrayForEach(o, tree) {
		if (count < size)
			count += take_member(o, &list[count]);
	}
	*ret = list;
	*ret_n = count;
	return 0;
}

int docker_json_bridges(const char *p, size_t n, struct docker_bridge **ret, uint32_t *ret_n, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *tree = NULL;
	uint32_t size = 0, count = 0;
	int over = parse_array(p, n, &tree, &size, err);
	struct docker_bridge *list;
	const cJSON *o;

	if (over < 0)
		return over;
	list = fd_xcalloc(size, sizeof *list);
	cJSON_ArrayForEach(o, tree) {
		const char *interface = get_word(o, "network_interface");

		if (count == size || !interface || strlen(interface) >= sizeof list->interface || !copy_id(get_text(o, "id"), list[count].network))
			continue;
		snprintf(list[count++].interface, sizeof list->interface, "%s", interface);
	}
	*ret = list;
	*ret_n = count;
	return 0;
}

int docker_json_inspect(char *p, size_t n, struct docker_container **ret, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *tree = NULL;
	struct docker_container *c;
	int r = docker_tree_parse(p, docker_tree_prune(p, n, DOCKER_TREE_INSPECTION), &tree, err);

	if (r < 0)
		return r;
	c = take_inspected(tree);
	if (!c)
		return err_set(err, EBADMSG, "the answer is not a container");
	*ret = c;
	return 0;
}

int docker_json_network(const char *p, size_t n, struct docker_network **ret, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *tree = NULL;
	struct docker_network *network;
	int r = docker_tree_parse(p, n, &tree, err);

	if (r < 0)
		return r;
	network = take_network(tree);
	if (!network)
		return err_set(err, EBADMSG, "the answer is not a network");
	*ret = network;
	return 0;
}

int docker_json_event(const char *p, size_t n, struct docker_event *ret, struct err *err)
{
	AUTO(docker_tree_freep) cJSON *tree = NULL;
	struct docker_event e = { 0 };
	const char *type, *action;
	int r = docker_tree_parse(p, n, &tree, err);

	if (r < 0)
		return r;
	type = get_text(tree, "Type");
	action = get_text(tree, "Action");
	if (!type || !action)
		return err_set(err, EBADMSG, "the answer is not an event");
	e.is_network = strcmp(type, "network") == 0;
	if (!e.is_network && strcmp(type, "container") != 0)
		return -ENOMSG;
	snprintf(e.action, sizeof e.action, "%.*s", (int)strcspn(action, ":"), action);
	if (!copy_id(get_text(get(tree, "Actor"), "ID"), e.id) && !e.is_network)
		return err_set(err, EBADMSG, "the event names no container");
	copy_id(get_text(get(get(tree, "Actor"), "Attributes"), "container"), e.container);
	*ret = e;
	return 0;
}

void docker_json_message(const char *p, size_t n, char *buf, size_t cap)
{
	AUTO(docker_tree_freep) cJSON *tree = NULL;
	const char *message;

	if (docker_tree_parse(p, n, &tree, NULL) == 0 && (message = get_text(tree, "message"))) {
		snprintf(buf, cap, "%s", message);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' || p[i] == '\r' || p[i] == 0)
			n = i;
	}
	snprintf(buf, cap, "%.*s", (int)(n < cap ? n : cap), p ? p : "");
}
