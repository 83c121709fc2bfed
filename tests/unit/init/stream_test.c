/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text by which inits hand over: what stock 3.06 writes, what we write, and what nobody should. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/init.h"
#include "init/stream.h"
#include "lib/sys.h"

static int begin(void **state)
{
	*state = fake_init_begin();
	return 0;
}

static int end(void **state)
{
	fake_init_end(*state);
	return 0;
}

/* What was read last, and what was said of it. */
static struct {
	struct level level;
	struct record_flags out;
	struct family family;
	char said[8192];
	int complaints;
} got;

static void hear(void *context, const char *text)
{
	size_t used = strlen(got.said);

	(void)context;
	got.complaints++;
	if (used + strlen(text) + 2 < sizeof got.said)
		(void)snprintf(got.said + used, sizeof got.said - used, "%s\n", text);
}

static void forget_family(void)
{
	if (got.family.image)
		munmap(got.family.image, got.family.size_bytes);
	if (got.family.pid_bucket)
		munmap(got.family.pid_bucket, got.family.index_bytes);
	if (got.family.fd >= 0)
		close(got.family.fd);
	family_init(&got.family);
}

/* In pieces of this size. */
static void read_text(const char *text, size_t len, size_t piece)
{
	struct stream *stream;

	memset(&got, 0, sizeof got);
	family_init(&got.family);
	stream = stream_begin(hear, NULL);
	assert_non_null(stream);
	for (size_t at = 0; at < len; at += piece)
		stream_feed(stream, text + at, len - at < piece ? len - at : piece);
	assert_int_equal(stream_end(stream, &got.level, &got.out, &got.family), 0);
}

static void read_whole(const char *text)
{
	read_text(text, strlen(text), strlen(text));
}

static const struct entry *entry_of(const char *id)
{
	for (int32_t i = 0; i < got.family.count; i++)
		if (!strncmp(got.family.entry[i].id, id, TAB_ID_MAX))
			return &got.family.entry[i];
	return NULL;
}

/* As stock 3.06 wrote it in a machine in level 2. */
#define HEAD "VER@(#) init 3.06 miquels@cistron.nl\n-RL2\n-TL2\n-PLN\n-SI0\n-WR1\n-WU1\n-ST0\n-DB1\n"
#define CA "RECca\nLEVS0123456789\nFL XD\nPID0\nEXS0\nAC ctrlaltdel\nCMD/tmp/mark cad\nEOR\n"
#define SI "RECsi\nLEV#\nPID0\nEXS0\nAC sysinit\nCMD/tmp/mark sysinit\nEOR\n"
#define L2 "RECl2\nLEV2\nFL XD\nPID7\nEXS256\nAC wait\nCMD/tmp/mark rc\nEOR\n"
#define G1 "RECg1\nLEV2345\nFL RU\nFL XD\nPID4008\nEXS9\nAC respawn\nCMD/tmp/getty g1\nEOR\n"
#define OA "RECoa\nLEVa\nFL RU\nFL DE\nFL XD\nPID4012\nEXS0\nAC ondemand\nCMD/tmp/getty oa\nEOR\n"
#define STOCK HEAD CA SI L2 G1 OA "END\n"

static void what_stock_tells_is_taken(void **state)
{
	const struct entry *entry;

	(void)state;
	read_whole(STOCK);
	assert_string_equal(got.said, "");
	assert_int_equal(got.level.phase, PHASE_STEADY);
	assert_int_equal(got.level.now, '2');
	assert_int_equal(got.level.wanted, '2');
	assert_int_equal(got.level.previous, 'N');
	assert_int_equal(got.level.stop_s, 0);
	assert_true(got.level.did_boot);
	assert_false(got.level.is_torn);
	assert_true(got.out.boot_in_wtmp && got.out.boot_in_utmp && got.out.level_in_wtmp && got.out.level_in_utmp);
	assert_int_equal(got.family.count, 5);
	assert_int_equal(got.family.running, 2);
	entry = entry_of("g1");
	assert_int_equal(entry->pid, 4008);
	assert_int_equal(entry->flags, ENTRY_EXECUTED);
	assert_int_equal(entry->action, ACTION_RESPAWN);
	assert_string_equal(entry->levels, "2345");
	assert_string_equal(family_process(&got.family, entry), "/tmp/getty g1");
	assert_int_equal(entry->wait_code, CLD_KILLED);
	assert_int_equal(entry->wait_status, 9);
	assert_ptr_equal(family_find_pid(&got.family, 4008), entry);
	entry = entry_of("oa");
	assert_int_equal(entry->flags, ENTRY_EXECUTED | ENTRY_DEMAND);
	entry = entry_of("l2");
	assert_int_equal(entry->pid, 0);                /* of a process that has ended */
	assert_int_equal(entry->wait_status, 1);
	assert_ptr_equal(entry_of("ca"), &got.family.entry[0]);
	forget_family();
}

static void the_size_of_the_pieces_does_not_matter(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 40; piece++) {
		read_text(STOCK, strlen(STOCK), piece);
		assert_int_equal(got.family.count, 5);
		assert_int_equal(got.family.running, 2);
		assert_int_equal(got.complaints, 0);
		forget_family();
	}
}

/* Whatever is missing at the end: the records that are whole stand, and it is known that more was to come. */
static void a_text_that_is_cut_at_any_byte_keeps_what_is_whole(void **state)
{
	const size_t whole = strlen(STOCK);

	(void)state;
	for (size_t len = 0; len < whole; len++) {
		int records = 0;
		char cut[sizeof STOCK];

		memcpy(cut, STOCK, len);
		cut[len] = '\0';
		for (const char *at = cut; (at = strstr(at, "\nEOR\n")); at++)
			records++;
		read_text(cut, len, whole);
		assert_int_equal(got.level.is_torn, true);
		assert_int_equal(got.family.count, records);
		assert_int_equal(got.level.now, len > strlen("VER@(#) init 3.06 miquels@cistron.nl\n-RL2") ? '2' : 0);
		forget_family();
	}
}

static void read_entry(const char *lines)
{
	char text[1024];

	(void)snprintf(text, sizeof text, HEAD "%sEND\n", lines);
	read_whole(text);
}

static void a_value_that_cannot_be_is_said_and_not_taken(void **state)
{
	static const struct {
		const char *lines, *said;
		int count, running;
	} cases[] = {
		{ "RECtoolong\nLEV2\nPID0\nAC once\nCMDx\nEOR\n", "no id", 0, 0 },
		{ "REC\nLEV2\nPID0\nAC once\nCMDx\nEOR\n", "missing id", 0, 0 },
		{ "RECa:b\nLEV2\nPID0\nAC once\nCMDx\nEOR\n", "no id", 0, 0 },
		{ "REC#a\nLEV2\nPID0\nAC once\nCMDx\nEOR\n", "no id", 0, 0 },
		{ "RECa\nLEV0123456789ABCDEF\nAC once\nCMDx\nEOR\n", "a: no levels", 0, 0 },
		{ "RECa\nLEV2\nAC explode\nCMDx\nEOR\n", "unknown action", 0, 0 },
		{ "RECa\nLEV2\nAC \nCMDx\nEOR\n", "missing action", 0, 0 },
		{ "RECa\nLEV2\nCMDx\nEOR\n", "missing action", 0, 0 },
		{ "RECa\nLEV2\nFL RU\nPIDxy\nAC once\nCMDx\nEOR\n", "a: runs without a pid", 1, 0 },
		{ "RECa\nLEV2\nFL RU\nPID-4\nAC once\nCMDx\nEOR\n", "a: runs without a pid", 1, 0 },
		{ "RECa\nLEV2\nFL RU\nPID4294967297\nAC once\nCMDx\nEOR\n", "a: runs without a pid", 1, 0 },
		{ "RECa\nLEV2\nFL RU\nPID0\nAC once\nCMDx\nEOR\n", "taken for ended", 1, 0 },
		{ "RECa\nLEV2\nFL RU\nPID1\nAC once\nCMDx\nEOR\n", "taken for ended", 1, 0 },
		{ "RECa\nLEV2\nEXSx\nAC once\nCMDx\nEOR\n", "a: no exit status", 1, 0 },
		{ "RECa\nLEV2\nFL RU\nPID77\nAC once\nCMDx\nEOR\nRECb\nLEV2\nFL RU\nPID77\nAC once\nCMDx\nEOR\n",
			"b: has the pid of another", 2, 1 },
		{ "RECa\nLEV2\nAC once\nCMDx\nEOR\nRECa\nLEV2\nAC once\nCMDx\nEOR\n", "a: told twice", 1, 0 },
		{ "RECa\nLEV2\nAC once\nRECb\nLEV2\nAC once\nCMDx\nEOR\n", "a: cut off", 1, 0 },
		{ "-RLx\n", "-RL: no level", 0, 0 }, { "-RL22\n", "-RL: no level", 0, 0 }, { "-RL#\n", "-RL: no level", 0, 0 },
		{ "-PL*\n", "-PL: no level", 0, 0 }, { "-STx\n", "-ST: no number", 0, 0 }, { "-ST-1\n", "-ST: no number", 0, 0 },
		{ "-SI99999999999\n", "-SI: no number", 0, 0 }, { "-DB\n", "-DB: no number", 0, 0 },
		{ "-XE64\n", "-XE: no number", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		read_entry(cases[i].lines);
		if (!strstr(got.said, cases[i].said) || got.complaints != 1)
			fail_msg("%s: said %s", cases[i].lines, got.said);
		assert_int_equal(got.family.count, cases[i].count);
		assert_int_equal(got.family.running, cases[i].running);
		assert_int_equal(got.level.now, '2');   /* the good value stands */
		assert_false(got.level.is_torn);
		forget_family();
	}
}

static void words_that_nobody_knows_and_fields_outside_a_record_are_skipped(void **state)
{
	(void)state;
	read_entry("-QQ7\nXYZ\n\nab\nPID5\nFL RU\nEOR\nLEV2\nRECa\nLEV2\nNEW7\nAC once\nCMDx\nEOR\n");
	assert_int_equal(got.family.count, 1);
	assert_int_equal(got.family.running, 0);
	assert_int_equal(got.complaints, 0);
	forget_family();
	read_whole(STOCK "RECzz\nLEV2\nAC once\nCMDx\nEOR\n");     /* behind the end */
	assert_int_equal(got.family.count, 5);
	forget_family();
}

static void a_line_of_4095_bytes_fits_and_a_longer_one_costs_its_entry(void **state)
{
	static char text[3 * TAB_LINE_MAX];

	(void)state;
	for (int more = 0; more < 2; more++) {
		(void)snprintf(text, sizeof text, HEAD "RECa\nLEV2\nAC once\nCMD%0*d\nEOR\n" G1 "END\n", TAB_LINE_MAX + more, 0);
		read_whole(text);
		assert_int_equal(got.family.count, 2 - more);
		assert_int_equal(entry_of("g1")->pid, 4008);
		assert_int_equal(got.complaints, 2 * more);
		if (!more)
			assert_int_equal(entry_of("a")->process_len, TAB_LINE_MAX);
		forget_family();
	}
}

static void a_nul_costs_its_line(void **state)
{
	static const char text[] = HEAD "RECa\nLEV2\nAC once\nCMDx\0y\nEOR\n" G1 "END\n";

	(void)state;
	read_text(text, sizeof text - 1, 7);
	assert_int_equal(got.family.count, 1);
	assert_non_null(entry_of("g1"));
	forget_family();
}

static void a_flood_of_nonsense_is_said_in_bounds(void **state)
{
	(void)state;
	struct stream *stream = stream_begin(hear, NULL);

	memset(&got, 0, sizeof got);
	family_init(&got.family);
	for (int i = 0; i < 300000; i++)
		stream_feed(stream, "RECabcde\nPID-1\n-RLx\nEOR\nRECx\n", 30);
	assert_int_equal(stream_end(stream, &got.level, &got.out, &got.family), 0);
	assert_int_equal(got.family.count, 0);
	assert_int_equal(got.level.now, 0);
	assert_true(got.level.is_torn);
	assert_int_equal(got.complaints, 64);
	forget_family();
}

static void pending_signals_are_events(void **state)
{
	(void)state;
	read_entry("-SI1342177286\n");                  /* HUP, INT, WINCH, PWR */
	assert_int_equal(got.level.events,
		LEVEL_SIGNAL_HUP | LEVEL_SIGNAL_INT | LEVEL_SIGNAL_WINCH | LEVEL_SIGNAL_POWER_FAIL);
	forget_family();
	read_entry("-SI147456\n");                      /* ALRM, CHLD: nothing to remember */
	assert_int_equal(got.level.events, 0);
	forget_family();
}

/* --- what we write --- */

static size_t write_text(struct init *in, char *text, size_t size)
{
	int fd = (int)sys_memfd("text", 0);
	ssize_t len;

	assert_true(fd >= 0);
	assert_int_equal(stream_write_in_child(in, fd), 0);
	len = pread(fd, text, size - 1, 0);
	assert_true(len > 0);
	text[len] = '\0';
	close(fd);
	return (size_t)len;
}

static char written[1 << 20];

static void what_we_write_has_the_words_and_the_order_of_stock(void **state)
{
	struct init *in = *state;

	fake_adopt(in, "g1:2345:respawn:/tmp/getty g1\nl2:2:wait:/tmp/mark rc\nca::ctrlaltdel:/tmp/x\n");
	(void)fake_turns(in);
	in->level.events = LEVEL_SIGNAL_INT | LEVEL_SIGNAL_POWER_LOW;
	in->level.stop_s = 7;
	fake_entry(in, "l2")->wait_code = CLD_EXITED;
	fake_entry(in, "l2")->wait_status = 3;
	fake_entry(in, "g1")->guard_count = 0;
	(void)write_text(in, written, sizeof written);
	assert_string_equal(written, "VER@(#) init " VERSION "\n-RL2\n-TL2\n-PLN\n-SI4\n-WR0\n-WU0\n-LW0\n-LU0\n-ST7\n-DB1\n-XE18\n"
		"RECca\nLEVS0123456789\nFL XD\nPID0\nEXS0\nAC ctrlaltdel\nCMD/tmp/x\nEOR\n"
		"RECg1\nLEV2345\nFL RU\nPID40000\nEXS0\nAC respawn\nCMD/tmp/getty g1\nEOR\n"
		"RECl2\nLEV2\nFL RU\nFL XD\nFL WT\nPID40001\nEXS768\nAC wait\nCMD/tmp/mark rc\nEOR\n"
		"END\n");
}

static void what_we_write_is_read_as_it_was(void **state)
{
	static char tab[1 << 19];
	struct init *in = *state;
	size_t used = 0, len;

	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(tab + used, sizeof tab - used, "%d:23:respawn:%0*d\n", i, i % 3 ? 30 : 4000, i);
	(void)snprintf(tab + used, sizeof tab - used, "de:c:ondemand:x\npf::powerfail:x\non:2:once:x\nof:2:off:x\n");
	fake_adopt(in, tab);
	fake_entry(in, "de")->flags |= ENTRY_DEMAND;
	for (int turn = 0; turn < 5; turn++)
		(void)fake_turns(in);
	fake_entry(in, "7")->held_until_ns = 123456789;
	in->level.events = LEVEL_SIGNAL_POWER_OK;
	len = write_text(in, written, sizeof written);
	read_text(written, len, 4096);
	assert_int_equal(got.complaints, 0);
	assert_false(got.level.is_torn);
	assert_int_equal(got.level.events, in->level.events);
	assert_int_equal(got.family.count, in->family.count);
	assert_int_equal(got.family.running, in->family.running);
	for (int32_t i = 0; i < in->family.count; i++) {
		struct entry a = in->family.entry[i], b = got.family.entry[i];

		assert_string_equal(family_process(&in->family, &a), family_process(&got.family, &b));
		a.process_offset = b.process_offset = a.checksum = b.checksum = 0;
		a.wait_code = b.wait_code = 0;          /* 0, never ended, is told as an exit with 0 */
		assert_memory_equal(&a, &b, sizeof a);
	}
	forget_family();
}

static void each_way_to_end_is_told(void **state)
{
	static const struct {
		int code, status;
	} ends[] = { { CLD_EXITED, 0 }, { CLD_EXITED, 255 }, { CLD_KILLED, 9 }, { CLD_DUMPED, 11 } };
	struct init *in = *state;

	fake_adopt(in, "a:3:once:x\n");
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		in->family.entry[0].wait_code = ends[i].code;
		in->family.entry[0].wait_status = ends[i].status;
		read_text(written, write_text(in, written, sizeof written), 99);
		assert_int_equal(got.family.entry[0].wait_code, ends[i].code);
		assert_int_equal(got.family.entry[0].wait_status, ends[i].status);
		forget_family();
	}
}

static void a_reader_that_has_gone_is_told(void **state)
{
	struct init *in = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(stream_write_in_child(in, fds[1]), -EPIPE);
	signal(SIGPIPE, SIG_DFL);
	close(fds[1]);
}

static void whatever_call_fails_the_end_is_told_and_nothing_is_left_open(void **state)
{
	int before, nth = 0;
	bool fired;

	(void)state;
	before = fds_open();
	do {
		struct stream *stream = stream_begin(hear, NULL);
		struct family family;
		int err;

		family_init(&family);
		stream_feed(stream, STOCK, strlen(STOCK));
		fault_arm(++nth, -ENOMEM);
		err = stream_end(stream, &got.level, &got.out, &family);
		fired = fault_fired();
		if (err)
			assert_int_equal(fds_open(), before);
		assert_int_equal(family.count, err ? 0 : 5);
		got.family = family;
		forget_family();
	} while (fired);
	assert_true(nth > 5);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_stock_tells_is_taken),
		CASE(the_size_of_the_pieces_does_not_matter),
		CASE(a_text_that_is_cut_at_any_byte_keeps_what_is_whole),
		CASE(a_value_that_cannot_be_is_said_and_not_taken),
		CASE(words_that_nobody_knows_and_fields_outside_a_record_are_skipped),
		CASE(a_line_of_4095_bytes_fits_and_a_longer_one_costs_its_entry),
		CASE(a_nul_costs_its_line),
		CASE(a_flood_of_nonsense_is_said_in_bounds),
		CASE(pending_signals_are_events),
		CASE(what_we_write_has_the_words_and_the_order_of_stock),
		CASE(what_we_write_is_read_as_it_was),
		CASE(each_way_to_end_is_told),
		CASE(a_reader_that_has_gone_is_told),
		CASE(whatever_call_fails_the_end_is_told_and_nothing_is_left_open),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
