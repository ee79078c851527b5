// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions in the guest: the IDT, and who gets them. */
#include <cpuid.h>
#include <string.h>

#include "processor.h"
#include "ucall.h"

#define NR_VECTORS	256

extern char guest_idt_stubs[];

/* Guest-side table, filled by the host through vm_install_exception_handler(). */
static void (*exception_handlers[NR_VECTORS])(struct ex_regs *regs);

struct idt_entry {
	uint16_t offset0;
	uint16_t selector;
	uint16_t flags;
	uint16_t offset1;
	uint32_t offset2;
	uint32_t reserved;
};

/*
 * QEMU's TCG leaves the type of an event that KVM has injected in EXITINTINFO of
 * the next exit, with V clear; since 6.14 KVM goes by the type alone, and takes a
 * fault on a gap there for one in the delivery of an event. So there is an exit
 * at once that does not matter.
 */
static bool exit_in_exceptions;

bool tcg_leaves_event_type(void)
{
	return host_may_be_tcg() && kernel_at_least(6, 14);
}

void guest_route_exception(struct ex_regs *regs);
void vm_exception_init(struct kvm_vm *vm);

void guest_route_exception(struct ex_regs *regs)
{
	void (*handler)(struct ex_regs *regs) = exception_handlers[regs->vector];
	unsigned int eax, ebx, ecx, edx;

	if (exit_in_exceptions)
		__cpuid(0, eax, ebx, ecx, edx);
	if (handler) {
		handler(regs);
		return;
	}
	if (regs->r9 == KVM_EXCEPTION_MAGIC && regs->r10 == regs->rip) {
		regs->r9 = regs->vector;
		regs->r10 = regs->error_code;
		regs->rip = regs->r11;
		return;
	}
	ucall(UCALL_UNHANDLED, 4, regs->vector, regs->error_code, regs->rip,
	      read_cr2());
}

void vm_exception_init(struct kvm_vm *vm)
{
	struct idt_entry *idt;
	int i;

	write_guest_global(vm, exit_in_exceptions, tcg_leaves_event_type());
	vm->idt = vm_alloc(vm, PAGE_SIZE);
	idt = addr_gva2hva(vm, vm->idt);
	for (i = 0; i < NR_VECTORS; i++) {
		uint64_t stub = (uintptr_t)guest_idt_stubs + i * 16;

		idt[i] = (struct idt_entry){
			.offset0 = stub,
			.selector = 0x08,
			.flags = 0x8e00,	/* present, interrupt gate */
			.offset1 = stub >> 16,
			.offset2 = stub >> 32,
		};
	}
}

void vm_install_exception_handler(struct kvm_vm *vm, int vector,
				  void (*handler)(struct ex_regs *))
{
	TEST_ERROR_ON(vector < 0 || vector >= NR_VECTORS, "no vector %d", vector);
	memcpy(addr_gva2hva(vm, (gva_t)&exception_handlers[vector]), &handler,
	       sizeof(handler));
}
