# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What corpus/run tells: while it runs, at the end, and to other programs.
#
# Part of corpus/run, whose variables it shares.
# shellcheck disable=SC2154

# Columns, for a table of fields between tabs.
align() {
	awk -F '\t' '
	{
		for (i = 1; i <= NF; i++) {
			cell[NR, i] = $i
			if (length($i) > width[i])
				width[i] = length($i)
		}
		n = NF
	}
	END {
		for (row = 1; row <= NR; row++) {
			line = ""
			for (i = 1; i <= n; i++)
				line = line sprintf("%-" width[i] "s  ", cell[row, i])
			sub(/ +$/, "", line)
			print line
		}
	}'
}

json_string() {
	local s=${1//\\/\\\\}

	s=${s//\"/\\\"}
	printf '"%s"' "${s//[[:cntrl:]]/ }"
}

# write_result FILE ID PARAMS TITLE VERDICT CASE HOW SECONDS WHY TIMES LOG: one line for
# the table at the end, and one of JSON.
write_result() {
	local file=$1 id=$2 set="${3:-defaults}" title=$4 verdict=$5
	local by=$6 how=$7 after=$8 why=$9
	local times=${10} log=${11} said=$6

	[ "$verdict" = caught ] || [ "$verdict" = MISSED ] || said=$why
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$verdict" "$id" "$set" "$said" "$how" "$after" "$times" > "$file"
	{
		printf '{"id":%s,"kernel":"%s","host":"%s","params":%s,' \
			"$(json_string "$id")" "$kernel" "$host" "$(json_string "$set")"
		printf '"verdict":"%s","case":"%s","how":"%s","seconds":%s,"times":"%s","title":%s,"why":%s,"red":[%s],"log":%s}\n' \
			"${verdict,,}" "$by" "$how" "${after/#-/null}" "$times" "$(json_string "$title")" \
			"$(json_string "$why")" "$(json_red "$log")" "$(json_string "$log")"
	} > "$file.json"
	# At once: whoever stops the run keeps what it has found.
	mkdir -p "$logs" 2> /dev/null || die "cannot write to $logs"
	(flock 9 && merge_jsonl "$file.json") 9> "$logs/.lock"
}

# Every red case that counts, and what it says first; more than "something is wrong:".
json_red() {
	[ ! -f "$1/counts" ] || awk -F '\t' '$1 != "no" {
		if ($7 ~ /:$/)
			$7 = $7 $8
		gsub(/["\\]/, "\\\\&", $7)
		gsub(/[[:cntrl:]]/, " ", $7)
		printf "%s{\"case\":\"%s\",\"how\":\"%s\",\"seconds\":%s,\"says\":\"%s\"}", (n++ ? "," : ""), $4, $5, $3, $7 }' "$1/counts"
}

# merge_jsonl FILE: puts its one line into results.jsonl, in the place of an older
# one of the same regression, kernel, host and parameters, or of none.
merge_jsonl() {
	local all_results=$logs/results.jsonl

	touch "$all_results"
	KEY=$(sed 's/,"verdict":.*/,/' "$1") NONE=$(sed 's/,"params":.*/,"params":"-",/' "$1") \
		awk 'index($0, ENVIRON["KEY"]) != 1 && index($0, ENVIRON["NONE"]) != 1' \
		"$all_results" > "$all_results.new"
	cat "$1" >> "$all_results.new"
	mv "$all_results.new" "$all_results"
}

# What runs now, for the eyes on a terminal; otherwise a line a minute.
show_progress() {
	local text='' pid now

	for pid in "${!running[@]}"; do
		now=$(cat "$work/now.${running[$pid]}" 2> /dev/null || true)
		text+=" ${running_name[$pid]}${now:+ $(running_case "$now")};"
	done
	text="$((SECONDS - started)) s:${text%;}"
	if [ -t 2 ]; then
		printf '\r\033[K  %.*s' $((${COLUMNS:-80} - 4)) "$text" >&2
	else
		say "$text"
	fi
}

# N of how many are done, and how long the rest may take.
show_done() {
	local left

	[ "$jobs_total" -gt 1 ] && [ "$jobs_done" -lt "$jobs_total" ] || return 0
	left=$(((SECONDS - phase_started) * (jobs_total - jobs_done) / jobs_done))
	say "[$jobs_done/$jobs_total] about $(((left + 59) / 60)) min left"
}

count_of() {
	printf '%s\n' "${results[@]}" | grep -c "^$1" || true
}

summary() {
	local line caught missed broken skipped seldom

	caught=$(count_of caught) missed=$(count_of MISSED) broken=$(count_of BROKEN) skipped=$(count_of skipped)
	seldom=$(printf '%s\n' "${results[@]}" | awk -F '\t' '$1 == "caught" { split($7, t, "/"); if (t[1] != t[2]) n++ }
		END { print n + 0 }')
	echo
	{
		printf 'RESULT\tREGRESSION\tPARAMETERS\tBY\tHOW\tSECONDS%s\n' "$([ "$repeat" = 1 ] || printf '\tTIMES')"
		printf '%s\n' "${results[@]}" | if [ "$repeat" = 1 ]; then cut -f 1-6; else cat; fi
	} | align
	line="$caught caught, $missed missed"
	[ "$broken" = 0 ] || line+=", $broken broken"
	[ "$skipped" = 0 ] || line+=", $skipped skipped"
	[ "$seldom" = 0 ] || line+="; of those caught, $seldom not every time"
	echo "$line"
	[ "$broken" = 0 ] || return "$CORPUS_ERROR"
	[ "$missed" = 0 ] && [ "$seldom" = 0 ] || return 1
	[ "$caught" != 0 ] || return "$CORPUS_ERROR"
}
