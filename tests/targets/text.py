"""Text in every form that CPython keeps it in."""

import ctypes
import sys

import truth


class Name(str):
    """Not tracked and made nowhere else."""

    __slots__ = ()


ASCII = ["ascii %d" % number for number in range(5000)]
LATIN = ["latin \xe9\xff %d" % number for number in range(5000)]
WIDE = ["greek \u03b1\u20ac %d" % number for number in range(5000)]
WIDEST = ["clef \U0001d11e %d" % number for number in range(5000)]
LENGTHS = [character * length for character in "a\xe9\u20ac\U0001d11e" for length in range(0, 300, 7)]
LONG = ["x" * 1000003, "\xe9" * 1000003, "\u20ac" * 100003, "\U0001d11e" * 100003]
INTERNED = [sys.intern("interned name %d" % number) for number in range(1000)]
SURROGATES = ["\ud800 lone", "\udcff" * 3]
NULS = ["\0", "a\0b", "\0" * 100]
NAMES = [Name("name %d" % number) for number in range(1000)] + [Name("\u20ac"), Name("")]
SINGLE = [chr(code) for code in range(0x2000)]

# Text that remembers its UTF-8 form.
as_utf8 = ctypes.pythonapi.PyUnicode_AsUTF8
as_utf8.restype = ctypes.c_char_p
as_utf8.argtypes = [ctypes.py_object]
CACHED = ["cached \u20ac %d" % number for number in range(1000)] + ["caf\xe9 %d" % number for number in range(1000)]
CACHED += ["\U0001d11e %d" % number for number in range(100)]
for text in CACHED:
    as_utf8(text)

# Up to 3.11: text made without its final form, text that remembers its wchar_t form, and text made ready later.
LEGACY = []
if sys.version_info < (3, 12):
    from_unicode = ctypes.pythonapi.PyUnicode_FromUnicode
    from_unicode.restype = ctypes.py_object
    from_unicode.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t]
    as_unicode = ctypes.pythonapi.PyUnicode_AsUnicode
    as_unicode.restype = ctypes.c_void_p
    as_unicode.argtypes = [ctypes.py_object]
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for length in range(1, 50):
            LEGACY.append(from_unicode(None, length))  # not ready: only a wchar_t buffer
        for number in range(100):
            for text in ("wide ascii %d" % number, "wide \u20ac %d" % number, "wide \U0001d11e %d" % number):
                as_unicode(text)
                LEGACY.append(text)

if __name__ == "__main__":
    truth.hold()
