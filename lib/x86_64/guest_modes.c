// SPDX-License-Identifier: GPL-2.0-only
/* A guest that goes between paging modes, see guest_modes.h. */
#include "guest_modes.h"

#define CODE_GPA	MODES_GPA
#define BOX_GPA		(MODES_GPA + 0x1000)
#define DESC_GPA	(MODES_GPA + 0x6000)
#define IDT32_GPA	(DESC_GPA + 0x100)
#define IDT64_GPA	(DESC_GPA + 0x200)
#define LIDT32_GPA	(DESC_GPA + 0x400)
#define LIDT64_GPA	(DESC_GPA + 0x410)
#define STACK_GPA	(MODES_GPA + 0x8000)
#define TABLES_GPA	(MODES_GPA + 0x10000)

#define PDPT_SIZE	32UL

#define CS32		0x08
#define DS32		0x10
#define CS64		0x18

#define RW		(PTE_PRESENT_MASK | PTE_WRITABLE_MASK)

/* Position independent; EBP is the box, ESI the step. */
extern char modes_code[], modes_code_end[], modes_gp32[], modes_pf32[], modes_pf64[];
asm(".pushsection .rodata\n"
    ".code32\n"
    "modes_code:\n\t"
    "movl	$0x401000, %ebp\n\t"		/* BOX_GPA */
    "movl	$0, 4(%ebp)\n\t"
    "leal	0x20(%ebp), %esi\n"
    "1:\n\t"
    "movl	4(%ebp), %eax\n\t"
    "cmpl	(%ebp), %eax\n\t"
    "jae	99f\n\t"
    "movl	$0, 0x14(%esi)\n\t"
    "movl	(%esi), %eax\n\t"
    "movl	4(%esi), %ebx\n\t"
    "movl	8(%esi), %ecx\n\t"
    "cmpl	$0, %eax\n\t"
    "je		10f\n\t"
    "cmpl	$1, %eax\n\t"
    "je		11f\n\t"
    "cmpl	$2, %eax\n\t"
    "je		12f\n\t"
    "cmpl	$3, %eax\n\t"
    "je		13f\n\t"
    "cmpl	$4, %eax\n\t"
    "je		14f\n\t"
    "cmpl	$5, %eax\n\t"
    "je		15f\n\t"
    "cmpl	$6, %eax\n\t"
    "je		16f\n\t"
    "cmpl	$7, %eax\n\t"
    "je		17f\n\t"
    "cmpl	$8, %eax\n\t"
    "je		18f\n\t"
    "cmpl	$10, %eax\n\t"
    "je		20f\n\t"
    "cmpl	$11, %eax\n\t"
    "je		22f\n\t"
    "cmpl	$12, %eax\n\t"
    "je		23f\n\t"
    "cmpl	$13, %eax\n\t"
    "je		25f\n\t"
    "lidt	(%ebx)\n\t"
    "jmp	80f\n"
    "20:\n\t"
    "movl	%fs:(%ebx), %eax\n\t"
    "jmp	79f\n"
    "22:\n\t"
    "movl	%ecx, %fs:(%ebx)\n\t"
    "jmp	80f\n"
    "23:\n\t"
    "pushl	%ebp\n\t"
    "pushl	%esi\n\t"
    "movl	%ebx, %eax\n\t"
    "cmpl	$0, %ecx\n\t"
    "je		24f\n\t"
    "andb	$0xdf, (%ecx)\n\t"		/* PTE_ACCESSED_MASK */
    "andb	$0xdf, 8(%ecx)\n\t"
    "andb	$0xdf, 16(%ecx)\n\t"
    "andb	$0xdf, 24(%ecx)\n"
    "24:\n\t"
    "vmrun\n\t"			/* no page before it that others did not touch */
    "popl	%esi\n\t"
    "popl	%ebp\n\t"
    "stgi\n\t"
    "jmp	80f\n"
    "25:\n\t"
    "vmmcall\n\t"
    "jmp	80f\n"
    "10:\n\t"
    "movl	(%ebx), %eax\n\t"
    "jmp	79f\n"
    "11:\n\t"
    "movl	%ecx, (%ebx)\n\t"
    "jmp	80f\n"
    "12:\n\t"
    "call	21f\n"
    "21:\n\t"
    "popl	%edi\n\t"
    "addl	$(79f - 21b), %edi\n\t"
    "jmp	*%ebx\n"
    "13:\n\t"
    "movl	%ecx, %edi\n\t"
    "movl	(%ebx), %eax\n\t"
    "movl	4(%ebx), %edx\n\t"
    "movl	0xc(%esi), %ecx\n\t"
    "xchgl	%edi, %ebx\n\t"
    "lock cmpxchg8b (%edi)\n\t"
    "jmp	80f\n"
    "14:\n\t"
    "movl	%ecx, %cr0\n\t"
    "jmp	80f\n"
    "15:\n\t"
    "movl	%ecx, %cr3\n\t"
    "jmp	80f\n"
    "16:\n\t"
    "movl	%ecx, %cr4\n\t"
    "jmp	80f\n"
    "17:\n\t"
    "movl	%ecx, %eax\n\t"
    "xorl	%edx, %edx\n\t"
    "movl	$0xc0000080, %ecx\n\t"
    "wrmsr\n\t"
    "jmp	80f\n"
    "18:\n\t"
    "cmpl	$0, %ecx\n\t"
    "jne	19f\n\t"
    "invlpg	(%ebx)\n\t"
    "jmp	80f\n"
    "19:\n\t"
    "pushl	$0\n\t"
    "pushl	%ebx\n\t"
    "pushl	$0\n\t"
    "pushl	$0\n\t"
    "xorl	%ecx, %ecx\n\t"
    "invpcid	(%esp), %ecx\n\t"
    "addl	$16, %esp\n\t"
    "jmp	80f\n"
    "79:\n\t"
    "movl	%eax, 0x10(%esi)\n"
    "80:\n\t"
    "addl	$0x20, %esi\n\t"
    "incl	4(%ebp)\n\t"
    "jmp	1b\n"
    "99:\n\t"
    "movw	$0x1008, %dx\n\t"		/* MODES_DONE_PORT */
    "outb	%al, %dx\n\t"
    "jmp	modes_code\n"
    "modes_gp32:\n\t"
    "movl	$13, 0x14(%esi)\n\t"
    "jmp	2f\n"
    "modes_pf32:\n\t"
    "movl	$14, 0x14(%esi)\n"
    "2:\n\t"
    "cmpl	$0, 8(%ebp)\n\t"		/* exit_in_exceptions */
    "je		1f\n\t"
    "xorl	%eax, %eax\n\t"
    "cpuid\n"
    "1:\n\t"
    "popl	0x18(%esi)\n\t"
    "movl	%cr2, %eax\n\t"
    "movl	%eax, 0x1c(%esi)\n\t"
    "addl	$12, %esp\n\t"
    "jmp	80b\n"
    ".code64\n"
    "modes_pf64:\n\t"
    "cmpl	$0, 8(%rbp)\n\t"
    "je		1f\n\t"
    "xorl	%eax, %eax\n\t"
    "cpuid\n"
    "1:\n\t"
    "movl	$14, 0x14(%rsi)\n\t"
    "popq	%rax\n\t"
    "movl	%eax, 0x18(%rsi)\n\t"
    "movq	%cr2, %rax\n\t"
    "movl	%eax, 0x1c(%rsi)\n\t"
    "addq	$40, %rsp\n\t"
    "pushq	$0x08\n\t"			/* CS32 */
    "leaq	80b(%rip), %rax\n\t"
    "pushq	%rax\n\t"
    "lretq\n"
    "modes_code_end:\n"
    ".popsection");

static const char *const mode_names[NR_CPU_MODES] = {
	"no paging", "32-bit paging", "PAE", "long mode", "long mode with LA57",
};

const char *cpu_mode_name(enum cpu_mode mode)
{
	return mode_names[mode];
}

/* QEMU's TCG never comes back from a 32-bit segment of long mode under NPT. */
bool cpu_mode_possible(enum cpu_mode mode)
{
	if (mode == MODE_LA57 && !guest_has_la57())
		return false;
	return mode < MODE_LONG || !kvm_is_tdp_enabled() || !host_may_be_tcg();
}

/* ---- page tables ---- */

static void make_32bit_tables(struct modes *m)
{
	const gpa_t pd = m->root[MODE_32BIT];
	unsigned int i, j;

	*modes_word32(m, pd + (MODES_GPA >> 22) * 4) = MODES_GPA | RW | PTE_LARGE_MASK;
	*modes_word32(m, pd + (MODES_LARGE >> 22) * 4) = MODES_GPA | RW | PTE_LARGE_MASK;
	*modes_word32(m, pd + (MODES_GAP >> 22) * 4) = MODES_GAP_GPA | RW | PTE_LARGE_MASK;
	*modes_word32(m, pd + (MODES_WINDOW >> 22) * 4) = m->pt32[0] | RW;
	for (i = 0; i < 2; i++) {
		for (j = 0; j < MODES_WINDOW_PAGES; j++)
			*modes_word32(m, m->pt32[i] + (modes_window(j) >> 12 & 1023) * 4) =
				(MODES_DATA_GPA + (j + i * 100) * PAGE_SIZE) | RW;
	}
}

static void make_64bit_tables(struct modes *m, gpa_t pdpt, const gpa_t pds[4])
{
	const unsigned int window = modes_window(0) >> 21 & 511;
	unsigned int i, j, k;

	for (i = 0; i < 4; i++)
		*modes_word64(m, m->root[MODE_PAE] + i * 8) = pds[i] | PTE_PRESENT_MASK;
	for (i = 0; i < 4; i++)
		*modes_word64(m, pdpt + i * 8) = pds[i] | RW;
	*modes_word64(m, m->root[MODE_LONG]) = pdpt | RW;
	*modes_word64(m, m->root[MODE_LA57]) = m->root[MODE_LONG] | RW;
	for (i = 0; i < 2; i++)
		*modes_word64(m, pds[0] + ((MODES_GPA >> 21) + i) * 8) =
			(MODES_GPA + i * SZ_2M) | RW | PTE_LARGE_MASK;
	*modes_word64(m, pds[1] + (MODES_LARGE >> 21 & 511) * 8) =
		MODES_DATA_GPA | RW | PTE_LARGE_MASK;
	*modes_word64(m, pds[2] + (MODES_GAP >> 21 & 511) * 8) =
		MODES_GAP_GPA | RW | PTE_LARGE_MASK;
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++) {
			*modes_word64(m, m->pd[i] + (window + j) * 8) = m->pt[i][j] | RW;
			for (k = 0; k < MODES_WINDOW_PAGES; k++)
				*modes_word64(m, m->pt[i][j] + (modes_window(k) >> 12 & 511) * 8) =
					(MODES_DATA_GPA + (k + i * 100) * PAGE_SIZE) | RW;
		}
	}
}

static void make_tables(struct modes *m)
{
	gpa_t next = TABLES_GPA, pds[4], pdpt;
	unsigned int i, j;

	for (i = MODE_32BIT; i < NR_CPU_MODES; i++, next += PAGE_SIZE)
		m->root[i] = next;
	/* Its four entries are anywhere in a page. */
	m->root[MODE_PAE] += (1 + test_random() % 127) * PDPT_SIZE;
	for (i = 0; i < 2; i++, next += PAGE_SIZE)
		m->pt32[i] = next;
	for (i = 0; i < 2; i++, next += PAGE_SIZE)
		m->pd[i] = next;
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++, next += PAGE_SIZE)
			m->pt[i][j] = next;
	}
	for (i = 0; i < 3; i++, next += PAGE_SIZE)
		pds[i] = next;
	pds[3] = m->pd[0];
	pdpt = next;
	make_32bit_tables(m);
	make_64bit_tables(m, pdpt, pds);
}

/* ---- the machine ---- */

static uint64_t gate32(const char *handler)
{
	const uint64_t at = CODE_GPA + (handler - modes_code);

	return (at & 0xffff) | CS32 << 16 | 0x8e00ULL << 32 | (at >> 16) << 48;
}

static void make_descriptors(struct modes *m)
{
	static const uint64_t gdt[] = {
		0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff,
	};
	const uint64_t pf64 = CODE_GPA + (modes_pf64 - modes_code);
	uint64_t *gate;

	memcpy(modes_word64(m, DESC_GPA), gdt, sizeof(gdt));
	*modes_word64(m, IDT32_GPA + GP_VECTOR * 8) = gate32(modes_gp32);
	*modes_word64(m, IDT32_GPA + PF_VECTOR * 8) = gate32(modes_pf32);
	gate = modes_word64(m, IDT64_GPA + PF_VECTOR * 16);
	gate[0] = (pf64 & 0xffff) | CS64 << 16 | 0x8e00ULL << 32 | (pf64 >> 16) << 48;
	*modes_word64(m, LIDT32_GPA) = (uint64_t)IDT32_GPA << 16 | (PF_VECTOR * 8 + 7);
	*modes_word64(m, LIDT64_GPA) = (uint64_t)IDT64_GPA << 16 | (PF_VECTOR * 16 + 15);
}

/* MOV $number, %eax; JMP *%edi */
void modes_fill_page(struct modes *m, gpa_t gpa, uint32_t number)
{
	char *page = addr_gpa2hva(m->vm, gpa);
	const uint32_t code = 0xc0de0000 + number;

	*(uint32_t *)page = 0xda7a0000 + number;
	memcpy(page + MODES_CALLEE_OFFSET, "\xb8....\xff\xe7", 7);
	memcpy(page + MODES_CALLEE_OFFSET + 1, &code, 4);
}

static void make_data(struct modes *m)
{
	unsigned int i;

	for (i = 0; i < MODES_DATA_PAGES; i++)
		modes_fill_page(m, MODES_DATA_GPA + i * PAGE_SIZE, i);
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.selector = selector, .limit = 0xffffffff, .type = type, .present = 1,
		.s = 1, .db = 1, .g = 1,
	};
}

static void start_vcpu(struct modes *m)
{
	struct kvm_regs regs = {
		.rip = CODE_GPA, .rsp = STACK_GPA, .rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF,
	};
	struct kvm_sregs sregs;

	vcpu_sregs_get(m->vcpu, &sregs);
	sregs.cs = flat_segment(CS32, 0xb);
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = flat_segment(DS32, 3);
	sregs.fs.base = MODES_FS_BASE;
	sregs.gdt.base = DESC_GPA;
	sregs.gdt.limit = 4 * 8 - 1;
	sregs.idt.base = IDT32_GPA;
	sregs.idt.limit = PF_VECTOR * 8 + 7;
	sregs.cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP;
	sregs.cr4 = 0;
	sregs.efer = 0;
	vcpu_sregs_set(m->vcpu, &sregs);
	vcpu_regs_set(m->vcpu, &regs);
}

void modes_set_data_slot(struct modes *m, bool there)
{
	if (there)
		vm_mem_region_add_backing(m->vm, &m->data, m->data.hva, MODES_DATA_GPA,
					  MODES_DATA_SLOT, MODES_DATA_PAGES, 0);
	else
		vm_mem_region_delete(m->vm, MODES_DATA_SLOT);
	m->data_is_gap = !there;
}

void modes_free(struct modes *m)
{
	kvm_vm_free(m->vm);
	backing_mem_free(&m->data);
}

void modes_create(struct modes *m)
{
	memset(m, 0, sizeof(*m));
	m->vm = vm_create(1);
	vm_userspace_mem_region_add(m->vm, VM_MEM_SRC_ANONYMOUS_THP, MODES_GPA, MODES_SLOT,
				    (MODES_DATA_GPA - MODES_GPA) / PAGE_SIZE, 0);
	backing_mem_alloc(&m->data, VM_MEM_SRC_ANONYMOUS_THP, MODES_DATA_PAGES * PAGE_SIZE,
			  MODES_DATA_GPA);
	modes_set_data_slot(m, true);
	memcpy(addr_gpa2hva(m->vm, CODE_GPA), modes_code, modes_code_end - modes_code);
	m->box = addr_gpa2hva(m->vm, BOX_GPA);
	m->box->exit_in_exceptions = tcg_leaves_event_type();
	make_descriptors(m);
	make_tables(m);
	make_data(m);
	m->vcpu = vm_vcpu_add(m->vm, 0, NULL);
	vcpu_ioctl(m->vcpu, KVM_SET_CPUID2, kvm_get_supported_cpuid());
	start_vcpu(m);
}

/* ---- from mode to mode ---- */

#define CR0_BASE	(X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP)

static const uint32_t mode_cr4[NR_CPU_MODES] = {
	0, X86_CR4_PSE, X86_CR4_PAE, X86_CR4_PAE, X86_CR4_PAE | X86_CR4_LA57,
};

/*
 * QEMU's TCG sets the accessed bit of PDPTEs as well, where it is reserved. With TDP
 * the host may write there.
 */
static void clear_accessed_pdptes(struct modes *m)
{
	unsigned int i;

	if (!kvm_is_tdp_enabled() || !host_may_be_tcg())
		return;
	modes_run(m, "paging goes off");
	for (i = 0; i < 4; i++)
		*modes_word64(m, m->root[MODE_PAE] + i * 8) &= ~PTE_ACCESSED_MASK;
}

void modes_switch(struct modes *m, enum cpu_mode mode)
{
	static const uint32_t efer[NR_CPU_MODES] = {
		0, 0, EFER_NX, EFER_NX | EFER_LME, EFER_NX | EFER_LME,
	};

	modes_add(m, MODES_CR0, 0, CR0_BASE);
	if (mode == MODE_PAE)
		clear_accessed_pdptes(m);
	modes_add(m, MODES_EFER, 0, efer[mode]);
	modes_add(m, MODES_CR4, 0, mode_cr4[mode]);
	modes_add(m, MODES_LIDT, mode >= MODE_LONG ? LIDT64_GPA : LIDT32_GPA, 0);
	modes_add(m, MODES_CR3, 0, m->root[mode]);
	if (mode != MODE_NONPAGED)
		modes_add(m, MODES_CR0, 0, CR0_BASE | X86_CR0_PG);
	m->mode = mode;
}

void modes_toggle_cr4(struct modes *m, uint32_t bit)
{
	modes_add(m, MODES_CR4, 0, mode_cr4[m->mode] ^ bit);
	modes_add(m, MODES_CR4, 0, mode_cr4[m->mode]);
}

void modes_map_code_small(struct modes *m)
{
	const gpa_t pt = MODES_DATA_GPA - PAGE_SIZE;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / 4; i++)
		*modes_word32(m, pt + i * 4) = (MODES_GPA + i * PAGE_SIZE) | RW;
	*modes_word32(m, m->root[MODE_32BIT] + (MODES_GPA >> 22) * 4) = pt | RW;
}

void modes_set_pse(struct modes *m, bool on)
{
	modes_add(m, MODES_CR4, 0, on ? X86_CR4_PSE : 0);
	modes_flush(m);
	m->no_pse = !on;
}
