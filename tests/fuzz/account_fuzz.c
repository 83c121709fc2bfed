/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /etc/passwd and /etc/shadow, each there or not: root's password is what a plain reading of the first line of
 * root's gives, and blank only where that field is empty. A wrong answer aborts. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/sys.h"
#include "fake/tree.h"
#include "fuzz/input.h"
#include "terminal/su_account.h"

enum { END = 0xff };

static void root_remove(void)
{
	(void)tree_end(NULL);
}

/* The bytes of a file, without its end mark: NULs too. */
static const uint8_t *take_file(struct input *input, size_t *len)
{
	const uint8_t *end = input->left ? memchr(input->at, END, input->left) : NULL;
	const uint8_t *bytes = input_piece(input, end ? (size_t)(end - input->at) : input->left, len);

	(void)input_byte(input);
	return bytes;
}

/* The second field of the first line that begins with "root:" and does not end there; false: there is none. */
static bool field_of_root(const uint8_t *text, size_t len, const uint8_t **field, size_t *field_len)
{
	const uint8_t *at = text, *end = text + len;

	while (at < end) {
		const uint8_t *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end, *colon;

		if (stop - at > 5 && !memcmp(at, "root:", 5)) {
			colon = memchr(at + 5, ':', (size_t)(stop - at - 5));
			*field = at + 5;
			*field_len = (size_t)((colon ? colon : stop) - at - 5);
			return true;
		}
		at = stop + 1;
	}
	return false;
}

static void file_put(const char *name, bool exists, const uint8_t *bytes, size_t len)
{
	if (exists)
		tree_put_bytes(name, len ? bytes : (const uint8_t *)"", len);
	else
		(void)unlink(tree_path(name));
}

static void check_account(const struct su_account *account, const uint8_t *field, size_t len)
{
	enum su_secret secret = !len ? SU_SECRET_BLANK : *field == '!' || *field == '*' ? SU_SECRET_LOCKED : SU_SECRET_SET;
	size_t kept = len < SU_FIELD_BYTES ? len : SU_FIELD_BYTES - 1;

	FUZZ_CHECK(account->secret == secret && !account->why[0]);
	FUZZ_CHECK(strlen(account->hash) == kept);
	/* Zeros of a disk are no end of a field. */
	for (size_t i = 0; i < kept; i++)
		FUZZ_CHECK(account->hash[i] == (char)field[i] || (!field[i] && account->hash[i] == '\1'));
}

static void check_absent(const struct su_account *account)
{
	FUZZ_CHECK(account->secret == SU_SECRET_ABSENT && account->why[0] && !strchr(account->why, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_made;
	struct input input = { data, size };
	uint8_t which = input_byte(&input);
	bool has_passwd = !(which & 1), has_shadow = !(which & 2);
	size_t passwd_len, shadow_len, len;
	const uint8_t *passwd = take_file(&input, &passwd_len), *shadow = take_file(&input, &shadow_len), *field;
	struct su_account account;

	if (!is_made)
		FUZZ_CHECK(!tree_begin(NULL) && !atexit(root_remove));
	is_made = true;
	file_put("/etc/passwd", has_passwd, passwd, passwd_len);
	file_put("/etc/shadow", has_shadow, shadow, shadow_len);
	fault_name("fork", -EAGAIN);            /* no name service */
	su_account_read(&account, mono_now());
	FUZZ_CHECK(memchr(account.home, '\0', SU_FIELD_BYTES) && memchr(account.shell, '\0', SU_FIELD_BYTES));
	if (!has_passwd || !field_of_root(passwd, passwd_len, &field, &len)) {
		check_absent(&account);
		FUZZ_CHECK(!account.is_known);
	} else if (len == 1 && *field == 'x') {
		if (!has_shadow || !field_of_root(shadow, shadow_len, &field, &len))
			check_absent(&account);
		else
			check_account(&account, field, len);
	} else {
		check_account(&account, field, len);
	}
	return 0;
}
