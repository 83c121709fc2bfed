/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/history.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records/ends.h"

/* What a record means, whatever type its writer gave it. */
enum kind { KIND_OTHER, KIND_SHUTDOWN, KIND_BOOT, KIND_LEVEL, KIND_NEW_TIME, KIND_OLD_TIME, KIND_LOGIN, KIND_END };

/* Seen from the record at hand towards now. */
struct history {
	struct history_config config;
	struct ends ends;
	bool has_restart, has_down, has_level;
	enum fate by_restart;           /* what the next one does to whoever is logged in */
	int64_t restart_s;              /* the nearest boot or shutdown */
	bool has_boot;
	int64_t boot_s;                 /* the nearest boot */
	int64_t down_s;                 /* the nearest shutdown before that */
	int64_t level_s;                /* the nearest change of level, or shutdown */
};

struct history *history_new(const struct history_config *config)
{
	struct history *history = calloc(1, sizeof *history);

	if (!history)
		return NULL;
	history->config = *config;
	ends_init(&history->ends);
	return history;
}

void history_free(struct history *history)
{
	ends_free(&history->ends);
	free(history);
}

static bool begins_with(struct text text, const char *word)
{
	size_t len = strlen(word);

	return text.len >= len && !memcmp(text.at, word, len);
}

static bool is_word(struct text text, const char *word)
{
	return text.len == strlen(word) && begins_with(text, word);
}

static enum kind kind_as_stored(int type)
{
	switch (type) {
	case UTMP_RUN_LVL:
		return KIND_LEVEL;
	case UTMP_BOOT_TIME:
		return KIND_BOOT;
	case UTMP_NEW_TIME:
		return KIND_NEW_TIME;
	case UTMP_OLD_TIME:
		return KIND_OLD_TIME;
	case UTMP_USER_PROCESS:
		return KIND_LOGIN;
	case UTMP_DEAD_PROCESS:
		return KIND_END;
	case RECORD_SHUTDOWN:
		return KIND_SHUTDOWN;
	default:
		return KIND_OTHER;
	}
}

static enum kind kind_of(const struct record *record, struct text line)
{
	struct text user = record_text(record, TEXT_USER);

	if (line.len && line.at[0] == '~') {
		if (begins_with(user, "shutdown"))
			return KIND_SHUTDOWN;
		if (begins_with(user, "reboot"))
			return KIND_BOOT;
		if (begins_with(user, "runlevel"))
			return KIND_LEVEL;
		return kind_as_stored(record->type);
	}
	if (!user.len)
		return KIND_END;
	if (is_word(user, "date") && line.len && line.at[0] == '|')
		return KIND_OLD_TIME;
	if (is_word(user, "date") && line.len && line.at[0] == '{')
		return KIND_NEW_TIME;
	if (record->type != UTMP_DEAD_PROCESS && line.len && !is_word(user, "LOGIN"))
		return KIND_LOGIN;
	return kind_as_stored(record->type);
}

/* Sessions of ftpd and uucico are told apart by a pid in the line, which nobody asks for. */
static struct text shorten_line(struct text line)
{
	if (begins_with(line, "ftp") && line.len > 3 && isdigit((unsigned char)line.at[3]))
		line.len = 3;
	else if (begins_with(line, "uucp") && line.len > 4 && isdigit((unsigned char)line.at[4]))
		line.len = 4;
	return line;
}

static void name_line(struct happening *out, const char *text)
{
	out->line = (struct text){ text, strlen(text) };
}

static void end_at(struct happening *out, enum fate fate, int64_t s)
{
	out->fate = fate;
	out->end_s = s;
}

static void restart(struct history *h, int64_t s, enum fate fate)
{
	h->has_restart = true;
	h->by_restart = fate;
	h->restart_s = s;
	ends_forget(&h->ends);
}

static void go_down(struct history *h, int64_t s)
{
	h->has_down = true;
	h->down_s = s;
	restart(h, s, FATE_DOWN);
}

static void take_shutdown(struct history *h, struct happening *out)
{
	int64_t s = out->record.s;

	name_line(out, "system down");
	end_at(out, h->has_restart ? FATE_ENDED : FATE_UNKNOWN, h->restart_s);
	h->has_level = true;
	h->level_s = s;
	go_down(h, s);
}

/* A boot without a shutdown since is one that still runs, or that crashed when the next one came. */
static void take_boot(struct history *h, struct happening *out)
{
	int64_t s = out->record.s;

	name_line(out, "system boot");
	if (h->has_down)
		end_at(out, FATE_ENDED, h->down_s);
	else if (h->has_boot)
		end_at(out, FATE_CRASHED, h->boot_s);
	else
		end_at(out, FATE_RUNNING, 0);
	h->has_boot = true;
	h->boot_s = s;
	h->has_down = false;
	restart(h, s, FATE_CRASHED);
}

static void take_level(struct history *h, struct happening *out)
{
	int level = out->record.pid & 0xff;
	int64_t s = out->record.s;

	(void)snprintf(out->line_room, sizeof out->line_room, "(to lvl %c)", level ? level : '?');
	name_line(out, out->line_room);
	end_at(out, h->has_level ? FATE_ENDED : FATE_RUNNING, h->level_s);
	h->has_level = true;
	h->level_s = s;
	if (level == '0' || level == '6')
		go_down(h, s);
}

static int take_login(struct history *h, struct text line, struct happening *out)
{
	int64_t end_s;

	if (ends_take(&h->ends, line.at, line.len, &end_s))
		end_at(out, FATE_ENDED, end_s);
	else if (h->has_restart)
		end_at(out, h->by_restart, h->restart_s);
	else if (!h->config.is_alive || h->config.is_alive(h->config.context, &out->record))
		end_at(out, FATE_LOGGED_IN, 0);
	else
		end_at(out, FATE_GONE, 0);
	/* This one is, in turn, the end of the session before it. */
	return line.len ? ends_put(&h->ends, line.at, line.len, out->record.s) : 0;
}

static int take_end(struct history *h, struct text line, int64_t s)
{
	return line.len ? ends_put(&h->ends, line.at, line.len, s) : 0;
}

int history_take(struct history *h, const struct record *record, struct happening *out)
{
	struct text line = record_text(record, TEXT_LINE);
	int err;

	out->record = *record;
	out->line = shorten_line(line);
	if (h->config.is_bad) {
		end_at(out, FATE_ENDED, record->s);
		return 1;
	}
	switch (kind_of(record, line)) {
	case KIND_SHUTDOWN:
		take_shutdown(h, out);
		return h->config.with_system;
	case KIND_BOOT:
		take_boot(h, out);
		return 1;
	case KIND_LEVEL:
		take_level(h, out);
		return h->config.with_system;
	case KIND_NEW_TIME:
	case KIND_OLD_TIME:
		name_line(out, kind_of(record, line) == KIND_NEW_TIME ? "new time" : "old time");
		end_at(out, FATE_MOMENT, 0);
		return h->config.with_system;
	case KIND_LOGIN:
		err = take_login(h, line, out);
		return err ? err : 1;
	case KIND_END:
		return take_end(h, line, record->s);
	case KIND_OTHER:
		break;
	}
	return 0;
}
