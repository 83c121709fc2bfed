# SPDX-License-Identifier: GPL-2.0-or-later
# One Makefile, one rules.mk a folder. Everything that is built lands under $(B).
#   make               the programs                     make check         unit tests and allow-lists
#   make install       DESTDIR= (or ROOT=)              make check-system  faults, in a namespace machine
#   make stage         the installed tree in $(B)/root  make check-vm      the same under a real kernel in QEMU
#   make SAN=address,undefined B=build/asan check       make bench         ratios against the stock init
#   make analyse       gcc -fanalyzer, clang-tidy, cppcheck   make valgrind      the unit tests under memcheck
#   make soak          random faults for half an hour: SECONDS=N SEED=N
#   make sweep         each system call of pid 1 fails, once and for good: POINTS=N
#   make levels        random requests under the stock init and under ours: SEQUENCES=N SEED=N
VERSION := 3.15-safelog.1
B := build
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

# The builder's: CC, CFLAGS, CPPFLAGS, LDFLAGS. Ours are kept apart and come first.
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wconversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef
OURS := -std=c11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Isrc -MMD -MP $(WARN) \
	$(if $(WERROR),-Werror)

# HARDEN=no leaves it to the builder. FORTIFY needs an optimising build and no sanitizer.
HARDEN ?= yes
CET := $(shell $(CC) -fcf-protection -E -x c /dev/null >/dev/null 2>&1 && echo -fcf-protection)
ifeq ($(HARDEN),yes)
OURS += -fPIE -fstack-protector-strong $(if $(filter clang%,$(CC)),,-fstack-clash-protection) $(CET)
OURS += $(if $(SAN),,$(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
LINK := -Wl,-z,relro,-z,now,-z,noexecstack
PIE := -pie
endif
ifneq ($(SAN),)
OURS += -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# How pid 1 is linked (doc/ARCHITECTURE.md has the figures): static, with musl where it is installed.
# PID1_CC=cc gives a static glibc, PID1_LINK=shared an ordinary dynamic program. Sanitizers need shared.
MUSL_LIB ?= /usr/lib/$(shell uname -m)-linux-musl
PID1_CC ?= $(or $(shell command -v musl-gcc 2>/dev/null),$(CC))
PID1_LINK ?= static
ifneq ($(SAN),)
PID1_CC := $(CC)
PID1_LINK := shared
endif
PID1_OURS := $(if $(findstring clang,$(PID1_CC)),$(filter-out -fstack-clash-protection,$(OURS)),$(OURS))
PID1_MUSL := $(findstring musl,$(PID1_CC))
ifeq ($(PID1_LINK),shared)
PID1_LDFLAGS := $(LINK) $(PIE)
else ifneq ($(PID1_MUSL),)
# Debian's musl-gcc knows no -static-pie: name the start file and tell the linker what it would.
PID1_LDFLAGS := -nostartfiles -static-pie $(MUSL_LIB)/rcrt1.o \
	-Wl,-static,-pie,--no-dynamic-linker,-z,text,--gc-sections,--build-id $(LINK)
else
PID1_LDFLAGS := -static-pie -Wl,--gc-sections $(LINK)
endif

include $(wildcard src/*/rules.mk)

BINS := $(addprefix $(B)/,$(PROGS) $(PID1_PROGS))
all: $(BINS)

$(B)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(OURS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/pid1/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(PID1_CC) $(PID1_OURS) -ffunction-sections $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

define prog
$(B)/$(1): $(addprefix $(B)/obj/,$($(1)_OBJS))
	$$(CC) $$(OURS) $$(CFLAGS) $$(LINK) $$(PIE) -o $$@ $$^ $$(LDFLAGS) $$($(1)_LIBS)
endef
define pid1_prog
$(B)/$(1): $(addprefix $(B)/pid1/,$($(1)_OBJS))
	$$(PID1_CC) $$(PID1_OURS) $$(CFLAGS) -o $$@ $$^ $$(PID1_LDFLAGS) $$(LDFLAGS)
endef
$(foreach p,$(PROGS),$(eval $(call prog,$(p))))
$(foreach p,$(PID1_PROGS),$(eval $(call pid1_prog,$(p))))

# --- installing: no prefix for what must work before /usr is mounted ---
ROOT ?=
DESTDIR ?= $(ROOT)
sbindir ?= /sbin
bindir ?= /bin
usrbindir ?= /usr/bin
includedir ?= /usr/include
mandir ?= /usr/share/man
INSTALL ?= install
MANS := $(wildcard man/*.[1-8])

# A folder's rules.mk names its programs in SBIN, BIN, USRBIN or HELPERS (which init runs), and in LINKS what a program is also called, as FOLDER/NAME:TARGET
# with FOLDER one of sbin, bin, usrbin.
install: all
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(usrbindir) $(DESTDIR)$(includedir)
	$(INSTALL) -m 755 $(addprefix $(B)/,$(SBIN)) $(DESTDIR)$(sbindir)
	$(if $(BIN),$(INSTALL) -m 755 $(addprefix $(B)/,$(BIN)) $(DESTDIR)$(bindir))
	$(if $(USRBIN),$(INSTALL) -m 755 $(addprefix $(B)/,$(USRBIN)) $(DESTDIR)$(usrbindir))
	$(if $(HELPERS),$(INSTALL) -d $(DESTDIR)$(helperdir) && $(INSTALL) -m 755 $(addprefix $(B)/,$(HELPERS)) $(DESTDIR)$(helperdir))
	set -e; for l in $(foreach l,$(LINKS),$(DESTDIR)$($(firstword $(subst /, ,$(l)))dir)/$(patsubst $(firstword $(subst /, ,$(l)))/%,%,$(l))); do ln -sf "$${l##*:}" "$${l%:*}"; done
	$(INSTALL) -m 644 src/include/initreq.h $(DESTDIR)$(includedir)
	$(INSTALL) -m 755 contrib/unit2init $(DESTDIR)$(usrbindir)
	set -e; for m in $(MANS); do d=$(DESTDIR)$(mandir)/man$${m##*.}; \
		$(INSTALL) -d $$d; $(INSTALL) -m 644 $$m $$d; done

stage: all
	rm -rf $(B)/root
	$(MAKE) --no-print-directory B=$(B) DESTDIR=$(B)/root install

clean:
	rm -rf $(B)

include contrib/rules.mk tests/rules.mk

.PHONY: all install stage clean
-include $(wildcard $(B)/obj/*/*.d $(B)/pid1/*.d $(B)/pid1/*/*.d $(B)/unit/*.d $(B)/unit/*/*.d $(B)/fuzz/*.d $(B)/faulty/*.d)
