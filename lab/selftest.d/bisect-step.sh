# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lab/bisect-step as the command of somebody's own loop, on a machine that is played:
# toy/run says what its kernel does, and files are its pstore and its boots.
#
# Part of lab/selftest, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# step WORD ARG...: on a kernel that does what WORD says.
step() {
	mkdir -p "$work/toy/pstore"
	echo "$1" > "$work/toy/this-host"
	shift
	rc=0
	TOY=$work/toy KVM_BISECT_RUN=$toy_dir/run KVM_TEST_PSTORE=$work/toy/pstore \
		KVM_BISECT_BOOT_ID=$work/toy/boot timeout 60 \
		"$LAB_DIR/bisect-step" --log "$work/log" "$@" > "$work/out" 2>&1 || rc=$?
}

# goes_down BOOT: what a step leaves behind when the host dies in it, in that boot.
goes_down() {
	local pid

	rm -rf "$work/toy/state" "$work/toy/pstore"
	mkdir -p "$work/toy/pstore"
	echo "$1" > "$work/toy/boot"
	touch "$work/toy/slow"
	: > "$work/toy/runs"
	echo slow > "$work/toy/this-host"
	TOY=$work/toy KVM_BISECT_RUN=$toy_dir/run KVM_BISECT_BOOT_ID=$work/toy/boot \
		"$LAB_DIR/bisect-step" --log "$work/log" --state "$work/toy/state" "${@:2}" \
		"$faults.kvm.fail_now" > "$work/out" 2>&1 &
	pid=$!
	for _ in {1..100}; do
		! grep -q slow "$work/toy/runs" || break
		sleep 0.1
	done
	kill -KILL "$pid"
	wait "$pid" 2> /dev/null || true
	rm "$work/toy/slow"
	touch -d '5 seconds ago' "$work/toy/state"
	echo "$1, next" > "$work/toy/boot"
}

# A kernel's last words, as pstore keeps them: the newest part first.
panic_log() {
	printf 'Panic#1 Part2\n<5>[   61.000000] faults.kvm.pass_one: start\n<13>[   62.000000] faults.kvm.fail_now: delete the slot\n' \
		> "$work/toy/pstore/dmesg-efi-2"
	printf 'Panic#1 Part1\n<1>[   63.000000] %s\n<4>[   63.100000] RIP: 0010:%s+0x12/0x40 [kvm]\n' "$1" "$2" \
		> "$work/toy/pstore/dmesg-efi-1"
}

step_on_this_host() {
	toy good
	mkdir -p "$work/toy"
	step good "$faults.kvm.fail_now"; check step_good 0 '^good: .*1 of 1 green'
	step bug "$faults.kvm.fail_now"; check step_bad 1 '^bad: faults.kvm.fail_now: errno'
	step skip "$faults.kvm.fail_now"; check step_skip 125 '^cannot tell: .*no such feature'
	step error "$faults.kvm.fail_now"; check step_error 125 '^cannot tell: .*out of memory'
	step other --sought 'faults.kvm.fail_now: errno' "$faults.kvm.fail_now"
	check step_another_failure 125 '^cannot tell: another failure: .*data'
	step flaky --runs 5 "$faults.kvm.fail_now"; check step_of_many_runs 1 '1 of 3 red'
	step broken "$faults.kvm.fail_now"; check step_lab_is_broken 128 '^stop: cannot write to /nowhere'
	rc=0
	"$LAB_DIR/bisect-step" --log "$work/log" "$faults.kvm.no_case" > "$work/out" 2>&1 || rc=$?
	check step_unknown_case 128 "^stop: no case of faults matches"
	step good; check step_no_test 128 'no test given'
}

step_across_reboots() {
	goes_down A
	panic_log 'BUG: kernel NULL pointer dereference, address: 0000000000000018' drop_spte
	step good --state "$work/toy/state" "$faults.kvm.fail_now"
	[ "$(wc -l < "$work/toy/runs")" = 1 ] || rc=99
	check step_panic_is_told_by_pstore 1 \
		'^bad: faults.kvm.fail_now: panic: bad access in drop_spte, at the boot of kernel'
	step good --state "$work/toy/state" "$faults.kvm.fail_now"
	check step_goes_on_with_the_next_kernel 0 '^good: '
	step bug --state "$work/toy/state" "$faults.kvm.fail_now"
	check step_seeks_what_was_seen_first 125 'another failure: faults.kvm.fail_now: errno'

	goes_down B --sought 'faults.kvm.fail_now: errno'
	panic_log 'kernel BUG at mm/slub.c:1!' kfree
	step good --state "$work/toy/state" "$faults.kvm.fail_now"
	check step_panic_of_another_kind 125 'another failure: faults.kvm.fail_now: panic: kernel BUG'

	goes_down C
	step good --state "$work/toy/state" "$faults.kvm.fail_now"
	check step_went_down_without_a_word 125 'no pstore or console log says why'

	goes_down D
	printf '%s\n' '[    1.0] BUG: unable to handle page fault for address: 0' '[    2.0] lab: bisect-step D' \
		'[   62.0] faults.kvm.fail_now: close' '[   63.0] watchdog: BUG: soft lockup - CPU#1 stuck for 22s!' \
		> "$work/toy/console"
	step good --state "$work/toy/state" --console "$work/toy/console" "$faults.kvm.fail_now"
	check step_lockup_is_told_by_the_console 1 '^bad: faults.kvm.fail_now: hang'
}

step_cases() {
	step_on_this_host
	step_across_reboots
}
