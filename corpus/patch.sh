# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# How a semantic patch, or a plain one, is put on a source tree.

# Coccinelle cannot parse a function whose name is a macro call.  FNAME(x) has
# the shape of a name while a patch is applied; the macro's own definition stays.
# A patch is rewritten, too: it may say FNAME(x) or FNAME__x__.
fname_hide() {
	sed -E '/^[-+]?[ \t]*#[ \t]*(define|undef)[ \t]+FNAME\>/!s/\<FNAME\(([A-Za-z0-9_]+)\)/FNAME__\1__/g'
}

fname_show() {
	sed -E 's/\<FNAME__([A-Za-z0-9_]+)__(\>|$)/FNAME(\1)/g'
}

# apply_patch PATCH TREE OUT: change the files of TREE that PATCH lists.  Each is
# replaced before it is written to, since a tree may share its files with another.
# OUT/applied.diff gets what was changed, OUT/spatch.log what the tools said.
apply_patch() {
	local patch=$1 tree=$2 out=$3 file

	mkdir -p "$out"
	: > "$out/applied.diff"
	: > "$out/spatch.log"
	while read -r file; do
		[ -f "$tree/$file" ] || die "$patch: no $file in the source that KVM's modules are built from"
		cp "$tree/$file" "$tree/$file.orig"
	done < <(header_files "$patch")
	case $patch in
	*.diff) apply_diff "$patch" "$tree" "$out" ;;
	*) apply_cocci "$patch" "$tree" "$out" ;;
	esac
	collect_changes "$patch" "$tree" "$out"
}

apply_diff() {
	patch -d "$2" -p1 -F0 -N --no-backup-if-mismatch < "$1" > "$3/spatch.log" 2>&1 ||
		apply_failed "$1: does not apply" "$3"
}

apply_cocci() {
	local cocci=$1 tree=$2 out=$3 file rules=$3/rules.cocci

	LC_ALL=C sed '1s/^\xef\xbb\xbf//; s/\r$//' "$cocci" | fname_hide > "$rules"
	while read -r file; do
		cocci_on_file "$cocci" "$rules" "$tree" "$file" "$out"
	done < <(header_files "$cocci")
	rm -f "$rules"
}

cocci_on_file() {
	local cocci=$1 rules=$2 file=$3/$4 name=$4 out=$5 rc=0

	fname_hide < "$file.orig" > "$file.new"
	fname_show < "$file.new" | cmp -s - "$file.orig" ||
		die "$cocci: $name does not survive the rewriting of FNAME()"
	mv -f "$file.new" "$file"
	timeout 300 spatch --sp-file "$rules" --in-place "$file" \
		< /dev/null > "$out/spatch.one" 2>&1 || rc=$?
	{ echo "== $name"; grep -v '^init_defs' "$out/spatch.one"; } >> "$out/spatch.log" || true
	rm -f "$out/spatch.one"
	[ $rc != 124 ] || apply_failed "$cocci: spatch is not done with $name after 300 s" "$out"
	[ $rc = 0 ] || apply_failed "$cocci: spatch failed on $name" "$out"
	fname_show < "$file" > "$file.new"
	mv -f "$file.new" "$file"
}

# What was changed, and whether that is what was to be changed.
collect_changes() {
	local patch=$1 tree=$2 out=$3 file want hunks=0 n where='' missing=''

	while read -r file; do
		diff -u --label "a/$file" --label "b/$file" "$tree/$file.orig" "$tree/$file" > "$out/one.diff" || true
		rm -f "$tree/$file.orig"
		n=$(grep -c '^@@' "$out/one.diff" || true)
		hunks=$((hunks + n))
		cat "$out/one.diff" >> "$out/applied.diff"
		rm -f "$out/one.diff"
		[ "$n" = 0 ] && missing+=", $file" || where+=", $n in $file"
	done < <(header_files "$patch")
	[ -z "$missing" ] ||
		apply_failed "$patch: does not apply to ${missing#, }${where:+ (places changed: ${where#, })}" "$out"
	want=$(header "$patch" hunks)
	[ -z "$want" ] || [ "$hunks" = "$want" ] || {
		cat "$out/applied.diff" >&2
		die "$patch: changed $hunks places (${where#, }), its header says hunks: $want"
	}
}

apply_failed() {
	say "$1:"
	tail -n 12 "$2/spatch.log" | sed 's/^/    /' >&2
	exit "$CORPUS_ERROR"
}
