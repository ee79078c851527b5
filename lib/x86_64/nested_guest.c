// SPDX-License-Identifier: GPL-2.0-only
/* L1 and L2 of include/nested.h. */
#include "nested_internal.h"
#include "ucall.h"

static uint8_t guest_movs(gva_t to, gva_t from, uint64_t *ec)
{
	/* It changes both registers. */
	return kvm_asm_safe_ec("movsq; sub $8, %[s]; sub $8, %[d]", *ec,
			       [s] "S"(from), [d] "D"(to));
}

/* For L1 and L2 alike: 8 bytes, and what fault they took. */
static void guest_access(volatile struct nested_step *s)
{
	uint64_t ec = 0, value = s->value, addr = s->addr;
	uint8_t vector;

	if (s->op == L2_EXEC)
		vector = guest_call_safe(addr, &ec);
	else if (s->op == L2_COPY_OUT)
		vector = guest_movs(addr, value, &ec);
	else if (s->op == L2_COPY_IN)
		vector = guest_movs(value, addr, &ec);
	else if (s->op == L1_WRITE || s->op == L2_WRITE)
		vector = kvm_asm_safe_ec("mov %[v], (%[a])", ec,
					 [v] "r"(value), [a] "r"(addr));
	else if (s->op == L1_LOCK_OR)
		vector = kvm_asm_safe_ec("lock or %[v], (%[a])", ec,
					 [v] "r"(value), [a] "r"(addr));
	else
		asm volatile(__KVM_ASM_SAFE_BEGIN "mov (%[a]), %[v]" __KVM_ASM_SAFE_END
			     : [vector] "=&q"(vector), [ec] "=&r"(ec),
			       [v] "+&r"(value)
			     : [magic] "i"(KVM_EXCEPTION_MAGIC), [a] "r"(addr)
			     : "r9", "r10", "r11", "memory", "cc");
	s->got = s->op == L2_COPY_IN ? guest_read64(value) : value;
	s->vector = vector;
	s->error_code = ec & ~PFERR_USER_MASK;
	s->fault_addr = vector ? read_cr2() : 0;
}

/* ---- L2 ---- */

static void l2_triple_fault(void)
{
	const struct desc_ptr empty = {};

	asm volatile("lidt %0; int3" : : "m"(empty));
}

/*
 * On a stack of its own, so that the event's delivery can find that one missing. What
 * L2 took is where it would be after any other fault.
 */
#define L2_TAKES(insn, past)							\
	asm volatile("mov %%rsp, %%rbx\n\t"					\
		     "mov %[sp], %%rsp\n\t"					\
		     "movabs %[magic], %%r9\n\t"					\
		     "lea 1f + " #past "(%%rip), %%r10\n\t"			\
		     "lea 2f(%%rip), %%r11\n\t"					\
		     "1: " insn "\n\t"						\
		     "xor %%r9d, %%r9d\n\t"					\
		     "xor %%r10d, %%r10d\n\t"					\
		     "2: mov %%rbx, %%rsp\n\t"					\
		     "mov %%r9, %[vector]\n\t"					\
		     "mov %%r10, %[ec]"						\
		     : [vector] "=&r"(vector), [ec] "=&r"(ec)			\
		     : [magic] "i"(KVM_EXCEPTION_MAGIC), [sp] "r"(s->addr + 8),	\
		       [a] "r"(s->value)					\
		     : "rax", "rbx", "r9", "r10", "r11", "memory", "cc")

static void l2_event(volatile struct nested_step *s)
{
	uint64_t vector, ec;

	if (s->op == L2_UD)
		L2_TAKES("ud2", 0);
	else if (s->op == L2_INT)	/* RIP is behind it then */
		L2_TAKES("int $0x80", 2);
	else
		L2_TAKES("mov (%[a]), %%rax", 0);
	s->vector = (uint8_t)vector;
	s->error_code = ec;
}

static void l2_step(volatile struct nested_box *box, volatile struct nested_step *s)
{
	switch (s->op) {
	case L2_INVLPG:
		invlpg(s->addr);
		break;
	case L2_SYNC:
		box->current++;
		GUEST_SYNC(NESTED_STAGE_L2);
		return;
	case L2_TRIPLE_FAULT:
		l2_triple_fault();
		break;
	case L2_UD:
	case L2_INT:
	case L2_PF:
		l2_event(s);
		break;
	case L2_VMFUNC:
		asm volatile(".byte 0x0f, 0x01, 0xd4" : : "a"(s->addr), "c"(s->value)
			     : "memory");
		s->got = s->value;
		break;
	case L2_SET_CR8:
		asm volatile("mov %0, %%cr8" : : "r"(s->value));
		s->got = s->value;
		break;
	default:
		guest_access(s);
	}
	box->current++;
}

/* Starts here each time that L1 enters it, and does as much as is L2's. */
static void l2_main(volatile struct nested_box *box)
{
	while (box->current < box->nr && box->step[box->current].op >= L2_READ)
		l2_step(box, &box->step[box->current]);
	if (box->amd)
		asm volatile("vmmcall" : : : "memory");
	else
		asm volatile("vmcall" : : : "memory");
	GUEST_FAIL("L1 has resumed L2, which it never does");
}

/* ---- L1 ---- */

static void *l2_stack(struct nested_box *box)
{
	return (void *)(box->l2_stack - 8);
}

static void l1_setup_svm(struct nested_box *box)
{
	struct vmcb *vmcb = box->svm.vmcb;

	generic_svm_setup(&box->svm, l2_main, l2_stack(box));
	vmcb->save.cr0 &= ~box->l2_cr0_clear;
	vmcb->save.cr4 ^= box->l2_cr4_toggle;
	vmcb->save.efer ^= box->l2_efer_toggle;
	if (box->takes_pf)
		vmcb->control.intercept_exceptions = BIT(PF_VECTOR);
	if (box->paging)
		vmcb->control.nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
}

static void l1_setup_vmx(struct nested_box *box)
{
	GUEST_ASSERT(prepare_for_vmx_operation(&box->vmx));
	GUEST_ASSERT(load_vmcs(&box->vmx));
	prepare_vmcs(&box->vmx, l2_main, l2_stack(box), box->paging ? box->root : 0);
	vmwrite(EXCEPTION_BITMAP, box->takes_pf ? BIT(PF_VECTOR) : 0);
	vmwrite(GUEST_CR0, read_cr0() & ~box->l2_cr0_clear);
	vmwrite(GUEST_CR4, read_cr4() ^ box->l2_cr4_toggle);
	vmwrite(GUEST_IA32_EFER, rdmsr(MSR_EFER) ^ box->l2_efer_toggle);
}

static enum l2_exit l1_run_svm(struct nested_box *box, volatile struct nested_step *s)
{
	struct vmcb_control_area *ctrl = &box->svm.vmcb->control;
	struct vmcb_save_area *save = &box->svm.vmcb->save;

	save->rip = (uintptr_t)l2_main;
	save->rsp = (uintptr_t)l2_stack(box);
	if (box->paging)
		ctrl->nested_cr3 = box->root;
	else
		save->cr3 = box->root;
	ctrl->event_inj = box->inject;
	box->inject = 0;
	run_guest(box->svm.vmcb_gpa, box);
	/* No store without need: tests look who has written to the VMCB. */
	if (ctrl->tlb_ctl)
		ctrl->tlb_ctl = 0;

	s->exit_code = ctrl->exit_code;
	s->info = ctrl->exit_info_1;
	s->event = ctrl->exit_int_info & NESTED_EVENT_VALID ? ctrl->exit_int_info : 0;
	switch (ctrl->exit_code) {
	case SVM_EXIT_VMMCALL:
		return L2_EXIT_DONE;
	case SVM_EXIT_SHUTDOWN:
		save->idtr.base = get_idt().address;
		save->idtr.limit = get_idt().size;
		return L2_EXIT_TRIPLE_FAULT;
	case SVM_EXIT_NPF:
		s->error_code = (uint32_t)ctrl->exit_info_1 & ~PFERR_USER_MASK;
		s->fault_addr = ctrl->exit_info_2;
		s->in_page_walk = !!(ctrl->exit_info_1 & NPF_GUEST_PAGE);
		return L2_EXIT_FAULT;
	case SVM_EXIT_EXCP_BASE + PF_VECTOR:
		s->in_page_walk = 0;
		s->error_code = ctrl->exit_info_1;
		s->fault_addr = ctrl->exit_info_2;
		return L2_EXIT_FAULT;
	case SVM_EXIT_ERR:
		return L2_EXIT_NO_ENTRY;
	default:
		return L2_EXIT_OTHER;
	}
}

static uint64_t ept_error_code(uint64_t qualification)
{
	return (qualification & EPT_VIOLATION_PRESENT ? PFERR_PRESENT_MASK : 0) |
	       (qualification & EPT_VIOLATION_WRITE ? PFERR_WRITE_MASK : 0) |
	       (qualification & EPT_VIOLATION_FETCH ? PFERR_FETCH_MASK : 0);
}

static enum l2_exit l1_run_vmx(struct nested_box *box, volatile struct nested_step *s)
{
	vmwrite(GUEST_RIP, (uintptr_t)l2_main);
	vmwrite(GUEST_RSP, (uintptr_t)l2_stack(box));
	vmwrite(box->paging ? EPT_POINTER : GUEST_CR3, box->root);
	vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, box->inject >> 32);
	vmwrite(VM_ENTRY_INTR_INFO, (uint32_t)box->inject);
	box->inject = 0;
	if (!vmx_run_guest(&box->vmx, box)) {
		s->exit_code = vmreadz(VM_INSTRUCTION_ERROR);
		return L2_EXIT_NO_ENTRY;
	}
	s->exit_code = vmreadz(VM_EXIT_REASON);
	s->event = vmreadz(IDT_VECTORING_INFO);
	if (!(s->event & NESTED_EVENT_VALID))
		s->event = 0;
	if (s->event & NESTED_EVENT_HAS_ERROR)
		s->event |= vmreadz(IDT_VECTORING_ERROR_CODE) << 32;
	switch (s->exit_code) {
	case EXIT_REASON_VMCALL:
		return L2_EXIT_DONE;
	case EXIT_REASON_TRIPLE_FAULT:
		vmwrite(GUEST_IDTR_BASE, get_idt().address);
		vmwrite(GUEST_IDTR_LIMIT, get_idt().size);
		return L2_EXIT_TRIPLE_FAULT;
	case EXIT_REASON_EPT_VIOLATION:
		s->info = vmreadz(EXIT_QUALIFICATION);
		s->error_code = ept_error_code(s->info);
		s->fault_addr = vmreadz(GUEST_PHYSICAL_ADDRESS);
		s->in_page_walk = !(s->info & EPT_VIOLATION_GVA_TRANSLATED);
		s->linear_addr = vmreadz(GUEST_LINEAR_ADDRESS);
		return L2_EXIT_FAULT;
	case EXIT_REASON_EXCEPTION_NMI:
		if ((vmreadz(VM_EXIT_INTR_INFO) & 0xff) != PF_VECTOR)
			return L2_EXIT_OTHER;
		s->in_page_walk = 0;
		s->error_code = vmreadz(VM_EXIT_INTR_ERROR_CODE);
		s->fault_addr = vmreadz(EXIT_QUALIFICATION);
		return L2_EXIT_FAULT;
	case EXIT_REASON_EPT_MISCONFIG:
		s->error_code = PFERR_PRESENT_MASK | PFERR_RSVD_MASK;
		s->fault_addr = vmreadz(GUEST_PHYSICAL_ADDRESS);
		return L2_EXIT_FAULT;
	default:
		return s->exit_code & EXIT_REASON_FAILED_VMENTRY ? L2_EXIT_NO_ENTRY :
								   L2_EXIT_OTHER;
	}
}

/*
 * Enters L2 for the current step. An exit in the middle is that step's outcome;
 * L2 never tries it again.
 */
static void l1_run_l2(struct nested_box *box)
{
	volatile uint64_t *current = &box->current;
	struct nested_step vmcall, *s;
	enum l2_exit why;

	why = box->amd ? l1_run_svm(box, &vmcall) : l1_run_vmx(box, &vmcall);
	if (why == L2_EXIT_DONE)
		return;
	s = &box->step[*current];
	s->exit = why;
	s->exit_code = vmcall.exit_code;
	s->info = vmcall.info;
	s->error_code = vmcall.error_code;
	s->fault_addr = vmcall.fault_addr;
	s->in_page_walk = vmcall.in_page_walk;
	s->event = vmcall.event;
	s->linear_addr = vmcall.linear_addr;
	(*current)++;
}

static void l1_flush_l2(struct nested_box *box)
{
	if (box->amd)
		box->svm.vmcb->control.tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	else if (box->paging)
		invept(1, box->root);
	/* Without a VPID, entries and exits of VMX flush. */
}

static void l1_step(struct nested_box *box, volatile struct nested_step *s)
{
	switch (s->op) {
	case L1_FLUSH:
		l1_flush_l2(box);
		break;
	case L1_INVALIDATE:
		if (box->amd)
			invlpga(s->addr, box->svm.vmcb->control.asid);
		break;
	case L1_SET_ROOT:
		box->root = s->value;
		break;
	case L1_WRITE_X87:
		/*
		 * Since 6.12 KVM takes such a store for an endless loop, and gives up,
		 * when the last one was the same instruction at the same address.
		 */
		if (box->current % 2)
			asm volatile("fninit; fildll %0; fistpll (%1)"
				     : : "m"(s->value), "r"(s->addr) : "memory");
		else
			asm volatile("fninit; fildll %0; fistpll (%1); nop"
				     : : "m"(s->value), "r"(s->addr) : "memory");
		s->got = s->value;
		break;
	case L1_INJECT:
		box->inject = s->value;
		break;
	case L1_TURN:
		break;
	case L1_VMREAD:
		s->got = vmreadz(s->addr);
		break;
	case L1_VMWRITE:
		vmwrite(s->addr, s->value);
		s->got = s->value;
		break;
	case L1_ENTER:
		s->got = vmx_run_guest(&box->vmx, box) ? vmreadz(VM_EXIT_REASON) : ~0ULL;
		break;
	case L1_INVEPT:
		s->got = invept(s->addr, s->value) ? 0 : vmreadz(VM_INSTRUCTION_ERROR);
		break;
	case L1_INVVPID:
		s->got = invvpid(s->value >> 32, (uint32_t)s->value, s->addr) ?
			 0 : vmreadz(VM_INSTRUCTION_ERROR);
		break;
	default:
		guest_access(s);
	}
	*(volatile uint64_t *)&box->current = box->current + 1;
}

void l1_main(struct nested_box *box)
{
	volatile uint64_t *nr = &box->nr, *current = &box->current;

	if (box->amd)
		l1_setup_svm(box);
	else
		l1_setup_vmx(box);
	for (;;) {
		GUEST_SYNC(NESTED_STAGE_L1);
		while (*current < *nr) {
			struct nested_step *s = &box->step[*current];

			if (*(volatile uint64_t *)&s->op < L2_READ)
				l1_step(box, s);
			else
				l1_run_l2(box);
		}
	}
}
