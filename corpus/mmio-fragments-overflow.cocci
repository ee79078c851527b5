// SPDX-License-Identifier: GPL-2.0-only
// title: a wide MMIO access has more fragments than there is room for
// fix: 87da7e66a405 "KVM: x86: fix vcpu->mmio_fragments overflow"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: panic
// hunks: 1
// caught-by: mmio_gap_test.gap.below_1m.crossing_into_the_next_page_exits_for_each
//
// Each 8 bytes of an access are a fragment of their own, but there is room for two, the
// parts in two pages. 16 bytes across a page's end are three or four; the last are
// written over what follows in the vCPU.

@@
expression vcpu, frag, v, addr, bytes, write;
@@
- WARN_ON(vcpu->mmio_nr_fragments >= KVM_MAX_MMIO_FRAGMENTS);
- frag = &vcpu->mmio_fragments[vcpu->mmio_nr_fragments++];
- frag->gpa = addr;
- if (write && bytes <= 8u) {
-	frag->val = 0;
-	frag->data = &frag->val;
-	memcpy(&frag->val, v, bytes);
- } else {
-	frag->data = v;
- }
- frag->len = bytes;
+ while (bytes) {
+	unsigned int now = min(bytes, 8U);
+
+	frag = &vcpu->mmio_fragments[vcpu->mmio_nr_fragments++];
+	frag->gpa = addr;
+	frag->data = &frag->val;
+	frag->val = 0;
+	if (write)
+		memcpy(&frag->val, v, now);
+	else
+		frag->data = v;
+	frag->len = now;
+	addr += now;
+	v += now;
+	bytes -= now;
+ }
