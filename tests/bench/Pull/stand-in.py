"""In the place of the agents and monitors of many hosts, on one machine: each on its own socket, with the real protocol and no spool, because hosts have processors and disks of their own, and here all would
share one. Whoever asks finds what half a minute brings: a beat, and three samples with ten names each. What is known by hand lies in each home folder as `waiting`."""

import json
import os
import pwd
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, "/opt")
import agent

NOW = time.time()
BEATS = [dict(agent.Measures().beat(), sentAt=agent.utc(NOW))]


def samples():
    for start, end in ((agent.utc(NOW - 10 * n - 10), agent.utc(NOW - 10 * n)) for n in (2, 1, 0)):
        yield {"from": start, "to": end, "named": 10, "other": 0, "queries": 10, "responses": {"NOERROR": 10}, "connected": True,
               "names": [{"zone": "example.org.", "name": "n%d.example.org." % n, "type": "A", "count": 1, "last": end} for n in range(10)]}


def serve(listener, server, name, records):
    """Only ages are believed, so that the same times do for every answer; the numbers are new ones."""
    report = {"epoch": os.urandom(16).hex(), "now": agent.utc(NOW), name: [dict(record, seq="#") for record in records]}
    parts = json.dumps({"server": server, "report": report, "more": False}, separators=(",", ":")).split('"#"')
    number = 0
    while True:
        with listener.accept()[0] as peer:
            agent.question_of(peer)
            text = parts[0]
            for part in parts[1:]:
                number += 1
                text += str(number) + part
            peer.sendall(text.encode() + b"\n")


for user, server in json.load(sys.stdin).items():
    entry = pwd.getpwnam(user)
    for name, kind, records in ("agent", "beats", BEATS), ("monitor", "samples", list(samples())):
        folder = os.path.join(entry.pw_dir, ".managed-servers", name)
        os.makedirs(folder)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(folder, agent.SOCKET))
        os.chmod(os.path.join(folder, agent.SOCKET), 0o666)
        listener.listen(8)
        threading.Thread(target=serve, args=(listener, server, kind, records), daemon=True).start()
    with open(os.path.join(entry.pw_dir, "waiting"), "w") as file:
        json.dump([BEATS, list(samples())], file)
open("/run/stand-in", "w").close()
signal.pause()
