/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boot sector of an emulated Intel host.
 *
 * Bochs runs some 60 million instructions a second, and a bzImage spends seconds
 * of that on decompressing itself.  So there is no boot loader and no bzImage:
 * this reads an unpacked kernel and the initramfs from raw disks to where they
 * belong, and enters the kernel as its own decompressor would
 * (Documentation/x86/boot.rst, "64-bit Boot Protocol").
 *
 * Given by the assembler's command line: KERNEL_AT, KERNEL_SECTORS, ENTRY,
 * INITRD_AT, INITRD_SIZE; the kernel's command line is in the file "cmdline".
 */

	.equ	SECTOR, 512

/* Where things are.  Only the sector and its E820 buffer must be below 1M. */
	.equ	E820_BUFFER, 0x8000
	.equ	BOOT_PARAMS, 0x800000
	.equ	CMDLINE, BOOT_PARAMS + 0x1000
	.equ	CMDLINE_SIZE, 0x1000
	.equ	PML4, BOOT_PARAMS + 0x2000
	.equ	PDPT, BOOT_PARAMS + 0x3000
	.equ	PARAMS_SIZE, 0x4000

/* struct boot_params */
	.equ	E820_ENTRIES, 0x1e8
	.equ	E820_TABLE, 0x2d0
	.equ	E820_ENTRY_SIZE, 20

/* The first ATA channel, and its two disks in LBA mode. */
	.equ	ATA_DATA, 0x1f0
	.equ	ATA_COUNT, 0x1f2
	.equ	ATA_COMMAND, 0x1f7
	.equ	ATA_READ, 0x20
	.equ	ATA_BUSY_DRQ, 0x88
	.equ	ATA_DRQ, 0x08
	.equ	START_DISK, 0xe0000000
	.equ	KERNEL_DISK, 0xf0000000

	.equ	CODE32, 0x08
	.equ	CODE64, 0x10
	.equ	DATA, 0x18

	.section .sector, "ax"
	.code16
start:
	cli
	cld
	xorl	%eax, %eax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$start, %esp

	/* The BIOS knows the memory map; it is counted in %ebp. */
	movw	$E820_BUFFER, %di
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
next_range:
	movl	$0xe820, %eax
	movl	$E820_ENTRY_SIZE, %ecx
	movl	$0x534d4150, %edx		/* "SMAP" */
	int	$0x15
	jc	ranges_done
	incl	%ebp
	addw	$E820_ENTRY_SIZE, %di
	testl	%ebx, %ebx
	jnz	next_range
ranges_done:
	cli
	inb	$0x92, %al			/* A20 */
	orb	$2, %al
	outb	%al, $0x92
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orl	$1, %eax			/* PE */
	movl	%eax, %cr0
	ljmpl	$CODE32, $protected

	.code32
protected:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss

	movl	$BOOT_PARAMS, %edi
	movl	$START_DISK + 1, %ebx
	movl	$PARAMS_SIZE / SECTOR, %esi
	call	read_disk
	movl	$INITRD_AT, %edi
	movl	$START_DISK + 1 + PARAMS_SIZE / SECTOR, %ebx
	movl	$(INITRD_SIZE + SECTOR - 1) / SECTOR, %esi
	call	read_disk
	movl	$KERNEL_AT, %edi
	movl	$KERNEL_DISK, %ebx
	movl	$KERNEL_SECTORS, %esi
	call	read_disk

	movl	%ebp, %eax
	movb	%al, BOOT_PARAMS + E820_ENTRIES
	imull	$E820_ENTRY_SIZE, %eax, %ecx
	movl	$E820_BUFFER, %esi
	movl	$BOOT_PARAMS + E820_TABLE, %edi
	rep movsb

	movl	$0x20, %eax			/* PAE */
	movl	%eax, %cr4
	movl	$PML4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* EFER */
	rdmsr
	orl	$0x100, %eax			/* LME */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax		/* PG */
	movl	%eax, %cr0
	ljmpl	$CODE64, $long_mode

/* Read %esi sectors from %ebx, disk and LBA in one, to %edi. */
read_disk:
	movl	$ATA_COUNT, %edx
	movb	$1, %al
	outb	%al, %dx
	movl	%ebx, %eax
	.rept	3
	incl	%edx
	outb	%al, %dx
	shrl	$8, %eax
	.endr
	incl	%edx
	outb	%al, %dx
	incl	%edx				/* ATA_COMMAND */
	movb	$ATA_READ, %al
	outb	%al, %dx
1:	inb	%dx, %al
	andb	$ATA_BUSY_DRQ, %al
	cmpb	$ATA_DRQ, %al
	jne	1b
	movl	$ATA_DATA, %edx
	movl	$SECTOR / 4, %ecx
	rep insl
	incl	%ebx
	decl	%esi
	jnz	read_disk
	ret

	.code64
long_mode:
	movl	$BOOT_PARAMS, %esi
	movl	$ENTRY, %eax
	jmp	*%rax

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00af9a000000ffff
	.quad	0x00cf92000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	SECTOR - 2
	.word	0xaa55

/* What the kernel reads of struct boot_params, in the order of its header. */
	.section .params, "a"
	.org	0x1fe
	.word	0xaa55
	.org	0x202
	.ascii	"HdrS"
	.word	0x20f				/* protocol 2.15 */
	.org	0x210
	.byte	0xff				/* type_of_loader: none that is known */
	.byte	1				/* loadflags: LOADED_HIGH */
	.org	0x218
	.long	INITRD_AT
	.long	INITRD_SIZE
	.org	0x228
	.long	CMDLINE
	.org	0x230
	.long	0x200000			/* kernel_alignment */
	.org	0x238
	.long	CMDLINE_SIZE - 1

	.org	CMDLINE - BOOT_PARAMS
	.incbin	"cmdline"
	.byte	0

	/* The first 4G one to one, by pages of 1G: present, writable, large. */
	.org	PML4 - BOOT_PARAMS
	.quad	PDPT + 3
	.org	PDPT - BOOT_PARAMS
	.quad	0x00000083, 0x40000083, 0x80000083, 0xc0000083
	.org	PARAMS_SIZE
