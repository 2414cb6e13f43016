"""What an ELF file loads at start: its interpreter and its DT_NEEDED names (what ldd shows, one level deep)."""

import struct

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_STRTAB = 1, 5


def needs(data):
    if data[:6] != b"\x7fELF\x02\x01":  # only 64 bit, little endian: amd64 and arm64
        return None, []
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    interpreter = next((text(data, h[2]) for h in headers if h[0] == PT_INTERP), None)
    dynamic = next((h for h in headers if h[0] == PT_DYNAMIC), None)
    if dynamic is None:
        return interpreter, []

    tags = [struct.unpack_from("<qQ", data, at) for at in range(dynamic[2], dynamic[2] + dynamic[5], 16)]
    strings = next(value for tag, value in tags if tag == DT_STRTAB)
    load = next(h for h in headers if h[0] == PT_LOAD and h[3] <= strings < h[3] + h[5])
    start = strings - load[3] + load[2]
    return interpreter, [text(data, start + value) for tag, value in tags if tag == DT_NEEDED]


def text(data, start):
    return data[start:data.index(b"\0", start)].decode()
