/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pid 1 does, seen from outside: at each sample its state, the system call it is in and the
 * kernel function it waits in. A sample counts when the call was the same before and after the rest
 * was read. Kinds are counted, with the longest unbroken run of each, and are written to FILE on
 * SIGUSR1. */
#include "guest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KINDS 200

struct kind {
	char state;
	long call;                      /* -1: running or not told */
	char wchan[48];
	long count;
	int64_t first_ms, run_from_ms, longest_ms;
};

static struct kind kinds[KINDS];
static size_t kinds_used;
static long samples, blocked_samples;
static volatile sig_atomic_t wanted;

static void on_usr1(int sig)
{
	(void)sig;
	wanted = 1;
}

static char state_read(void)
{
	char stat[1024], *p;

	if (guest_read_file("/proc/1/stat", stat, sizeof(stat)) < 0)
		return '?';
	p = strrchr(stat, ')');
	return p && p[1] ? p[2] : '?';
}

static struct kind *kind_find(char state, long call, const char *wchan)
{
	struct kind *k;

	for (k = kinds; k < kinds + kinds_used; k++)
		if (k->state == state && k->call == call && strcmp(k->wchan, wchan) == 0)
			return k;
	if (kinds_used == KINDS)
		return NULL;
	k = &kinds[kinds_used++];
	k->state = state;
	k->call = call;
	snprintf(k->wchan, sizeof(k->wchan), "%s", wchan);
	k->first_ms = guest_now_ms();
	return k;
}

static void sample(struct kind **last)
{
	char before[256], after[256], wchan[48];
	int64_t now = guest_now_ms();
	struct kind *k;
	char state;

	guest_read_file("/proc/1/syscall", before, sizeof(before));
	state = state_read();
	if (guest_read_file("/proc/1/wchan", wchan, sizeof(wchan)) <= 0)
		strcpy(wchan, "?");
	guest_read_file("/proc/1/syscall", after, sizeof(after));
	samples++;
	if (strcmp(before, after) != 0 || strncmp(before, "running", 7) == 0) {
		*last = NULL;
		return;
	}
	k = kind_find(state, strtol(before, NULL, 10), wchan);
	if (!k)
		return;
	if (k != *last)
		k->run_from_ms = now;
	k->count++;
	if (now - k->run_from_ms > k->longest_ms)
		k->longest_ms = now - k->run_from_ms;
	*last = k;
	blocked_samples++;
}

static void report(const char *path)
{
	char tmp[300];
	struct kind *k;
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", path);
	f = fopen(tmp, "we");
	if (!f)
		return;
	fprintf(f, "samples %ld asleep %ld\n", samples, blocked_samples);
	for (k = kinds; k < kinds + kinds_used; k++)
		fprintf(f, "%c %ld %s count %ld longest_ms %lld first_ms %lld\n", k->state, k->call,
			k->wchan, k->count, (long long)k->longest_ms, (long long)k->first_ms);
	fclose(f);
	rename(tmp, path);
}

int watch_main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	struct kind *last = NULL;
	long every_ms;

	if (argc != 3)
		return 2;
	every_ms = strtol(argv[2], NULL, 10);
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	report(argv[1]);
	for (;;) {
		if (wanted) {
			wanted = 0;
			report(argv[1]);
		}
		sample(&last);
		guest_sleep_ms(every_ms);
	}
}
