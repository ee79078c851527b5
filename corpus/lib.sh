# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shared by the scripts of the corpus: how they talk, and the header of a semantic
# patch.
#
# Exit statuses are those of git bisect run: 0 good, 1 bad, 125 cannot tell.

readonly CORPUS_ERROR=125

CORPUS_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
CORPUS_TOP=$(dirname -- "$CORPUS_DIR")
CORPUS_LAB=${KVM_CORPUS_LAB:-$CORPUS_TOP/lab}	# a fake one, in corpus/selftest
CORPUS_CACHE=$(realpath -m -- "${KVM_LAB_CACHE:-$CORPUS_TOP/build/cache}")
CORPUS_ME=$(readlink -f -- "$0")
CORPUS_ME=${CORPUS_ME#"$CORPUS_TOP"/}
# shellcheck disable=SC2034 # CORPUS_LAB, CORPUS_CACHE: for those who read this file
readonly CORPUS_DIR CORPUS_TOP CORPUS_LAB CORPUS_CACHE CORPUS_ME
export KVM_TEST_TRIES=${KVM_TEST_TRIES:-100}	# no short cut, see lab/run

# On a terminal there may be a line that shows how far it is.
say() {
	[ ! -t 2 ] || printf '\r\033[K' >&2
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

number_option() {
	[[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || { say "$1 wants a number, got '$2'"; exit 2; }
}

# ID or FILE.cocci -> path of the file.
corpus_file() {
	local file

	case $1 in
	*/* | *.cocci | *.diff) file=$1 ;;
	*) file=$CORPUS_DIR/$1.cocci ;;
	esac
	if [ ! -f "$file" ] && [ -f "$CORPUS_DIR/$1" ]; then
		file=$CORPUS_DIR/$1
	fi
	[ ! -d "$file" ] || { say "$file is a directory, not a FILE.cocci"; return "$CORPUS_ERROR"; }
	[ -f "$file" ] || {
		say "no such regression: $1 (known: $(corpus_ids | tr '\n' ' ' | sed 's/ $//'); or name a FILE.cocci)"
		return "$CORPUS_ERROR"
	}
	[ -r "$file" ] || { say "cannot read $file"; return "$CORPUS_ERROR"; }
	realpath -- "$file"
}

corpus_id() {
	basename -- "$1" | sed 's/\.\(cocci\|diff\)$//'
}

corpus_ids() {
	local file

	for file in "$CORPUS_DIR"/*.cocci; do
		[ ! -f "$file" ] || basename -- "$file" .cocci
	done
}

# header FILE KEY: the values of all lines "// KEY: VALUE" above the first rule.  A
# file may come from an editor that writes carriage returns or a byte order mark.
header() {
	LC_ALL=C awk -v key="$2" '
	NR == 1 { sub(/^\357\273\277/, "") }
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
		gsub(/["\047]/, "")
		gsub(/[,;]/, " ")
		if (tolower($1) ~ /^(defaults?|none|any|all|-|\*)?$/)
			$0 = ""
		$1 = $1
		if (!seen[$0]++)
			print
		n++
	}
	END { if (!n) print "" }'
}

# is_param WORD: MODULE.PARAMETER=VALUE?
is_param() {
	[[ $1 =~ ^[A-Za-z0-9_-]+\.[A-Za-z0-9_]+=[A-Za-z0-9_.,-]+$ ]]
}

# is_host_option WORD: not of a module, but of the machine that is emulated.
is_host_option() {
	[[ $1 =~ ^(cpu=[+-][A-Za-z0-9_.-]+|(numa|phys-bits)=[0-9]+)$ ]]
}

# Says what is wrong with a header, in one line; nothing when it can be used.
header_problem() {
	local file word

	[ -n "$(header "$1" title)" ] || { echo "no '// title:' line above the first rule"; return; }
	[ -n "$(header_files "$1")" ] || { echo "no '// files:' line above the first rule"; return; }
	while read -r file; do
		case /$file/ in
		//* | */../*) echo "'// files: $file' is not a path inside the kernel tree"; return ;;
		esac
	done < <(header_files "$1")
	word=$(header "$1" hunks)
	[[ $word =~ ^[0-9]*$ ]] || echo "'// hunks: $word' is not a number"
}
