# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Run tests on emulated hosts.  A host that dies in one of them gets a successor
# for those behind it.
#
# Part of corpus/run, whose variables it shares.
# shellcheck disable=SC2154

# test_name WORD: of a test as lab/run takes it, a path and a :CASEGLOB off.
test_name() {
	local name=${1%%:*}

	echo "${name##*/}"
}

# boot LOG MODULES TEST...: one host.  lab_rc says what lab/run said; boot_stopped is
# not empty when the host was ended at a red case.  known is the file of what the
# unmodified kernel does, where a red case is to end it.
boot() {
	local log=$1 modules=$2 args=(${silence:+--silence "$silence"}) param start=${EPOCHREALTIME/[.,]/}

	shift 2
	for param in ${set_params[@]+"${set_params[@]}"}; do
		if is_host_option "$param"; then
			args+=("--${param%%=*}" "${param#*=}")
		else
			args+=(--param "$param")
		fi
	done
	rm -rf "$log"
	mkdir -p "$log" 2> /dev/null || die "cannot write to $log"
	: > "$log/stdout"
	[ -z "${job_now:-}" ] || echo "$log/stdout" > "$job_now"
	setpriv --pdeathsig TERM "$CORPUS_LAB/run" --host "$host" --kernel "$kernel" --modules "$modules" \
		${args[@]+"${args[@]}"} --log "$log" "$@" \
		> "$log/stdout" 2> "$log/stderr" < /dev/null &
	child=$!
	boot_stopped=''
	watch_boot "$log/stdout"
	wait "$child" && lab_rc=0 || lab_rc=$?
	child=''
	boot_us=$((${EPOCHREALTIME/[.,]/} - start))
	judge_boot "$log" "$log/stdout" > "$log/red"
	rm -f "$log/initrd.img"
}

# Until lab/run ends, or a red case says that there is nothing more to learn.
watch_boot() {
	local stdout=$1 reds=0 now follow=''

	if [ "${V:-0}" != 0 ]; then
		tail -n +1 -f --pid="$child" "$stdout" >&2 &
		follow=$!
	fi
	while kill -0 "$child" 2> /dev/null; do
		sleep 0.3
		[ -z "$boot_stopped" ] && [ -n "$known" ] || continue
		now=$(grep -c '^# not ok ' "$stdout" || true)
		[ "$now" -gt "$reds" ] || continue
		reds=$now
		red_so_far "$known" "$stdout" || continue
		boot_stopped=1
		kill -TERM "$child" 2> /dev/null || true
	done
	[ -z "$follow" ] || wait "$follow" || true
}

# new_log LOG: for the boots that follow.
new_log() {
	rm -rf "$1"
	mkdir -p "$1" 2> /dev/null || die "cannot write to $1"
	: > "$1/cases"
	: > "$1/red"
	boots=0 spent_us=0
}

# run_tests LOG MODULES TEST...: adds to LOG/cases what came of every case, as in
# results.tsv, and "died TEST CASE" lines; to LOG/red the red cases, with the seconds
# of all boots.  Fails when no host came as far as a test.
run_tests() {
	local log=$1 modules=$2 remaining=("${@:3}") dir some=''

	while [ ${#remaining[@]} -gt 0 ]; do
		boots=$((boots + 1))
		dir=$log/boot$boots
		if ! boot_twice "$dir" "$modules" "${remaining[@]}"; then
			[ -n "$some" ] && return 0 || return 1
		fi
		some=1
		awk -F '\t' -v OFS='\t' -v before="$spent_us" \
			'{ $1 = sprintf("%.2f", $1 + before / 1000000); print }' "$dir/red" >> "$log/red"
		spent_us=$((spent_us + boot_us))
		# Sets remaining.
		behind_the_dead "$dir"
		collect_cases "$dir" >> "$log/cases"
		[ -z "$boot_stopped" ] || break
		# A death that counts is what was to be found.
		[ -z "$known" ] || ! counts "$known" "$log/red" | grep -vq '^no' || break
	done
}

# A host that did not come as far as a test gets a second chance.
boot_twice() {
	boot "$@"
	! reached_a_test "$1" && [ "$lab_rc" != 2 ] && [ "$lab_rc" != 4 ] || return 0
	boot "$@"
	reached_a_test "$1"
}

# The tests behind the one in which the host died; none, if it did not.
behind_the_dead() {
	local dead i

	dead=$(sed -n 's/^test\t//p' "$1/in-flight")
	for i in "${!remaining[@]}"; do
		[ "$(test_name "${remaining[i]}")" != "$dead" ] || break
	done
	if [ -n "$dead" ]; then
		remaining=("${remaining[@]:i+1}")
	else
		remaining=()
	fi
}

# What was not reached for another test's sake gets its own turn.
collect_cases() {
	local names=' ' test

	for test in ${remaining[@]+"${remaining[@]}"}; do
		names+="$(test_name "$test") "
	done
	awk -F '\t' -v names="$names" 'index(names, " " $2 " ") == 0' "$1/results.tsv"
	[ ! -s "$1/in-flight" ] || awk -F '\t' -v OFS='\t' '{ v[$1] = $2 }
		END { print "died", v["test"], v["case"], "", v["class"] ": " v["title"] }' "$1/in-flight"
}

# is_red_again LOG MODULES TEST CASE: that case by itself.
is_red_again() {
	local log=$1 modules=$2 test=$3 case_name=$4 known='' word

	for word in "${tests[@]}"; do
		[ "$(test_name "$word")" != "$test" ] || break
	done
	[ "$case_name" = - ] || word=${word%%:*}:$case_name
	boot "$log" "$modules" "$word"
	awk -F '\t' -v name="$test.$case_name" '($2 == name && $3 != "error") || $4 == "died" { found = 1 }
		END { exit !found }' "$log/red"
}
