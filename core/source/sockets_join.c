/*
 * Sockets, their owners and the names of containers put together: two hash tables, one pass. Runs in the app, on blocks whose bounds
 * were checked.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/fd.h"
#include "core/source/sockets.h"
#include "core/target.h"

enum { NONE = UINT32_MAX, MAX_OWNERS = 4096 };

/* Owners by inode: chains through `next`, in the order of the blocks; a number counts through all of them. */
struct by_inode {
	const struct block *const *blocks;
	unsigned n_blocks;
	uint32_t *heads, *next;
	uint32_t mask;
};

/* A container's address. name NULL: two containers have it, so it names none. */
struct named {
	struct addr address;
	struct text name;
};

struct by_address {
	struct named *slots; /* kind ADDR_NONE: free */
	uint32_t mask;
};

static uint32_t table_size(uint32_t n)
{
	uint32_t size = 16;

	while (size < n * 2 && size < 1U << 30)
		size *= 2;
	return size;
}

static uint32_t inode_slot(uint64_t inode, uint32_t mask)
{
	return (uint32_t)((inode * 0x9e3779b97f4a7c15ULL) >> 32) & mask;
}

/* The owner's number becomes that of its row in the block that is returned. */
static const struct block *owner_block(const struct by_inode *t, uint32_t *number)
{
	for (unsigned k = 0; k < t->n_blocks; k++) {
		if (*number < block_count(t->blocks[k]))
			return t->blocks[k];
		*number -= block_count(t->blocks[k]);
	}
	return NULL;
}

static const struct owner_row *owner_at(const struct by_inode *t, uint32_t number)
{
	const struct block *b = owner_block(t, &number);

	return b ? block_row(b, number) : NULL;
}

static void by_inode_init(struct by_inode *t, const struct block *const *blocks, unsigned n_blocks)
{
	uint32_t n = 0, size;

	for (unsigned k = 0; k < n_blocks; k++)
		n += block_count(blocks[k]);
	size = table_size(n);
	t->blocks = blocks;
	t->n_blocks = n_blocks;
	t->mask = size - 1;
	t->heads = fd_xcalloc(size, sizeof *t->heads);
	t->next = fd_xcalloc(n, sizeof *t->next);
	memset(t->heads, 0xff, size * sizeof *t->heads);
	for (uint32_t i = n; i-- > 0;) { /* backwards: chains come out in order */
		uint32_t *head = &t->heads[inode_slot(owner_at(t, i)->inode, t->mask)];

		t->next[i] = *head;
		*head = i;
	}
}

static struct named *address_slot(const struct by_address *t, const struct addr *a)
{
	uint64_t h = row_hash(a->bytes, sizeof a->bytes, a->kind);
	uint32_t i = (uint32_t)(h ^ h >> 32) & t->mask;

	while (t->slots[i].address.kind != ADDR_NONE && !addr_same(&t->slots[i].address, a))
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

static void name_address(struct by_address *t, const struct addr *a, struct text name)
{
	struct named *slot;

	if ((a->kind != ADDR_IP4 && a->kind != ADDR_IP6) || addr_is_any(a))
		return;
	slot = address_slot(t, a);
	if (slot->address.kind == ADDR_NONE)
		*slot = (struct named){ .address = *a, .name = name };
	else if (!slot->name.p || !text_equal(slot->name, name))
		slot->name.p = NULL;
}

static const struct endpoint_row *endpoint_at(const struct block *targets, const struct target_row *t, uint32_t i)
{
	return block_nested(targets, &endpoint_row_type, t->endpoints, i);
}

static void by_address_init(struct by_address *t, const struct block *targets)
{
	uint32_t rows = targets ? block_count(targets) : 0, n = 0, size;

	for (uint32_t i = 0; i < rows; i++)
		n += 2 * ((const struct target_row *)block_row(targets, i))->endpoints.n;
	size = table_size(n);
	t->mask = size - 1;
	t->slots = fd_xcalloc(size, sizeof *t->slots);
	for (uint32_t i = 0; i < rows; i++) {
		const struct target_row *row = block_row(targets, i);

		for (uint32_t k = 0; k < row->endpoints.n; k++) {
			name_address(t, &endpoint_at(targets, row, k)->address, block_text(targets, row->name));
			name_address(t, &endpoint_at(targets, row, k)->address6, block_text(targets, row->name));
		}
	}
}

static struct text find_name(const struct by_address *t, const struct addr *remote)
{
	struct addr a = addr_unmap(remote);

	return a.kind == ADDR_NONE ? (struct text){ .p = NULL } : address_slot(t, &a)->name;
}

static void copy_text(struct builder *b, const struct block *from, struct str *s)
{
	struct text t;

	if (s->len == UINT32_MAX)
		return;
	t = block_text(from, *s);
	*s = builder_text(b, t.p, t.n);
}

/* By hand, since this runs for each of 100,000 rows: most have no text at all. What an earlier join found stays. */
static struct sock_row *copy_socket(struct builder *b, const struct block *from, const struct sock_row *row)
{
	struct sock_row *copy;

	if (row->owners.n || row->process.len != UINT32_MAX || row->peer.len != UINT32_MAX)
		return builder_copy_row(b, from, row);
	copy = builder_row(b);
	_Static_assert(sizeof *row == 200, "a new text of struct sock_row is copied below");
	*copy = *row;
	copy_text(b, from, &copy->path);
	copy_text(b, from, &copy->type);
	copy_text(b, from, &copy->interface);
	return copy;
}

/* Copies an owner with its name into the new block's arena. */
static struct owner_row copy_owner(struct builder *b, const struct by_inode *t, uint32_t number)
{
	const struct block *owners = owner_block(t, &number);
	struct owner_row row = *(const struct owner_row *)block_row(owners, number);
	struct text name = block_text(owners, row.process);

	row.process = builder_text(b, name.p, name.n);
	return row;
}

/* As one walk has them: those inside first, then by number. */
static int by_rank(const void *x, const void *y)
{
	const struct owner_row *a = x, *b = y;

	if (a->guest != b->guest)
		return a->guest - b->guest;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->fd > b->fd) - (a->fd < b->fd);
}

static void add_owners(struct builder *b, struct sock_row *row, const struct by_inode *t, struct owner_row *found)
{
	uint32_t n = 0;

	if (row->inode == ROW_NO_UINT)
		return;
	for (uint32_t i = t->heads[inode_slot(row->inode, t->mask)]; i != NONE && n < MAX_OWNERS; i = t->next[i])
		if (owner_at(t, i)->inode == row->inode)
			found[n++] = copy_owner(b, t, i);
	if (n == 0)
		return;
	if (n > 1 && t->n_blocks > 1)
		qsort(found, n, sizeof *found, by_rank);
	row->pid = found[0].pid;
	row->process = found[0].process;
	row->owners = builder_rows(b, &owner_row_type, found, n);
}

static void copy_notes(struct builder *b, const struct block *from)
{
	for (uint32_t i = 0; from && i < block_notes(from); i++) {
		int code = 0;
		struct text note = block_note(from, i, &code);

		builder_note(b, code, "%.*s", (int)note.n, note.n ? note.p : "");
	}
	if (from && block_lost(from))
		builder_lost(b, block_lost(from));
}

struct block *sockets_join_shares(const struct block *sockets, const struct block *const *owners, unsigned n,
	const struct block *targets)
{
	AUTO(fd_freep) struct owner_row *found = fd_xcalloc(MAX_OWNERS, sizeof *found);
	uint64_t cost = block_cost_us(sockets);
	struct builder *b = builder_new(&sock_row_type);
	struct by_address names;
	struct by_inode holders;
	struct block *ret;

	by_inode_init(&holders, owners, n);
	by_address_init(&names, targets);
	for (uint32_t i = 0; i < block_count(sockets); i++) {
		struct sock_row *row = copy_socket(b, sockets, block_row(sockets, i));
		struct text name = find_name(&names, &row->remote_address);

		add_owners(b, row, &holders, found);
		if (name.p)
			row->peer = builder_text(b, name.p, name.n);
	}
	copy_notes(b, sockets);
	for (unsigned k = 0; k < n; k++) {
		copy_notes(b, owners[k]);
		cost += owners[k] ? block_cost_us(owners[k]) : 0;
	}
	builder_cost(b, cost);
	ret = builder_block(b);
	builder_free(b);
	free(holders.heads);
	free(holders.next);
	free(names.slots);
	return ret;
}

struct block *sockets_join(const struct block *sockets, const struct block *owners, const struct block *targets)
{
	return sockets_join_shares(sockets, &owners, 1, targets);
}
