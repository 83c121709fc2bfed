/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "init/loader.h"
#include "init/table.h"
#include "lib/sys.h"

/* Its shadow memory needs more address space than any limit of ours. */
#ifdef __has_feature
#define HAS_ASAN __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#else
#define HAS_ASAN 0
#endif

enum { SAID_MAX = 256 };

/* A directory with an inittab, an inittab.d and a cmdline, and what the loader made of them. */
struct place {
	char dir[64], tab[128], tab_dir[128], cmdline[128];
	char *said[SAID_MAX];
	int saids;
	int memfd, fds_before;
	struct table table;
};

static int place_begin(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	assert_non_null(p);
	p->fds_before = fds_open();
	strcpy(p->dir, "/tmp/loader_test.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->tab, sizeof p->tab, "%s/inittab", p->dir);
	(void)snprintf(p->tab_dir, sizeof p->tab_dir, "%s/inittab.d", p->dir);
	(void)snprintf(p->cmdline, sizeof p->cmdline, "%s/cmdline", p->dir);
	p->memfd = -1;
	*state = p;
	return 0;
}

static void forget(struct place *p)
{
	while (p->saids)
		free(p->said[--p->saids]);
	table_close(&p->table);
	if (p->memfd >= 0)
		close(p->memfd);
	p->memfd = -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int place_end(void **state)
{
	struct place *p = *state;
	int left_open;

	fault_clear();
	forget(p);
	nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	left_open = fds_open() - p->fds_before;
	free(p);
	return left_open;
}

static void write_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

static void write_in_dir(struct place *p, const char *name, const char *text)
{
	char path[256];

	assert_true(mkdir(p->tab_dir, 0755) == 0 || errno == EEXIST);
	(void)snprintf(path, sizeof path, "%s/%s", p->tab_dir, name);
	write_text(path, text);
}

static void hear(void *context, const char *text)
{
	struct place *p = context;

	assert_true(p->saids < SAID_MAX);
	p->said[p->saids++] = strdup(text);
}

static int load(struct place *p)
{
	const struct loader_config config = {
		.tab = p->tab, .tab_dir = p->tab_dir, .cmdline = p->cmdline, .say = hear,
			.context = p,
	};

	forget(p);
	p->memfd = (int)syscall(SYS_memfd_create, "table", 3);
	assert_true(p->memfd >= 0);
	return loader_run(&config, p->memfd);
}

static void assert_loaded(struct place *p, int result)
{
	int err = load(p);

	if (err != result)
		fail_msg("%d in place of %d; said: %s", err, result, p->saids ? p->said[0] : "");
	assert_int_equal(table_open(p->memfd, &p->table), 0);
}

/* Each string ends with | in the list: ids in the order of running. */
static void assert_ids(const struct place *p, const char *ids)
{
	char found[1024] = "";

	for (uint32_t i = 0; i < p->table.count; i++)
		(void)snprintf(found + strlen(found), sizeof found - strlen(found), "%s|",
			table_entry(&p->table, i)->id);
	assert_string_equal(found, ids);
}

static const char *process_of(const struct place *p, const char *id)
{
	for (uint32_t i = 0; i < p->table.count; i++)
		if (!strcmp(table_entry(&p->table, i)->id, id))
			return table_process(&p->table, table_entry(&p->table, i));
	fail_msg("no entry %s", id);
	return NULL;
}

/* The n-th thing said is the path, then the rest. */
static void assert_said(const struct place *p, int nth, const char *path, const char *rest)
{
	char wanted[512];

	(void)snprintf(wanted, sizeof wanted, "%s%s", path, rest);
	assert_true(nth < p->saids);
	assert_string_equal(p->said[nth], wanted);
}

/* --- lines --- */

static void good_lines_are_loaded_in_silence(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "# a table\n\nid:3:initdefault:\nsi::sysinit:/etc/rc S\n"
		"ca::ctrlaltdel:/sbin/shutdown\n~~:S:wait:/bin/sulogin\n"
		"1:23:respawn:/sbin/getty tty1\n");
	assert_loaded(p, 0);
	assert_ids(p, "ca|id|si|~~|1|");
	assert_string_equal(process_of(p, "~~"), "/bin/sulogin");
	assert_int_equal(p->table.count, 5);
	assert_int_equal(table_entry(&p->table, 4)->line, 7);
	assert_int_equal(p->saids, 0);
}

static void a_bad_line_is_named_and_stops_none_of_the_others(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "a:S:wait:x\nb:2\n\nc:2:nope:x\na:3:once:y\nd:2:once:z\n");
	assert_loaded(p, 0);
	assert_ids(p, "a|d|");
	assert_string_equal(process_of(p, "a"), "x");
	assert_said(p, 0, p->tab, "[2]: missing action field");
	assert_said(p, 1, p->tab, "[4]: nope: unknown action field");
	assert_said(p, 2, p->tab, "[5]: duplicate ID field \"a\"");
	assert_int_equal(p->saids, 3);
}

static void a_last_line_needs_no_newline(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "a:S:wait:x\nb:2:once:y");
	assert_loaded(p, 0);
	assert_string_equal(process_of(p, "b"), "y");
	write_text(p->tab, "a:S:wait:x\nb:2");
	assert_loaded(p, 0);
	assert_said(p, 0, p->tab, "[2]: missing action field");
}

static void files_of_other_systems_are_read_as_they_look(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "\xef\xbb\xbf" "a:S:wait:x\r\n\r\n# c\r\n \r\n"
		"b:2:once:y \r\nc:2:once:z\r\r");
	assert_loaded(p, 0);
	assert_string_equal(process_of(p, "a"), "x");
	assert_string_equal(process_of(p, "b"), "y ");
	assert_string_equal(process_of(p, "c"), "z\r");
	assert_int_equal(p->saids, 0);
}

static void a_byte_order_mark_is_one_at_the_beginning_only(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "a:S:wait:x\n\xef\xbb\xbf" "bb:2:once:y\n");
	assert_loaded(p, 0);
	assert_said(p, 0, p->tab, "[2]: id field too long (max 4 characters)");
	write_text(p->tab, "\xef\xbb");
	assert_loaded(p, -EBADMSG);
	write_text(p->tab, "\xef\xbb\xbf");
	assert_loaded(p, 0);
	assert_int_equal(p->saids, 0);
}

static void a_nul_byte_is_named(void **state)
{
	static const char text[] = "a:S:wait:x\0y\nb:2:once\0:y\n\0\n# \0\nc:2:once:z\n";
	struct place *p = *state;

	write_bytes(p->tab, text, sizeof text - 1);
	assert_loaded(p, 0);
	assert_ids(p, "c|~~|");
	assert_said(p, 0, p->tab, "[1]: NUL byte in line");
	assert_said(p, 1, p->tab, "[2]: NUL byte in line");
	assert_said(p, 2, p->tab, "[3]: NUL byte in line");
	assert_int_equal(p->saids, 3);
}

/* ID:2:once:xxx... of len bytes. */
static void put_line(FILE *file, const char *id, size_t len, const char *end)
{
	int head = fprintf(file, "%s:2:once:", id);

	assert_true(head > 0);
	while ((size_t)head < len)
		head += fputc('x', file) == 'x';
	fputs(end, file);
}

static void a_line_may_have_4095_bytes(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->tab, "w");

	put_line(file, "a", 4095, "\n");
	put_line(file, "b", 4096, "\n");
	put_line(file, "c", 4095, "\r\n");
	put_line(file, "d", 4096, "\r\n");
	put_line(file, "e", 4095, "\rx\n");
	put_line(file, "#", 100000, "\n");
	put_line(file, "f", 100000, "\n");
	put_line(file, "g", 20, "\n");
	put_line(file, "h", 4097, "");
	fclose(file);
	assert_loaded(p, 0);
	assert_ids(p, "a|c|g|~~|");
	assert_int_equal(strlen(process_of(p, "a")), 4095 - 9);
	assert_int_equal(strlen(process_of(p, "c")), 4095 - 9);
	assert_said(p, 0, p->tab, "[2]: line too long (max 4095 bytes)");
	assert_said(p, 1, p->tab, "[4]: line too long (max 4095 bytes)");
	assert_said(p, 2, p->tab, "[5]: line too long (max 4095 bytes)");
	assert_said(p, 3, p->tab, "[7]: line too long (max 4095 bytes)");
	assert_said(p, 4, p->tab, "[9]: line too long (max 4095 bytes)");
	assert_int_equal(p->saids, 5);
}

static void lines_are_found_wherever_a_read_ends(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->tab, "w");
	char id[TAB_ID_MAX + 1];

	/* Of such lengths that a newline is met on every place around the end of a 64 KiB block. */
	for (int i = 0; i < 300; i++) {
		(void)snprintf(id, sizeof id, "%03x", i);
		put_line(file, id, (size_t)(1000 + i), "\n");
	}
	fclose(file);
	assert_loaded(p, 0);
	assert_int_equal(p->saids, 0);
	assert_int_equal(p->table.count, 301);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(id, sizeof id, "%03x", i);
		assert_int_equal(strlen(process_of(p, id)), 1000 + i - 11);
	}
}

static void short_reads_lose_nothing(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "a:S:wait:x\nb:2:once:y\n");
	for (int skip = 0; skip < 3; skip++) {
		fault_arm(skip + 3, -EINTR);
		assert_int_equal(load(p), 0);
		fault_clear();
		assert_int_equal(table_open(p->memfd, &p->table), 0);
		assert_ids(p, "a|b|");
	}
}

static void sixty_four_complaints_are_no_more_than_that(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->tab, "w");

	fputs("a:S:wait:x\n", file);
	for (int i = 0; i < LOADER_COMPLAINTS_MAX; i++)
		fputs("bad\n", file);
	fclose(file);
	assert_loaded(p, 0);
	assert_int_equal(p->saids, LOADER_COMPLAINTS_MAX);
	assert_said(p, LOADER_COMPLAINTS_MAX - 1, p->tab, "[65]: missing action field");
}

static void the_65th_complaint_and_all_after_it_are_a_number(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->tab, "w");

	fputs("a:S:wait:x\n", file);
	for (int i = 0; i < LOADER_COMPLAINTS_MAX + 10; i++)
		fputs("bad\n", file);
	fputs("b:2:once:y\n", file);
	fclose(file);
	write_in_dir(p, "a.tab", "bad\n");
	assert_loaded(p, 0);
	assert_ids(p, "a|b|");
	assert_int_equal(p->saids, LOADER_COMPLAINTS_MAX + 1);
	assert_said(p, LOADER_COMPLAINTS_MAX - 1, p->tab, "[65]: missing action field");
	assert_said(p, LOADER_COMPLAINTS_MAX, "11 more bad lines, the first of them is ",
		strcat(p->tab, "[66]"));
}

/* --- the table as a whole --- */

static void a_way_into_level_s_is_added_when_there_is_none(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "a:2:once:x\nb::ctrlaltdel:x\nc:S:initdefault:\n");
	assert_loaded(p, 0);
	assert_ids(p, "b|a|c|~~|");
	assert_string_equal(process_of(p, "~~"), "/sbin/sulogin");
	assert_string_equal(table_entry(&p->table, 3)->levels, "S");
	assert_int_equal(table_entry(&p->table, 3)->action, ACTION_WAIT);
	write_text(p->tab, "a:s:once:x\n");
	assert_loaded(p, 0);
	assert_ids(p, "a|");
	write_text(p->tab, "~~:2:wait:x\n");
	assert_loaded(p, 0);
	assert_ids(p, "~~|~~|");
}

static void an_empty_table_is_what_the_user_wrote(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "");
	assert_loaded(p, 0);
	assert_ids(p, "~~|");
	write_text(p->tab, "# nothing\n\n \n");
	assert_loaded(p, 0);
	assert_ids(p, "~~|");
	assert_int_equal(p->saids, 0);
}

static void a_file_without_one_good_line_is_refused(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "# comment\nbad\n");
	write_in_dir(p, "a.tab", "a:2:once:x\n");
	assert_loaded(p, -EBADMSG);
	assert_ids(p, "a|~~|");
	assert_said(p, 0, p->tab, "[2]: missing action field");
	assert_said(p, 1, p->tab, ": not one good line in it");
}

static void a_missing_file_is_said(void **state)
{
	struct place *p = *state;

	write_in_dir(p, "a.tab", "a:2:once:x\n");
	assert_loaded(p, -ENOENT);
	assert_ids(p, "a|~~|");
	assert_string_equal(p->said[0], "No inittab file found");
	assert_int_equal(p->saids, 1);
}

static void what_is_no_file_is_refused_at_once(void **state)
{
	struct place *p = *state;

	assert_int_equal(mkdir(p->tab, 0755), 0);
	assert_loaded(p, -EINVAL);
	assert_said(p, 0, p->tab, ": not a regular file");
	rmdir(p->tab);
	assert_int_equal(mkfifo(p->tab, 0600), 0);
	assert_loaded(p, -EINVAL);
	assert_said(p, 0, p->tab, ": not a regular file");
	unlink(p->tab);
	assert_int_equal(symlink("/dev/zero", p->tab), 0);
	assert_loaded(p, -EINVAL);
	assert_said(p, 0, p->tab, ": not a regular file");
	unlink(p->tab);
	assert_int_equal(symlink("inittab", p->tab), 0);
	assert_loaded(p, -ELOOP);
	assert_said(p, 0, p->tab, ": Too many levels of symbolic links");
}

static void assert_said_with(const struct place *p, const char *path, const char *part)
{
	assert_int_equal(p->saids, 1);
	assert_non_null(strstr(p->said[0], path));
	assert_non_null(strstr(p->said[0], part));
}

static void a_file_may_have_16_mib(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->tab, "w");

	put_line(file, "#", LOADER_FILE_MAX - 12, "\na:S:wait:x\n");
	fclose(file);
	assert_loaded(p, 0);
	assert_ids(p, "a|");
	assert_int_equal(truncate(p->tab, (off_t)LOADER_FILE_MAX + 1), 0);
	assert_loaded(p, -EFBIG);
	assert_said_with(p, p->tab, "too large (max 16 MiB)");
	assert_ids(p, "~~|");
}

static void fifty_thousand_entries_are_loaded(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->tab, "w");

	for (int i = 0; i < 50000; i++)
		fprintf(file, "%04x:2345:respawn:/sbin/getty %d\n", i, i);
	fclose(file);
	assert_loaded(p, 0);
	assert_int_equal(p->table.count, 50001);
	assert_string_equal(process_of(p, "c34f"), "/sbin/getty 49999");
	assert_int_equal(p->saids, 0);
}

static void more_entries_than_fit_are_named(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->tab, "w");

	fputs("~~:S:wait:x\n", file);
	for (int i = 0; i < TABLE_ENTRIES_MAX; i++)
		fprintf(file, "%04x:2:once:x\n", i);
	fclose(file);
	assert_loaded(p, 0);
	assert_int_equal(p->table.count, TABLE_ENTRIES_MAX);
	assert_said(p, 0, p->tab, "[65537]: too many entries");
	assert_int_equal(p->saids, 1);
}

/* --- inittab.d --- */

static void every_line_of_inittab_d_counts_in_the_order_of_names(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "z:S:wait:x\n");
	write_in_dir(p, "b.tab", "b1:2:once:x\nb2:2:once:x\n");
	write_in_dir(p, "a.tab", "# c\n\na1:2:once:x\na2:2:once:x");
	write_in_dir(p, "10.tab", "d1:2:once:x\nz:2:once:y\n");
	write_in_dir(p, "9.tab", "d9:2:once:x\n");
	assert_loaded(p, 0);
	assert_ids(p, "z|d1|d9|a1|a2|b1|b2|");
	assert_int_equal(p->saids, 1);
	assert_said(p, 0, strcat(p->tab_dir, "/10.tab"), "[2]: duplicate ID field \"z\"");
}

static void only_tab_files_are_read(void **state)
{
	static const char *const others[] = { ".tab", ".h.tab", "a.tab~", "a.tab.bak", "tab",
		"a.TAB",
		"a.tabx", "xtab" };
	struct place *p = *state;

	write_text(p->tab, "z:S:wait:x\n");
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		write_in_dir(p, others[i], "bad\nx:2:once:x\n");
	assert_loaded(p, 0);
	assert_ids(p, "z|");
	assert_int_equal(p->saids, 0);
}

static void what_never_was_a_table_is_named_and_left_out(void **state)
{
	struct place *p = *state;
	char path[256];

	write_text(p->tab, "z:S:wait:x\n");
	write_in_dir(p, "9.tab", "a:2:once:x\n");
	write_in_dir(p, "8.tab", "bad\n");
	(void)snprintf(path, sizeof path, "%s/1.tab", p->tab_dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/2.tab", p->tab_dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(path, sizeof path, "%s/3.tab", p->tab_dir);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_loaded(p, 0);
	assert_ids(p, "z|a|");
	assert_int_equal(p->saids, 4);
	strcat(p->tab_dir, "/0.tab");
	for (int i = 0; i < 2; i++) {
		p->tab_dir[strlen(p->tab_dir) - 5]++;
		assert_said(p, i, p->tab_dir, ": not a regular file");
	}
	p->tab_dir[strlen(p->tab_dir) - 5]++;
	assert_said(p, 2, p->tab_dir, ": No such file or directory");
	p->tab_dir[strlen(p->tab_dir) - 5] = '8';
	assert_said(p, 3, p->tab_dir, "[1]: missing action field");
}

static void a_file_in_the_place_of_inittab_d_is_named(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "z:S:wait:x\n");
	write_text(p->tab_dir, "a:2:once:x\n");
	assert_loaded(p, 0);
	assert_ids(p, "z|");
	assert_said(p, 0, p->tab_dir, ": Not a directory");
}

static void a_thousand_files_are_read(void **state)
{
	struct place *p = *state;
	char name[16], text[64];

	write_text(p->tab, "z:S:wait:x\n");
	for (int i = 999; i >= 0; i--) {
		(void)snprintf(name, sizeof name, "%03d.tab", i);
		(void)snprintf(text, sizeof text, "%03d:2:once:x\n", i);
		write_in_dir(p, name, text);
	}
	assert_loaded(p, 0);
	assert_int_equal(p->table.count, 1001);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(atoi(table_entry(&p->table, i + 1)->id), i);
}

static void a_file_that_could_be_read_yesterday_keeps_the_old_table(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "z:S:wait:x\n");
	write_in_dir(p, "a.tab", "a:2:once:x\n");
	write_in_dir(p, "b.tab", "b:2:once:x\n");
	fault_name_after("open", 2, -EIO);
	assert_int_equal(load(p), -EIO);
	fault_clear();
	assert_int_equal(table_open(p->memfd, &p->table), 0);
	assert_ids(p, "z|");
	assert_int_equal(p->saids, 3);
	assert_said(p, 0, strcat(p->tab_dir, "/a.tab"), ": Input/output error");
}

/* --- init.autocon --- */

static void consoles_of_the_kernel_get_an_agetty_when_asked_for(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "0:2345:respawn:/sbin/getty tty0\nz:S:wait:x\n");
	write_text(p->cmdline, "quiet console=ttyS0,115200n8 init.autocon=1 console=tty0 "
		"console=hvc0 console=ttyS0 console=ttyUSB10\n");
	assert_loaded(p, 0);
	assert_ids(p, "0|z|S0|hvc0|SB10|");
	assert_string_equal(process_of(p, "S0"),
		"/sbin/agetty -L -s 115200,38400,9600 ttyS0 vt102");
	assert_string_equal(process_of(p, "0"), "/sbin/getty tty0");
	assert_string_equal(table_entry(&p->table, 2)->levels, "2345");
	assert_int_equal(table_entry(&p->table, 2)->action, ACTION_RESPAWN);
	assert_string_equal(p->said[0], "added agetty on ttyS0 with id S0");
	assert_string_equal(p->said[1], "added agetty on hvc0 with id hvc0");
	assert_string_equal(p->said[2], "added agetty on ttyUSB10 with id SB10");
	assert_int_equal(p->saids, 3);
}

static void consoles_get_nothing_unless_asked_for(void **state)
{
	static const char *const lines[] = { "console=ttyS0", "init.autocon=0 console=ttyS0",
		"xinit.autocon=1 console=ttyS0", "init.autocon=12 console=ttyS0",
		"init.autocon=1 xconsole=ttyS0", "init.autocon=1 console=",
		"init.autocon=1 console=null",
		"init.autocon=1 console=,115200", "init.autocon=1 console=tty;reboot",
		"init.autocon=1 console=a:b", "init.autocon=1 console=$(x)", "", "init.autocon=1",
		"init.autocon=1 console=abcdefghijklmnopqrstuvwxyz0123456789" };
	struct place *p = *state;

	write_text(p->tab, "z:S:wait:x\n");
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		write_text(p->cmdline, lines[i]);
		assert_loaded(p, 0);
		assert_ids(p, "z|");
		assert_int_equal(p->saids, 0);
	}
}

static void a_console_word_may_come_before_the_one_that_asks(void **state)
{
	struct place *p = *state;

	write_text(p->tab, "z:S:wait:x\n");
	write_text(p->cmdline, "init.autocon=10 console=tty\ninit.autocon=1\n");
	assert_loaded(p, 0);
	assert_ids(p, "z|tty|");
}

/* --- failing calls --- */

static bool said_anything_of(const struct place *p, const char *part)
{
	for (int i = 0; i < p->saids; i++)
		if (strstr(p->said[i], part))
			return true;
	return false;
}

/* All of the entries, or an error and its reason. */
static void whatever_call_fails_no_entry_is_lost_in_silence(void **state)
{
	static const int errors[] = { -EIO, -ENOMEM, -EMFILE, -EACCES };
	struct place *p = *state;
	int before = fds_open();

	write_text(p->tab, "a:2:once:x\nb:S:wait:y\n");
	write_in_dir(p, "c.tab", "c:2:once:x\n");
	write_in_dir(p, "d.tab", "d:2:once:x\n");
	write_text(p->cmdline, "init.autocon=1 console=ttyS0");
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		int nth = 0, err;

		while (fault_arm(++nth, errors[i]), err = load(p), fault_fired()) {
			assert_int_equal(fds_open(), before + 1);
			assert_int_equal(err, errors[i]);
			assert_true(said_anything_of(p, strerror(-err)));
		}
		assert_int_equal(err, 0);
		assert_true(nth > 15);
		assert_int_equal(table_open(p->memfd, &p->table), 0);
		assert_ids(p, "a|b|c|d|S0|");
	}
}

static void whatever_call_fails_there_is_a_table_to_begin_with(void **state)
{
	struct place *p = *state;
	int nth = 0;

	write_text(p->tab, "a:2:once:x\nb:S:wait:y\n");
	write_in_dir(p, "c.tab", "c:2:once:x\n");
	while (fault_arm(++nth, -EIO), (void)!load(p), fault_fired()) {
		if (said_anything_of(p, "hand it over"))
			continue;
		assert_int_equal(table_open(p->memfd, &p->table), 0);
		assert_true(p->table.count >= 1);
	}
}

/* --- no memory --- */

static void hear_of_memory(void *context, const char *text)
{
	bool *heard = context;

	*heard |= strstr(text, strerror(ENOMEM)) != NULL;
}

/* A child that may take as much as it has, and more_bytes. Its loader's result, 0 to 255; 255:
 * nothing was said of it. */
static int loaded_with(const struct place *p, rlim_t more_bytes)
{
	bool heard = false;
	const struct loader_config config = {
		.tab = p->tab, .tab_dir = p->tab_dir, .cmdline = p->cmdline,
		.say = hear_of_memory, .context = &heard,
	};
	int status, err;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		unsigned long pages = 0;
		FILE *statm = fopen("/proc/self/statm", "r");
		int fd = (int)syscall(SYS_memfd_create, "table", 3);
		struct rlimit limit;

		if (!statm || fscanf(statm, "%lu", &pages) != 1)
			_exit(254);
		fclose(statm);
		limit.rlim_cur = limit.rlim_max = pages * 4096 + more_bytes;
		setrlimit(RLIMIT_AS, &limit);
		err = loader_run(&config, fd);
		_exit(err == -ENOMEM && !heard ? 255 : -err);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_table_too_large_for_the_memory_is_refused_with_the_reason(void **state)
{
	struct place *p = *state;
	int refused = 0;
	FILE *file;

	if (HAS_ASAN)
		skip();
	file = fopen(p->tab, "w");
	for (int i = 0; i < 20000; i++)
		fprintf(file, "%04x:2345:respawn:/sbin/getty %d\n", i, i);
	fclose(file);
	for (rlim_t more = 0; more < 8 << 20; more += 100000) {
		int err = loaded_with(p, more);

		assert_true(err == 0 || err == ENOMEM);
		refused += err == ENOMEM;
	}
	assert_true(refused > 1);
	assert_int_equal(loaded_with(p, 16 << 20), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)
	const struct CMUnitTest tests[] = {
		CASE(good_lines_are_loaded_in_silence),
		CASE(a_bad_line_is_named_and_stops_none_of_the_others),
		CASE(a_last_line_needs_no_newline),
		CASE(files_of_other_systems_are_read_as_they_look),
		CASE(a_byte_order_mark_is_one_at_the_beginning_only),
		CASE(a_nul_byte_is_named),
		CASE(a_line_may_have_4095_bytes),
		CASE(lines_are_found_wherever_a_read_ends),
		CASE(short_reads_lose_nothing),
		CASE(sixty_four_complaints_are_no_more_than_that),
		CASE(the_65th_complaint_and_all_after_it_are_a_number),
		CASE(a_way_into_level_s_is_added_when_there_is_none),
		CASE(an_empty_table_is_what_the_user_wrote),
		CASE(a_file_without_one_good_line_is_refused),
		CASE(a_missing_file_is_said),
		CASE(what_is_no_file_is_refused_at_once),
		CASE(a_file_may_have_16_mib),
		CASE(fifty_thousand_entries_are_loaded),
		CASE(more_entries_than_fit_are_named),
		CASE(every_line_of_inittab_d_counts_in_the_order_of_names),
		CASE(only_tab_files_are_read),
		CASE(what_never_was_a_table_is_named_and_left_out),
		CASE(a_file_in_the_place_of_inittab_d_is_named),
		CASE(a_thousand_files_are_read),
		CASE(a_file_that_could_be_read_yesterday_keeps_the_old_table),
		CASE(consoles_of_the_kernel_get_an_agetty_when_asked_for),
		CASE(consoles_get_nothing_unless_asked_for),
		CASE(a_console_word_may_come_before_the_one_that_asks),
		CASE(whatever_call_fails_no_entry_is_lost_in_silence),
		CASE(whatever_call_fails_there_is_a_table_to_begin_with),
		CASE(a_table_too_large_for_the_memory_is_refused_with_the_reason),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
