/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/sys.h"
#include "include/paths.h"

/* The image: a header, count entries in the order of running, then their process fields in the same
 * order without a gap, each ended by NUL. One legal form for each table keeps the check short. */
struct header {
	uint32_t magic;
	uint32_t version;
	uint32_t count;
	uint32_t size_bytes;            /* of the whole image */
};

enum {
	TABLE_MAGIC = 0x62617469,
	TABLE_VERSION = 1,
	TABLE_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL,
};

static_assert(sizeof(struct header) == 16, "the entries behind it are aligned");
static_assert(sizeof(struct table_entry) == 40, "the image's layout");
static_assert(TAB_ID_MAX < sizeof ((struct table_entry *)0)->id, "an id and its NUL fit");
static_assert(sizeof ((struct tab_line *)0)->levels <= sizeof ((struct table_entry *)0)->levels,
	"levels fit");

/* --- the loader's side --- */

struct table_builder {
	struct table_entry *entry;
	uint32_t count, room;
	char *text;
	size_t text_used, text_room;
	uint32_t *slot;                 /* ids by hash: 1 + index of an entry, 0 is free */
	uint32_t slots;                 /* a power of two, at least twice the entries */
	bool has_level[256];
};

enum { FIRST_ENTRIES = 64, FIRST_TEXT = 4096 };

struct table_builder *table_build_begin(void)
{
	struct table_builder *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->room = FIRST_ENTRIES;
	b->text_room = FIRST_TEXT;
	b->slots = 2 * FIRST_ENTRIES;
	b->entry = calloc(b->room, sizeof *b->entry);
	b->text = malloc(b->text_room);
	b->slot = calloc(b->slots, sizeof *b->slot);
	if (b->entry && b->text && b->slot)
		return b;
	table_build_drop(b);
	return NULL;
}

void table_build_drop(struct table_builder *b)
{
	free(b->entry);
	free(b->text);
	free(b->slot);
	free(b);
}

/* The slot that holds id, or the free one where it belongs. */
static uint32_t *slot_find(const struct table_builder *b, const char *id)
{
	uint32_t at = num_hash(id, strlen(id));

	for (;; at++) {
		uint32_t *slot = &b->slot[at & (b->slots - 1)];

		if (!*slot || !strcmp(b->entry[*slot - 1].id, id))
			return slot;
	}
}

static int slots_grow(struct table_builder *b)
{
	uint32_t *slot = calloc(2 * (size_t)b->slots, sizeof *slot);

	if (!slot)
		return -ENOMEM;
	free(b->slot);
	b->slot = slot;
	b->slots *= 2;
	for (uint32_t i = 0; i < b->count; i++)
		*slot_find(b, b->entry[i].id) = i + 1;
	return 0;
}

static int entries_grow(struct table_builder *b)
{
	struct table_entry *entry = realloc(b->entry, 2 * (size_t)b->room * sizeof *entry);

	if (!entry)
		return -ENOMEM;
	b->entry = entry;
	b->room *= 2;
	return 0;
}

static int text_grow(struct table_builder *b, size_t more)
{
	size_t room = 2 * b->text_room + more;
	char *text = realloc(b->text, room);

	if (!text)
		return -ENOMEM;
	b->text = text;
	b->text_room = room;
	return 0;
}

static int room_make(struct table_builder *b, size_t text_bytes)
{
	int err = 0;

	if (b->count == b->room)
		err = entries_grow(b);
	if (!err && 2 * (b->count + 1) > b->slots)
		err = slots_grow(b);
	if (!err && b->text_room - b->text_used < text_bytes)
		err = text_grow(b, text_bytes);
	return err;
}

static size_t image_bytes(size_t count, size_t text_bytes)
{
	return sizeof(struct header) + count * sizeof(struct table_entry) + text_bytes;
}

bool table_build_has_id(const struct table_builder *b, const char *id)
{
	return *slot_find(b, id) != 0;
}

bool table_build_has_level(const struct table_builder *b, char level)
{
	return b->has_level[(unsigned char)level];
}

size_t table_build_count(const struct table_builder *b)
{
	return b->count;
}

int table_build_add(struct table_builder *b, const struct tab_line *line, uint32_t number)
{
	size_t text_bytes = strlen(line->process) + 1;
	struct table_entry *entry;
	int err;

	if (strcmp(line->id, "~~") && table_build_has_id(b, line->id))
		return -EEXIST;
	if (b->count == TABLE_ENTRIES_MAX ||
		image_bytes(b->count + 1, b->text_used + text_bytes) > TABLE_BYTES_MAX)
		return -ENOSPC;
	err = room_make(b, text_bytes);
	if (err)
		return err;
	entry = &b->entry[b->count];
	memset(entry, 0, sizeof *entry);
	strcpy(entry->id, line->id);
	strcpy(entry->levels, line->levels);
	entry->action = line->action;
	entry->process_offset = (uint32_t)b->text_used;
	entry->process_len = (uint32_t)text_bytes - 1;
	entry->line = number;
	memcpy(b->text + b->text_used, line->process, text_bytes);
	b->text_used += text_bytes;
	*slot_find(b, entry->id) = ++b->count;
	if (line->action != ACTION_INITDEFAULT && !action_needs_event(line->action))
		for (const char *level = entry->levels; *level; level++)
			b->has_level[(unsigned char)*level] = true;
	return 0;
}

struct image {
	char *at;
	uint32_t count;                 /* entries placed so far */
	size_t text;                    /* where the next process field goes */
};

static void image_put(struct image *image, const struct table_builder *b, bool first)
{
	for (uint32_t i = 0; i < b->count; i++) {
		struct table_entry entry = b->entry[i];
		size_t bytes = (size_t)entry.process_len + 1;

		if (action_is_first((enum action)entry.action) != first)
			continue;
		memcpy(image->at + image->text, b->text + entry.process_offset, bytes);
		entry.process_offset = (uint32_t)image->text;
		image->text += bytes;
		memcpy(image->at + image_bytes(image->count++, 0), &entry, sizeof entry);
	}
}

static int image_write(int fd, const char *at, size_t len_bytes)
{
	off_t done = 0;

	while ((size_t)done < len_bytes) {
		/* Not through a mapping: a writable one would refuse the seal. */
		ssize_t n = sys_pwrite(fd, at + done, len_bytes - (size_t)done, done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EIO;
		done += n;
	}
	return 0;
}

int table_seal(int fd)
{
	return sys_seal(fd, TABLE_SEALS);
}

int table_build_end(struct table_builder *b, int fd)
{
	size_t size = image_bytes(b->count, b->text_used);
	struct header header = { TABLE_MAGIC, TABLE_VERSION, b->count, (uint32_t)size };
	struct image image = { .at = malloc(size), .text = image_bytes(b->count, 0) };
	int err = -ENOMEM;

	if (image.at) {
		memcpy(image.at, &header, sizeof header);
		image_put(&image, b, true);
		image_put(&image, b, false);
		err = image_write(fd, image.at, size);
	}
	if (!err)
		err = table_seal(fd);
	free(image.at);
	table_build_drop(b);
	return err;
}

/* --- pid 1's side --- */

static bool is_text(const char *field, size_t size_bytes, size_t max)
{
	size_t len = strnlen(field, size_bytes);

	return len && len <= max && len < size_bytes;
}

/* *text: where this entry's process field must begin; moved behind it. */
static bool is_good_entry(const struct table *table, const struct table_entry *entry, size_t *text)
{
	size_t room = table->size_bytes - *text;
	const char *process = (const char *)table->image + *text;

	if (!is_text(entry->id, sizeof entry->id, TAB_ID_MAX) ||
		!is_text(entry->levels, sizeof entry->levels, TAB_LEVELS_MAX) ||
		entry->action == ACTION_NONE || entry->action >= ACTION_COUNT)
		return false;
	if (entry->process_offset != *text || entry->process_len > TAB_LINE_MAX ||
		entry->process_len >= room)
		return false;
	if (memchr(process, '\0', room) != process + entry->process_len)
		return false;
	*text += (size_t)entry->process_len + 1;
	return true;
}

static bool is_good_image(const struct table *table)
{
	const struct header *header = table->image;
	size_t text = image_bytes(table->count, 0);

	if (header->magic != TABLE_MAGIC || header->version != TABLE_VERSION ||
		header->size_bytes != table->size_bytes || table->count > TABLE_ENTRIES_MAX ||
		text > table->size_bytes)
		return false;
	for (uint32_t i = 0; i < table->count; i++)
		if (!is_good_entry(table, table_entry(table, i), &text))
			return false;
	return text == table->size_bytes;
}

int table_open(int fd, struct table *out)
{
	struct table table = { 0 };
	struct stat st;
	void *image;
	int err, seals = sys_seals(fd);

	if (seals < 0)
		return seals;
	if ((seals & TABLE_SEALS) != TABLE_SEALS)
		return -EPROTO;
	err = sys_fstat(fd, &st);
	if (err)
		return err;
	if (st.st_size > TABLE_BYTES_MAX)
		return -EFBIG;
	if (st.st_size < (off_t)sizeof(struct header))
		return -EPROTO;
	table.size_bytes = (size_t)st.st_size;
	/* Private: a shared mapping of a write-sealed memfd, even one for reading, is refused
	 * before Linux 6.7. */
	err = sys_map(fd, table.size_bytes, PROT_READ, MAP_PRIVATE, &image);
	if (err)
		return err;
	table.image = image;
	table.count = ((const struct header *)image)->count;
	if (!is_good_image(&table)) {
		sys_unmap(image, table.size_bytes);
		return -EPROTO;
	}
	*out = table;
	return 0;
}

void table_close(struct table *table)
{
	if (table->image)
		sys_unmap((void *)table->image, table->size_bytes);
	*table = (struct table){ 0 };
}

const struct table_entry *table_entry(const struct table *table, uint32_t index)
{
	return (const struct table_entry *)((const char *)table->image + image_bytes(index, 0));
}

const char *table_process(const struct table *table, const struct table_entry *entry)
{
	return (const char *)table->image + entry->process_offset;
}

#define FALLBACK_PROCESS SULOGIN_PATH

static const struct {
	struct header header;
	struct table_entry entry;
	char process[sizeof FALLBACK_PROCESS];
} fallback = {
	.header = { TABLE_MAGIC, TABLE_VERSION, 1, sizeof fallback },
	.entry = { .id = "~~", .levels = "S", .action = ACTION_WAIT,
		.process_offset = offsetof(__typeof__(fallback), process),
		.process_len = sizeof FALLBACK_PROCESS - 1 },
	.process = FALLBACK_PROCESS,
};

void table_fallback(struct table *out)
{
	*out = (struct table){ &fallback, sizeof fallback, 1 };
}
