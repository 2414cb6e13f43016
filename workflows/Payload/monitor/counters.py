"""Knot's own counters (mod-stats), which miss nothing."""

import ipaddress
import os
import socket
from collections import Counter

import libknot.control

# A question that Knot refuses (opcode STATUS) and its counters do not take for a query.
KNOCK = b"\0\1" + bytes([2 << 3, 0]) + b"\0\1\0\0\0\0\0\0" + b"\0\0\6\0\1"


class Counters:
    def __init__(self, path="/run/knot/knot.sock"):
        self.path = path

    def knot(self):
        """Which start of Knot is there, or None: Knot makes a new socket at each start."""
        try:
            made = os.stat(self.path)
        except FileNotFoundError:
            return None
        return [made.st_ino, made.st_mtime_ns]

    def read(self):
        """{"knot": which start of Knot, "queries": n, "responses": {code: n}}, or an exception where Knot does not answer."""
        knot = self.knot()
        stats = self.ask(lambda control: control.receive_stats(), cmd="stats", section="mod-stats").get("mod-stats", {})
        return {"knot": knot, "queries": stats.get("server-operation", {}).get("query", 0), "responses": stats.get("response-code", {})}

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
        return Counter(NOTIMPL=1)

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


def grown(before, now):
    """What was counted between two readings. Counters start at nought with Knot, and when its configuration is loaded again."""
    if before["knot"] == now["knot"] and before["queries"] is None:
        return 0, {}
    fresh = before["knot"] != now["knot"] or now["queries"] < before["queries"] or any(
        now["responses"].get(code, 0) < count for code, count in before["responses"].items())
    base = {"queries": 0, "responses": {}} if fresh else before
    responses = {code: count - base["responses"].get(code, 0) for code, count in now["responses"].items()}
    return now["queries"] - base["queries"], {code: count for code, count in responses.items() if count}
