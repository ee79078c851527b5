# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The kernel, its command line, the modules and the initramfs of an emulated host.
#
# Part of lab/run, whose variables it shares.
# shellcheck disable=SC2034,SC2154

# find_kernel: sets kernel_file and kernel_tree (where its modules are, or empty).
find_kernel() {
	local suite name

	if [[ $kernel == deb:* ]]; then
		unpack_debs "${kernel#deb:}"
	elif suite=$(lab_suite_of_kernel "$kernel"); then
		# The cloud flavour has KVM and few drivers: it boots fastest.
		kernel_tree=$("$LAB_DIR/deb" --suite "$suite" linux-image-cloud-amd64) || exit "$LAB_ERROR"
		kernel_file=$(find "$kernel_tree" -name 'vmlinuz*' -type f -print -quit)
		name=${kernel_tree##*/linux-image-}
		[[ $name == "$kernel".* ]] ||
			die "Debian's $suite has moved on from $kernel to ${name%%_*}:" \
				"give a file (--kernel FILE --modules DIR)"
	else
		[ -e "$kernel" ] ||
			bad_usage "no kernel '$kernel': known are $LAB_KERNELS, or give a bzImage, vmlinuz or deb:FILE.deb"
		kernel_file=$(realpath -- "$kernel")
		kernel_tree=''
	fi
	# Documentation/x86/boot.rst: "HdrS" at 0x202 of every bzImage.
	[ "$(dd if="$kernel_file" bs=1 skip=514 count=4 2> /dev/null | tr -d '\0')" = HdrS ] ||
		die "$kernel_file is not a Linux kernel image (bzImage)"
}

# unpack_debs FILE[,FILE]...: a kernel as bindeb-pkg makes it; some come in pieces.
unpack_debs() {
	local file

	kernel_tree=$work/kernel
	for file in ${1//,/ }; do
		[ -f "$file" ] || bad_usage "--kernel deb: no file '$file'"
		dpkg-deb -x "$file" "$kernel_tree" 2> "$work/err" ||
			die "cannot unpack $file: $(one_line < "$work/err")"
	done
	kernel_file=$(find "$kernel_tree" -name 'vmlinuz*' -type f -print -quit)
	[ -n "$kernel_file" ] || die "no vmlinuz in ${1//,/, }"
}

# Path of a module by its name, where - and _ are the same.
module_file() {
	local pattern=${1//[-_]/[-_]} dir file

	for dir in ${modules:+"$modules"} ${kernel_tree:+"$kernel_tree"}; do
		file=$(find "$dir" -name "$pattern.ko" -o -name "$pattern.ko.[xgz]*" | sed -n 1p)
		[ -z "$file" ] || { echo "$file"; return 0; }
	done
	return 1
}

module_info() {
	tr '\0' '\n' < "$1" | sed -n "s/^$2=//p"
}

module_params() {
	local param=${params[*]+"${params[*]}"} out='' word

	for word in $param; do
		[ "${word%%.*}" != "$1" ] || out+=" ${word#*.}"
	done
	echo "$out"
}

# A parameter that is not there would be ignored by the module, and the run
# would be one with default parameters that claims to be another.
check_params() {
	local name=$1 file=$2 param

	for param in $(module_params "$name"); do
		module_info "$file" parmtype | grep -q "^${param%%=*}:" ||
			die "no parameter $name.${param%%=*} in this kernel's $name ($kernel)"
	done
}

# add_module NAME: the module after all that it needs, in $stage/lab/modules.
add_module() {
	local name=${1//-/_} file out dep

	[ -z "${loaded[$name]:-}" ] || return 0
	loaded[$name]=1
	if ! file=$(module_file "$name"); then
		# An image's own tree is complete: what is not in it is built in.
		return 0
	fi
	out=/lab/$name.ko
	case $file in
	*.xz) "$busybox" xzcat "$file" > "$stage$out" ;;
	*.gz) "$busybox" zcat "$file" > "$stage$out" ;;
	*.zst) need zstd:zstd; zstd -dqc "$file" > "$stage$out" ;;
	*) cp "$file" "$stage$out" ;;
	esac || die "cannot unpack $file into $stage"
	check_params "$name" "$stage$out"
	[ "$emulator_name" != bochs ] || drop_signature "$stage$out"
	for dep in $(module_info "$stage$out" depends | tr ',' ' '); do
		add_module "$dep"
	done
	echo "$out$(module_params "$name")" >> "$stage/lab/modules"
}

# Checking the modules' signatures is 5 s of Bochs' boot.  A signature has its
# size (big endian) and a magic word of 28 bytes behind it.
drop_signature() {
	local size length

	tail -c 28 "$1" | grep -aqx '~Module signature appended~' || return 0
	size=$(stat -c %s "$1")
	length=$((0x$(tail -c 32 "$1" | head -c 4 | od -An -t x1 | tr -d ' ')))
	truncate -s $((size - 40 - length)) "$1"
}

add_modules() {
	declare -A loaded=()
	: > "$stage/lab/modules"
	[ -z "$kernel_tree$modules" ] || add_module "kvm-$host"
	if [ -n "$kernel_tree" ] && ! grep -q "/kvm_$host.ko" "$stage/lab/modules"; then
		die "no kvm-$host module in $kernel_tree"
	fi
}

# add_tests: what runs, in the order given, as "NAME ARGS" lines.
add_tests() {
	local i

	: > "$stage/lab/tests"
	for i in "${!test_name[@]}"; do
		cp "${test_file[i]}" "$stage/tests/${test_name[i]}" || die "cannot copy ${test_file[i]}"
		chmod 755 "$stage/tests/${test_name[i]}"
		echo "${test_name[i]}${test_glob[i]:+ --case ${test_glob[i]}}" >> "$stage/lab/tests"
	done
}

build_initramfs() {
	mkdir -p "$stage"/{bin,dev,lab,proc,sys,tests,tmp}
	cp "$busybox" "$stage/bin/busybox"
	cp "$LAB_DIR/guest-init" "$stage/init"
	chmod 755 "$stage/init"
	add_tests
	add_modules
	cat > "$stage/lab/env" <<-END
	MARK='$mark'
	NR_2M=$nr_2m
	NR_1G=$nr_1g
	TIMEOUT_MUL=$mul
	TRIES=$tries
	QUICK_BOOT=${scale_tests:+$quick_boot}
	NEED_PARAMS='${params[*]+"${params[*]}"}'
	END
	(cd "$stage" && find . | "$busybox" cpio -o -H newc) > "$initrd" 2> "$stage.err" ||
		die "cannot write $initrd: $(one_line < "$stage.err")"
}

kernel_command_line() {
	local words

	words="console=ttyS0,115200 quiet loglevel=4 console_msg_format=syslog printk.devkmsg=on"
	# The same addresses in every splat, and no kernel in the middle of a 1G page.
	words+=" nokaslr"
	# Every object of a cache is counted, and those that KVM makes or holds are checked
	# for misuse; to check all is a tenth of the time.
	words+=" slab_nomerge"
	words+=" slub_debug=FZP,kvm*,pte_list_desc,x86_emulator,kmalloc*,mm_struct,filp,task_struct"
	# Half of a VM's life is waiting for grace periods, and what is freed too early
	# is gone the sooner.
	words+=" rcupdate.rcu_expedited=1"
	# An emulated CPU may be slow: who is stuck is found by the tests' own deadlines.
	words+=" watchdog_thresh=30 rcupdate.rcu_cpu_stall_timeout=60"
	words+=" panic=-1 oops=panic mitigations=off tsc=reliable no_timer_check cryptomgr.notests"
	[ "$nr_1g" = 0 ] || words+=" hugepagesz=1G hugepages=$nr_1g hugepagesz=2M"
	echo "$words${params[*]+" ${params[*]}"}"
}
