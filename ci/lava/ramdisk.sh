# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The initramfs of the QEMU job: a shell on the console, and KVM's modules, with the
# parameters on the kernel's command line.
#
# Shares its variables with lab/image.sh.
# shellcheck disable=SC2034,SC2154

# make_ramdisk FILE.gz [MODULES-DIR]: sets kernel_file, too.
make_ramdisk() {
	host=amd kernel=6.1 emulator_name=qemu modules=${2:-} mark=none nr_2m=0 nr_1g=0 mul=3
	scale_tests='' quick_boot='' params=() test_name=() test_glob=() test_file=()
	find_kernel
	busybox=$("$LAB_DIR/deb" busybox-static)/bin/busybox
	stage=$work/stage initrd=$work/initrd
	rm -rf "$stage"
	build_initramfs
	cat > "$stage/init" <<-'END'
	#!/bin/busybox sh
	export PATH=/bin PS1='lab# ' HOME=/tmp KVM_TEST_TIMEOUT_MUL=3
	/bin/busybox mount -t proc proc /proc
	/bin/busybox --install -s /bin
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mkdir -p /dev/shm
	mount -t tmpfs tmpfs /tmp
	mount -t tmpfs tmpfs /dev/shm
	mount -t debugfs debugfs /sys/kernel/debug
	while read -r file args; do
		name=$(basename "$file" .ko)
		insmod "$file" $args $(tr ' ' '\n' < /proc/cmdline | sed -n "s/^$name\.//p")
	done < /lab/modules
	while :; do setsid cttyhack sh; done
	END
	(cd "$stage" && find . | "$busybox" cpio -o -H newc 2> /dev/null) | gzip -1 > "$1"
}
