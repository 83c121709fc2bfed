/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/order.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/tool.h"

#define LETTERS "+HPacqQkrhnfFyt:g:i:"
#define LEVELS "0156aAbBcCsS"

void order_usage(FILE *out)
{
	fputs("Usage:\t  shutdown [-akrhPHfFnc] [-t sec] time [warning message]\n"
	      "\t\t  -r:      reboot\n"
	      "\t\t  -h:      halt, or as -H and -P say\n"
	      "\t\t  -H:      with -h: leave the power on\n"
	      "\t\t  -P:      with -h: switch the power off\n"
	      "\t\t  -c:      call off the shutdown that is waiting\n"
	      "\t\t  -k:      only warn, and let nobody log in\n"
	      "\t\t  -a:      only if a user of /etc/shutdown.allow is at a console\n"
	      "\t\t  -f, -F:  without, or with, a check of the file systems at the next boot\n"
	      "\t\t  -n:      without init: end all processes here\n"
	      "\t\t  -q, -Q:  fewer warnings, or none but the first and the last\n"
	      "\t\t  -t sec:  time between asking processes to end and killing them\n"
	      "\t\t  -i X:    to runlevel X;  -g time: the time, as an option\n"
	      "\t\t  --show:  tell what is scheduled\n"
	      "\t\t  time:    now, minutes, +hours:minutes or hour:minute of the day; it must be given\n", out);
}

static int usage(void)
{
	order_usage(stderr);
	return TOOL_ERROR;
}

static int level_take(struct order *order, const char *text)
{
	if (!*text || !strchr(LEVELS, *text)) {
		fprintf(stderr, "shutdown: `%s': bad runlevel\n", text);
		return TOOL_ERROR;
	}
	order->level = *text;
	return 0;
}

static int stop_take(struct order *order, const char *text)
{
	int64_t seconds;

	if (num_parse(text, 0, ORDER_STOP_MAX_S, &seconds)) {
		fprintf(stderr, "shutdown: -t %s: not a number of seconds\n", text);
		return usage();
	}
	order->stop_s = (int)seconds;
	return 0;
}

static int letter_take(struct order *order, int letter, const char **time)
{
	switch (letter) {
	case 'H': order->halt = ORDER_HALT_HALT; return 0;
	case 'P': order->halt = ORDER_HALT_POWEROFF; return 0;
	case 'a': order->ask_consent = true; return 0;
	case 'c': order->cancel = true; return 0;
	case 'q': order->marks = COUNTDOWN_FEW; return 0;
	case 'Q': order->marks = COUNTDOWN_NONE; return 0;
	case 'k': order->warn_only = true; return 0;
	case 'r': order->level = '6'; return 0;
	case 'h': order->level = '0'; return 0;
	case 'n': order->direct = true; return 0;
	case 'f': order->fast_boot = true; return 0;
	case 'F': order->force_fsck = true; return 0;
	case 'y': return 0;
	case 't': return stop_take(order, optarg);
	case 'i': return level_take(order, optarg);
	case 'g': *time = *optarg ? optarg : *time; return 0;
	default: return usage();
	}
}

/* Each word and a blank; what does not fit is told. */
static void words_take(struct order *order, char *const *words)
{
	size_t used = 0;

	for (; *words; words++) {
		size_t len = strlen(*words);

		if (used + len + sizeof " \r\n" > sizeof order->text) {
			fprintf(stderr, "shutdown: the message is too long, it ends before: %.40s\n", *words);
			break;
		}
		memcpy(order->text + used, *words, len);
		order->text[used + len] = ' ';
		used += len + 1;
	}
	strcpy(order->text + used, used ? "\r\n" : "");
}

/* Options up to the second word that is none; getopt() itself stops at each. *first: the index of the first word, 0 when
 * there is none. *rest: of what stands behind it and the options. */
static int options_take(struct order *order, int argc, char **argv, const char **time, int *first, int *rest)
{
	int letter, status = 0;

	*first = 0;
	optind = 0;             /* from the beginning, in either libc */
	for (;;) {
		while (!status && (letter = getopt(argc, argv, LETTERS)) != -1)
			status = letter_take(order, letter, time);
		*rest = optind;
		if (status || optind >= argc || *first)
			return status;
		*first = optind++;
		*rest = optind;
		if (order->cancel || *time || !strcmp(argv[*first - 1], "--") || getenv("POSIXLY_CORRECT"))
			return 0;
	}
}

static int check(const struct order *order)
{
	if (order->halt != ORDER_HALT_UNSAID && order->level != '0') {
		fputs("shutdown: -H and -P flags can only be used along with -h flag.\n", stderr);
		return usage();
	}
	if (order->direct && !order->cancel && order->level != '0' && order->level != '6') {
		fputs("shutdown: can use \"-n\" for halt or reboot only.\r\n", stderr);
		return TOOL_ERROR;
	}
	return 0;
}

int order_take(struct order *order, int argc, char **argv)
{
	const char *time = NULL;
	int first, rest, status;

	*order = (struct order){ .level = '1', .stop_s = ORDER_STOP_S };
	status = options_take(order, argc, argv, &time, &first, &rest);
	if (!status)
		status = check(order);
	if (status)
		return status;
	if (!order->cancel && !time) {
		time = first ? argv[first] : "";
		first = 0;
	}
	if (!order->cancel && when_parse(time, &order->when))
		return usage();
	if (first)              /* it belongs to the message, beyond the options between them */
		argv[--rest] = argv[first];
	words_take(order, argv + rest);
	return 0;
}

const char *order_aim(char level, char buf[32])
{
	switch (level) {
	case '0': return "for system halt";
	case '6': return "for reboot";
	case '1': return "to maintenance mode";
	default:
		(void)snprintf(buf, 32, "to runlevel %c", level);
		return buf;
	}
}
