/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "init/policy_check.h"

#include <errno.h>
#include <sepol/policydb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SAID_MAX = 256, CPU_LIMIT_S = 60 };
enum { STATUS_GOOD, STATUS_DAMAGED, STATUS_NOT_OLDER, STATUS_NO_MEMORY };

/* A policy of 10 MB takes about 200 MB in memory. */
const struct apart_limits policy_check_limits = { .memory_bytes = (rlim_t)2 << 30, .cpu_s = CPU_LIMIT_S };

struct subject {
	const struct policy_file *file;
	const struct policy_versions *versions;
};

static int make_older(sepol_policydb_t *policy, int version)
{
	void *image = NULL;
	size_t size_bytes;

	/* Left to the end of the process. */
	if (sepol_policydb_set_vers(policy, (unsigned)version) || sepol_policydb_to_image(NULL, policy, &image, &size_bytes))
		return STATUS_NOT_OLDER;
	return STATUS_GOOD;
}

static int check_in_child(const void *arg)
{
	const struct subject *subject = arg;
	sepol_policydb_t *policy;

	if (sepol_policydb_create(&policy))
		return STATUS_NO_MEMORY;
	if (sepol_policydb_from_image(NULL, subject->file->image, subject->file->size_bytes, policy))
		return STATUS_DAMAGED;
	if (policy_is_made_older(subject->file, subject->versions))
		return make_older(policy, subject->versions->kernel_max);
	return STATUS_GOOD;
}

static int say(char why[POLICY_WHY_MAX], int err, const char *what, const char *said)
{
	(void)snprintf(why, POLICY_WHY_MAX, "%.200s%s%.*s%s", what, *said ? " (" : "", SAID_MAX, said, *said ? ")" : "");
	return err;
}

static int conclude(int end, const struct policy_versions *versions, const char *said, char why[POLICY_WHY_MAX])
{
	char text[SAID_MAX];

	switch (end) {
	case STATUS_GOOD:
		return 0;
	case STATUS_DAMAGED:
		return say(why, -EBADMSG, "damaged or truncated", said);
	case STATUS_NOT_OLDER:
		(void)snprintf(text, sizeof text, "cannot be made a policy of version %d, which this kernel takes",
			versions->kernel_max);
		return say(why, -ENOTSUP, text, said);
	case STATUS_NO_MEMORY:
		return say(why, -ENOMEM, "no memory to check it", said);
	case APART_KILLED + SIGXCPU:
	case APART_KILLED + SIGKILL:
		return say(why, -EBADMSG, "damaged: libsepol does not come to an end with it", said);
	}
	if (end > APART_KILLED) {
		(void)snprintf(text, sizeof text, "damaged: libsepol dies of it (%s)", strsignal(end - APART_KILLED));
		return say(why, -EBADMSG, text, said);
	}
	return say(why, end < 0 ? end : -EIO, "could not be checked", end < 0 ? strerror(-end) : said);
}

int policy_check(const struct policy_file *file, const struct policy_versions *versions, const struct apart_limits *limits,
	char why[POLICY_WHY_MAX])
{
	const struct subject subject = { file, versions };
	char said[SAID_MAX];
	int end;

	if (file->version > versions->library_max)
		return 0;                            /* the kernel is newer than the library, and will judge */
	end = apart_run(check_in_child, &subject, limits, said, sizeof said);
	return conclude(end, versions, said, why);
}
