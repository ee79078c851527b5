# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a log directory of lab/run says about a regression.

# Failing cases of the nested KTAP on stdin: TEST.CASE <tab> HOW <tab> TEXT...,
# where HOW are the oracles that found a fault, the first one first.  What a
# fault has to say precedes its "# oracle:" line.
# shellcheck disable=SC2016
readonly JUDGE_KTAP='
function start_case()
{
	how = text = pending = headline = ""
	lines = 0
}

BEGIN { OFS = "\t"; start_case() }
/^# selftests: kvm: / { test = $4; start_case(); next }
!sub(/^# /, "") { next }
/^# *RUN +/ { start_case(); next }
/^# *oracle: / {
	if (index("+" how "+", "+" $3 "+") == 0)
		how = how (how == "" ? "" : "+") $3
	text = text (text == "" ? pending : OFS headline)
	pending = headline = ""
	lines = 0
	next
}
/^not ok / { print test "." $4, how text; start_case(); next }
/^ok / { start_case(); next }
/^#/ {
	sub(/^# ?/, "")
	gsub(OFS, " ")
	pending = pending OFS $0
	if (++lines > 5)
		pending = substr(pending, index(substr(pending, 2), OFS) + 1)
	if (!/^ /)
		headline = $0
}'

# Joins that with results.tsv and in-flight.  Writes VERDICT, TEST.CASE, HOW and
# SECONDS of the first case to fail, then its text, a line each.
# shellcheck disable=SC2016
readonly JUDGE_JOIN='
BEGIN { FS = OFS = "\t" }
FILENAME == flight { died[$1] = $2; next }
FILENAME == faults { how[$1] = $2; text[$1] = substr($0, length($1 $2) + 3); next }
$1 == "error" && lockups > 1 && $2 == died["test"] && $3 == died["case"] { $1 = "fail" }
$1 == "error" || $1 == "miss" { broken = broken OFS $2 "." $3 ": " $5 }
$1 != "fail" { next }
{
	name = $2 "." $3
	if (name == died["test"] "." died["case"]) {
		how[name] = died["class"] ~ /^(silence|timeout|lockup)$/ ? "hang" : "panic"
		text[name] = died["title"] OFS "  step: " died["step"]
	} else if ($3 == "kernel_log") {
		how[name] = "log"
	} else if ($3 == "kvm_unload") {
		how[name] = "leak"
	} else if (how[name] == "error") {
		# The test broke, or something that it needs: that is no verdict.
		broken = broken OFS name ": " $5
		next
	}
	if (how[name] == "")
		how[name] = "exit"
	if (text[name] == "")
		text[name] = $5
	if (++n == 1 || $6 + 0 < first_at + 0) {
		first = name
		first_at = $6
	}
}
END {
	if (n) {
		print "caught", first, how[first], first_at
		out = text[first] (n > 1 ? OFS "(" n " cases failed)" : "")
	} else if (rc == 0) {
		print "MISSED", "-", "-", "-"
	} else {
		print "ERROR", (rc == 4 ? "every test skipped" : "lab/run could not tell, exit " rc), "-", "-"
		out = substr(broken, 2)
	}
	lines = split(out, line, OFS)
	for (i = 1; i <= lines && i <= 12; i++)
		print line[i]
}'

# judge LOG STATUS LOCKUPS
judge() {
	local log=$1 rc=$2

	[ -f "$log/results.tsv" ] || : > "$log/results.tsv"
	[ -f "$log/in-flight" ] || : > "$log/in-flight"
	awk "$JUDGE_KTAP" "$log/ktap.log" > "$log/faults"
	awk -v rc="$rc" -v lockups="$3" -v flight="$log/in-flight" -v faults="$log/faults" "$JUDGE_JOIN" \
		"$log/in-flight" "$log/faults" "$log/results.tsv"
	[ ! -s "$log/in-flight" ] || where_it_died "$log/splat.txt"
	# What a boot that failed, or a lab that broke, said last.
	[ "$rc" -le 1 ] || tail -n 3 "$log/stderr"
}

# The faulting function and its callers inside KVM.
where_it_died() {
	[ -f "$1" ] || return 0
	awk '/RIP: 0010:/ && !rip { rip = $0; sub(/.*RIP: 0010:/, "", rip); sub(/ Code.*/, "", rip) }
		/^ +[^?]*\[kvm(_amd|_intel)?\]$/ && n < 6 { n++; sub(/\+.*/, "", $1); trace = trace " < " $1 }
		END { if (rip) print "  at: " rip; if (trace) print "  from: " substr(trace, 4) }' "$1"
}

running_case() {
	[ ! -f "$1" ] || awk '/^# selftests: kvm: / { test = $4; name = "" }
		/^# # *RUN / { name = "." $4 }
		END { print test name }' "$1"
}

count_cases() {
	awk -F'\t' '{ n[$1]++ } END {
		printf "%d passed, %d skipped", n["pass"], n["skip"]
		if (n["fail"] + n["error"] + n["miss"])
			printf ", %d red", n["fail"] + n["error"] + n["miss"]
	}' "$1/results.tsv"
}

explain_red() {
	if [ -s "$1/results.tsv" ]; then
		awk -F'\t' '$1 ~ /^(fail|error|miss)$/ && n++ < 10 { print "    " $1 " " $2 " " $3 ": " $5 }' \
			"$1/results.tsv"
	fi
	tail -n 3 "$1/stderr" | sed 's/^/    /'
}
