/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input.h - what a target takes of its input, piece by piece (zeros and nothing once it has ended), and a file that
 * holds bytes. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "lib/sys.h"

struct input {
	const uint8_t *at;
	size_t left;
};

static inline const uint8_t *input_piece(struct input *input, size_t max, size_t *len)
{
	const uint8_t *piece = input->at;

	*len = input->left < max ? input->left : max;
	if (*len)
		input->at += *len;
	input->left -= *len;
	return piece;
}

/* The first of its bytes is the lowest. */
static inline uint64_t input_number(struct input *input, size_t bytes)
{
	size_t len;
	const uint8_t *piece = input_piece(input, bytes, &len);
	uint64_t number = 0;

	while (len--)
		number = number << 8 | piece[len];
	return number;
}

static inline uint8_t input_byte(struct input *input)
{
	return (uint8_t)input_number(input, 1);
}

/* A piece as text on the heap, so that a sanitizer sees one byte too far. A NUL cuts it for who looks for one. */
static inline char *input_text(struct input *input, size_t max)
{
	size_t len;
	const uint8_t *piece = input_piece(input, max, &len);
	char *text = malloc(len + 1);

	FUZZ_CHECK(text);
	if (len)
		memcpy(text, piece, len);
	text[len] = '\0';
	return text;
}

/* What stands before the next byte of this value, which is taken too; all if there is none. */
static inline char *input_line(struct input *input, uint8_t end)
{
	const uint8_t *found = input->left ? memchr(input->at, end, input->left) : NULL;
	char *text = input_text(input, found ? (size_t)(found - input->at) : input->left);

	(void)input_byte(input);
	return text;
}

enum { FILE_PATH_MAX = 32 };

/* A file without a name that holds these bytes, and the path that leads to it. The caller closes it. */
static inline int file_of(const void *bytes, size_t len, char path[FILE_PATH_MAX])
{
	int fd = sys_memfd("fuzz", 1);

	FUZZ_CHECK(fd >= 0 && sys_pwrite(fd, bytes, len, 0) == (ssize_t)len);
	(void)snprintf(path, FILE_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
