// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports that do not exit.
 *
 * Ports have a bus of their own: a coalesced zone or an ioeventfd at a port takes
 * the port's writes, in strings as well, and never those to memory of the same
 * address; nor the other way round.
 *
 * Bugs of this class: the bus forgotten when a device is looked for or taken away,
 * an element of a string done twice or not at all.
 */

#include "ioeventfd.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(port_bus_test,
	.fixes = FIXES("8764ed55c970 KVM: x86: Whitelist port 0x7e for pre-incrementing %rip"));

#define PORT		0x2000		/* and the gap that has its number */

/* ---- guest ---- */

enum { OP_OUT, OP_OUTS, OP_IN, OP_INS, OP_STORE };

static struct {
	uint64_t op, len, count;
	uint16_t port;
	gva_t gva;
	uint64_t value;
} guest_order;

static uint32_t guest_string[16];

static void guest_out(void)
{
	const uint16_t port = guest_order.port;
	const uint32_t value = guest_order.value;

	switch (guest_order.len) {
	case 1: asm volatile("outb %b0, %1" : : "a"(value), "d"(port)); break;
	case 2: asm volatile("outw %w0, %1" : : "a"(value), "d"(port)); break;
	default: asm volatile("outl %0, %1" : : "a"(value), "d"(port)); break;
	}
}

static void guest_outs(void)
{
	const void *src = guest_string;
	uint64_t count = guest_order.count;

	switch (guest_order.len) {
	case 1:
		asm volatile("rep outsb" : "+S"(src), "+c"(count)
			     : "d"(guest_order.port) : "memory");
		break;
	case 2:
		asm volatile("rep outsw" : "+S"(src), "+c"(count)
			     : "d"(guest_order.port) : "memory");
		break;
	default:
		asm volatile("rep outsl" : "+S"(src), "+c"(count)
			     : "d"(guest_order.port) : "memory");
		break;
	}
	GUEST_ASSERT_EQ(count, 0);
	GUEST_ASSERT_EQ((uint64_t)src,
			(uint64_t)guest_string + guest_order.count * guest_order.len);
}

static uint64_t guest_in(void)
{
	uint32_t value = 0;

	switch (guest_order.len) {
	case 1: asm volatile("inb %1, %b0" : "+a"(value) : "d"(guest_order.port)); break;
	case 2: asm volatile("inw %1, %w0" : "+a"(value) : "d"(guest_order.port)); break;
	default: asm volatile("inl %1, %0" : "+a"(value) : "d"(guest_order.port)); break;
	}
	return value;
}

static uint64_t guest_ins(void)
{
	void *dst = guest_string;
	uint64_t count = guest_order.count;

	asm volatile("rep insb" : "+D"(dst), "+c"(count)
		     : "d"(guest_order.port) : "memory");
	GUEST_ASSERT_EQ(count, 0);
	return (uint64_t)dst - (uint64_t)guest_string;
}

static void guest_take_orders(void)
{
	for (;;) {
		uint64_t value = 0;

		switch (guest_order.op) {
		case OP_OUT: guest_out(); break;
		case OP_OUTS: guest_outs(); break;
		case OP_IN: value = guest_in(); break;
		case OP_INS: value = guest_ins(); break;
		default: guest_write(guest_order.gva, guest_order.len, guest_order.value);
		}
		GUEST_SYNC(value);
	}
}

/* ---- host ---- */

struct bus {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	gva_t gap;			/* of the gpa that is PORT */
	struct kvm_coalesced_mmio_ring *ring;
};

static void bus_init(struct bus *b)
{
	long page = kvm_check_cap(KVM_CAP_COALESCED_MMIO);

	b->vm = vm_create_with_one_vcpu(&b->vcpu, guest_take_orders);
	b->gap = vm_map_gpa(b->vm, PORT, PAGE_SIZE);
	b->ring = (void *)((char *)b->vcpu->run + page * PAGE_SIZE);
}

static void order(struct bus *b, uint64_t op, uint64_t len, uint64_t value)
{
	guest_order.op = op;
	guest_order.len = len;
	guest_order.value = value;
	sync_global_to_guest(b->vm, guest_order);
}

static void order_port(struct bus *b, uint64_t op, uint16_t port, uint64_t len,
		       uint64_t value)
{
	static const char *const names[] = { "OUT", "REP OUTS", "IN", "REP INS" };

	test_step("%s of %lu bytes, port 0x%x, data 0x%lx", names[op], len, port, value);
	guest_order.port = port;
	order(b, op, len, value);
}

static void order_store(struct bus *b, gpa_t gpa, uint64_t len, uint64_t value)
{
	test_step("write of %lu bytes at gpa 0x%lx, data 0x%lx", len, gpa, value);
	guest_order.gva = b->gap + (gpa - PORT);
	order(b, OP_STORE, len, value);
}

static uint64_t finish(struct bus *b)
{
	struct ucall uc;

	vcpu_run_to_sync(b->vcpu, &uc);
	return uc.args[0];
}

static uint64_t of_length(uint64_t value, uint64_t len)
{
	return len < 8 ? value & (BIT_ULL(len * 8) - 1) : value;
}

/* The exit for the port; returns its data. */
static void *run_to_port(struct bus *b, uint16_t port, unsigned int direction,
			 uint64_t len)
{
	struct kvm_run *run = b->vcpu->run;

	vcpu_run(b->vcpu);
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != port ||
	    run->io.direction != direction || run->io.size != len ||
	    run->io.count != 1)
		vcpu_unexpected_exit(b->vcpu, "KVM_EXIT_IO for the port of the order");
	return (char *)run + run->io.data_offset;
}

static void expect_out(struct bus *b, uint16_t port, uint64_t len, uint64_t value)
{
	uint64_t got = 0;

	memcpy(&got, run_to_port(b, port, KVM_EXIT_IO_OUT, len), len);
	TEST_ASSERT_EQ(got, of_length(value, len));
}

static void out_exits(struct bus *b, uint16_t port, uint64_t len, uint64_t value)
{
	order_port(b, OP_OUT, port, len, value);
	expect_out(b, port, len, value);
	finish(b);
}

static void out_does_not_exit(struct bus *b, uint16_t port, uint64_t len, uint64_t value)
{
	order_port(b, OP_OUT, port, len, value);
	finish(b);
}

static void in_exits(struct bus *b, uint16_t port, uint64_t len)
{
	uint64_t value = of_length(test_random(), len);

	order_port(b, OP_IN, port, len, 0);
	memcpy(run_to_port(b, port, KVM_EXIT_IO_IN, len), &value, len);
	TEST_ASSERT_EQ(finish(b), value);
}

static void store_exits(struct bus *b, gpa_t gpa, uint64_t len, uint64_t value)
{
	order_store(b, gpa, len, value);
	vcpu_expect_mmio_write(b->vcpu, gpa, len, value);
	finish(b);
}

static void store_does_not_exit(struct bus *b, gpa_t gpa, uint64_t len, uint64_t value)
{
	order_store(b, gpa, len, value);
	finish(b);
}

/* @count elements of random data, which go to the port in one instruction. */
static void order_string(struct bus *b, uint16_t port, uint64_t len, uint64_t count)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(guest_string); i++)
		guest_string[i] = test_random();
	sync_global_to_guest(b->vm, guest_string);
	guest_order.count = count;
	order_port(b, OP_OUTS, port, len, 0);
}

static uint64_t string_element(unsigned int i, uint64_t len)
{
	uint64_t value = 0;

	memcpy(&value, (char *)guest_string + i * len, len);
	return value;
}

/* ---- coalesced zones ---- */

#define COALESCED_NEEDS							\
	.caps = NEED_CAPS(NEED_CAP(KVM_CAP_COALESCED_MMIO),		\
			  NEED_CAP(KVM_CAP_COALESCED_PIO))

static void zone(struct bus *b, unsigned long cmd, gpa_t addr, uint32_t size, bool pio)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = addr, .size = size, .pio = pio };

	__assert_ioctl(__vm_ioctl(b->vm, cmd, &zone), cmd);
}

static void ring_take(struct bus *b, gpa_t addr, uint64_t len, uint64_t value, bool pio)
{
	struct kvm_coalesced_mmio *e = &b->ring->coalesced_mmio[b->ring->first];
	uint64_t got = 0;

	value = of_length(value, len);
	TEST_ASSERT(b->ring->first != b->ring->last,
		    "the ring is empty, want %lu bytes 0x%lx for %s 0x%lx", len, value,
		    pio ? "port" : "gpa", addr);
	memcpy(&got, e->data, len);
	TEST_ASSERT(e->phys_addr == addr && e->len == len && got == value && e->pio == pio,
		    "ring entry %u: address 0x%llx len %u data 0x%lx pio %u, want address 0x%lx len %lu data 0x%lx pio %u",
		    b->ring->first, e->phys_addr, e->len, got, e->pio, addr, len, value, pio);
	b->ring->first = (b->ring->first + 1) % KVM_COALESCED_MMIO_MAX;
}

static void ring_is_empty(struct bus *b)
{
	TEST_ASSERT(b->ring->first == b->ring->last,
		    "the ring has entries %u to %u, want none", b->ring->first,
		    b->ring->last);
}

KVM_TEST(coalesced_ports_are_in_the_ring, COALESCED_NEEDS)
{
	const uint16_t start = PORT + 3, end = PORT + 16;
	uint64_t len, value[2];
	unsigned int i;
	struct bus b;

	bus_init(&b);
	zone(&b, KVM_REGISTER_COALESCED_MMIO, start, end - start, true);
	for (len = 1; len <= 4; len *= 2) {
		out_does_not_exit(&b, start, len, value[0] = test_random());
		out_does_not_exit(&b, end - len, len, value[1] = test_random());
		out_exits(&b, start - 1, len, test_random());
		out_exits(&b, end - len + 1, len, test_random());
		in_exits(&b, start, len);
		/* Memory is something else. */
		store_exits(&b, start, len, test_random());
		ring_take(&b, start, len, value[0], true);
		ring_take(&b, end - len, len, value[1], true);
		ring_is_empty(&b);

		order_string(&b, start + 1, len, 7);
		finish(&b);
		for (i = 0; i < 7; i++)
			ring_take(&b, start + 1, len, string_element(i, len), true);
		ring_is_empty(&b);
		order_string(&b, end, len, 7);
		for (i = 0; i < 7; i++)
			expect_out(&b, end, len, string_element(i, len));
		finish(&b);
	}
	kvm_vm_free(b.vm);
}

/* Each is taken away by itself, in both orders. */
KVM_TEST(coalesced_ports_and_memory_of_one_address, COALESCED_NEEDS)
{
	unsigned int round;
	struct bus b;

	bus_init(&b);
	for (round = 0; round < 4; round++) {
		bool pio_first = round & 1;

		zone(&b, KVM_REGISTER_COALESCED_MMIO, PORT, 16, round & 2);
		zone(&b, KVM_REGISTER_COALESCED_MMIO, PORT, 16, !(round & 2));
		out_does_not_exit(&b, PORT + 4, 4, 0x11223344);
		store_does_not_exit(&b, PORT + 4, 4, 0x55667788);
		ring_take(&b, PORT + 4, 4, 0x11223344, true);
		ring_take(&b, PORT + 4, 4, 0x55667788, false);

		test_step("round %u: unregister the zone of %s", round,
			  pio_first ? "ports" : "memory");
		zone(&b, KVM_UNREGISTER_COALESCED_MMIO, PORT, 16, pio_first);
		if (pio_first) {
			out_exits(&b, PORT + 4, 4, round);
			store_does_not_exit(&b, PORT + 4, 4, round);
		} else {
			store_exits(&b, PORT + 4, 4, round);
			out_does_not_exit(&b, PORT + 4, 4, round);
		}
		ring_take(&b, PORT + 4, 4, round, !pio_first);
		zone(&b, KVM_UNREGISTER_COALESCED_MMIO, PORT, 16, !pio_first);
		out_exits(&b, PORT + 4, 4, round);
		store_exits(&b, PORT + 4, 4, round);
		ring_is_empty(&b);
	}
	kvm_vm_free(b.vm);
}

/* ---- ioeventfds ---- */

#define IOEVENTFD_NEEDS							\
	.caps = NEED_CAPS(NEED_CAP(KVM_CAP_IOEVENTFD))

KVM_TEST(ioeventfd_at_a_port_takes_its_writes, IOEVENTFD_NEEDS)
{
	int fd = new_eventfd();
	uint64_t len, other;
	struct bus b;

	bus_init(&b);
	for (len = 1; len <= 4; len *= 2) {
		vm_ioeventfd(b.vm, fd, PORT + 8, len, 0, KVM_IOEVENTFD_FLAG_PIO);
		out_does_not_exit(&b, PORT + 8, len, test_random());
		TEST_ASSERT_EQ(eventfd_signals(fd), 1UL);
		order_string(&b, PORT + 8, len, 5);
		finish(&b);
		TEST_ASSERT_EQ(eventfd_signals(fd), 5UL);
		for (other = 1; other <= 4; other *= 2) {
			if (other != len)
				out_exits(&b, PORT + 8, other, test_random());
			in_exits(&b, PORT + 8, other);
		}
		out_exits(&b, PORT + 7, len, test_random());
		out_exits(&b, PORT + 9, len, test_random());
		store_exits(&b, PORT + 8, len, test_random());
		TEST_ASSERT_EQ(eventfd_signals(fd), 0UL);
		vm_ioeventfd(b.vm, fd, PORT + 8, len, 0,
			     KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN);
		out_exits(&b, PORT + 8, len, test_random());
		TEST_ASSERT_EQ(eventfd_signals(fd), 0UL);
	}
	kvm_vm_free(b.vm);
	close(fd);
}

KVM_TEST(ioeventfd_at_a_port_compares_data, IOEVENTFD_NEEDS)
{
	const uint32_t flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH;
	int fd[2] = { new_eventfd(), new_eventfd() };
	uint64_t value, len;
	struct bus b;

	bus_init(&b);
	for (len = 1; len <= 4; len *= 2) {
		value = of_length(test_random(), len);
		vm_ioeventfd(b.vm, fd[0], PORT, len, value, flags);
		vm_ioeventfd(b.vm, fd[1], PORT, len, value ^ 1, flags);
		out_does_not_exit(&b, PORT, len, value);
		/* What is in EAX beyond the length does not count. */
		out_does_not_exit(&b, PORT, len, value ^ 1 ^ (len < 4 ? 0x80000000 : 0));
		TEST_ASSERT_EQ(eventfd_signals(fd[0]), 1UL);
		TEST_ASSERT_EQ(eventfd_signals(fd[1]), 1UL);
		out_exits(&b, PORT, len, value ^ 2);
		out_exits(&b, PORT, len, value ^ BIT(8 * len - 1));
		vm_ioeventfd(b.vm, fd[0], PORT, len, value, flags | KVM_IOEVENTFD_FLAG_DEASSIGN);
		out_exits(&b, PORT, len, value);
		out_does_not_exit(&b, PORT, len, value ^ 1);
		TEST_ASSERT_EQ(eventfd_signals(fd[0]), 0UL);
		TEST_ASSERT_EQ(eventfd_signals(fd[1]), 1UL);
		vm_ioeventfd(b.vm, fd[1], PORT, len, value ^ 1,
			     flags | KVM_IOEVENTFD_FLAG_DEASSIGN);
	}
	kvm_vm_free(b.vm);
	close(fd[0]);
	close(fd[1]);
}

KVM_TEST(ioeventfd_of_any_length_at_a_port,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_IOEVENTFD),
			   NEED_CAP(KVM_CAP_IOEVENTFD_ANY_LENGTH)))
{
	int fd = new_eventfd();
	unsigned int round;
	struct bus b;
	uint64_t len;

	bus_init(&b);
	for (round = 0; round < 2; round++) {
		vm_ioeventfd(b.vm, fd, PORT, 0, 0, KVM_IOEVENTFD_FLAG_PIO);
		for (len = 1; len <= 4; len *= 2) {
			out_does_not_exit(&b, PORT, len, test_random());
			TEST_ASSERT_EQ(eventfd_signals(fd), 1UL);
			in_exits(&b, PORT, len);
			out_exits(&b, PORT + 1, len, test_random());
			store_exits(&b, PORT, len, test_random());
			TEST_ASSERT_EQ(eventfd_signals(fd), 0UL);
		}
		vm_ioeventfd(b.vm, fd, PORT, 0, 0,
			     KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN);
		out_exits(&b, PORT, 1, test_random());
	}
	kvm_vm_free(b.vm);
	close(fd);
}

KVM_TEST(ioeventfds_of_a_port_and_of_memory, IOEVENTFD_NEEDS)
{
	int port = new_eventfd(), memory = new_eventfd();
	unsigned int round;
	struct bus b;

	bus_init(&b);
	for (round = 0; round < 2; round++) {
		vm_ioeventfd(b.vm, port, PORT, 4, 0, KVM_IOEVENTFD_FLAG_PIO);
		vm_ioeventfd(b.vm, memory, PORT, 4, 0, 0);
		TEST_ASSERT_ERRNO(__vm_ioeventfd(b.vm, memory, PORT, 4, 0,
						 KVM_IOEVENTFD_FLAG_PIO), EEXIST,
				  "another eventfd at the same port");
		TEST_ASSERT_ERRNO(__vm_ioeventfd(b.vm, memory, PORT, 4, 0,
						 KVM_IOEVENTFD_FLAG_PIO |
						 KVM_IOEVENTFD_FLAG_DEASSIGN), ENOENT,
				  "taking the memory's eventfd from the port");
		out_does_not_exit(&b, PORT, 4, 1);
		TEST_ASSERT_EQ(eventfd_signals(memory), 0UL);
		store_does_not_exit(&b, PORT, 4, 1);
		TEST_ASSERT_EQ(eventfd_signals(memory), 1UL);
		TEST_ASSERT_EQ(eventfd_signals(port), 1UL);
		vm_ioeventfd(b.vm, round ? port : memory, PORT, 4, 0,
			     KVM_IOEVENTFD_FLAG_DEASSIGN |
			     (round ? KVM_IOEVENTFD_FLAG_PIO : 0));
		if (round) {
			out_exits(&b, PORT, 4, 2);
			store_does_not_exit(&b, PORT, 4, 2);
		} else {
			store_exits(&b, PORT, 4, 2);
			out_does_not_exit(&b, PORT, 4, 2);
		}
		vm_ioeventfd(b.vm, round ? memory : port, PORT, 4, 0,
			     KVM_IOEVENTFD_FLAG_DEASSIGN |
			     (round ? 0 : KVM_IOEVENTFD_FLAG_PIO));
		out_exits(&b, PORT, 4, 3);
		store_exits(&b, PORT, 4, 3);
		TEST_ASSERT_EQ(eventfd_signals(memory), (uint64_t)round);
		TEST_ASSERT_EQ(eventfd_signals(port), (uint64_t)!round);
	}
	kvm_vm_free(b.vm);
	close(port);
	close(memory);
}

/* ---- a port that old firmware resets the machine by ---- */

#define PORT_7E		0x7e

static uint64_t rip_at_exit(struct bus *b, uint16_t port)
{
	struct kvm_regs regs;

	order_port(b, OP_OUT, port, 1, 0x5a);
	expect_out(b, port, 1, 0x5a);
	vcpu_regs_get(b->vcpu, &regs);
	finish(b);
	return regs.rip;
}

/* RIP is behind OUT already; user space may want it as at all other ports. */
KVM_TEST(rip_is_behind_out_0x7e, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_DISABLE_QUIRKS)))
{
	uint64_t rip, want;
	struct bus b;
	int quirk;

	for (quirk = 1; quirk >= 0; quirk--) {
		bus_init(&b);
		if (!quirk)
			vm_enable_cap(b.vm, KVM_CAP_DISABLE_QUIRKS,
				      KVM_X86_QUIRK_OUT_7E_INC_RIP);
		want = rip_at_exit(&b, PORT) + quirk;	/* OUT has one byte */
		rip = rip_at_exit(&b, PORT_7E);
		TEST_ASSERT(rip == want,
			    "OUT 0x7e with%s the quirk exits with rip 0x%lx, want 0x%lx",
			    quirk ? "" : "out", rip, want);
		out_exits(&b, PORT_7E, 1, 0x77);
		out_exits(&b, PORT, 1, 0x78);
		kvm_vm_free(b.vm);
	}
}

/* ---- a device of KVM's own ---- */

#define PIC_MASK_PORT	0x21		/* what is written can be read */

KVM_TEST(strings_from_a_port_of_kvms_own)
{
	uint8_t value, want[sizeof(guest_string)];
	unsigned int n;
	struct bus b;

	bus_init(&b);
	for (n = 1; n <= sizeof(guest_string); n = 2 * n + 1) {
		value = test_random();
		out_does_not_exit(&b, PIC_MASK_PORT, 1, value);
		order_port(&b, OP_IN, PIC_MASK_PORT, 1, 0);
		TEST_ASSERT_EQ(finish(&b), (uint64_t)value);
		memset(guest_string, ~value, sizeof(guest_string));
		memset(want, ~value, sizeof(want));
		memset(want, value, n);
		sync_global_to_guest(b.vm, guest_string);
		guest_order.count = n;
		order_port(&b, OP_INS, PIC_MASK_PORT, 1, 0);
		TEST_ASSERT_EQ(finish(&b), (uint64_t)n);
		sync_global_from_guest(b.vm, guest_string);
		TEST_ASSERT(!memcmp(guest_string, want, sizeof(want)),
			    "REP INS of %u bytes from the interrupt controller's mask, 0x%x: the last is 0x%x, the one behind 0x%x",
			    n, value, ((uint8_t *)guest_string)[n - 1],
			    ((uint8_t *)guest_string)[n]);
	}
	kvm_vm_free(b.vm);
}

KVM_TEST_MAIN()
