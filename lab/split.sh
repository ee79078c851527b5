# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# One run on several emulated hosts at once: an emulated host keeps one CPU of this
# machine busy, whatever it is told.  Each host gets some of the tests and is a
# lab/run of its own, whose log is below this run's; what it says about a test goes
# on from here when the test is over.
#
# Part of lab/run, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# By host: its process, the places of its tests in this run, what they may take in ms,
# the file that is read, whether its tests have begun, and what came since the last one.
host_pid=() host_tests=() host_load=() host_fd=() host_part=() host_at=() host_block=()
blocks_done=0

# "MS INDEX": how long each test may take, by lab/durations; of one that is not there,
# three cases make a second.
weigh_tests() {
	local i key

	{
		grep -v '^#' "$LAB_DIR/durations"
		for i in "${!test_name[@]}"; do
			echo "test $i"
		done
		for key in "${case_order[@]}"; do
			echo "case ${key%% *} ${test_name[${key%% *}]}"
		done
	} | awk '
	$1 == "test" { ms[$2] = 50; next }
	$1 == "case" { ms[$2] += $3 in usual ? usual[$3] : 300; next }
	{ usual[$1] = $2 }
	END { for (i in ms) printf "%d %d\n", ms[i], i }'
}

# The longest test first, to the host that has the least to do.
deal_tests() {
	local i h least ms

	for ((h = 0; h < jobs; h++)); do
		host_tests[h]='' host_load[h]=0
	done
	while read -r ms i; do
		least=0
		for ((h = 1; h < jobs; h++)); do
			[ "${host_load[h]}" -ge "${host_load[least]}" ] || least=$h
		done
		host_tests[least]+=" $i"
		host_load[least]=$((host_load[least] + ms))
	done < <(weigh_tests | sort -k 1,1nr -k 2,2n)
	for ((h = 0; h < jobs; h++)); do
		# shellcheck disable=SC2086 # one word per number
		host_tests[h]=$(printf '%s\n' ${host_tests[h]} | sort -n)
	done
}

start_hosts() {
	local h i words

	for ((h = 0; h < jobs; h++)); do
		words=()
		for i in ${host_tests[h]}; do
			words+=("${test_file[i]}${test_glob[i]:+:${test_glob[i]}}")
		done
		rm -f "$log/host$h"/{ktap.log,results.tsv} # of an earlier run
		setpriv --pdeathsig TERM "$LAB_DIR/run" "${passed[@]}" --log "$log/host$h" \
			"${words[@]}" > /dev/null &
		host_pid[h]=$!
		host_fd[h]='' host_part[h]='' host_at[h]=start host_block[h]=''
	done
	start_us=${EPOCHREALTIME/[.,]/}
}

# Whole tests in the order of their ends, so that their numbers go up.
host_line() {
	local h=$1 line=$2

	case $line in
	'TAP version'* | 1..*) return ;;
	'# selftests: kvm: '*) host_at[h]=tests ;;
	esac
	if [[ $line =~ ^((not )?ok\ )[0-9]+(\ selftests:\ kvm:\ .*)$ ]]; then
		blocks_done=$((blocks_done + 1))
		emit_block "${host_block[h]}"
		emit "${BASH_REMATCH[1]}$blocks_done${BASH_REMATCH[3]}"
		host_block[h]=''
	elif [ "${host_at[h]}" = tests ]; then
		host_block[h]+=$line$'\n'
	elif [ "$h" = 0 ]; then
		emit "$line" # each host says what it is; one is enough
	fi
}

emit_block() {
	local line

	[ -n "$1" ] || return 0
	while IFS= read -r line; do
		emit_case "$line"
	done <<< "${1%$'\n'}"
}

drain_host() {
	local h=$1 line file=$log/host$1/ktap.log

	if [ -z "${host_fd[h]}" ]; then
		[ -e "$file" ] || return 0
		exec {host_fd[h]}< "$file"
	fi
	while IFS= read -r line <&"${host_fd[h]}"; do
		host_line "$h" "${host_part[h]}$line"
		host_part[h]=''
	done
	host_part[h]+=$line
}

hosts_running() {
	local h

	for h in "${!host_pid[@]}"; do
		if kill -0 "${host_pid[h]}" 2> /dev/null; then
			return 0
		fi
	done
	return 1
}

stop_hosts() {
	local h

	for h in "${!host_pid[@]}"; do
		kill -TERM "${host_pid[h]}" 2> /dev/null || true
	done
	for h in "${!host_pid[@]}"; do
		wait "${host_pid[h]}" 2> /dev/null || true
	done
	host_pid=()
}

# The hosts' results become this run's.  A host has its planned cases first, in the
# order of its tests, and then what was found to say beyond them.
collect_results() {
	local h i key keys status name case_name seconds reason at n

	for ((h = 0; h < jobs; h++)); do
		keys=()
		for key in "${case_order[@]}"; do
			for i in ${host_tests[h]}; do
				[ "${key%% *}" != "$i" ] || keys+=("$key")
			done
		done
		[ -s "$log/host$h/results.tsv" ] || continue
		n=0
		# A tab would not tell an empty field.
		while IFS=$'\037' read -r status name case_name seconds reason at; do
			if [ $n -lt ${#keys[@]} ]; then
				key=${keys[n]}
			else
				for i in ${host_tests[h]}; do
					[ "${test_name[i]}" != "$name" ] || break
				done
				key="$i $case_name"
				plan_case "$i" "$case_name"
			fi
			n=$((n + 1))
			case_status[$key]=$status
			case_reason[$key]=$reason
			case_seconds[$key]=$seconds
			case_at[$key]=$at
		done < <(tr '\t' '\037' < "$log/host$h/results.tsv")
	done
}

run_split() {
	local h going=1

	deal_tests
	start_hosts
	while [ -n "$going" ]; do
		hosts_running || going=''
		for ((h = 0; h < jobs; h++)); do
			drain_host "$h"
		done
		[ -z "$going" ] || sleep 0.2
	done
	# What a host says behind its last test: a complaint that no test noticed.
	for ((h = 0; h < jobs; h++)); do
		emit_block "${host_block[h]}"
	done
	collect_results
}
