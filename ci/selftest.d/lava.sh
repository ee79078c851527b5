# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# KTAP to LAVA, and LAVA's jobs, without LAVA: ci/lava/try has it.
#
# Part of ci/selftest, whose variables it shares.
# shellcheck disable=SC2154

# results_of: the results that ktap-to-lava makes of stdin.
results_of() {
	printf '#!/bin/sh\necho "$*" >> results\n' > lava-test-case
	chmod 755 lava-test-case
	rm -f results
	LAVA_TEST_CASE=./lava-test-case sh "$ci/ktap-to-lava" > echoed
	cat results
}

ktap_of_run_suite() {
	suite
	results_of < out
	diff echoed out
	diff results <(for test in one_test two_test; do
		printf "$test.kvm.%s --result %s\n" pass_one pass skip_two skip pass_three pass \
			fail_four fail pass_five pass pass_six pass
	done)
}

ktap_of_many_kinds() {
	results_of <<-'END'
	# selftests: kvm: a_test
	# # SKIP no /dev/kvm
	ok 1 selftests: kvm: a_test # SKIP
	# selftests: kvm: b_test
	# #  RUN           kvm.old ...
	# ok 1 # SKIP the harness before 6.10
	# not ok 2 kvm.never # ERROR not run
	# not ok 3 kvm.slow # TIMEOUT
	not ok 2 selftests: kvm: b_test # exit=1
	END
	diff results - <<-'END'
	a_test --result skip
	b_test.kvm.old --result skip
	b_test.kvm.never --result unknown
	b_test.kvm.slow --result fail
	END
}

lava_jobs_are_whole() {
	local host row

	for host in qemu amd intel; do
		for row in $("$ci/lava/job" --rows $host); do
			"$ci/lava/job" --row "$row" $host KERNEL=k RAMDISK=r SUITE=s MODULES=m NFSROOTFS=n > job
			! grep '@' job
		done
	done
	"$ci/lava/job" --row npt-off amd KERNEL=k RAMDISK=r SUITE=s MODULES=m NFSROOTFS=n | grep -- '--param kvm_amd.npt=0'
	"$ci/lava/job" --row npt-off qemu KERNEL=k RAMDISK=r SUITE=s | grep 'append.*kvm_amd.npt=0'
	rc=0
	"$ci/lava/job" qemu KERNEL=k > out 2>&1 || rc=$?
	[ $rc = 2 ] && grep 'not given: .*RAMDISK' out
	! "$ci/lava/job" --row phys-bits-36 amd KERNEL=k
}

lava_panic_is_named() {
	local words

	printf '%s\n' '# selftests: kvm: a_test' '# #  RUN           kvm.one ...' '# ok 1 kvm.one' \
		'# #  RUN           kvm.two ...' > log
	[ -z "$("$ci/lava/in-flight" log)" ]
	for words in 'BUG: kernel NULL pointer dereference' 'kernel BUG at arch/x86/kvm/mmu/mmu.c:1112!'; do
		{ cat log; echo "[ 1.0] $words"; } | "$ci/lava/in-flight" |
			grep '^the host went down in a_test.kvm.two$'
	done
}
