/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the state of an init before: what is made of them is a family that pid 1 takes, in which no pid
 * stands twice, and a level that is one or none. A wrong answer aborts. */
#include <string.h>
#include <sys/mman.h>

#include "fuzz/fuzz.h"
#include "init/stream.h"
#include "lib/sys.h"

static void hear(void *context, const char *text)
{
	FUZZ_CHECK(*text && !strchr(text, '\n'));
	FUZZ_CHECK(++*(int *)context <= 64);
}

static void check_family(struct family *family)
{
	int32_t dropped, running = family->running;
	struct family taken;

	for (int32_t i = 0; i < family->count; i++) {
		struct entry *entry = &family->entry[i];

		FUZZ_CHECK(entry->pid == 0 || entry->pid > 1);
		FUZZ_CHECK(!entry->pid || family_find_pid(family, entry->pid) == entry);
		FUZZ_CHECK(strlen(family_process(family, entry)) == entry->process_len);
	}
	FUZZ_CHECK(family_attach(&taken, family->fd, &dropped) == 0);
	FUZZ_CHECK(dropped == 0 && taken.running == running);
	sys_unmap(taken.image, taken.size_bytes);
	sys_unmap(taken.pid_bucket, taken.index_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int complaints = 0;
	struct stream *stream = stream_begin(hear, &complaints);
	struct level level;
	struct record_flags out;
	struct family family;

	FUZZ_CHECK(stream);
	family_init(&family);
	/* A first byte that says in which pieces it comes. */
	for (size_t at = 1, piece = size ? 1u + data[0] : 1; at < size; at += piece)
		stream_feed(stream, (const char *)data + at, size - at < piece ? size - at : piece);
	FUZZ_CHECK(stream_end(stream, &level, &out, &family) == 0);
	FUZZ_CHECK(!level.now || strchr("S0123456789", level.now));
	FUZZ_CHECK(level.now || level.is_torn);
	FUZZ_CHECK(strchr("NS0123456789", level.previous) && level.stop_s >= 0);
	check_family(&family);
	sys_unmap(family.image, family.size_bytes);
	sys_unmap(family.pid_bucket, family.index_bytes);
	sys_close(family.fd);
	return 0;
}
