# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A kernel for the lab, out of the commit that is checked out in the current
# directory.
#
# Part of lab/bisect.d/try, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# shellcheck source=../kbuild.sh
. "$LAB_DIR/kbuild.sh"

# The same source gives the same image, whenever it is built.
export KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab
export KBUILD_BUILD_VERSION=1 LOCALVERSION=

fragments=("$LAB_DIR/kernel.config" "$LAB_TOP/config")
release=''

# build WHAT OUT: leave bzImage, modules/ and the configuration in OUT. Fails with why.
build() {
	local what=$1 out=$2 rc=0

	rm -rf "$out/modules" "$out/bzImage"
	mkdir -p "$out/modules"
	cat "$BOOT_ID" > "$state/building"
	if [ -n "$build_command" ]; then
		in_background sh -c "$build_command \"\$@\"" build "$out" "$what" > "$out/build.log" 2>&1 || rc=$?
	else
		in_background "build_$what" "$out" > "$out/build.log" 2>&1 || rc=$?
	fi
	rm -f "$state/building"
	if [ $rc != 0 ] || [ ! -f "$out/bzImage" ]; then
		why="does not build: $(first_error "$out/build.log")"
		return 1
	fi
}

first_error() {
	local line

	line=$(grep -m 1 -E 'lost options|error:|ERROR:|Error [0-9]' "$1" || tail -n 1 "$1")
	one_line <<< "${line:-no bzImage}"
}

# A power cut may leave half-written objects that are newer than their sources.
clean_after_power_cut() {
	[ -f "$state/building" ] || return 0
	cmp -s "$state/building" "$BOOT_ID" || { git clean -fdxq; rm -rf "$state/base"; }
	rm -f "$state/building"
}

kconfig_files() {
	git ls-tree -r HEAD | grep -E '/Kconfig|/configs/'
	sha256sum "${fragments[@]}"
}

# Only what changes an option changes the configuration.
configure() {
	kconfig_files | sha256sum > "$state/kconfig.new"
	[ ! -f .config ] || ! cmp -s "$state/kconfig.new" "$state/kconfig" || return 0
	make_in "$PWD" tinyconfig && cat "${fragments[@]}" >> .config && make_in "$PWD" olddefconfig < /dev/null &&
		check_options && mv "$state/kconfig.new" "$state/kconfig"
}

# An option that this kernel has, and that did not take, would make another test of it.
check_options() {
	local option lost=''

	while IFS='=' read -r option value; do
		case $value in
		n) ! grep -q "^$option=" .config || lost+=" $option" ;;
		*) grep -qx "$option=$value" .config || ! known_option "${option#CONFIG_}" || lost+=" $option" ;;
		esac
	done < <(cat "${fragments[@]}" | grep '^CONFIG_')
	[ -z "$lost" ] || { echo "lost options:$lost"; return 1; }
}

known_option() {
	git grep -qE "^[[:space:]]*(menu)?config $1\$" -- '*Kconfig*'
}

build_kernel() {
	configure || return
	make_code "$PWD" bzImage modules || return
	cp arch/x86/boot/bzImage .config "$1/"
	find . -name '*.ko' -exec cp -t "$1/modules" {} +
}

# KVM's modules against the kernel that was built first.
build_modules() {
	local name

	make_modules "$PWD" || return
	cp "$state/base"/{bzImage,.config} "$1/"
	cp "$state/base/modules"/*.ko "$1/modules/"
	for name in kvm kvm-amd kvm-intel; do
		cp "arch/x86/kvm/$name.ko" "$1/modules/" || return
	done
}

# What no build of modules can find out.
needs_kernel() {
	grep -q '^ERROR: modpost:' "$1/build.log"
}

image_of() {
	(cd "$1" && find bzImage modules -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -c 1-16
}
