# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Builds in a kernel tree.
#
# Shared by corpus/build-modules and lab/bisect. It uses cc (the compiler), release
# (of the kernel that modules are for; empty: the tree's own) and jobs (of make; empty:
# one per CPU).
# shellcheck disable=SC2154

# PROGRAM:PACKAGE of what building a kernel needs, one a line.
kbuild_tools() {
	printf '%s\n' gcc:gcc make:make flex:flex bison:bison bc:bc pahole:pahole modinfo:kmod cpio:cpio \
		rsync:rsync xz:xz-utils perl:perl python3:python3 ccache:ccache
	# Libraries, told by a header that only their package has.
	[ -e /usr/include/gelf.h ] || echo gelf.h:libelf-dev
	[ -e /usr/include/openssl/ssl.h ] || echo openssl/ssl.h:libssl-dev
}

# choose_compiler CACHE: sets cc.
choose_compiler() {
	cc=gcc
	if command -v ccache > /dev/null; then
		export CCACHE_DIR=$1/ccache
		cc='ccache gcc'
	fi
}

# Since 6.13 the commands have the tree's path in them, and each copy has its own.
make_in() {
	local tree=$1

	shift
	setpriv --pdeathsig TERM env -u MAKEFLAGS -u KBUILD_OUTPUT -u ARCH -u CROSS_COMPILE -u LLVM \
		CCACHE_BASEDIR="$tree" CCACHE_NOHASHDIR=1 \
		make -C "$tree" -j"${jobs:-$(nproc)}" CC="$cc" ${release:+"KERNELRELEASE=$release"} "$@"
}

# make_code TREE TARGET...: kernel and modules have the same flags, so that neither
# builds the other's objects again.  Debug information doubles the time of a build.  A
# mutated function may leave a variable unused, which must not fail the build.
# more_cflags: what else the compiler is told.
make_code() {
	local cflags=-g0

	! grep -q '^CONFIG_GENDWARFKSYMS=y' "$1/.config" || cflags=
	make_in "$1" KCFLAGS="$cflags ${more_cflags:-}" CONFIG_KVM_WERROR=n "${@:2}"
}

make_modules() {
	make_code "$1" M=arch/x86/kvm modules
}

# logged WHAT LOG COMMAND...: the last lines are all that is shown of a failure.
logged() {
	local what=$1 log=$2 start=$SECONDS

	shift 2
	say "$what"
	if [ "${V:-0}" != 0 ]; then
		"$@" 2>&1 | tee "$log" >&2 && return 0
	else
		"$@" > "$log" 2>&1 && return 0
	fi
	say "failed after $((SECONDS - start)) s: $what"
	grep -vE '^ *(CC|LD|AR|AS|BTF|HOSTCC|HOSTLD|MODPOST|Skipping) ' "$log" | tail -n 15 |
		sed 's/^/    /' >&2
	return 1
}
