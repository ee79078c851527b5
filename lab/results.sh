# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What came of every case.  The plan is made before the run, so that a case that
# was never reached is missed, not forgotten; the tests' output and the way the
# host ended fill it in.
#
# Part of lab/run, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# Per case, by "INDEX CASE" where INDEX is the test's place in this run.
declare -A case_status=() case_reason=() case_seconds=() case_at=()
case_order=()

# The test that runs and its case; diagnostics wait here for their result line.
cur=-1 cur_case='' case_start=0 diag_first='' diag_last='' diag_fault='' diag_judged='' whole_skip=''

# Everything that the run says goes to ktap.log, too.
emit() {
	printf '%s\n' "$1"
	printf '%s\n' "$1" >&"$ktap_fd"
}

# Case lines in colour, on a terminal only; the log stays plain.
emit_case() {
	local colour=''

	if [ -n "$use_colour" ]; then
		case $1 in
		*'# SKIP'*) colour=33 ;;
		'# ok '*) colour=32 ;;
		'# not ok '*) colour=31 ;;
		esac
	fi
	if [ -n "$colour" ]; then
		printf '\033[%sm%s\033[m\n' "$colour" "$1"
		printf '%s\n' "$1" >&"$ktap_fd"
	else
		emit "$1"
	fi
}

# Microseconds since the emulator was started.
since_start() {
	echo_us=$((${EPOCHREALTIME/[.,]/} - start_us))
}

seconds_of() {
	printf '%d.%02d' $(($1 / 1000000)) $(($1 / 10000 % 100))
}

plan_case() {
	[ -z "${case_status[$1 $2]:-}" ] || return 0
	case_order+=("$1 $2")
	case_status[$1 $2]=miss
	case_reason[$1 $2]='not run'
}

# record INDEX CASE STATUS REASON: a second word on a case can only be worse.
record() {
	local key="$1 $2" rank_old rank_new duration=''

	plan_case "$1" "$2"
	rank_of "${case_status[$key]}"; rank_old=$rank
	rank_of "$3"; rank_new=$rank
	[ "$rank_new" -ge "$rank_old" ] || return 0
	since_start
	if [ "$2" = "$cur_case" ]; then
		duration=$(seconds_of $((echo_us - case_start)))
	fi
	case_status[$key]=$3
	case_reason[$key]=$4
	case_seconds[$key]=$duration
	case_at[$key]=$(seconds_of "$echo_us")
}

rank_of() {
	case $1 in
	miss) rank=0 ;;
	pass) rank=1 ;;
	skip) rank=2 ;;
	error) rank=3 ;;
	fail) rank=4 ;;
	esac
}

readonly RESULT_LINE='^(not )?ok [0-9]+( |$)(- )?([^#]*)(#[[:space:]]*(.*))?$'

# One line that the running test printed.
test_line() {
	local line=$1

	case $line in
	'#  RUN  '*)
		cur_case=${line#'#  RUN  '}
		cur_case=${cur_case// /}
		cur_case=${cur_case%...}
		diag_first='' diag_last='' diag_fault='' diag_judged=''
		since_start
		case_start=$echo_us
		emit "# $line"
		;;
	'ok '* | 'not ok '*)
		result_line "$line"
		emit_case "# $line"
		diag_first='' diag_last='' diag_fault='' diag_judged=''
		;;
	1..0*SKIP*)
		whole_skip=${line#*SKIP}
		whole_skip=${whole_skip# }
		emit "# $line"
		;;
	*)
		note_diagnostic "$line"
		emit "# $line"
		;;
	esac
}

# Why a case fails is said before the first "oracle:" line, with more about it indented;
# without such a line, it is the first thing that the case says. The last is why it is
# skipped.
note_diagnostic() {
	local text=${1#'#'}

	text=${text#"${text%%[![:space:]]*}"}
	case $text in
	'' | 'OK  '* | 'FAIL  '* | 'SKIP  '* | 'TAP version'* | 1..* | *': Test '*) return ;;
	esac
	if [[ $text == 'oracle: '* ]]; then
		[ -z "$diag_fault" ] || diag_first=$diag_fault
		diag_judged=1
	elif [ -z "$diag_judged" ] && [[ $1 != '#  '* ]]; then
		diag_fault=$text
	fi
	[ -n "$diag_first" ] || diag_first=$text
	diag_last=$text
}

result_line() {
	local name directive status reason

	[[ $1 =~ $RESULT_LINE ]] || return 0
	name=${BASH_REMATCH[4]%"${BASH_REMATCH[4]##*[![:space:]]}"}
	directive=${BASH_REMATCH[6]}
	# The harness before 6.10 leaves the name out of a skip.
	[ -n "$name" ] || name=$cur_case
	status=pass
	reason=''
	[ -z "${BASH_REMATCH[1]}" ] || { status=fail; reason=$diag_first; }
	case $directive in
	SKIP*) status=skip; reason=${directive#SKIP}; reason=${reason:-$diag_last} ;;
	TIMEOUT*) reason=$directive ;;
	ERROR*) status=error; reason=${directive#ERROR} ;;
	esac
	record "$cur" "${name:--}" "$status" "${reason# }"
	[ "$name" != "$cur_case" ] || cur_case=''
}

start_test() {
	cur=$1 cur_case='' whole_skip='' diag_first='' diag_last='' diag_fault='' diag_judged=''
	emit "# selftests: kvm: ${test_name[cur]}"
}

# What the exit status says about cases that said nothing themselves.
end_test() {
	local rc=$1 key name

	if [ -n "$cur_case" ] && [ "$rc" -gt 128 ]; then
		record "$cur" "$cur_case" fail "the test was killed by signal $((rc - 128))"
	elif [ -n "$cur_case" ]; then
		record "$cur" "$cur_case" error "the test ended in this case, exit=$rc"
	fi
	count_of "$cur"
	if [ "$planned" = 0 ]; then
		case $rc in
		0) record "$cur" - pass '' ;;
		4) record "$cur" - skip "${whole_skip:-$diag_last}" ;;
		*) record "$cur" - fail "exit=$rc" ;;
		esac
	elif [ "$rc" = 4 ] && [ "$planned" = "$n_miss" ]; then
		for key in "${case_order[@]}"; do
			name=${key#* }
			[ "${key%% *}" != "$cur" ] || record "$cur" "$name" skip "${whole_skip:-$diag_last}"
		done
	elif [ "$rc" = 0 ] || { [ "$rc" = 4 ] && [ $((n_pass + n_fail + n_error)) = 0 ]; }; then
		:
	elif [ $((n_fail + n_error + n_miss)) = 0 ]; then
		record "$cur" - error "exit=$rc, and no case failed"
	fi
	emit_missed "$cur" "exit=$rc"
	emit_outer "$cur" "exit=$rc"
	cur=-1 cur_case=''
}

# count_of INDEX|all: planned and n_STATUS of one test, or of all.
count_of() {
	local key

	planned=0 n_pass=0 n_fail=0 n_error=0 n_miss=0 n_skip=0
	for key in ${case_order[@]+"${case_order[@]}"}; do
		[ "$1" = all ] || [ "${key%% *}" = "$1" ] || continue
		planned=$((planned + 1))
		case ${case_status[$key]} in
		pass) n_pass=$((n_pass + 1)) ;;
		fail) n_fail=$((n_fail + 1)) ;;
		error) n_error=$((n_error + 1)) ;;
		miss) n_miss=$((n_miss + 1)) ;;
		skip) n_skip=$((n_skip + 1)) ;;
		esac
	done
}

# skip_all REASON: the host is not one that these tests were to run on.
skip_all() {
	local i key number

	for i in "${!test_name[@]}"; do
		emit "# selftests: kvm: ${test_name[i]}"
		emit "# # $1"
		number=0
		for key in ${case_order[@]+"${case_order[@]}"}; do
			[ "${key%% *}" = "$i" ] || continue
			number=$((number + 1))
			record "$i" "${key#* }" skip "$1"
			emit_case "# ok $number ${key#* } # SKIP"
		done
		[ $number != 0 ] || record "$i" - skip "$1"
		emit_outer "$i" ''
	done
}

emit_missed() {
	local key number=0

	for key in ${case_order[@]+"${case_order[@]}"}; do
		[ "${key%% *}" = "$1" ] || continue
		number=$((number + 1))
		[ "${case_status[$key]}" = miss ] || continue
		case_reason[$key]="not run ($2)"
		emit_case "# not ok $number ${key#* } # ERROR not run"
	done
}

# The line of a whole test, as kselftest's runner writes it.
emit_outer() {
	local line="selftests: kvm: ${test_name[$1]}" number=$(($1 + 1))

	count_of "$1"
	if [ "$n_fail" -gt 0 ]; then
		emit "not ok $number $line # $2"
	elif [ $((n_error + n_miss)) -gt 0 ]; then
		emit "not ok $number $line # ERROR $2"
	elif [ "$n_pass" -gt 0 ]; then
		emit "ok $number $line"
	else
		emit "ok $number $line # SKIP"
	fi
}

# host_died CLASS TITLE: the run ended early.  CLASS: panic, oops, lockup,
# silence, timeout, exit.  The breadcrumb is newer than anything on the tests'
# own port, whose last bytes die with the kernel.
host_died() {
	local class=$1 title=$2 victim=$cur_case status=fail number=0 before why key i

	if [ "$cur" -lt 0 ]; then
		cur=$((last_started < 0 ? 0 : last_started))
	fi
	if [ "$crumb_test" = "${test_name[cur]}" ] && [ -n "$crumb_case" ]; then
		victim=$crumb_case
	fi
	victim=${victim:--}
	[ "$class" != lockup ] || status=error
	before=${case_status[$cur $victim]:-}
	why="$class: $title"
	[ "$before" != fail ] || why="${case_reason[$cur $victim]}; then $why"
	record "$cur" "$victim" "$status" "$why"
	printf '%s\t%s\n' test "${test_name[cur]}" case "$victim" step "$crumb_step" class "$class" \
		title "$title" seconds "${case_at[$cur $victim]}" > "$log/in-flight"
	# Whoever reads the next lines may end this run at once.
	write_results
	emit "# # host died ($class): $title"
	emit "# # in flight: ${test_name[cur]} $victim, last step: ${crumb_step:-unknown}"
	[ ! -s "$log/splat.txt" ] || while IFS= read -r line; do
		emit "# # $line"
	done < <(head -n 40 "$log/splat.txt")
	for key in "${case_order[@]}"; do
		[ "${key%% *}" = "$cur" ] || continue
		number=$((number + 1))
		[ "${key#* }" != "$victim" ] || [ "$before" = fail ] ||
			emit_case "# not ok $number $victim$(directive_of "$class")"
	done
	why="host died ($class)"
	[ "$class" != timeout ] && [ "$class" != silence ] || why=TIMEOUT
	for ((i = cur; i < ${#test_name[@]}; i++)); do
		[ "$i" = "$cur" ] || emit "# selftests: kvm: ${test_name[i]}"
		emit_missed "$i" "the host died in ${test_name[cur]}"
		if [ "$i" = "$cur" ]; then
			emit_outer "$i" "$why"
		else
			emit_outer "$i" 'not run'
		fi
	done
}

directive_of() {
	case $1 in
	timeout | silence) echo ' # TIMEOUT' ;;
	lockup) echo ' # ERROR lockup without an oops' ;;
	esac
}

# results.tsv: complete at every moment; what has not run yet is missed.
write_results() {
	local key

	for key in ${case_order[@]+"${case_order[@]}"}; do
		printf '%s\t%s\t%s\t%s\t%s\t%s\n' \
			"${case_status[$key]}" "${test_name[${key%% *}]}" "${key#* }" \
			"${case_seconds[$key]:-}" "${case_reason[$key]//$'\t'/ }" "${case_at[$key]:-}"
	done > "$log/results.tsv.new"
	mv "$log/results.tsv.new" "$log/results.tsv"
}

# Counts, everything that did not pass, and how to repeat; sets verdict.
summary() {
	local key status

	count_of all
	echo
	for status in fail error miss skip; do
		for key in ${case_order[@]+"${case_order[@]}"}; do
			[ "${case_status[$key]}" = $status ] || continue
			printf '%-5s %s %s: %s\n' "${status^^}" "${test_name[${key%% *}]}" "${key#* }" \
				"${case_reason[$key]:-no reason given}"
		done
	done
	printf '%d passed, %d failed, %d errors, %d missed, %d skipped in %s s\n' \
		"$n_pass" "$n_fail" "$n_error" "$n_miss" "$n_skip" "$(seconds_of "$echo_us")"
	echo "log: $log"
	echo "repeat: $repeat"
	if [ "$n_fail" -gt 0 ]; then
		verdict=1
	elif [ $((n_error + n_miss)) -gt 0 ]; then
		verdict=$LAB_ERROR
	elif [ "$n_pass" -gt 0 ]; then
		verdict=0
	else
		verdict=4
	fi
}
