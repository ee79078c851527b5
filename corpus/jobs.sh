# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Several things at once: phases of jobs, how far they are, and what a signal ends.
#
# Part of corpus/run, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# shellcheck source=../lab/work.sh
. "$CORPUS_TOP/lab/work.sh"

child='' job_now='' job_failed='' jobs_started=0 progress_at=0 started=$SECONDS work=''
declare -A running=() running_name=()

# The directory of what is known only while this runs.
start_work() {
	make_work kvm-corpus
	trap end_work EXIT
	trap 'exit 130' INT TERM HUP
}

# shellcheck disable=SC2317 # run by a trap
end_work() {
	trap - INT TERM HUP
	[ ${#running[@]} = 0 ] || kill -TERM "${!running[@]}" 2> /dev/null || true
	wait
	rm -rf "$work"
}

# start_phase JOBS ... end_phase: each job has its turn.
start_phase() {
	jobs_total=$1 jobs_done=0 phase_started=$SECONDS
}

end_phase() {
	while [ ${#running[@]} -gt 0 ]; do
		wait_job
	done
	[ -z "$job_failed" ] || die "a job has failed"
}

# start_job NAME FUNCTION ARG...: in the background, as soon as there is a place.
start_job() {
	local name=$1

	while [ ${#running[@]} -ge "$parallel" ]; do
		wait_job
	done
	jobs_started=$((jobs_started + 1))
	job "$jobs_started" "${@:2}" &
	running[$!]=$jobs_started
	running_name[$!]=$name
}

# job NUMBER FUNCTION ARG...
job() {
	trap 'stop_child; exit 143' TERM
	trap - EXIT
	job_number=$1
	job_now=$work/now.$1
	"${@:2}"
}

# The lab ends its emulator when it is told to end.
stop_child() {
	[ -n "$child" ] || return 0
	kill "$child" 2> /dev/null || true
	wait "$child" || true
}

# Until one of the jobs has ended.
wait_job() {
	local pid

	while :; do
		for pid in "${!running[@]}"; do
			! kill -0 "$pid" 2> /dev/null || continue
			wait "$pid" || job_failed=1
			[ ! -f "$work/said.${running[$pid]}" ] || show_said "$work/said.${running[$pid]}"
			unset "running[$pid]" "running_name[$pid]"
			jobs_done=$((jobs_done + 1))
			show_done
			return 0
		done
		sleep 0.3
		if [ -t 2 ] || [ $((SECONDS - progress_at)) -ge 60 ]; then
			progress_at=$SECONDS
			show_progress
		fi
	done
}

show_said() {
	[ ! -t 2 ] || printf '\r\033[K' >&2
	cat "$1"
}
