// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_test_harness.h"

KVM_TEST_SUITE(mmio_gap_test);

#define GAP 0x100000UL

static void guest_code(void)
{
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(guest_read32(GAP), 0x1234);
	guest_write64(GAP + 4096, 0x1122334455667788);
	GUEST_DONE();
}

KVM_TEST(smoke)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);

	virt_map(vm, GAP, GAP, 2);
	vcpu_expect_sync(vcpu, 1);
	vcpu_expect_mmio_read(vcpu, GAP, 4, 0x1234);
	vcpu_expect_mmio_write(vcpu, GAP + 4096, 8, 0x1122334455667788);
	vcpu_expect_done(vcpu);
}

KVM_TEST(smoke_free)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);

	virt_map(vm, GAP, GAP, 2);
	vcpu_expect_sync(vcpu, 1);
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
