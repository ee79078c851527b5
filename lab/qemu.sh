# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A host in QEMU: AMD emulated by TCG, or what this machine is, on nested KVM.
#
# Part of lab/run, whose variables it shares.
# shellcheck disable=SC2154

# Nodes of the same size; of more than there are CPUs, some have none.
numa_nodes() {
	local mib=${mem%[MG]} i first last

	[ "$numa" != 1 ] || return 0
	[[ $mem == *M ]] || mib=$((mib * 1024))
	for ((i = 0; i < numa; i++)); do
		first=$((i * smp / numa)) last=$(((i + 1) * smp / numa - 1))
		printf ' -object memory-backend-ram,id=node%d,size=%dM -numa node,nodeid=%d,memdev=node%d' \
			$i $((i ? mib / numa : mib - mib / numa * (numa - 1))) $i $i
		[ $first -gt $last ] || printf ',cpus=%d-%d' $first $last
	done
}

# The emulator's command, as a script that repeats the run by hand.
#
# thread=single: with one thread per CPU, QEMU 7.2 now and then starves a CPU of
# a healthy kernel.  The ivshmem is for pfnmap_test.  No SATA, USB or HPET: nothing to
# probe, a second less.
write_qemu_cmd() {
	local cpu=EPYC-Rome,+svm,+npt

	[ "$accel" != kvm ] || cpu=host${phys_bits:+,host-phys-bits=off}
	[ -z "$phys_bits" ] || cpu+=,phys-bits=$phys_bits
	cpu+=$cpu_features
	cat > "$log/qemu.cmd" <<-END
	#!/bin/bash
	# Kernel messages go to \$1, what the tests print to stdout.
	cd "\$(dirname -- "\$0")" || exit
	exec qemu-system-x86_64 -nodefaults -no-user-config -display none -nic none -no-reboot \\
	  -machine q35,sata=off,smbus=off,usb=off,vmport=off,hpet=off -accel $accel \\
	  -cpu $cpu -smp $smp -m $mem$(numa_nodes) \\
	  -object memory-backend-ram,id=device,size=1M,share=on -device ivshmem-plain,memdev=device \\
	  -kernel $(printf %q "$kernel_file") -initrd initrd.img \\
	  -chardev file,id=console,path="\${1:-console.again.log}" -serial chardev:console \\
	  -chardev stdio,id=ktap,signal=off -serial chardev:ktap \\
	  -append "$(kernel_command_line)" < /dev/null 2> qemu.err
	END
	chmod +x "$log/qemu.cmd"
}

qemu_says() {
	[ ! -s "$log/qemu.err" ] || grep -v 'warning: TCG' "$log/qemu.err" | one_line || true
}
