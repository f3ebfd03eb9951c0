/* Has the symbols of an interpreter and nothing of its inside; prints where they are, then waits. */

#include <stdio.h>

#ifdef SECTION
__attribute__((section(SECTION)))
#endif
char _PyRuntime[672] = {1};
const unsigned long Py_Version = 0x030c01f0;
int Py_FinalizeEx(void) { return 0; }

int main(void)
{
    printf("%p %p %p\n", (void *)_PyRuntime, (void *)&Py_Version, (void *)Py_FinalizeEx);
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
