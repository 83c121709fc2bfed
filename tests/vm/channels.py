# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways into a test machine: serial lines, the control agent, QEMU's monitor. All are socket
pairs of which QEMU inherits one end, so that nothing is left behind in the file system.
"""
import json
import os
import re
import select
import socket
import threading
import time

DEADLINE = 120.0


class MachineError(Exception):
    """The machine did not do what was waited for."""


class Line:
    """One serial line: everything that came out of it is kept, and its reader can stop."""

    def __init__(self, name):
        self.name = name
        self.ours, self.theirs = socket.socketpair()
        # A stalled reader must stop the guest soon, not after 200 KiB.
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        self.data = bytearray()
        self.changed = threading.Condition()
        self.reading = True
        self.closed = False
        self.wake_r, self.wake_w = os.pipe()
        self.thread = threading.Thread(target=self._pump, daemon=True)
        self.thread.start()

    def _pump(self):
        while True:
            watched = [self.wake_r] + ([self.ours] if self.reading else [])
            ready = select.select(watched, [], [])[0]
            if self.wake_r in ready:
                os.read(self.wake_r, 1)
                if self.closed:
                    break
                with self.changed:
                    self.changed.notify_all()
                continue
            chunk = self.ours.recv(65536)
            with self.changed:
                self.data += chunk
                self.closed = self.closed or not chunk
                self.changed.notify_all()
            if not chunk:
                break

    def _set_reading(self, on):
        with self.changed:
            self.reading = on
            os.write(self.wake_w, b"x")
            self.changed.wait(DEADLINE)

    def stall(self):
        self._set_reading(False)

    def resume(self):
        self._set_reading(True)

    def send(self, data):
        self.ours.sendall(data)

    def mark(self):
        """A place to wait from: what comes out later stands behind it."""
        return len(self.data)

    def since(self, mark=0):
        return bytes(self.data[mark:])

    def wait_for(self, pattern, mark=0, deadline=DEADLINE):
        """The first match of PATTERN behind MARK."""
        end = time.monotonic() + deadline
        with self.changed:
            while True:
                found = re.search(pattern, bytes(self.data[mark:]))
                if found:
                    return found
                left = end - time.monotonic()
                if left <= 0 or self.closed:
                    raise MachineError(f"{self.name}: no {pattern!r} in:\n"
                                       + self.tail(2000, mark))
                self.changed.wait(left)

    def tail(self, size=3000, mark=0):
        return self.since(mark)[-size:].decode("utf-8", "replace").replace("\r", "")

    def close(self):
        self.closed = True
        os.write(self.wake_w, b"x")
        self.thread.join(10)
        self.ours.close()
        os.close(self.wake_r)
        os.close(self.wake_w)


class Result:
    def __init__(self, command, status, output):
        self.command = command
        self.status = status
        self.output = output

    @property
    def text(self):
        return self.output.decode("utf-8", "replace")

    def __repr__(self):
        return f"{self.command!r}: status {self.status}\n{self.text}"


class Control:
    """The agent in the guest. Commands may overlap: start() returns at once, finish() collects."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.buffer = bytearray()
        self.ready = False
        self.done = {}
        self.last_id = 0

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.ours], [], [], left)[0]:
            raise MachineError("the control agent does not answer")
        chunk = self.ours.recv(1 << 20)
        if not chunk:
            raise MachineError("the machine is gone")
        self.buffer += chunk

    def _take(self, deadline):
        """Reads one whole message."""
        while b"\n" not in self.buffer:
            self._fill(deadline)
        head, _, _ = bytes(self.buffer).partition(b"\n")
        word, *numbers = head.split()
        if word == b"READY":
            self.ready = True
            del self.buffer[:len(head) + 1]
            return
        ident, status, size = map(int, numbers)
        while len(self.buffer) < len(head) + 1 + size:
            self._fill(deadline)
        start = len(head) + 1
        self.done[ident] = (status, bytes(self.buffer[start:start + size]))
        del self.buffer[:start + size]

    def wait_ready(self, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while not self.ready:
            self._take(end)

    def start(self, command, timeout):
        self.last_id += 1
        raw = command.encode()
        self.ours.sendall(b"RUN %d %d %d\n" % (self.last_id, timeout * 1000, len(raw)) + raw)
        return self.last_id

    def finish(self, ident, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while ident not in self.done:
            self._take(end)
        return self.done.pop(ident)


class Heartbeat:
    """Keeps QEMU's main loop turning: QEMU 7.2 that counts instructions now and then forgets the
    timer of a guest that sleeps, and finds it at the next turn. Empty lines to a monitor of its own
    are turns enough."""
    PERIOD_S = 0.05

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.ended = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self):
        while not self.ended.wait(self.PERIOD_S):
            try:
                self.ours.send(b"\n")
                self.ours.recv(65536)
            except BlockingIOError:
                pass
            except OSError:
                return

    def close(self):
        self.ended.set()
        self.ours.close()


class Monitor:
    """QEMU's own channel; notes how the machine ended."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.reader = self.ours.makefile("rb")
        self.reason = None

    def close(self):
        self.reader.close()
        self.ours.close()

    def _message(self):
        raw = self.reader.readline()
        if not raw:
            return None
        message = json.loads(raw)
        if message.get("event") == "SHUTDOWN":
            self.reason = message["data"]["reason"]
        return message

    def call(self, name, **arguments):
        self.ours.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        while True:
            message = self._message()
            if message is None:
                raise MachineError(f"the machine is gone; monitor call {name}")
            if "error" in message:
                raise MachineError(f"monitor: {message['error']}")
            if "return" in message:
                return message["return"]

    def begin(self):
        self.ours.settimeout(DEADLINE)
        self._message()
        self.call("qmp_capabilities")

    def command(self, line):
        return self.call("human-monitor-command", **{"command-line": line})

    def drain(self, deadline):
        """Reads until the machine is gone."""
        self.ours.settimeout(deadline)
        try:
            while self._message() is not None:
                pass
        except TimeoutError:
            raise MachineError(f"the machine did not end within {deadline:.0f} s") from None
