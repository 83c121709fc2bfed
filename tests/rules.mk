# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests: tests/unit/FOLDER/MODULE_test.c, linked with all modules (a program's main file and lib/sys.c
# left out) and tests/fake/sys.c. They print TAP.
UNIT_OBJS = $(addprefix $(B)/obj/,$(sort $(filter-out lib/sys.o,$(LIB_OBJS)) $(TOOL_OBJS) $(INITLOG_OBJS) $(INIT_OBJS) \
	$(RECORDS_OBJS) $(POWER_OBJS) $(TERMINAL_OBJS) $(PROCESS_OBJS)))
UNIT_SRCS := $(wildcard tests/unit/*/*_test.c)
UNIT_BINS := $(UNIT_SRCS:tests/unit/%_test.c=$(B)/unit/%)
UNIT_OURS = $(OURS) -Itests -Wno-missing-prototypes
CMOCKA_LIBS ?= $(shell pkg-config --libs cmocka 2>/dev/null || echo -lcmocka)

# A struct init that runs nothing: taken from the archive by the tests that want it.
$(B)/unit/libunit.a: $(UNIT_OBJS) $(B)/unit/fake_init.o
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/unit/fake_%.o: tests/fake/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(UNIT_OURS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/unit/%: tests/unit/%_test.c $(B)/unit/fake_sys.o $(B)/unit/libunit.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_OURS) $(CPPFLAGS) $(CFLAGS) $(LINK) $(PIE) -o $@ $(filter-out %.h,$^) $(LDFLAGS) $(CMOCKA_LIBS) $(TERMINAL_LIBS)

unit: $(UNIT_BINS)

check: all unit fuzz-replay
	B=$(B) python3 tests/suites.py unit fuzz

check-system: stage
	B=$(B) python3 tests/suites.py system

check-vm: stage
	B=$(B) python3 tests/suites.py vm

bench: stage
	B=$(B) python3 tests/suites.py bench

-include tests/fuzz/rules.mk

.PHONY: unit check check-system check-vm bench fuzz-replay
