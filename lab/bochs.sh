# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# An emulated Intel host: Bochs.
#
# A limit of Bochs 2.7: a VM entry from IF = 0 (the host's) to IF = 0 (the guest's)
# leaves interrupts masked, though they make the guest exit whatever its IF is. A
# vCPU that spins that way hangs its host (seen as silence); libkvm's start with IF.
#
# Part of lab/run, whose variables it shares.
# shellcheck disable=SC2034,SC2154

bochs_cpu=corei7_haswell_4770
# Has a page-modification log; where vCPUs do not exit, it is slower.
readonly BOCHS_CPU_PML=corei7_skylake_x
# Bochs makes cylinders of a raw disk: 16 heads of 63 sectors.
readonly BOCHS_CYLINDER=$((16 * 63 * 512))
# Behind any kernel, and below the memory that may become a page of 1G.
readonly BOCHS_INITRD_AT=0x10000000

# Bochs 3 runs 1.7 times as fast as 2.7, whose debugger is always on, so trixie's is
# unpacked with all its libraries, whatever this machine has. bochs-term, because
# Bochs wants a display, and the others want more.
find_bochs() {
	local lib

	need as:binutils
	bochs_tree=$("$LAB_DIR/deb" --suite trixie --whole bochs-term) || exit "$LAB_ERROR"
	lib=$bochs_tree/usr/lib/x86_64-linux-gnu
	bochs=("LTDL_LIBRARY_PATH=$lib/bochs/plugins" "$lib/ld-linux-x86-64.so.2"
		--library-path "$lib" "$bochs_tree/usr/bin/bochs-bin")
	[ -z "${LAB_BOCHS:-}" ] || bochs=("$LAB_BOCHS")
}

# number_at FILE OFFSET BYTES
number_at() {
	od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# unpack_vmlinux BZIMAGE OUT: the ELF file in it.  All packers but gzip have the
# unpacked size behind them.
unpack_vmlinux() {
	local file=$1 out=$2 offset length magic size=4 unpack

	offset=$((($(number_at "$file" 497 1) + 1) * 512 + $(number_at "$file" 584 4)))
	length=$(number_at "$file" 588 4)
	magic=$(od -An -t x1 -j "$offset" -N 4 "$file" | tr -d ' ')
	case $magic in
	1f8b*) unpack=("$busybox" zcat); size=0 ;;
	425a68*) unpack=("$busybox" bzcat) ;;
	fd377a58) need xz:xz-utils; unpack=(xz -dc) ;;
	5d0000*) need xz:xz-utils; unpack=(xz -dc --format=lzma) ;;
	02214c18) need lz4:lz4; unpack=(lz4 -dc) ;;
	28b52ffd) need zstd:zstd; unpack=(zstd -dqc) ;;
	*) die "$file is compressed in a way that the lab does not know ($magic)" ;;
	esac
	dd if="$file" bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$((length - size))" \
		status=none 2> "$work/err" | "${unpack[@]}" > "$out" 2>> "$work/err" ||
		die "cannot unpack $file: $(one_line < "$work/err")"
}

# unpack_kernel: the kernel as it lies in memory goes to $kernel_disk, once per
# kernel; sets kernel_at and kernel_entry.
unpack_kernel() {
	local key dir new end

	key=$(sha256sum < "$kernel_file" | cut -c 1-20)
	dir=$LAB_CACHE/bochs/$key
	if [ ! -d "$dir" ]; then
		new=$(mktemp -d "$work/kernel.XXXXXX")
		unpack_vmlinux "$kernel_file" "$new/vmlinux"
		objcopy -O binary "$new/vmlinux" "$new/disk" 2> "$work/err" ||
			die "no kernel in $kernel_file: $(one_line < "$work/err")"
		truncate -s "%$BOCHS_CYLINDER" "$new/disk"
		LC_ALL=C readelf -hlW "$new/vmlinux" | awk '
			/Entry point/ { entry = $NF }
			$1 == "LOAD" && at == "" { at = $4 }
			END { print at, entry }' > "$new/where"
		rm "$new/vmlinux"
		mkdir -p "$LAB_CACHE/bochs" 2> /dev/null || die "cannot write to the cache, $LAB_CACHE"
		rm -rf "$dir.$$"
		cp -r --sparse=always "$new" "$dir.$$" 2> "$work/err" ||
			die "cannot write to the cache, $LAB_CACHE: $(one_line < "$work/err")"
		# Another run may have been faster; its result is the same.
		mv -T "$dir.$$" "$dir" 2> /dev/null || rm -rf "$dir.$$"
		rm -rf "$new"
	fi
	read -r kernel_at kernel_entry < "$dir/where"
	kernel_disk=$(realpath -- "$dir/disk")
	end=$((kernel_at + $(stat -c %s "$kernel_disk")))
	if [ $((kernel_at)) -lt $((0x1000000)) ] || [ "$end" -gt $((BOCHS_INITRD_AT)) ]; then
		die "an Intel host wants a kernel from 16M on and below $((BOCHS_INITRD_AT >> 20))M;" \
			"$kernel_file is from $kernel_at to $(printf '%#x' "$end")"
	fi
}

# The start disk: boot sector, parameters and initramfs.
build_start_disk() {
	local out=$work/start

	mkdir "$out"
	kernel_command_line | tr -d '\n' > "$out/cmdline"
	{
		as -I "$out" "$LAB_DIR/bochs-start.S" -o "$out/start.o" \
			--defsym KERNEL_AT="$kernel_at" --defsym ENTRY="$kernel_entry" \
			--defsym KERNEL_SECTORS=$(($(stat -c %s "$kernel_disk") / 512)) \
			--defsym INITRD_AT="$BOCHS_INITRD_AT" \
			--defsym INITRD_SIZE="$(stat -c %s "$initrd")" &&
			ld -e start --section-start=.sector=0x7c00 -o "$out/start" "$out/start.o" &&
			objcopy -O binary -j .sector "$out/start" "$out/sector" &&
			objcopy -O binary -j .params "$out/start" "$out/params" &&
			cat "$out/sector" "$out/params" "$initrd" > "$log/start.disk" &&
			truncate -s "%$BOCHS_CYLINDER" "$log/start.disk" &&
			ln -sfn "$kernel_disk" "$log/kernel.disk"
	} 2> "$work/err"
}

# The initramfs needs its place, and BIOS and kernel count to 4G.
check_bochs_memory() {
	local megabytes

	megabytes=$(bochs_megabytes)
	if [ "$megabytes" -lt 512 ] || [ "$megabytes" -gt 4096 ]; then
		bad_usage "--mem of an Intel host is 512M to 4G, got '$mem'"
	fi
}

bochs_megabytes() {
	case $mem in
	*G) echo $((${mem%G} * 1024)) ;;
	*M) echo "${mem%M}" ;;
	esac
}

# Bochs' time is counted in instructions: with ips=100M a second of the host is
# 100 million of them, however busy this machine is.  Where Bochs would ask
# somebody what to do, it ends.  Of the host's memory 2G at most may be in use.
write_bochsrc() {
	local megabytes

	megabytes=$(bochs_megabytes)
	cat > "$log/bochsrc" <<-END
	config_interface: textconfig
	display_library: term
	vga: extension=none, update_freq=1
	plugin_ctrl: speaker=0, parallel=0, extfpuirq=0
	cpu: model=$bochs_cpu, count=$smp, quantum=32, ips=100000000, reset_on_triple_fault=0
	memory: guest=$megabytes, host=$((megabytes < 2048 ? megabytes : 2048))
	clock: sync=none
	romimage: file=$bochs_tree/usr/share/bochs/BIOS-bochs-latest
	vgaromimage: file=$bochs_tree/usr/share/vgabios/vgabios.bin
	ata0-master: type=disk, mode=flat, path=start.disk
	ata0-slave: type=disk, mode=flat, path=kernel.disk
	boot: disk
	com2: enabled=1, mode=file, dev=/dev/fd/3
	log: bochs.log
	info: action=ignore
	error: action=ignore
	panic: action=fatal
	END
}

# The emulator's command, as a script that repeats the run by hand.
write_bochs_cmd() {
	unpack_kernel
	build_start_disk || die "cannot build $log/start.disk: $(one_line < "$work/err")"
	write_bochsrc
	cat > "$log/bochs.cmd" <<-END
	#!/bin/bash
	# Kernel messages go to \$1, what the tests print to stdout.
	cd "\$(dirname -- "\$0")" || exit
	rm -f ./*.disk.lock
	exec env TERM=vt100 $(printf '%q ' "${bochs[@]}")-q -f bochsrc \\
	  "com1: enabled=1, mode=file, dev=\${1:-console.again.log}" \\
	  3>&1 < /dev/null > bochs.out 2>&1
	END
	chmod +x "$log/bochs.cmd"
}

# Why Bochs ended, if not by power-off.
bochs_says() {
	sed -n '/^Bochs is exiting with/,$p' "$log/bochs.out" 2> /dev/null |
		grep -v '^Bochs is exiting\|^===\|soft power off\|^(' | one_line || true
}
