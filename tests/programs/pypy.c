/* Exports what every PyPy exports, and waits. */

#include <stdio.h>

int pypy_main_startup(void) { return 0; }

int main(void)
{
    puts("ready");
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
