/*
 * What a program in a container does to resolve a name: getaddrinfo, of whichever libc this is linked with. The lab watches the packets.
 * resolve NAME [0|4|6]: prints the addresses, sorted by nobody but libc; exit 1 and its error without any. resolve hold: waits.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int r;

	if (argc == 2 && strcmp(argv[1], "hold") == 0) {
		puts("up");
		fflush(stdout);
		pause();
	}
	if (argc < 2)
		return 2;
	if (argc > 2)
		hints.ai_family = argv[2][0] == '4' ? AF_INET : argv[2][0] == '6' ? AF_INET6 : AF_UNSPEC;
	r = getaddrinfo(argv[1], NULL, &hints, &list);
	if (r) {
		puts(gai_strerror(r));
		return 1;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		char text[INET6_ADDRSTRLEN];
		const void *p = a->ai_family == AF_INET ? (const void *)&((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr :
							  (const void *)&((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_addr;

		puts(inet_ntop(a->ai_family, p, text, sizeof text));
	}
	freeaddrinfo(list);
	return 0;
}
