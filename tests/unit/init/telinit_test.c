/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "include/initreq.h"
#include "init/telinit.h"
#include "lib/clock.h"
#include "lib/sys.h"

#define USAGE                                                                                      \
	"Usage: tell {-e VAR[=VAL] | [-t SECONDS] {0|1|2|3|4|5|6|S|s|Q|q|A|a|B|b|C|c|U|u}}\n"

enum { ARGS_MAX = 16, WAIT_MS = 200 };

/* A FIFO with this test as its init. */
static struct {
	char dir[64], fifo[96];
	int reader;
	char init_name[80];             /* the file; there is none at first */
	char said[2048];
} place;

static int place_begin(void **state)
{
	(void)state;
	strcpy(place.dir, "/tmp/telinit_test.XXXXXX");
	assert_non_null(mkdtemp(place.dir));
	(void)snprintf(place.fifo, sizeof place.fifo, "%s/initctl", place.dir);
	(void)snprintf(place.init_name, sizeof place.init_name, "%s/comm", place.dir);
	assert_int_equal(mkfifo(place.fifo, 0600), 0);
	place.reader = open(place.fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(place.reader >= 0);
	return 0;
}

static int place_end(void **state)
{
	(void)state;
	fault_clear();
	close(place.reader);
	unlink(place.init_name);
	unlink(place.fifo);
	rmdir(place.fifo);
	return rmdir(place.dir);
}

/* The exit status; what went to standard error is in place.said. */
static int run_vector(int argc, char **argv)
{
	const struct initctl_channel channel = { place.fifo, WAIT_MS };
	int status, saved = dup(2), said = (int)syscall(SYS_memfd_create, "said", 0);
	ssize_t len;

	dup2(said, 2);
	status = telinit_run("tell", argc, argv, &channel, place.init_name);
	dup2(saved, 2);
	close(saved);
	len = pread(said, place.said, sizeof place.said - 1, 0);
	assert_true(len >= 0);
	place.said[len] = '\0';
	close(said);
	return status;
}

static int run(const char *const *words)
{
	char *argv[ARGS_MAX] = { (char *)"telinit" };
	int argc = 1;

	while ((argv[argc] = (char *)*words++))
		assert_true(++argc < ARGS_MAX);
	return run_vector(argc, argv);
}
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static bool was_sent(struct init_request *out)
{
	char more;
	ssize_t got = read(place.reader, out, sizeof *out);

	if (got < 0 && errno == EAGAIN)
		return false;
	assert_int_equal(got, sizeof *out);
	assert_int_equal(read(place.reader, &more, 1), -1);
	return true;
}

static void assert_sent(int level, int stop_s)
{
	struct init_request request, wanted = { .magic = INIT_MAGIC };

	assert_string_equal(place.said, "");
	assert_true(was_sent(&request));
	wanted.cmd = INIT_CMD_RUNLVL;
	wanted.runlevel = level;
	wanted.sleeptime = stop_s;
	assert_memory_equal(&request, &wanted, sizeof request);
}

static void assert_sent_vars(const char *data, size_t len)
{
	struct init_request request, wanted = { .magic = INIT_MAGIC };

	assert_true(was_sent(&request));
	wanted.cmd = INIT_CMD_SETENV;
	memcpy(wanted.i.data, data, len);
	assert_memory_equal(&request, &wanted, sizeof request);
}

static void each_level_is_one_request(void **state)
{
	(void)state;
	for (const char *level = "0123456789SsQqAaBbCcUu"; *level; level++) {
		assert_int_equal(RUN(((char[]){ *level, '\0' })), 0);
		assert_sent(*level, 3);
	}
}

static void the_stop_time_may_stand_anywhere(void **state)
{
	(void)state;
	assert_int_equal(RUN("-t", "20", "3"), 0);
	assert_sent('3', 20);
	assert_int_equal(RUN("-t0", "3"), 0);
	assert_sent('3', 0);
	assert_int_equal(RUN("3", "-t", "5"), 0);
	assert_sent('3', 5);
	assert_int_equal(RUN("-t", "1", "-t", "2", "3"), 0);
	assert_sent('3', 2);
	assert_int_equal(RUN("-t", "2147483647", "--", "3"), 0);
	assert_sent('3', 2147483647);
}

static void a_stop_time_that_is_no_number_is_named(void **state)
{
	static const char *const times[] = { "abc", "5x", "-1", "2147483648", "", " 5",
		"99999999999999999999" };
	struct init_request request;
	char wanted[512];

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		assert_int_equal(RUN("-t", times[i], "3"), 1);
		(void)snprintf(wanted, sizeof wanted,
			"tell: -t %s: not a number of seconds\n" USAGE,
			times[i]);
		assert_string_equal(place.said, wanted);
		assert_false(was_sent(&request));
	}
}

static void any_other_form_is_answered_with_the_usage(void **state)
{
	static const char *const forms[][4] = {
		{ NULL }, { "" }, { "x" }, { "33" }, { "3", "2" }, { "+3" }, { "-t" }, { "-t",
		"5" },
		{ "-e" }, { "-e", "" }, { "-e", "INIT_A=1", "3" }, { "-t", "5", "-eINIT_A" },
		{ "-x" },
		{ "-" }, { "--" }, { "--help" }, { "--", "-t5", "3" }, { "-3" }, { "3", "-x" },
	};
	struct init_request request;

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		assert_int_equal(run(forms[i]), 1);
		assert_string_equal(place.said, USAGE);
		assert_false(was_sent(&request));
	}
	assert_int_equal(run_vector(0, (char *[]){ NULL }), 1);
	assert_string_equal(place.said, USAGE);
}

static void variables_lie_one_after_another(void **state)
{
	static const char data[] = "INIT_A=1\0INIT_B\0INIT_C=x=y z";

	(void)state;
	assert_int_equal(RUN("-e", "INIT_A=1", "-e", "INIT_B", "-eINIT_C=x=y z"), 0);
	assert_string_equal(place.said, "");
	assert_sent_vars(data, sizeof data);
}

static void a_name_that_init_will_not_take_is_told(void **state)
{
	(void)state;
	assert_int_equal(RUN("-e", "PATH=/tmp"), 0);
	assert_string_equal(place.said,
		"tell: -e PATH=/tmp: init takes only names that begin with INIT_\n");
	assert_sent_vars("PATH=/tmp", 9);
}

static void variables_fill_the_data_to_its_last_byte_but_no_further(void **state)
{
	char text[400] = "INIT_X=";
	struct init_request request;

	(void)state;
	memset(text + 7, 'x', sizeof text - 7);
	text[366] = '\0';
	assert_int_equal(RUN("-e", text), 0);
	assert_sent_vars(text, 366);
	text[366] = 'x';
	text[367] = '\0';
	assert_int_equal(RUN("-e", text), 1);
	assert_string_equal(place.said, "tell: -e option data too large\n");
	text[300] = '\0';
	assert_int_equal(RUN("-e", text, "-e", text), 1);
	assert_string_equal(place.said, "tell: -e option data too large\n");
	assert_false(was_sent(&request));
}

static void assert_channel_message(const char *reason)
{
	char wanted[512];

	(void)snprintf(wanted, sizeof wanted, "tell: %s: %s\n", place.fifo, reason);
	assert_string_equal(place.said, wanted);
}

static void assert_timeout_message(void)
{
	char wanted[512];

	(void)snprintf(wanted, sizeof wanted,
		"tell: timeout opening/writing control channel %s\n", place.fifo);
	assert_string_equal(place.said, wanted);
}

static void a_full_channel_is_given_up(void **state)
{
	char bytes[384] = { 0 };
	struct mono begin;

	(void)state;
	while (write(place.reader, bytes, sizeof bytes) > 0)
		;
	begin = mono_now();
	assert_int_equal(RUN("q"), 1);
	assert_true(mono_now().ns - begin.ns >= WAIT_MS * 1000000LL);
	assert_timeout_message();
}

static void a_full_channel_is_written_once_there_is_room(void **state)
{
	static char stream[1 << 17];
	struct init_request wanted = { INIT_MAGIC, INIT_CMD_RUNLVL, '3', 3, { .data = "" } };
	const struct initctl_channel patient = { place.fifo, 30000 };
	size_t len = 0;
	ssize_t got;
	int status;
	pid_t pid;

	(void)state;
	while (write(place.reader, stream, 1) > 0)
		;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(telinit_run("tell", 2, (char *[]){ (char *)"", (char *)"3", NULL },
			&patient, place.init_name));
	while (!waitpid(pid, &status, WNOHANG)) {
		got = read(place.reader, stream + len, sizeof stream - len);
		len += got > 0 ? (size_t)got : 0;
	}
	assert_int_equal(status, 0);
	while ((got = read(place.reader, stream + len, sizeof stream - len)) > 0)
		len += (size_t)got;
	assert_true(len >= 4096 + sizeof wanted);
	assert_memory_equal(stream + len - sizeof wanted, &wanted, sizeof wanted);
}

static void a_channel_without_a_reader_is_given_up(void **state)
{
	(void)state;
	close(place.reader);
	fault_clear();
	assert_int_equal(RUN("q"), 1);
	assert_timeout_message();
	/* It slept in between. */
	assert_true(fault_calls() < 50);
}

static void a_missing_channel_is_told_and_not_made(void **state)
{
	(void)state;
	unlink(place.fifo);
	assert_int_equal(RUN("q"), 1);
	assert_channel_message(strerror(ENOENT));
	assert_int_equal(access(place.fifo, F_OK), -1);
}

static void assert_named(const char *comm, const char *shown)
{
	FILE *file = fopen(place.init_name, "w");
	char wanted[512];

	assert_non_null(file);
	fputs(comm, file);
	fclose(file);
	assert_int_equal(RUN("q"), 1);
	(void)snprintf(wanted, sizeof wanted, "tell: %s: %s\n%s", place.fifo, strerror(ENOENT), shown);
	assert_string_equal(place.said, wanted);
}

static void a_process_1_of_another_name_is_named(void **state)
{
	(void)state;
	unlink(place.fifo);
	assert_named("init\n", "");
	assert_named("", "");
	assert_named("systemd\n", "tell: process 1 is \"systemd\", not this init\n");
	assert_named("initd", "tell: process 1 is \"initd\", not this init\n");
	assert_named("\33[2J\n\n", "tell: process 1 is \"^[[2J^J\", not this init\n");
}

static void what_is_no_fifo_is_left_alone(void **state)
{
	char text[8] = "";
	FILE *file;

	(void)state;
	unlink(place.fifo);
	file = fopen(place.fifo, "w");
	fputs("kept", file);
	fclose(file);
	assert_int_equal(RUN("q"), 1);
	assert_channel_message("not a FIFO");
	file = fopen(place.fifo, "r");
	assert_int_equal(fread(text, 1, sizeof text, file), 4);
	fclose(file);
	assert_string_equal(text, "kept");

	unlink(place.fifo);
	assert_int_equal(mkdir(place.fifo, 0700), 0);
	assert_int_equal(RUN("q"), 1);
	assert_channel_message("not a FIFO");
	rmdir(place.fifo);
	assert_int_equal(symlink("/dev/null", place.fifo), 0);
	assert_int_equal(RUN("q"), 1);
	assert_channel_message("not a FIFO");
}

static void a_reader_that_comes_late_is_found(void **state)
{
	struct init_request request;

	(void)state;
	fault_name("open", -ENXIO);
	assert_int_equal(RUN("q"), 1);
	assert_timeout_message();
	fault_arm(2, -ENXIO);
	assert_int_equal(RUN("q"), 0);
	assert_true(fault_fired());
	assert_sent('q', 3);
	fault_arm(4, -EPIPE);
	assert_int_equal(RUN("q"), 0);
	assert_true(fault_fired());
	assert_true(was_sent(&request));
}

/* Calls: stat, open, fstat, write. */
static void each_failing_call_is_told_and_leaves_nothing_open(void **state)
{
	int before = fds_open(), nth = 0, status;
	struct init_request request;

	(void)state;
	while (fault_arm(++nth, -EIO), status = RUN("q"), fault_fired()) {
		if (nth == 1) {
			/* Without SIGPIPE's disposition the request goes its way. */
			assert_int_equal(status, 0);
			assert_true(was_sent(&request));
		} else {
			assert_int_equal(status, 1);
			assert_channel_message(strerror(EIO));
			assert_false(was_sent(&request));
		}
		assert_int_equal(fds_open(), before);
	}
	assert_int_equal(nth, 6);
	assert_int_equal(status, 0);
	assert_true(was_sent(&request));
}

static void a_name_without_end_is_cut_in_messages(void **state)
{
	char name[4000];
	const struct initctl_channel channel = { place.fifo, WAIT_MS };
	int saved = dup(2), null = open("/dev/null", O_WRONLY);

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	dup2(null, 2);
	assert_int_equal(telinit_run(name, 1, (char *[]){ name, NULL }, &channel, place.init_name), 1);
	dup2(saved, 2);
	close(saved);
	close(null);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)
	const struct CMUnitTest tests[] = {
		CASE(each_level_is_one_request),
		CASE(the_stop_time_may_stand_anywhere),
		CASE(a_stop_time_that_is_no_number_is_named),
		CASE(any_other_form_is_answered_with_the_usage),
		CASE(variables_lie_one_after_another),
		CASE(a_name_that_init_will_not_take_is_told),
		CASE(variables_fill_the_data_to_its_last_byte_but_no_further),
		CASE(a_full_channel_is_given_up),
		CASE(a_full_channel_is_written_once_there_is_room),
		CASE(a_channel_without_a_reader_is_given_up),
		CASE(a_missing_channel_is_told_and_not_made),
		CASE(a_process_1_of_another_name_is_named),
		CASE(what_is_no_fifo_is_left_alone),
		CASE(a_reader_that_comes_late_is_found),
		CASE(each_failing_call_is_told_and_leaves_nothing_open),
		CASE(a_name_without_end_is_cut_in_messages),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
