# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that is made to do what somebody would do who took it over: any system call.

    with Driven(pid) as it:         # stopped (ptrace); pid as seen from here
        it.call("kill", 1, 9)       # what the kernel answers: a result or a negative errno
        it.put(b"/etc/shadow\\0")    # bytes into its stack -> their address
    # it goes on with the call that it was in

By ptrace, without its help and without a debugger: the instruction of the call that it sleeps in is
executed again with other registers. x86-64 only.
"""
import ctypes
import os
import platform
import signal

import tap

ATTACH, DETACH, GETREGS, SETREGS, SYSCALL = 16, 17, 12, 13, 24
REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base "
             "ds es fs gs").split()
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
BELOW_THE_STACK = 8192
NUMBERS = {
    "read": 0, "write": 1, "open": 2, "close": 3, "fstat": 5, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "ioctl": 16,
    "pread64": 17, "mremap": 25, "getpid": 39, "socket": 41, "connect": 42, "sendto": 44, "clone": 56, "fork": 57,
    "vfork": 58, "execve": 59, "kill": 62, "fcntl": 72, "rename": 82, "unlink": 87, "chmod": 90, "chown": 92, "ptrace": 101,
    "setuid": 105, "setsid": 112, "capset": 126, "prctl": 157, "chroot": 161, "mount": 165, "reboot": 169,
    "init_module": 175, "tkill": 200, "tgkill": 234, "openat": 257, "inotify_add_watch": 254, "process_vm_writev": 311,
    "seccomp": 317, "memfd_create": 319, "bpf": 321, "execveat": 322, "pidfd_send_signal": 424, "io_uring_setup": 425,
    "pidfd_open": 434, "clone3": 435, "openat2": 437,
}


class _Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGISTERS]


def _ptrace(request, pid, data=0):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace %d of %d" % (request, pid))


class Driven:
    def __init__(self, pid):
        self.pid = pid

    @staticmethod
    def need():
        if platform.machine() != "x86_64":
            tap.skip("the registers of a %s are not known here" % platform.machine())

    def __enter__(self):
        _ptrace(ATTACH, self.pid)
        self._wait()
        self.memory = os.open("/proc/%d/mem" % self.pid, os.O_RDWR)
        self.saved = self._registers()
        # In a call: the instruction is right before where it will go on.
        if os.pread(self.memory, 2, self.saved.rip - 2) != b"\x0f\x05" or self.saved.orig_rax >= 1 << 63:
            self._leave(self.saved)
            raise tap.Failed("%d does not sleep in a system call" % self.pid)
        self.stack = (self.saved.rsp - BELOW_THE_STACK) & ~15
        return self

    def __exit__(self, *_):
        again = self._copy()
        again.rax = self.saved.orig_rax
        self._leave(again)

    def _leave(self, registers):
        _ptrace(SETREGS, self.pid, ctypes.addressof(registers))
        _ptrace(DETACH, self.pid)
        os.close(self.memory)

    def _copy(self):
        """Its registers, before the instruction and in no call that the kernel would begin again."""
        copy = _Registers.from_buffer_copy(self.saved)
        copy.rip -= 2
        copy.orig_rax = (1 << 64) - 1
        return copy

    def _wait(self):
        """Until it stops; an alarm that it meets on the way is its own."""
        _, status = os.waitpid(self.pid, 0x40000000)
        if not os.WIFSTOPPED(status):
            raise tap.Failed("%d ended while it was driven: status %#x" % (self.pid, status))
        return os.WSTOPSIG(status)

    def _registers(self):
        registers = _Registers()
        _ptrace(GETREGS, self.pid, ctypes.addressof(registers))
        return registers

    def put(self, data, at=0):
        os.pwrite(self.memory, data, self.stack + at)
        return self.stack + at

    def call(self, name, *arguments):
        registers = self._copy()
        registers.rax = NUMBERS[name]
        for place, value in zip(ARGUMENTS, arguments + (0,) * 6):
            setattr(registers, place, value & (1 << 64) - 1)
        _ptrace(SETREGS, self.pid, ctypes.addressof(registers))
        for _ in range(2):      # into the call, and out of it
            signo = signal.SIGALRM
            while signo != signal.SIGTRAP:
                _ptrace(SYSCALL, self.pid)
                signo = self._wait()
        return ctypes.c_longlong(self._registers().rax).value


def mappings(pid):
    """[(begin, end, "r--p", path or "")] of /proc/PID/maps."""
    with open("/proc/%d/maps" % pid, encoding="utf-8") as file:
        lines = [line.split(None, 5) for line in file]
    return [(*(int(part, 16) for part in line[0].split("-")), line[1], line[5].strip() if len(line) > 5 else "")
            for line in lines]
