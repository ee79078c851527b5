# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lab/matrix --local on a machine that is played: its modules are files, and
# modprobe and rmmod are scripts that write them.
#
# Part of lab/selftest, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# A copy of the lab, whose only test passes, or hangs if it is told to.
make_local_tree() {
	local bin=$tree/build/out/kselftest/kvm/x86_64

	mkdir -p "$bin"
	cp -r "$LAB_DIR" "$tree/lab"
	cat > "$bin/played_test" <<-'END'
	#!/bin/sh
	[ "$1" != --list ] || { echo kvm.one; exit; }
	echo "#  RUN           kvm.one ..."
	[ ! -e "$FAKE_HOST/hang" ] || { echo $$ > "$FAKE_HOST/hangs"; exec sleep 1000; }
	echo "# tdp_mmu $(cat /sys/module/kvm/parameters/tdp_mmu), npt $(cat /sys/module/kvm_amd/parameters/npt)"
	echo "ok 1 kvm.one"
	END
	chmod 755 "$bin/played_test"
	cat > "$tree/conf" <<-END
	defaults      6.1,7.2  amd,intel
	npt-on        6.1      amd    --param kvm-amd.npt=1
	tdp-mmu-off   6.1      amd    --param kvm.tdp_mmu=0 --param kvm_amd.npt=1
	does-not-take 6.1      amd    --param kvm.mmio_caching=0
	phys-bits-36  6.1      amd    --phys-bits 36
	ept-off       6.1      intel  --param kvm_intel.ept=0
	quick: amd-6.1-defaults amd-6.1-tdp-mmu-off
	END
}

# local_matrix ARG...: runs it as check() wants.
local_matrix() {
	rc=0
	timeout 60 "${matrix[@]}" "$@" > "$work/out" 2>&1 || rc=$?
}

local_modules() {
	rc=0
	"${host[@]}" "$tree/lab/modules" "$@" > "$work/out" 2>&1 || rc=$?
}

# As the played machine begins: that no run has left a trace.
local_as_before() {
	local file=$host_dir/sys

	if [ "$(cat "$file/kvm/parameters/tdp_mmu" "$file/kvm_amd/parameters/npt" 2>&1 | paste -sd '')" != YN ] ||
		[ -e "$host_dir/run/kvm-lab-modules" ]; then
		rc=99
		head "$file"/*/parameters/* "$host_dir/run/kvm-lab-modules" >> "$work/out" 2>&1 || true
	fi
}

# Starts a run that hangs in its first test, and ends it with a signal.
stop_local_run() {
	local pid

	rm -f "$host_dir/hangs"
	: > "$host_dir/hang"
	setsid env --default-signal=INT,HUP "${matrix[@]}" --fresh --only '*-tdp-mmu-off' \
		> "$work/out" 2>&1 &
	pid=$!
	for _ in {1..100}; do
		[ ! -s "$host_dir/hangs" ] || break
		sleep 0.1
	done
	if [ "$1" = KILL ]; then kill -KILL "$pid"; else kill -"$1" -- -"$pid"; fi
	rc=0
	wait "$pid" 2> /dev/null || rc=$?
	rm -f "$host_dir/hang"
	# A test that is left behind would hold the modules.
	sleep 0.5
	[[ $(ps -o stat= -p "$(cat "$host_dir/hangs")") != [!Z]* ]] || rc=98
}

# A run that is killed takes its tests along.
local_killed() {
	local pid test

	rm -rf "$work/log"
	"$LAB_DIR/run" --host local --log "$work/log" "$faults:kvm.hang_*" > "$work/out" 2>&1 &
	pid=$!
	for _ in {1..50}; do
		! grep -q 'RUN .*hang_now' "$work/out" || break
		sleep 0.1
	done
	test=$(pgrep -P "$(pgrep -P "$pid" -f local-host)") || test=none
	kill -KILL "$pid"
	wait "$pid" 2> /dev/null || true
	sleep 0.5
	rc=0
	ps -o pid,stat,args -p "$test" >> "$work/out" 2>&1 || true
	[[ $test != none && $(ps -o stat= -p "$test") != [!Z]* ]] || rc=1
	check local_tests_die_with_the_run 0
}

local_cases() {
	local tree=$work/local host_dir=$work/host release host matrix
	host=(unshare --mount "$LAB_DIR/selftest.d/fake-local/on-fake-host" "$host_dir")
	matrix=("${host[@]}" "$tree/lab/matrix" --local --conf "$tree/conf"
		--results "$tree/results" played_test)

	local_killed
	if [ "$(id -u)" != 0 ] || ! unshare --mount true 2> /dev/null; then
		skip local_matrix 'needs root, for mounts of its own'
		return
	fi
	release=$(uname -r)
	make_local_tree

	local_matrix --list
	check local_rows_of_this_vendor 0 "^local-$release-defaults local $release defaults" \
		'-phys-bits-36 ' '!ept-off'
	local_matrix --quick --list
	check local_quick 0 'defaults' 'tdp-mmu-off' '!npt-on'
	local_matrix -j 2; check local_one_at_a_time 2 'one job at a time'

	local_matrix
	check local_matrix 0 '^local defaults +1 ok' '^local tdp-mmu-off +1 ok' \
		'^local does-not-take +1 skip' '^local phys-bits-36 +1 skip' \
		"^SKIP +local-$release-does-not-take: kvm.mmio_caching=0 did not take" \
		"^SKIP +local-$release-phys-bits-36: --phys-bits is for emulated hosts" \
		"KVM's modules are as they were"
	rc=0
	grep -h '# tdp_mmu' "$tree"/results/*.out1 > "$work/out"
	check local_parameters_are_those_of_the_row 0 'tdp_mmu Y, npt Y' 'tdp_mmu N, npt Y'
	cat "$tree"/results/*phys-bits-36.jsonl > "$work/out"
	check local_skips_are_results 0 '"test":"played_test","case":"-","status":"skip".*"reason":"--phys-bits is'
	: > "$work/out"
	local_as_before
	check local_puts_back 0

	: > "$host_dir/calls"
	local_matrix
	[ ! -s "$host_dir/calls" ] || rc=99
	check local_goes_on 0 '5 of 5 jobs had results already' '^local defaults +1 ok'

	: > "$host_dir/vm"
	local_matrix --fresh --only '*-defaults'
	check local_vm_in_between 125 "^ERROR +local-$release-defaults: KVM is in use by"
	echo 0 > "$host_dir/sys/kvm_amd/refcnt"
	local_modules load kvm.tdp_mmu=0
	local_as_before
	check local_vm_in_between_changes_nothing 125 'lab/modules: KVM is in use by'
	rm "$host_dir/vm"
	local_matrix --fresh --only '*-defaults'
	check local_vm_stays 125 'KVM is in use by'
	echo 0 > "$host_dir/sys/kvm_amd/refcnt"
	local_matrix --only '*-defaults'
	check local_vm_is_gone 0 '^local defaults +1 ok'

	stop_local_run INT
	check local_ctrl_c 130 "KVM's modules are as they were" 'stopped; the same command goes on'
	local_as_before
	check local_ctrl_c_puts_back 130
	stop_local_run HUP
	local_as_before
	check local_hangup_puts_back 130
	stop_local_run KILL
	[ "$(cat "$host_dir/sys/kvm/parameters/tdp_mmu")" = N ] || rc=99
	check local_kill 137
	local_matrix --only '*-npt-on'
	check local_next_start_puts_back 0 'a run before this one was killed: .*as they were'
	local_as_before
	check local_next_start_puts_all_back 0

	"${host[@]}" flock --no-fork /run/kvm-lab-local.lock sleep 60 &
	sleep 0.5
	local_matrix --fresh --only '*-npt-on'
	check local_not_two_at_once 125 'another lab/matrix --local is running'
	kill $!

	rc=0
	"${host[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$tree/lab/modules" load > "$work/out" 2>&1 || rc=$?
	check local_needs_root 125 'needs root'
	rm "$host_dir/sys/kvm/initstate"
	local_matrix --fresh
	check local_built_in 125 'kvm is built into this kernel'
}
