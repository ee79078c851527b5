# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# corpus/run with a lab that is not one: selftest.d/fake-lab says what a real lab
# would say of a kernel with a bug.
#
# Part of corpus/selftest, whose functions it shares.
# shellcheck disable=SC2154

# A lab and a cache of its own; the modules are built once, and kept for all checks.
runner_start() {
	export FAKE=$tmp/fake
	mkdir -p "$tmp/lab" "$tmp/cache/corpus"
	ln -s "$CORPUS_LAB"/{deb,need,lib.sh} "$tmp/lab/"
	cp "$CORPUS_DIR/selftest.d/fake-lab" "$tmp/lab/run"
	ln -s "$CORPUS_CACHE"/* "$tmp/cache/" 2> /dev/null || true
	(cd "$tmp" && return_value 7 && "$CORPUS_DIR/build-modules" p.cocci > modules)
}

runner_end() {
	[ ! -s "$tmp/modules" ] || rm -rf "$(cat "$tmp/modules")"
}

# scenario BODY: what "outcome KIND BOOT TEST CASE" does; what it does not say passes.
scenario() {
	rm -rf "$FAKE" logs
	mkdir "$FAKE"
	printf 'outcome() {\n\tcase "$*" in\n%s\n\t*) echo pass ;;\n\tesac\n}\n# %s\n' "$1" "$RANDOM$RANDOM" > lab/scenario
}

run_fake() {
	KVM_LAB_CACHE=$tmp/cache KVM_CORPUS_LAB=$tmp/lab "$CORPUS_DIR/run" --log "$tmp/logs" --tests 'a_test b_test' "$@"
}

# says STATUS TEXT OPTION...: of corpus/run, once; the output stays for other looks.
says() {
	local want=$1 text=$2 rc=0

	shift 2
	run_fake "$@" > told 2>&1 < /dev/null || rc=$?
	echo "status $rc: $(cat told)"
	[ "$rc" = "$want" ] && grep -qF -- "$text" told
}

run_catches() {
	scenario "'mutated '*' a_test kvm.two') echo fail ;; 'mutated '*' b_test '*) echo slow ;;"
	says 0 '1 caught, 0 missed' p.cocci
	grep -q 'p, defaults: caught by a_test.kvm.two (data) after 2.50 s' told
	grep -q 'a_test: want 0, got 1' told
	# Stopped where it was caught, long before b_test's end.
	equal "$(cat "$FAKE/stopped")" mutated
	grep -q 'return 7' logs/p.defaults/applied.diff
	grep -q '"params":"defaults","verdict":"caught","case":"a_test.kvm.two","how":"data","seconds":2.50' logs/results.jsonl
}

run_misses() {
	scenario ''
	says 1 '0 caught, 1 missed' p.cocci
	grep -q 'MISSED: 4 passed, 0 skipped' told
	equal "$(cat "$FAKE/calls")" "$(printf 'base a_test b_test\nmutated a_test b_test')"
	# What the unmodified kernel does is known per test.
	says 1 '0 caught, 1 missed' --tests 'b_test c_test' p.cocci
	equal "$(tail -n 2 "$FAKE/calls")" "$(printf 'base c_test\nmutated b_test c_test')"
}

red_before_is_no_catch() {
	scenario "*' a_test kvm.one') echo fail ;;"
	says 1 '0 caught, 1 missed' p.cocci
	grep -q 'red, and no catch if red with a regression: a_test.kvm.one' told
	grep -q 'note: a_test.kvm.one is red (data), and does not count: red on the unmodified kernel' told
	scenario "*' a_test kvm.one' | 'mutated '*' b_test kvm.two') echo fail ;;"
	says 0 'caught by b_test.kvm.two (data)' p.cocci
	scenario "'base '*' a_test kvm.one') echo skip ;; 'mutated '*' a_test kvm.one') echo fail ;;"
	says 1 'does not count: not known to be green on the unmodified kernel' p.cocci
	scenario "'base '*_test*) echo fail ;;"
	says 125 'no case is green on the unmodified kernel' p.cocci
}

dead_before_is_no_catch() {
	scenario "*' a_test kvm.two') echo die ;; 'mutated '*' b_test kvm.two') echo fail ;;"
	says 0 'caught by b_test.kvm.two (data)' p.cocci
	# The test that nobody survives comes last.
	equal "$(cat "$FAKE/calls")" "$(printf 'base a_test b_test\nbase b_test\nmutated b_test a_test')"
}

host_dies() {
	scenario "'mutated '*' a_test kvm.one') echo die ;;"
	says 0 'caught by a_test.kvm.one (panic) after 1.50 s' p.cocci
	grep -q 'step: close everything' told
	equal "$(grep -c mutated "$FAKE/calls")" 1
	says 0 'caught by a_test.kvm.one (panic)' --all p.cocci
	equal "$(tail -n 1 "$FAKE/calls")" 'mutated b_test'
}

everything_red_is_listed() {
	scenario "'mutated '*' a_test kvm.one') echo die ;; 'mutated '*' b_test '*) echo fail ;;"
	says 0 'caught by a_test.kvm.one (panic)' --all p.cocci
	grep -q 'also: b_test.kvm.two (data)' told
	equal "$(grep -o '"how":' logs/results.jsonl | wc -l)" 4
}

hang_is_confirmed() {
	scenario "'mutated '*' a_test kvm.one') echo hang ;;"
	says 0 'caught by a_test.kvm.one (hang)' p.cocci
	equal "$(tail -n 2 "$FAKE/calls")" "$(printf 'mutated a_test:kvm.one\nbase a_test:kvm.one')"
	scenario "'mutated 1 a_test kvm.one') echo hang ;;"
	says 1 '0 caught, 1 missed' p.cocci
	grep -q 'a_test.kvm.one hung once only' told
	equal "$(tail -n 1 "$FAKE/calls")" 'mutated a_test b_test'
	scenario "'mutated 1 b_test kvm.one') echo silence ;; 'mutated 3 b_test kvm.two') echo fail ;;"
	says 0 'caught by b_test.kvm.two (data)' p.cocci
	# The unmodified kernel's hang has a second chance, too.
	scenario "'base 1 a_test kvm.one') echo hang ;; 'mutated '*' a_test kvm.one') echo fail ;;"
	says 0 'caught by a_test.kvm.one (data)' p.cocci
}

errors_are_no_verdict() {
	scenario "'mutated '*' a_test kvm.one') echo error ;;"
	says 125 'BROKEN: cannot tell: a_test.kvm.one' p.cocci
	scenario "'mutated '*_test*) echo skip ;;"
	says 125 'BROKEN: cannot tell: every test skipped: not here' p.cocci
	# What was caught before is.
	scenario "'mutated '*' a_test kvm.one') echo error ;; 'mutated '*' a_test kvm.two') echo fail ;;"
	says 0 'caught by a_test.kvm.two' p.cocci
}

no_boot() {
	scenario "'mutated '*' - boot') echo noboot ;;"
	says 125 'BROKEN: does not boot: the host did not boot: nothing heard (twice; the unmodified kernel does)' p.cocci
	scenario "'mutated '*' - boot') echo insmod ;;"
	says 125 'does not boot: the host dies while KVM is loaded: BUG: boom (twice' p.cocci
	scenario "'mutated 1 - boot') echo noboot ;;"
	says 1 '0 caught, 1 missed' p.cocci
	scenario "'base '*' - boot') echo noboot ;;"
	says 125 'the unmodified kernel does not run: the host did not boot' p.cocci
}

sets_of_parameters() {
	scenario "'mutated '*' a_test kvm.one') echo fail ;;"
	{
		printf '// params: %s\r\n' 'kvm_intel.ept=0' 'kvm.no_such=1' 'what is this' '"kvm-amd.npt=0"; tdp_mmu=0' 'Defaults (all)'
		cat p.cocci
	} > sets.cocci
	says 0 '2 caught, 0 missed, 3 skipped' sets.cocci
	grep -q 'kvm_intel.ept=0: this host is AMD' told
	grep -q 'no parameter kvm.no_such in kernel 6.1' told
	grep -q "'what' is not MODULE.PARAMETER=VALUE" told
	grep -q -- '--param kvm_amd.npt=0 --param kvm.tdp_mmu=0' "$FAKE/args"
	scenario "*_test*) echo skip ;;"
	says 125 '1 skipped' --param kvm.tdp_mmu=0 p.cocci
	rm -rf "$("$CORPUS_DIR/build-modules" sets.cocci)"
}

files_of_strangers() {
	scenario "'mutated '*' a_test kvm.one') echo fail ;;"
	{ printf '\xef\xbb\xbf'; sed 's/$/\r/' p.cocci; } > crlf.cocci
	sed 's/files:/Files:/' p.cocci > nofiles.cocci
	sed 's/kvm_debugfs_release/no_such_function/' p.cocci > nowhere.cocci
	mkdir -p other dir.cocci
	cp p.cocci other/
	says 125 '3 caught, 0 missed, 4 broken' -j 3 p.cocci crlf.cocci nofiles.cocci nowhere.cocci other/p.cocci gone.cocci dir.cocci
	grep -qE "^BROKEN +nofiles .*no '// files:' line" told
	grep -qE '^BROKEN +nowhere .*does not apply to virt/kvm/kvm_main.c' told
	grep -qE '^caught +p\.2 ' told
	equal "$(wc -l < logs/results.jsonl)" 7
	rm -rf "$("$CORPUS_DIR/build-modules" crlf.cocci)"
}

repeats_and_shards() {
	scenario "'mutated '*' a_test kvm.one') echo fail ;;"
	says 0 '3/3' --repeat 3 p.cocci
	scenario "'mutated 2 '*) echo pass ;; 'mutated '*' a_test kvm.one') echo fail ;;"
	says 1 '2/3' --repeat 3 p.cocci
	grep -q 'of those caught, 1 not every time' told
	says 125 'nothing in shard 2/2' --shard 2/2 p.cocci
	says 2 'there is no such shard' --shard 3/2 p.cocci
}

expected_comes_first() {
	scenario "'mutated '*' a_test kvm.one') echo fail ;;"
	{ echo '// caught-by: b_test.kvm.one'; cat p.cocci; } > expected.cocci
	says 0 'note: its header expects b_test.kvm.one' expected.cocci
	equal "$(tail -n 1 "$FAKE/calls")" 'mutated b_test a_test'
	rm -rf "$("$CORPUS_DIR/build-modules" expected.cocci)"
}

a_signal_ends_it() {
	local pid

	scenario "*_test*) echo slow ;;"
	mkdir -p tmp
	TMPDIR=$tmp/tmp KVM_LAB_CACHE=$tmp/cache KVM_CORPUS_LAB=$tmp/lab \
		"$CORPUS_DIR/run" --log "$tmp/logs" --tests a_test p.cocci > told 2>&1 < /dev/null &
	pid=$!
	for _ in $(seq 100); do
		[ ! -s "$FAKE/calls" ] || break
		sleep 0.1
	done
	kill -TERM "$pid"
	wait "$pid" || true
	equal "$(cat "$FAKE/stopped")" base
	equal "$(ls "$tmp/tmp")" ''
}

scoreboard_is_written() {
	local red='"red":[],"log":"/l"}'

	mkdir -p sb/own sb/out
	cat > sb/results.jsonl <<-END
		{"id":"x-y","kernel":"6.1","host":"amd","params":"defaults","verdict":"caught","case":"a_test.one","how":"log","seconds":7.50,"times":"1/1","title":"A \"title\"","why":"",$red
		{"id":"x-y","kernel":"6.1","host":"amd","params":"kvm.tdp_mmu=0","verdict":"missed","case":"-","how":"-","seconds":null,"times":"0/1","title":"t","why":"4 <passed>",$red
		{"id":"z","kernel":"6.1","host":"amd","params":"-","verdict":"broken","case":"-","how":"-","seconds":null,"times":"-","title":"","why":"does not build",$red
	END
	sed -n '1s/a_test.one/their_test.-/p' sb/results.jsonl > sb/own/results.jsonl
	printf '%s\n' $'pass\tone_test\t-' $'fail\ttwo_test\t-' $'died\tlate_test\t-' > sb/own/unmodified.defaults.tsv
	"$CORPUS_DIR/scoreboard" --suite sb --own sb/own --out sb/out --recorded sb/kept --record
	grep -q '^x-y  *6.1 amd  defaults  *caught  a_test.one (log), 7.50 s  *caught  *their_test.- (log), 7.50 s$' sb/out/scoreboard.txt
	grep -q '^z  *6.1 amd  -  *broken  does not build  *not run$' sb/out/scoreboard.txt
	grep -q '^the suite: 1 of 2 caught, 1 broken$' sb/out/scoreboard.txt
	grep -q '^defaults: 1 are green; time out or end the host: late_test; fail: two_test; skipped: none$' sb/out/scoreboard.txt
	grep -q '<td class="missed"><b>M</b> 4 &lt;passed&gt;' sb/out/scoreboard.html
	# What was recorded stays, and gives way to what is new.
	mv sb/own/unmodified.defaults.tsv sb/own/results.jsonl sb/out
	sed -i -n '2s/missed/caught/p' sb/results.jsonl
	"$CORPUS_DIR/scoreboard" --suite sb --own sb/own --out sb/out --recorded sb/kept
	grep -q '^the suite: 2 of 2 caught, 1 broken$' sb/out/scoreboard.txt
	grep -q "^the kernel's own selftests: 1 of 1 caught, 2 not run$" sb/out/scoreboard.txt
	grep -q '^defaults: 1 are green; time out or end the host: late_test;' sb/out/scoreboard.txt
	fails_with 125 'no results in sb/own/none' \
		"$CORPUS_DIR/scoreboard" --suite sb/own/none --own sb/own/none --recorded sb/none
}

cases_seen_red_are_told_from_others() {
	local -x KVM_CORPUS_LAB=$PWD/lab2

	mkdir -p seen lab2
	printf '#!/bin/sh\nprintf "a_test kvm.%%s\\n" one two three\n' > lab2/run
	printf '#!/bin/sh\n' > lab2/need
	chmod 755 lab2/*
	cat > seen/results.jsonl <<-'END'
		{"id":"x-y","params":"defaults","verdict":"caught","title":"a fault of nobody's","red":[{"case":"a_test.kvm.two","how":"data","seconds":7.50,"says":"want \"1\""},{"case":"a_test.kvm.gone","how":"data","seconds":8}]}
		{"id":"z","params":"defaults","verdict":"missed","title":"t","red":[]}
	END
	"$CORPUS_DIR/seen-red" seen -- a_test > told 2> said
	diff told <(printf 'a_test.kvm.%s\n' one three)
	grep -q '3 cases, 1 seen red$' said
	"$CORPUS_DIR/seen-red" --all seen -- a_test > told
	grep -q "^a_test.kvm.two	data	a fault of nobody's	defaults	want \"1\"\$" told
	fails_with 125 'no results.jsonl in lab2' "$CORPUS_DIR/seen-red" lab2 -- a_test
	fails_with 2 'for all tests' "$CORPUS_DIR/seen-red" --record seen -- mmio_gap_test
}

# One mistake, in one place, and the same one again.
mutants_are_made() {
	local args=(--seed 3 --count 1 --operators early-return --files arch/x86/kvm/mmu/page_track.c --log "$tmp/mutants")

	scenario "'mutated '*' a_test kvm.one') echo fail ;;"
	KVM_LAB_CACHE=$tmp/cache KVM_CORPUS_LAB=$tmp/lab "$CORPUS_DIR/mutate" "${args[@]}" --tests a_test | tee told
	grep -q '^seed 3: 1 of 1 caught, 0 survive$' told
	equal "$(cat mutants/mutants/*.diff | grep -c '^+[^+]')" 1
	rm -rf "$("$CORPUS_DIR/build-modules" mutants/mutants/*.diff)"
	fails_with 2 "no mistake 'typo'" "$CORPUS_DIR/mutate" --operators typo
}

runner_checks() {
	local name

	for name in run_catches run_misses red_before_is_no_catch dead_before_is_no_catch host_dies \
		everything_red_is_listed hang_is_confirmed errors_are_no_verdict no_boot \
		sets_of_parameters files_of_strangers repeats_and_shards expected_comes_first a_signal_ends_it \
		mutants_are_made; do
		check "$name"
	done
}
