/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "terminal/su_account.h"

#include <crypt.h>
#include <errno.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/sys.h"

#define PASSWD_FILE "/etc/passwd"
#define SHADOW_FILE "/etc/shadow"
#define ROOT_NAME "root"

/* --- files --- */

/* A damaged disk has no file to give. Everything else may be better the next time, and is no reason to let anybody in. */
static bool is_gone(int err)
{
	switch (-err) {
	case ENOENT: case ENOTDIR: case ELOOP:
	case EIO: case ENXIO: case ENODEV: case EUCLEAN: case EBADMSG:
		return true;
	default:
		return false;
	}
}

enum { FILE_STEP_BYTES = 16384, FILE_MAX_BYTES = 16 << 20 };

static void forget(char *text, size_t size)
{
	if (text)
		explicit_bzero(text, size);
	free(text);
}

/* To its end, as a text. Takes malloc()ed *text; on an error *text may hold something still. */
static int read_to_end(int fd, char **text, size_t *size)
{
	size_t len = 0;
	ssize_t got;

	do {
		char *larger = realloc(*text, *size + FILE_STEP_BYTES);

		if (!larger)
			return -ENOMEM;
		*text = larger;
		*size += FILE_STEP_BYTES;
		got = io_read_all(fd, *text + len, *size - len - 1);
		if (got < 0)
			return (int)got;
		len += (size_t)got;
	} while (len == *size - 1 && *size < FILE_MAX_BYTES);
	(*text)[len] = '\0';
	if (len == *size - 1)
		return -EFBIG;
	/* A disk's zeros must not make an empty field of what they overwrote. */
	for (size_t i = 0; i < len; i++)
		if (!(*text)[i])
			(*text)[i] = '\1';
	return 0;
}

/* A regular file alone: a FIFO in its place must not keep root waiting. */
static int read_file(const char *path, char **text, size_t *size)
{
	struct stat info;
	int err, fd = sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	err = sys_fstat(fd, &info);
	if (!err && !S_ISREG(info.st_mode))
		err = -ENOENT;
	if (!err)
		err = read_to_end(fd, text, size);
	sys_close(fd);
	return err;
}

/* Cuts "root:a:b" at its colons; field[0] is what stands behind the name. The number of fields, 0: not root's line. One
 * that ends at the first colon was torn off, and is none. */
static size_t cut_line(char *line, char *field[], size_t max)
{
	static const char key[] = ROOT_NAME ":";
	size_t count = 0;

	if (strncmp(line, key, sizeof key - 1) || !line[sizeof key - 1])
		return 0;
	line += sizeof key - 1;
	while (line && count < max)
		field[count++] = strsep(&line, ":");
	return count;
}

static void keep(char to[SU_FIELD_BYTES], const char *text)
{
	/* A hash that is cut is longer than any that crypt(3) makes: it matches nothing, as it should. */
	(void)snprintf(to, SU_FIELD_BYTES, "%s", text);
}

typedef void take_fields(struct su_account *account, char *field[], size_t count);

static void take_passwd(struct su_account *account, char *field[], size_t count)
{
	account->is_known = true;
	keep(account->hash, field[0]);
	if (count > 4)
		keep(account->home, field[4]);
	if (count > 5)
		keep(account->shell, field[5]);
}

static void take_shadow(struct su_account *account, char *field[], size_t count)
{
	(void)count;
	keep(account->hash, field[0]);
}

/* The first line of root's. 0, or -ENOENT: there is none. */
static int take_line_of_root(char *text, struct su_account *account, take_fields *take)
{
	char *line, *field[8];
	size_t count = 0;

	while (!count && (line = strsep(&text, "\n"))) {
		count = cut_line(line, field, sizeof field / sizeof field[0]);
		if (count)
			take(account, field, count);
	}
	return count ? 0 : -ENOENT;
}

/* 0, or a negative errno, and .why and .secret tell. */
static int look_into(const char *path, struct su_account *account, take_fields *take)
{
	size_t size = 0;
	char *text = NULL;
	int err = read_file(path, &text, &size);

	if (err) {
		(void)snprintf(account->why, sizeof account->why, "%s: %s", path, strerror(-err));
	} else {
		err = take_line_of_root(text, account, take);
		if (err)
			(void)snprintf(account->why, sizeof account->why, "%s: no entry for root", path);
	}
	forget(text, size);
	if (err)
		account->secret = is_gone(err) ? SU_SECRET_ABSENT : SU_SECRET_UNREADABLE;
	return err;
}

static void judge_field(struct su_account *account)
{
	account->why[0] = '\0';
	account->secret = !account->hash[0] ? SU_SECRET_BLANK :
		strchr("!*", account->hash[0]) ? SU_SECRET_LOCKED : SU_SECRET_SET;
}

static bool is_elsewhere(const struct su_account *account)
{
	return !strcmp(account->hash, "x");
}

/* 0: .secret is what the files say. */
static int read_files(struct su_account *account)
{
	int err = look_into(PASSWD_FILE, account, take_passwd);

	if (!err && is_elsewhere(account))
		err = look_into(SHADOW_FILE, account, take_shadow);
	if (!err)
		judge_field(account);
	return err;
}

/* --- the name service --- */

struct found {
	bool is_found;
	char hash[SU_FIELD_BYTES], home[SU_FIELD_BYTES], shell[SU_FIELD_BYTES];
};

static _Noreturn void ask_in_child(int fd)
{
	struct found found = { 0 };
	struct passwd *user = getpwnam(ROOT_NAME);
	struct spwd *shadow = user && !strcmp(user->pw_passwd, "x") ? getspnam(ROOT_NAME) : NULL;

	if (user) {
		found.is_found = true;
		keep(found.hash, shadow ? shadow->sp_pwdp : user->pw_passwd);
		keep(found.home, user->pw_dir);
		keep(found.shell, user->pw_shell);
	}
	sys_exit(!!io_write_all(fd, &found, sizeof found));
}

static bool is_readable_by(int fd, struct mono deadline)
{
	struct pollfd poll = { fd, POLLIN, 0 };
	int ready;

	do {
		ready = sys_poll(&poll, 1, mono_left_ms(deadline, mono_now()));
	} while (ready == -EINTR);
	return ready > 0;
}

/* The whole record comes in one write that a pipe takes at once. A child that hangs in the kernel is left to it. */
static void ask_name_service(struct found *out, struct mono deadline)
{
	int fds[2];
	siginfo_t end;
	pid_t pid;

	out->is_found = false;
	if (sys_pipe(fds, O_CLOEXEC))
		return;
	pid = sys_fork();
	if (!pid)
		ask_in_child(fds[1]);
	sys_close(fds[1]);
	if (pid > 0) {
		bool came = is_readable_by(fds[0], deadline) && io_read_all(fds[0], out, sizeof *out) == sizeof *out;

		if (!came)
			out->is_found = false;
		(void)sys_kill(pid, SIGKILL);                /* not yet waited for: the number is its */
		if (came && sys_waitid(P_PID, (id_t)pid, &end, WEXITED))
			out->is_found = false;
	}
	sys_close(fds[0]);
}

/* Where a file is there and was not to be read, another's word counts for a password, not for there being none: some
 * services make up a locked root. */
static void take_found(struct su_account *account, const struct found *found)
{
	struct su_account by_files = *account;

	if (!found->is_found || (account->is_known && !strcmp(found->hash, "x")))
		return;
	account->is_known = true;
	keep(account->hash, found->hash);
	keep(account->home, found->home);
	keep(account->shell, found->shell);
	if (!is_elsewhere(account))
		judge_field(account);
	if (by_files.secret == SU_SECRET_UNREADABLE && account->secret != SU_SECRET_SET)
		*account = by_files;
}

void su_account_read(struct su_account *out, struct mono name_service_deadline)
{
	struct found found;

	memset(out, 0, sizeof *out);
	keep(out->home, "/");
	if (!read_files(out))
		return;
	ask_name_service(&found, name_service_deadline);
	take_found(out, &found);
	explicit_bzero(&found, sizeof found);
}

/* --- the password --- */

/* In the same time wherever they differ. */
static bool is_same(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned differ = 0;

	if (len != strlen(b))
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned)(a[i] ^ b[i]);
	return !differ;
}

int su_account_judge(const struct su_account *account, const char *answer)
{
	struct crypt_data data;
	const char *hash;
	int verdict;

	if (account->secret != SU_SECRET_SET)
		return 0;
	memset(&data, 0, sizeof data);
	hash = crypt_r(answer, account->hash, &data);
	/* What begins with a star is no hash, but how some libraries say that they failed (crypt(3)). */
	if (!hash || *hash == '*')
		verdict = -EINVAL;
	else
		verdict = is_same(hash, account->hash);
	explicit_bzero(&data, sizeof data);
	return verdict;
}
