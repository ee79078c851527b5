# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the scripts of the corpus: the header of a semantic patch, and how a
# patch is put on a source tree.
#
# Exit statuses are those of git bisect run: 0 good, 1 bad, 125 cannot tell.

readonly CORPUS_ERROR=125

CORPUS_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
CORPUS_TOP=$(dirname -- "$CORPUS_DIR")
CORPUS_LAB=${KVM_CORPUS_LAB:-$CORPUS_TOP/lab}	# a fake one, in corpus/selftest
CORPUS_CACHE=$(realpath -m -- "${KVM_LAB_CACHE:-$CORPUS_TOP/build/cache}")
CORPUS_ME=corpus/$(basename -- "$0")
# shellcheck disable=SC2034 # CORPUS_LAB, CORPUS_CACHE: for those who read this file
readonly CORPUS_DIR CORPUS_TOP CORPUS_LAB CORPUS_CACHE CORPUS_ME

say() {
	printf '%s: %s\n' "$CORPUS_ME" "$*" >&2
}

die() {
	say "$*"
	exit "$CORPUS_ERROR"
}

# The value of an option that must have one.
option_value() {
	[ "$2" -gt 1 ] || { say "$1 wants a value; see --help"; exit 2; }
}

# ID or FILE.cocci -> path of the file.
corpus_file() {
	local file

	case $1 in
	*/* | *.cocci) file=$1 ;;
	*) file=$CORPUS_DIR/$1.cocci ;;
	esac
	if [ ! -f "$file" ] && [ -f "$CORPUS_DIR/$1" ]; then
		file=$CORPUS_DIR/$1
	fi
	[ -f "$file" ] || die "no such regression: $1 (known: $(corpus_ids | tr '\n' ' ' | sed 's/ $//'); or name a FILE.cocci)"
	[ -r "$file" ] || die "cannot read $file"
	realpath -- "$file"
}

corpus_ids() {
	local file

	for file in "$CORPUS_DIR"/*.cocci; do
		[ ! -f "$file" ] || basename -- "$file" .cocci
	done
}

# header FILE KEY: the values of all lines "// KEY: VALUE" above the first rule.
header() {
	awk -v key="$2" '
	/^@/ { exit }
	{
		sub(/\r$/, "")
		if (!sub(/^[ \t]*\/\/[ \t]*/, ""))
			next
		if (index($0, key ":") != 1)
			next
		$0 = substr($0, length(key) + 2)
		gsub(/^[ \t]+|[ \t]+$/, "")
		print
	}' "$1"
}

# The source files that a patch is for, one a line, each once.
header_files() {
	header "$1" files | tr -s ', \t' '[\n*]' | awk 'NF && !seen[$0]++'
}

# The parameter sets, one a line; an empty line stands for the defaults.
header_params() {
	header "$1" params | awk '
	{
		sub(/[ \t]*\(.*/, "")
		gsub(/,/, " ")
		if (tolower($1) ~ /^(defaults?|none|-)$/)
			$0 = ""
		$1 = $1
		if (!seen[$0]++)
			print
		n++
	}
	END { if (!n) print "" }'
}

# Says what is wrong with a header, in one line; nothing when it can be used.
header_problem() {
	local file words word

	[ -n "$(header "$1" title)" ] || { echo "no '// title:' line above the first rule"; return; }
	[ -n "$(header_files "$1")" ] || { echo "no '// files:' line above the first rule"; return; }
	while read -r file; do
		case /$file/ in
		//* | */../*) echo "'// files: $file' is not a path inside the kernel tree"; return ;;
		esac
	done < <(header_files "$1")
	while read -r -a words; do
		for word in ${words[@]+"${words[@]}"}; do
			[[ $word =~ ^[A-Za-z0-9_]+\.[A-Za-z0-9_]+=[^[:space:]]+$ ]] ||
				{ echo "'// params: ${words[*]}': '$word' is not MODULE.PARAMETER=VALUE"; return; }
		done
	done < <(header_params "$1")
	word=$(header "$1" hunks)
	[[ $word =~ ^[0-9]*$ ]] || echo "'// hunks: $word' is not a number"
}

# Coccinelle cannot parse a function whose name is a macro call.  FNAME(x) has
# the shape of a name while a patch is applied; the macro's own definition stays.
fname_hide() {
	sed -E '/^[ \t]*#[ \t]*(define|undef)[ \t]+FNAME\>/!s/\<FNAME\(([A-Za-z0-9_]+)\)/FNAME__\1__/g'
}

fname_show() {
	sed -E 's/\<FNAME__([A-Za-z0-9_]+)__(\>|$)/FNAME(\1)/g'
}

# apply_patch COCCI TREE OUT: change the files of TREE that COCCI lists.  Each is
# replaced before it is written to, since a tree may share its files with another.
# OUT/applied.diff gets what was changed, OUT/spatch.log what spatch said.
apply_patch() {
	local cocci=$1 tree=$2 out=$3 file hunks want

	mkdir -p "$out"
	: > "$out/applied.diff"
	: > "$out/spatch.log"
	while read -r file; do
		[ -f "$tree/$file" ] || die "$cocci: no $file in the source that KVM's modules are built from"
		apply_to_file "$cocci" "$tree" "$file" "$out"
	done < <(header_files "$cocci")

	hunks=$(grep -c '^@@' "$out/applied.diff")
	want=$(header "$cocci" hunks)
	[ -z "$want" ] || [ "$hunks" = "$want" ] || {
		cat "$out/applied.diff" >&2
		die "$cocci: changed $hunks places, its header says hunks: $want"
	}
}

apply_to_file() {
	local cocci=$1 file=$2/$3 name=$3 out=$4 rc=0

	cp "$file" "$file.orig"
	fname_hide < "$file.orig" > "$file.new"
	fname_show < "$file.new" | cmp -s - "$file.orig" ||
		die "$cocci: $name does not survive the rewriting of FNAME()"
	mv -f "$file.new" "$file"
	timeout 300 spatch --sp-file "$cocci" --in-place "$file" \
		< /dev/null > "$out/spatch.one" 2>&1 || rc=$?
	{ echo "== $name"; grep -v '^init_defs' "$out/spatch.one"; } >> "$out/spatch.log" || true
	rm -f "$out/spatch.one"
	[ $rc = 0 ] || spatch_died "$cocci: spatch failed on $name" "$out"
	fname_show < "$file" > "$file.new"
	mv -f "$file.new" "$file"
	if diff -u --label "a/$name" --label "b/$name" "$file.orig" "$file" >> "$out/applied.diff"; then
		spatch_died "$cocci: does not apply to $name" "$out"
	fi
	rm -f "$file.orig"
}

spatch_died() {
	say "$1:"
	tail -n 12 "$2/spatch.log" | sed 's/^/    /' >&2
	exit "$CORPUS_ERROR"
}
