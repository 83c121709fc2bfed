#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""More orphans than the machine has room for processes, while syslogd stands still: forks go on."""
import proof
import vm
from vm import tap

ORPHANS, BATCH = 8000, 500          # 512 MiB hold about 3,600 processes
REQUESTS = 60


@tap.case(deadline=600)
def an_orphan_storm_fills_no_machine_whose_syslogd_is_stopped():
    with vm.Machine(files=proof.FILES, memory=512) as m:
        m.wait("the respawn entry runs", "test -s /run/rs.pid")
        m.watch()
        table = proof.Table(m)
        table.say(1)
        m.check("kill -STOP $(pidof syslogd)")
        m.check(f"for i in $(seq {REQUESTS}); do telinit q; done", timeout=100)
        limit = int(m.check("cat /proc/sys/kernel/threads-max"))
        tap.check(ORPHANS > limit, f"{ORPHANS} orphans are more than the {limit} there is room for")
        storm = m.run(f"vmguest storm {ORPHANS} {BATCH}", timeout=400, deadline=400)
        tap.equal(storm.text.strip(), f"made {ORPHANS} refused 0", "the storm")
        proof.unharmed(m, table)
        m.check("kill -CONT $(pidof syslogd)")
        table.say(1)
        said = m.check(f"grep -c 'init: Re-reading inittab' {table.syslog}")
        tap.equal(int(said), REQUESTS + 3, "readings of inittab that syslog has been told of")


tap.main()
