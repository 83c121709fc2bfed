/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes in /run/initctl, in any pieces and over several FIFOs, with good requests among them: a turn takes a
 * bounded number, what they ask for comes to an end, and a request that comes after them is carried out. Variables are
 * INIT_ ones only. A wrong answer aborts. */
#include <errno.h>
#include <unistd.h>

#include "fake/init.h"
#include "fuzz/input.h"
#include "init/control.h"
#include "init/environ.h"

enum { SETTLES_MAX = 400, WAIT_MS = 400000 };
#define TABLE "~1:S:wait:/sbin/sulogin\n1:23:respawn:/sbin/getty\nw:3:wait:/etc/rc\no:4:once:/bin/x\na:a:ondemand:/bin/y\n" \
	"pf::powerfail:/bin/pf\npw::powerwait:/bin/pw\npo::powerokwait:/bin/po\nl6:6:wait:/etc/rc6\n"

struct scene {
	struct input input;
	struct init *in;
	int write_fd;                   /* of the newest FIFO */
};

static void take_new_fifo(struct scene *scene)
{
	int fds[2], passed[2];

	FUZZ_CHECK(!sys_pipe(fds, O_NONBLOCK | O_CLOEXEC));
	passed[0] = fds[0];
	passed[1] = -1;
	if (scene->write_fd >= 0)
		close(scene->write_fd);
	scene->write_fd = fds[1];
	control_take(scene->in, "", passed);
	FUZZ_CHECK(scene->in->control.old_count <= CONTROL_OLD_MAX && scene->in->control.fd >= 0);
}

static void check_state(const struct init *in)
{
	FUZZ_CHECK(in->control.have_bytes < sizeof(struct init_request));
	FUZZ_CHECK(in->level.now && strchr("#*S0123456789", in->level.now));
	FUZZ_CHECK(in->level.wanted && strchr("#*S0123456789", in->level.wanted));
	FUZZ_CHECK(!in->level.demand || strchr("ABC", in->level.demand));
	FUZZ_CHECK(in->level.stop_s >= 0);
	for (int i = 0; i < ENVIRON_VARS; i++) {
		const char *var = in->vars.var[i];

		FUZZ_CHECK(memchr(var, '\0', ENVIRON_VAR_BYTES));
		FUZZ_CHECK(!*var || (!strncmp(var, "INIT_", 5) && strchr(var, '=')));
	}
}

/* What runs for a request comes to an end: the loader with the same table, the rest with what it was to say unsaid. */
static void jobs_end(struct init *in)
{
	for (int kind = 0; kind < JOB_COUNT; kind++) {
		if (!in->job[kind].pid)
			continue;
		if (kind == JOB_LOADER)
			fake_loader_ends(in, TABLE, 0);
		else
			fake_job_ends(in, (enum job_kind)kind, 1);
	}
}

static void waited_for_end(struct init *in)
{
	for (int32_t i = 0; i < in->family.total; i++) {
		const struct entry *entry = &in->family.entry[i];

		if (entry->pid && entry->flags & (ENTRY_WAITING | ENTRY_STOPPING))
			fake_end(entry->pid, CLD_EXITED, 0);
	}
}

static void read_all(struct init *in)
{
	for (int turn = 0; in->control.has_more && level_takes_requests(in); turn++) {
		FUZZ_CHECK(turn < 10000);
		control_read(in);
		check_state(in);
		if (in->level.phase == PHASE_STEADY && in->level.events)
			break;
	}
}

/* Until nothing is under way and everything is read. */
static void settle(struct init *in)
{
	for (int round = 0; round < SETTLES_MAX; round++) {
		read_all(in);
		jobs_end(in);
		(void)fake_turns(in);
		waited_for_end(in);
		(void)fake_turns(in);
		check_state(in);
		fake_forget_said(in);
		if (level_takes_requests(in) && !in->control.has_more && in->level.phase == PHASE_STEADY)
			return;
		fake_pass_ms(WAIT_MS);
	}
	fprintf(stderr, "what was asked for does not come to an end\n");
	abort();
}

static void put(struct scene *scene, const void *bytes, size_t len)
{
	if (!len)
		return;
	(void)(write(scene->write_fd, bytes, len) == (ssize_t)len);     /* a full one takes no more */
	scene->in->control.has_more = true;
}

static struct init_request request(int cmd, int letter)
{
	return (struct init_request){ .magic = INIT_MAGIC, .cmd = cmd, .runlevel = letter, .sleeptime = -1 };
}

static void put_request(struct scene *scene)
{
	struct init_request it = request(input_byte(&scene->input) % 9, input_byte(&scene->input));
	size_t len;
	const uint8_t *text;

	it.sleeptime = (int)(int32_t)input_number(&scene->input, 4);
	text = input_piece(&scene->input, input_byte(&scene->input) * 2u, &len);
	if (len)
		memcpy(it.i.data, text, len < sizeof it.i.data ? len : sizeof it.i.data);
	put(scene, &it, sizeof it);
}

static void step(struct scene *scene)
{
	uint8_t what = input_byte(&scene->input);
	const uint8_t *bytes;
	size_t len;

	switch (what & 7) {
	case 0:
		take_new_fifo(scene);
		break;
	case 1:
		settle(scene->in);
		break;
	case 2:
	case 3:
		put_request(scene);
		break;
	case 4:
		if (level_takes_requests(scene->in))
			control_read(scene->in);
		check_state(scene->in);
		break;
	default:
		bytes = input_piece(&scene->input, (size_t)what * 8, &len);
		put(scene, bytes, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene scene = { .input = { data, size }, .write_fd = -1 };
	struct init_request last = request(INIT_CMD_RUNLVL, 'q');

	scene.in = fake_init_begin();
	fake_adopt(scene.in, TABLE);
	take_new_fifo(&scene);
	while (scene.input.left)
		step(&scene);
	settle(scene.in);
	put(&scene, &last, sizeof last);
	control_read(scene.in);
	FUZZ_CHECK(scene.in->level.phase == PHASE_LOAD);
	FUZZ_CHECK(scene.in->level.wanted == scene.in->level.now && !scene.in->level.demand);
	fake_init_end(scene.in);
	return 0;
}
