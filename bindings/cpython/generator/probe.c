/* Prints a place in `Layout` and a number on each line. `layout.py` puts the lines where it says so; a line that a
   release's headers cannot compile is left out. */

#define Py_BUILD_CORE 1
#define NEEDS_PY_IDENTIFIER 1
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdio.h>
#include <structmember.h>

#if __has_include("internal/pycore_runtime.h")
#include "internal/pycore_runtime.h"
#endif
#if __has_include("internal/pycore_interp.h")
#include "internal/pycore_interp.h"
#endif
#if __has_include("internal/pycore_pystate.h")
#include "internal/pycore_pystate.h"
#endif
#if __has_include("internal/pycore_tstate.h")
#include "internal/pycore_tstate.h"
#endif
#if __has_include("internal/pycore_gc.h")
#include "internal/pycore_gc.h"
#endif
#if __has_include("internal/pycore_dict.h")
#include "internal/pycore_dict.h"
#endif
#if __has_include("internal/pycore_code.h")
#include "internal/pycore_code.h"
#endif
#if __has_include("internal/pycore_frame.h")
#include "internal/pycore_frame.h"
#endif
#if __has_include("internal/pycore_genobject.h")
#include "internal/pycore_genobject.h"
#endif
#if __has_include("internal/pycore_moduleobject.h")
#include "internal/pycore_moduleobject.h"
#endif
#if __has_include("internal/pycore_hashtable.h")
#include "internal/pycore_hashtable.h"
#endif
#if __has_include("internal/pycore_pymem.h")
#include "internal/pycore_pymem.h"
#endif
#if __has_include("internal/pycore_obmalloc.h")
#include "internal/pycore_obmalloc.h"
#endif
#if __has_include("internal/pycore_typeobject.h")
#include "internal/pycore_typeobject.h"
#endif
#if __has_include("internal/pycore_descrobject.h")
#include "internal/pycore_descrobject.h"
#endif

static const struct {
    const char *place;
    long number;
} lines[] = {
    /* LINES */
};

int main(void)
{
    for (size_t index = 0; index < sizeof lines / sizeof lines[0]; index++) {
        printf("%s %ld\n", lines[index].place, lines[index].number);
    }
    return 0;
}
