# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by init scripts: the settings of /etc/default/rcS, with defaults for those that it lacks, and what the kernel
# command line says.
DELAYLOGIN=no
FSCKFIX=no
SULOGIN=no
TMPTIME=0
UTC=yes
VERBOSE=no
[ ! -f /etc/default/rcS ] || . /etc/default/rcS

# Once settings, now without a meaning.
unset EDITMOTD RAMLOCK RAMRUN

# Words of the kernel command line; `read` and not an expansion, since it may hold a *.
_vars_words=
[ ! -r /proc/cmdline ] || read -r _vars_words </proc/cmdline || :
case " $_vars_words " in
*" noswap "*) NOSWAP=yes ;;
esac
# As the kernel's own: for the messages of boot and shutdown, where rc sets both levels.
case " $_vars_words " in
*" quiet "*) [ -z "${RUNLEVEL:-}" ] || [ -z "${PREVLEVEL:-}" ] || VERBOSE=no ;;
esac
unset _vars_words

# INIT_VERBOSE overrides both.
[ -z "${INIT_VERBOSE:-}" ] || VERBOSE=$INIT_VERBOSE
