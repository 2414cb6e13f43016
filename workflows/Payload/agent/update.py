"""The agent changes itself for the file that the product named by its digest, and for no other. On a host it stands in agent.py, which must be one file."""

import hashlib
import os
import re
import subprocess
import sys
import time

MOST_BYTES = 1 << 20


class Update:
    def __init__(self, script, product, log, interval, phase):
        self.script, self.product, self.log = script, product, log
        with open(script, "rb") as file:
            self.own = hashlib.sha256(file.read()).hexdigest()
        # Not the whole fleet at once; and while nodes of two versions answer in turn, not with every answer.
        self.spread, self.rest = phase * 10, interval * 20
        self.wanted, self.due, self.refused = self.own, 0.0, None

    def hear(self, digest):
        if isinstance(digest, str) and re.match(r"[0-9a-f]{64}\Z", digest) and digest != self.wanted:
            self.wanted, self.due = digest, time.monotonic() + self.spread

    def make(self):
        """True when the file is another one now: whoever runs the old one should run it anew."""
        if self.wanted in (self.own, self.refused) or time.monotonic() < self.due or abs(time.time() - os.path.getmtime(self.script)) < self.rest:
            return False
        aside = self.script + ".new"
        try:
            self.fetch(aside)
            self.prove(aside)
            os.rename(aside, self.script)
            sync_folder(os.path.dirname(self.script))
        except (OSError, Undelivered, ValueError, subprocess.SubprocessError) as error:
            self.refused = self.wanted if isinstance(error, (ValueError, subprocess.SubprocessError)) else None
            self.due = time.monotonic() + self.rest
            self.log("the agent stays as it is: %s" % error)
            if os.path.exists(aside):
                os.unlink(aside)
            return False
        self.log("the agent is another one now: %s" % self.wanted)
        return True

    def fetch(self, aside):
        status, _, text = self.product.ask("GET", "/api/v2/monitoring/agent", None, MOST_BYTES)
        if status != 200:
            raise Undelivered("%s:%d answered %d when it was asked for the new one" % (self.product.address + (status,)))
        data = text.encode()
        if hashlib.sha256(data).hexdigest() != self.wanted:
            raise ValueError("what the product sent is not the file that it had named, %s" % self.wanted)
        replace_file(aside, data)

    @staticmethod
    def prove(aside):
        """It has to run here, and to see what this host is like, before it takes over."""
        proof = subprocess.run([sys.executable, "-I", aside, "prove"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        if proof.returncode:
            raise ValueError("the new one does not run here: %s" % proof.stdout.decode("utf-8", "replace").strip()[-500:])
