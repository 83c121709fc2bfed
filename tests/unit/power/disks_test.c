/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include "lib/sys.h"
#include "power/disks.h"

/* NULL: there is no such file. */
static const struct row {
	const char *name, *removable, *device, *vendor, *start_stop, *shutdown;
	bool ours;
} rows[] = {
	{ "hda", "0\n", NULL, NULL, NULL, NULL, true },
	{ "hdb", "1\n", NULL, NULL, NULL, NULL, false },
	{ "hdc", NULL, NULL, NULL, NULL, NULL, false },
	{ "sda", "0\n", "../../../0:0:0:0", "ATA     \n", NULL, NULL, true },
	{ "sdb", "0\n", "../../../0:0:0:1", "ATA     \n", "0\n", NULL, true },
	{ "sdc", "0\n", "../../../0:0:0:2", "ATA     \n", "1\n", NULL, false },
	{ "sdd", "1\n", "../../../0:0:0:3", "ATA     \n", NULL, NULL, false },
	{ "sde", "1\n", "../../../0:0:0:4", "Kingston\n", NULL, NULL, true },
	{ "sdf", "0\n", "../../../0:0:0:5", "QEMU    \n", NULL, NULL, false },
	{ "sdg", "0\n", NULL, NULL, NULL, NULL, false },
	{ "sdh", NULL, "../../../0:0:0:7", "ATA\n", NULL, NULL, false },
	{ "sdi", "0\n", "../../../0:0:0:8", "ATA\n", "0\n", "1\n", false },   /* Linux 6.7 */
	{ "sdj", "0\n", "../../../0:0:0:9", "ATA\n", "0\n", "0\n", true },
	{ "vda", "0\n", NULL, NULL, NULL, NULL, false },
	{ "loop0", "0\n", NULL, NULL, NULL, NULL, false },
};

static const char *at(const char *dir, const char *name, const char *file)
{
	static char path[256];

	(void)snprintf(path, sizeof path, "%s/%s%s%s", dir, name, *file ? "/" : "", file);
	return path;
}

/* Without `device` there are neither vendor nor switches. */
static void lay_out(const struct row *row)
{
	const char *address = row->device ? strrchr(row->device, '/') + 1 : "";
	char target[256];

	tree_dir(at("/sys/block", row->name, ""));
	if (row->removable)
		tree_put(at("/sys/block", row->name, "removable"), row->removable);
	if (!row->device)
		return;
	(void)snprintf(target, sizeof target, "../../devices/%s", address);
	tree_dir(at("/sys/devices", address, ""));
	tree_link(at("/sys/block", row->name, "device"), target);
	if (row->vendor)
		tree_put(at("/sys/devices", address, "vendor"), row->vendor);
	if (row->start_stop)
		tree_put(at("/sys/class/scsi_disk", address, "manage_start_stop"), row->start_stop);
	if (row->shutdown)
		tree_put(at("/sys/class/scsi_disk", address, "manage_shutdown"), row->shutdown);
}

static void lay_out_all(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		lay_out(&rows[i]);
}

static void each_kind_of_disk_is_ours_or_not(void **state)
{
	(void)state;
	lay_out_all();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (disks_is_ours(rows[i].name) != rows[i].ours)
			fail_msg("%s", rows[i].name);
}

static int late;

static void settle(void *arg)
{
	(void)arg;
	late = disks_settle("test", true);
}

/* As plain files: whose it is can be seen by who opens it. A name that is no directory, one that is a broken link, and
 * one that is longer than any are among them. */
static void an_odd_entry_does_not_end_the_scan(void **state)
{
	char odd[256];

	(void)state;
	lay_out_all();
	tree_put("/sys/block/sdaa", "a file");
	tree_link("/sys/block/sdab", "nowhere");
	tree_put("/sys/block/sdac/device", "no link");
	tree_put("/sys/block/sdac/removable", "0");
	memset(odd, 'x', sizeof odd);
	memcpy(odd, "/sys/block/sd", 13);
	odd[200] = '\0';
	tree_dir(odd);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		tree_put(at("/dev", rows[i].name, ""), "");
	assert_string_equal(tree_said(2, settle, NULL), "");
	assert_int_equal(late, 0);
}

static struct {
	int started, started_after_a_wait;
	bool has_waited;
} order;

static void note(const char *name)
{
	if (!strcmp(name, "fork")) {
		order.started++;
		order.started_after_a_wait += order.has_waited;
	} else if (!strcmp(name, "wait")) {
		order.has_waited = true;
	}
}

/* So that however many do not answer, they take the time of one. */
static void all_are_at_work_before_one_is_waited_for(void **state)
{
	int disks = 0;

	(void)state;
	lay_out_all();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		disks += !strncmp(rows[i].name, "sd", 2) || !strncmp(rows[i].name, "hd", 2);
	memset(&order, 0, sizeof order);
	fault_tell(note);
	late = disks_settle("test", true);
	fault_tell(NULL);
	assert_int_equal(late, 0);
	assert_int_equal(order.started, disks);
	assert_true(order.has_waited);
	assert_int_equal(order.started_after_a_wait, 0);
}

static void without_sysfs_nothing_is_done(void **state)
{
	(void)state;
	assert_string_equal(tree_said(2, settle, NULL), "");
	assert_int_equal(late, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, tree_begin, tree_end)
	const struct CMUnitTest tests[] = {
		CASE(each_kind_of_disk_is_ours_or_not),
		CASE(an_odd_entry_does_not_end_the_scan),
		CASE(all_are_at_work_before_one_is_waited_for),
		CASE(without_sysfs_nothing_is_done),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
