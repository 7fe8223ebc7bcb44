/* State of the DNS pane: pane_dns.c asks and takes answers, dns_keys.c holds the keys, dns_draw.c the picture. */
#ifndef NSDBG_TUI_DNS_VIEW_H
#define NSDBG_TUI_DNS_VIEW_H

#include "core/dns/ask.h"
#include "core/source/files.h"
#include "tui/asked.h"
#include "tui/dns_wire_view.h"
#include "tui/dns_versus.h"
#include "tui/pane.h"

enum { DNS_SLOT_FILES, DNS_SLOT_ASK };
enum dns_focus { DNS_ANSWER, DNS_LOWER, DNS_FOCUS_N };
enum { DNS_SAMPLES = 60, DNS_REPEAT_MS = 2000, DNS_SERVER_TEXT = 80 };

/* What t goes through. */
struct dns_choice {
	const char *name; /* "A+AAAA" */
	uint16_t types[4];
};
extern const struct dns_choice dns_choices[];
extern const unsigned dns_n_choices;

struct dns_view {
	struct pane *pane;
	struct block *files; /* file_row; NULL: not read (yet) */
	bool files_done; /* read, or never will be */
	struct dns_request defaults; /* from the files */
	/* the form */
	char name[DNS_NAME_TEXT];
	unsigned choice; /* into dns_choices */
	char server[DNS_SERVER_TEXT]; /* "": the container's own */
	struct addr server_address;
	uint16_t server_port;
	uint32_t flags; /* DNS_TCP, DNS_NO_SEARCH, DNS_NO_HOSTS */
	/* the question under way, and the last answer */
	bool pending; /* to be asked as soon as files and worker are there */
	bool waiting; /* for the worker */
	uint32_t tag;
	uint64_t question; /* hash of the form as it was asked */
	struct dns_request request; /* as it was sent */
	int64_t asked_ms; /* env->now_ms */
	struct asked last; /* n: .time 0 nothing was asked yet */
	char why[192]; /* it could not be asked */
	struct asked_list asked;
	/* repeating */
	bool repeat;
	struct loop_item *timer;
	double samples[DNS_SAMPLES]; /* ms, newest last; < 0: no reply */
	unsigned n_samples;
	/* looks */
	struct grid answer; /* dns_row */
	struct grid history; /* asked_row */
	struct grid lines; /* file_row */
	bool show_files; /* asked for */
	enum dns_focus focus;
	struct prompt_history names, servers;
	/* the other half: [ ] */
	bool on_wire;
	struct dns_wire_view wire;
	struct block *shown; /* the last answer, as it came */
	struct dns_versus versus; /* in the lower part, when shown */
};

static inline struct dns_view *dns_view_of(const struct pane *p)
{
	return p->state;
}

/* --- pane_dns.c --- */

void dns_view_ask(struct dns_view *v);
void dns_view_set_name(struct dns_view *v, const char *name);
/* "8.8.8.8", "8.8.8.8:5353", "[::1]:53", "" = the container's. False: not an address. */
bool dns_view_set_server(struct dns_view *v, const char *text);
void dns_view_repeat(struct dns_view *v, bool on);
void dns_view_show_wire(struct dns_view *v, bool on);
/* Asks the other resolvers for the last answer's name, and shows them below. */
void dns_view_compare(struct dns_view *v);
/* The grid of the lower part. */
struct grid *dns_view_lower(struct dns_view *v);
/* The lower part shows the files: as asked for, or as long as nothing else is there to see. */
bool dns_view_shows_files(const struct dns_view *v);
/* "dig @127.0.0.11 -t A db". Returns length. */
size_t dns_view_dig(const struct dns_view *v, char *buf, size_t cap);

/* --- dns_keys.c --- */

enum { DNS_N_BINDINGS = 20 };
extern const struct binding dns_bindings[DNS_N_BINDINGS];
int dns_view_key(struct pane *p, int key);
int dns_view_mouse(struct pane *p, int key, int x, int y);

/* --- dns_draw.c --- */

void dns_view_draw(const struct pane *p, struct area a);
void dns_view_message(const struct pane *p, char *buf, size_t cap);

/* --- dns_rows.c --- */

/* "14:07:06", with `ms` "14:07:06.114". Returns length. */
size_t dns_view_clock(int64_t ns, bool utc, bool ms, char *buf, size_t cap);
/* "1.2 ms", "5.0 s". Returns length. */
size_t dns_view_took(uint64_t us, char *buf, size_t cap);
void dns_view_grids(struct dns_view *v);

#endif
