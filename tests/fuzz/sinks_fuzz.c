/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sinks of the helpers, with any bytes as what is said, and with any errno from any system call, as long as the input
 * lasts. Afterwards everything is delivered: each line is on the console whole, and once in syslog, harmless, in order;
 * utmp and wtmp have whole records only; no more tries than there were failures. A wrong answer aborts. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "fake/sys.h"
#include "fuzz/harmless.h"
#include "fuzz/input.h"
#include "initlog/sink.h"
#include "initlog/sink_records.h"
#include "lib/text.h"

enum { ERRNOS = 134, HEARD_MAX = 16384, RECORDS_MAX = 8, RECORD_BYTES = 384, SPARE_TRIES = 8 };

struct heard {
	size_t len;
	char bytes[HEARD_MAX];
};

/* What the failures are drawn from. One at a time: draw() has no context. */
static struct input *drawn;
static int failures;

static char dir[] = "/tmp/fuzz_sinks.XXXXXX";
static char console_path[64], log_path[64], utmp_path[64], wtmp_path[64], level_path[64];

/* An even byte: the call is made. */
static int draw(const char *name)
{
	uint8_t byte = input_byte(drawn);

	(void)name;
	if (!(byte & 1))
		return 0;
	failures++;
	return -1 - (byte >> 1) % (ERRNOS - 1);
}

static void dir_remove(void)
{
	(void)unlink(log_path);
	(void)unlink(utmp_path);
	(void)unlink(wtmp_path);
	(void)unlink(level_path);
	(void)rmdir(dir);
}

static void dir_make(void)
{
	FUZZ_CHECK(mkdtemp(dir) && !atexit(dir_remove));
	(void)snprintf(log_path, sizeof log_path, "%s/log", dir);
	(void)snprintf(utmp_path, sizeof utmp_path, "%s/utmp", dir);
	(void)snprintf(wtmp_path, sizeof wtmp_path, "%s/wtmp", dir);
	(void)snprintf(level_path, sizeof level_path, "%s/runlevel", dir);
}

/* A pseudo terminal that changes nothing; its master. The slave stays open, and with it what is set. */
static int terminal_open(void)
{
	int slave, master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios raw;

	FUZZ_CHECK(master >= 0 && !unlockpt(master) && !ptsname_r(master, console_path, sizeof console_path));
	slave = open(console_path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	FUZZ_CHECK(slave >= 0 && !tcgetattr(slave, &raw));
	cfmakeraw(&raw);
	FUZZ_CHECK(!tcsetattr(slave, TCSANOW, &raw));
	return master;
}

static int syslogd_open(int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)unlink(log_path);
	strcpy(at.sun_path, log_path);
	FUZZ_CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof at));
	FUZZ_CHECK(type == SOCK_DGRAM || !listen(fd, 64));
	return fd;
}

static void hear(int fd, struct heard *heard)
{
	ssize_t got;

	while ((got = read(fd, heard->bytes + heard->len, HEARD_MAX - heard->len)) > 0)
		heard->len += (size_t)got;
}

/* Those who have come since; each is heard out once more whenever we are asked. */
static void hear_streams(int fd, int streams[], int *count, struct heard *heard)
{
	int next;

	while (*count < 64 && (next = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		streams[(*count)++] = next;
	for (int i = 0; i < *count; i++)
		hear(streams[i], heard);
}

/* As a helper does, but for its sleep. */
static void deliver(const struct sink_ops *ops, void *state, const struct record *record)
{
	for (int tries = 0; ops->deliver(state, record, mono_after_ms(mono_now(), ops->deadline_ms)); tries++) {
		FUZZ_CHECK(tries < failures + SPARE_TRIES);
		fake_clock_advance_ms(2000);
		ops->wait(state, mono_now());
	}
}

static void record_make(struct input *input, uint64_t ordinal, struct record *out)
{
	size_t len, max = input_byte(input) * 2u;
	const uint8_t *text = input_piece(input, max < QUEUE_TEXT_MAX ? max : QUEUE_TEXT_MAX, &len);

	*out = (struct record){ .seq = ordinal, .ordinal = ordinal, .when = wall_now(), .len_bytes = len };
	if (len)
		memcpy(out->text, text, len);
}

static size_t harmless_of(const struct record *record, char out[TEXT_GROWTH * QUEUE_TEXT_MAX])
{
	size_t len = text_make_harmless(record->text, record->len_bytes, out, TEXT_GROWTH * QUEUE_TEXT_MAX);

	check_harmless(out, len, 0);
	FUZZ_CHECK(!memchr(out, '\n', len));
	return len;
}

static void check_console(const struct heard *heard, const struct record *record)
{
	char text[TEXT_GROWTH * QUEUE_TEXT_MAX], line[sizeof text + 16];
	size_t len = harmless_of(record, text), whole = (size_t)sprintf(line, "\rINIT: ");

	memcpy(line + whole, text, len);
	memcpy(line + whole + len, "\r\n", 2);
	whole += len + 2;
	/* What was begun before a failure may stand before it. */
	FUZZ_CHECK(heard->len >= whole && !memcmp(heard->bytes + heard->len - whole, line, whole));
}

static void check_syslog(const struct heard *heard, const struct record *record, bool is_stream)
{
	static const char head[] = "<30>Nov 14 22:13:20 init: ";
	char text[TEXT_GROWTH * QUEUE_TEXT_MAX];
	size_t len = harmless_of(record, text), at = heard->len - is_stream - len;

	/* Once, whatever went wrong: no call failed halfway. The time may be of any zone. */
	FUZZ_CHECK(heard->len == sizeof head - 1 + len + is_stream);
	FUZZ_CHECK(!memcmp(heard->bytes, head, 4) && !memcmp(heard->bytes + at - 6, "init: ", 6));
	FUZZ_CHECK(!memcmp(heard->bytes + at, text, len) && (!is_stream || !heard->bytes[heard->len - 1]));
}

static void run_console(struct input *input, const struct initlog_config *config, struct queue *queue)
{
	int master = terminal_open();
	void *state = sink_console_ops.open(config, queue);

	for (uint64_t i = 1; i <= RECORDS_MAX && input->left; i++) {
		struct heard heard = { .len = 0 };
		struct record record;

		record_make(input, i, &record);
		fault_draw(draw);
		for (int tries = 0; sink_console_ops.deliver(state, &record, mono_after_ms(mono_now(), 1000)); tries++) {
			FUZZ_CHECK(tries < failures + SPARE_TRIES);
			hear(master, &heard);
			heard.len = 0;
			sink_console_ops.wait(state, mono_now());
		}
		hear(master, &heard);
		check_console(&heard, &record);
	}
}

static void run_syslog(struct input *input, const struct initlog_config *config, struct queue *queue, bool is_stream)
{
	int fd = syslogd_open(is_stream ? SOCK_STREAM : SOCK_DGRAM), streams[64], count = 0;
	void *state = sink_syslog_ops.open(config, queue);

	for (uint64_t i = 1; i <= RECORDS_MAX && input->left; i++) {
		struct heard heard = { .len = 0 };
		struct record record;

		record_make(input, i, &record);
		fault_draw(draw);
		for (int tries = 0; sink_syslog_ops.deliver(state, &record, mono_after_ms(mono_now(), 1000)); tries++) {
			FUZZ_CHECK(tries < failures + SPARE_TRIES);
			if (is_stream)
				hear_streams(fd, streams, &count, &heard);
			sink_syslog_ops.wait(state, mono_now());
		}
		if (is_stream)
			hear_streams(fd, streams, &count, &heard);
		else
			hear(fd, &heard);
		check_syslog(&heard, &record, is_stream);
	}
}

static void file_make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	FUZZ_CHECK(fd >= 0);
	close(fd);
}

static void check_whole(const char *path)
{
	struct stat st;

	FUZZ_CHECK(!stat(path, &st) && st.st_size % RECORD_BYTES == 0);
}

static void run_records(struct input *input, const struct initlog_config *config, struct queue *queue, const struct sink_ops *ops)
{
	void *state;

	file_make(utmp_path);
	file_make(wtmp_path);
	file_make(level_path);
	state = ops->open(config, queue);
	for (uint64_t i = 1; i <= RECORDS_MAX && input->left; i++) {
		struct record record;

		record_make(input, i, &record);
		if (record.len_bytes && record.text[0] < 0x40)
			record.text[0] = RECORD_EVENT_VERSION;
		fault_draw(draw);
		deliver(ops, state, &record);
		check_whole(utmp_path);
		check_whole(wtmp_path);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint8_t which = input_byte(&input);
	struct sockaddr_un log_at = { .sun_family = AF_UNIX };
	struct initlog_config config = {
		.ident = "init", .title = "init", .console = { console_path }, .dev_log = &log_at, .dev_log_folder = dir, .zone = NULL,
		.utmp = utmp_path, .wtmp = wtmp_path, .runlevel = level_path,
	};
	int first = dup(STDERR_FILENO);
	struct queue *queue;

	if (strstr(dir, "XXXXXX"))
		dir_make();
	strcpy(log_at.sun_path, log_path);
	fault_clear();
	fake_clock_set(1000000000000, 1700000000000000000);
	fake_no_pauses();
	drawn = &input;
	failures = 0;
	FUZZ_CHECK(first >= 0 && !queue_create(&queue));
	if (which % 4 == 0)
		run_console(&input, &config, queue);
	else if (which % 4 == 1)
		run_syslog(&input, &config, queue, which & 4);
	else
		run_records(&input, &config, queue, which & 1 ? &sink_wtmp_ops : &sink_records_ops);
	fault_clear();
	fake_processes(0);
	fake_clock_set(-1, -1);
	queue_free(queue);
	(void)close_range((unsigned)first, ~0u, 0);    /* the state of a sink is its own */
	return 0;
}
