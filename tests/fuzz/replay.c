/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay.c - runs a fuzz target without libFuzzer: every file of its corpus (CORPUS, a
 * directory), each cut and changed in places, and a fixed number of random inputs. The same
 * inputs at every run. Prints TAP. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 16, CHANGED = 100, RANDOM = 4000, RANDOM_BYTES = 300 };

struct input {
	uint8_t bytes[INPUT_MAX];
	size_t size;
};

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* A copy of just this size on the heap, so that a sanitizer sees one byte too far. */
static void try(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	FUZZ_CHECK(copy);
	memcpy(copy, bytes, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void change(const struct input *from, uint32_t *seed)
{
	struct input *input = malloc(sizeof *input);
	uint32_t changes = 1 + next(seed) % 4;

	FUZZ_CHECK(input);
	*input = *from;
	for (uint32_t i = 0; i < changes && input->size; i++) {
		uint32_t at = next(seed) % (uint32_t)input->size;

		switch (next(seed) % 4) {
		case 0:
			input->bytes[at] = (uint8_t)next(seed);
			break;
		case 1:
			input->bytes[at] ^= (uint8_t)(1 << next(seed) % 8);
			break;
		case 2:
			input->size = at;
			break;
		default:
			input->bytes[at] = input->bytes[next(seed) % (uint32_t)input->size];
		}
	}
	try(input->bytes, input->size);
	free(input);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void file_read(const char *name, struct input *input)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", CORPUS, name);
	file = fopen(path, "rb");
	FUZZ_CHECK(file);
	input->size = fread(input->bytes, 1, sizeof input->bytes, file);
	fclose(file);
}

static int corpus_try(uint32_t *seed)
{
	struct dirent **files;
	struct input *input = malloc(sizeof *input);
	int count = scandir(CORPUS, &files, is_file, by_name);

	FUZZ_CHECK(input && count > 0);
	for (int i = 0; i < count; i++) {
		printf("# %s\n", files[i]->d_name);
		file_read(files[i]->d_name, input);
		try(input->bytes, input->size);
		for (int n = 0; n < CHANGED; n++)
			change(input, seed);
		free(files[i]);
	}
	free(files);
	free(input);
	return count;
}

static void random_try(uint32_t *seed)
{
	uint8_t bytes[RANDOM_BYTES];

	for (int n = 0; n < RANDOM; n++) {
		size_t size = next(seed) % (sizeof bytes + 1);

		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)next(seed);
		try(bytes, size);
	}
}

int main(void)
{
	uint32_t seed = 0x2545f491;
	int count;

	(void)setvbuf(stdout, NULL, _IONBF, 0);
	printf("1..2\n");
	count = corpus_try(&seed);
	printf("ok 1 - %d files of %s and %d changed ones of each do no harm\n", count, CORPUS,
		CHANGED);
	random_try(&seed);
	printf("ok 2 - %d random inputs do no harm\n", RANDOM);
	return 0;
}
