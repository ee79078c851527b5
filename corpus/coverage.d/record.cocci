// SPDX-License-Identifier: GPL-2.0-only
// title: KVM notes which of its basic blocks have run
// files: virt/kvm/kvm_main.c
// cflags: -fsanitize-coverage=trace-pc -g '-DNOT_NOTED=notrace __attribute__((no_sanitize_coverage))'
// hunks: 2
//
// The compiler has every basic block call __sanitizer_cov_trace_pc(), which a kernel
// without CONFIG_KCOV does not have. A bit stands for an address behind the start of the
// modules' area; debugfs has them all, in kvm/coverage.

@@
attribute name NOT_NOTED;
@@
+ #define COVERAGE_BASE	0xffffffffc0000000UL
+ #define COVERAGE_SIZE	(32UL << 20)
+ static unsigned long coverage_bits[COVERAGE_SIZE / 64];
+ static struct debugfs_blob_wrapper coverage = {
+ 	.data = coverage_bits, .size = sizeof(coverage_bits),
+ };
+
+ void __sanitizer_cov_trace_pc(void);
+ NOT_NOTED void __sanitizer_cov_trace_pc(void)
+ {
+ 	unsigned long at = (unsigned long)__builtin_return_address(0) - COVERAGE_BASE;
+
+ 	if (at < COVERAGE_SIZE && !test_bit(at, coverage_bits))
+ 		set_bit(at, coverage_bits);
+ }
+ _EXPORT_SYMBOL(__sanitizer_cov_trace_pc, "");
+
 static void kvm_init_debug(...)
 {
 ...
 }

@@
@@
 kvm_init_debug(...)
 {
 ...
 kvm_debugfs_dir = debugfs_create_dir("kvm", NULL);
+ debugfs_create_blob("coverage", 0444, kvm_debugfs_dir, &coverage);
 ...
 }
