// SPDX-License-Identifier: GPL-2.0-only
// A function that returns nothing does nothing.

@r@
identifier f;
position p;
@@
  void f@p(...) { ... }

// one place

@@
identifier f;
position r.p;
@@
  void f@p(...) {
+ return;
  ...
  }
