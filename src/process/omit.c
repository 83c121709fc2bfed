/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process/omit.h"

#include <stdio.h>
#include <string.h>

enum { PIECE_SIZE = 64 };               /* of which a complaint shows as much */

static pid_t number_at(const char *text)
{
	int64_t value = 0;

	for (; *text >= '0' && *text <= '9' && value < PIDSET_LIMIT; text++)
		value = value * 10 + (*text - '0');
	return value < PIDSET_LIMIT ? (pid_t)value : PIDSET_LIMIT;
}

static pid_t piece_value(const char *piece, size_t len, pid_t parent)
{
	static const char parents[] = "%PPID";

	if (parent && len == sizeof parents - 1 && !memcmp(piece, parents, len))
		return parent;
	return number_at(piece);
}

void omit_add(struct pidset *set, const char *list, pid_t parent, void (*illegal)(void *context, const char *piece),
	void *context)
{
	for (const char *piece = list;; piece++) {
		size_t len = strcspn(piece, ",;:");
		pid_t pid = piece_value(piece, len, parent);
		char copy[PIECE_SIZE];

		pidset_add(set, pid);
		if (pid < 1) {
			(void)snprintf(copy, sizeof copy, "%.*s", (int)(len < sizeof copy ? len : sizeof copy - 1), piece);
			illegal(context, copy);
		}
		piece += len;
		if (!*piece)
			return;
	}
}
