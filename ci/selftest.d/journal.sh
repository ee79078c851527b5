# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# run-suite and its journal: what a run leaves behind, whenever it is cut off.
#
# Part of ci/selftest, whose variables it shares.
# shellcheck disable=SC2154

# suite ARG...: run-suite on played tests; sets rc, prints what it printed.
suite() {
	mkdir -p bin
	cp -n "$ci/selftest.d/played_test" bin/one_test
	cp -n "$ci/selftest.d/played_test" bin/two_test
	rc=0
	KVM_TEST_BIN=$PWD/bin "${shell[@]}" "$ci/run-suite" --dir run "$@" > out 2>&1 || rc=$?
	cat out
}

shell=(sh)

# As a reboot would: the run before had another boot id.
reboot() {
	sed -i 's/^run\t[^\t]*/run\tanother-boot/' run/journal
}

journal_of_a_whole_run() {
	suite
	[ $rc = 1 ]
	grep '^8 passed, 2 failed, 0 errors, 0 missed, 2 skipped' out
	grep '^not ok 2 selftests: kvm: two_test' out
	[ "$(tail -n 1 run/journal)" = 'done' ]
	suite
	[ $rc = 2 ] && grep 'resume it, or remove it' out
	suite --resume
	[ $rc = 1 ] && grep '^8 passed, 2 failed' out
}

journal_takes_tests_and_globs() {
	suite two_test:'kvm.pass_*'
	[ $rc = 0 ] && grep '^4 passed, 0 failed' out
	rm -r run
	suite no_test
	[ $rc = 2 ] && grep "no test 'no_test'" out
	suite one_test:'none*'
	[ $rc = 2 ] && grep 'no case matches' out
	[ ! -e run/journal ]
}

journal_knows_a_dead_test() {
	PLAYED_DIES=kvm.pass_three suite one_test
	[ $rc = 1 ]
	grep '^ERROR one_test kvm.pass_three: the test ended in it, exit=3' out
	grep '^3 passed, 1 failed, 1 errors, 0 missed, 1 skipped' out
}

journal_after_a_panic() {
	suite
	sed -i '/^start\ttwo_test\tkvm.pass_three/q' run/journal
	reboot
	printf '%s\n' '<5>[    1.0] two_test.kvm.pass_three: tear down' '<1>[    1.1] BUG: kernel NULL pointer dereference' \
		'<4>[    1.1] Call Trace:' > console
	suite --resume --splat console
	[ $rc = 1 ]
	grep '^# the host went down in two_test kvm.pass_three, last step: tear down: BUG: kernel NULL' out
	grep '^# # Call Trace:' out
	grep '^FAIL  two_test kvm.pass_three: the host went down in it: BUG: kernel NULL.*; last step: tear down' out
	grep '^7 passed, 3 failed, 0 errors, 0 missed, 2 skipped' out
	[ "$(grep -c '^start.two_test.kvm.pass_one' run/journal)" = 1 ]
}

# Small parts, and more than nine: the last of them is the log's begin.
journal_after_a_panic_asks_pstore() {
	local part

	suite
	sed -i '/^start\ttwo_test\tkvm.pass_three/q' run/journal
	reboot
	mkdir pstore
	for part in 12 11 10 9 8 7 6 5 4 3 2 1; do
		printf '%s\n' "Panic#1 Part$part" "<4>[    1.1] line of part $part" > pstore/dmesg-efi-$part
	done
	printf '%s\n' 'Panic#1 Part11' '<1>[    1.1] BUG: kernel NULL pointer dereference' > pstore/dmesg-efi-11
	touch -d '1 hour ago' run/.boot
	KVM_TEST_PSTORE=$PWD/pstore suite --resume
	[ $rc = 1 ]
	grep '^FAIL  two_test kvm.pass_three: the host went down in it: BUG: kernel NULL' out
	diff <(grep -o 'line of part .*' out | head -n 10) <(seq -f 'line of part %g' 10 -1 1)
}

# Nobody's case was in flight, and yet it was this test's doing.
journal_after_a_panic_between_cases() {
	suite one_test
	sed -i '/^pass\tone_test\tkvm.pass_three/q' run/journal
	reboot
	suite --resume
	grep '^FAIL  one_test -: the host went down in it' out
	grep '^4 passed, 2 failed, 0 errors, 0 missed, 1 skipped' out
}

# The host is the same: the case that was cut off is innocent, and runs again.
journal_after_a_killed_run() {
	suite one_test
	sed -i '/^start\tone_test\tkvm.pass_five/q' run/journal
	printf 'pass\tone_te' >> run/journal
	suite --resume
	[ $rc = 1 ]
	grep 'run was ended in one_test kvm.pass_five; the host is the same' out
	grep '^4 passed, 1 failed, 0 errors, 0 missed, 1 skipped' out
}

# Cut off at random moments: --status must know what surely was in the journal, and
# a run that is resumed until it is done ends as an uncut one. JOURNAL_CUTS=N: of N.
# On a busy machine the first cuts come before there is a case: later ones wait longer.
journal_at_random_moments() {
	local i last name pid seen=0 cuts=${JOURNAL_CUTS:-5}

	suite --status
	[ $rc = 2 ]
	for ((i = 0; seen < cuts && i < 10 * cuts; i++)); do
		[ ! -s run/journal ] || ! grep -q '^done' run/journal || rm -r run truth
		PLAYED_TRUTH=$PWD/truth KVM_TEST_BIN=$PWD/bin PLAYED_SECONDS=0.1 setsid sh "$ci/run-suite" \
			--dir run "$([ -s run/journal ] && echo --resume || echo one_test)" > log 2>&1 &
		pid=$!
		sleep "$((RANDOM % 2 + (i - seen) / 2)).$((RANDOM % 10))$((RANDOM % 10))"
		kill -KILL -- -$pid 2> /dev/null || true
		wait $pid || true
		[ -s run/journal ] || continue
		suite --status
		last=$(tail -n 1 truth 2> /dev/null) || continue
		name=${last#* }
		case $last in
		started*) grep "^in flight: one_test.$name\$" out ;;
		ending*) ;;
		ended*) grep -P "^[a-z]+\tone_test\t\Q$name\E\t" run/journal ;;
		esac
		seen=$((seen + 1))
		echo "cut $((i + 1)): after '$last': $(head -n 1 out)"
	done
	[ "$seen" = "$cuts" ]
	[ ! -s run/journal ] || suite --resume
	[ ! -s run/journal ] || grep '^4 passed, 1 failed, 0 errors, 0 missed, 1 skipped' out
}

journal_busybox_will_do() {
	local busybox

	busybox=$("$LAB_DIR/deb" busybox-static)/bin/busybox
	mkdir applets
	"$busybox" --install -s "$PWD/applets"
	shell=(env PATH="$PWD/applets" "$busybox" sh)
	journal_after_a_panic
}
