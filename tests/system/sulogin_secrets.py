#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is let in by sulogin: by which stored password, with and without -e. Its own passwd and shadow files."""
import os
import resource
import time

import kernel
from door import (CONTROL_D, ENTER_PROMPT, LOCKED, PASSWORD_PROMPT, WRONG, House, account, hashed, tap)

BOGUS = "passwd: bogus\nshadow: bogus\n"
SALTS = ["ab", "$1$saltsalt$", "$5$0123456789abcdef$", "$6$short$", "$6$0123456789abcdef$",
         "$6$rounds=5000$0123456789abcdef$", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$", "$2b$04$abcdefghijklmnopqrstuu"]
# What no password will ever match, and is not a lock either.
GARBAGE = ["foo", "$6$", "$9$unknown$0123456789", "$6$0123456789abcdef$tooshort", "0" * 13, "x!", " ", "h" * 3000]


def shadow_of(field):
    return "root:%s:19000:0:99999:7:::\nnobody:*:19000::::::\n" % field


def opens(door, without=False):
    """A shell for root is there."""
    said = door.shell("id -u")
    tap.equal(said, "0", "who the shell belongs to")
    door.type(b"exit 5\n")
    tap.equal(door.status(), 5, "the status is that of the shell")
    tap.equal(b"no password is asked for" in door.text, without, "it is said that no password was needed")


def refuses(door, answer="wrong"):
    door.expect(PASSWORD_PROMPT).answer(answer).expect(WRONG)
    end(door)


def end(door):
    door.process.end()


@tap.case(deadline=200)
def the_right_password_opens_after_a_wrong_one_and_a_pause_of_three_seconds():
    with House(account("x"), shadow_of(hashed("right"))) as house:
        door = house.open()
        door.expect(PASSWORD_PROMPT).answer("Right").expect(WRONG)
        begin = time.monotonic()
        door.expect(PASSWORD_PROMPT)
        # The far end reads a moment late at most by what it reads early: a lower bound needs no luck.
        tap.check(time.monotonic() - begin > 2, "there is a pause behind a wrong answer")
        door.answer("").expect(WRONG)
        door.expect(PASSWORD_PROMPT).answer("right")
        opens(door)


@tap.case(deadline=300)
def each_method_of_hashing_is_asked_for_and_understood():
    with House() as house:
        for salt in SALTS:
            for flags in ([], ["-e"]):
                house.files(account("x"), shadow_of(hashed("p\xe4ss w\x03rd", salt)))
                refuses(house.open(*flags))
                opens(house.open(*flags).expect(PASSWORD_PROMPT).answer("p\xe4ss w\x03rd"))


@tap.case(deadline=300)
def a_hash_in_passwd_itself_counts_and_shadow_then_does_not():
    with House() as house:
        house.files(account(hashed("here")), shadow_of(hashed("there")))
        refuses(house.open(), "there")
        opens(house.open().expect(PASSWORD_PROMPT).answer("here"))
        house.files(account(""), shadow_of(hashed("there")))
        opens(house.open().expect(ENTER_PROMPT).answer(""))


@tap.case(deadline=300)
def no_name_service_is_needed_and_none_opens_a_door():
    """Where the C library finds nothing, stock -e gives a shell to anybody who meets an ordinary $6$ hash."""
    with House() as house:
        house.machine.write("/etc/nsswitch.conf", BOGUS)
        for salt in SALTS:
            house.files(account("x"), shadow_of(hashed("right", salt)))
            refuses(house.open("-e"), "")
        refuses(house.open(), "")
        opens(house.open("-e").expect(PASSWORD_PROMPT).answer("right"))


@tap.case(deadline=300)
def no_shape_of_a_stored_field_is_a_missing_password():
    with House() as house:
        for name_service in ("passwd: files\nshadow: files\n", BOGUS):
            house.machine.write("/etc/nsswitch.conf", name_service)
            for field in GARBAGE:
                house.files(account("x"), shadow_of(field))
                refuses(house.open("-e"), "")
                house.files(account("x"), shadow_of(field))
                refuses(house.open("-e"), field[:100])


@tap.case(deadline=200)
def a_blank_password_opens_to_any_answer():
    with House() as house:
        for passwd, shadow in ((account(""), ""), (account("x"), shadow_of(""))):
            house.files(passwd, shadow)
            for answer in ("", "text"):
                opens(house.open().expect(ENTER_PROMPT).answer(answer))
            door = house.open().expect(ENTER_PROMPT).type(CONTROL_D)
            tap.equal(door.status(), 0, "Control-D goes on")


@tap.case(deadline=300)
def a_locked_account_opens_with_force_alone():
    with House() as house:
        for field in ("*", "!", "!!", "!*", "!" + hashed("right"), "*LK*"):
            for passwd, shadow in ((account("x"), shadow_of(field)), (account(field), None)):
                house.files(passwd, shadow)
                door = house.open().expect(b"no password that could be right").expect(LOCKED).answer("right")
                tap.equal(door.status(), 1, "without -e: the status")
                tap.check(b"# " not in door.text, "no shell for %r" % field)
                opens(house.open("--force").expect(b"locked").expect(ENTER_PROMPT).answer(""), without=True)


@tap.case(deadline=200)
def a_locked_account_keeps_nobody_for_ever():
    with House(account("*")) as house:
        tap.equal(house.open("-t", "1").expect(LOCKED).status(), 1, "the status after the time-out")
        tap.equal(house.open().expect(LOCKED).type(CONTROL_D).status(), 1, "the status after Control-D")


@tap.case(deadline=300)
def a_missing_shadow_entry_opens_with_force_alone():
    with House() as house:
        house.machine.write("/etc/nsswitch.conf", "passwd: files\nshadow: files\n")
        for shadow, why in ((None, b"/etc/shadow: No such file"), ("", b"/etc/shadow: no entry for root"),
                            ("other:x:1::::::\n", b"/etc/shadow: no entry for root")):
            house.files(account("x"), shadow)
            door = house.open().expect(why).expect(LOCKED).answer("x")
            tap.equal(door.status(), 1, "without -e: the status")
            opens(house.open("-e").expect(why).expect(ENTER_PROMPT).answer(""), without=True)


@tap.case(deadline=300)
def no_entry_for_root_is_a_message_and_no_crash():
    """Stock dies of SIGSEGV here, and the boot goes on."""
    with House() as house:
        house.machine.write("/etc/nsswitch.conf", "passwd: files\nshadow: files\n")
        for passwd, why in ((None, b"/etc/passwd: No such file"), ("nobody:x:65534:65534::/:/bin/sh\n", b"/etc/passwd: no entry for root"),
                            ("", b"no entry for root"), ("rooty:x:0:0::/:/bin/sh\n", b"no entry for root")):
            house.files(passwd, shadow_of(hashed("right")))
            door = house.open()
            door.expect(b"sulogin: cannot open password database!\r\n\r").expect(why)
            tap.equal(door.status(), 1, "without -e: the status")
            door = house.open("-e").expect(why).expect(ENTER_PROMPT).answer("")
            tap.equal(door.shell("echo $HOME $SHELL $LOGNAME"), "/ /bin/sh root", "the shell of one who has no entry")
            end(door)


DEAF = "#include <pwd.h>\n#include <unistd.h>\nstruct passwd *getpwnam(const char *name) { (void)name; for (;;) pause(); }\n"


@tap.case(deadline=300)
def a_name_service_that_never_answers_is_asked_last_and_for_ten_seconds():
    """Stock asks it first, and then has no prompt."""
    with House(account("x"), shadow_of(hashed("right"))) as house:
        house.machine.write("/tmp/deaf.c", DEAF)
        done = house.machine.run(["cc", "-shared", "-fPIC", "-o", "/tmp/deaf.so", "/tmp/deaf.c"], deadline=100)
        tap.equal(done.status, 0, "the compiler's status: " + done.err)
        deaf = {"LD_PRELOAD": "/tmp/deaf.so"}
        opens(house.open(env=deaf).expect(PASSWORD_PROMPT).answer("right"))
        house.files("nobody:x:65534:65534::/:/bin/sh\n", "")
        door = house.open(env=deaf).expect(b"sulogin: cannot open password database!")
        tap.equal(door.status(), 1, "without an entry for root: the status")
        house.open("-e", env=deaf).expect(ENTER_PROMPT).type(CONTROL_D).status()


def make_all_read_only():
    """Root and all that is mounted in it, but for what the kernel makes up."""
    with open("/proc/self/mountinfo") as file:
        places = [line.split()[4] for line in file]
    for place in places:
        if not place.startswith(("/proc", "/dev", "/sys")):
            kernel.mount(None, place, None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY)


@tap.case(deadline=300)
def a_read_only_root_keeps_nobody_waiting():
    with House(account("x"), shadow_of(hashed("right"))) as house:
        house.machine.call(make_all_read_only)
        for door in (house.open(), house.open("-e")):
            door.expect(PASSWORD_PROMPT).answer("wrong").expect(WRONG)
            door.expect(PASSWORD_PROMPT).answer("right")
            tap.equal(door.shell("for d in / /etc /tmp /run /var; do echo x 2>/dev/null >$d/x && echo $d; done; tty"),
                      door.line.node, "what can be written, and the terminal")
            door.type(b"exit 5\n")
            tap.equal(door.status(), 5, "the status is that of the shell")


@tap.case(deadline=300)
def a_continued_line_is_not_an_entry():
    """Stock cuts lines at 255 bytes, and what comes behind may begin with root:."""
    with House() as house:
        house.machine.write("/etc/nsswitch.conf", BOGUS)
        for length in (255, 254, 511, 4096):
            gecos = "g" * (length - len("user:x:1:1:"))
            house.files("user:x:1:1:%sroot:::::\n%s" % (gecos, account("x")), shadow_of(hashed("right")))
            refuses(house.open("-e"), "")


@tap.case(deadline=300)
def what_cannot_be_read_this_time_opens_nothing():
    """Descriptors run out at every point in turn: an error on the way to the password is not a missing password."""
    with House(account("x"), shadow_of(hashed("right"))) as house:
        asked = 0
        for limit in range(3, 14):
            def few_descriptors():
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            door = house.open("-e", "-t", "1", before=few_descriptors)
            door.status()
            text = door.text
            tap.check(ENTER_PROMPT not in text and b"no password is asked" not in text, "limit %d: %r" % (limit, text))
            asked += PASSWORD_PROMPT in text
        tap.check(asked >= 3, "with enough of them the password is asked for")


@tap.case(deadline=200)
def a_fifo_in_place_of_a_file_keeps_nobody_waiting():
    with House() as house:
        house.machine.write("/etc/nsswitch.conf", "passwd: bogus\nshadow: bogus\n")
        os.unlink(house.machine.path("/etc/shadow"))
        os.mkfifo(house.machine.path("/etc/shadow"))
        house.open("-e").expect(b"/etc/shadow").expect(ENTER_PROMPT).type(CONTROL_D).status()


@tap.case(deadline=200)
def the_answer_is_wiped_and_no_core_is_left():
    of_answer = hashed("Sesame-open-4711").rpartition("$")[2].encode()      # what crypt made of it
    with House(account(hashed("right"))) as house:
        door = house.open().expect(PASSWORD_PROMPT).answer("Sesame-open-4711").expect(WRONG).expect(PASSWORD_PROMPT)
        pid, found, looked = door.process.pid, [], 0
        with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
            for area in maps:
                span, rights = area.split()[:2]
                begin, stop = (int(part, 16) for part in span.split("-"))
                if "w" not in rights:
                    continue
                memory.seek(begin)
                data = memory.read(stop - begin)
                looked += len(data)
                if b"Sesame-open" in data or of_answer in data:
                    found.append(area)
        tap.check(looked > 100000, "the memory was read")
        tap.equal(found, [], "places where the answer still stands")
        door.answer("right")
        opens(door)
        house.machine.run(["strace", "-qq", "-o", "/tmp/calls", "-e", "trace=prctl,openat", "/sbin/sulogin"])
        calls = house.machine.read("/tmp/calls").splitlines()
        dumps = [n for n, call in enumerate(calls) if call.startswith("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE) = 0")]
        read = [n for n, call in enumerate(calls) if "/etc/" in call and "ld.so" not in call]
        tap.check(dumps and (not read or dumps[0] < read[0]), "no core is written of it, before anything is read: %s" % calls)


tap.main()
