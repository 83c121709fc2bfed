# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls that python's library does not have. Each raises OSError when it fails."""
import ctypes
import os
import platform
import struct
import sys

# tap.py lies one folder up; every module here comes by this one first.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 32, 4096, 8192, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_SECCOMP = 22
CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME = 16, 17, 25
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
TIOCCONS, TIOCVHANGUP = 0x541D, 0x5437
TIOCSPTLCK, TIOCGPTN = 0x40045431, 0x80045430
LOOP_SET_FD, LOOP_SET_STATUS64, LOOP_CTL_GET_FREE = 0x4C00, 0x4C04, 0x4C82
LOOP_CLR_FD, LO_FLAGS_AUTOCLEAR = 0x4C01, 4

# machine -> (AUDIT_ARCH, pivot_root, ioctl, those that set the clock)
_ARCH = {"x86_64": (0xC000003E, 155, 16, (159, 164, 227, 305)),
         "aarch64": (0xC00000B7, 41, 29, (112, 170, 171, 266))}
if platform.machine() not in _ARCH:
    raise ImportError("the numbers of the system calls are not known for " + platform.machine())
_AUDIT_ARCH, _NR_PIVOT_ROOT, _NR_IOCTL, _NR_CLOCK = _ARCH[platform.machine()]

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))
    return result


def unshare(flags):
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(fd, kind):
    _checked(_libc.setns(ctypes.c_int(fd), ctypes.c_int(kind)), "setns")


def mount(source, target, kind=None, flags=0, data=None):
    def text(value):
        return None if value is None else os.fsencode(value)
    _checked(_libc.mount(text(source), text(target), text(kind), ctypes.c_ulong(flags), text(data)),
             "mount %s on %s" % (source or kind, target))


def umount(target, flags=0):
    _checked(_libc.umount2(os.fsencode(target), ctypes.c_int(flags)), "umount " + target)


def pivot_root(new, old):
    _checked(_libc.syscall(ctypes.c_long(_NR_PIVOT_ROOT), os.fsencode(new), os.fsencode(old)),
             "pivot_root")


def prctl(option, a=0, b=0):
    _checked(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(a), ctypes.c_ulong(b), 0, 0), "prctl")


def die_with_parent(parent):
    """SIGKILL when the parent ends; parent is its pid as seen from here, to close the race."""
    prctl(PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:
        os._exit(1)


class _Filter(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def forbid_machine_wide_acts():
    """What no name space keeps apart: clock, modules, I/O ports, the console's redirection."""
    for capability in (CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME):
        prctl(PR_CAPBSET_DROP, capability)
    load, jump_if, give = 0x20, 0x15, 0x06      # BPF: load a word, jump when equal, return
    refuse = (give, 0, 0, 0x00050001)           # SECCOMP_RET_ERRNO with EPERM
    code = [(load, 0, 0, 4), (jump_if, 1, 0, _AUDIT_ARCH), refuse, (load, 0, 0, 0)]
    for number in _NR_CLOCK:
        code += [(jump_if, 0, 1, number), refuse]
    code += [(jump_if, 0, 3, _NR_IOCTL), (load, 0, 0, 24), (jump_if, 0, 1, TIOCCONS), refuse,
             (give, 0, 0, 0x7FFF0000)]
    program = b"".join(struct.pack("=HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = _Filter(len(code), ctypes.cast(buffer, ctypes.c_void_p))
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(header))
