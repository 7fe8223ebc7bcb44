/* nsdbg fields: every column and JSON member of every row type, as rows. */
#include "tui/cli.h"

#include "capture/capture.h"
#include "capture/dnswatch.h"
#include "core/dns/ask.h"
#include "core/dns/compare.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/source/doctor.h"
#include "core/net/address.h"
#include "core/net/judge.h"
#include "core/net/nat.h"
#include "core/net/neighbour.h"
#include "core/net/ports.h"
#include "core/net/rule.h"
#include "core/net/sysctl.h"
#include "core/source/files.h"
#include "core/source/health.h"
#include "core/source/netnames.h"
#include "core/source/probe.h"
#include "core/source/processes.h"
#include "core/source/sockets.h"

#include <errno.h>
#include <string.h>

struct field_row {
	struct row_head head;
	struct str type;
	struct str name;
	struct str title;
	struct str kind;
	struct str unit;
	struct str values; /* list, of enums */
	struct str shown; /* "table", "wide", "json" */
	struct str help;
};

static const struct field field_fields[] = {
	{ ROW_FIELD(struct field_row, type, TEXT), .title = "TYPE", .help = "kind of row, as in schema nsdbg.TYPE/1" },
	{ ROW_FIELD(struct field_row, name, TEXT), .title = "NAME", .help = "name in JSON, filters, --columns and --sort" },
	{ ROW_FIELD(struct field_row, title, TEXT), .title = "COLUMN", .help = "heading in tables" },
	{ ROW_FIELD(struct field_row, kind, TEXT), .title = "KIND", .help = "kind of value" },
	{ ROW_FIELD(struct field_row, unit, TEXT), .title = "UNIT", .help = "unit of numbers in JSON" },
	{ ROW_FIELD(struct field_row, shown, TEXT), .title = "SHOWN", .help = "least detail that has it: table, wide or json" },
	{ ROW_FIELD(struct field_row, help, TEXT), .title = "MEANING", .help = "what it is" },
	{ ROW_FIELD(struct field_row, values, LIST), .title = "VALUES", .flags = FIELD_WIDE, .help = "words it may have" },
};

static const struct row_type field_row_type = { .name = "fields", .noun = "fields", .id = 0x646c6966, .schema = 1,
	.size = sizeof(struct field_row), .fields = field_fields, .n_fields = ARRAY_LEN(field_fields) };

static const struct row_type *const types[] = {
	&target_row_type,
	&port_row_type,
	&endpoint_row_type,
	&network_row_type,
	&engine_row_type,
	&health_row_type,
	&doctor_row_type,
	&rate_row_type,
	&sock_row_type,
	&owner_row_type,
	&process_row_type,
	&packet_row_type,
	&dns_row_type,
	&cli_alias_row_type,
	&dns_compare_row_type,
	&file_row_type,
	&netname_row_type,
	&net_link_row_type,
	&net_address_row_type,
	&net_route_row_type,
	&net_nexthop_row_type,
	&net_rule_row_type,
	&net_neighbour_row_type,
	&net_sysctl_row_type,
	&nat_row_type,
	&net_hop_row_type,
	&net_finding_row_type,
	&net_port_row_type,
	&probe_row_type,
	&hop_row_type,
	&certificate_row_type,
	&field_row_type,
};

const struct row_type *const *cli_row_types(unsigned *ret_n)
{
	*ret_n = ARRAY_LEN(types);
	return types;
}

static const char *kind_name(const struct field *f)
{
	static const char *const names[] = {
		[FIELD_TEXT] = "text", [FIELD_LIST] = "list of texts", [FIELD_UINT] = "integer", [FIELD_INT] = "integer",
		[FIELD_REAL] = "number", [FIELD_BOOL] = "true or false", [FIELD_ADDR] = "address", [FIELD_TIME] = "time, RFC 3339",
		[FIELD_ENUM] = "one of", [FIELD_ROWS] = "list of objects",
	};

	return names[f->kind];
}

static const char *unit_name(const struct field *f)
{
	switch (f->unit) {
	case UNIT_BYTES:
		return "bytes";
	case UNIT_PERCENT:
		return "percent";
	case UNIT_US:
		return "microseconds";
	case UNIT_SECONDS:
		return "seconds";
	case UNIT_NONE:
	case UNIT_ID:
	case UNIT_HEX:
		break;
	}
	return NULL;
}

static void add_field(struct builder *b, const struct row_type *type, const struct field *f)
{
	struct field_row *row = builder_row(b);
	char kind[64];

	snprintf(kind, sizeof kind, "%s%s%s", kind_name(f), f->kind == FIELD_ROWS ? ": " : "", f->kind == FIELD_ROWS ? f->sub->name : "");
	*row = (struct field_row){ .head.id = builder_count(b), .type = builder_str(b, type->name), .name = builder_str(b, f->name),
		.title = builder_str(b, f->title), .kind = builder_str(b, kind), .unit = builder_str(b, unit_name(f)),
		.values = ROW_NO_TEXT, .help = builder_str(b, f->help) };
	row->shown = builder_str(b, f->flags & FIELD_SCREEN && f->flags & FIELD_HIDDEN ? "app only" :
				    f->flags & FIELD_SCREEN ? "table only" :
				    f->flags & FIELD_HIDDEN ? "json" :
				    f->flags & FIELD_WIDE   ? "wide" :
							      "table");
	for (uint32_t i = 0; f->kind == FIELD_ENUM && i < f->n_names; i++)
		builder_list_add(b, &row->values, f->names[i], strlen(f->names[i]));
}

static int add_types(struct builder *b, const char *only, struct err *err)
{
	char names[512] = "";
	bool found = false;

	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		size_t n = strlen(names);

		snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", types[t]->name);
		if (only && strcmp(only, types[t]->name) != 0)
			continue;
		found = true;
		for (uint32_t i = 0; i < types[t]->n_fields; i++)
			add_field(b, types[t], &types[t]->fields[i]);
	}
	return found ? 0 : err_set(err, EINVAL, "no kind of row \"%.30s\": there are %s", only, names);
}

void cli_fields(struct cli *c)
{
	struct builder *b = builder_new(&field_row_type);
	AUTO(block_unrefp) struct block *block = NULL;
	struct cli_print p = { .type = &field_row_type, .first_word = OPTIONS_MAX_WORDS };
	struct err err = { 0 };

	if (add_types(b, c->o->n_words ? c->o->words[0] : NULL, &err) < 0) {
		cli_error_err(c, CLI_USAGE, &err);
	} else {
		p.block = block = builder_block(b);
		cli_print(c, &p);
	}
	builder_free(b);
}
