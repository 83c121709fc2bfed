# SPDX-License-Identifier: GPL-2.0-or-later
# A target is tests/fuzz/NAME_fuzz.c with a corpus in tests/fuzz/corpus/NAME.
#   make fuzz-replay                $(B)/fuzz/NAME_replay tries the corpus and random inputs (TAP)
#   make fuzz FUZZ_SECONDS=60       clang's libFuzzer looks for new inputs; finds go to $(B)/fuzz
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_REPLAYS := $(FUZZ_NAMES:%=$(B)/fuzz/%_replay)
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
FUZZ_FLAGS := $(filter-out -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2,$(OURS)) \
	-Itests -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

$(FUZZ_REPLAYS): $(B)/fuzz/%_replay: tests/fuzz/%_fuzz.c tests/fuzz/replay.c $(B)/obj/lib/sys.o $(B)/obj/lib/systool.o \
		$(B)/unit/libunit.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_OURS) -DCORPUS='"tests/fuzz/corpus/$*"' $(CPPFLAGS) $(CFLAGS) $(LINK) $(PIE) \
		-MF $@.d -o $@ $(filter-out %.h,$^) $(LDFLAGS)

fuzz-replay: $(FUZZ_REPLAYS)

# Only what the targets need, built anew with clang's coverage.
FUZZ_SRCS := $(addprefix src/init/,inittab.c table.c loader.c command.c simple.c family.c stream.c) $(wildcard src/initlog/*.c) \
	$(addprefix src/records/,layout.c backward.c history.c ends.c columns.c moment.c dump.c stamp.c address.c lines.c) \
	$(addprefix src/terminal/,escape.c render.c bootlines.c bootcons.c) \
	$(addprefix src/lib/,sys.c systool.c io.c num.c clock.c cmdline.c title.c utmpfile.c devlog.c text.c zone.c)
$(B)/fuzz/%_fuzz: tests/fuzz/%_fuzz.c $(FUZZ_SRCS) Makefile tests/fuzz/rules.mk
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -MF $@.d -o $@ $< $(FUZZ_SRCS)

fuzz: $(FUZZ_NAMES:%=$(B)/fuzz/%_fuzz)
	set -e; for n in $(FUZZ_NAMES); do mkdir -p $(B)/fuzz/$$n; \
		$(B)/fuzz/$${n}_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=20000 \
			-print_final_stats=1 -artifact_prefix=$(B)/fuzz/$$n- $(B)/fuzz/$$n tests/fuzz/corpus/$$n; done

.PHONY: fuzz
