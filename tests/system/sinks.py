# SPDX-License-Identifier: GPL-2.0-or-later
"""What init writes to, and what came of it: console (a pty), /dev/log, utmp and wtmp records.

The readers are processes of their own, so that they can be stopped for real; what they read lies in
a memfd that the test looks into at any time. They end with the test.
"""
import collections
import errno
import fcntl
import os
import re
import select
import signal
import socket
import struct
import termios
import time

import kernel
import tap

FULL_S = 0.5            # a terminal that took nothing for so long is full
HEADER = struct.Struct("=dii")  # when (CLOCK_MONOTONIC), the sender's pid, length


def wait_for(condition, what, deadline=30):
    """Looks again and again until the condition is true, and gives back its value."""
    end, pause = time.monotonic() + deadline, 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise tap.Failed("waited %g s for %s" % (deadline, what))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


class Journal:
    """Records that one process appends and another reads; each knows when it was written."""

    def __init__(self, name):
        self.fd = os.memfd_create(name)

    def append(self, data, sender=0):
        os.write(self.fd, HEADER.pack(time.monotonic(), sender, len(data)) + data)

    def read(self):
        size, found, at = os.fstat(self.fd).st_size, [], 0
        data = os.pread(self.fd, size, 0)
        while at + HEADER.size <= len(data):
            when, sender, length = HEADER.unpack_from(data, at)
            if at + HEADER.size + length > len(data):
                break
            found.append((when, sender, data[at + HEADER.size:at + HEADER.size + length]))
            at += HEADER.size + length
        return found

    def close(self):
        os.close(self.fd)


def process_state(pid):
    """One letter as in /proc/PID/stat, or "" when there is no such process."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return file.read().rpartition(b")")[2].split()[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Reader:
    """A child of the test that runs work(journal) until it is told to end."""

    def __init__(self, work, name, journal=None, keep=()):
        self.journal = journal or Journal(name)
        parent = os.getpid()
        shed = Shedding()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                kernel.die_with_parent(parent)
                close_all_but({self.journal.fd, *keep})
                for signo in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM):
                    signal.signal(signo, signal.SIG_DFL)
                work(self.journal)
            finally:
                os._exit(1)
        shed.wait()

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)
        while process_state(self.pid) not in ("T", "", "Z"):
            time.sleep(0.002)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def end(self, signo=signal.SIGKILL):
        if self.pid:
            os.kill(self.pid, signo)
            os.waitpid(self.pid, 0)
            self.pid = 0


class Shedding:
    """Made before a fork; wait() returns when the child has closed what it inherited: a terminal hangs up only when nobody
    has it open any more."""

    def __init__(self):
        self._shed, self._held = os.pipe()

    def wait(self):
        os.close(self._held)
        os.read(self._shed, 1)
        os.close(self._shed)


def close_all_but(keep):
    low = 3
    for fd in sorted(keep) + [1 << 16]:
        os.closerange(low, fd)
        low = max(low, fd + 1)


# ------------------------------------------------------------------------------------------ console

class Console:
    """The pty behind /dev/console: its slave is bound there, the test holds its master."""

    LINE = re.compile(r"\rINIT: ([^\r\n]*)\r+\n")

    def __init__(self, machine):
        self.machine = machine
        self.old_text = ""
        self.reader = None
        self.attach()

    def attach(self):
        """A new terminal appears at /dev/console; it is read from now on."""
        self.master = os.open(self.machine.path("/dev/pts") + "/ptmx",
                              os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        fcntl.ioctl(self.master, kernel.TIOCSPTLCK, struct.pack("i", 0))
        number, = struct.unpack("i", fcntl.ioctl(self.master, kernel.TIOCGPTN, b"\0" * 4))
        self.node = "/dev/pts/%d" % number
        self._open_slave()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
        self.machine.call(lambda: self._place(self.node))
        self.reader = Reader(self._collect, "console", keep=(self.master,))

    def _open_slave(self):
        """One descriptor of ours keeps the terminal and its settings between two opens of init."""
        self.slave = os.open(self.machine.path(self.node), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)

    @staticmethod
    def _place(node):
        if not os.path.lexists("/dev/console"):
            os.close(os.open("/dev/console", os.O_CREAT | os.O_WRONLY, 0o600))
        kernel.mount(node, "/dev/console", None, kernel.MS_BIND)

    @staticmethod
    def _take_away():
        while os.path.lexists("/dev/console"):
            try:
                kernel.umount("/dev/console", kernel.MNT_DETACH)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                os.unlink("/dev/console")

    def _collect(self, journal):
        while True:
            try:
                journal.append(os.read(self.master, 65536))
            except OSError as error:
                if error.errno not in (errno.EIO, errno.EINTR):     # EIO: nobody has the slave open
                    raise
                time.sleep(0.01)

    def text(self):
        """All that was shown so far, on this terminal and on those before it."""
        shown = self.reader.journal.read() if self.reader else []
        return self.old_text + b"".join(data for _, _, data in shown).decode("latin-1")

    def lines(self):
        """The texts of init's own lines."""
        return self.LINE.findall(self.text())

    def pause(self):
        """Nobody reads any more: the pty fills up."""
        self.reader.stop()

    def resume(self):
        self.reader.go_on()

    def type(self, data):
        os.write(self.master, data)

    def xoff(self):
        self.type(b"\x13")

    def xon(self):
        self.type(b"\x11")

    def fill(self):
        """Pause, and write until the pty takes no more, as a talkative script would have done."""
        self.pause()
        fd = os.open(self.machine.path(self.node), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        wrote = time.monotonic()
        # The kernel moves what was written on to the master in its own time, and there is room once more.
        while time.monotonic() < wrote + FULL_S:
            try:
                os.write(fd, b"filler\r\n")
                wrote = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        os.close(fd)

    def remove(self):
        """The name /dev/console is gone; the terminal itself stays."""
        self.machine.call(self._take_away)

    def put_back(self):
        self.machine.call(lambda: self._place(self.node))

    def revoke(self):
        """What vhangup does: every descriptor of it is dead, a new open works."""
        fcntl.ioctl(self.slave, kernel.TIOCVHANGUP)
        os.close(self.slave)
        self._open_slave()

    def hang_up(self):
        """The other end goes away: writes fail with EIO, and so does opening /dev/console again."""
        self.old_text = self.text()
        self.close()

    def close(self):
        if self.reader:
            self.reader.end()
            self.reader.journal.close()
            os.close(self.slave)
            os.close(self.master)
        self.reader = None


# ------------------------------------------------------------------------------------------- syslog

Line = collections.namedtuple("Line", "when sender priority stamp ident pid text raw")
RFC3164 = re.compile(
    rb"<(\d+)>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) ([^:\[ ]+)(?:\[(\d+)\])?: ?(.*)", re.S)


class Syslog:
    """/dev/log and who reads it. kind: "dgram" or "stream". Nothing is there before start().

    Lines stay over restarts, in the order of arrival.
    """

    def __init__(self, machine):
        self.machine = machine
        self.journal = Journal("syslog")
        self.reader = None

    def start(self, kind="dgram"):
        ready, tell = os.pipe()
        path = self.machine.path("/dev") + "/log"
        work = self._datagrams if kind == "dgram" else self._streams
        self.reader = Reader(lambda journal: work(journal, path, tell), "syslog", self.journal,
                             keep=(tell,))
        os.close(tell)
        told = os.read(ready, 1)
        os.close(ready)
        if not told:
            raise RuntimeError("the syslog reader did not come up")

    def stop(self):
        """SIGSTOP, as when syslogd hangs: the queue of the socket fills up."""
        self.reader.stop()

    def go_on(self):
        self.reader.go_on()

    def end(self):
        """An orderly end: nothing is taken any more, what was taken is read, the name is gone."""
        self.reader.go_on()
        self.reader.end(signal.SIGTERM)
        self.reader = None

    def kill(self):
        """SIGKILL: the name stays, nobody listens; what it had not read is lost."""
        self.reader.end()
        self.reader = None

    def lines(self):
        return [self._parsed(*record) for record in self.journal.read()]

    def texts(self, ident="init"):
        return [line.text for line in self.lines() if line.ident == ident]

    @staticmethod
    def _parsed(when, sender, raw):
        found = RFC3164.fullmatch(raw.rstrip(b"\0\n"))
        if not found:
            return Line(when, sender, None, None, None, None, raw.decode("latin-1"), raw)
        priority, stamp, ident, pid, text = ((g or b"").decode("latin-1") for g in found.groups())
        return Line(when, sender, int(priority), stamp, ident, int(pid) if pid else None, text, raw)

    @staticmethod
    def _bound(path, kind):
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        bell = socket.socket(socket.AF_UNIX, kind)
        bell.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        bell.bind(path)
        os.chmod(path, 0o666)
        return bell

    @staticmethod
    def _catch_term():
        """A descriptor that is readable once SIGTERM came."""
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        signal.signal(signal.SIGTERM, lambda *_: None)
        return read

    @staticmethod
    def _receive(sock):
        data, extra, _, _ = sock.recvmsg(65536, socket.CMSG_SPACE(12))
        sender = struct.unpack("3i", extra[0][2][:12])[0] if extra else 0
        return data, sender

    def _datagrams(self, journal, path, tell):
        bell = self._bound(path, socket.SOCK_DGRAM)
        term = self._catch_term()
        os.write(tell, b".")
        os.close(tell)
        while term not in select.select([bell, term], [], [])[0]:
            journal.append(*self._receive(bell))
        os.unlink(path)
        bell.shutdown(socket.SHUT_RD)       # senders get EPIPE now; what is queued is still read
        while True:
            data, sender = self._receive(bell)
            if not data:
                os._exit(0)
            journal.append(data, sender)

    def _streams(self, journal, path, tell):
        bell = self._bound(path, socket.SOCK_STREAM)
        bell.listen(16)
        term = self._catch_term()
        os.write(tell, b".")
        os.close(tell)
        partial = {}
        while True:
            ready = select.select([bell, term, *partial], [], [])[0]
            if term in ready:
                break
            for sock in ready:
                if sock is bell:
                    partial[bell.accept()[0]] = b""
                elif not self._take(journal, sock, partial):
                    del partial[sock]
        os.unlink(path)
        bell.setblocking(False)
        try:
            while True:
                partial[bell.accept()[0]] = b""
        except BlockingIOError:
            bell.close()
        for sock in partial:
            sock.shutdown(socket.SHUT_RD)
            while self._take(journal, sock, partial):
                pass
        os._exit(0)

    def _take(self, journal, sock, partial):
        """Records of a stream end with NUL or newline; one that lacks it is marked as cut off."""
        data, sender = self._receive(sock)
        pieces = re.split(rb"(?<=[\0\n])", partial[sock] + data)
        partial[sock] = pieces.pop()
        for piece in pieces:
            if piece.rstrip(b"\0\n"):
                journal.append(piece, sender)
        if not data and partial[sock]:
            journal.append(b"CUT OFF " + partial[sock], sender)
        return bool(data)

    def close(self):
        if self.reader:
            self.reader.end()
        self.journal.close()


# ------------------------------------------------------------------------------------------ records

EMPTY, RUN_LVL, BOOT_TIME, NEW_TIME, OLD_TIME = range(5)
INIT_PROCESS, LOGIN_PROCESS, USER_PROCESS, DEAD_PROCESS = range(5, 9)
UTMP = struct.Struct("=hxxi32s4s32s256shhiii16s20x")
assert UTMP.size == 384
Record = collections.namedtuple(
    "Record", "type pid line id user host termination exit session sec usec address")


def parse_records(data):
    """(records, bytes left over); text fields without their padding."""
    def plain(value):
        if isinstance(value, int) or len(value) == 16:      # 16: the address
            return value
        return value.split(b"\0")[0].decode("latin-1")
    whole = len(data) // UTMP.size * UTMP.size
    records = [Record(*map(plain, fields)) for fields in UTMP.iter_unpack(data[:whole])]
    return records, len(data) - whole


def read_records(path):
    with open(path, "rb") as file:
        return parse_records(file.read())[0]
