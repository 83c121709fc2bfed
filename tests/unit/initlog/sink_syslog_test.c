/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake/sys.h"
#include "initlog/sink.h"
#include "lib/zone.h"
#include "lib/sys.h"

enum { SOON_MS = 100, LONG_MS = 20000 };

static const struct sink_ops *const ops = &sink_syslog_ops;
static struct sockaddr_un log_address;
static char folder[64], log_path[80], other_path[80], zone_path[80];
static struct initlog_config config;
static void *sink;
static int daemon_fd, open_before;
static uint64_t ordinal;
static struct record record;

/* --- a syslogd --- */

static int daemon_bind(int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	unlink(log_path);
	strcpy(at.sun_path, log_path);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) || (type == SOCK_STREAM && listen(fd, 4)))
		abort();
	return fd;
}

static void daemon_end(void)
{
	close(daemon_fd);
	daemon_fd = -1;
}

static void got(const char *expected)
{
	char text[2048];
	ssize_t n = recv(daemon_fd, text, sizeof text - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static void got_no_more(void)
{
	char text[2048];

	assert_int_equal(recv(daemon_fd, text, sizeof text, 0), -1);
}

/* --- the sink --- */

static int deliver_in(const char *text, int ms)
{
	record.ordinal = ++ordinal;
	record.len_bytes = strlen(text);
	memcpy(record.text, text, record.len_bytes + 1);
	return ops->deliver(sink, &record, mono_after_ms(mono_now(), ms));
}

static int deliver(const char *text)
{
	return deliver_in(text, LONG_MS);
}

static int deliver_again(int ms)
{
	return ops->deliver(sink, &record, mono_after_ms(mono_now(), ms));
}

static bool waits_for(int ms)
{
	struct mono end = mono_after_ms(mono_now(), ms);

	ops->wait(sink, end);
	return mono_is_due(end, mono_now());
}

/* Does it in a while, in a process of its own. */
static pid_t soon(void (*action)(void))
{
	pid_t pid = fork();

	if (!pid) {
		nanosleep(&(struct timespec){ 0, SOON_MS * 1000000 }, NULL);
		action();
		_exit(0);
	}
	return pid;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/sink_syslog_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(log_path, sizeof log_path, "%s/log", folder);
	snprintf(other_path, sizeof other_path, "%s/other", folder);
	log_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strcpy(log_address.sun_path, log_path);
	snprintf(zone_path, sizeof zone_path, "%s/zone", folder);
	config = (struct initlog_config){ .ident = "init", .dev_log = &log_address,
		.dev_log_folder = folder, .zone = "" };
	record.when = (struct wall){ 1700000000, 999999 };
	open_before = fds_open();
	daemon_fd = -1;
	sink = ops->open(&config, NULL);
	return 0;
}

static void close_all_of_ours(void)
{
	for (int fd = 3; fd < 64 && fds_open() > open_before; fd++)
		close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	fault_clear();
	fake_clock_set(-1, -1);
	close_all_of_ours();
	unlink(log_path);
	unlink(other_path);
	unlink(zone_path);
	rmdir(folder);
	return 0;
}

#define AT_NOTICE "<13>Nov 14 22:13:20 init: "
#define AT "<30>Nov 14 22:13:20 init: "

/* --- lines --- */

static void a_line_is_that_of_syslog_3_with_its_own_time(void **state)
{
	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("Entering runlevel: 2"), 0);
	got(AT "Entering runlevel: 2");
	config.priority = 1 << 3 | 5;
	assert_int_equal(deliver("of a user"), 0);
	got(AT_NOTICE "of a user");
	config.priority = 0;
	record.when.s = 946684799;
	assert_int_equal(deliver(""), 0);
	got("<30>Dec 31 23:59:59 init: ");
	record.when.s = 946684800;
	assert_int_equal(deliver("\33]0;x\7\n\303\244\233"), 0);
	got("<30>Jan  1 00:00:00 init: ^[]0;x^G^J\303\244?");
	got_no_more();
}

static void the_longest_line_fits_in_its_harmless_form(void **state)
{
	char text[QUEUE_TEXT_MAX + 1], expected[2 * QUEUE_TEXT_MAX + 40] = AT;

	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	memset(text, 1, QUEUE_TEXT_MAX);
	text[QUEUE_TEXT_MAX] = '\0';
	for (int i = 0; i < QUEUE_TEXT_MAX; i++)
		strcat(expected, "^A");
	assert_int_equal(deliver(text), 0);
	got(expected);
}

static void the_time_is_local(void **state)
{
	(void)state;
	config.zone = "CET-1CEST,M3.5.0,M10.5.0/3";
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("winter"), 0);
	got("<30>Nov 14 23:13:20 init: winter");
	record.when.s = 1690000000;
	assert_int_equal(deliver("summer"), 0);
	got("<30>Jul 22 06:26:40 init: summer");
}

/* A zone that was not there at boot, or whose disk was slow, counts from a minute later on. */
static void an_unreadable_zone_is_utc_until_it_can_be_read(void **state)
{
	static const char file[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\1\0\0\0\4"
				   "\0\0\0\0\0\0UTC\0"
				   "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\1\0\0\0\4"
				   "\0\0\0\0\0\0UTC\0\n<+02>-2\n";
	int fd;

	(void)state;
	config.zone = zone_path;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	fake_clock_set(1000000000, 0);
	assert_int_equal(deliver("none"), 0);
	got(AT "none");
	fd = open(zone_path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, file, sizeof file - 1), sizeof file - 1);
	close(fd);
	fake_clock_advance_ms(59000);
	assert_int_equal(deliver("not yet"), 0);
	got(AT "not yet");
	fake_clock_advance_ms(1000);
	assert_int_equal(deliver("now"), 0);
	got("<30>Nov 15 00:13:20 init: now");
	unlink(zone_path);
	fake_clock_advance_ms(1000000);
	fault_name("open", -EIO);
	assert_int_equal(deliver("for good"), 0);
	assert_false(fault_fired());
	got("<30>Nov 15 00:13:20 init: for good");
}

static void a_new_zone_counts_once_syslogd_is_restarted(void **state)
{
	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("UTC"), 0);
	got(AT "UTC");
	config.zone = "<+02>-2";
	assert_int_equal(deliver("still"), 0);
	got(AT "still");
	daemon_end();
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("the last that was formatted before"), 0);
	got(AT "the last that was formatted before");
	assert_int_equal(deliver("new"), 0);
	got("<30>Nov 15 00:13:20 init: new");
}

static void one_connection_is_kept(void **state)
{
	int open_now;

	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("one"), 0);
	open_now = fds_open();
	assert_int_equal(open_now, open_before + 2);
	fault_name("socket", -EMFILE);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(deliver("more"), 0);
		got(i ? AT "more" : AT "one");
	}
	assert_false(fault_fired());
	assert_int_equal(fds_open(), open_now);
}

/* --- a syslogd that does not read --- */

static int fill(void)
{
	int count = 0;

	while (!deliver_in("fills", SOON_MS))
		count++;
	return count;
}

static void read_one(void)
{
	got(AT "fills");
}

static void a_stopped_syslogd_gets_all_when_it_goes_on(void **state)
{
	struct mono begin;
	pid_t pid;
	int count;

	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	count = fill();
	assert_in_range(count, 1, 100000);
	begin = mono_now();
	assert_int_equal(deliver_again(SOON_MS), -ETIMEDOUT);
	assert_true(mono_is_due(mono_after_ms(begin, SOON_MS), mono_now()));
	assert_true(waits_for(SOON_MS));
	pid = soon(read_one);
	assert_false(waits_for(LONG_MS));
	assert_int_equal(deliver_again(LONG_MS), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < count; i++)
		read_one();
	got_no_more();
	assert_int_equal(fds_open(), open_before + 2);
}

/* --- a syslogd that comes and goes --- */

static void bind_datagram(void)
{
	daemon_bind(SOCK_DGRAM);
}

static void make_other_file(void)
{
	close(open(other_path, O_WRONLY | O_CREAT, 0600));
}

static void without_a_syslogd_the_wait_ends_when_there_is_one(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(deliver("early"), -ENOENT);
	assert_false(waits_for(LONG_MS));       /* the watch is new: look once more */
	assert_int_equal(deliver_again(LONG_MS), -ENOENT);
	assert_true(waits_for(SOON_MS));
	pid = soon(make_other_file);
	assert_true(waits_for(3 * SOON_MS));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	pid = soon(bind_datagram);
	assert_false(waits_for(LONG_MS));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver_again(LONG_MS), 0);
	got(AT "early");
	assert_int_equal(fds_open(), open_before + 3);
}

static void a_socket_between_the_try_and_the_watch_is_not_missed(void **state)
{
	(void)state;
	assert_int_equal(deliver("early"), -ENOENT);
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_false(waits_for(LONG_MS));
	assert_int_equal(deliver_again(LONG_MS), 0);
}

static void a_folder_that_is_replaced_is_watched_anew(void **state)
{
	char moved[80];

	(void)state;
	assert_int_equal(deliver("early"), -ENOENT);
	assert_false(waits_for(LONG_MS));
	assert_true(waits_for(SOON_MS));
	snprintf(moved, sizeof moved, "%s.old", folder);
	assert_int_equal(rename(folder, moved), 0);
	assert_true(waits_for(SOON_MS));        /* none at all */
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_false(waits_for(LONG_MS));
	assert_true(waits_for(SOON_MS));
	assert_int_equal(rmdir(moved), 0);
}

static void a_restarted_syslogd_gets_the_next_line_at_once(void **state)
{
	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("to the old one"), 0);
	daemon_end();
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("to the new one"), 0);
	got(AT "to the new one");
	got_no_more();
	assert_int_equal(fds_open(), open_before + 2);
}

static void a_dead_syslogd_leaves_the_line_for_its_successor(void **state)
{
	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("before"), 0);
	daemon_end();
	assert_int_equal(deliver("kept"), -ECONNREFUSED);
	assert_int_equal(fds_open(), open_before);
	assert_false(waits_for(LONG_MS));
	assert_int_equal(deliver_again(LONG_MS), -ECONNREFUSED);
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_false(waits_for(LONG_MS));
	assert_int_equal(deliver_again(LONG_MS), 0);
	got(AT "kept");
	got_no_more();
}

/* --- a stream --- */

static void frames_equal(int fd, const char *const *texts, size_t count)
{
	char data[4096], expected[4096];
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(expected + len, sizeof expected - len, AT "%s", texts[i]) +
		       1;
	assert_int_equal(recv(fd, data, sizeof data, 0), len);
	assert_memory_equal(data, expected, len);
}

static void a_stream_gets_frames_that_end_in_nul(void **state)
{
	static const char *const texts[] = { "one", "", "three" };
	int fd;

	(void)state;
	daemon_fd = daemon_bind(SOCK_STREAM);
	for (int i = 0; i < 3; i++)
		assert_int_equal(deliver(texts[i]), 0);
	fd = accept(daemon_fd, NULL, NULL);
	frames_equal(fd, texts, 3);
	close(fd);
}

/* Every frame of the data whole, all equal; how many there were. */
static int frames_count(int fd, const char *text)
{
	static char data[1 << 22];
	size_t len = 0, size = strlen(text) + 1;
	ssize_t n;

	while ((n = recv(fd, data + len, sizeof data - len, MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	for (size_t at = 0; at < len; at += size)
		assert_memory_equal(data + at, text, size);
	assert_int_equal(len % size, 0);
	return (int)(len / size);
}

static void a_stopped_stream_gets_all_when_it_goes_on(void **state)
{
	int count, fd, seen;

	(void)state;
	daemon_fd = daemon_bind(SOCK_STREAM);
	count = fill();
	fd = accept(daemon_fd, NULL, NULL);
	seen = frames_count(fd, AT "fills");
	assert_int_equal(seen, count);
	assert_int_equal(deliver_again(LONG_MS), 0);
	assert_int_equal(frames_count(fd, AT "fills"), 1);
	assert_int_equal(fds_open(), open_before + 3);
	close(fd);
}

/* What of a frame the old connection took, nobody will see the rest of. The first send says 5
 * bytes. */
static void a_frame_that_was_cut_off_is_sent_anew_on_the_next_connection(void **state)
{
	int fd;

	(void)state;
	daemon_fd = daemon_bind(SOCK_STREAM);
	assert_int_equal(deliver("first"), 0);
	close(accept(daemon_fd, NULL, NULL));
	daemon_end();
	daemon_fd = daemon_bind(SOCK_STREAM);
	fault_arm(1, 5);
	assert_int_equal(deliver("whole"), 0);
	assert_true(fault_fired());
	fd = accept(daemon_fd, NULL, NULL);
	assert_int_equal(frames_count(fd, AT "whole"), 1);
	close(fd);
}

/* The first send says 5 bytes and swallows them; how often a kernel splits such a small frame is
 * its business. */
static void a_frame_that_went_out_in_part_is_continued(void **state)
{
	char data[100];
	int fd;

	(void)state;
	daemon_fd = daemon_bind(SOCK_STREAM);
	assert_int_equal(deliver("first"), 0);
	fd = accept(daemon_fd, NULL, NULL);
	frames_count(fd, AT "first");
	fault_arm(1, 5);
	assert_int_equal(deliver("second"), 0);
	assert_true(fault_fired());
	assert_int_equal(recv(fd, data, sizeof data, 0), sizeof AT "second" - 5);
	assert_string_equal(data, &(AT "second")[5]);
	close(fd);
}

static void a_stream_may_follow_on_datagrams_and_they_on_it(void **state)
{
	static const char *const texts[] = { "to a stream" };
	int fd;

	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("to datagrams"), 0);
	daemon_end();
	daemon_fd = daemon_bind(SOCK_STREAM);
	assert_int_equal(deliver("to a stream"), 0);
	fd = accept(daemon_fd, NULL, NULL);
	frames_equal(fd, texts, 1);
	close(fd);
	daemon_end();
	daemon_fd = daemon_bind(SOCK_DGRAM);
	assert_int_equal(deliver("to datagrams again"), 0);
	got(AT "to datagrams again");
	assert_int_equal(fds_open(), open_before + 2);
}

static void a_stream_that_nobody_accepts_is_tried_again(void **state)
{
	int err, more[64], count = 0, fd;

	(void)state;
	daemon_fd = daemon_bind(SOCK_STREAM);
	do {
		struct sockaddr_un to = { .sun_family = AF_UNIX };

		strcpy(to.sun_path, log_path);
		more[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		err = connect(more[count], (struct sockaddr *)&to, sizeof to);
		count++;
	} while (!err && count < 64);
	assert_int_equal(err, -1);
	assert_int_equal(deliver_in("waits", SOON_MS), -EAGAIN);
	while (count--)
		close(more[count]);
	while ((fd = accept(daemon_fd, NULL, NULL)) >= 0)
		close(fd);
	assert_int_equal(deliver_again(LONG_MS), 0);
}

/* --- failures --- */

static void an_interrupted_send_is_tried_again_until_the_deadline(void **state)
{
	(void)state;
	daemon_fd = daemon_bind(SOCK_DGRAM);
	fault_name("send", -EINTR);
	assert_int_equal(deliver_in("interrupted", 20), -ETIMEDOUT);
	fault_clear();
	assert_int_equal(deliver_again(LONG_MS), 0);
	got(AT "interrupted");
	got_no_more();
}

static void every_failure_is_survived_and_leaves_nothing_open(void **state)
{
	int nth = 0, err;

	(void)state;
	config.zone = "/dev/null";
	do {
		daemon_fd = daemon_bind(SOCK_DGRAM);
		sink = ops->open(&config, NULL);
		fault_arm(++nth, -ENOBUFS);
		err = deliver("as often as it takes");
		assert_int_equal(fds_open(), open_before + 1 + !err);
		fault_clear();
		if (err)
			assert_int_equal(deliver_again(LONG_MS), 0);
		got(AT "as often as it takes");
		got_no_more();
		close_all_of_ours();
	} while (nth < 10);
}

static void every_failure_of_the_watch_leaves_a_wait(void **state)
{
	(void)state;
	for (int nth = 1; nth < 6; nth++) {
		sink = ops->open(&config, NULL);
		assert_int_equal(deliver("early"), -ENOENT);
		fault_arm(nth, -EMFILE);
		waits_for(20);
		fault_clear();
		waits_for(20);
		assert_true(waits_for(20));
		close_all_of_ours();
	}
	fault_name("inotify", -EMFILE);
	assert_true(waits_for(SOON_MS));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_line_is_that_of_syslog_3_with_its_own_time),
		CASE(the_longest_line_fits_in_its_harmless_form),
		CASE(the_time_is_local),
		CASE(an_unreadable_zone_is_utc_until_it_can_be_read),
		CASE(a_new_zone_counts_once_syslogd_is_restarted),
		CASE(one_connection_is_kept),
		CASE(a_stopped_syslogd_gets_all_when_it_goes_on),
		CASE(without_a_syslogd_the_wait_ends_when_there_is_one),
		CASE(a_socket_between_the_try_and_the_watch_is_not_missed),
		CASE(a_folder_that_is_replaced_is_watched_anew),
		CASE(a_restarted_syslogd_gets_the_next_line_at_once),
		CASE(a_dead_syslogd_leaves_the_line_for_its_successor),
		CASE(a_stream_gets_frames_that_end_in_nul),
		CASE(a_stopped_stream_gets_all_when_it_goes_on),
		CASE(a_frame_that_was_cut_off_is_sent_anew_on_the_next_connection),
		CASE(a_frame_that_went_out_in_part_is_continued),
		CASE(a_stream_may_follow_on_datagrams_and_they_on_it),
		CASE(a_stream_that_nobody_accepts_is_tried_again),
		CASE(an_interrupted_send_is_tried_again_until_the_deadline),
		CASE(every_failure_is_survived_and_leaves_nothing_open),
		CASE(every_failure_of_the_watch_leaves_a_wait),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
