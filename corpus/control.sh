# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the unmodified kernel does with each test: only a case that is green there can
# catch a regression.  It is remembered per test, so that whoever changes one test
# waits for this one only.
#
# Part of corpus/run, whose variables it shares.
# shellcheck disable=SC2154

# Everything but the test that the result depends on.
control_base() {
	{
		echo "$kernel $host $*"
		cat "$modules_base"/*.ko
		find "$CORPUS_LAB" -type f -exec sha256sum {} + | sort
	} | sha256sum
}

# The file that remembers a test.
control_file() {
	local test=$1 base=$2 file

	file=${test%%:*}
	[[ $test == */* ]] || file=$CORPUS_TOP/build/out/kselftest/kvm/x86_64/$file
	{
		echo "$test $base"
		[ ! -f "$file" ] || cat "$file"
	} | sha256sum | cut -c 1-32 | sed "s|^|$CORPUS_CACHE/corpus/green/|"
}

# control KNOWN PARAM...: writes what is known into the file KNOWN, and KNOWN.cannot if
# this set of parameters cannot be judged at all: "skipped" or "BROKEN", and why.
control() {
	local out=$1 base test file missing=() files=() log
	local set_params=("${@:2}")

	base=$(control_base "${set_params[@]}")
	for test in "${tests[@]}"; do
		file=$(control_file "$test" "$base")
		files+=("$file")
		[ -s "$file" ] && [ -z "$fresh" ] || missing+=("$test")
	done
	log=$logs/unmodified.$(set_file "${set_params[@]}")
	mkdir -p "$CORPUS_CACHE/corpus/green" 2> /dev/null || die "cannot write to the cache, $CORPUS_CACHE"
	mkdir -p "$logs" 2> /dev/null || die "cannot write to $logs"
	if [ ${#missing[@]} -gt 0 ]; then
		say "unmodified, $(set_name "${set_params[@]}"): running ${#missing[@]} tests"
		run_control "$out" "$log" "$base" "${missing[@]}" || return 0
	fi
	cat "${files[@]}" > "$out" 2> /dev/null || true
	cp "$out" "$log.tsv"
	explain_control "$out" "${set_params[@]}"
	[ -n "$keep" ] || rm -rf "$log"
}

# run_control KNOWN LOG BASE TEST...
run_control() {
	local out=$1 log=$2 base=$3 known='' test late=()

	shift 3
	new_log "$log"
	if ! run_tests "$log" "$modules_base" "$@"; then
		echo "BROKEN the unmodified kernel does not run: $(last_words "$log/boot1")" > "$out.cannot"
		return 1
	fi
	find "$CORPUS_CACHE/corpus/green" -type f -mtime +30 -delete
	remember "$log" "$base" "$@"
	# Red by time only may be an accident.
	mapfile -t late < <(awk -F '\t' '$3 == "hang" { sub(/\..*/, "", $2); print $2 }' "$log/red" | sort -u)
	for test; do
		[[ " ${late[*]} " == *" $(test_name "$test") "* ]] || continue
		say "unmodified, $(set_name "${set_params[@]}"): $test hung; once more"
		new_log "$log.again"
		run_tests "$log.again" "$modules_base" "$test" && remember "$log.again" "$base" "$test"
	done
}

# What was not reached stays unknown.
remember() {
	local log=$1 base=$2 test file new=$1/remembered

	shift 2
	for test; do
		file=$(control_file "$test" "$base")
		awk -F '\t' -v test="$(test_name "$test")" '$2 == test' "$log/cases" > "$new"
		if grep -qv '^miss' "$new"; then
			cp "$new" "$file.$$" && mv "$file.$$" "$file"
		fi
	done
}

# One line, and one for each thing that is not as it should be.
explain_control() {
	local out=$1 name green red

	name=$(set_name "${@:2}")
	green=$(grep -c '^pass' "$out" || true)
	red=$(awk -F '\t' '$1 ~ /^(fail|error|miss|died)$/ && !seen[$2 "." $3]++ { printf ", %s.%s", $2, $3 }' "$out")
	say "unmodified, $name: $green cases green"
	[ -z "$red" ] ||
		say "unmodified, $name: red, and no catch if red with a regression: ${red#, } (--fresh runs them again)"
	[ "$green" = 0 ] || return 0
	if [ -s "$out" ] && [ "$(cut -f 1 "$out" | sort -u)" = skip ]; then
		echo "skipped $(cut -f 5 "$out" | sed -n 1p)" > "$out.cannot"
	else
		echo "BROKEN no case is green on the unmodified kernel" > "$out.cannot"
	fi
}

# Words of the set of parameters that this host or kernel does not have: why, or nothing.
set_problem() {
	local word module name

	for word; do
		if is_host_option "$word"; then
			[ "$host" = amd ] || [ "$word" = cpu=+pml ] ||
				{ echo "$word: an emulated Intel has no other choice than cpu=+pml"; return; }
			continue
		fi
		is_param "$word" || { echo "'$word' is not MODULE.PARAMETER=VALUE"; return; }
		module=${word%%.*} name=${word#*.}
		name=${name%%=*}
		case $module in
		kvm | "kvm_$host") ;;
		kvm_amd | kvm_intel) echo "$word: this host is ${host^^}"; return ;;
		*) echo "$word: only kvm, kvm_amd and kvm_intel have parameters here"; return ;;
		esac
		modinfo -F parm "$modules_base/${module/_/-}.ko" | grep -q "^$name:" ||
			{ echo "no parameter $module.$name in kernel $kernel"; return; }
	done
}

# in_order KNOWN FILE: the tests, first those that the header expects to catch the
# regression; then by what they have caught so far, of all the corpus, for their time;
# last those that the unmodified host does not survive.
in_order() {
	local known=$1 test ids=("$CORPUS_DIR"/*.cocci)

	for test in "${tests[@]}"; do
		printf 'test\t%s\t%s\n' "$test" "$(test_name "$test")"
	done | awk -F '\t' -v OFS='\t' -v known="$known" -v expected=" $(header "$2" caught-by | tr ',\n' '  ') " '
	FILENAME == known && $1 == "died" { died[$2] = 1 }
	FILENAME == known { seconds[$2] += $4 }
	FILENAME != known && FILENAME != "-" && /^\/\/ caught-by:/ {
		sub(/^[^:]*: */, "")
		sub(/\..*/, "")
		caught[$0]++
	}
	FILENAME == "-" {
		score = (1 + caught[$3]) / (1 + seconds[$3])
		if (index(expected, " " $3 "."))
			score = 1000000
		else if (died[$3])
			score = 0
		printf "%.6f\t%d\t%s\n", score, ++n, $2
	}' "$known" "${ids[@]}" - | sort -t $'\t' -k 1,1nr -k 2,2n | cut -f 3
}

set_name() {
	[ $# = 0 ] && echo defaults || echo "$*"
}

set_file() {
	set_name "$@" | tr ' /' '__'
}
