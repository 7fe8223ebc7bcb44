/*
 * See containerd_facts.h. protobuf-c builds a whole tree before anyone can stop it: a scan of the outermost level counts its entries
 * first, and the mover has bounded the bytes. Frames: grpc/doc/PROTOCOL-HTTP2.md; wire format: protobuf.dev/programming-guides/encoding.
 */
#include "core/engine/containerd_facts.h"

#include "core/engine/containerd.pb-c.h"
#include "core/engine/docker_tree.h"
#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_HEAD = 5, MAX_PID = 1 << 22, LABELS = 64 };

/* One namespace of containerd. */
struct space {
	char name[MOVER_ID + 1];
	Ctr__ContainerList *containers;
	Ctr__TaskList *tasks;
};

/* One answer about one pod or container, by its place in the list. */
struct containerd_facts {
	char version[64];
	struct space spaces[CONTAINERD_SPACES];
	unsigned n_spaces;
	Ctr__PodList *pods;
	Ctr__CriContainerList *containers;
	Ctr__PodStatusReply **pod_status; /* as pods */
	Ctr__CriStatusReply **container_status; /* as containers */
};

struct containerd_facts *containerd_facts_new(void)
{
	return fd_xcalloc(1, sizeof(struct containerd_facts));
}

#define FREE(m) protobuf_c_message_free_unpacked((ProtobufCMessage *)(m), NULL)

static void drop_pods(struct containerd_facts *f)
{
	for (size_t i = 0; f->pods && i < f->pods->n_pods; i++)
		FREE(f->pod_status[i]);
	free(f->pod_status);
	FREE(f->pods);
	f->pods = NULL;
	f->pod_status = NULL;
}

static void drop_containers(struct containerd_facts *f)
{
	for (size_t i = 0; f->containers && i < f->containers->n_containers; i++)
		FREE(f->container_status[i]);
	free(f->container_status);
	FREE(f->containers);
	f->containers = NULL;
	f->container_status = NULL;
}

void containerd_facts_free(struct containerd_facts *f)
{
	if (!f)
		return;
	drop_pods(f);
	drop_containers(f);
	for (unsigned i = 0; i < f->n_spaces; i++) {
		FREE(f->spaces[i].containers);
		FREE(f->spaces[i].tasks);
	}
	free(f);
}

/* --- bytes --- */

ssize_t containerd_frame(const unsigned char *p, size_t n, const unsigned char **ret_body, size_t *ret_n)
{
	size_t len;

	if (n < FRAME_HEAD)
		return 0;
	len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
	if (p[0] != 0 || len > MOVER_MAX_LIST)
		return -EBADMSG; /* compressed, which nobody asked for, or absurd */
	if (n - FRAME_HEAD < len)
		return 0;
	*ret_body = p + FRAME_HEAD;
	*ret_n = len;
	return (ssize_t)(FRAME_HEAD + len);
}

static bool varint(const unsigned char **p, const unsigned char *end, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
		unsigned char c = *(*p)++;

		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

/* Fields of one level; -1: not protobuf. */
static long count_fields(const unsigned char *p, size_t n)
{
	enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
	const unsigned char *end = p + n;
	long count = 0;
	uint64_t tag, len;

	for (; p < end; count++) {
		if (!varint(&p, end, &tag))
			return -1;
		switch (tag & 7) {
		case VARINT:
			if (!varint(&p, end, &len))
				return -1;
			continue;
		case FIXED64:
			len = 8;
			break;
		case FIXED32:
			len = 4;
			break;
		case BYTES:
			if (!varint(&p, end, &len))
				return -1;
			break;
		default:
			return -1;
		}
		if (len > (uint64_t)(end - p))
			return -1;
		p += len;
	}
	return count;
}

/* The message of a whole answer. */
static void *unpack(const ProtobufCMessageDescriptor *type, const void *body, size_t n, struct err *err)
{
	const unsigned char *message = NULL;
	size_t len = 0;
	ssize_t used = containerd_frame(body, n, &message, &len);
	void *m;
	long fields;

	if (used <= 0) {
		err_set(err, EBADMSG, "the answer is not a gRPC message");
		return NULL;
	}
	fields = count_fields(message, len);
	if (fields < 0 || fields > CONTAINERD_OBJECTS) {
		err_set(err, fields < 0 ? EBADMSG : E2BIG, "the answer is %s", fields < 0 ? "not protobuf" : "a list of more than 20000");
		return NULL;
	}
	m = protobuf_c_message_unpack(type, NULL, len, message);
	if (!m)
		err_set(err, EBADMSG, "the answer is not the protobuf message that was asked for");
	return m;
}

/* --- taking --- */

static struct space *find_space(struct containerd_facts *f, const char *name)
{
	for (unsigned i = 0; i < f->n_spaces; i++)
		if (strcmp(f->spaces[i].name, name) == 0)
			return &f->spaces[i];
	return NULL;
}

static void take_spaces(struct containerd_facts *f, const Ctr__SpaceList *list)
{
	for (size_t i = 0; i < list->n_spaces && f->n_spaces < CONTAINERD_SPACES; i++) {
		const char *name = list->spaces[i]->name;

		if (mover_is_name(name) && strcmp(name, "moby") != 0 && !find_space(f, name))
			snprintf(f->spaces[f->n_spaces++].name, sizeof f->spaces[0].name, "%s", name);
	}
}

static void take_version(struct containerd_facts *f, const char *version)
{
	if (!f->version[0])
		snprintf(f->version, sizeof f->version, "%s", version[0] == 'v' ? version + 1 : version);
}

static void take_pod(struct containerd_facts *f, const char *id, Ctr__PodStatusReply *reply)
{
	for (size_t i = 0; f->pods && i < f->pods->n_pods; i++)
		if (strcmp(f->pods->pods[i]->id, id) == 0 && !f->pod_status[i]) {
			f->pod_status[i] = reply;
			return;
		}
	FREE(reply);
}

static void take_container(struct containerd_facts *f, const char *id, Ctr__CriStatusReply *reply)
{
	for (size_t i = 0; f->containers && i < f->containers->n_containers; i++)
		if (strcmp(f->containers->containers[i]->id, id) == 0 && !f->container_status[i]) {
			f->container_status[i] = reply;
			return;
		}
	FREE(reply);
}

static const ProtobufCMessageDescriptor *type_of(enum mover_kind kind)
{
	static const ProtobufCMessageDescriptor *const types[MOVER_KIND_N] = {
		[MOVER_CTR_VERSION] = &ctr__version_reply__descriptor,
		[MOVER_CTR_SPACES] = &ctr__space_list__descriptor,
		[MOVER_CTR_CONTAINERS] = &ctr__container_list__descriptor,
		[MOVER_CTR_TASKS] = &ctr__task_list__descriptor,
		[MOVER_CRI_VERSION] = &ctr__cri_version__descriptor,
		[MOVER_CRI_PODS] = &ctr__pod_list__descriptor,
		[MOVER_CRI_POD] = &ctr__pod_status_reply__descriptor,
		[MOVER_CRI_CONTAINERS] = &ctr__cri_container_list__descriptor,
		[MOVER_CRI_CONTAINER] = &ctr__cri_status_reply__descriptor,
	};

	return kind < MOVER_KIND_N ? types[kind] : NULL;
}

/* An answer about something that was not asked for is dropped. */
static void keep(struct containerd_facts *f, enum mover_kind kind, struct space *s, const char *id, void *m)
{
	if (kind == MOVER_CTR_CONTAINERS && s && !s->containers) {
		s->containers = m;
	} else if (kind == MOVER_CTR_TASKS && s && !s->tasks) {
		s->tasks = m;
	} else if (kind == MOVER_CRI_PODS) {
		drop_pods(f);
		f->pods = m;
		f->pod_status = fd_xcalloc(f->pods->n_pods, sizeof *f->pod_status);
	} else if (kind == MOVER_CRI_CONTAINERS) {
		drop_containers(f);
		f->containers = m;
		f->container_status = fd_xcalloc(f->containers->n_containers, sizeof *f->container_status);
	} else if (kind == MOVER_CRI_POD) {
		take_pod(f, id, m);
	} else if (kind == MOVER_CRI_CONTAINER) {
		take_container(f, id, m);
	} else {
		FREE(m);
	}
}

int containerd_facts_take(struct containerd_facts *f, enum mover_kind kind, const char *space, const char *id, const void *body, size_t n,
	struct err *err)
{
	const ProtobufCMessageDescriptor *type = type_of(kind);
	struct err ignored = { 0 };
	void *m = type ? unpack(type, body, n, err ? err : &ignored) : NULL;

	if (!m)
		return err && err->code ? -err->code : -EBADMSG;
	if (kind == MOVER_CTR_SPACES)
		take_spaces(f, m);
	else if (kind == MOVER_CTR_VERSION)
		take_version(f, ((Ctr__VersionReply *)m)->version);
	else if (kind == MOVER_CRI_VERSION)
		take_version(f, ((Ctr__CriVersion *)m)->runtime_version);
	keep(f, kind, find_space(f, space), id, m);
	return 0;
}

const char *containerd_facts_space(const struct containerd_facts *f, unsigned i)
{
	return i < f->n_spaces ? f->spaces[i].name : NULL;
}

const char *containerd_facts_pod(const struct containerd_facts *f, unsigned i)
{
	return f->pods && i < f->pods->n_pods ? f->pods->pods[i]->id : NULL;
}

const char *containerd_facts_container(const struct containerd_facts *f, unsigned i)
{
	return f->containers && i < f->containers->n_containers ? f->containers->containers[i]->id : NULL;
}

const char *containerd_facts_version(const struct containerd_facts *f)
{
	return f->version;
}

bool containerd_event_matters(const unsigned char *p, size_t n)
{
	Ctr__Envelope *e = count_fields(p, n) < 0 ? NULL :
		(Ctr__Envelope *)protobuf_c_message_unpack(&ctr__envelope__descriptor, NULL, n, p);
	bool matters = !e; /* one that cannot be read may have been about anything */

	if (e)
		matters = strcmp(e->space, "moby") != 0 && strncmp(e->topic, "/tasks/exec", 11) != 0 &&
			(strncmp(e->topic, "/tasks/", 7) == 0 || strncmp(e->topic, "/containers/", 12) == 0 ||
				strncmp(e->topic, "/namespaces/", 12) == 0);
	FREE(e);
	return matters;
}

/* --- rows --- */

static struct str word(struct builder *b, const char *text)
{
	return builder_str(b, text && text[0] ? text : NULL);
}

static struct target_row *add(struct builder *b, const struct docker_rows_stamp *stamp, const char *runtime, const char *id)
{
	struct target_row *r = builder_row(b);
	struct docker_container *blank = docker_model_container_new();

	*r = blank->row;
	docker_model_container_free(blank);
	r->head.id = row_hash(id, strlen(id), row_hash(runtime, strlen(runtime), 0));
	r->head.flags = TARGET_IS_CONTAINER | (stamp->as_of != ROW_NO_INT ? TARGET_STALE : 0);
	r->as_of = stamp->as_of;
	r->runtime = builder_str(b, runtime);
	r->id = builder_str(b, id);
	r->engine = builder_str(b, stamp->engine);
	r->owner = stamp->owner;
	r->networks = r->addresses = (struct str){ 0 };
	return r;
}

static int64_t time_of(const Ctr__Time *t)
{
	return t && t->seconds > 0 && t->seconds < 7000000000 && t->nanos >= 0 && t->nanos < 1000000000 ?
		t->seconds * 1000000000 + t->nanos : ROW_NO_INT;
}

static int64_t when(int64_t ns)
{
	return ns > 0 ? ns : ROW_NO_INT;
}

static const char *label(const Ctr__Container *c, const char *key)
{
	for (size_t i = 0; i < c->n_labels && i < LABELS; i++)
		if (strcmp(c->labels[i]->key, key) == 0)
			return c->labels[i]->value;
	return NULL;
}

/* 1.6 leaves container_id empty in lists. */
static const Ctr__Task *find_task(const struct containerd_facts *f, const char *space, const char *id)
{
	for (unsigned i = 0; i < f->n_spaces; i++) {
		const Ctr__TaskList *l = f->spaces[i].tasks;

		if (strcmp(f->spaces[i].name, space) != 0)
			continue;
		for (size_t k = 0; l && k < l->n_tasks; k++)
			if (strcmp(l->tasks[k]->container_id[0] ? l->tasks[k]->container_id : l->tasks[k]->id, id) == 0)
				return l->tasks[k];
	}
	return NULL;
}

static void take_task(struct target_row *r, const Ctr__Task *t)
{
	enum { CREATED = 1, RUNNING, STOPPED, PAUSED, PAUSING };

	if (!t)
		return;
	if (t->pid > 0 && t->pid <= MAX_PID && t->status != STOPPED)
		r->pid = t->pid;
	if (t->status == RUNNING)
		r->state = TARGET_STATE_RUNNING;
	else if (t->status == PAUSED || t->status == PAUSING)
		r->state = TARGET_STATE_PAUSED;
	else if (t->status == CREATED)
		r->state = TARGET_STATE_CREATED;
	if (t->status != STOPPED)
		return;
	r->state = TARGET_STATE_EXITED;
	r->exit_code = t->exit_status;
	r->finished_at = time_of(t->exited);
}

/* Of a verbose answer: JSON in a map, whose pid is 0 once the process has ended. Only a runtime without containerd's API is asked so. */
static void take_info(struct target_row *r, Ctr__Pair *const *info, size_t n)
{
	AUTO(docker_tree_freep) cJSON *root = NULL;
	const cJSON *pid = NULL;
	struct err ignored = { 0 };

	for (size_t i = 0; i < n && i < LABELS && !root; i++)
		if (strcmp(info[i]->key, "info") == 0 && docker_tree_parse(info[i]->value, strlen(info[i]->value), &root, &ignored) < 0)
			return;
	pid = cJSON_IsObject(root) ? cJSON_GetObjectItemCaseSensitive(root, "pid") : NULL;
	if (r->pid == ROW_NO_UINT && r->state == TARGET_STATE_RUNNING && cJSON_IsNumber(pid) && pid->valuedouble >= 1 &&
		pid->valuedouble <= MAX_PID)
		r->pid = (uint64_t)pid->valuedouble;
}

/* Kubernetes' own, told by containerd's API alone, which has its labels: in the row as CRI would have told it. */
static void take_labels(const Ctr__Container *c, struct target_row *r, struct builder *b)
{
	const char *kind = label(c, "io.cri-containerd.kind"), *pod = label(c, "io.kubernetes.pod.name");
	const char *name = label(c, "io.kubernetes.container.name");

	if (!kind || !pod || !pod[0])
		return;
	r->infra = strcmp(kind, "sandbox") == 0;
	r->pod = builder_str(b, pod);
	r->space = word(b, label(c, "io.kubernetes.pod.namespace"));
	r->name = builder_str(b, r->infra ? pod : name && name[0] ? name : c->id);
}

/* Of ctr, nerdctl and everybody else who uses containerd by itself. */
static void add_plain(const struct containerd_facts *f, const struct space *s, const Ctr__Container *c, const struct docker_rows_stamp *stamp,
	struct builder *b)
{
	struct target_row *r = add(b, stamp, label(c, "io.cri-containerd.kind") ? "cri" : "containerd", c->id);
	const char *name = label(c, "nerdctl/name");

	r->name = builder_str(b, name && name[0] ? name : c->id);
	r->image = word(b, c->image);
	r->space = builder_str(b, s->name);
	r->hostname = word(b, label(c, "nerdctl/hostname"));
	r->project = word(b, label(c, "com.docker.compose.project"));
	r->created_at = time_of(c->created);
	r->state = TARGET_STATE_CREATED; /* without a task it does not run */
	take_task(r, find_task(f, s->name, c->id));
	take_labels(c, r, b);
}

static void add_ips(struct builder *b, struct target_row *r, const Ctr__PodStatusReply *reply)
{
	const Ctr__PodNet *net = reply && reply->status ? reply->status->net : NULL;
	struct addr a;

	if (net && addr_parse(net->ip, &a) == 0)
		builder_list_add(b, &r->addresses, net->ip, strlen(net->ip));
	for (size_t i = 0; net && i < net->n_more; i++)
		if (addr_parse(net->more[i]->ip, &a) == 0)
			builder_list_add(b, &r->addresses, net->more[i]->ip, strlen(net->more[i]->ip));
}

static void add_pod(const struct containerd_facts *f, size_t i, const struct docker_rows_stamp *stamp, struct builder *b)
{
	const Ctr__Pod *p = f->pods->pods[i];
	struct target_row *r = add(b, stamp, "cri", p->id);
	const char *name = p->meta ? p->meta->name : "";

	r->name = builder_str(b, name[0] ? name : p->id);
	r->pod = word(b, name);
	r->space = word(b, p->meta ? p->meta->space : NULL);
	r->infra = 1;
	r->attempt = p->meta ? p->meta->attempt : ROW_NO_UINT;
	r->created_at = r->started_at = when(p->created);
	r->state = p->state == 0 ? TARGET_STATE_RUNNING : TARGET_STATE_EXITED;
	take_task(r, find_task(f, "k8s.io", p->id));
	if (f->pod_status[i])
		take_info(r, f->pod_status[i]->info, f->pod_status[i]->n_info);
	add_ips(b, r, f->pod_status[i]);
}

static size_t find_pod(const struct containerd_facts *f, const char *id)
{
	size_t i = 0;

	while (f->pods && i < f->pods->n_pods && strcmp(f->pods->pods[i]->id, id) != 0)
		i++;
	return i;
}

static void take_status(struct builder *b, struct target_row *r, const Ctr__CriStatusReply *reply)
{
	const Ctr__CriStatus *s = reply ? reply->status : NULL;

	if (!s)
		return;
	take_info(r, reply->info, reply->n_info);
	r->started_at = when(s->started);
	if (s->image && s->image->name[0])
		r->image = builder_str(b, s->image->name);
	if (r->state != TARGET_STATE_EXITED)
		return;
	r->finished_at = when(s->finished);
	r->exit_code = s->exit_code;
	r->oom_killed = strcmp(s->reason, "OOMKilled") == 0;
}

static void add_container(const struct containerd_facts *f, size_t i, const struct docker_rows_stamp *stamp, struct builder *b)
{
	static const uint32_t states[] = { TARGET_STATE_CREATED, TARGET_STATE_RUNNING, TARGET_STATE_EXITED };
	const Ctr__CriContainer *c = f->containers->containers[i];
	struct target_row *r = add(b, stamp, "cri", c->id);
	size_t at = find_pod(f, c->pod);
	const Ctr__Pod *p = f->pods && at < f->pods->n_pods ? f->pods->pods[at] : NULL;

	r->name = builder_str(b, c->meta && c->meta->name[0] ? c->meta->name : c->id);
	r->attempt = r->restarts = c->meta ? c->meta->attempt : ROW_NO_UINT;
	r->image = word(b, c->image ? c->image->name : NULL);
	r->state = c->state < ARRAY_LEN(states) ? states[c->state] : ROW_NO_ENUM;
	r->created_at = when(c->created);
	r->infra = 0;
	take_task(r, find_task(f, "k8s.io", c->id));
	take_status(b, r, f->container_status[i]);
	if (!p)
		return;
	r->pod = word(b, p->meta ? p->meta->name : NULL);
	r->space = word(b, p->meta ? p->meta->space : NULL);
	if (r->state == TARGET_STATE_RUNNING)
		add_ips(b, r, f->pod_status[at]);
}

void containerd_facts_rows(const struct containerd_facts *f, const struct docker_rows_stamp *stamp, struct builder *b)
{
	for (size_t i = 0; f->pods && i < f->pods->n_pods; i++)
		add_pod(f, i, stamp, b);
	for (size_t i = 0; f->containers && i < f->containers->n_containers; i++)
		add_container(f, i, stamp, b);
	for (unsigned i = 0; i < f->n_spaces; i++) {
		const struct space *s = &f->spaces[i];

		for (size_t k = 0; s->containers && k < s->containers->n_containers; k++)
			add_plain(f, s, s->containers->containers[k], stamp, b);
	}
}
