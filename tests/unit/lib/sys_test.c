/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "lib/systool.h"

static int clear(void **state)
{
	(void)state;
	fault_clear();
	fake_clock_set(-1, -1);
	return 0;
}

/* --- each call gives a negative errno, whatever errno was --- */

static void failed_calls_give_a_negative_errno(void **state)
{
	char buf[8] = "", name[] = "x", *named[] = { name, NULL }, *none[] = { NULL };
	struct stat st;
	int fds[2];

	(void)state;
	errno = 0;
	assert_int_equal(sys_open("/nonexistent", O_RDONLY, 0), -ENOENT);
	assert_int_equal(sys_read(-1, buf, 1), -EBADF);
	assert_int_equal(sys_write(-1, buf, 1), -EBADF);
	assert_int_equal(sys_pread(-1, buf, 1, 0), -EBADF);
	assert_int_equal(sys_pwrite(-1, buf, 1, 0), -EBADF);
	assert_int_equal(sys_lseek(-1, 0, SEEK_SET), -EBADF);
	assert_int_equal(sys_ftruncate(-1, 0), -EBADF);
	assert_int_equal(sys_close(-1), -EBADF);
	assert_int_equal(sys_fstat(-1, &st), -EBADF);
	assert_int_equal(sys_stat("/nonexistent", &st), -ENOENT);
	assert_int_equal(sys_access("/nonexistent", F_OK), -ENOENT);
	assert_int_equal(sys_unlink("/nonexistent"), -ENOENT);
	assert_int_equal(sys_mkfifo("/", 0600), -EEXIST);
	assert_int_equal(sys_getdents(-1, buf, sizeof buf), -EBADF);
	assert_int_equal(sys_dup2(-1, 5), -EBADF);
	assert_int_equal(sys_dup_from(-1, 5), -EBADF);
	assert_int_equal(sys_set_cloexec(-1, 1), -EBADF);
	assert_int_equal(sys_pipe(fds, -1), -EINVAL);
	assert_int_equal(sys_connect(-1, NULL, 0), -EBADF);
	assert_int_equal(sys_send(-1, buf, 1, 0), -EBADF);
	assert_int_equal(sys_exec("/nonexistent", named, none), -ENOENT);
	assert_int_equal(sys_kill(INT_MAX, 0), -ESRCH);
	assert_int_equal(sys_isatty(-1), -EBADF);
	assert_int_equal(sys_seal(-1, 0), -EBADF);
}

static void a_result_does_not_depend_on_an_old_errno(void **state)
{
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (!pid)
		_exit(3);
	errno = ECHILD;
	assert_int_equal(sys_waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	assert_int_equal(info.si_pid, pid);
	assert_int_equal(info.si_status, 3);
	assert_int_equal(sys_waitid(P_PID, (id_t)pid, &info, WEXITED), -ECHILD);
}

static void waiting_without_a_result_names_no_child(void **state)
{
	siginfo_t info = { .si_signo = 0 };
	int fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[1]);
		_exit((int)read(fds[0], &info, 1));
	}
	info.si_pid = 42;
	assert_int_equal(sys_waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
	assert_int_equal(info.si_pid, 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(sys_waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
}

/* --- descriptors --- */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void duplicates_are_closed_on_exec_and_lie_where_they_should(void **state)
{
	int fd = sys_dup_from(0, 50);

	(void)state;
	assert_true(fd >= 50);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(sys_set_cloexec(fd, 0), 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(sys_set_cloexec(fd, 1), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	sys_close(fd);
}

static void a_range_is_closed_and_nothing_beside_it(void **state)
{
	(void)state;
	for (int fd = 60; fd < 66; fd++)
		assert_int_equal(sys_dup2(0, fd), fd);
	assert_int_equal(sys_close_range(61, 64), 0);
	assert_true(is_open(60) && is_open(65));
	for (int fd = 61; fd <= 64; fd++)
		assert_false(is_open(fd));
	assert_int_equal(sys_close_range(65, 60), 0);
	assert_true(is_open(60) && is_open(65));
	sys_close(60);
	sys_close(65);
}

static void a_pipe_has_the_flags_it_was_asked_for(void **state)
{
	char byte;
	int fds[2];

	(void)state;
	assert_int_equal(sys_pipe(fds, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(sys_read(fds[0], &byte, 1), -EAGAIN);
	sys_close(fds[0]);
	sys_close(fds[1]);
}

static void a_sealed_memfd_stays_as_it_is(void **state)
{
	int fd = sys_memfd("test", 3);
	void *at;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sys_pwrite(fd, "abc", 3, 0), 3);
	assert_int_equal(sys_seal(fd, F_SEAL_WRITE | F_SEAL_SEAL), 0);
	assert_int_equal(sys_pwrite(fd, "xyz", 3, 0), -EPERM);
	assert_int_equal(sys_seal(fd, F_SEAL_GROW), -EPERM);
	assert_int_equal(sys_map(fd, 3, PROT_READ, MAP_PRIVATE, &at), 0);
	assert_memory_equal(at, "abc", 3);
	assert_int_equal(sys_unmap(at, 3), 0);
	sys_close(fd);
}

/* So that it can be made where vm.memfd_noexec is 2, and no kernel warns of it. */
static void a_memfd_cannot_be_executed(void **state)
{
	int fd = sys_memfd("test", 3);
	int probe = (int)syscall(SYS_memfd_create, "probe", 8 /* MFD_NOEXEC_SEAL */);
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sys_fstat(fd, &st), 0);
	if (probe >= 0)
		assert_int_equal(st.st_mode & 0111, 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(probe);
	close(fd);
}

static void a_directory_is_listed(void **state)
{
	char dir[] = "/tmp/sys_test.XXXXXX", buf[4096];
	ssize_t got;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = sys_open(dir, O_RDONLY | O_DIRECTORY, 0);
	got = sys_getdents(fd, buf, sizeof buf);
	assert_true(got > 0);
	assert_int_equal(sys_getdents(fd, buf, sizeof buf), 0);
	assert_int_equal(sys_lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(sys_getdents(fd, buf, 1), -EINVAL);
	sys_close(fd);
	rmdir(dir);
}

static void locks_never_wait(void **state)
{
	char path[] = "/tmp/sys_test.XXXXXX", byte;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = mkstemp(path), locked[2], status;
	pid_t pid;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pipe(locked), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (sys_lock(fd, F_SETLK, &lock) || sys_write(locked[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(sys_read(locked[0], &byte, 1), 1);
	assert_int_equal(sys_lock(fd, F_SETLK, &lock), -EAGAIN);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_int_equal(sys_lock(fd, F_SETLK, &lock), 0);
	close(fd);
	close(locked[0]);
	close(locked[1]);
	unlink(path);
}

/* --- waiting --- */

static void a_futex_says_why_it_did_not_wait(void **state)
{
	_Atomic uint32_t word = 5;
	const struct timespec soon = { .tv_nsec = 1000000 };

	(void)state;
	assert_int_equal(sys_futex_wait(&word, 4, NULL), -EAGAIN);
	assert_int_equal(sys_futex_wait(&word, 5, &soon), -ETIMEDOUT);
	assert_int_equal(sys_futex_wake(&word), 0);
}

static void a_futex_in_shared_memory_wakes_another_process(void **state)
{
	_Atomic uint32_t *word;
	void *at;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(sys_map(-1, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, &at),
		0);
	word = at;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		while (!*word)
			(void)sys_futex_wait(word, 0, NULL);
		_exit(0);
	}
	*word = 1;
	(void)sys_futex_wake(word);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	sys_unmap(at, 4096);
}

static void a_signal_is_taken_from_its_descriptor(void **state)
{
	struct signalfd_siginfo info;
	sigset_t set, old;
	int fd;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(sys_sigmask(SIG_BLOCK, &set, &old), 0);
	fd = sys_signalfd(&set, SFD_NONBLOCK | SFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(sys_read(fd, &info, sizeof info), -EAGAIN);
	assert_int_equal(sys_kill(sys_getpid(), SIGUSR1), 0);
	assert_int_equal(sys_read(fd, &info, sizeof info), sizeof info);
	assert_int_equal(info.ssi_signo, SIGUSR1);
	sys_close(fd);
	assert_int_equal(sys_sigmask(SIG_SETMASK, &old, NULL), 0);
}

static void a_timer_wakes_an_epoll_set(void **state)
{
	const struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 };
	int set = sys_epoll_create(), timer = sys_timerfd(CLOCK_BOOTTIME,
		TFD_NONBLOCK | TFD_CLOEXEC);

	(void)state;
	assert_true(set >= 0 && timer >= 0);
	assert_int_equal(sys_epoll_ctl(set, EPOLL_CTL_ADD, timer, &event), 0);
	assert_int_equal(sys_epoll_wait(set, &event, 1, 0), 0);
	assert_int_equal(sys_timerfd_set(timer, 0, &soon), 0);
	assert_int_equal(sys_epoll_wait(set, &event, 1, 30000), 1);
	assert_int_equal(event.data.u32, 7);
	sys_close(timer);
	sys_close(set);
}

/* --- the faults themselves --- */

static void the_armed_call_fails_and_no_other(void **state)
{
	(void)state;
	for (int nth = 1; nth <= 3; nth++) {
		fault_arm(nth, -EIO);
		for (int call = 1; call <= 3; call++)
			assert_int_equal(sys_access("/", F_OK), call == nth ? -EIO : 0);
		assert_int_equal(fault_calls(), 3);
		assert_true(fault_fired());
		assert_int_equal(sys_access("/", F_OK), 0);
	}
	fault_arm(4, -EIO);
	for (int call = 1; call <= 3; call++)
		assert_int_equal(sys_access("/", F_OK), 0);
	assert_false(fault_fired());
}

static void with_always_all_calls_after_it_fail_too(void **state)
{
	(void)state;
	fault_arm_always(2, -EIO);
	assert_int_equal(sys_access("/", F_OK), 0);
	assert_int_equal(sys_access("/", F_OK), -EIO);
	assert_int_equal(sys_kill(0, 0), -EIO);
	assert_true(fault_fired());
	assert_int_equal(sys_kill(0, 0), 0);
}

static void calls_of_a_name_fail_after_those_that_may_pass(void **state)
{
	(void)state;
	fault_name("access", -EIO);
	assert_int_equal(sys_kill(0, 0), 0);
	assert_int_equal(sys_access("/", F_OK), -EIO);
	assert_int_equal(sys_access("/", F_OK), -EIO);
	fault_name_after("access", 2, -EACCES);
	assert_int_equal(sys_access("/", F_OK), 0);
	assert_int_equal(sys_access("/", F_OK), 0);
	assert_int_equal(sys_access("/", F_OK), -EACCES);
	assert_true(fault_fired());
	assert_int_equal(sys_access("/", F_OK), 0);
}

static void a_frozen_clock_stands_until_it_is_moved(void **state)
{
	struct timespec mono, wall;

	(void)state;
	fake_clock_set(3000000007, 0);
	assert_int_equal(sys_clock(CLOCK_BOOTTIME, &mono), 0);
	assert_int_equal(sys_clock(CLOCK_REALTIME, &wall), 0);
	assert_true(mono.tv_sec == 3 && mono.tv_nsec == 7 && !wall.tv_sec);
	fake_clock_advance_ms(1500);
	assert_int_equal(sys_clock(CLOCK_MONOTONIC, &mono), 0);
	assert_int_equal(sys_clock(CLOCK_REALTIME, &wall), 0);
	assert_true(mono.tv_sec == 4 && mono.tv_nsec == 500000007 && wall.tv_sec == 1);
	fake_clock_set(-1, -1);
	assert_int_equal(sys_clock(CLOCK_REALTIME, &wall), 0);
	assert_true(wall.tv_sec > 1000000000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_teardown(name, clear)
	const struct CMUnitTest tests[] = {
		CASE(failed_calls_give_a_negative_errno),
		CASE(a_result_does_not_depend_on_an_old_errno),
		CASE(waiting_without_a_result_names_no_child),
		CASE(duplicates_are_closed_on_exec_and_lie_where_they_should),
		CASE(a_range_is_closed_and_nothing_beside_it),
		CASE(a_pipe_has_the_flags_it_was_asked_for),
		CASE(a_sealed_memfd_stays_as_it_is),
		CASE(a_memfd_cannot_be_executed),
		CASE(a_directory_is_listed),
		CASE(locks_never_wait),
		CASE(a_futex_says_why_it_did_not_wait),
		CASE(a_futex_in_shared_memory_wakes_another_process),
		CASE(a_signal_is_taken_from_its_descriptor),
		CASE(a_timer_wakes_an_epoll_set),
		CASE(the_armed_call_fails_and_no_other),
		CASE(with_always_all_calls_after_it_fail_too),
		CASE(calls_of_a_name_fail_after_those_that_may_pass),
		CASE(a_frozen_clock_stands_until_it_is_moved),
	};
#undef CASE

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
