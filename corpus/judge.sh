# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the log directory of a boot, which is lab/run's, says about a regression.

# shellcheck source=../lab/judge.sh
. "$CORPUS_TOP/lab/judge.sh"

# Which red cases are catches.  The first file is what is known of the unmodified
# kernel, lines of STATUS TEST CASE...; STATUS may be "died", and "late" for a hang that
# did not come again.  The second has lines of
# AT NAME HOW DIED...; what is printed in front of each is "yes", "hang" (red by time
# only: to be confirmed) or "no", and why not.
#
# A host that dies is a catch in a case that was skipped, too: it did not die there.
# shellcheck disable=SC2016
readonly JUDGE_COUNTS='
BEGIN { FS = OFS = "\t" }
FILENAME == known {
	name = $2 "." $3
	if ($1 == "died")
		died[$2] = 1
	else
		status[name] = $1
	if ($1 == "pass")
		ran[$2] = 1
	if ($1 ~ /^(fail|error|died)$/ && $3 ~ /^(kernel_log|kvm_unload)$/)
		whole[$3] = 1
	next
}
{
	test = kind = $2
	sub(/\..*/, "", test)
	kind = substr($2, length(test) + 2)
	green = status[$2] == "pass"
	if (kind ~ /^(kernel_log|kvm_unload)$/)
		green = ran[test] && !whole[kind]
	else if ($4 == "died")
		green = !died[test] && status[$2] !~ /^(fail|error|late)$/
	why = "-"
	if ($3 == "error")
		why = "an error of the test or of what it needs"
	else if (status[$2] == "late")
		why = "not twice"
	else if (!green)
		why = status[$2] ~ /^(fail|error)$/ || whole[kind] || died[test] ? "red on the unmodified kernel" : \
			"not known to be green on the unmodified kernel"
	print (why != "-" ? "no" : $3 == "hang" ? "hang" : "yes"), why, $0
}'

# counts KNOWN RED-FILE
counts() {
	awk -v known="$1" "$JUDGE_COUNTS" "$1" "$2"
}

# The lines of stdout so far say that a case is red that counts: HOW decides, and
# whether it was green.
red_so_far() {
	awk "$JUDGE_KTAP" "$2" | awk -F '\t' -v OFS='\t' '{ print "", $1, $2, "-" }' > "$2.red"
	counts "$1" "$2.red" | grep -vq '^no'
}

# Did the host come as far as the first test?
reached_a_test() {
	awk '/^# # host died/ { exit } /^# selftests: kvm: / { found = 1; exit } END { exit !found }' "$1/stdout"
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
