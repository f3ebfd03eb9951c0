"""Copies an ELF executable so that it names a dynamic loader and a library folder of its own.

    own_loader.py EXECUTABLE COPY LOADER LIBRARIES

Nothing in the file moves (tools that grow the dynamic section broke Debian's fixed-address interpreters): the new
loader's path is appended to the file, the old path's place holds the library folder, and a spare entry of the dynamic
section becomes DT_RPATH. LIBRARIES must therefore be short, such as `$ORIGIN/../l`.
"""

import struct
import sys

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_STRTAB, DT_RPATH = 0, 5, 15


def main(executable, copy, loader, libraries):
    with open(executable, "rb") as file:
        image = bytearray(file.read())
    headers_at, header_size, header_count = (
        struct.unpack_from("<Q", image, 32)[0],
        *struct.unpack_from("<HH", image, 54),
    )
    segments = {}
    for index in range(header_count):
        at = headers_at + index * header_size
        kind, _flags, offset, address, _physical, size = struct.unpack_from("<IIQQQQ", image, at)
        segments.setdefault(kind, (at, offset, address, size))

    header_at, offset, address, size = segments[PT_INTERP]
    run_path = libraries.encode() + b"\0"
    if len(run_path) > size:
        sys.exit(f"{libraries!r} does not fit into the {size} bytes of the old loader's path")
    image[offset : offset + len(run_path)] = run_path
    path = loader.encode() + b"\0"
    struct.pack_into("<Q", image, header_at + 8, len(image))
    struct.pack_into("<QQ", image, header_at + 32, len(path), len(path))
    image += path

    _, offset, _, size = segments[PT_DYNAMIC]
    entries = [(at, *struct.unpack_from("<QQ", image, at)) for at in range(offset, offset + size, 16)]
    strings = next(value for _, tag, value in entries if tag == DT_STRTAB)
    spare = [at for at, tag, _ in entries if tag == DT_NULL]
    if len(spare) < 2:
        sys.exit("the dynamic section has no spare entry")
    struct.pack_into("<QQ", image, spare[0], DT_RPATH, (address - strings) % 2**64)

    with open(copy, "wb") as file:
        file.write(image)


main(*sys.argv[1:])
