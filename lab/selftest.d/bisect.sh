# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# lab/bisect on toy repositories, whose commits are built and booted by scripts.
#
# Part of lab/selftest, whose variables it shares.
# shellcheck disable=SC2034,SC2154

toy_dir=$LAB_DIR/selftest.d/toy

# toy WORD...: a repository with a commit for each word; "WORD@MESSAGE" gives the
# message. What is built of a commit is the word and its number, or, with "=", of the
# commit before.
toy() {
	local word n=0 code=''

	repo=$work/repo
	rm -rf "$repo" "$work/toy" "$work/state"
	mkdir -p "$work/toy" "$repo/arch/x86/kvm" "$repo/Documentation"
	git init -q "$repo"
	for word; do
		n=$((n + 1))
		[ "${word%%@*}" = '=' ] || code="${word%%@*} $n"
		toy_commit "$code" "$n" "${word#*@}"
	done
}

toy_git() {
	git -C "$repo" -c user.name=toy -c user.email=toy@example.org -c commit.gpgsign=false "$@"
}

toy_commit() {
	echo "$1" > "$repo/arch/x86/kvm/code"
	echo "$2" > "$repo/Documentation/n"
	toy_git add .
	toy_git commit -q -m "commit $2: $3"
	toy_git tag -f "c$2" > /dev/null
}

# bisect ARG...: from the first commit to the last.
bisect() {
	rc=0
	TOY=$work/toy KVM_BISECT_RUN=$toy_dir/run KVM_LAB_CACHE=$work/toy/cache timeout 120 \
		"$LAB_DIR/bisect" --tree "$repo" --good c1 --bad master --build "$toy_dir/build" \
		--log "$work/state" "$@" > "$work/out" 2>&1 || rc=$?
}

bisect_toy() {
	toy "$@"
	toy_git branch -q -M master
	bisect "$faults.kvm.fail_now"
}

# times N COMMAND...: how often did a toy run or build happen?
times() {
	local want=$1 got

	got=$(grep -c "$3" "$work/toy/$2" || true)
	[ "$got" = "$want" ] || { rc=99; echo "$2 of '$3': $got, not $want" >> "$work/out"; }
}

bisect_finds() {
	local before

	bisect_toy good good good good good good good bug@culprit bug bug bug bug
	[ "$(toy_git worktree list | wc -l)" = 1 ] || { rc=98; echo 'a worktree is left' >> "$work/out"; }
	[ -z "$(toy_git status --porcelain)" ] && toy_git symbolic-ref -q HEAD > /dev/null || rc=97
	[ "$(grep -o '<i class="[a-z]*' "$work/state/bisect.html" | wc -l)" = 12 ] || rc=96
	check bisect_finds_the_culprit 0 '^first bad commit: [0-9a-f]{12} commit 8: culprit' \
		'^before: .*green' '^after:  faults.kvm.fail_now: errno' '^confidence: 99' '!not found'
	before=$(wc -l < "$work/toy/runs")
	bisect "$faults.kvm.fail_now"
	[ "$(wc -l < "$work/toy/runs")" = "$before" ] || { rc=95; echo 'ran again' >> "$work/out"; }
	check bisect_remembers 0 '^first bad commit: .* commit 8: culprit' 'known: '
	bisect_toy good good good bug@culprit
	bisect --runs 2 "$faults.kvm.fail_now"
	check bisect_does_not_mix_questions 125 'has another bisection in it'
}

bisect_unclear_cases() {
	# Which of them are tried is up to git, and to the hashes.
	bisect_toy good good good noboot good nobuild good bug@culprit nobuild noboot bug
	check bisect_skips_what_does_not_build_or_boot 0 '^first bad commit: .* commit 8: culprit' \
		'does not build: kvm.c:1:1: error|did not boot'
	bisect_toy good good nobuild noboot bug bug
	check bisect_cannot_tell_apart 1 '^not found' 'commit 3: nobuild: does not build' \
		'commit 4: noboot: .*did not boot' 'commit 5: bug' '!commit 6: bug:'
	bisect_toy good good crash other skip error good bug@culprit other crash bug bug
	check bisect_skips_other_failures 0 '^first bad commit: .* commit 8: culprit' \
		'another failure: faults.kvm.fail_now: (panic: kernel BUG at mm/slub.c! in kfree|data)'
	bisect_toy good good crash good oops@culprit oops oops bug oops
	check bisect_by_panic 0 '^first bad commit: .* commit 5: culprit' \
		'^after:  faults.kvm.fail_now: panic: bad access in drop_spte$'
	bisect_toy good broken broken bug
	check bisect_stops_when_the_lab_is_broken 125 'stopped: .*cannot write to /nowhere' '!first bad'
}

bisect_flaky() {
	bisect_toy good good good good good flaky@culprit flaky flaky flaky
	check bisect_flaky_culprit 0 'for the rate' '([5-9]|1[0-9]) green run' '^first bad commit: .* commit 6: culprit'
}

bisect_merge() {
	toy good good good
	toy_git branch -q -M master
	toy_git checkout -q -b side c2
	toy_commit 'good side' 90 side
	toy_commit 'bug side' 91 culprit
	toy_git checkout -q master
	toy_git merge -q -X theirs -m 'a merge' side
	toy_commit 'bug merged' 92 more
	bisect "$faults.kvm.fail_now"
	check bisect_into_a_branch 0 '^first bad commit: .* commit 91: culprit'
	toy_git reset -q --hard c3
	toy_git merge -q -s ours -m 'side' side~1
	echo 'bug of the merge' > "$repo/arch/x86/kvm/code"
	toy_git commit -q -a --amend -m 'a merge, the culprit'
	toy_commit 'bug merged' 93 more
	rm -rf "$work/state"
	bisect "$faults.kvm.fail_now"
	check bisect_a_merge_that_is_bad_itself 0 '^first bad commit: .* a merge, the culprit' \
		'^before: .*green .*commit 3' '^before: .*green .*commit 90'
}

bisect_wrong_ends() {
	bisect_toy good good good
	check bisect_bad_end_is_good 125 '--bad is not bad: .*green'
	bisect_toy bug bug bug
	check bisect_good_end_is_bad 125 '--good is not good: faults.kvm.fail_now: errno'
	bisect_toy skip good bug
	check bisect_good_end_is_skipped 125 'cannot tell whether --good is good: .*no such feature'
	toy good good bug
	toy_git branch -q -M master
	bisect --good c3 --bad c1 "$faults.kvm.fail_now"; one_line_only
	check bisect_swapped_ends 2 'are they swapped'
	bisect --good master "$faults.kvm.fail_now"; one_line_only
	check bisect_same_ends 2 'the same commit'
	bisect --good v9.9 "$faults.kvm.fail_now"; one_line_only
	check bisect_no_such_end 2 '--good v9.9: no such commit'
	toy_git checkout -q -b side c2
	toy_commit 'good side' 90 side
	bisect --good side "$faults.kvm.fail_now"; one_line_only
	check bisect_ends_apart 2 'no ancestor of --bad; where they part is'
}

bisect_wrong_words() {
	toy good bug
	toy_git branch -q -M master
	bisect "$faults.kvm.no_such_case"; one_line_only
	check bisect_unknown_case 2 "no case of faults matches 'kvm.no_such_case'"
	bisect no_such_test; one_line_only
	check bisect_unknown_test 2 "no test 'no_such_test'"
	bisect --param kvm_intel.ept=0 "$faults"; one_line_only
	check bisect_param_of_another_host 2 'this host is AMD'
	bisect --tree "$work/nowhere" "$faults"; one_line_only
	check bisect_missing_tree 2 'no such directory'
	bisect --tree /proc "$faults"; one_line_only
	check bisect_tree_without_git 2 'not a git repository'
	echo changed > "$repo/Documentation/n"
	bisect "$faults"; one_line_only
	check bisect_dirty_tree 2 'has changes that are in no commit'
	toy_git checkout -q -f
	bisect --build '' --tree "$repo" "$faults"; one_line_only
	bisect_without_compiler
	[ ! -e "$work/toy/builds" ] || rc=99
	check bisect_built_nothing "$rc"
}

# A machine whose PATH has all but a compiler, for one who may not install it.
bisect_without_compiler() {
	local bare=$work/no-compiler tool as=()

	mkdir -p "$bare"
	for tool in /usr/bin/* /bin/*; do
		[[ $tool == */*gcc* ]] || ln -sf "$tool" "$bare/" 2> /dev/null
	done
	[ "$(id -u)" != 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	if [ "$(id -u)" = 0 ] && ! "${as[@]}" test -x "$LAB_DIR/run"; then
		skip bisect_no_compiler "an ordinary user cannot read $LAB_TOP"
		return
	fi
	rm -rf "$work/state"
	chmod -R a+rwX "$repo"
	rc=0
	env PATH="$bare" TMPDIR=/tmp GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' \
		"${as[@]}" "$LAB_DIR/bisect" --tree "$repo" --good c1 --bad master "$faults" > "$work/out" 2>&1 || rc=$?
	one_line_only
	check bisect_no_compiler 125 'missing: gcc.*; type: .*apt-get install'
}

# What is running is slow, and ended.
bisect_stopped() {
	local pid

	TOY=$work/toy KVM_BISECT_RUN=$toy_dir/run KVM_LAB_CACHE=$work/toy/cache KVM_BISECT_BOOT_ID=$work/toy/boot \
		"$LAB_DIR/bisect" --tree "$repo" --good c1 --bad master --build "$toy_dir/build" \
		--log "$work/state" "$faults.kvm.fail_now" > "$work/out" 2>&1 &
	pid=$!
	for _ in {1..600}; do
		! grep -qs '^slow' "$work/toy/runs" && [ ! -e "$work/state/tree/half-written" ] || break
		sleep 0.1
	done
	kill -TERM "$pid"
	rc=0
	wait "$pid" 2> /dev/null || rc=$?
}

bisect_interrupted() {
	local -x KVM_BISECT_BOOT_ID=$work/toy/boot

	toy good good good slow good good bug@culprit
	toy_git branch -q -M master
	echo one > "$work/toy/boot"
	touch "$work/toy/slow"
	bisect_stopped
	check bisect_interrupted 143 'the same command goes on from here'
	rm "$work/toy/slow"
	bisect "$faults.kvm.fail_now"
	times 3 runs '^bug 7'
	check bisect_resumed 0 '^first bad commit: .* commit 7: culprit' 'known: '

	toy good good good slow good good bug@culprit
	toy_git branch -q -M master
	echo one > "$work/toy/boot"
	echo 'slow 4' > "$work/toy/slow-build"
	bisect_stopped
	rm "$work/toy/slow-build"
	[ -e "$work/state/tree/half-written" ] || rc=99
	echo two > "$work/toy/boot"
	bisect "$faults.kvm.fail_now"
	check bisect_after_a_power_cut 0 '^first bad commit: .* commit 7: culprit' '!half written'
}

bisect_replay() {
	bisect_toy good good good good bug@culprit bug bug bug
	cp "$work/state/bisect.log" "$work/replayed"
	rm -rf "$work/state" "$work/toy/runs"
	bisect --replay "$work/replayed" "$faults.kvm.fail_now"
	[ ! -e "$work/toy/runs" ] || rc=99
	check bisect_replays_its_log 0 '^first bad commit: .* commit 5: culprit' 'known: replayed'
	grep -v "bisect .* $(toy_git rev-parse c4)" "$work/replayed" > "$work/edited"
	bisect --replay "$work/edited" "$faults.kvm.fail_now"
	grep -q '^good 4' "$work/toy/runs" && ! grep -q '^bug' "$work/toy/runs" || rc=99
	check bisect_tries_what_is_not_in_a_log 0 '^first bad commit: .* commit 5: culprit'
	toy_git bisect start > /dev/null
	toy_git bisect replay "$work/replayed" > "$work/out" 2>&1 || true
	rc=0
	check git_replays_the_log 0 'is the first bad commit'
	toy_git bisect reset > /dev/null 2>&1
}

bisect_same_image() {
	bisect_toy good good = = = = bug@culprit = =
	times 3 runs '^good 2'
	check bisect_tries_no_image_twice 0 '^first bad commit: .* commit 7: culprit' 'same image as'
}

bisect_modules_only() {
	toy good good good good bug@culprit bug
	toy_git branch -q -M master
	bisect --modules-only "$faults.kvm.fail_now"
	times 1 builds '^kernel'
	check bisect_modules_only 0 '^first bad commit: .* commit 5: culprit'
	toy good misfit misfit misfit bug@culprit bug
	toy_git branch -q -M master
	bisect --modules-only "$faults.kvm.fail_now"
	check bisect_module_does_not_load 0 '^first bad commit: .* commit 5: culprit' \
		'unknown symbol: whole kernels from here on' '^note: .*whole kernels were built'
	toy good good bug
	toy_git branch -q -M master
	echo more > "$repo/more.c"
	toy_commit 'bug 4' 4 'and more'
	bisect --modules-only "$faults.kvm.fail_now"
	times 0 builds '^modules'
	check bisect_range_is_more_than_kvm 0 'the range changes more.c, too, so whole kernels are built'
}

bisect_cases() {
	bisect_finds
	bisect_unclear_cases
	bisect_flaky
	bisect_merge
	bisect_wrong_ends
	bisect_wrong_words
	bisect_interrupted
	bisect_replay
	bisect_same_image
	bisect_modules_only
	step_cases
}
