/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utmp.h>

#define UTMP "/var/run/utmp"
#define WTMP "/var/log/wtmp"

/* A user on this line, of a process that lives: 1. */
static int record_add(const char *line, const char *user, int number)
{
	struct utmp record = { .ut_type = USER_PROCESS, .ut_pid = 1 };
	int fd = open(UTMP, O_WRONLY | O_APPEND);
	ssize_t wrote;

	if (fd < 0)
		return -1;
	memcpy(record.ut_id, &number, sizeof(record.ut_id));
	strncpy(record.ut_line, line, sizeof(record.ut_line) - 1);
	strncpy(record.ut_user, user, sizeof(record.ut_user) - 1);
	wrote = write(fd, &record, sizeof(record));
	close(fd);
	return wrote == sizeof(record) ? 0 : -1;
}

int login_main(int argc, char **argv)
{
	return argc != 3 || record_add(argv[1], argv[2], getpid());
}

static int tty_clog(int number)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), slave, zero = 0;
	char name[64];

	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero) < 0 || ptsname_r(master, name, sizeof(name)))
		return -1;
	slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (slave < 0)
		return -1;
	while (write(slave, "................................................................", 64) > 0)
		;
	while (write(slave, ".", 1) > 0)
		;
	return record_add(name + strlen("/dev/"), "bob", number);
}

/* Sends until syslogd, which must have been stopped, has no more room. */
static int syslog_clog(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -1;
	while (send(fd, "<13>filler", 10, 0) > 0)
		;
	return errno == EAGAIN ? 0 : -1;
}

static int file_lock(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR);

	return fd < 0 ? -1 : fcntl(fd, F_SETLK, &lock);
}

int clog_main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;

	for (int i = 0; i < count; i++)
		if (tty_clog(i) < 0)
			return perror("terminal"), 1;
	if (syslog_clog() < 0)
		return perror("/dev/log"), 1;
	if (file_lock(UTMP) < 0 || file_lock(WTMP) < 0)
		return perror("lock"), 1;
	printf("clogged\n");
	fflush(stdout);
	for (;;)
		pause();
}

int lock_main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (file_lock(argv[i]) < 0)
			return perror(argv[i]), 1;
	printf("locked\n");
	fflush(stdout);
	for (;;)
		pause();
}
