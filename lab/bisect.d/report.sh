# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What came of a bisection: lines of text, a log that can be replayed, and a page.
#
# Part of lab/bisect, whose variables it shares.
# shellcheck disable=SC2154

report() {
	write_log > "$state/bisect.log.new"
	mv "$state/bisect.log.new" "$state/bisect.log"
	write_summary > "$state/summary"
	write_page > "$state/bisect.html.new"
	mv "$state/bisect.html.new" "$state/bisect.html"
	echo
	cat "$state/summary"
	echo "log: $state/bisect.log"
	echo "page: $state/bisect.html"
	echo "repeat: $command"
}

subject_of() {
	in_tree log -1 --abbrev=12 --format='%h %s' "$1"
}

# git bisect's own log, with what the lab knows about each step.
write_log() {
	local line commit dir

	echo "# $command"
	echo "# sought: $(cat "$state/sought")"
	echo "# runs: $runs"
	while IFS= read -r line; do
		case $line in
		'git bisect good '* | 'git bisect bad '* | 'git bisect skip '*)
			commit=${line##* }
			dir=$state/steps/$commit
			echo "# $(value_of why "$dir/verdict") ($(value_of bad "$dir/verdict") of $(value_of runs "$dir/verdict") runs red)"
			;;
		# Its ends are told below it; --no-checkout is not for who replays this.
		'git bisect start '*)
			echo 'git bisect start'
			end_of_log bad "$bad"
			end_of_log good "$good"
			continue
			;;
		'# status: '*) continue ;;
		"# bad: [$bad]"* | "# good: [$good]"*) continue ;;
		esac
		printf '%s\n' "$line"
	done < "$state/git.log"
}

end_of_log() {
	echo "# $1: [$2] $(in_tree log -1 --format=%s "$2")"
	echo "# $(value_of why "$state/steps/$2/verdict") ($(value_of bad "$state/steps/$2/verdict") of $(value_of runs "$state/steps/$2/verdict") runs red)"
	echo "git bisect $1 $2"
}

write_summary() {
	local commit

	if [ -n "$culprit" ]; then
		write_culprit
	else
		echo "not found: one of these is the first bad commit, but they cannot be told apart"
		for commit in $suspects; do
			printf '  %s: %s\n' "$(subject_of "$commit")" "$(value_of why "$state/steps/$commit/verdict")"
		done
	fi
	echo "tried: $(tally)"
	echo "time: $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
	[ "$mode" = "$(cat "$state/mode")" ] || echo "note: KVM's modules alone were not enough; whole kernels were built"
}

write_culprit() {
	local parent dir=$state/steps/$culprit text

	echo "first bad commit: $(subject_of "$culprit")"
	in_tree log -1 --format='author: %an <%ae>, %ad' --date=short "$culprit"
	for parent in $(in_tree rev-list -1 --parents "$culprit" | cut -s -d' ' -f2-); do
		echo "before: $(value_of why "$state/steps/$parent/verdict" | grep . || echo 'not tried') ($(subject_of "$parent"))"
	done
	echo "after:  $(value_of signature "$dir/verdict" | grep . || cat "$state/sought")"
	text=$(said_by_case "$dir")
	[ -z "$text" ] || sed 's/^/        /' <<< "$text"
	if [ -n "$confidence" ]; then
		echo "confidence: $confidence %: what came before it is green in all its runs, and --bad red in $red of $of"
	else
		echo "confidence: unknown, as what comes before it was not run here"
	fi
}

# What the sought case said, in its first red run.
said_by_case() {
	local name file

	name=$(sed 's/: .*//' "$state/sought")
	for file in "$1"/run*/red; do
		[ -f "$file" ] || continue
		awk -F '\t' -v name="$name" '$2 == name {
			for (i = 5; i <= NF && i < 9; i++) print $i; exit }' "$file" | grep . && return || true
	done
}

tally() {
	local commit

	sort -u "$state/order" | while read -r commit; do
		value_of verdict "$state/steps/$commit/verdict"
	done | awk '{ n[$1]++ } END {
		printf "%d commits, %d good, %d bad, %d skipped\n", n["good"] + n["bad"] + n["skip"], n["good"], n["bad"], n["skip"] }'
}

escape() {
	sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'
}

# One cell per commit, in the order of history.
strip() {
	in_tree log --reverse --topo-order --abbrev=12 --format='%H%x09%h%x09%s' "$good^!" "$bad" "^$good^@" |
		while IFS=$'\t' read -r commit short subject; do
			printf '%s\t%s\t%s\t%s\n' "$commit" "$short" "$(value_of verdict "$state/steps/$commit/verdict")" "$subject"
		done | escape | awk -F '\t' -v culprit="$culprit" '{
			class = $3 == "" ? "none" : $3
			if ($1 == culprit)
				class = class " culprit"
			printf "<i class=\"%s\" title=\"%s %s%s\"></i>\n", class, $2, $4, ($3 == "" ? "" : " (" $3 ")") }'
}

steps_table() {
	local commit

	awk '!seen[$0]++' "$state/order" | while read -r commit; do
		dir=$state/steps/$commit
		printf '%s\t%s\t%s\t%s\tsteps/%s\n' "$(value_of verdict "$dir/verdict")" "$(in_tree log -1 --abbrev=12 --format='%h%x09%s' "$commit")" \
			"$(value_of bad "$dir/verdict")/$(value_of runs "$dir/verdict")" "$(value_of why "$dir/verdict")" "$commit"
	done | escape | awk -F '\t' '{
		printf "<tr class=\"%s\"><td>%s<td><a href=\"%s\">%s</a><td>%s<td>%s<td>%s</tr>\n", $1, $1, $6, $2, $3, $4, $5 }'
}

# A letter's worth of shape as well as a colour: the culprit stands out of the strip.
write_page() {
	cat <<-END
	<!DOCTYPE html>
	<html lang="en"><head><meta charset="utf-8">
	<meta name="viewport" content="width=device-width">
	<title>Bisection: $(escape <<< "$test_word")</title>
	<style>
	:root { color-scheme: light dark; --good: #7fc97f; --bad: #e57373; --skip: #e6c84f; --none: #ddd; --line: #bbb; }
	@media (prefers-color-scheme: dark) {
		:root { --good: #2e7d32; --bad: #b03030; --skip: #8a7415; --none: #444; --line: #555; }
	}
	body { font: 15px/1.4 sans-serif; margin: 2em; }
	.strip { display: flex; flex-wrap: wrap; gap: 1px; align-items: flex-end; margin: 1em 0; }
	.strip i { flex: 1 1 8px; min-width: 3px; max-width: 24px; height: 24px; background: var(--none); }
	.strip i.culprit { height: 40px; outline: 2px solid CanvasText; }
	.strip i.good, b.good { background: var(--good); }
	.strip i.bad, b.bad { background: var(--bad); }
	.strip i.skip, b.skip { background: var(--skip); }
	b.none { background: var(--none); }
	b { padding: 0 .5em; }
	table { border-collapse: collapse; }
	th, td { border: 1px solid var(--line); padding: 3px 8px; text-align: left; vertical-align: top; }
	tr.good td:first-child { background: var(--good); }
	tr.bad td:first-child { background: var(--bad); }
	tr.skip td:first-child { background: var(--skip); }
	pre { white-space: pre-wrap; }
	</style></head><body>
	<h1>$(escape <<< "$test_word"), $(in_tree rev-list --count "$good..$bad") commits</h1>
	<pre>$(escape < "$state/summary")</pre>
	<div class="strip">
	$(strip)
	</div>
	<p>From the oldest commit to the newest: <b class="good">good</b> <b class="bad">bad</b>
	<b class="skip">cannot tell</b> <b class="none">not tried</b>; the tall one is the first bad commit.</p>
	<table><tr><th>Verdict<th>Commit<th>Subject<th>Red runs<th>Why</tr>
	$(steps_table)
	</table>
	<h2>Log</h2>
	<pre>$(escape < "$state/bisect.log")</pre>
	</body></html>
	END
}
