// SPDX-License-Identifier: GPL-2.0-only
// A flush, a zap or the like is forgotten.

@r@
identifier f =~ "flush|zap|invalidate|unsync|reload|commit";
expression list es;
position p;
@@
  f@p(es);

// one place

@@
identifier f;
expression list es;
position r.p;
@@
- f@p(es);
+ ;
