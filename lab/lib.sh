# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the scripts of the lab: where things are, how a script fails, which
# Debian suite carries which kernel, and what to do about a missing program.
#
# Exit statuses are those of git bisect run: 0 good, 1 bad, 125 cannot tell.

readonly LAB_ERROR=125

LAB_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
LAB_TOP=$(dirname -- "$LAB_DIR")
LAB_CACHE=${KVM_LAB_CACHE:-$LAB_TOP/build/cache}
LAB_ME=$(readlink -f -- "$0")
LAB_ME=${LAB_ME#"$LAB_TOP"/}
readonly LAB_DIR LAB_TOP LAB_ME
# shellcheck disable=SC2034 # for those who read this file
readonly LAB_CACHE

# The kernels the lab knows by name.  The suite is where the newest package of
# that series is found; sid moves on, so a series may leave it.
lab_suite_of_kernel() {
	case $1 in
	5.10)	echo bullseye ;;
	6.1)	echo bookworm ;;
	6.12)	echo trixie ;;
	7.2)	echo sid ;;
	*)	return 1 ;;
	esac
}

# shellcheck disable=SC2034
readonly LAB_KERNELS="5.10 6.1 6.12 7.2"

say() {
	printf '%s: %s\n' "$LAB_ME" "$*" >&2
}

die() {
	say "$*"
	exit "$LAB_ERROR"
}

verbose() {
	[ -z "${V:-}" ] || [ "${V:-}" = 0 ] || printf '+ %s\n' "$*" >&2
}

# What a command said about its failure, on one line.
one_line() {
	tr '\n' ' ' | sed 's/  */ /g; s/ $//' | cut -c 1-400
}

# value_of KEY FILE: of a file with a "KEY TAB VALUE" a line; nothing, if there is none.
value_of() {
	[ ! -f "$2" ] || sed -n "s/^$1\t//p" "$2"
}

# need PROGRAM:PACKAGE...: root gets what is missing installed; anybody else is
# told what to type.  /FILE:PACKAGE asks for a file.
need() {
	local item missing=() packages=() log

	for item in "$@"; do
		! has "${item%%:*}" || continue
		missing+=("${item%%:*}")
		packages+=("${item#*:}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	command -v apt-get > /dev/null ||
		die "missing: ${missing[*]} (Debian packages: ${packages[*]})"
	[ "$(id -u)" = 0 ] ||
		die "missing: ${missing[*]}; type:" \
			"sudo apt-get install --no-install-recommends ${packages[*]}"

	say "installing ${packages[*]}"
	log=$(mktemp) || die "cannot write to ${TMPDIR:-/tmp}"
	if ! need_install "${packages[@]}" > "$log" 2>&1; then
		item=$(grep '^E:' "$log" | head -n 3 | tr '\n' ' ')
		rm -f "$log"
		die "cannot install ${packages[*]}: ${item:-apt-get failed}"
	fi
	rm -f "$log"
}

has() {
	if [[ $1 == /* ]]; then
		[ -e "$1" ]
	else
		command -v "$1" > /dev/null
	fi
}

# Package lists may be absent (fresh image) or too old for the archive. One at a
# time: apt-get gives up at once where another one updates the lists.
need_install() (
	get=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)

	flock 9
	"${get[@]}" install --no-install-recommends "$@" && return 0
	"${get[@]}" update
	"${get[@]}" install --no-install-recommends "$@"
) 9> /run/kvm-lab-need.lock
