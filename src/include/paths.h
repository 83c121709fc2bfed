/* SPDX-License-Identifier: GPL-2.0-or-later */
/* paths.h - every path that is an interface, once. Names only, no code. */
#ifndef INCLUDE_PATHS_H
#define INCLUDE_PATHS_H

#define PATH_DEFAULT "/sbin:/usr/sbin:/bin:/usr/bin"

#define INIT_PATH "/sbin/init"
#define INIT_TAB_PATH "/etc/inittab"
#define INIT_TAB_DIR "/etc/inittab.d"
#define CMDLINE_PATH "/proc/cmdline"
#define CONSOLES_PATH "/proc/consoles"
#define CONSOLES_ACTIVE_PATH "/sys/class/tty/console/active"
#define INIT_SCRIPT_PATH "/etc/initscript"
#define SELF_PATH "/proc/self/exe"
#define INIT_NAME_PATH "/proc/1/comm"
#ifndef SELINUX_LOAD_PATH       /* the builder's: make helperdir=FOLDER */
#define SELINUX_LOAD_PATH "/lib/sysvinit/selinux-load"
#endif
#define SHELL_PATH "/bin/sh"
#define SULOGIN_PATH "/sbin/sulogin"
#define SHUTDOWN_PATH "/sbin/shutdown"

#define SHUTDOWN_PID_PATH "/var/run/shutdown.pid"
#define SHUTDOWN_LOCK_PATH "/var/run/shutdown.lock"
#define SHUTDOWN_SCHEDULE_PATH "/var/run/shutdown.schedule"
#define SHUTDOWN_ALLOW_PATH "/etc/shutdown.allow"
#define FASTBOOT_PATH "/fastboot"
#define FORCEFSCK_PATH "/forcefsck"
#ifndef NOLOGIN_PATH            /* the builder's: make NOLOGIN=PATH */
#define NOLOGIN_PATH "/etc/nologin"
#endif

#define POWERSTATUS_PATH "/var/run/powerstatus"
#define POWERSTATUS_OLD_PATH "/etc/powerstatus"

#define TTY_DRIVERS_PATH "/proc/tty/drivers"

#define UTMP_PATH "/var/run/utmp"
#define WTMP_PATH "/var/log/wtmp"
#define BTMP_PATH "/var/log/btmp"
#define BOOT_LOG_PATH "/var/log/boot"
#define RUNLEVEL_PATH "/var/run/runlevel"

#define HELPER_COMM "init-log"         /* what the kernel calls the helpers of process 1, which is "init" */
#define PROC_PATH "/proc"
#define MOUNTINFO_PATH "/proc/self/mountinfo"
#define CONSOLE_PATH "/dev/console"
#define CONSOLE_VT_PATH "/dev/tty0"
#define NULL_PATH "/dev/null"
#define DEV_LOG_PATH "/dev/log"
#define DEV_PATH "/dev"
#define LOCALTIME_PATH "/etc/localtime"

#endif
