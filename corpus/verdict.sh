# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# One regression with one set of parameters: caught, missed or broken.
#
# Part of corpus/run, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# verdict_of LOG FILE MODULES KNOWN: sets verdict (caught, MISSED, BROKEN), by, how,
# after and why.
verdict_of() {
	local log=$1 file=$2 modules=$3 mine=$1/known known='' ordered first sure

	new_log "$log"
	cp "$4" "$mine"
	[ -n "$all" ] || known=$mine
	mapfile -t ordered < <(in_order "$4" "$file")
	verdict=BROKEN by=- how=- after=- why=''
	if ! run_tests "$log" "$modules" "${ordered[@]}"; then
		why="does not boot: $(why_no_boot "$log/boot1") (twice; the unmodified kernel does)"
		return 0
	fi
	while :; do
		counts "$mine" "$log/red" > "$log/counts"
		first=$(grep -m 1 '^yes' "$log/counts" || grep -m 1 '^hang' "$log/counts" || true)
		[ -n "$first" ] || break
		IFS=$'\t' read -r sure _ after by how _ <<< "$first"
		if [ "$sure" = yes ] || confirmed "$log" "$modules" "$by"; then
			verdict=caught
			return 0
		fi
		not_again "$by" "$mine"
		[ -n "$all" ] || run_rest "$log" "$modules" "$by"
	done
	by=- how=- after=-
	not_caught "$log" "$mine"
}

why_no_boot() {
	if [ -s "$1/in-flight" ]; then
		echo "the host dies while KVM is loaded: $(sed -n 's/^title\t//p' "$1/in-flight")"
	else
		last_words "$1"
	fi
}

# A hang may be the emulator's, or this machine's: twice, and not without the regression.
confirmed() {
	local log=$1 modules=$2 test=${3%%.*} case_name=${3#*.}

	say "$name: $3 hangs; once more, with and without the regression"
	is_red_again "$log/again" "$modules" "$test" "$case_name" &&
		! is_red_again "$log/again.unmodified" "$modules_base" "$test" "$case_name"
}

# From here on, it is not known to be green.
not_again() {
	say "$name: $1 hung once only, which does not count"
	awk -F '\t' -v name="$1" '$2 "." $3 != name' "$2" > "$2.new"
	printf 'late\t%s\t%s\n' "${1%%.*}" "${1#*.}" >> "$2.new"
	mv "$2.new" "$2"
}

# The tests from the one in which the run was ended.
run_rest() {
	local test=${3%%.*} i

	for i in "${!ordered[@]}"; do
		[ "$(test_name "${ordered[i]}")" != "$test" ] || break
	done
	run_tests "$1" "$2" "${ordered[@]:i}" || true
}

# Nothing counts.  Missed means that everything had its turn, and was green.
not_caught() {
	local log=$1 known=$2 broken

	# A test that ran again, behind a hang that was none: the last word counts.
	tac "$log/cases" | awk -F '\t' '!seen[$1 == "died", $2, $3]++' > "$log/cases.new"
	mv "$log/cases.new" "$log/cases"
	broken=$(awk -F '\t' -v known="$known" -v counts="$log/counts" '
		FILENAME == known { if ($1 == "pass") green[$2 "." $3] = 1; if ($1 == "died") died[$2] = 1; next }
		FILENAME == counts { if ($5 == "error" && green[$4]) error = error "; " $4 ": " $7; next }
		!green[$2 "." $3] { next }
		$1 == "pass" { passed++ }
		$1 == "skip" { skipped = $5 }
		$1 == "miss" && !died[$2] { if (!missed++) miss = $2 "." $3 }
		END {
			if (error)
				print substr(error, 3)
			else if (missed)
				print missed " cases were not reached: " miss " is the first"
			else if (!passed)
				print (skipped ? "every test skipped: " skipped : "no test ran")
		}' "$known" "$log/counts" "$log/cases")
	if [ -n "$broken" ]; then
		why="cannot tell: $broken"
	else
		verdict=MISSED
		why=$(count_cases "$log/cases")
	fi
}

count_cases() {
	awk -F '\t' '{ n[$1]++ } END {
		printf "%d passed, %d skipped", n["pass"], n["skip"]
		if (n["fail"] + n["error"] + n["miss"])
			printf ", %d red that do not count", n["fail"] + n["error"] + n["miss"]
	}' "$1"
}

# What was red, most of it in the words of the first that counts.
explain() {
	local log=$1 boot

	case $verdict in
	caught)
		awk -F '\t' -v name="$by" '$4 == name { for (i = 7; i <= NF && i <= 18; i++) print $i; exit }' "$log/counts"
		for boot in "$log"/boot*; do
			[ ! -s "$boot/in-flight" ] || [ "$(sed -n 's/^test\t//p' "$boot/in-flight")" != "${by%%.*}" ] ||
				where_it_died "$boot/splat.txt"
		done
		;;
	BROKEN) [ ! -d "$log/boot1" ] || [ -s "$log/cases" ] || tail -n 3 "$log/boot1/stderr" ;;
	esac
	[ -f "$log/counts" ] || return 0
	awk -F '\t' -v name="$by" -v all="$all" '
		$1 == "no" && n++ < 10 { print "note: " $4 " is red (" $5 "), and does not count: " $2 }
		$1 != "no" && $4 != name && all { print "also: " $4 " (" $5 ") after " $3 " s" }' "$log/counts"
}
