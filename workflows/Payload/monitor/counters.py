"""Knot's own counters (mod-stats), which miss nothing."""

import ipaddress
import os
import socket
from collections import Counter

import libknot.control

# A question that Knot refuses (opcode STATUS) and its counters do not take for a query.
KNOCK = b"\0\1" + bytes([2 << 3, 0]) + b"\0\1\0\0\0\0\0\0" + b"\0\0\6\0\1"

# Of mod-stats, and what the product calls them.
SECTIONS = {"response-code": "responses", "query-type": "types", "request-protocol": "transports"}


class Counters:
    def __init__(self, path="/run/knot/knot.sock"):
        self.path = path

    def started(self):
        return started(self.path)

    def read(self):
        """{"start": which start of Knot, "counts": {what: n}}, or an exception where Knot does not answer."""
        start = self.started()
        stats = self.ask(lambda control: control.receive_stats(), cmd="stats", section="mod-stats").get("mod-stats", {})
        counts = {"queries": stats.get("server-operation", {}).get("query", 0)}
        for section, ours in SECTIONS.items():
            counts.update((ours + " " + name, n) for name, n in stats.get(section, {}).items())
        return {"start": start, "counts": counts}

    def knock(self):
        """Knot notices that its collector has gone when it has a message for it, which is lost, and then comes back. Better lose ours."""
        listen = self.ask(lambda control: control.receive_block(), cmd="conf-read", section="server", item="listen")["server"]["listen"]
        host, port = listen[0].split("@")
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"
        with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as knot:
            knot.settimeout(2)
            knot.connect((host, int(port)))
            knot.send(KNOCK)
            knot.recv(512)
        return Counter({"responses NOTIMPL": 1, "transports udp%d" % address.version: 1})

    def ask(self, answer, **block):
        control = libknot.control.KnotCtl()
        control.set_timeout(5)
        control.connect(self.path)
        try:
            control.send_block(**block)
            answered = answer(control)
            control.send(libknot.control.KnotCtlType.END)
            return answered
        finally:
            control.close()


def started(path):
    """Which start of a server is there, or None: it makes a new socket each time."""
    try:
        made = os.stat(path)
    except FileNotFoundError:
        return None
    return [made.st_ino, made.st_mtime_ns]


def grown(before, now):
    """What was counted between two readings. Counters start at nought with their server, and Knot's when its configuration is loaded again."""
    if before["start"] == now["start"] and before["counts"] is None:
        return {}
    fresh = before["start"] != now["start"] or any(now["counts"].get(what, 0) < n for what, n in before["counts"].items())
    base = {} if fresh else before["counts"]
    growth = {what: n - base.get(what, 0) for what, n in now["counts"].items()}
    return {what: n for what, n in growth.items() if n}
