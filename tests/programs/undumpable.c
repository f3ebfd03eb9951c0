/* Makes itself unreadable for others of its user, and waits. */

#include <stdio.h>
#include <sys/prctl.h>

int main(void)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return 1;
    puts("ready");
    fflush(stdout);
    return getchar() == EOF ? 0 : 1;
}
