/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as lines of a boot log: nothing that readbootlog makes of them steers a terminal. And as console output: the
 * same of what bootlogd logs of it, wherever it is cut. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/harmless.h"
#include "terminal/bootlines.h"
#include "terminal/render.h"

struct text {
	char *bytes;
	size_t len;
};

static void collect(void *context, const char *bytes, size_t len_bytes)
{
	struct text *text = context;
	char *grown = realloc(text->bytes, text->len + len_bytes);

	FUZZ_CHECK(grown && len_bytes);
	text->bytes = grown;
	memcpy(text->bytes + text->len, bytes, len_bytes);
	text->len += len_bytes;
}

static struct text logged(const uint8_t *data, size_t size, size_t piece)
{
	struct bootlines lines;
	struct text text = { 0 };

	bootlines_begin(&lines, false, collect, &text);
	for (size_t at = 0; at < size; at += piece)
		bootlines_take(&lines, (const char *)data + at, size - at < piece ? size - at : piece);
	bootlines_end(&lines);
	return text;
}

static void check_log(const uint8_t *data, size_t size)
{
	struct text whole = logged(data, size, size ? size : 1), cut = logged(data, size, 3);

	check_harmless(whole.bytes, whole.len, 0);
	FUZZ_CHECK(whole.len == cut.len && (!whole.len || !memcmp(whole.bytes, cut.bytes, whole.len)));
	FUZZ_CHECK(!whole.len || whole.bytes[whole.len - 1] == '\n');
	free(whole.bytes);
	free(cut.bytes);
}

static void check_lines(const char *at, size_t size)
{
	struct render render = { 0 };

	while (size) {
		const char *end = memchr(at, '\n', size);
		size_t len = end ? (size_t)(end - at) : size;

		FUZZ_CHECK(!render_line(&render, at, len));
		check_harmless(render.text, render.text_bytes, 0);
		FUZZ_CHECK(!memchr(render.text, '\n', render.text_bytes));
		len += end ? 1 : 0;
		at += len;
		size -= len;
	}
	render_free(&render);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_lines((const char *)data, size);
	check_log(data, size);
	return 0;
}
