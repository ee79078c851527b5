# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What one run of a test says in a bisection. Bad is the failure that is sought and
# no other: a signature is "TEST.CASE: CLASS", where the class is the oracle's word,
# and for a splat or a panic its title, too, without what differs from boot to boot.

# shellcheck source=judge.sh
. "$LAB_DIR/judge.sh"

# A line of the kernel log, without CPUs, processes, addresses, lines and numbers.
#
# Which of the first three words it is depends on what was found in the memory that
# a bad pointer pointed to.
title_of() {
	sed -E 's/^.*(BUG: unable to handle page fault|BUG: kernel NULL pointer dereference|general protection fault).*/bad access/
		s/^.*(WARNING: |BUG: |kernel BUG at |Kernel panic|UBSAN: |KASAN: |refcount_t: )/\1/
		s/(CPU: |PID: |CPU#)[0-9]+ ?//g; s/Comm: [^ ]+ ?//; s/\+0x[0-9a-f]+(\/0x[0-9a-f]+)?//g
		s/(0x)?[0-9a-f]{8,}|0x[0-9a-f]+/X/g; s/(\.[chS]):[0-9]+/\1/g
		s/\.(isra|part|constprop|cold)(\.[0-9]+)*//g; s/ \[kvm[a-z_]*\]//g; s/[0-9]+/N/g; s/ +$//'
}

# The function in which the host died.
function_of() {
	[ ! -f "$1" ] || sed -nE 's/.*RIP: 0010:([A-Za-z0-9_]+).*/\1/p' "$1" | sed -n 1p
}

# class_of LOG HOW DIED TEXT
class_of() {
	local log=$1 how=${2%%+*} in

	case $how in
	panic)
		in=$(function_of "$log/splat.txt")
		echo "panic: $(title_of <<< "${4%%$'\t'*}")${in:+ in $in}"
		;;
	log)
		in=$(tr '\t' '\n' <<< "$4" | grep -m 1 -E 'WARNING: |BUG: |UBSAN: |KASAN: |reserved bits' || true)
		echo "log${in:+: $(title_of <<< "$in")}"
		;;
	*) echo "$how" ;;
	esac
}

# signatures LOG: those of the red cases; what broke without KVM's help has none.
signatures() {
	local name how died text

	judge_boot "$1" "$1/ktap.log" > "$1/red"
	while IFS=$'\t' read -r _ name how died text; do
		[ "$how" != error ] || continue
		printf '%s: %s\n' "$name" "$(class_of "$1" "$how" "$died" "$text")"
	done < "$1/red"
}

# status_of LOG TEST.CASE: pass, fail, ... of that case; nothing when there is none.
status_of() {
	awk -F '\t' -v name="$2" '$2 "." $3 == name { print $1 }' "$1/results.tsv"
}

# judge_run LOG STATUS SOUGHT: sets run_says to good, bad, skip (cannot tell) or
# broken (the lab is), run_why, and run_signature if bad. STATUS is lab/run's. With
# an empty SOUGHT the first red case is as good as any.
judge_run() {
	local log=$1 status=$2 sought=$3 found

	run_says=skip run_why='' run_signature=''
	if [ "$status" = 2 ] || [ ! -f "$log/results.tsv" ]; then
		run_says=broken
		run_why=$(last_words "$log")
		return
	fi
	found=$(signatures "$log")
	if [ -n "$found" ] && { [ -z "$sought" ] || grep -qxF -- "$sought" <<< "$found"; }; then
		run_says=bad
		run_signature=${sought:-$(sed -n 1p <<< "$found")}
		run_why=$run_signature
	elif [ "$status" = 125 ] && ! grep -qvE '^miss'$'\t' "$log/results.tsv"; then
		run_why=$(last_words "$log")
		[[ $run_why =~ did\ not\ boot|could\ not\ be\ set\ up|no\ parameter ]] || run_says=broken
	elif [ -n "$sought" ]; then
		judge_without_sought "$log" "${sought%%: *}" "$found"
	else
		judge_without_red "$log" "$status"
	fi
}

judge_without_sought() {
	local log=$1 name=$2 found=$3 status

	status=$(status_of "$log" "$name")
	case ${name#*.} in
	# What is told of a whole test has a line only when it is red.
	kernel_log | kvm_unload | -) [ -n "$status" ] || status=pass ;;
	esac
	if [ -s "$log/in-flight" ] || [ "$status" = fail ]; then
		run_why="another failure: ${found%%$'\n'*}"
	elif [ "$status" = pass ]; then
		run_says=good
		run_why="$name is green"
	else
		run_why="$name: $(reason_of "$log" "$name" "${status:-no result}")"
	fi
}

judge_without_red() {
	case $2 in
	0) run_says=good run_why='all green' ;;
	4) run_why="skipped: $(awk -F '\t' '$1 == "skip" { print $5; exit }' "$1/results.tsv")" ;;
	*) run_why=$(awk -F '\t' '$1 == "error" || $1 == "miss" { print $2 "." $3 ": " $1 ": " $5; exit }' \
		"$1/results.tsv") ;;
	esac
}

reason_of() {
	awk -F '\t' -v name="$2" -v status="$3" '$2 "." $3 == name { why = ": " $5 }
		END { print status why }' "$1/results.tsv"
}
