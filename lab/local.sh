# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# This machine as the host of lab/matrix: its own kernel, whose KVM modules are
# loaded with each row's parameters, and put back at the end.
#
# Part of lab/matrix, whose variables it shares.
# shellcheck disable=SC2034,SC2154

local_vendor() {
	if grep -qw svm /proc/cpuinfo; then
		echo amd
	elif grep -qw vmx /proc/cpuinfo; then
		echo intel
	else
		die "no SVM and no VMX in /proc/cpuinfo: nothing for KVM here"
	fi
}

# add_local_job ROW HOSTS [OPTION]...: the rows of this vendor, whatever the
# kernels.
add_local_job() {
	local row=$1 hosts=$2 release

	shift 2
	[[ ,$hosts, == *,$vendor,* ]] || return 0
	release=$(uname -r)
	jobs+=("local-$release-$row local $release $row $*")
}

# A row is quick here if it is so on some kernel in the lab.
local_quick() {
	[ -n "$vendor" ] && [[ " ${quick[*]} " =~ " $vendor-"[^\ ]+"-${1#"local-$(uname -r)-"} " ]]
}

# What makes an old result worthless, besides the tests: another build of the
# kernel or of its modules.
local_build() {
	local module

	uname -rv
	for module in kvm "kvm_$vendor"; do
		cat -- "$(modinfo -n "$module" 2> /dev/null)" 2> /dev/null || true
	done
}

# Sets params and words (for lab/run) from a row's options; says why not if one
# of them is for emulated hosts.
local_options() {
	params=() words=()
	while [ $# -gt 0 ]; do
		case $1 in
		--param) params+=("${2/#kvm-/kvm_}") ;;
		--timeout | --silence) words+=("$1" "$2") ;;
		*) echo "$1 is for emulated hosts"; return 1 ;;
		esac
		shift 2
	done
}

# modules COMMAND...: its words are in $said. It keeps our lock, should we be
# killed before it is done.
modules() {
	local rc=0

	"$LAB_DIR/modules" "$@" > "$results/modules.out" 2>&1 || rc=$?
	said=$(sed 's/^lab\/modules: //' "$results/modules.out" | one_line)
	rm -f "$results/modules.out"
	return $rc
}

# One run at a time. What a run that was killed has left behind is put back.
local_start() {
	local rc=0

	[ "$(id -u)" = 0 ] || die "--local reloads KVM's modules, and needs root: sudo lab/matrix --local"
	exec 9> /run/kvm-lab-local.lock
	flock -w 10 9 || die "another lab/matrix --local is running"
	modules restore || rc=$?
	case $rc in
	0) say "a run before this one was killed: $said" ;;
	4) ;;
	*) die "a run before this one was killed, and left KVM's modules changed: $said" ;;
	esac
	modules check || die "$said"
	trap 'local_end' EXIT
	say "KVM's modules are reloaded for each row; if this is killed, lab/modules restore puts them back"
}

# Nothing may stop this half-way.
# shellcheck disable=SC2317 # run by a trap
local_end() {
	local status=$? rc=0

	trap '' INT TERM HUP
	modules restore || rc=$?
	case $rc in
	0) say "$said" ;;
	4) ;;
	*)
		say "$said; if they are not as they were, type: lab/modules restore"
		[ "$status" = 1 ] || status=$LAB_ERROR
		;;
	esac
	exit "$status"
}

# A job that cannot be run here has a result all the same.
skip_job() {
	local out=$results/$1 test

	rm -rf "$out.log1" "$out.error"
	mkdir "$out.log1"
	for test in "${tests[@]}"; do
		printf 'skip\t%s\t-\t\t%s\t\n' "${test%%:*}" "$6"
	done > "$out.log1/results.tsv"
	write_jsonl "$1" "$2" "$3" "$4" "$5" "$out.log1" > "$out.jsonl"
	job_key "$5" > "$out.key"
}

run_local_job() {
	local id=$1 options=$5 params words said rc=0

	read -r -a words <<< "$options"
	if ! said=$(local_options "${words[@]}"); then
		skip_job "$@" "$said"
		return
	fi
	local_options "${words[@]}"
	modules load ${params[@]+"${params[@]}"} || rc=$?
	case $rc in
	0) run_job "$1" "$2" "$3" "$4" "$5" ${words[@]+"${words[@]}"} ;;
	4) skip_job "$@" "$said" ;;
	*) rm -f "$results/$id.jsonl"; echo "$said" > "$results/$id.error" ;;
	esac
}
