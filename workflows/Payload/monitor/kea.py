"""Kea's own counters and the use of its subnets, as its control socket tells them."""

import json
import re
import socket

from counters import started

ANSWER_BYTES = 8 << 20   # some two thousand subnets; read, they take ten times as much of our memory
MOST_SUBNETS = 2000
OF_SUBNET = re.compile(r"subnet\[(\d+)\]\.(total|assigned|declined)-addresses")
COUNTERS = {"v4-allocation-fail": "allocation-failed", "reclaimed-leases": "lease-reclaimed"}


class Kea:
    def __init__(self, path="/run/kea/kea4.sock"):
        self.path, self.prefixes, self.loaded = path, {}, None

    def started(self):
        return started(self.path)

    def read(self):
        """({"start": which start of Kea, "counts": {what: n}}, [use of a subnet]), or an exception where Kea does not answer."""
        start = self.started()
        values = {name: told[0][0] for name, told in self.ask("statistic-get-all").items() if told}
        counts = {name[5:]: n for name, n in values.items() if name.startswith("pkt4-")}
        counts.update((ours, values[theirs]) for theirs, ours in COUNTERS.items() if theirs in values)
        return {"start": start, "counts": counts}, self.subnets(values, start)

    def subnets(self, values, start):
        """The fullest ones, where there are more than anybody could send."""
        found = {}
        for name, value in values.items():
            match = OF_SUBNET.fullmatch(name)
            if match:
                found.setdefault(int(match.group(1)), {})[match.group(2)] = value
        prefixes = self.names(start, set(found))
        used = [dict(use, subnet=prefixes[number]) for number, use in found.items() if len(use) == 3 and number in prefixes]
        used.sort(key=lambda use: use["assigned"] / (use["total"] or 1), reverse=True)
        return used[:MOST_SUBNETS]

    def names(self, start, numbers):
        """Prefixes by Kea's numbers for them, which a new configuration may give to others."""
        status = self.ask("status-get")
        loaded = [start, status["uptime"] - status["reload"]]  # seconds after its start
        if self.loaded is None or loaded[0] != self.loaded[0] or abs(loaded[1] - self.loaded[1]) > 2 or not numbers <= set(self.prefixes):
            config = self.ask("config-get")["Dhcp4"]
            lists = [config.get("subnet4", [])] + [network.get("subnet4", []) for network in config.get("shared-networks", [])]
            self.prefixes, self.loaded = {subnet["id"]: subnet["subnet"] for some in lists for subnet in some}, loaded
        return self.prefixes

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as kea:
            kea.settimeout(5)
            kea.connect(self.path)
            kea.sendall(json.dumps({"command": command}).encode())
            kea.shutdown(socket.SHUT_WR)
            parts, size = [], 0
            while True:
                part = kea.recv(65536)
                if not part:
                    break
                size += len(part)
                if size > ANSWER_BYTES:
                    raise ValueError("the answer to %s is longer than %d bytes: it serves more subnets than can be followed" % (command, ANSWER_BYTES))
                parts.append(part)
        answer = json.loads(b"".join(parts).decode())
        if answer["result"]:
            raise ValueError("Kea answers %s with: %s" % (command, answer.get("text")))
        return answer.get("arguments", {})
