// SPDX-License-Identifier: GPL-2.0-only
/* A guest that goes between paging modes, see guest_modes.h. */
#include <stdarg.h>

#include "guest_modes.h"
#include "ucall.h"

#define CODE_GPA	MODES_GPA
#define BOX_GPA		(MODES_GPA + 0x1000)
#define DESC_GPA	(MODES_GPA + 0x6000)
#define IDT32_GPA	(DESC_GPA + 0x100)
#define IDT64_GPA	(DESC_GPA + 0x200)
#define LIDT32_GPA	(DESC_GPA + 0x400)
#define LIDT64_GPA	(DESC_GPA + 0x410)
#define STACK_GPA	(MODES_GPA + 0x8000)
#define TABLES_GPA	(MODES_GPA + 0x10000)
#define DONE_PORT	0x1008

#define PDPT_SIZE	32UL

#define CS32		0x08
#define DS32		0x10
#define CS64		0x18

#define RW		(PTE_PRESENT_MASK | PTE_WRITABLE_MASK)
#define CALLEE_OFFSET	0x800
#define WRITTEN_OFFSET	8

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
    "lidt	(%ebx)\n\t"
    "jmp	80f\n"
    "20:\n\t"
    "movl	%fs:(%ebx), %eax\n\t"
    "jmp	79f\n"
    "22:\n\t"
    "movl	%ecx, %fs:(%ebx)\n\t"
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
    "movw	$0x1008, %dx\n\t"		/* DONE_PORT */
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
	"no paging", "32-bit paging", "PAE", "long mode",
};

const char *cpu_mode_name(enum cpu_mode mode)
{
	return mode_names[mode];
}

/* QEMU's TCG never comes back from a 32-bit segment of long mode under NPT. */
bool cpu_mode_possible(enum cpu_mode mode)
{
	return mode != MODE_LONG || !kvm_is_tdp_enabled() || !host_may_be_tcg();
}

/* ---- tables and walks ---- */

static uint32_t *word32(struct modes *m, gpa_t gpa)
{
	return addr_gpa2hva(m->vm, gpa);
}

static uint64_t *word64(struct modes *m, gpa_t gpa)
{
	return addr_gpa2hva(m->vm, gpa);
}

static bool step_down(struct modes_walk *w, uint64_t entry)
{
	w->present = entry & PTE_PRESENT_MASK;
	w->writable &= !!(entry & PTE_WRITABLE_MASK);
	w->nx |= !!(entry & PTE_NX_MASK);
	return w->present;
}

static void walk_32bit(struct modes *m, uint32_t addr, struct modes_walk *w)
{
	uint32_t e = *word32(m, m->root[MODE_32BIT] + (addr >> 22) * 4);

	if (!step_down(w, e))
		return;
	/* PSE-36: 8 more bits of the gpa. */
	w->gpa = (e & 0xffc00000) | (addr & 0x3fffff) | (uint64_t)(e >> 13 & 0xff) << 32;
	if (e & PTE_LARGE_MASK && !m->no_pse)
		return;
	e = *word32(m, (e & ~0xfffU) + (addr >> 12 & 1023) * 4);
	step_down(w, e);
	w->gpa = (e & ~0xfffU) | (addr & 0xfff);
}

static void walk_64bit(struct modes *m, uint32_t addr, struct modes_walk *w)
{
	uint64_t e;

	if (m->mode == MODE_LONG) {
		e = *word64(m, m->root[MODE_LONG]);
		if (!step_down(w, e))
			return;
		e = *word64(m, (e & PHYSICAL_PAGE_MASK) + (addr >> 30) * 8);
	} else {
		/* These have no rights, and are not where a walk reads them. */
		e = m->pdptes[addr >> 30] | PTE_WRITABLE_MASK;
	}
	if (!step_down(w, e))
		return;
	e = *word64(m, (e & PHYSICAL_PAGE_MASK) + (addr >> 21 & 511) * 8);
	if (!step_down(w, e))
		return;
	w->gpa = (e & PHYSICAL_PAGE_MASK & ~(SZ_2M - 1)) | (addr & (SZ_2M - 1));
	if (e & PTE_LARGE_MASK)
		return;
	e = *word64(m, (e & PHYSICAL_PAGE_MASK) + (addr >> 12 & 511) * 8);
	step_down(w, e);
	w->gpa = (e & PHYSICAL_PAGE_MASK) | (addr & 0xfff);
}

static void walk(struct modes *m, uint32_t addr, struct modes_walk *w)
{
	*w = (struct modes_walk){ .present = true, .writable = true, .gpa = addr };
	if (m->mode == MODE_32BIT)
		walk_32bit(m, addr, w);
	else if (m->mode != MODE_NONPAGED)
		walk_64bit(m, addr, w);
}

static void make_32bit_tables(struct modes *m)
{
	const gpa_t pd = m->root[MODE_32BIT];
	unsigned int i, j;

	*word32(m, pd + (MODES_GPA >> 22) * 4) = MODES_GPA | RW | PTE_LARGE_MASK;
	*word32(m, pd + (MODES_LARGE >> 22) * 4) = MODES_GPA | RW | PTE_LARGE_MASK;
	*word32(m, pd + (MODES_GAP >> 22) * 4) = MODES_GAP_GPA | RW | PTE_LARGE_MASK;
	*word32(m, pd + (MODES_WINDOW >> 22) * 4) = m->pt32[0] | RW;
	for (i = 0; i < 2; i++) {
		for (j = 0; j < MODES_WINDOW_PAGES; j++)
			*word32(m, m->pt32[i] + (modes_window(j) >> 12 & 1023) * 4) =
				(MODES_DATA_GPA + (j + i * 100) * PAGE_SIZE) | RW;
	}
}

static void make_64bit_tables(struct modes *m, gpa_t pdpt, const gpa_t pds[4])
{
	const unsigned int window = modes_window(0) >> 21 & 511;
	unsigned int i, j, k;

	for (i = 0; i < 4; i++)
		*word64(m, m->root[MODE_PAE] + i * 8) = pds[i] | PTE_PRESENT_MASK;
	for (i = 0; i < 4; i++)
		*word64(m, pdpt + i * 8) = pds[i] | RW;
	*word64(m, m->root[MODE_LONG]) = pdpt | RW;
	for (i = 0; i < 2; i++)
		*word64(m, pds[0] + ((MODES_GPA >> 21) + i) * 8) =
			(MODES_GPA + i * SZ_2M) | RW | PTE_LARGE_MASK;
	*word64(m, pds[1] + (MODES_LARGE >> 21 & 511) * 8) =
		MODES_DATA_GPA | RW | PTE_LARGE_MASK;
	*word64(m, pds[2] + (MODES_GAP >> 21 & 511) * 8) =
		MODES_GAP_GPA | RW | PTE_LARGE_MASK;
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++) {
			*word64(m, m->pd[i] + (window + j) * 8) = m->pt[i][j] | RW;
			for (k = 0; k < MODES_WINDOW_PAGES; k++)
				*word64(m, m->pt[i][j] + (modes_window(k) >> 12 & 511) * 8) =
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

	memcpy(word64(m, DESC_GPA), gdt, sizeof(gdt));
	*word64(m, IDT32_GPA + GP_VECTOR * 8) = gate32(modes_gp32);
	*word64(m, IDT32_GPA + PF_VECTOR * 8) = gate32(modes_pf32);
	gate = word64(m, IDT64_GPA + PF_VECTOR * 16);
	gate[0] = (pf64 & 0xffff) | CS64 << 16 | 0x8e00ULL << 32 | (pf64 >> 16) << 48;
	*word64(m, LIDT32_GPA) = (uint64_t)IDT32_GPA << 16 | (PF_VECTOR * 8 + 7);
	*word64(m, LIDT64_GPA) = (uint64_t)IDT64_GPA << 16 | (PF_VECTOR * 16 + 15);
}

/* MOV $number, %eax; JMP *%edi */
void modes_fill_page(struct modes *m, gpa_t gpa, uint32_t number)
{
	char *page = addr_gpa2hva(m->vm, gpa);
	const uint32_t code = 0xc0de0000 + number;

	*(uint32_t *)page = 0xda7a0000 + number;
	memcpy(page + CALLEE_OFFSET, "\xb8....\xff\xe7", 7);
	memcpy(page + CALLEE_OFFSET + 1, &code, 4);
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

/* ---- steps ---- */

struct modes_step *modes_add(struct modes *m, enum modes_op op, uint32_t addr,
			     uint32_t value)
{
	struct modes_step *s = &m->box->step[m->box->nr++];

	TEST_ERROR_ON(m->box->nr > MODES_MAX_STEPS, "too many steps");
	*s = (struct modes_step){ .op = op, .addr = addr, .value = value };
	return s;
}

#define CR0_BASE	(X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP)

static const uint32_t mode_cr4[NR_CPU_MODES] = {
	0, X86_CR4_PSE, X86_CR4_PAE, X86_CR4_PAE,
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
		*word64(m, m->root[MODE_PAE] + i * 8) &= ~PTE_ACCESSED_MASK;
}

void modes_switch(struct modes *m, enum cpu_mode mode)
{
	static const uint32_t efer[NR_CPU_MODES] = {
		0, 0, EFER_NX, EFER_NX | EFER_LME,
	};

	modes_add(m, MODES_CR0, 0, CR0_BASE);
	if (mode == MODE_PAE)
		clear_accessed_pdptes(m);
	modes_add(m, MODES_EFER, 0, efer[mode]);
	modes_add(m, MODES_CR4, 0, mode_cr4[mode]);
	modes_add(m, MODES_LIDT, mode == MODE_LONG ? LIDT64_GPA : LIDT32_GPA, 0);
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
		*word32(m, pt + i * 4) = (MODES_GPA + i * PAGE_SIZE) | RW;
	*word32(m, m->root[MODE_32BIT] + (MODES_GPA >> 22) * 4) = pt | RW;
}

void modes_set_pse(struct modes *m, bool on)
{
	modes_add(m, MODES_CR4, 0, on ? X86_CR4_PSE : 0);
	modes_flush(m);
	m->no_pse = !on;
}

void modes_load_pdptes(struct modes *m)
{
	memcpy(m->pdptes, word64(m, m->root[MODE_PAE]), sizeof(m->pdptes));
}

void modes_flush(struct modes *m)
{
	modes_add(m, MODES_CR3, 0, m->root[m->mode]);
}

void modes_write_entry32(struct modes *m, gpa_t gpa, uint32_t value)
{
	modes_add(m, MODES_WRITE, gpa, value);
}

/* By halves it is never present and half old. */
void modes_write_entry64(struct modes *m, gpa_t gpa, uint64_t value, bool at_once)
{
	if (at_once) {
		modes_add(m, MODES_WRITE64, gpa, value)->high = value >> 32;
		return;
	}
	modes_add(m, MODES_WRITE, gpa, 0);
	modes_add(m, MODES_WRITE, gpa + 4, value >> 32);
	modes_add(m, MODES_WRITE, gpa, value);
}

/* ---- running and comparing ---- */

static void __attribute__((noreturn))
step_failed(struct modes *m, uint32_t n, const struct modes_walk *w, const char *what,
	    const char *want, const char *got)
{
	static const char *const ops[] = {
		"read", "write", "call", "CMPXCHG8B", "MOV to CR0", "MOV to CR3",
		"MOV to CR4", "WRMSR of EFER", "INVLPG", "LIDT", "read by FS", "write by FS",
	};
	const struct modes_step *s = &m->box->step[n];
	char where[160];

	test_fail(ORACLE_DATA, __FILE__, __LINE__, NULL,
		  "%s, %s, step %u of %u: %s at 0x%x, value 0x%x, gpa 0x%lx (%s): want %s, got %s",
		  what, mode_names[m->mode], n + 1, m->box->nr, ops[s->op], s->addr, s->value,
		  w->gpa, w->present ? vm_describe_gpa(m->vm, w->gpa, where, sizeof(where)) :
		  "not present", want, got);
}

static bool is_ram(struct modes *m, uint64_t gpa)
{
	return vm_find_gpa(m->vm, gpa);
}

static bool must_fault(const struct modes *m, const struct modes_step *s,
		       const struct modes_walk *w, uint32_t *error_code)
{
	*error_code = (w->present ? PFERR_PRESENT_MASK : 0) |
		      (s->op == MODES_WRITE ? PFERR_WRITE_MASK : 0) |
		      (s->op == MODES_EXEC && m->mode >= MODE_PAE ? PFERR_FETCH_MASK : 0);
	return !w->present || (s->op == MODES_WRITE && !w->writable) ||
	       (s->op == MODES_EXEC && w->nx);
}

static void check_access(struct modes *m, uint32_t n, const struct modes_walk *w,
			 const char *what)
{
	const struct modes_step *s = &m->box->step[n];
	char want[96], got[96];
	uint32_t ec, value;
	bool fault = must_fault(m, s, w, &ec);

	if (s->vector)
		snprintf(got, sizeof(got), "#PF with error code 0x%x and CR2 0x%x",
			 s->error_code, s->cr2);
	else
		snprintf(got, sizeof(got), "0x%x", s->got);
	if (fault) {
		snprintf(want, sizeof(want), "#PF with error code 0x%x and CR2 0x%x", ec,
			 s->addr);
		if (!s->vector || s->error_code != ec || s->cr2 != s->addr)
			step_failed(m, n, w, what, want, got);
		return;
	}
	value = s->op == MODES_EXEC ? *word32(m, w->gpa + 1) :
		s->op == MODES_WRITE ? 0 : is_ram(m, w->gpa) ? *word32(m, w->gpa) :
		~(uint32_t)w->gpa;
	snprintf(want, sizeof(want), "0x%x", value);
	if (s->vector || (s->op != MODES_WRITE && s->got != value))
		step_failed(m, n, w, what, want, got);
}

static void handle_mmio(struct modes *m, uint32_t n, const struct modes_walk *w,
			const char *what, uint32_t *exits)
{
	const struct modes_step *s = &m->box->step[n];
	struct mmio_access mmio = {
		.gpa = w->gpa, .len = 4, .is_write = s->op == MODES_WRITE,
		.data = s->op == MODES_WRITE ? s->value : ~(uint32_t)w->gpa,
	};
	char got[256];

	if (n >= m->box->nr || s->op > MODES_WRITE || !w->present || is_ram(m, w->gpa)) {
		vcpu_describe_exit(m->vcpu, got, sizeof(got));
		step_failed(m, n, w, what, "no exit", got);
	}
	vcpu_check_mmio(m->vcpu, &mmio);
	++*exits;
}

/* To the OUT of the end; @walks are of the steps, or none of them exits. */
static void run_steps(struct modes *m, const struct modes_walk walks[], uint32_t exits[],
		      const char *what)
{
	static const struct modes_walk none;
	struct kvm_run *run = m->vcpu->run;
	uint32_t n;

	for (;;) {
		vcpu_run(m->vcpu);
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == DONE_PORT)
			return;
		n = m->box->current;
		if (run->exit_reason != KVM_EXIT_MMIO || !walks)
			step_failed(m, n, &none, what, "no exit", exit_reason_str(run->exit_reason));
		handle_mmio(m, n, &walks[n], what, &exits[n]);
	}
}

void modes_run(struct modes *m, const char *fmt, ...)
{
	const struct modes_walk none = {};
	char what[128], got[32];
	va_list ap;
	uint32_t n;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	test_step("%s, in %s", what, mode_names[m->mode]);
	run_steps(m, NULL, NULL, what);
	for (n = 0; n < m->box->nr; n++) {
		snprintf(got, sizeof(got), "#PF of 0x%x", m->box->step[n].cr2);
		if (m->box->step[n].vector)
			step_failed(m, n, &none, what, "no fault", got);
		if (m->box->step[n].op == MODES_CR3)
			modes_load_pdptes(m);
	}
	m->box->nr = 0;
}

bool modes_try_flush(struct modes *m)
{
	const struct modes_step *s = &m->box->step[m->box->nr];
	static const struct modes_walk none;

	modes_flush(m);
	run_steps(m, NULL, NULL, "CR3 write");
	if (s->vector && (s->vector != GP_VECTOR || s->error_code))
		step_failed(m, m->box->nr - 1, &none, "CR3 write", "no exception, or #GP(0)",
			    "another one");
	m->box->nr = 0;
	if (s->vector)
		return false;
	modes_load_pdptes(m);
	return true;
}

static struct modes_walk walks[MODES_MAX_STEPS];

/* What is not code is not called. */
static void add_access(struct modes *m, enum modes_op op, uint32_t addr)
{
	struct modes_walk *w = &walks[m->box->nr];

	walk(m, addr, w);
	if (op == MODES_EXEC && w->present && !w->nx && !is_ram(m, w->gpa))
		return;
	modes_add(m, op, addr, op == MODES_WRITE ? m->stored += 0x11 : 0);
}

static void add_page(struct modes *m, uint32_t addr)
{
	add_access(m, MODES_READ, addr);
	if (test_random() % 2)
		add_access(m, MODES_WRITE, addr + WRITTEN_OFFSET);
	add_access(m, MODES_EXEC, addr + CALLEE_OFFSET);
}

static void add_accesses(struct modes *m)
{
	/* A large page of 4M begins where the tables are. */
	const uint32_t large = MODES_LARGE +
			       (m->mode == MODE_32BIT ? MODES_DATA_GPA - MODES_GPA : 0);
	unsigned int i;

	for (i = 0; i < MODES_WINDOW_PAGES; i++)
		add_page(m, modes_window(i));
	add_page(m, large);
	add_page(m, large + 37 * PAGE_SIZE);
	add_access(m, MODES_READ, MODES_GAP + 0x10);
	add_access(m, MODES_READ, MODES_GAP + 3 * PAGE_SIZE);
}

/* Without paging, addresses are gpas. */
static void add_physical_accesses(struct modes *m)
{
	unsigned int i;

	for (i = 0; i < MODES_DATA_PAGES; i += 31)
		add_page(m, MODES_DATA_GPA + i * PAGE_SIZE);
	add_access(m, MODES_READ, MODES_GAP_GPA + 0x10);
	add_access(m, MODES_READ, MODES_GAP_GPA + 3 * PAGE_SIZE);
}

/* Unless a later step has written there as well. */
static void check_written(struct modes *m, uint32_t n, const char *what)
{
	const struct modes_step *s = &m->box->step[n];
	char want[32], got[32];
	uint32_t i;

	if (s->op != MODES_WRITE || s->vector || !is_ram(m, walks[n].gpa))
		return;
	for (i = n + 1; i < m->box->nr; i++) {
		if (m->box->step[i].op == MODES_WRITE && !m->box->step[i].vector &&
		    walks[i].gpa == walks[n].gpa)
			return;
	}
	snprintf(want, sizeof(want), "0x%x in memory", s->value);
	snprintf(got, sizeof(got), "0x%x", *word32(m, walks[n].gpa));
	if (*word32(m, walks[n].gpa) != s->value)
		step_failed(m, n, &walks[n], what, want, got);
}

void modes_check(struct modes *m, const char *fmt, ...)
{
	uint32_t exits[MODES_MAX_STEPS] = {}, n;
	char what[128];
	va_list ap;
	bool mmio;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (m->mode == MODE_NONPAGED)
		add_physical_accesses(m);
	else
		add_accesses(m);
	test_step("%s, in %s", what, mode_names[m->mode]);
	run_steps(m, walks, exits, what);
	for (n = 0; n < m->box->nr; n++) {
		check_access(m, n, &walks[n], what);
		check_written(m, n, what);
		mmio = !m->box->step[n].vector && !is_ram(m, walks[n].gpa);
		if (exits[n] != mmio)
			step_failed(m, n, &walks[n], what, mmio ? "one MMIO exit" :
				    "no exit", exits[n] ? "an exit" : "none");
	}
	m->box->nr = 0;
}
