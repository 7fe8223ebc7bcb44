/*
 * Text that a server, or libcurl on its behalf, says: header lines, certificate facts. Any bytes will do; results are bounded.
 * RFC 9110 5 (fields), RFC 9112 4 (status line), RFC 6125 6.4 (names in certificates), RFC 5280 4.2.1.6 (subjectAltName).
 */
#ifndef NSDBG_CORE_PROBE_HTTPTEXT_H
#define NSDBG_CORE_PROBE_HTTPTEXT_H

#include "core/text.h"

#include <stdint.h>

/* "HTTP/1.1 200 OK": false when it is not a status line. */
bool httptext_status(struct text line, char ret_protocol[16], unsigned *ret_status);

/* The value of a header line of this name, blanks around it cut off; false: another header. */
bool httptext_header(struct text line, const char *name, char *buf, size_t cap);

/* "SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 ...", as libcurl reports it. */
bool httptext_tls(struct text line, char ret_version[16], char ret_cipher[64]);

/* "Nov 22 18:00:00 2026 GMT" (OpenSSL) or "2026-11-22 18:00:00 GMT" (GnuTLS): ns since 1970, ROW_NO_INT when it is neither. */
int64_t httptext_date(struct text text);

/* Next of "DNS:a.example, IP Address:10.0.0.1"; advances *list; false at the end. Kinds other than these are passed over. */
bool httptext_next_name(struct text *list, struct text *ret, bool *ret_is_address);

/* Does a certificate with these names hold for `host`, a name or an address? "*" stands for the first label alone. */
bool httptext_holds_for(struct text names, const char *host);

#endif
