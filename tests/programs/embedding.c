/* A C program with a Python inside; refers to two of its variables, so that a non-PIE build holds copies of them. */

extern void Py_Initialize(void);
extern int PyRun_SimpleString(const char *);
extern struct { char bytes[16]; } _Py_NoneStruct;
extern struct { char bytes[400]; } PyType_Type;

int main(int count, char **words)
{
    /* Named in code, not in data: the linker then has to give them an address that is known before the start. */
    void *volatile referred[] = {&_Py_NoneStruct, &PyType_Type};
    Py_Initialize();
    return count > 1 && referred[0] ? PyRun_SimpleString(words[1]) : 1;
}
