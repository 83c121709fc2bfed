/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/io.h"

#include <errno.h>
#include <unistd.h>

#include "lib/sys.h"

int io_write_all(int fd, const void *buf, size_t len_bytes)
{
	const char *from = buf;

	while (len_bytes) {
		ssize_t n = sys_write(fd, from, len_bytes);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		if (!n)
			return -EIO;
		from += n;
		len_bytes -= (size_t)n;
	}
	return 0;
}

/* at < 0: from where the descriptor stands. */
static ssize_t read_from(int fd, void *buf, size_t len_bytes, off_t at)
{
	size_t got = 0;

	while (got < len_bytes) {
		char *to = (char *)buf + got;
		size_t left = len_bytes - got;
		ssize_t n = at < 0 ? sys_read(fd, to, left) : sys_pread(fd, to, left, at + (off_t)got);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return n;
		if (!n)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

ssize_t io_read_all(int fd, void *buf, size_t len_bytes)
{
	return read_from(fd, buf, len_bytes, -1);
}

ssize_t io_read_at(int fd, void *buf, size_t len_bytes, off_t at)
{
	return read_from(fd, buf, len_bytes, at);
}

ssize_t io_read_file(const char *path, char *buf, size_t size_bytes)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t got;

	if (fd < 0)
		return fd;
	got = io_read_all(fd, buf, size_bytes - 1);
	sys_close(fd);
	if (got >= 0)
		buf[got] = '\0';
	return got;
}

void io_reserve(int fd)
{
	if (sys_dup2(STDIN_FILENO, fd) != fd || sys_set_cloexec(fd, 1))
		sys_close(fd);
}

int io_wait_child(pid_t pid, siginfo_t *out)
{
	int err;

	do {
		err = sys_waitid(P_PID, (id_t)pid, out, WEXITED);
	} while (err == -EINTR);
	return err;
}
