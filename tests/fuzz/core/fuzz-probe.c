/* What probes read from outside and from the command line: the first byte chooses the parser. Results stay within their buffers. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/probe/dest.h"
#include "core/probe/echo.h"
#include "core/probe/httptext.h"
#include "core/probe/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ended(const char *buf, size_t cap)
{
	if (!memchr(buf, 0, cap))
		abort();
}

static void try_dest(uint32_t kind, const char *text)
{
	struct dest_ask ask = { .kind = kind, .text = text };
	struct probe_params p;
	struct err err = { 0 };
	struct dest d;

	if (dest_parse(kind, text, &d, &err) < 0) {
		if (!err.msg[0])
			abort();
		return;
	}
	ended(d.host, sizeof d.host);
	ended(d.zone, sizeof d.zone);
	if (!d.host[0] || strpbrk(d.host, " \r\n\t/") || ((kind == PROBE_TCP || kind == PROBE_UDP || kind == PROBE_HTTP) && !d.port))
		abort();
	if (dest_fill(&ask, &p, &err) < 0)
		return;
	ended(p.label, sizeof p.label);
	ended(p.url, sizeof p.url);
	if (strpbrk(p.url, " \r\n"))
		abort();
}

static void try_http(struct text line)
{
	char protocol[16], cipher[64], value[32];
	unsigned status = 0;
	int64_t ns = httptext_date(line);

	if (httptext_status(line, protocol, &status) && (status > 999 || !memchr(protocol, 0, sizeof protocol)))
		abort();
	if (httptext_header(line, "server", value, sizeof value))
		ended(value, sizeof value);
	if (httptext_tls(line, protocol, cipher)) {
		ended(protocol, sizeof protocol);
		ended(cipher, sizeof cipher);
	}
	if (ns != ROW_NO_INT && ns % 1000000000)
		abort();
}

static void try_names(struct text names)
{
	struct text name, list = names;
	bool is_address;

	while (httptext_next_name(&list, &name, &is_address))
		if (name.n == 0 || name.p < names.p || name.p + name.n > names.p + names.n)
			abort();
	httptext_holds_for(names, "www.example.com");
	httptext_holds_for(names, "10.0.0.1");
	httptext_holds_for(names, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(fd_freep) char *text = NULL;
	struct wire_error e = { 0 };
	uint16_t id, seq;

	if (size == 0)
		return 0;
	text = fd_xcalloc(1, size); /* a size of its own: reads past the end are seen */
	memcpy(text, data + 1, size - 1);
	if (data[0] % 4 == 0)
		try_dest(data[0] / 4 % PROBE_KIND_N, text);
	else if (data[0] % 4 == 1)
		try_http((struct text){ text, size - 1 });
	else if (data[0] % 4 == 2)
		try_names((struct text){ text, size - 1 });
	else {
		echo_parse((uint8_t *)text, size - 1, data[0] & 4, &id, &seq);
		wire_parse_echo((uint8_t *)text, size - 1, &e);
	}
	return 0;
}
