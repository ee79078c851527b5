// SPDX-License-Identifier: GPL-2.0-only
// A range of pages is one too long or too short.

@r@
expression a, b;
position p;
@@
(
  a@p < b
|
  a@p <= b
|
  a@p > b
|
  a@p >= b
)

@script:python@
a << r.a;
b << r.b;
@@
import re
if not re.search("gfn|npages|pages|start|end|hva", a + " " + b):
	cocci.include_match(False)

// one place

@@
expression a, b;
position r.p;
@@
(
- a@p < b
+ a <= b
|
- a@p <= b
+ a < b
|
- a@p > b
+ a >= b
|
- a@p >= b
+ a > b
)
