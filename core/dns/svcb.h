/* Service parameters of SVCB and HTTPS records, RFC 9460 2.1 and 14.3. */
#ifndef NSDBG_CORE_DNS_SVCB_H
#define NSDBG_CORE_DNS_SVCB_H

#include "core/dns/rdata.h"

/* Appends all parameters up to the span's end ("alpn=\"h2\" port=443"); false: broken, or keys not in rising order. */
bool dns_svcb_params(struct dns_span *s, struct dns_text *out);

#endif
