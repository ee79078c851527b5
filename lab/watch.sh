# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Watch a host while its tests run: the tests' lines as they come, the kernel's
# messages for a death, and the clock.
#
# Part of lab/run, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# shellcheck source=kernel-words.sh
. "$LAB_DIR/kernel-words.sh"

# console_msg_format=syslog writes <facility * 8 + level>: below 8 is the kernel,
# above is what tests write into /dev/kmsg, and that proves nothing.
readonly KERNEL_LINE='^<([0-7])>\[ *[0-9.]+\](\[[^]]*\])? (.*)$'
readonly CRUMB_LINE='^<(8|9|1[0-5])>\[ *[0-9.]+\](\[[^]]*\])? ([A-Za-z0-9_-]+)\.([A-Za-z0-9_.-]+): (.*)$'

crumb_test='' crumb_case='' crumb_step=''
death_class='' death_title='' death_us=0
splat_title='' splat_test=0
console_part='' stream_part='' heard=''
last_started=-1

console_line() {
	local line=${1%$'\r'} text

	if [[ $line =~ $CRUMB_LINE ]]; then
		crumb_test=${BASH_REMATCH[3]}
		crumb_case=${BASH_REMATCH[4]}
		crumb_step=${BASH_REMATCH[5]}
		return
	fi
	[[ $line =~ $KERNEL_LINE ]] || return 0
	text=${BASH_REMATCH[3]}
	if [[ $text =~ $LOCKUP ]]; then
		host_dies lockup "$text"
	elif [[ $text =~ $DEATH ]]; then
		# What a lockup or an oops leads to is not a cause of its own.
		host_dies "$([[ $text == 'Kernel panic'* ]] && echo panic || echo oops)" "$text"
	elif [[ $text =~ $SPLAT ]] && [ "$last_started" -ge 0 ] && [ -z "$splat_title" ]; then
		splat_title=$text
		splat_test=$last_started
	fi
}

host_dies() {
	[ -z "$death_class" ] || [ "$death_class$1" = lockupoops ] || return 0
	death_class=$1
	death_title=$2
	since_start
	death_us=$echo_us
}

# drain FD PART HANDLER: read what a file got since the last time; a line may
# come in two parts, the first of which waits in the variable PART.
drain() {
	local fd=$1 handler=$3 line
	local -n part=$2

	while IFS= read -r line <&"$fd"; do
		heard=1
		line=$part$line
		part=''
		"$handler" "$line"
	done
	[ -z "$line" ] || heard=1
	part+=$line
}

drain_console() {
	drain "$console_fd" console_part console_line
}

# A busy machine, or a kernel full of debugging: what booted slowly runs slowly.
host_is_up() {
	local percent

	since_start
	[ -n "$quick_boot" ] || return 0
	percent=$((echo_us / (quick_boot * 10000)))
	[ "$percent" -gt 100 ] || return 0
	[ -n "$given_silence" ] || silence=$((silence * percent / 100))
	[ -n "$given_timeout" ] || timeout=$((timeout * percent / 100))
	emit "# up after $(seconds_of "$echo_us") s, not $quick_boot: longer time limits"
}

# The words of a host: those behind the run's own mark.
host_word() {
	local word=$1 rest=$2

	case $word in
	# Bochs cannot be told to end at a reset.
	hello) [ -z "$booted" ] || was_reset=1; booted=1; host_is_up ;;
	note) emit "# $rest" ;;
	start) last_started=$rest; start_test "$rest" ;;
	end)
		drain_console
		end_test "${rest#* }"
		write_results
		;;
	unload) unload_error=$rest ;;
	fatal) fatal=$rest ;;
	cannot) skip_all "$rest"; finished=1 ;;
	done) finished=1 ;;
	esac
}

stream_line() {
	local line=${1//[$'\001'-$'\010\013'-$'\037\177']/} words

	line=${line//$'\t'/        }
	# A test that died within a line leaves our mark at the end of it.
	if [[ $line == *"$mark "* ]]; then
		[ "$cur" -lt 0 ] || [ -z "${line%%"$mark "*}" ] || test_line "${line%%"$mark "*}"
		words=${line#*"$mark "}
		host_word "${words%% *}" "${words#* }"
	elif [ "$cur" -ge 0 ]; then
		test_line "$line"
	elif [ -n "$line" ]; then
		emit "# $line"
	fi
}

# Why the watching should end now; empty: it should not.
run_is_over() {
	since_start
	over=''
	if [ -n "$finished" ] || [ -n "$fatal" ]; then
		over=end
	elif [ -n "$was_reset" ]; then
		over='exit'
	elif [ -n "$death_class" ] && [ $((echo_us - death_us)) -gt 5000000 ]; then
		over=death
	elif [ -z "$booted" ] && [ "$echo_us" -gt $((boot_timeout * 1000000)) ]; then
		over=noboot
	elif [ -n "$booted" ] && [ $((echo_us - heard_us)) -gt $((silence * 1000000)) ]; then
		over=silence
	elif [ "$echo_us" -gt $((timeout * 1000000)) ]; then
		over=timeout
	fi
}

# Sets over to end, exit, death, noboot, silence or timeout.
#
# What the tests print is read from a file: with a time limit, read loses the
# newline that it got in the moment when the time was over.  end_fd is a pipe
# that nobody writes to; it ends with the emulator.
watch() {
	local rc

	booted='' was_reset='' finished='' fatal='' unload_error='' heard_us=0
	while :; do
		rc=0
		read -r -t 0.05 _ <&"$end_fd" || rc=$?
		heard=''
		drain "$stream_fd" stream_part stream_line
		drain_console
		since_start
		[ -z "$heard" ] || heard_us=$echo_us
		run_is_over
		[ -z "$over" ] || break
		[ $rc -gt 128 ] || { over='exit'; break; }
	done
	[ -z "$stream_part" ] || [ "$cur" -lt 0 ] || test_line "$stream_part"
}

# From the first word of the trouble to the end of the trace, without prefixes.
write_splat() {
	local title=$1

	sed -E 's/\r$//; s/^<[0-9]+>\[ *[0-9.]+\](\[[^]]*\])? //' "$log/console.log" |
		awk -v title="$title" '
		found == 0 && index($0, title) { found = 1; if (last ~ /cut here/) print last }
		found && n++ < 80 { print }
		{ last = $0 }' > "$log/splat.txt"
}
