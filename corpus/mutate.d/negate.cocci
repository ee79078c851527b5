// SPDX-License-Identifier: GPL-2.0-only
// A condition is the wrong way round.

@r@
expression e;
statement s;
position p;
@@
  if@p (e) s

// one place

@@
expression e;
statement s;
position r.p;
@@
  if@p (
- e
+ !(e)
  ) s
