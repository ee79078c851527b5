// SPDX-License-Identifier: GPL-2.0-only
// A page of another size is meant.

@r@
identifier f;
position p;
@@
(
  f(..., level@p, ...)
|
  f(..., PG_LEVEL_4K@p, ...)
)

// one place

@@
identifier f;
position r.p;
@@
(
  f(...,
- level@p
+ level + 1
  , ...)
|
  f(...,
- PG_LEVEL_4K@p
+ PG_LEVEL_2M
  , ...)
)
