// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bus with very many devices.
 *
 * However many ioeventfds and coalesced zones a bus has, each write goes to its own,
 * and one that goes leaves the others alone. Ioeventfds are limited by a VMM's fds
 * only; of other devices a bus takes a thousand, and refuses the next one.
 *
 * Bugs of this class: a limit that counts ioeventfds, a count that is one too small
 * or too big, a list that is not sorted any more.
 */

#include "ioeventfd.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(bus_limits_test,
	.needs = { .timeout = 60 },
	.fixes = FIXES("6ea34c9b78c1 kvm: exclude ioeventfd from counting kvm_io_range limit"));

#define GAP		0xe0000000UL
#define GAP_PAGES	8

/* ---- guest ---- */

static struct {
	gva_t gva;
	uint32_t value;
} guest_order;

static void guest_stores(void)
{
	for (;;) {
		guest_write32(guest_order.gva, guest_order.value);
		GUEST_SYNC(0);
	}
}

/* ---- host ---- */

struct bus {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	gva_t gap;
	struct kvm_coalesced_mmio_ring *ring;
};

static void bus_init(struct bus *b)
{
	long page = kvm_check_cap(KVM_CAP_COALESCED_MMIO);

	b->vm = vm_create_with_one_vcpu(&b->vcpu, guest_stores);
	b->gap = vm_map_gpa(b->vm, GAP, GAP_PAGES * PAGE_SIZE);
	b->ring = (void *)((char *)b->vcpu->run + page * PAGE_SIZE);
}

static void store(struct bus *b, gpa_t gpa, uint32_t value, bool exits)
{
	test_step("write of 4 bytes at gpa 0x%lx, data 0x%x", gpa, value);
	guest_order.gva = b->gap + (gpa - GAP);
	guest_order.value = value;
	sync_global_to_guest(b->vm, guest_order);
	if (exits)
		vcpu_expect_mmio_write(b->vcpu, gpa, 4, value);
	vcpu_expect_sync(b->vcpu, 0);
}

/* 0 to @nr - 1, in an order that nobody can guess. */
static void shuffle(unsigned int *order, unsigned int nr)
{
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		j = test_random() % (i + 1);
		order[i] = order[j];
		order[j] = i;
	}
}

/* ---- ioeventfds ---- */

#define NR_MANY		1100	/* more than there may be of other devices */
#define NR_FDS		5

static gpa_t many_gpa(unsigned int i)
{
	return GAP + 8 * i;
}

/* The write signals that eventfd, once, and none else. */
static void expect_signal(struct bus *b, const int *fds, unsigned int i, bool there)
{
	unsigned int fd;

	store(b, many_gpa(i), i, !there);
	for (fd = 0; fd < NR_FDS; fd++) {
		uint64_t want = there && fd == i % NR_FDS, got = eventfd_signals(fds[fd]);

		TEST_ASSERT(got == want,
			    "a write to gpa 0x%lx, whose eventfd is number %u and %s, signals number %u %lu times, want %lu",
			    many_gpa(i), i % NR_FDS, there ? "there" : "gone", fd, got, want);
	}
}

KVM_TEST(more_ioeventfds_than_devices, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_IOEVENTFD)))
{
	static unsigned int order[NR_MANY];
	static bool there[NR_MANY];
	int fds[NR_FDS];
	unsigned int i, j;
	struct bus b;

	bus_init(&b);
	for (i = 0; i < NR_FDS; i++)
		fds[i] = new_eventfd();
	shuffle(order, NR_MANY);
	breadcrumb("%u ioeventfds", NR_MANY);
	for (i = 0; i < NR_MANY; i++) {
		j = order[i];
		TEST_ASSERT_ORACLE(ORACLE_ERRNO,
				   !__vm_ioeventfd(b.vm, fds[j % NR_FDS], many_gpa(j), 4, 0, 0),
				   "ioeventfd number %u of one bus: errno %d (%s)", i + 1,
				   errno, strerror(errno));
		there[j] = true;
	}
	for (i = 0; i < NR_MANY; i += 13)
		expect_signal(&b, fds, order[i], true);
	breadcrumb("some of %u ioeventfds go", NR_MANY);
	for (i = 0; i < NR_MANY; i += 8) {
		j = order[i];
		vm_ioeventfd(b.vm, fds[j % NR_FDS], many_gpa(j), 4, 0,
			     KVM_IOEVENTFD_FLAG_DEASSIGN);
		there[j] = false;
	}
	for (i = 0; i < NR_MANY; i += 7)
		expect_signal(&b, fds, i, there[i]);
	kvm_vm_free(b.vm);
	for (i = 0; i < NR_FDS; i++)
		close(fds[i]);
}

/* ---- coalesced zones ---- */

#define MAX_DEVICES	1000
#define KVMS_DEVICES	8	/* its own, at most */

static int zone(struct bus *b, unsigned long cmd, unsigned int i)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = many_gpa(i), .size = 4 };

	return __vm_ioctl(b->vm, cmd, &zone);
}

static void expect_coalesced(struct bus *b, unsigned int i, bool there)
{
	struct kvm_coalesced_mmio *e = &b->ring->coalesced_mmio[b->ring->first];

	store(b, many_gpa(i), i, !there);
	TEST_ASSERT((b->ring->first != b->ring->last) == there,
		    "the zone at gpa 0x%lx is %s, and the ring has entries %u to %u", many_gpa(i),
		    there ? "there" : "gone", b->ring->first, b->ring->last);
	TEST_ASSERT(!there || (e->phys_addr == many_gpa(i) && *(uint32_t *)e->data == i),
		    "ring entry: gpa 0x%llx data 0x%x, want gpa 0x%lx data 0x%x", e->phys_addr,
		    *(uint32_t *)e->data, many_gpa(i), i);
	b->ring->first = b->ring->last;
}

KVM_TEST(zones_up_to_the_limit, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_COALESCED_MMIO)))
{
	static unsigned int order[MAX_DEVICES + 1];
	static bool there[MAX_DEVICES + 1];
	unsigned int i, nr, round;
	struct bus b;

	bus_init(&b);
	shuffle(order, MAX_DEVICES + 1);
	for (round = 0; round < 2; round++) {
		breadcrumb("as many coalesced zones as there may be, round %u", round);
		for (nr = 0; nr <= MAX_DEVICES; nr++) {
			if (!there[order[nr]] &&
			    zone(&b, KVM_REGISTER_COALESCED_MMIO, order[nr]))
				break;
			there[order[nr]] = true;
		}
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, errno == ENOSPC && nr <= MAX_DEVICES &&
				   nr >= MAX_DEVICES - KVMS_DEVICES,
				   "a bus takes %u coalesced zones (errno %d, %s), want about %u, and ENOSPC",
				   nr, errno, strerror(errno), MAX_DEVICES);
		for (i = 0; i <= MAX_DEVICES; i += 11)
			expect_coalesced(&b, i, there[i]);
		for (i = round; i < nr; i += 5) {
			__assert_ioctl(zone(&b, KVM_UNREGISTER_COALESCED_MMIO, order[i]),
				       KVM_UNREGISTER_COALESCED_MMIO);
			there[order[i]] = false;
		}
		for (i = 0; i <= MAX_DEVICES; i += 7)
			expect_coalesced(&b, i, there[i]);
	}
	kvm_vm_free(b.vm);
}

KVM_TEST_MAIN()
