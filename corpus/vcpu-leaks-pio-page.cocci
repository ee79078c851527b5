// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU's page for port accesses is not freed
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.mappings.the_host_stays_as_it_was
//
// A page of each vCPU's for port accesses comes from the page allocator, in no slab
// cache and under no name in /proc/meminfo. It is not given back.

@@
@@
 kvm_arch_vcpu_destroy(...)
 {
 <...
- free_page((unsigned long)vcpu->arch.pio_data);
 ...>
 }
