// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests cannot call libc's versions: those are picked at start-up for the
 * host's CPU and use vector registers. These replace them for both sides.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Eight bytes a step: an emulated CPU takes as long for one byte, and each VM's
 * image has a million of them.
 */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n >= sizeof(word); n -= sizeof(word)) {
		if (*(const word *)x != *(const word *)y)
			break;
		x += sizeof(word);
		y += sizeof(word);
	}
	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	size_t words = n / sizeof(word), bytes = n % sizeof(word);
	void *d = dst;

	asm volatile("rep movsq\n\t"
		     "mov %[bytes], %[words]\n\t"
		     "rep movsb"
		     : "+D"(d), "+S"(src), [words] "+c"(words)
		     : [bytes] "r"(bytes) : "memory");
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	size_t words = n / sizeof(word), bytes = n % sizeof(word);
	void *d = dst;

	asm volatile("rep stosq\n\t"
		     "mov %[bytes], %[words]\n\t"
		     "rep stosb"
		     : "+D"(d), [words] "+c"(words)
		     : "a"((uint8_t)c * 0x0101010101010101ULL), [bytes] "r"(bytes)
		     : "memory");
	return dst;
}
