/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One entry stub of 16 bytes per vector. A stub leaves vector and error code
 * (0 where the CPU pushes none: SDM vol. 3 table 6-1) above the CPU's frame.
 */
	.code64
	.text

	.globl	guest_idt_stubs
	.balign	16
guest_idt_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	vector != 8 && vector != 17 && vector != 21 && \
		vector != 29 && vector != 30 && (vector < 10 || vector > 14)
	push	$0
	.endif
	push	$vector
	jmp	guest_idt_common
	.set	vector, vector + 1
	.endr

/* Builds struct ex_regs; its layout mirrors these pushes. */
guest_idt_common:
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	guest_route_exception
	mov	%rbx, %rsp
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rbx
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	add	$16, %rsp
	iretq

/*
 * uint8_t guest_call_safe(gva_t addr, uint64_t *error_code)
 * A fetch fault has RIP == addr, which is what r10 promises the handler; RSP
 * is restored because the CALL has pushed already.
 */
	.globl	guest_call_safe
guest_call_safe:
	push	%rbx
	push	%rbp
	mov	%rsp, %rbp
	mov	%rsi, %rbx
	movabs	$0x5afe5afe0ddba11, %r9
	mov	%rdi, %r10
	lea	1f(%rip), %r11
	call	*%rdi
	xor	%r9d, %r9d
	xor	%r10d, %r10d
1:	mov	%rbp, %rsp
	test	%rbx, %rbx
	jz	2f
	mov	%r10, (%rbx)
2:	movzbl	%r9b, %eax
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
