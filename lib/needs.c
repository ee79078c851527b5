// SPDX-License-Identifier: GPL-2.0-only
/* What a test needs of the host, checked before it starts. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "test_internal.h"

static void __printf(3, 4) add_reason(char *reason, size_t size, const char *fmt, ...)
{
	size_t used = strlen(reason);
	va_list ap;

	if (used)
		used += snprintf(reason + used, size - used, "; ");
	if (used >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(reason + used, size - used, fmt, ap);
	va_end(ap);
}

bool kvm_host_usable(char *reason, size_t size)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	reason[0] = 0;
	if (fd < 0) {
		if (errno == EACCES)
			add_reason(reason, size,
				   "/dev/kvm: permission denied; run as root or as a member of group kvm");
		else
			add_reason(reason, size,
				   "/dev/kvm: %s; load kvm_amd or kvm_intel, or use the lab",
				   strerror(errno));
		return false;
	}
	close(fd);
	if (!kvm_vendor_module()) {
		add_reason(reason, size,
			   "/dev/kvm is neither kvm_amd's nor kvm_intel's; use the lab");
		return false;
	}
	return true;
}

bool kernel_at_least(unsigned int major, unsigned int minor)
{
	unsigned int a = 0, b = 0;
	struct utsname u;

	TEST_ERROR_ON(uname(&u) || sscanf(u.release, "%u.%u", &a, &b) != 2,
		      "cannot tell the kernel's version");
	return a > major || (a == major && b >= minor);
}

static void need_huge(char *reason, size_t size, size_t page, unsigned int want)
{
	char lacks[HUGETLB_REASON_SIZE];

	if (hugetlb_lacks(lacks, page, want))
		add_reason(reason, size, "%s", lacks);
}

static unsigned long available_mb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long kb = 0;
	char line[128];

	if (!f)
		return ~0UL;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemAvailable: %lu", &kb) == 1)
			break;
	}
	fclose(f);
	return kb / 1024;
}

bool kvm_needs_met(const struct kvm_needs *needs, char *reason, size_t size)
{
	const struct kvm_need_cap *cap;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	reason[0] = 0;
	for (cap = needs->caps; cap && cap->name; cap++) {
		if (!kvm_has_cap(cap->cap))
			add_reason(reason, size, "needs %s, which this kernel lacks",
				   cap->name);
	}
	if (needs->huge_2m)
		need_huge(reason, size, SZ_2M, needs->huge_2m);
	if (needs->huge_1g)
		need_huge(reason, size, SZ_1G, needs->huge_1g);
	if (needs->cpus > cpus)
		add_reason(reason, size, "needs %u CPUs, the host has %ld",
			   needs->cpus, cpus);
	if (needs->mem_mb && available_mb() < needs->mem_mb)
		add_reason(reason, size, "needs %u MB of free memory, %lu are",
			   needs->mem_mb, available_mb());
	if (needs->thp && !thp_configured())
		add_reason(reason, size,
			   "needs transparent huge pages: write madvise to /sys/kernel/mm/transparent_hugepage/enabled");
	if (needs->privileged && geteuid())
		add_reason(reason, size, "needs root");
	return !reason[0];
}
