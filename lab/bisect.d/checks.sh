# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What can be wrong with a question, told in one line before anything is built.
#
# Part of lab/bisect, whose variables it shares.
# shellcheck disable=SC2015,SC2034,SC2154

in_tree() {
	git -C "$tree" "$@"
}

# commit_of OPTION NAME
commit_of() {
	in_tree rev-parse -q --verify --end-of-options "$2^{commit}" 2> /dev/null ||
		bad_usage "$1 $2: no such commit in $tree"
}

check_tree() {
	[ -d "$tree" ] || bad_usage "--tree $tree: no such directory"
	tree=$(realpath -- "$tree")
	in_tree rev-parse --git-dir > /dev/null 2>&1 || bad_usage "--tree $tree: not a git repository"
	[ -z "$(in_tree status --porcelain -uno 2> /dev/null | sed -n 1p)" ] ||
		bad_usage "--tree $tree has changes that are in no commit, and would not be tested: commit or stash them"
}

check_ends() {
	local base

	[ -z "$replay" ] || ends_of_log
	good=$(commit_of --good "$good")
	bad=$(commit_of --bad "$bad")
	[ "$good" != "$bad" ] || bad_usage "--good and --bad are the same commit"
	if in_tree merge-base --is-ancestor "$bad" "$good"; then
		bad_usage "--bad is an ancestor of --good: are they swapped?"
	elif ! in_tree merge-base --is-ancestor "$good" "$bad"; then
		base=$(in_tree merge-base "$good" "$bad") || bad_usage "--good and --bad have no commit in common"
		bad_usage "--good is no ancestor of --bad; where they part is --good ${base:0:12}"
	fi
	[ -n "$build_command" ] || in_tree cat-file -e "$good:arch/x86/kvm" 2> /dev/null ||
		bad_usage "--good: there is no arch/x86/kvm in it, so this is no kernel tree"
}

# The test, its case and the options of the lab, by the words of the lab itself.
check_test() {
	local said name

	test_word=$(test_and_case "$word")
	said=$("$LAB_RUN" --list --host "$host" ${options[@]+"${options[@]}"} "$test_word" 2>&1) ||
		bad_usage "$(sed 's/^lab\/run: //; s/; see lab\/run --help//' <<< "$said" | one_line)"
	name=${test_word%%:*}
	test_file=$(find_test "$name") || bad_usage "no test '$name'"
	test_name=$(basename -- "$name")
	test_word=$test_name${test_word#"$name"}
	options=(--host "$host" ${options[@]+"${options[@]}"})
}

check_tools() {
	local tools

	need git:git
	if [ -z "$build_command" ]; then
		mapfile -t tools < <(kbuild_tools)
		need "${tools[@]}"
	fi
	[ -n "${KVM_BISECT_RUN:-}" ] || [ "$host" != amd ] || need qemu-system-x86_64:qemu-system-x86
}

# What KVM's modules are made of, and what nothing is made of.
readonly KVMS_OWN='^(arch/x86/kvm/|virt/kvm/|include/(uapi/)?linux/kvm|include/trace/events/kvm|arch/x86/include/(uapi/)?asm/kvm|arch/[^x][^/]*/|arch/xtensa/|Documentation/|tools/|samples/|MAINTAINERS$)'
readonly KCONFIG='(^|/)Kconfig'

choose_mode() {
	local other

	mode=kernel
	[ -n "$modules_only" ] || return 0
	other=$(in_tree log --format= --name-only --no-renames -m "$good..$bad" |
		awk 'NF' | sort -u | grep -vE "$KVMS_OWN" || true)
	other+=$(in_tree log --format= --name-only --no-renames -m "$good..$bad" -- arch/x86 virt | grep -E "$KCONFIG" || true)
	if [ -n "$other" ]; then
		say "--modules-only: the range changes ${other%%$'\n'*}, too, so whole kernels are built"
	else
		mode=modules
	fi
}

# The first good and bad commit of a log are the ends.
ends_of_log() {
	good=${good:-$(sed -n 's/^git bisect good //p' "$replay" | sed -n 1p)}
	bad=${bad:-$(sed -n 's/^git bisect bad //p' "$replay" | sed -n 1p)}
	[ -n "$good" ] && [ -n "$bad" ] || bad_usage "--replay: no good and bad commit in $replay; name them"
}
