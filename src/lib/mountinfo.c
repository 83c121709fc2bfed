/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/mountinfo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io.h"

enum { FIRST_SIZE = 16384, SIZE_MAX_BYTES = 64 << 20, ENTRIES_STEP = 64 };

static bool is_octal(const char *text)
{
	return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' && text[2] >= '0' && text[2] <= '7';
}

/* The kernel writes blanks, tabs, newlines, backslashes and '#' as a backslash and three octal digits. */
static void decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (*from == '\\' && is_octal(from + 1)) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The next word of a line, cut out of it; NULL: there is none. */
static char *take_word(char **at)
{
	char *word = *at + strspn(*at, " ");

	if (!*word)
		return NULL;
	*at = word + strcspn(word, " ");
	if (**at)
		*(*at)++ = '\0';
	return word;
}

static bool take_device(const char *word, struct mountinfo_entry *out)
{
	char *end;
	unsigned long high = strtoul(word, &end, 10), low;

	if (*end != ':')
		return false;
	low = strtoul(end + 1, &end, 10);
	out->major = (uint32_t)high;
	out->minor = (uint32_t)low;
	return !*end;
}

/* proc(5): ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS [TAG ...] - KIND SOURCE OPTIONS. The words are cut out of the line. */
static bool parse_line(char *line, struct mountinfo_entry *out)
{
	char *word = NULL, *place;
	struct mountinfo_entry entry = { 0 };

	if (!take_word(&line) || !take_word(&line) || !(word = take_word(&line)) || !take_device(word, &entry))
		return false;
	if (!take_word(&line) || !(place = take_word(&line)))
		return false;
	do
		word = take_word(&line);
	while (word && strcmp(word, "-"));
	if (!word || !(word = take_word(&line)))
		return false;
	decode(place);
	entry.place = place;
	entry.kind = word;
	*out = entry;
	return true;
}

static int add_entry(struct mountinfo *info, const struct mountinfo_entry *entry)
{
	void *grown;

	if (info->count % ENTRIES_STEP == 0) {
		grown = realloc(info->entry, (info->count + ENTRIES_STEP) * sizeof *info->entry);
		if (!grown)
			return -ENOMEM;
		info->entry = grown;
	}
	info->entry[info->count++] = *entry;
	return 0;
}

static int parse(struct mountinfo *info)
{
	for (char *line = info->text, *next; *line; line = next) {
		struct mountinfo_entry entry;
		size_t len = strcspn(line, "\n");

		next = line + len + (line[len] != '\0');
		line[len] = '\0';
		if (parse_line(line, &entry) && add_entry(info, &entry))
			return -ENOMEM;
	}
	return 0;
}

/* The whole file as text of its own. Once more with twice the room while it does not fit: the table changes under a second
 * read of the rest. */
static int read_whole(const char *path, char **out)
{
	for (size_t size = FIRST_SIZE; size <= SIZE_MAX_BYTES; size *= 2) {
		char *text = malloc(size);
		ssize_t len;

		if (!text)
			return -ENOMEM;
		len = io_read_file(path, text, size);
		if (len >= 0 && (size_t)len < size - 1) {
			*out = text;
			return 0;
		}
		free(text);
		if (len < 0)
			return (int)len;
	}
	return -EFBIG;
}

int mountinfo_read(const char *path, struct mountinfo *out)
{
	struct mountinfo info = { 0 };
	int err = read_whole(path, &info.text);

	if (err)
		return err;
	err = parse(&info);
	if (err) {
		mountinfo_drop(&info);
		return err;
	}
	*out = info;
	return 0;
}

void mountinfo_drop(struct mountinfo *info)
{
	free(info->entry);
	free(info->text);
	*info = (struct mountinfo){ 0 };
}

int mountinfo_find(const struct mountinfo *info, const char *place, struct mountinfo_entry *out)
{
	for (size_t i = info->count; i-- > 0;) {
		if (strcmp(info->entry[i].place, place))
			continue;
		*out = info->entry[i];
		return 0;
	}
	return -ENOENT;
}

/* How much of path a mount there takes up; 0: path is elsewhere. */
static size_t length_held(const char *place, const char *path)
{
	size_t len = strlen(place);

	if (len == 1 && *place == '/')
		return 1;
	return !strncmp(path, place, len) && (path[len] == '/' || !path[len]) ? len : 0;
}

int mountinfo_holding(const struct mountinfo *info, const char *path, struct mountinfo_entry *out)
{
	size_t longest = 0;

	for (size_t i = 0; i < info->count; i++) {
		size_t len = length_held(info->entry[i].place, path);

		if (!len || len < longest)
			continue;
		longest = len;
		*out = info->entry[i];
	}
	return longest ? 0 : -ENOENT;
}

bool mountinfo_is_network(const char *kind)
{
	static const char *const kinds[] = { "nfs", "nfs4", "smbfs", "smb3", "cifs", "afs", "ncpfs", "ceph", "9p", "fuse.sshfs",
		"glusterfs", "fuse.glusterfs", NULL };

	for (const char *const *known = kinds; *known; known++)
		if (!strcasecmp(kind, *known))
			return true;
	return false;
}
