# SPDX-License-Identifier: GPL-2.0-or-later
# A target is tests/fuzz/NAME_fuzz.c with a corpus in tests/fuzz/corpus/NAME. Those of FUZZ_FAKE run over the system calls of
# tests/fake, the others over the real ones.
#   make fuzz-replay                $(B)/fuzz/NAME_replay tries the corpus and random inputs (TAP)
#   make fuzz FUZZ_SECONDS=60       clang's libFuzzer looks for new inputs; finds go to $(B)/fuzz
#   make fuzz FUZZ_NAMES="queue"    the same, this one alone
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_FAKE := account control kept sinks when
FUZZ_REPLAYS := $(FUZZ_NAMES:%=$(B)/fuzz/%_replay)
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
FUZZ_LIBS = $(CMOCKA_LIBS) $(TERMINAL_LIBS)

define fuzz_replay
$(B)/fuzz/$(1)_replay: tests/fuzz/$(1)_fuzz.c tests/fuzz/replay.c \
		$(if $(filter $(1),$(FUZZ_FAKE)),$(B)/unit/fake_sys.o,$(B)/obj/lib/sys.o $(B)/obj/lib/systool.o) $(B)/unit/libunit.a
	@mkdir -p $$(@D)
	$$(CC) $$(UNIT_OURS) -DCORPUS='"tests/fuzz/corpus/$(1)"' $$(CPPFLAGS) $$(CFLAGS) $$(LINK) $$(PIE) \
		-MF $$@.d -o $$@ $$(filter-out %.h,$$^) $$(LDFLAGS) $$(FUZZ_LIBS)
endef
$(foreach n,$(FUZZ_NAMES),$(eval $(call fuzz_replay,$(n))))

fuzz-replay: $(FUZZ_REPLAYS)

# The same modules once more, with clang's coverage.
FUZZ_FLAGS = $(filter-out -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2,$(UNIT_OURS)) \
	-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_OBJ := $(B)/fuzz/obj

$(FUZZ_OBJ)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(FUZZ_OBJ)/fake_%.o: tests/fake/%.c Makefile
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(FUZZ_OBJ)/libfuzz.a: $(UNIT_OBJS:$(B)/obj/%=$(FUZZ_OBJ)/%) $(addprefix $(FUZZ_OBJ)/fake_,init.o proc.o tree.o)
	rm -f $@
	$(AR) rcs $@ $^

define fuzz_target
$(B)/fuzz/$(1)_fuzz: tests/fuzz/$(1)_fuzz.c \
		$(addprefix $(FUZZ_OBJ)/,$(if $(filter $(1),$(FUZZ_FAKE)),fake_sys.o,lib/sys.o lib/systool.o) libfuzz.a)
	$$(FUZZ_CC) $$(FUZZ_FLAGS) -fsanitize=fuzzer -MF $$@.d -o $$@ $$(filter-out %.h,$$^) $$(FUZZ_LIBS)
endef
$(foreach n,$(FUZZ_NAMES),$(eval $(call fuzz_target,$(n))))

fuzz: $(FUZZ_NAMES:%=$(B)/fuzz/%_fuzz)
	set -e; for n in $(FUZZ_NAMES); do mkdir -p $(B)/fuzz/$$n; \
		$(B)/fuzz/$${n}_fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=20000 \
			-print_final_stats=1 -artifact_prefix=$(B)/fuzz/$$n- $(B)/fuzz/$$n tests/fuzz/corpus/$$n; done

-include $(wildcard $(FUZZ_OBJ)/*.d $(FUZZ_OBJ)/*/*.d)

.PHONY: fuzz
