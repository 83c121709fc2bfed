/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/schedule.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "include/paths.h"
#include "lib/io.h"
#include "lib/systool.h"

#define FORM "level=%c halt=%d warn=%d clock=%d at=%" PRId64 " user=%s tty=%s\n"

int schedule_write(const struct schedule *schedule)
{
	char text[ORDER_TEXT_MAX + 256];
	const struct moment *moment = &schedule->moment;
	int err, len, fd;

	len = snprintf(text, sizeof text, FORM "%s", schedule->level, schedule->halt, schedule->warn_only, moment->is_wall,
		moment->is_wall ? moment->wall_s : moment->mono.ns, schedule->user, *schedule->tty ? schedule->tty : "-",
		schedule->text);
	if (len < 0 || (size_t)len >= sizeof text)
		return -ENAMETOOLONG;
	(void)sys_unlink(SHUTDOWN_SCHEDULE_PATH);
	fd = sys_open(SHUTDOWN_SCHEDULE_PATH, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return fd;
	(void)sys_fchmod(fd, 0644);
	err = io_write_all(fd, text, (size_t)len);
	sys_close(fd);
	return err;
}

void schedule_remove(void)
{
	(void)sys_unlink(SHUTDOWN_SCHEDULE_PATH);
}

int schedule_read(struct schedule *out)
{
	char text[ORDER_TEXT_MAX + 256], *rest;
	struct schedule found = { .level = 0 };
	int halt, warn, is_wall;
	int64_t at;
	ssize_t len = io_read_file(SHUTDOWN_SCHEDULE_PATH, text, sizeof text);

	if (len < 0)
		return (int)len;
	rest = strchr(text, '\n');
	if (!rest || sscanf(text, "level=%c halt=%d warn=%d clock=%d at=%" SCNd64 " user=%32s tty=%32s", &found.level, &halt,
			&warn, &is_wall, &at, found.user, found.tty) != 7)
		return -EINVAL;
	found.halt = halt == ORDER_HALT_POWEROFF ? ORDER_HALT_POWEROFF : halt ? ORDER_HALT_HALT : ORDER_HALT_UNSAID;
	found.warn_only = warn;
	found.moment.is_wall = is_wall;
	if (is_wall)
		found.moment.wall_s = at;
	else
		found.moment.mono.ns = at;
	if (!strcmp(found.tty, "-"))
		found.tty[0] = '\0';
	(void)snprintf(found.text, sizeof found.text, "%s", rest + 1);
	*out = found;
	return 0;
}

static const char *act_of(const struct schedule *schedule, char buf[32])
{
	switch (schedule->level) {
	case '6': return "reboot";
	case '0': return schedule->halt == ORDER_HALT_POWEROFF ? "power-off" : "halt";
	case '1': return "maintenance mode";
	default:
		(void)snprintf(buf, 32, "runlevel %c", schedule->level);
		return buf;
	}
}

static void print_text(FILE *out, const char *text)
{
	size_t len = strlen(text);

	while (len && strchr("\r\n ", text[len - 1]))
		len--;
	if (!len)
		return;
	fputs("message: ", out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			fprintf(out, "^%c", c ^ 0x40);
		else
			fputc(c, out);
	}
	fputc('\n', out);
}

void schedule_print(FILE *out, const struct schedule *schedule, int pid)
{
	int64_t left_ns = moment_left_ns(&schedule->moment), minutes = left_ns > 0 ? (left_ns + 59999999999) / 60000000000 : 0;
	time_t at = (time_t)moment_wall_s(&schedule->moment);
	char act[32], date[64] = "an unknown time";
	struct tm tm;

	if (localtime_r(&at, &tm))
		(void)strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &tm);
	fprintf(out, "%s%s scheduled for %s, in %" PRId64 " minute%s, by %s%s%s (pid %d)\n",
		schedule->warn_only ? "only a warning of " : "", act_of(schedule, act), date, minutes, minutes == 1 ? "" : "s",
		schedule->user, *schedule->tty ? " on " : "", schedule->tty, pid);
	print_text(out, schedule->text);
}
