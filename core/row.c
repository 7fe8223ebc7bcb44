/* Values of rows by their field table: text, order, numbers. See row.h. */
#include "core/row.h"

#include "core/block.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const void *member(const struct field *f, const void *row)
{
	return (const char *)row + f->offset;
}

static uint64_t get_uint(const struct field *f, const void *row)
{
	uint64_t v;

	memcpy(&v, member(f, row), sizeof v);
	return v;
}

static int64_t get_int(const struct field *f, const void *row)
{
	int64_t v;

	memcpy(&v, member(f, row), sizeof v);
	return v;
}

static double get_real(const struct field *f, const void *row)
{
	double v;

	memcpy(&v, member(f, row), sizeof v);
	return v;
}

static uint32_t get_enum(const struct field *f, const void *row)
{
	uint32_t v;

	memcpy(&v, member(f, row), sizeof v);
	return v;
}

static struct str get_str(const struct field *f, const void *row)
{
	struct str v;

	memcpy(&v, member(f, row), sizeof v);
	return v;
}

static const struct addr *get_addr(const struct field *f, const void *row)
{
	return member(f, row);
}

const struct field *row_field_find(const struct row_type *t, const char *name)
{
	for (uint32_t i = 0; i < t->n_fields; i++)
		if (t->fields[i].name && strcmp(t->fields[i].name, name) == 0)
			return &t->fields[i];
	return NULL;
}

bool row_is_unknown(const struct block *b, const struct field *f, const void *row)
{
	(void)b;
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_LIST:
		return get_str(f, row).len == UINT32_MAX;
	case FIELD_UINT:
		return get_uint(f, row) == ROW_NO_UINT;
	case FIELD_INT:
	case FIELD_TIME:
		return get_int(f, row) == ROW_NO_INT;
	case FIELD_REAL:
		return isnan(get_real(f, row));
	case FIELD_BOOL:
		return *(const uint8_t *)member(f, row) == ROW_NO_BOOL;
	case FIELD_ADDR:
		return get_addr(f, row)->kind == ADDR_NONE;
	case FIELD_ENUM:
		return get_enum(f, row) >= f->n_names;
	case FIELD_ROWS:
		return false;
	}
	return true;
}

/* --- text --- */

/* As snprintf(3) with "%s" would, but for the time that it takes to read a format: tables have 100,000 cells. */
static size_t put_plain(const char *p, size_t n, char *buf, size_t cap)
{
	size_t fits = n < cap ? n : cap - 1;

	memcpy(buf, p, fits);
	buf[fits] = 0;
	return n;
}

static size_t put_word(const char *word, char *buf, size_t cap)
{
	return put_plain(word, strlen(word), buf, cap);
}

size_t row_format_uint(uint64_t v, char *buf, size_t cap)
{
	char digits[20], *p = digits + sizeof digits;

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	return put_plain(p, (size_t)(digits + sizeof digits - p), buf, cap);
}

static size_t format_bytes(double v, char *buf, size_t cap)
{
	static const char units[] = " KMGTPE";
	unsigned u = 0;

	while (v >= 1000 && u < sizeof units - 2) {
		v /= 1024;
		u++;
	}
	if (u == 0 && v >= 0 && v == (double)(uint64_t)v)
		return row_format_uint((uint64_t)v, buf, cap);
	if (u == 0)
		return (size_t)snprintf(buf, cap, "%.0f", v);
	return (size_t)snprintf(buf, cap, v < 9.95 ? "%.1f%c" : "%.0f%c", v, units[u]);
}

static size_t format_us(double us, char *buf, size_t cap)
{
	if (us < 1000)
		return (size_t)snprintf(buf, cap, "%.0f us", us);
	if (us < 1e6)
		return (size_t)snprintf(buf, cap, us < 99950 ? "%.1f ms" : "%.0f ms", us / 1e3);
	return (size_t)snprintf(buf, cap, "%.1f s", us / 1e6);
}

size_t row_format_age(double seconds, char *buf, size_t cap)
{
	const char *sign = seconds < 0 ? "-" : "";
	double s = fabs(seconds); /* a double: a worker may have been fooled about the time */

	if (s < 60)
		return (size_t)snprintf(buf, cap, "%s%.0fs", sign, floor(s));
	if (s < 3600)
		return (size_t)snprintf(buf, cap, "%s%.0fm", sign, floor(s / 60));
	if (s < 2 * 86400)
		return (size_t)snprintf(buf, cap, "%s%.0fh", sign, floor(s / 3600));
	return (size_t)snprintf(buf, cap, "%s%.0fd", sign, floor(s / 86400));
}

static size_t format_number(const struct field *f, double v, const struct row_look *look, char *buf, size_t cap)
{
	if (!look->raw_numbers && f->unit == UNIT_BYTES)
		return format_bytes(v, buf, cap);
	if (!look->raw_numbers && f->unit == UNIT_US)
		return format_us(v, buf, cap);
	if (!look->raw_numbers && f->unit == UNIT_SECONDS)
		return row_format_age(v, buf, cap);
	if (f->unit == UNIT_PERCENT || f->kind == FIELD_REAL)
		return (size_t)snprintf(buf, cap, "%.1f", v);
	return 0;
}

static size_t format_uint(const struct field *f, uint64_t v, const struct row_look *look, char *buf, size_t cap)
{
	size_t n = format_number(f, (double)v, look, buf, cap);

	if (n)
		return n;
	if (f->unit == UNIT_HEX)
		return (size_t)snprintf(buf, cap, "0x%llx", (unsigned long long)v);
	return row_format_uint(v, buf, cap);
}

/* UNIT_US: the time of day to the microsecond, as packets have it. */
static size_t format_time(const struct field *f, int64_t ns, const struct row_look *look, char *buf, size_t cap)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n;

	if (look->now_ns && f->unit != UNIT_US)
		return row_format_age((double)(look->now_ns / 1000000000 - ns / 1000000000), buf, cap);
	if (!(look->utc ? gmtime_r(&s, &tm) : localtime_r(&s, &tm)))
		return (size_t)snprintf(buf, cap, "-");
	n = strftime(buf, cap, f->unit == UNIT_US ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
	if (f->unit == UNIT_US)
		n += (size_t)snprintf(buf + n, cap - n, ".%06lld", (long long)(ns - s * 1000000000ll) / 1000);
	return n + (look->utc ? (size_t)snprintf(buf + n, cap - n, "Z") : 0);
}

static size_t format_list(const struct block *b, struct str list, const struct row_look *look, char *buf, size_t cap)
{
	struct text item;
	size_t n = 0;

	for (uint32_t i = 0; block_list_item(b, list, i, &item) && n + 2 < cap; i++) {
		if (i > 0)
			buf[n++] = ',';
		n += text_clean(buf + n, cap - n, item, look->charset);
	}
	buf[n] = 0;
	return n;
}

static size_t format_own(const struct block *b, const struct field *f, const void *row, const struct row_look *look,
	char *buf, size_t cap)
{
	char raw[1024];
	size_t n = f->format(b, row, raw, sizeof raw);

	return text_clean(buf, cap, (struct text){ .p = raw, .n = n < sizeof raw ? n : sizeof raw - 1 }, look->charset);
}

static size_t format_kind(const struct block *b, const struct field *f, const void *row, const struct row_look *look,
	char *buf, size_t cap)
{
	char text[ADDR_TEXT];
	size_t n;

	switch (f->kind) {
	case FIELD_TEXT:
		return text_clean(buf, cap, block_text(b, get_str(f, row)), look->charset);
	case FIELD_LIST:
		return format_list(b, get_str(f, row), look, buf, cap);
	case FIELD_UINT:
		return format_uint(f, get_uint(f, row), look, buf, cap);
	case FIELD_INT:
		n = format_number(f, (double)get_int(f, row), look, buf, cap);
		return n ? n : (size_t)snprintf(buf, cap, "%lld", (long long)get_int(f, row));
	case FIELD_REAL:
		return format_number(f, get_real(f, row), look, buf, cap);
	case FIELD_BOOL:
		return put_word(*(const uint8_t *)member(f, row) ? "yes" : "no", buf, cap);
	case FIELD_ADDR:
		return put_word(addr_format(get_addr(f, row), text), buf, cap);
	case FIELD_TIME:
		return format_time(f, get_int(f, row), look, buf, cap);
	case FIELD_ENUM:
		return put_word(f->names[get_enum(f, row)], buf, cap);
	case FIELD_ROWS:
		return (size_t)snprintf(buf, cap, "%u", ((const struct rows *)member(f, row))->n);
	}
	return 0;
}

size_t row_format(const struct block *b, const struct field *f, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	size_t n;

	if (cap < 2)
		return 0;
	if (f->format)
		n = format_own(b, f, row, look, buf, cap);
	else if (row_is_unknown(b, f, row))
		n = put_word("-", buf, cap);
	else
		n = format_kind(b, f, row, look, buf, cap);
	return n < cap ? n : cap - 1;
}

/* --- order --- */

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

int row_compare(const struct block *b, const struct field *f, const void *x, const void *y)
{
	bool ux = row_is_unknown(b, f, x), uy = row_is_unknown(b, f, y);

	if (ux || uy)
		return CMP(ux, uy);
	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_LIST:
		return text_compare(block_text(b, get_str(f, x)), block_text(b, get_str(f, y)));
	case FIELD_UINT:
		return CMP(get_uint(f, x), get_uint(f, y));
	case FIELD_INT:
	case FIELD_TIME:
		return CMP(get_int(f, x), get_int(f, y));
	case FIELD_REAL:
		return CMP(get_real(f, x), get_real(f, y));
	case FIELD_BOOL:
		return CMP(*(const uint8_t *)member(f, x), *(const uint8_t *)member(f, y));
	case FIELD_ADDR:
		return addr_compare(get_addr(f, x), get_addr(f, y));
	case FIELD_ENUM:
		return CMP(get_enum(f, x), get_enum(f, y));
	case FIELD_ROWS:
		return CMP(((const struct rows *)member(f, x))->n, ((const struct rows *)member(f, y))->n);
	}
	return 0;
}

double row_number(const struct field *f, const void *row)
{
	if (f->kind == FIELD_ROWS)
		return ((const struct rows *)member(f, row))->n;
	if (row_is_unknown(NULL, f, row))
		return NAN;
	switch (f->kind) {
	case FIELD_UINT:
		return (double)get_uint(f, row);
	case FIELD_INT:
	case FIELD_TIME:
		return (double)get_int(f, row);
	case FIELD_REAL:
		return get_real(f, row);
	case FIELD_BOOL:
		return *(const uint8_t *)member(f, row);
	case FIELD_TEXT:
	case FIELD_LIST:
	case FIELD_ADDR:
	case FIELD_ENUM:
	case FIELD_ROWS:
		break;
	}
	return NAN;
}

uint64_t row_hash(const void *data, size_t n, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325u ^ seed;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}
