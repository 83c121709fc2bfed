# SPDX-License-Identifier: GPL-2.0-or-later
# contrib/try's eyes: static, so that it runs in any root.
$(B)/pid1/pid1-line.o: contrib/pid1-line.c Makefile
	@mkdir -p $(@D)
	$(PID1_CC) $(PID1_OURS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/pid1-line: $(B)/pid1/pid1-line.o $(addprefix $(B)/pid1/,$(INITLOG_OBJS) $(LIB_OBJS))
	$(PID1_CC) $(PID1_OURS) $(CFLAGS) -o $@ $^ $(PID1_LDFLAGS) $(LDFLAGS)
