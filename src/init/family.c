/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/family.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/sys.h"

enum { FAMILY_MAGIC = 0x494e4641, FAMILY_VERSION = 1 };
enum { NOBODY = -1, MOVED = -2, MEMFD_CLOEXEC = 1 };

/* The memfd: this, the entries, then the process fields, each with a NUL behind it. */
struct family_image {
	uint32_t magic, version;
	uint32_t head_bytes, entry_bytes;
	int32_t count, total;
	uint64_t size_bytes;
};
static_assert(sizeof(struct family_image) == 32, "shared layout");
static_assert(sizeof(struct entry) == 80 && offsetof(struct entry, guard_since_ns) == 48 &&
	offsetof(struct entry, forked) == 76, "shared layout");
static_assert(sizeof ((struct entry *)0)->id == sizeof ((struct table_entry *)0)->id, "copied as is");
static_assert(sizeof ((struct entry *)0)->levels == sizeof ((struct table_entry *)0)->levels,
	"copied as is");

void family_init(struct family *family)
{
	memset(family, 0, sizeof *family);
	family->fd = -1;
	family_lists_clear(family);
}

void family_seal(struct entry *entry)
{
	entry->checksum = num_hash((const char *)entry + sizeof entry->checksum,
		offsetof(struct entry, forked) - sizeof entry->checksum);
}

/* By the image alone: the family itself may be in the middle of a change to another. */
void family_seal_all(struct family *family)
{
	struct family_image *image = family->image;
	struct entry *entry = (struct entry *)(image + 1);

	for (int32_t i = 0; image && i < image->total; i++)
		family_seal(&entry[i]);
}

/* --- the pid index --- */

static int32_t *bucket_of(struct family *family, pid_t pid)
{
	return &family->pid_bucket[(uint32_t)pid * 2654435761u >> 7 & family->bucket_mask];
}

static void index_insert(struct family *family, int32_t position)
{
	int32_t *bucket = bucket_of(family, family->entry[position].pid);

	family->pid_next[position] = *bucket;
	*bucket = position;
}

static void index_remove(struct family *family, int32_t position)
{
	int32_t *link = bucket_of(family, family->entry[position].pid);

	while (*link != NOBODY && *link != position)
		link = &family->pid_next[*link];
	if (*link == position)
		*link = family->pid_next[position];
}

struct entry *family_find_pid(struct family *family, pid_t pid)
{
	if (!family->pid_bucket || pid <= 0)
		return NULL;
	for (int32_t at = *bucket_of(family, pid); at != NOBODY; at = family->pid_next[at])
		if (family->entry[at].pid == pid)
			return &family->entry[at];
	return NULL;
}

int32_t family_position(const struct family *family, const struct entry *entry)
{
	return (int32_t)(entry - family->entry);
}

const char *family_process(const struct family *family, const struct entry *entry)
{
	if (!entry->process_offset)
		return "";
	return (const char *)family->image + entry->process_offset;
}

static char highest(const struct entry *entry)
{
	char found = 0;

	for (size_t i = 0; i < strnlen(entry->levels, sizeof entry->levels); i++) {
		char level = (char)toupper((unsigned char)entry->levels[i]);

		if (level > found)
			found = level;
	}
	return found;
}

char family_initdefault(const struct family *family)
{
	for (int32_t i = 0; i < family->count; i++)
		if (family->entry[i].action == ACTION_INITDEFAULT)
			return highest(&family->entry[i]);
	return 0;
}

/* --- marks --- */

static void count_running(struct family *family, const struct entry *entry, int32_t by)
{
	family->running += by;
	if (entry->action == ACTION_BOOT)
		family->running_boot += by;
	if (entry->flags & ENTRY_STOPPING)
		family->stopping += by;
}

void family_set_running(struct family *family, struct entry *entry, pid_t pid)
{
	entry->pid = pid;
	entry->flags &= ~(uint32_t)ENTRY_STOPPING;
	family_seal(entry);
	entry->forked = 0;
	index_insert(family, family_position(family, entry));
	count_running(family, entry, 1);
}

void family_set_ended(struct family *family, struct entry *entry, int code, int status)
{
	index_remove(family, family_position(family, entry));
	count_running(family, entry, -1);
	entry->pid = 0;
	entry->wait_code = code;
	entry->wait_status = status;
	entry->flags &= ~(uint32_t)(ENTRY_STOPPING | ENTRY_WAITING | ENTRY_LEAVING);
	family_seal(entry);
}

void family_set_stopping(struct family *family, struct entry *entry)
{
	if (!entry->pid || entry->flags & ENTRY_STOPPING)
		return;
	entry->flags |= ENTRY_STOPPING;
	family_seal(entry);
	family->stopping++;
}

/* --- lists --- */

void family_list_push(struct family *family, struct family_list *list, struct entry *entry)
{
	int32_t position = family_position(family, entry);

	if (entry->flags & ENTRY_LISTED)
		return;
	entry->flags |= ENTRY_LISTED;
	family_seal(entry);
	family->list_next[position] = NOBODY;
	if (list->tail == NOBODY)
		list->head = position;
	else
		family->list_next[list->tail] = position;
	list->tail = position;
}

void family_list_push_front(struct family *family, struct family_list *list, struct entry *entry)
{
	int32_t position = family_position(family, entry);

	if (entry->flags & ENTRY_LISTED)
		return;
	entry->flags |= ENTRY_LISTED;
	family_seal(entry);
	family->list_next[position] = list->head;
	list->head = position;
	if (list->tail == NOBODY)
		list->tail = position;
}

struct entry *family_list_first(struct family *family, const struct family_list *list)
{
	return list->head == NOBODY ? NULL : &family->entry[list->head];
}

struct entry *family_list_pop(struct family *family, struct family_list *list)
{
	struct entry *first = family_list_first(family, list);

	if (!first)
		return NULL;
	list->head = family->list_next[list->head];
	if (list->head == NOBODY)
		list->tail = NOBODY;
	first->flags &= ~(uint32_t)ENTRY_LISTED;
	family_seal(first);
	return first;
}

void family_lists_clear(struct family *family)
{
	for (int32_t i = 0; i < family->total; i++) {
		family->entry[i].flags &= ~(uint32_t)ENTRY_LISTED;
		family_seal(&family->entry[i]);
	}
	family->due = family->held = (struct family_list){ NOBODY, NOBODY };
}

/* --- adopting a table --- */

/* Ids of the old entries, for one adoption: chains through `next`, in the table's order. */
struct id_index {
	int32_t *bucket, *next;
	uint32_t mask;
	void *memory;
	size_t size_bytes;
};

static uint32_t buckets_for(int32_t count)
{
	uint32_t buckets = 16;

	while (buckets < (uint32_t)count)
		buckets *= 2;
	return buckets;
}

static uint32_t id_hash(const char *id)
{
	return num_hash(id, strnlen(id, TAB_ID_MAX));
}

static int id_index_make(const struct family *old, struct id_index *out)
{
	uint32_t buckets = buckets_for(old->total);
	size_t size = (buckets + (size_t)old->total) * sizeof *out->bucket;
	int err = sys_map(-1, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, &out->memory);

	if (err)
		return err;
	out->size_bytes = size;
	out->bucket = out->memory;
	out->next = out->bucket + buckets;
	out->mask = buckets - 1;
	memset(out->bucket, 0xff, buckets * sizeof *out->bucket);
	for (int32_t i = old->total; i-- > 0;) {
		int32_t *bucket = &out->bucket[id_hash(old->entry[i].id) & out->mask];

		out->next[i] = *bucket;
		*bucket = i;
	}
	return 0;
}

/* Finds and takes out the first old entry of this id, of the table's if any: several may bear "~~". */
static int32_t id_index_take(struct id_index *index, const struct family *old, const char *id)
{
	int32_t *link = &index->bucket[id_hash(id) & index->mask];

	for (; *link != NOBODY; link = &index->next[*link]) {
		int32_t found = *link;

		if (found < old->count && !strncmp(old->entry[found].id, id, TAB_ID_MAX)) {
			*link = index->next[found];
			return found;
		}
	}
	return NOBODY;
}

static size_t strings_of_running(const struct family *old)
{
	size_t size = 0;

	for (int32_t i = 0; i < old->total; i++)
		if (old->entry[i].pid)
			size += old->entry[i].process_len + 1u;
	return size;
}

static size_t strings_of_table(const struct table *table)
{
	size_t size = 0;

	for (uint32_t i = 0; i < table->count; i++)
		size += table_entry(table, i)->process_len + 1u;
	return size;
}

static int image_make(struct family *family, int32_t capacity, size_t strings_bytes)
{
	size_t size = sizeof *family->image + (size_t)capacity * sizeof(struct entry) + strings_bytes;
	void *at;
	int err, fd = sys_memfd("init family", MEMFD_CLOEXEC);

	if (fd < 0)
		return fd;
	err = sys_ftruncate(fd, (off_t)size);
	if (!err)
		err = sys_map(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED, &at);
	if (err) {
		sys_close(fd);
		return err;
	}
	family->fd = fd;
	family->size_bytes = size;
	family->image = at;
	family->entry = (struct entry *)(family->image + 1);
	*family->image = (struct family_image){ .magic = FAMILY_MAGIC, .version = FAMILY_VERSION,
		.head_bytes = sizeof *family->image, .entry_bytes = sizeof(struct entry),
		.size_bytes = size };
	return 0;
}

/* Shared with children, who do not touch it: what is private has to be copied, a page at each place that pid 1 changes while a child
 * has not executed its program yet, and the places of a large table are on many pages. */
static int index_make(struct family *family, int32_t capacity)
{
	uint32_t buckets = buckets_for(capacity);
	size_t size = (buckets + 2 * (size_t)capacity) * sizeof *family->pid_bucket;
	void *at;
	int err = sys_map(-1, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, &at);

	if (err)
		return err;
	family->index_bytes = size;
	family->bucket_mask = buckets - 1;
	family->pid_bucket = at;
	family->pid_next = family->pid_bucket + buckets;
	family->list_next = family->pid_next + capacity;
	memset(family->pid_bucket, 0xff, buckets * sizeof *family->pid_bucket);
	return 0;
}

void family_free(struct family *family)
{
	if (family->image)
		sys_unmap(family->image, family->size_bytes);
	if (family->pid_bucket)
		sys_unmap(family->pid_bucket, family->index_bytes);
	if (family->fd >= 0)
		sys_close(family->fd);
	family_init(family);
}

/* Where the next process field goes in the new image. */
struct strings {
	char *image;
	size_t used_bytes;
};

static void put_process(struct strings *strings, struct entry *entry, const char *text, uint32_t len)
{
	entry->process_offset = (uint32_t)strings->used_bytes;
	entry->process_len = len;
	memcpy(strings->image + strings->used_bytes, text, len);
	strings->image[strings->used_bytes + len] = '\0';
	strings->used_bytes += len + 1u;
}

static void keep_state(struct entry *to, const struct entry *from)
{
	to->flags = from->flags & (ENTRY_DEMAND | ENTRY_EXECUTED | ENTRY_WAITING | ENTRY_STOPPING | ENTRY_LEAVING);
	to->wait_code = from->wait_code;
	to->wait_status = from->wait_status;
	to->guard_count = from->guard_count;
	to->guard_since_ns = from->guard_since_ns;
	to->held_until_ns = from->held_until_ns;
}

bool family_is_born_executed(uint32_t action)
{
	return action_is_first((enum action)action) || action == ACTION_KBREQUEST;
}

static void take_process(struct family *family, struct entry *to, const struct entry *from)
{
	if (!from->pid)
		return;
	to->pid = from->pid;
	index_insert(family, family_position(family, to));
	count_running(family, to, 1);
}

/* True if it is what old was: old's process is then its own. */
static bool adopt_entry(struct family *family, struct strings *strings, const struct table *table,
	uint32_t at, const struct entry *old)
{
	const struct table_entry *line = table_entry(table, at);
	struct entry *entry = &family->entry[family->total++];
	bool is_same = old && old->action == line->action;

	family->count++;
	memcpy(entry->id, line->id, sizeof entry->id);
	memcpy(entry->levels, line->levels, sizeof entry->levels);
	entry->action = line->action;
	put_process(strings, entry, table_process(table, line), line->process_len);
	if (is_same) {
		keep_state(entry, old);
		take_process(family, entry, old);
	} else if (family_is_born_executed(line->action)) {
		entry->flags = ENTRY_EXECUTED;
	}
	family_seal(entry);
	return is_same;
}

static void adopt_leftover(struct family *family, struct strings *strings,
	const struct family *from, const struct entry *old)
{
	struct entry *entry = &family->entry[family->total++];

	memcpy(entry->id, old->id, sizeof entry->id);
	entry->action = old->action;
	put_process(strings, entry, family_process(from, old), old->process_len);
	keep_state(entry, old);
	take_process(family, entry, old);
	family_seal(entry);
}

/* The old family stays whole until the new one takes its place: a crash in between loses nobody. */
static void adopt_all(struct family *family, struct strings *strings, const struct table *table,
	const struct family *from, struct id_index *ids)
{
	for (uint32_t i = 0; i < table->count; i++) {
		int32_t old = id_index_take(ids, from, table_entry(table, i)->id);

		if (adopt_entry(family, strings, table, i, old == NOBODY ? NULL : &from->entry[old]))
			ids->next[old] = MOVED;
	}
	for (int32_t i = 0; i < from->total; i++)
		if (from->entry[i].pid && ids->next[i] != MOVED)
			adopt_leftover(family, strings, from, &from->entry[i]);
	family->image->count = family->count;
	family->image->total = family->total;
}

int family_adopt(struct family *family, const struct table *table)
{
	struct family next, old = *family;
	struct id_index ids;
	struct strings strings;
	int32_t capacity = (int32_t)table->count + family->running;
	int err;

	family_init(&next);
	err = image_make(&next, capacity, strings_of_table(table) + strings_of_running(family));
	if (!err)
		err = index_make(&next, capacity);
	if (!err)
		err = id_index_make(family, &ids);
	if (err) {
		family_free(&next);
		return err;
	}
	strings = (struct strings){ (char *)next.image,
		sizeof *next.image + (size_t)capacity * sizeof(struct entry) };
	adopt_all(&next, &strings, table, &old, &ids);
	sys_unmap(ids.memory, ids.size_bytes);
	*family = next;
	family_free(&old);
	return 0;
}

/* --- taking over --- */

static bool head_is_valid(const struct family_image *image, off_t size)
{
	return image->magic == FAMILY_MAGIC && image->version == FAMILY_VERSION &&
		image->head_bytes == sizeof *image && image->entry_bytes == sizeof(struct entry) &&
		image->size_bytes == (uint64_t)size && image->count >= 0 && image->total >= image->count &&
		(uint64_t)image->total <= ((uint64_t)size - sizeof *image) / sizeof(struct entry);
}

static bool process_is_valid(const struct family *family, const struct entry *entry)
{
	uint64_t begin = (uint64_t)((const char *)(family->entry + family->total) - (const char *)family->image);
	uint64_t end = (uint64_t)entry->process_offset + entry->process_len;

	if (!entry->process_offset)
		return !entry->process_len;
	return entry->process_offset >= begin && end < family->size_bytes &&
		!family_process(family, entry)[entry->process_len];
}

static bool entry_is_valid(const struct family *family, const struct entry *entry)
{
	struct entry copy = *entry;

	family_seal(&copy);
	return copy.checksum == entry->checksum && entry->action > ACTION_NONE &&
		entry->action < ACTION_COUNT && entry->pid >= 0 &&
		memchr(entry->levels, '\0', sizeof entry->levels) &&
		memchr(entry->id, '\0', sizeof entry->id) && process_is_valid(family, entry);
}

/* A place in the order stays, so that the rest keeps its own; nothing is ever started from it. */
static void void_entry(struct entry *entry)
{
	char id[TAB_ID_MAX];

	memcpy(id, entry->id, sizeof id);
	memset(entry, 0, sizeof *entry);
	for (size_t i = 0; i < sizeof id && id[i]; i++)
		entry->id[i] = (char)(id[i] > ' ' && id[i] <= '~' ? id[i] : '?');
	entry->action = ACTION_OFF;
	entry->flags = ENTRY_DROPPED;
	family_seal(entry);
}

static int map_image(struct family *family, int fd)
{
	struct stat st;
	void *at;
	int err = sys_fstat(fd, &st);

	if (err)
		return err;
	if (st.st_size < (off_t)sizeof *family->image)
		return -EPROTO;
	err = sys_map(fd, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, &at);
	if (err)
		return err;
	family->image = at;
	family->size_bytes = (size_t)st.st_size;
	if (head_is_valid(family->image, st.st_size))
		return 0;
	family_free(family);
	return -EPROTO;
}

int family_attach(struct family *family, int fd, int32_t *dropped)
{
	int err;

	*dropped = 0;
	family_init(family);
	err = map_image(family, fd);
	if (!err)
		err = index_make(family, family->image->total);
	if (err) {
		family_free(family);
		return err;
	}
	family->fd = fd;
	family->entry = (struct entry *)(family->image + 1);
	family->count = family->image->count;
	family->total = family->image->total;
	for (int32_t i = 0; i < family->total; i++) {
		struct entry *entry = &family->entry[i];

		if (!entry_is_valid(family, entry)) {
			void_entry(entry);
			++*dropped;
		}
		entry->flags &= ~(uint32_t)ENTRY_LISTED;
		family_seal(entry);
		if (!entry->pid)
			continue;
		index_insert(family, i);
		count_running(family, entry, 1);
	}
	return 0;
}
