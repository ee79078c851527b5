// SPDX-License-Identifier: GPL-2.0-only
// Two arguments of one type change places.

@r@
identifier f !~ "printk|^pr_|^trace_|WARN";
type T;
T a, b;
expression list before, behind;
position p;
@@
  f@p(before, a, b, behind)

@script:python@
a << r.a;
b << r.b;
@@
if a == b:
	cocci.include_match(False)

// one place

@@
identifier f;
type r.T;
T r.a, r.b;
expression list before, behind;
position r.p;
@@
  f@p(before,
- a, b
+ b, a
  , behind)
