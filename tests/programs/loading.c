/* A C program that loads a Python library when it runs: loading LIBRARY CODE.
   With no code it stands there with the interpreter loaded and not started. */

#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **words)
{
    void *library = count > 1 ? dlopen(words[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    if (count == 2) {
        puts("ready");
        fflush(stdout);
        return getchar();
    }
    ((void (*)(void))dlsym(library, "Py_Initialize"))();
    return ((int (*)(const char *))dlsym(library, "PyRun_SimpleString"))(words[2]);
}
