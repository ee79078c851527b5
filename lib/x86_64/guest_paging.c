// SPDX-License-Identifier: GPL-2.0-only
/* The guest's side of guest_paging.h: single instructions at CPL 0 and CPL 3. */
#include "guest_paging.h"
#include "paging_internal.h"
#include "ucall.h"

#define FRAME_MAGIC	0x9a61a65afe5afe11ULL
#define EFER_MSR	0xc0000080

/* What an instruction starts with and ends with; the assembly knows the layout. */
struct frame {
	uint64_t rdi, rsi, rdx, rax;
	uint64_t rip, cs, rflags, rsp, ss;	/* IRETQ takes these */
	uint64_t vector, error_code, cr2;
};

void guest_paging_enter(struct frame *frame);
extern char guest_paging_back[];

/*
 * All end in a UD2, from where the handler goes back: nothing else is needed at
 * CPL 3, no stack and no data. An instruction page is mapped for the user, too.
 */
extern char guest_paging_read[], guest_paging_write[], guest_paging_exec[],
	    guest_paging_movs[], guest_paging_outs[], guest_paging_end[];

asm(".pushsection .text\n"
    ".balign 128\n"
    "guest_paging_insns:\n"
    "guest_paging_read:\n\t"
    "mov (%rdi), %rax\n\t"
    "ud2\n"
    "guest_paging_write:\n\t"
    "mov %rax, (%rdi)\n\t"
    "ud2\n"
    "guest_paging_exec:\n\t"
    "lea 1f(%rip), %rsi\n\t"
    "jmp *%rdi\n"
    "1:\n\t"
    "ud2\n"
    "guest_paging_movs:\n\t"
    "movsq\n\t"
    "ud2\n"
    "guest_paging_outs:\n\t"
    "outsl\n\t"
    "ud2\n"
    "guest_paging_end:\n"
    /* The handler finds the frame in r8, and our stack in r10. */
    "guest_paging_enter:\n\t"
    "push %rbx\n\t"
    "push %rbp\n\t"
    "push %r12\n\t"
    "push %r13\n\t"
    "push %r14\n\t"
    "push %r15\n\t"
    "mov %rsp, %r10\n\t"
    "mov %rdi, %r8\n\t"
    "mov %rsp, 0x38(%r8)\n\t"
    "movabs $0x9a61a65afe5afe11, %r9\n\t"
    "mov (%r8), %rdi\n\t"
    "mov 0x8(%r8), %rsi\n\t"
    "mov 0x10(%r8), %rdx\n\t"
    "mov 0x18(%r8), %rax\n\t"
    "lea 0x20(%r8), %rsp\n\t"
    "iretq\n"
    "guest_paging_back:\n\t"
    "pop %r15\n\t"
    "pop %r14\n\t"
    "pop %r13\n\t"
    "pop %r12\n\t"
    "pop %rbp\n\t"
    "pop %rbx\n\t"
    "ret\n"
    ".popsection");

gva_t guest_paging_insn_page(void)
{
	return align_down((gva_t)guest_paging_read, PAGE_SIZE);
}

static bool is_our_ud2(uint64_t rip)
{
	uint64_t start = (gva_t)guest_paging_read % PAGE_SIZE;
	uint64_t size = guest_paging_end - guest_paging_read;
	gva_t page = align_down(rip, PAGE_SIZE);

	return (page == guest_paging_insn_page() || page == PAGING_USER_CODE_GVA) &&
	       rip % PAGE_SIZE - start < size;
}

void guest_paging_exception(struct ex_regs *regs)
{
	struct frame *f = (struct frame *)regs->r8;

	if (regs->r9 != FRAME_MAGIC) {
		ucall(UCALL_UNHANDLED, 4, regs->vector, regs->error_code, regs->rip,
		      read_cr2());
		return;
	}
	f->vector = regs->vector == UD_VECTOR && is_our_ud2(regs->rip) ?
		    0 : regs->vector;
	f->error_code = regs->error_code;
	f->cr2 = read_cr2();
	f->rax = regs->rax;
	regs->r9 = 0;
	regs->rip = (uint64_t)guest_paging_back;
	regs->cs = KERNEL_CS;
	regs->ss = KERNEL_DS;
	regs->rsp = regs->r10;
	regs->rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
}

static void guest_access(volatile struct paging_box *box,
			 volatile struct paging_step *s)
{
	static char *const insns[] = {
		[PAGING_READ] = guest_paging_read,
		[PAGING_WRITE] = guest_paging_write,
		[PAGING_EXEC] = guest_paging_exec,
		[PAGING_MOVS] = guest_paging_movs,
		[PAGING_OUTS] = guest_paging_outs,
	};
	struct frame f = {
		.rdi = s->gva,
		.rsi = s->op == PAGING_MOVS ? box->gap_gva[s->user] : s->gva,
		.rdx = PAGING_OUTS_PORT,
		.rax = s->value,
		.rip = (uint64_t)insns[s->op],
		.cs = s->user ? USER_CS | 3 : KERNEL_CS,
		.rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_IOPL |
			  (s->ac ? X86_EFLAGS_AC : 0),
		.ss = s->user ? USER_DS | 3 : KERNEL_DS,
	};

	if (s->user)
		f.rip += PAGING_USER_CODE_GVA - guest_paging_insn_page();
	guest_paging_enter(&f);
	s->vector = f.vector;
	s->error_code = f.error_code;
	s->cr2 = f.cr2;
	s->got = f.rax;
}

static void guest_wrmsr(uint32_t msr, uint64_t v)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
		     : "memory");
}

static void guest_invpcid(uint64_t type, uint64_t pcid, gva_t gva)
{
	const uint64_t desc[2] = { pcid, gva };

	asm volatile("invpcid %0, %1" : : "m"(desc), "r"(type) : "memory");
}

#define GUEST_XCHG(suffix, size, gva, value)					\
({										\
	uint64_t __v = (value);							\
										\
	asm volatile("xchg" suffix " %" size "0, (%1)"				\
		     : "+q"(__v) : "r"(gva) : "memory");			\
})

static void guest_step(volatile struct paging_box *box,
		       volatile struct paging_step *s)
{
	uint64_t v = s->value;
	int i;

	switch (s->op) {
	case PAGING_WRITE32:
		guest_write32(s->gva + 4, v >> 32);
		guest_write32(s->gva, v);
		break;
	case PAGING_WRITE8:
		for (i = 7; i >= 0; i--)
			guest_write8(s->gva + i, v >> (8 * i));
		break;
	case PAGING_XCHG:
		asm volatile("xchg %0, (%1)" : "+r"(v) : "r"(s->gva) : "memory");
		break;
	case PAGING_XCHG32:
		for (i = 4; i >= 0; i -= 4)
			GUEST_XCHG("l", "k", s->gva + i, v >> (8 * i));
		break;
	case PAGING_XCHG16:
		for (i = 6; i >= 0; i -= 2)
			GUEST_XCHG("w", "w", s->gva + i, v >> (8 * i));
		break;
	case PAGING_XCHG8:
		for (i = 7; i >= 0; i--)
			GUEST_XCHG("b", "b", s->gva + i, v >> (8 * i));
		break;
	case PAGING_WRITE_ACROSS:
		guest_write64(s->gva, v);
		break;
	case PAGING_INVLPG:
		invlpg(s->gva);
		break;
	case PAGING_SET_CR0:
		asm volatile("mov %0, %%cr0" : : "r"(v) : "memory");
		break;
	case PAGING_SET_CR3:
		write_cr3(v);
		break;
	case PAGING_SET_CR4:
		asm volatile("mov %0, %%cr4" : : "r"(v) : "memory");
		break;
	case PAGING_SET_EFER:
		guest_wrmsr(EFER_MSR, v);
		break;
	case PAGING_SET_PKRU:
		asm volatile("wrpkru" : : "a"((uint32_t)v), "c"(0), "d"(0) : "memory");
		break;
	case PAGING_INVPCID:
		guest_invpcid(v & 3, v >> 2, s->gva);
		break;
	default:
		guest_access(box, s);
		/* Translations that are too strict may fault once: SDM 4.10.4.3. */
		if (s->may_retry && s->vector == PF_VECTOR &&
		    s->error_code & PFERR_PRESENT_MASK)
			guest_access(box, s);
	}
}

void guest_paging(struct paging_box *the_box)
{
	volatile struct paging_box *box = the_box;
	uint64_t i;

	for (;;) {
		for (i = 0; i < box->nr; i++) {
			box->current = i;
			guest_step(box, &box->step[i]);
		}
		GUEST_SYNC(0);
	}
}
