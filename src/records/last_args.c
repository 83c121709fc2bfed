/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/last_args.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "include/paths.h"
#include "lib/num.h"
#include "records/moment.h"

enum { COUNT_MAX = 1000000000, TIME_DIGITS = 14, OPTION_HELP = 256, OPTION_VERSION };

static void usage(FILE *to, const char *name)
{
	fprintf(to, "Usage: %s [-num | -n num] [-f file] [-t YYYYMMDDHHMMSS] [-R] [-adioxFw] [username..] [tty..]\n", name);
}

void last_args_help(const char *name)
{
	usage(stdout, name);
	fputs("  -NUM, -n NUM   at most NUM lines\n"
		"  -f FILE        read FILE\n"
		"  -t TIME        as it was at TIME, YYYYMMDDHHMMSS\n"
		"  -x             changes of level and of the clock and shutdowns, too\n"
		"  -a             the host in the last column\n"
		"  -R             no host\n"
		"  -d             the host's name, looked up by its address\n"
		"  -i             the host's address\n"
		"  -F             full dates\n"
		"  -l             user names in a column of 32\n"
		"  -w             names of users and hosts are not cut\n"
		"  -o             FILE is of the old format\n"
		"  --help, --version\n", stdout);
}

static int number(const char *digits, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++)
		value = value * 10 + digits[i] - '0';
	return value;
}

/* YYYYMMDDHHMMSS, local time. */
static bool read_time(const char *text, int64_t *out)
{
	struct tm tm = { .tm_isdst = -1 };

	if (strlen(text) != TIME_DIGITS || strspn(text, "0123456789") != TIME_DIGITS)
		return false;
	tm.tm_year = number(text, 4) - 1900;
	tm.tm_mon = number(text + 4, 2) - 1;
	tm.tm_mday = number(text + 6, 2);
	tm.tm_hour = number(text + 8, 2);
	tm.tm_min = number(text + 10, 2);
	tm.tm_sec = number(text + 12, 2);
	if (!moment_is_valid(&tm))
		return false;
	*out = mktime(&tm);
	return true;
}

static enum last_wish wrong(const char *name)
{
	usage(stderr, name);
	return LAST_WRONG;
}

static enum last_wish wrong_value(const char *name, const char *what, const char *value)
{
	fprintf(stderr, "%s: Invalid %s value \"%s\"\n", name, what, value);
	return wrong(name);
}

/* 0: taken; else what it comes to. */
static enum last_wish take_option(struct last_args *args, const char *name, int option, const char *value)
{
	switch (option) {
	case 'f':
		args->path = value;
		args->is_default_path = false;
		break;
	case 'n':
		if (num_parse(value, -COUNT_MAX, COUNT_MAX, &args->count))
			return wrong_value(name, "number", value);
		break;
	case 't':
		args->has_until = read_time(value, &args->until_s);
		if (!args->has_until)
			return wrong_value(name, "time", value);
		break;
	case 'R': args->columns.no_host = true; break;
	case 'a': args->columns.host_last = true; break;
	case 'F': args->columns.full_dates = true; break;
	case 'l': args->columns.long_names = true; break;
	case 'w': args->columns.whole_names = true; break;
	case 'x': args->with_system = true; break;
	case 'd': args->resolve = true; break;
	case 'i': args->numeric = true; break;
	case 'o': args->is_old = true; break;
	case OPTION_HELP: return LAST_HELP;
	case OPTION_VERSION: return LAST_VERSION;
	default:
		if (option < '0' || option > '9')
			return wrong(name);
		if (args->count > COUNT_MAX / 10 || args->count < 0)
			return wrong_value(name, "number", "-");
		args->count = args->count * 10 + option - '0';
	}
	return 0;
}

enum last_wish last_args_read(struct last_args *args, const char *name, int argc, char **argv)
{
	static const struct option words[] = {
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	memset(args, 0, sizeof *args);
	args->is_bad = !strcmp(name, "lastb");
	args->path = args->is_bad ? BTMP_PATH : WTMP_PATH;
	args->is_default_path = true;
	while ((option = getopt_long(argc, argv, "f:n:t:RadioxFlw0123456789", words, NULL)) != -1) {
		enum last_wish wish = take_option(args, name, option, optarg);

		if (wish)
			return wish;
	}
	args->wanted = argv + optind;
	return LAST_RUN;
}

static bool is_same(struct text text, const char *word)
{
	return strlen(word) == text.len && !memcmp(text.at, word, text.len);
}

bool last_args_want(const struct last_args *args, const struct happening *what)
{
	struct text user = record_text(&what->record, TEXT_USER), line = what->line;
	struct text number = line;

	if (!args->wanted[0])
		return true;
	if (line.len > 3 && !memcmp(line.at, "tty", 3))
		number = (struct text){ line.at + 3, line.len - 3 };
	for (char *const *word = args->wanted; *word; word++)
		if (is_same(user, *word) || is_same(line, *word) || is_same(number, *word))
			return true;
	return false;
}
