/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_context.h"

#ifdef HAVE_SELINUX
#include <selinux/get_context_list.h>
#include <selinux/selinux.h>
#include <stdlib.h>

static const char *set_context(void)
{
	char *user = NULL, *level = NULL, *context = NULL;
	const char *failed = NULL;

	if (getseuserbyname("root", &user, &level))
		failed = "getseuserbyname failed";
	else if (get_default_context_with_level(user, level, NULL, &context))
		failed = "no default context for root";
	else if (setexeccon(context))
		failed = "setexeccon failed";
	if (context)
		freecon(context);
	free(user);
	free(level);
	return failed;
}

const char *su_context_set(void)
{
	return is_selinux_enabled() == 1 ? set_context() : (const char *)0;
}
#else
const char *su_context_set(void)
{
	return (const char *)0;
}
#endif
