"""What Knot writes into its dnstap socket: Frame Streams around protobuf, of which a question and its time are read."""

import struct

CONTENT_TYPE = b"protobuf:dnstap.Dnstap"
ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5
LARGEST_FRAME = 128 * 1024  # a DNS message is at most 64 KiB
AUTH_QUERY = 1
OPCODE_QUERY = 0


class BadStream(Exception):
    pass


def control(kind):
    body = struct.pack("!I", kind)
    if kind in (ACCEPT, READY):
        body += struct.pack("!II", 1, len(CONTENT_TYPE)) + CONTENT_TYPE
    return struct.pack("!II", 0, len(body)) + body


def frames(connection):
    """The data frames of one connection, in lists of what arrived together. Yields [] once the sender has started."""
    buffer, at, started = bytearray(), 0, False
    while True:
        part = connection.recv(262144)
        if not part:
            return
        buffer += part
        at, found = 0, []
        while len(buffer) - at >= 4:
            length = int.from_bytes(buffer[at:at + 4], "big")
            if length > LARGEST_FRAME:
                raise BadStream("a frame of %d bytes" % length)
            if length:
                if len(buffer) - at - 4 < length:
                    break
                found.append(bytes(buffer[at + 4:at + 4 + length]))
                at += 4 + length
                continue
            if len(buffer) - at < 8:
                break
            length = int.from_bytes(buffer[at + 4:at + 8], "big")
            if not 4 <= length <= 4096:
                raise BadStream("a control frame of %d bytes" % length)
            if len(buffer) - at - 8 < length:
                break
            kind = int.from_bytes(buffer[at + 8:at + 12], "big")
            at += 8 + length
            if kind == READY:
                connection.sendall(control(ACCEPT))
            elif kind == START:
                started = True
                yield []
            elif kind == STOP:
                if found:
                    yield found
                connection.sendall(control(FINISH))
                return
        if found and not started:
            raise BadStream("data before START")
        del buffer[:at]
        if found:
            yield found


def fields(data):
    """(number, value) of a protobuf message: whole numbers, or bytes; raises IndexError or BadStream on nonsense."""
    at, end = 0, len(data)
    while at < end:
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            length, at = varint(data, at)
            value = data[at:at + length]
            at += length
        elif kind == 5:
            value, at = int.from_bytes(data[at:at + 4], "little"), at + 4
        elif kind == 1:
            value, at = int.from_bytes(data[at:at + 8], "little"), at + 8
        else:
            raise BadStream("protobuf type %d" % kind)
        if at > end:
            raise BadStream("a field longer than its message")
        yield key >> 3, value


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise BadStream("a number of more than 64 bits")


def question(frame):
    """(name in wire form and lower case + type, seconds) of a query, or None for anything else."""
    message = next((value for number, value in fields(frame) if number == 14), None)
    if message is None:
        return None
    kind = seconds = nanoseconds = 0
    query = None
    for number, value in fields(message):
        if number == 1:
            kind = value
        elif number == 8:
            seconds = value
        elif number == 9:
            nanoseconds = value
        elif number == 10:
            query = value
    if kind != AUTH_QUERY or query is None or len(query) < 17 or (query[2] >> 3) & 15 != OPCODE_QUERY or not query[5] | query[4]:
        return None
    at = 12
    while query[at]:
        if query[at] > 63:
            return None
        at += 1 + query[at]
    if at + 3 > len(query) or at > 12 + 254:
        return None
    # Lengths are below 64, so that lower() touches letters only.
    return query[12:at + 1].lower() + query[at + 1:at + 3], seconds + nanoseconds / 1e9
