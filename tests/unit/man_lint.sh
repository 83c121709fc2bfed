#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages are clean mdoc, get installed, refer to pages that exist, carry the version that
# is built, and their example program compiles. TAP on stdout.
cd "$(dirname "$0")/../.." || exit 1

# Pages of other packages, and of this one that are still to come, that ours may refer to.
elsewhere='kill.1 mv.1 ps.1 python3.1 sh.1 who.1 fork.2 reboot.2 seccomp.2 write.2 core.5 utmp.5 fifo.7 kexec.8
	syslogd.8 sync.2 fsck.8 crypt.3 prlimit.1 setpriv.1 start-stop-daemon.8'

n=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
: >"$work/why"

# report RESULT WHAT: one TAP line; what is in $work/why follows a failure.
report()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		failed=$((failed + 1))
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/why"
	fi
	: >"$work/why"
}

is_clean()
{
	mandoc -Tlint -Wwarning "$1" >"$work/why" 2>&1 && [ ! -s "$work/why" ]
}

# What `make install` would do, without doing it: a page that no command names is not installed.
is_installed()
{
	grep -q "[/ ]${1##*/}\([ ;\"']\|\$\)" "$work/install" && return
	echo "make -n install does not mention ${1##*/}" >"$work/why"
	return 1
}

# ".Xr name section", alone on a line or after another macro, as "name.section".
references()
{
	awk '/^\./ { for (i = 1; i + 2 <= NF; i++)
		if ($i == "Xr" || $i == ".Xr") print $(i + 1) "." $(i + 2) }' "$1" | sort -u
}

refers_to_pages_that_exist()
{
	for ref in $(references "$1"); do
		[ -f "man/$ref" ] && continue
		case " $(echo $elsewhere) " in
		*" $ref "*) ;;
		*) echo "$1: no page $ref" >>"$work/why" ;;
		esac
	done
	[ ! -s "$work/why" ]
}

# The title agrees with the file's name, and every version string is that of the Makefile.
carries_its_name_and_version()
{
	base=${1##*/}
	title=$(printf '%s %s' "${base%.*}" "${base##*.}" | tr '[:lower:]' '[:upper:]')
	grep -qx "\.Dt $title" "$1" || echo "$1: .Dt is not $title" >>"$work/why"
	grep -qx "\.Os \"sysvinit $version\"" "$1" || echo "$1: .Os is not $version" >>"$work/why"
	grep -o '[0-9]\.[0-9]*-safelog[0-9.]*[0-9]' "$1" | grep -vxF "$version" >>"$work/why"
	[ ! -s "$work/why" ]
}

# The literal block of initctl.5 that begins with an #include.
example_compiles()
{
	sed -n '/^#include/,/^\.Ed/p' man/initctl.5 | sed '/^\.Ed/d; s/\\e/\\/g' >"$work/example.c"
	[ -s "$work/example.c" ] || echo "no example found" >"$work/why"
	${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Isrc/include \
		-fsyntax-only "$work/example.c" >>"$work/why" 2>&1 && [ ! -s "$work/why" ]
}

if ! command -v mandoc >/dev/null; then
	echo "1..1"
	echo "ok 1 - manual pages are clean # SKIP mandoc is not installed"
	exit 0
fi

make -n install DESTDIR="$work/root" >"$work/install" 2>&1
version=$(sed -n 's/^VERSION *:*= *//p' Makefile)

for page in init.8 telinit.8 inittab.5 initscript.5 initctl.5 runlevel.8 initlog.7 wall.1 mesg.1 \
	shutdown.8 halt.8 poweroff.8 reboot.8 killall5.8 pidof.8 fstab-decode.8 logsave.8 mountpoint.1 last.1 \
	lastb.1 utmpdump.1 bootlogd.8 readbootlog.1 unit2init.1 selinux-load.8; do
	[ -f "man/$page" ] || echo "man/$page" >>"$work/why"
done
[ ! -s "$work/why" ]
report $? "every page that the project promises is there"

for page in man/*.[1-9]; do
	is_clean "$page"
	report $? "$page has no warning from mandoc"
	is_installed "$page"
	report $? "$page is installed"
	refers_to_pages_that_exist "$page"
	report $? "$page refers to pages that exist"
	carries_its_name_and_version "$page"
	report $? "$page carries its name and the version"
done
example_compiles
report $? "the example of initctl.5 compiles"

echo "1..$n"
[ "$failed" -eq 0 ]
