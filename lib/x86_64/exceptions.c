// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions in the guest: the IDT, and who gets them. */
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

void guest_route_exception(struct ex_regs *regs);
void vm_exception_init(struct kvm_vm *vm);

void guest_route_exception(struct ex_regs *regs)
{
	void (*handler)(struct ex_regs *regs) = exception_handlers[regs->vector];

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
