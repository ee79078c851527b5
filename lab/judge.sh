# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The red cases of a boot, out of lab/run's log directory.

# Failing cases of the nested KTAP on stdin: TEST.CASE <tab> HOW <tab> TEXT...,
# where HOW are the oracles that found a fault, the first one first.  What a
# fault has to say precedes its "# oracle:" line: one line, and more that are indented.
# What a case has said before that is not it.
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
/^not ok / { print test "." $4, (/# ERROR/ ? "error" : how) text; start_case(); next }
/^ok / { start_case(); next }
/^#/ {
	sub(/^# ?/, "")
	gsub(OFS, " ")
	if (!/^ /) {
		headline = $0
		pending = ""
		lines = 0
	}
	pending = pending OFS $0
	if (++lines > 5)
		pending = substr(pending, index(substr(pending, 2), OFS) + 1)
}'

# Joins that with results.tsv and in-flight: a line for each red case, with AT (seconds
# since the emulator's start), TEST.CASE, HOW, "died" if the host did, and its text.
# HOW is "error" where the test broke, or something that it needs: no verdict.
# shellcheck disable=SC2016
readonly JUDGE_JOIN='
BEGIN { FS = OFS = "\t" }
FILENAME == flight { died[$1] = $2; next }
FILENAME == faults { how[$1] = $2; text[$1] = substr($0, length($1 $2) + 3); next }
$1 != "fail" && $1 != "error" { next }
{
	name = $2 "." $3
	dead = name == died["test"] "." died["case"]
	if (dead) {
		how[name] = died["class"] ~ /^(silence|timeout|lockup)$/ ? "hang" : "panic"
		text[name] = died["title"] OFS "  step: " died["step"]
	} else if ($1 == "error") {
		how[name] = "error"
	} else if ($3 == "kernel_log") {
		how[name] = "log"
	} else if ($3 == "kvm_unload") {
		how[name] = "leak"
	}
	if (how[name] == "")
		how[name] = "exit"
	if (text[name] == "")
		text[name] = $5
	print $6, name, how[name], (dead ? "died" : "-"), text[name]
}'

# judge_boot LOG KTAP: the red cases of one boot, in the order of time. KTAP is the
# file with lab/run's stdout.
judge_boot() {
	local log=$1

	[ -f "$log/results.tsv" ] || : > "$log/results.tsv"
	[ -f "$log/in-flight" ] || : > "$log/in-flight"
	awk "$JUDGE_KTAP" "$2" > "$log/faults"
	awk -v flight="$log/in-flight" -v faults="$log/faults" "$JUDGE_JOIN" \
		"$log/in-flight" "$log/faults" "$log/results.tsv" | sort -s -t $'\t' -k 1,1n
}

# What a lab that could not run has said.
last_words() {
	local words

	words=$(sed -n 's/^lab\/run: //p' "$1/stderr" | tail -n 1 | sed 's/ (log: .*//')
	echo "${words:-lab/run said nothing}"
}
