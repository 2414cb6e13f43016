"""Many hosts' spools in one process: the agent's and the monitor's own way to deliver, with records whose sums are known.

    spools.py MONITOR_FOLDER SETTINGS.json     settings: api, caFile, folder, tokens, seconds, steps: [[from, to, seconds by which the hosts' clocks are wrong], ...]

Says each second that passes, then waits until everything is delivered and tells the sums.
"""

import importlib.util
import json
import os
import sys
import time

with open(sys.argv[2]) as file:
    settings = json.load(file)
module = importlib.util.spec_from_file_location("delivery", os.path.join(sys.argv[1], "delivery.py"))
delivery = importlib.util.module_from_spec(module)
module.loader.exec_module(delivery)
started = time.monotonic()


class Clock:
    """The hosts' clock, which somebody sets."""
    ahead = 0.0
    monotonic, gmtime, strftime = staticmethod(time.monotonic), staticmethod(time.gmtime), staticmethod(time.strftime)

    @staticmethod
    def time():
        return time.time() + Clock.ahead


delivery.time = Clock


def log(text):
    print(text, file=sys.stderr, flush=True)


class Host:
    def __init__(self, number, token):
        folder = os.path.join(settings["folder"], str(number))
        product = delivery.Product({"api": settings["api"], "token": token, "caFile": settings["caFile"]}, timeout=3)
        self.ways = [(delivery.Spool(os.path.join(folder, name), 8 << 20, log), product, path, name)
                     for name, path in (("beats", "/api/v2/monitoring/heartbeats"), ("samples", "/api/v2/monitoring/dns"))]
        self.number, self.beats, self.processes, self.queries = number, 0, 0, 0

    def tick(self, second):
        now, count = Clock.time(), 1 + (7 * self.number + second) % 13
        self.ways[0][0].append({"sentAt": delivery.utc(now), "agentVersion": "2", "processes": count})
        self.ways[1][0].append({"from": delivery.utc(now - 1), "to": delivery.utc(now), "queries": count, "named": count, "other": 0, "responses": {"NOERROR": count}, "connected": True,
                                "names": [{"zone": "example.org.", "name": "www.example.org.", "type": "AAAA", "count": count, "last": delivery.utc(now)}]})
        self.beats, self.processes, self.queries = self.beats + 1, self.processes + count, self.queries + count

    def deliver(self):
        """True when nothing waits any more."""
        try:
            return all([delivery.deliver(spool, product, path, name, time.monotonic() + 5, log, lambda answer: None) for spool, product, path, name in self.ways])
        except delivery.Undelivered:
            return False


hosts = [Host(number, token) for number, token in enumerate(settings["tokens"])]
for second in range(settings["seconds"]):
    Clock.ahead = sum(ahead for start, end, ahead in settings["steps"] if start <= second < end)
    for host in hosts:
        host.tick(second)
    for host in hosts:
        if not host.deliver():
            break  # it is the same product for all: the next second tries again
    print(second + 1, flush=True)
    time.sleep(max(0.0, started + second + 1 - time.monotonic()))
Clock.ahead = 0.0
deadline = time.monotonic() + 120
while not all([host.deliver() for host in hosts]):
    if time.monotonic() > deadline:
        raise SystemExit("not everything could be delivered")
    time.sleep(0.5)
print(json.dumps([[host.beats, host.processes, host.queries] for host in hosts]), flush=True)
