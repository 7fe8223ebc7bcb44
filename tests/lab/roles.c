/*
 * What the lab's members do. web: HTTP. db: lines in, lines out. dns: the zone. client: talks to all of them once a second, holds
 * one connection to the database, and has one fault: it keeps calling cache.lab, an address that nobody has.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"

enum { MAX_CLIENTS = 64, PORT_HTTP = 80, PORT_DB = 5432, PORT_DNS = 53, PORT_CACHE = 6379 };

int lab_listen(uint16_t port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&six, sizeof six) == 0 && listen(fd, 128) == 0)
		return fd;
	close(fd); /* no IPv6 here: an ordinary container */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&four, sizeof four) == 0 && listen(fd, 128) == 0)
		return fd;
	perror("listen");
	close(fd);
	return -1;
}

static void http_answer(int fd)
{
	static const char body[] = "hello from the lab\n";
	char request[2048] = "";
	char reply[512];
	ssize_t n = read(fd, request, sizeof request - 1);
	bool found = n > 0 && (!strncmp(request, "GET / ", 6) || !strncmp(request, "GET /health", 11));
	int len = snprintf(reply, sizeof reply, "HTTP/1.1 %s\r\nServer: lab\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n%s", found ? "200 OK" : "404 Not Found", found ? strlen(body) : 0, found ? body : "");

	if (n > 0 && write(fd, reply, (size_t)len) < 0)
		perror("write");
	close(fd);
}

int lab_web(const char *arg)
{
	int fd = lab_listen(arg ? (uint16_t)atoi(arg) : PORT_HTTP);

	if (fd < 0)
		return 1;
	for (unsigned i = 0; i < 2; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			prctl(PR_SET_NAME, "web-worker");
			for (;;) {
				int client = accept(fd, NULL, NULL);

				if (client >= 0)
					http_answer(client);
			}
		}
	for (;;)
		pause();
}

/* One line of the database's protocol: PING, GET name. False when the client left. */
static bool db_answer(int fd)
{
	char line[512] = "";
	char reply[600];
	ssize_t n = read(fd, line, sizeof line - 1);

	if (n <= 0)
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	if (!strcmp(line, "PING"))
		snprintf(reply, sizeof reply, "+PONG\n");
	else if (!strncmp(line, "GET ", 4))
		snprintf(reply, sizeof reply, "+value of %s\n", line + 4);
	else
		snprintf(reply, sizeof reply, "-unknown command\n");
	return write(fd, reply, strlen(reply)) > 0;
}

int lab_db(const char *arg)
{
	struct pollfd fds[MAX_CLIENTS] = { { .fd = lab_listen(arg ? (uint16_t)atoi(arg) : PORT_DB), .events = POLLIN } };
	unsigned n = 1;

	if (fds[0].fd < 0)
		return 1;
	for (;;) {
		if (poll(fds, n, -1) < 0)
			continue;
		for (unsigned i = n; i-- > 1;)
			if (fds[i].revents && !db_answer(fds[i].fd)) {
				close(fds[i].fd);
				fds[i] = fds[--n];
			}
		if (fds[0].revents && n < MAX_CLIENTS) {
			fds[n] = (struct pollfd){ .fd = accept(fds[0].fd, NULL, NULL), .events = POLLIN };
			n += fds[n].fd >= 0;
		}
	}
}

static void dns_udp(int fd)
{
	uint8_t query[1500], reply[1500];
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	ssize_t n = recvfrom(fd, query, sizeof query, 0, (struct sockaddr *)&from, &len);
	size_t out = n > 0 ? lab_zone_answer(query, (size_t)n, reply, 512) : 0;

	if (out)
		sendto(fd, reply, out, 0, (struct sockaddr *)&from, len);
}

static void dns_tcp(int fd)
{
	uint8_t query[1502], reply[1502];
	int client = accept(fd, NULL, NULL);
	ssize_t n = client >= 0 ? read(client, query, sizeof query) : -1;
	size_t out = n > 2 ? lab_zone_answer(query + 2, (size_t)n - 2, reply + 2, sizeof reply - 2) : 0;

	reply[0] = (uint8_t)(out >> 8);
	reply[1] = (uint8_t)out;
	if (out && write(client, reply, out + 2) < 0)
		perror("write");
	close(client);
}

int lab_dns(const char *arg)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT_DNS) };
	struct pollfd fds[2] = {
		{ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .events = POLLIN },
		{ .fd = lab_listen(PORT_DNS), .events = POLLIN },
	};

	(void)arg;
	if (fds[1].fd < 0 || bind(fds[0].fd, (struct sockaddr *)&any, sizeof any) < 0)
		return 1;
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			dns_udp(fds[0].fd);
		if (fds[1].revents)
			dns_tcp(fds[1].fd);
	}
}

/* Asks for the A record of name; false when there is none or no reply within a second. */
static bool client_lookup(struct in_addr server, const char *name, struct in_addr *ret)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT_DNS), .sin_addr = server };
	uint8_t q[300] = { 0x4c, 0x41, 1, 0, 0, 1 };
	uint8_t reply[600];
	size_t at = 12;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t n = -1;

	while (*name) {
		size_t label = strcspn(name, ".");

		q[at++] = (uint8_t)label;
		memcpy(q + at, name, label);
		at += label;
		name += label + (name[label] == '.');
	}
	at++;
	q[at + 1] = q[at + 3] = 1;
	if (sendto(fd, q, at + 4, 0, (struct sockaddr *)&to, sizeof to) > 0 &&
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 1000) == 1)
		n = recv(fd, reply, sizeof reply, 0);
	close(fd);
	if (n < 32 || reply[7] == 0)
		return false;
	memcpy(ret, reply + n - 4, 4); /* our own server puts the address last */
	return true;
}

static int client_connect(struct in_addr to, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = to };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Sends a request and reads the reply; false when the connection is dead. */
static bool client_say(int fd, const char *text)
{
	char reply[2048];

	return fd >= 0 && write(fd, text, strlen(text)) > 0 && read(fd, reply, sizeof reply) > 0;
}

static void client_fault(struct in_addr server)
{
	struct in_addr cache;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "cache-caller");
	for (;;)
		if (!client_lookup(server, "cache.lab", &cache) || client_connect(cache, PORT_CACHE) < 0)
			usleep(200 * 1000);
}

int lab_client(const char *arg)
{
	struct in_addr server, to;
	int db = -1;

	if (inet_pton(AF_INET, arg ? arg : "10.77.0.53", &server) != 1)
		return 1;
	if (fork() == 0)
		client_fault(server);
	for (unsigned round = 0;; round++) {
		if (client_lookup(server, round % 5 ? "web.lab" : "api.lab", &to)) {
			int web = client_connect(to, PORT_HTTP);

			client_say(web, "GET /health HTTP/1.1\r\nHost: web.lab\r\n\r\n");
			close(web);
		}
		if (db < 0 && client_lookup(server, "db.lab", &to))
			db = client_connect(to, PORT_DB);
		if (!client_say(db, round % 2 ? "PING\n" : "GET user:42\n")) {
			close(db);
			db = -1;
		}
		if (round % 5 == 4)
			client_lookup(server, "queue.lab", &to); /* no such name */
		sleep(1);
	}
}
