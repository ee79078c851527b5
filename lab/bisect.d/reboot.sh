# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What lab/bisect-step remembers across reboots, and what it finds out about a host
# that went down in a test.
#
# Part of lab/bisect-step, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# shellcheck source=../kernel-words.sh
. "$LAB_DIR/kernel-words.sh"

# A test's own words in the kernel log, whatever is in front of them.
readonly CRUMB='^([^A-Za-z]*[^]]*\] )?([A-Za-z0-9_-]+)\.([A-Za-z0-9_.-]+): (.*)$'
readonly BOOT_ID=${KVM_BISECT_BOOT_ID:-/proc/sys/kernel/random/boot_id} # others, in lab/selftest

# Sets was_KEY for each "KEY TAB VALUE" line of FILE.
read_state() {
	local key value

	was_running='' was_boot='' was_kernel='' was_sought=''
	[ -e "$state" ] || return 0
	while IFS=$'\t' read -r key value; do
		case $key in
		running) was_running=$value ;;
		boot) was_boot=$value ;;
		kernel) was_kernel=$value ;;
		sought) was_sought=$value ;;
		esac
	done < "$state"
	[ -z "$was_running" ] || [ "$was_running" = "$test_word" ] ||
		bad_usage "$state is about $was_running, not $test_word"
	sought=${sought:-$was_sought}
}

write_state() {
	mkdir -p "$(dirname -- "$state")" 2> /dev/null || true
	printf '%s\t%s\n' "$@" 2> /dev/null > "$state.new" || { say "cannot write $state"; exit $BROKEN; }
	sync "$state.new" 2> /dev/null || true
	mv "$state.new" "$state"
	sync "$(dirname -- "$state")" 2> /dev/null || true
}

begin_state() {
	write_state running "$test_word" boot "$(cat "$BOOT_ID")" kernel "$(uname -rv)" sought "$sought"
	echo "<5>lab: bisect-step $(cat "$BOOT_ID")" 2> /dev/null > /dev/kmsg || true
}

end_state() {
	[ "$verdict" != bad ] || sought=$found
	write_state sought "$sought" verdict "$verdict"
}

# The test ran in another boot than this one, and did not come to its end.
went_down() {
	[ -n "$was_running" ] && [ "$was_boot" != "$(cat "$BOOT_ID")" ]
}

# The logs that may tell, newer than the test's start.
kernel_logs() {
	pstore_logs "$state"
	if [ -n "$console" ] && [ "$console" -nt "$state" ]; then
		cat "$console"
	fi
}

# A verdict on the kernel before, as if lab/run had watched it.
what_took_it_down() {
	local dir=$log/run1 line title='' class='' test='' name='' step=''

	rm -rf "$dir"
	mkdir -p "$dir"
	kernel_logs | tr -d '\r' | awk -v mark="lab: bisect-step $was_boot" '
		index($0, mark) { n = 0; next }
		{ line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }' > "$dir/console.log"
	while IFS= read -r line; do
		if [[ $line =~ $LOCKUP ]]; then
			class=lockup
		elif [[ $line =~ $DEATH ]]; then
			class=panic
		elif [[ $line =~ $CRUMB ]] && [[ ${BASH_REMATCH[2]} = "$(basename -- "${test_word%%:*}")" ]]; then
			test=${BASH_REMATCH[2]} name=${BASH_REMATCH[3]} step=${BASH_REMATCH[4]}
			continue
		else
			continue
		fi
		title=$line
		break
	done < "$dir/console.log"
	done_runs=1
	if [ -z "$title" ]; then
		verdict=skip
		why="the host went down in $test_word (kernel $was_kernel), and no pstore or console log says why"
		return
	fi
	as_lab_run "$dir" "${test:-$(basename -- "${test_word%%:*}")}" "${name:--}" "$step" $class "$title"
	judge_run "$dir" 1 "$sought"
	verdict=$run_says why="$run_why, at the boot of kernel $was_kernel" found=$run_signature
	[ "$verdict" != bad ] || bad_runs=1
}

# as_lab_run DIR TEST CASE STEP CLASS TITLE: what lab/run leaves of a host that died.
as_lab_run() {
	printf 'fail\t%s\t%s\t\t%s\t0\n' "$2" "$3" "$6" > "$1/results.tsv"
	printf '%s\t%s\n' test "$2" case "$3" step "$4" class "$5" title "$6" > "$1/in-flight"
	: > "$1/ktap.log"
	awk -v title="$6" 'index($0, title) { found = 1 } found' "$1/console.log" > "$1/splat.txt"
}
