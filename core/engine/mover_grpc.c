/*
 * gRPC over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md): one POST a call, its message behind five bytes, the verdict in trailers. Each call has
 * a connection of its own: libcurl 7.88 fails with the second one on a connection whose protocol was known before (curl issue 10634).
 */
#include "core/engine/mover_grpc.h"

#include "core/fd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CRI "/runtime.v1.RuntimeService/"
#define CONTAINERD "/containerd.services."

static const struct {
	const char *method;
	bool has_space, has_id;
} methods[MOVER_KIND_N] = {
	[MOVER_CTR_VERSION] = { CONTAINERD "version.v1.Version/Version", false, false },
	[MOVER_CTR_SPACES] = { CONTAINERD "namespaces.v1.Namespaces/List", false, false },
	[MOVER_CTR_CONTAINERS] = { CONTAINERD "containers.v1.Containers/List", true, false },
	[MOVER_CTR_TASKS] = { CONTAINERD "tasks.v1.Tasks/List", true, false },
	[MOVER_CTR_EVENTS] = { CONTAINERD "events.v1.Events/Subscribe", false, false },
	[MOVER_CRI_VERSION] = { CRI "Version", false, false },
	[MOVER_CRI_PODS] = { CRI "ListPodSandbox", false, false },
	[MOVER_CRI_POD] = { CRI "PodSandboxStatus", false, true },
	[MOVER_CRI_CONTAINERS] = { CRI "ListContainers", false, false },
	[MOVER_CRI_CONTAINER] = { CRI "ContainerStatus", false, true },
	[MOVER_CRI_EVENTS] = { CRI "GetContainerEvents", false, false },
};

bool mover_grpc_is(uint32_t kind)
{
	return kind < MOVER_KIND_N && methods[kind].method;
}

bool mover_grpc_is_stream(uint32_t kind)
{
	return kind == MOVER_CTR_EVENTS || kind == MOVER_CRI_EVENTS;
}

int mover_grpc_path(const struct mover_request *r, char *buf, size_t cap)
{
	if (!mover_grpc_is(r->kind) || (methods[r->kind].has_space && !mover_is_name(r->space)) ||
		(methods[r->kind].has_id && !mover_is_name(r->id)))
		return -1;
	return snprintf(buf, cap, "%s", methods[r->kind].method);
}

/* No compression, length in network order; the message is empty, or a string as field 1 and perhaps "true" as field 2. */
static size_t write_message(const struct mover_request *r, unsigned char post[MOVER_GRPC_POST])
{
	size_t n = methods[r->kind].has_id ? strnlen(r->id, MOVER_ID) : 0, len = n ? n + 2 : 0;

	memset(post, 0, 5);
	post[4] = (unsigned char)len;
	if (n) {
		post[5] = 1 << 3 | 2; /* field 1, length-delimited */
		post[6] = (unsigned char)n;
		memcpy(post + 7, r->id, n);
	}
	if (n && r->verbose) {
		post[5 + len++] = 2 << 3;
		post[5 + len++] = 1;
		post[4] = (unsigned char)len;
	}
	return 5 + len;
}

void mover_grpc_prepare(CURL *easy, const struct mover_request *r, struct curl_slist **headers, unsigned char post[MOVER_GRPC_POST])
{
	size_t n = write_message(r, post);
	char line[96];

	curl_slist_free_all(*headers);
	*headers = curl_slist_append(NULL, "content-type: application/grpc");
	*headers = curl_slist_append(*headers, "te: trailers");
	if (methods[r->kind].has_space) {
		snprintf(line, sizeof line, "containerd-namespace: %s", r->space);
		*headers = curl_slist_append(*headers, line);
	}
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)n);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (char *)post);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes outside of ASCII come as %XX. */
static void decode(const char *p, size_t n, char *buf, size_t cap)
{
	size_t k = 0;

	while (n > 0 && (unsigned char)p[n - 1] <= ' ')
		n--;
	for (size_t i = 0; i < n && k + 1 < cap; i++) {
		bool escaped = p[i] == '%' && i + 2 < n && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0;

		buf[k++] = escaped ? (char)(hex(p[i + 1]) << 4 | hex(p[i + 2])) : p[i];
		i += escaped ? 2 : 0;
	}
	buf[k] = 0;
}

void mover_grpc_header(const char *p, size_t n, struct mover_done *done)
{
	static const char status[] = "grpc-status:", message[] = "grpc-message:";
	char text[16];

	if (n > sizeof status && strncasecmp(p, status, sizeof status - 1) == 0) {
		snprintf(text, sizeof text, "%.*s", (int)(n - sizeof status + 1 < 15 ? n - sizeof status + 1 : 15), p + sizeof status - 1);
		done->grpc = atoi(text);
	} else if (n > sizeof message && strncasecmp(p, message, sizeof message - 1) == 0) {
		p += sizeof message - 1;
		n -= sizeof message - 1;
		while (n > 0 && *p == ' ')
			p++, n--;
		decode(p, n, done->msg, sizeof done->msg);
	}
}
