# SPDX-License-Identifier: GPL-2.0-or-later
# What has pid 1's own logging in it; the other programs of this folder stand alone and are built when they are needed.
$(B)/bench/initlog_cost: tests/bench/initlog_cost.c $(addprefix $(B)/pid1/,$(INITLOG_OBJS) $(LIB_OBJS)) Makefile
	@mkdir -p $(@D)
	$(PID1_CC) $(PID1_OURS) $(CPPFLAGS) $(CFLAGS) -o $@ $(filter-out Makefile,$^) $(PID1_LDFLAGS) $(LDFLAGS)
