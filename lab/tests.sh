# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The built tests by name, and their cases.

# The program of a test by name or path.
find_test() {
	local dir

	case $1 in
	*/*) [ ! -f "$1" ] || { realpath -- "$1"; return 0; } ;;
	*)
		for dir in build/out/kselftest/kvm/x86_64 x86_64; do
			[ ! -x "$LAB_TOP/$dir/$1" ] || { echo "$LAB_TOP/$dir/$1"; return 0; }
		done
		;;
	esac
	return 1
}

# Asking a program for its cases must not let it touch this machine.  One that does
# not know the question answers something else, or fails.
list_cases() {
	local as=() cases

	[ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs)
	cases=$(timeout 10 "${as[@]}" "$1" --list < /dev/null 2> /dev/null) || return 0
	grep -xE '[A-Za-z0-9_][A-Za-z0-9_.-]*' <<< "$cases" || true
}

# test_and_case TEST[.CASE]: the same as lab/run takes it, TEST[:CASE].
test_and_case() {
	local name=${1##*/} dir=''

	[[ $1 != */* ]] || dir=${1%/*}/
	case $name in
	*:*) echo "$1" ;;
	*.*) echo "$dir${name%%.*}:${name#*.}" ;;
	*) echo "$1" ;;
	esac
}
