/* banned.h - calls that have cost others dearly, turned into compile errors.
 *
 * Use struct str and struct buf (base/str.h, base/buf.h), the parsers of base/units.h and the
 * calendar of base/when.h instead.
 */
#ifndef BANNED_H
#define BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros in a fortified C library; a poisoned macro is an error of its own. */
#undef alloca
#undef sprintf
#undef vsprintf
#undef strncat
#undef strcat
#undef strcpy
#pragma GCC poison strcpy strcat strncat sprintf vsprintf strtok atoi atol atoll
#pragma GCC poison strtod gmtime localtime gets alloca

#endif
