"""The agents and monitors of many hosts in one process, so that they fit on one machine: each with its own spool and socket, as on a host of its own. Whoever asks finds what half a minute brings:
a beat, and three samples with ten names each. What is known by hand lies in each home folder as `waiting`."""

import json
import os
import pwd
import signal
import sys
import time

sys.path.insert(0, "/opt")
import agent

SPOOLS = "/run/spools"  # in memory: hosts have disks of their own, and here all of them would wait for one


class Waiting(agent.Spool):
    def __init__(self, folder, records):
        agent.Spool.__init__(self, folder, 8 << 20, print)
        self.records = records

    def peek(self, most):
        if next(self.waiting(), None) is None:
            for record in self.records():
                self.append(record)
        return agent.Spool.peek(self, most)


measured = agent.Measures().beat()


def beats():
    return [dict(measured, sentAt=agent.utc(time.time()))]


def samples():
    now = time.time()
    times = [(agent.utc(now - 10 * n - 10), agent.utc(now - 10 * n)) for n in (2, 1, 0)]
    return [{"from": start, "to": end, "named": 10, "other": 0, "queries": 10, "responses": {"NOERROR": 10}, "connected": True,
             "names": [{"zone": "example.org.", "name": "n%d.example.org." % n, "type": "A", "count": 1, "last": end} for n in range(10)]} for start, end in times]


for user, server in json.load(sys.stdin).items():
    entry = pwd.getpwnam(user)
    for name, kind, records in ("agent", "beats", beats), ("monitor", "samples", samples):
        folder = os.path.join(entry.pw_dir, ".managed-servers", name)
        os.makedirs(folder, 0o700)
        agent.Pulled(folder, server, Waiting(os.path.join(SPOOLS, user, name), records), kind, print)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    os.chown(os.path.dirname(folder), entry.pw_uid, entry.pw_gid)
    with open(os.path.join(entry.pw_dir, "waiting"), "w") as file:
        json.dump([beats(), samples()], file)
open("/run/stand-in", "w").close()
signal.pause()
