// SPDX-License-Identifier: GPL-2.0-only
// Something is not counted.

@r@
identifier f =~ "_inc$|_dec$|account|_get$|_put$|^atomic64_|^update_";
expression list es;
expression e, n;
position p;
@@
(
  e++@p;
|
  e--@p;
|
  ++e@p;
|
  --e@p;
|
  e@p += n;
|
  e@p -= n;
|
  f@p(es);
)

// one place

@@
identifier f;
expression list es;
expression e, n;
position r.p;
@@
(
- e++@p;
+ ;
|
- e--@p;
+ ;
|
- ++e@p;
+ ;
|
- --e@p;
+ ;
|
- e@p += n;
+ ;
|
- e@p -= n;
+ ;
|
- f@p(es);
+ ;
)
