# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Where a script has what is known only while it runs. Shared by lab/run and corpus/.

# make_work NAME: $work is a directory of this process's own, which is to remove it.
#
# Who is killed cannot. What nobody holds any more goes at the next start; what has just
# been made may not be held yet.
make_work() {
	local tmp=${TMPDIR:-/tmp} old fd

	while IFS= read -r -d '' old; do
		{ exec {fd}< "$old"; } 2> /dev/null || continue
		! flock -n "$fd" || rm -rf -- "$old"
		exec {fd}<&-
	done < <(find "$tmp" -maxdepth 1 -type d -user "$(id -u)" -name "$1.??????" -mmin +1 \
		-print0 2> /dev/null)
	work=$(mktemp -d "$tmp/$1.XXXXXX" 2> /dev/null) || die "cannot write to $tmp"
	exec {work_fd}< "$work"
	flock "$work_fd"
}
