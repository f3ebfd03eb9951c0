/* A C program that loads a Python library when it runs: loading LIBRARY CODE. */

#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **words)
{
    void *library = count > 2 ? dlopen(words[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    ((void (*)(void))dlsym(library, "Py_Initialize"))();
    return ((int (*)(const char *))dlsym(library, "PyRun_SimpleString"))(words[2]);
}
