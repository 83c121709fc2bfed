# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests: tests/unit/FOLDER/MODULE_test.c, linked with all modules (a program's main file, lib/sys.c and
# lib/systool.c left out) and tests/fake/sys.c. They print TAP.
UNIT_OBJS = $(addprefix $(B)/obj/,$(sort $(filter-out lib/sys.o lib/systool.o,$(LIB_OBJS) $(TOOL_OBJS)) $(INITLOG_OBJS) $(INIT_OBJS) $(SELINUX_OBJS) \
	$(RECORDS_OBJS) $(POWER_OBJS) $(TERMINAL_OBJS) $(PROCESS_OBJS)))
# What is not built has no test: without SELinux its loader is left out.
UNIT_SRCS := $(filter-out $(if $(SELINUX_OBJS),,tests/unit/init/apart_test.c $(addprefix tests/unit/init/policy_,check_test.c file_test.c kernel_test.c)),$(wildcard tests/unit/*/*_test.c))
UNIT_BINS := $(UNIT_SRCS:tests/unit/%_test.c=$(B)/unit/%)
UNIT_OURS = $(OURS) -Itests -Wno-missing-prototypes
CMOCKA_LIBS ?= $(shell pkg-config --libs cmocka 2>/dev/null || echo -lcmocka)

# A struct init that runs nothing, a made up /proc and so on: taken from the archive by the tests that want them.
$(B)/unit/libunit.a: $(UNIT_OBJS) $(addprefix $(B)/unit/fake_,init.o proc.o terminals.o tree.o $(if $(SELINUX_OBJS),policy.o))
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/unit/fake_%.o: tests/fake/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(UNIT_OURS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/unit/%: tests/unit/%_test.c $(B)/unit/fake_sys.o $(B)/unit/libunit.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_OURS) $(CPPFLAGS) $(CFLAGS) $(LINK) $(PIE) -o $@ $(filter-out %.h,$^) $(LDFLAGS) $(CMOCKA_LIBS) $(TERMINAL_LIBS) $(INIT_LIBS)

unit: $(UNIT_BINS)

check: all unit fuzz-replay
	B=$(B) python3 tests/suites.py unit fuzz

check-system: stage faulty
	B=$(B) python3 tests/suites.py system

check-vm: stage
	B=$(B) python3 tests/suites.py vm

model-long:
	LONG=1 CC="$(CC)" python3 tests/model/queue_checked.py

check-debian:
	B=$(B) python3 tests/suites.py debian

bench: stage $(B)/bench/initlog_cost
	B=$(B) python3 tests/suites.py bench

# Random faults for half an hour each: in a namespace machine, and under a real kernel. make -j2 runs both at once.
SECONDS ?= 1800
SOAK_ENV = B=$(B) INIT_ROOT=$(abspath $(B)/root) SECONDS=$(SECONDS) SEED=$(SEED)
soak: soak-system soak-vm
soak-system soak-vm: soak-%: stage
	$(SOAK_ENV) python3 tests/$*/init_soak.py

# A thousand random sequences of requests under the stock init and under ours, two at a time: ten minutes.
# build/stock has the stock one.
SEQUENCES ?= 1000
levels: stage
	seed=$${SEED:-$$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}; half=$$(($(SEQUENCES) / 2)); \
	for n in 0 1; do echo $$((seed + n * 10000)); done | STOCK_ROOT=$(abspath $(B)/stock) INIT_ROOT=$(abspath $(B)/root) \
		xargs -P2 -I{} env SEED={} SEQUENCES=$$half python3 tests/system/compare_level_sequences.py

# Each system call of pid 1's life fails: hours; POINTS=N places of each, ONLY="with EIO" some of them.
sweep: stage
	SWEEP=1 INIT_ROOT=$(abspath $(B)/root) python3 tests/system/init_calls_fail.py $(if $(ONLY),"$(ONLY)")

# Both take minutes. tests/run has the analysers without clang-tidy's slow part.
analyse:
	B=$(B) ANALYSE=whole python3 tests/suites.py analysis

valgrind:
	B=$(B) python3 tests/suites.py valgrind

-include tests/fuzz/rules.mk
include tests/bench/rules.mk

.PHONY: unit check check-system check-vm check-debian model-long bench analyse valgrind soak soak-system soak-vm levels sweep fuzz-replay

# An init that faults where a test wants it to: tests/fault/sys.c in place of lib/sys.c, and no limit to its crashes.
FAULTY_OBJS = $(filter-out $(B)/pid1/lib/sys.o $(B)/pid1/init/survive.o,$(addprefix $(B)/pid1/,$(init_OBJS))) \
	$(B)/faulty/sys.o $(B)/faulty/survive.o
$(B)/faulty/sys.o: tests/fault/sys.c src/lib/sys.c src/lib/sys.h src/lib/seam.h Makefile
	@mkdir -p $(@D)
	$(PID1_CC) $(PID1_OURS) -fno-delete-null-pointer-checks $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/faulty/survive.o: src/init/survive.c Makefile
	@mkdir -p $(@D)
	$(PID1_CC) $(PID1_OURS) -DSURVIVE_WINDOW_S=0 $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/faulty/init: $(FAULTY_OBJS)
	$(PID1_CC) $(PID1_OURS) $(CFLAGS) -o $@ $^ $(PID1_LDFLAGS) $(LDFLAGS)

faulty: $(B)/faulty/init
.PHONY: faulty
