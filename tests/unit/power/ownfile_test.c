/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include "lib/sys.h"
#include "power/ownfile.h"

static void what_is_made_is_removed(void **state)
{
	struct ownfile file = { .path = "/etc/nologin" };
	struct stat st;
	mode_t before = umask(077);

	(void)state;
	tree_dir("/etc");
	assert_int_equal(ownfile_make(&file, "going down\n"), 0);
	umask(before);
	assert_string_equal(tree_get("/etc/nologin"), "going down\n");
	assert_int_equal(stat(tree_path("/etc/nologin"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	ownfile_remove(&file);
	assert_false(tree_has("/etc/nologin"));
}

static void what_was_there_stays(void **state)
{
	struct ownfile file = { .path = "/etc/nologin" };

	(void)state;
	tree_put("/etc/nologin", "maintenance\n");
	assert_int_equal(ownfile_make(&file, "going down\n"), -EEXIST);
	ownfile_remove(&file);
	assert_string_equal(tree_get("/etc/nologin"), "maintenance\n");
}

static void a_link_is_not_followed(void **state)
{
	struct ownfile file = { .path = "/etc/nologin" };

	(void)state;
	tree_put("/etc/passwd", "root\n");
	tree_link("/etc/nologin", "passwd");
	assert_int_equal(ownfile_make(&file, "going down\n"), -EEXIST);
	ownfile_remove(&file);
	assert_true(tree_has("/etc/nologin"));
	assert_string_equal(tree_get("/etc/passwd"), "root\n");
}

static void one_that_took_its_place_stays(void **state)
{
	struct ownfile file = { .path = "/etc/nologin" };

	(void)state;
	tree_put("/etc/other", "somebody else's\n");
	assert_int_equal(ownfile_make(&file, "ours\n"), 0);
	assert_int_equal(rename(tree_path("/etc/other"), tree_path("/etc/nologin")), 0);
	ownfile_remove(&file);
	assert_string_equal(tree_get("/etc/nologin"), "somebody else's\n");
}

/* Calls: open, fstat, fchmod, write. */
static void each_failing_call_leaves_nothing_open(void **state)
{
	static const int errors[] = { -EIO, -EIO, 0, -EIO };
	int before = fds_open();

	(void)state;
	tree_dir("/etc");
	for (int nth = 1; nth <= 4; nth++) {
		struct ownfile file = { .path = "/etc/nologin" };

		fault_arm(nth, -EIO);
		assert_int_equal(ownfile_make(&file, "x"), errors[nth - 1]);
		assert_true(fault_fired());
		assert_int_equal(fds_open(), before);
		ownfile_remove(&file);
		assert_int_equal(tree_has("/etc/nologin"), nth == 2);   /* not known to be ours */
		unlink(tree_path("/etc/nologin"));
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(what_is_made_is_removed),
		CASE(what_was_there_stays),
		CASE(a_link_is_not_followed),
		CASE(one_that_took_its_place_stays),
		CASE(each_failing_call_leaves_nothing_open),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
