// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserved bits of page table entries, in each of the CPU's paging modes: what is read
 * as an address or for software's use in one mode must be 0 in another. An entry that
 * has one of them set leads nowhere but to a #PF with the reserved bit in its error
 * code, whether it was good and in use before or nothing has been seen of it; and once
 * it is good again it counts at once, for there is nothing to flush. Bits that are
 * software's change nothing.
 *
 * What breaks it: the reserved bits of another mode; shadow paging that makes an entry
 * ahead of time, or keeps one when the guest flushes, without a look at these bits.
 *
 * maxphyaddr_test has the bits of long mode that are reserved by the guest's CPUID,
 * for accesses of every kind; guest_modes_test has PDPTEs of PAE.
 */
#include "guest_modes.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(reserved_bits_test);

#define WINDOW_PAGE	3	/* not the first one of those that are mapped together */

enum { LEAF, TABLE, LARGE, PDPTE, PML4E, PML5E, NR_ENTRIES };

static const char *const entry_names[NR_ENTRIES] = {
	"a PTE", "a PDE of a table", "a PDE of a large page", "a PDPTE", "a PML4E",
	"a PML5E",
};

FIXTURE_VARIANT(mode) {
	enum cpu_mode mode;
	/* SDM vol. 3 section 4.3 to 4.5; those from MAXPHYADDR on, too, but in 32-bit mode. */
	uint64_t reserved[NR_ENTRIES];
	/* Software's. With TDP, a CPU that wants a zero there is its own master. */
	uint64_t ignored[NR_ENTRIES];
};
KVM_FIXTURE(mode)

#define BITS(from, to)	((BIT_ULL((to) - (from) + 1) - 1) << (from))
#define PAE_BITS	BITS(52, 62)
#define LEAF_BITS	BITS(9, 11)
/* Where a leaf has D and G. */
#define TABLE_BITS	(BIT_ULL(6) | BITS(8, 11))
#define LONG_BITS	BITS(52, 62)	/* or protection keys, without CR4.PKE */

FIXTURE_VARIANT_ADD(mode, 32bit) {
	.mode = MODE_32BIT, .reserved = { [LARGE] = BIT_ULL(21) },
	.ignored = { LEAF_BITS, TABLE_BITS, LEAF_BITS },
};
FIXTURE_VARIANT_ADD(mode, pae) {
	.mode = MODE_PAE,
	.reserved = { PAE_BITS, PAE_BITS, PAE_BITS | BITS(13, 20) },
	.ignored = { LEAF_BITS, TABLE_BITS, LEAF_BITS },
};
/* AMD's CPUs want G of a PML4E to be 0. */
#define LONG_IGNORED	LEAF_BITS | LONG_BITS, TABLE_BITS | LONG_BITS, LEAF_BITS | LONG_BITS, \
			TABLE_BITS | LONG_BITS, (TABLE_BITS & ~BIT_ULL(8)) | LONG_BITS
FIXTURE_VARIANT_ADD(mode, long) {
	.mode = MODE_LONG, .reserved = { [LARGE] = BITS(13, 20) },
	.ignored = { LONG_IGNORED },
};
FIXTURE_VARIANT_ADD(mode, la57) {
	.mode = MODE_LA57, .reserved = { [LARGE] = BITS(13, 20) },
	.ignored = { LONG_IGNORED, (TABLE_BITS & ~BIT_ULL(8)) | LONG_BITS },
};

static gpa_t entry_gpa(struct modes *m, unsigned int entry)
{
	const uint32_t addr = entry == LARGE ? MODES_LARGE : modes_window(WINDOW_PAGE);
	const gpa_t pdpte = m->root[MODE_PAE] + (addr >> 30) * 8;

	if (m->mode == MODE_32BIT)
		return entry == LEAF ? m->pt32[0] + (addr >> 12 & 1023) * 4 :
				       m->root[MODE_32BIT] + (addr >> 22) * 4;
	if (entry == LEAF)
		return m->pt[0][addr >> 21 & 1] + (addr >> 12 & 511) * 8;
	if (entry >= PML4E)
		return m->root[entry == PML4E ? MODE_LONG : MODE_LA57];
	if (entry == PDPTE)
		return (*(uint64_t *)addr_gpa2hva(m->vm, m->root[MODE_LONG]) &
			PHYSICAL_PAGE_MASK) + (addr >> 30) * 8;
	return (*(uint64_t *)addr_gpa2hva(m->vm, pdpte) & PHYSICAL_PAGE_MASK) +
	       (addr >> 21 & 511) * 8;
}

static void write_entry(struct modes *m, gpa_t gpa, uint64_t value, bool at_once)
{
	if (m->mode == MODE_32BIT)
		modes_write_entry32(m, gpa, value);
	else
		modes_write_entry64(m, gpa, value, at_once);
}

static uint64_t read_entry(struct modes *m, gpa_t gpa)
{
	const uint64_t *e = addr_gpa2hva(m->vm, gpa);

	return m->mode == MODE_32BIT ? *(const uint32_t *)e : *e;
}

/* KVM gives up all that it shadows, and begins with the entry's neighbours. */
static void renew_data_slot(struct modes *m)
{
	modes_set_data_slot(m, false);
	modes_set_data_slot(m, true);
}

static void try_reserved_bit(struct modes *m, unsigned int entry, unsigned int bit)
{
	const gpa_t gpa = entry_gpa(m, entry);
	const uint64_t good = read_entry(m, gpa);

	modes_check(m, "%s as it should be", entry_names[entry]);
	write_entry(m, gpa, good | BIT_ULL(bit), bit % 2);
	modes_flush(m);
	modes_run(m, "bit %u of %s", bit, entry_names[entry]);
	modes_check(m, "%s that was good has bit %u", entry_names[entry], bit);
	renew_data_slot(m);
	modes_check(m, "%s that was never seen has bit %u", entry_names[entry], bit);
	write_entry(m, gpa, good, !(bit % 2));
	modes_run(m, "%s without bit %u", entry_names[entry], bit);
	modes_check(m, "bit %u of %s was cleared, and nothing flushed", bit,
		    entry_names[entry]);
}

static void enter(struct modes *m, enum cpu_mode mode)
{
	if (mode == MODE_LA57)
		require_la57();
	__TEST_REQUIRE(cpu_mode_possible(mode),
		       "needs another host than QEMU's TCG, or kvm_amd.npt=0");
	modes_create(m);
	modes_switch(m, mode);
	modes_run(m, "enter %s", cpu_mode_name(mode));
}

KVM_TEST_F(mode, reserved_bits_fault)
{
	unsigned int entry, bit;
	struct modes m;
	uint64_t bits;

	enter(&m, variant->mode);
	for (entry = 0; entry <= LARGE; entry++) {
		bits = variant->reserved[entry];
		if (variant->mode != MODE_32BIT && m.vm->pa_bits < 52)
			bits |= BITS(m.vm->pa_bits, 51);
		breadcrumb("bits 0x%lx of %s in %s", bits, entry_names[entry],
			   cpu_mode_name(variant->mode));
		for (bit = 0; bit < 64; bit++) {
			if (bits & BIT_ULL(bit))
				try_reserved_bit(&m, entry, bit);
		}
	}
	modes_free(&m);
}

KVM_TEST_F(mode, other_bits_do_not)
{
	unsigned int entry;
	struct modes m;
	uint64_t bits;

	enter(&m, variant->mode);
	for (entry = 0; entry < NR_ENTRIES; entry++) {
		bits = variant->ignored[entry];
		if (!bits)
			continue;
		breadcrumb("bits 0x%lx of %s in %s", bits, entry_names[entry],
			   cpu_mode_name(variant->mode));
		write_entry(&m, entry_gpa(&m, entry), read_entry(&m, entry_gpa(&m, entry)) | bits,
			    true);
		modes_flush(&m);
		modes_run(&m, "bits 0x%lx of %s", bits, entry_names[entry]);
		modes_check(&m, "%s that was in use has bits 0x%lx", entry_names[entry], bits);
		renew_data_slot(&m);
		modes_check(&m, "%s that was never seen has bits 0x%lx", entry_names[entry], bits);
	}
	modes_free(&m);
}

KVM_TEST_MAIN()
