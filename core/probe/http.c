/* stub */
#include "core/probe/http.h"
void http_prepare(struct probe_run *run) { (void)run; }
void http_fill(const struct probe_run *run, struct builder *b, struct probe_row *row) { (void)run; (void)b; (void)row; }
int probe_http(struct probe_run *run, struct probe_facts *f) { (void)run; f->code = 95; return 0; }
