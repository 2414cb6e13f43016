"""The monitor of Managed Servers: counts which names Knot is asked for and sends the counts to the product.

    monitor.py           count and send
    monitor.py --check   say how it goes; exit code 0 when it counts and hears Knot
"""

import fcntl
import json
import os
import signal
import sys
import time
from collections import Counter

import delivery
import tally
from counters import Counters, grown
from tap import Tap

FOLDER = "/var/lib/monitor"
TAP = "/run/tap/tap.sock"
NAMES = 20000                # distinct names counted one by one in a period; about 10 MB
RECORD_BYTES = 300 * 1024    # a period with more names becomes several records
SPOOL_BYTES = 32 << 20
IDLE = 60                    # seconds between samples that say nothing but that the monitor lives
LAST_WORDS = 2               # seconds: Knot keeps names back for up to one
DEAF = "Knot's counters cannot be read"
ENDING = (signal.SIGTERM, signal.SIGINT)


class Config:
    def __init__(self, path):
        self.path, self.read_at, self.way = path, None, None
        self.refresh()

    def refresh(self):
        """True when the file has changed."""
        stat = os.stat(self.path)
        if (stat.st_ino, stat.st_mtime_ns) == self.read_at:
            return False
        with open(self.path) as file:
            values = json.load(file)
        product = delivery.Product(dict(values, caFile=values.get("caFile") or os.path.join(FOLDER, "ca.pem")))
        if self.way is not None:
            self.way.close()
        self.way = product
        if values.get("rabbitmq"):
            import broker  # only here: its library takes memory, and most monitors send to the product itself
            self.way = broker.Broker(values["rabbitmq"], values["serverId"], product)
        self.interval = max(1, int(values.get("intervalSeconds", 10)))
        self.services = {}
        self.zones = {tally.zone_key(zone): zone.lower().rstrip(".") + "." for zone in values["zones"]}
        self.read_at = (stat.st_ino, stat.st_mtime_ns)
        return True

    def heed(self, answer):
        """What the product wants from now on."""
        interval, self.services = delivery.settings_in(answer)
        self.interval = interval or self.interval

    def tells(self, service):
        return self.services.get(service) != 0


class Monitor:
    def __init__(self, config, counters, spool):
        self.config, self.counters, self.spool = config, counters, spool
        self.since = self.sent = time.time()
        self.was_connected = None
        self.problem = None
        self.reading = spool.memo or self.first_reading()
        self.tap = Tap(TAP, tally.Tally(NAMES))  # after the reading: no name is heard that the counters do not know
        self.own = self.knock()

    def first_reading(self):
        """Where to count from. What a Knot counted that was there before us is nobody's; of one that starts later every query is ours."""
        there, reading = self.counters.knot(), self.read()
        return reading if reading and reading["knot"] == there else {"knot": there, "queries": None}

    def knock(self):
        """The response codes of our own questions, which nobody else asked."""
        try:
            return self.counters.knock()
        except Exception as error:  # no Knot yet: it connects by itself as it starts
            log("did not knock at Knot: %s" % error)
            return Counter()

    def read(self):
        try:
            reading = self.counters.read()
            said.pop(DEAF, None)
            return reading
        except Exception as error:  # libknot's own kinds, and whatever a Knot that is just starting answers
            log("%s: %s" % (DEAF, error))
            return None

    def sample(self):
        """Puts what was counted since the last time into the spool."""
        start, end = self.since, time.time()
        names, named, other = self.tap.take()
        reading, queries, responses = self.read(), 0, {}
        if reading:
            queries, responses = grown(self.reading, reading)
            responses, self.own = dict(Counter(responses) - self.own), Counter()
        # What nobody wants is read all the same: wanted again, it goes on from here.
        if not self.config.tells("dnsHits"):
            names, named, other = {}, 0, 0
        if not self.config.tells("dnsCounters"):
            queries, responses = 0, {}
        self.reading, self.since = reading or self.reading, end
        connected = self.tap.connected
        idle = not named and not queries and connected == self.was_connected
        if not idle or end - self.sent >= IDLE or end < self.sent:
            self.sent, self.was_connected = end, connected
            for record in records(names, other, self.config.zones, max(start, end - 3600) if start <= end else end, end):
                record.update(queries=queries, responses=responses, connected=connected)
                self.spool.append(record, self.reading)
                queries, responses = 0, {}
        self.note(end, connected)

    def sample_whole(self):
        """Not ended half-way, when the names are taken and not yet on disk."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            self.sample()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def note(self, end, connected):
        note = {"sampledAt": delivery.utc(end), "connected": connected, "interval": self.config.interval, "problem": self.problem,
                "connections": self.tap.connections, "heard": self.tap.heard}
        aside = os.path.join(FOLDER, "state.json.part")
        try:
            with open(aside, "w") as file:
                json.dump(note, file)
            os.rename(aside, os.path.join(FOLDER, "state.json"))
        except OSError as error:
            log("cannot write state.json: %s" % error)

    def send(self, deadline):
        try:
            delivery.deliver(self.spool, self.config.way, "/api/v2/monitoring/dns", "samples", deadline, log, self.config.heed)
            self.problem = None
            if said.pop("not delivered", None):
                log("delivering again")
                said.pop("delivering again")
        except delivery.Undelivered as error:
            self.problem = str(error)
            log("not delivered: %s" % error)

    def end(self):
        """What was asked last is counted too, and sent: who uninstalls us takes the spool away. All within the time that Docker gives."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        deadline = time.monotonic() + LAST_WORDS
        while self.tap.connected and time.monotonic() < deadline:
            time.sleep(0.05)
        self.sample()
        self.send(time.monotonic() + 6)

    def run(self):
        while True:
            # Periods end at whole multiples of the interval, so that none lies across a minute.
            rest = self.config.interval - time.time() % self.config.interval
            time.sleep(rest)
            try:
                self.config.refresh()
            except (OSError, ValueError, KeyError) as error:
                log("config.json cannot be read, going on with the settings of before: %s" % error)
            self.sample_whole()
            self.send(time.monotonic() + max(0.5, self.config.interval - 0.5))


def records(names, other, zones, start, end):
    """The records of a period, each small enough for a request. Names in no zone of ours are counted together."""
    record, size, out = [], 0, []
    for key, (count, seconds) in names.items():
        zone = tally.zone_of(key[:-2], zones)
        if zone is None:
            other += count
            continue
        name = tally.presentation(key[:-2])
        size += 2 * len(name) + len(zones[zone]) + 120
        if size > RECORD_BYTES:
            out.append(record)
            record, size = [], 0
        record.append({"zone": zones[zone], "name": name, "type": tally.type_name(int.from_bytes(key[-2:], "big")),
                       "count": count, "last": delivery.utc(min(max(seconds, start), end))})
    for i, part in enumerate(out + [record]):
        rest = 0 if i else other
        yield {"from": delivery.utc(start), "to": delivery.utc(end), "named": sum(name["count"] for name in part) + rest, "names": part, "other": rest}


said = {}


def log(text):
    """What is said again and again is said once: the last word on a matter is not repeated."""
    matter = text.split(":")[0]
    if said.get(matter) != text:
        said[matter] = text
        print(text, file=sys.stderr, flush=True)


def check():
    try:
        with open(os.path.join(FOLDER, "state.json")) as file:
            note = json.load(file)
    except (OSError, ValueError):
        raise SystemExit("the monitor has not counted yet")
    print(json.dumps(note))
    fresh = note["sampledAt"] > delivery.utc(time.time() - 3 * note["interval"] - 60)
    return 0 if fresh and note["connected"] else 1


def stop(number, frame):
    raise SystemExit(0)


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    os.umask(0o077)
    for number in ENDING:
        signal.signal(number, stop)  # as process 1 of a container it would not be ended otherwise
    lock = os.open(os.path.join(FOLDER, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # while an upgrade replaces us, the old one finishes first
    if os.path.exists(os.path.join(FOLDER, "state.json")):
        os.unlink(os.path.join(FOLDER, "state.json"))  # what the one before us said is not true of us
    config = Config(os.path.join(FOLDER, "config.json"))
    spool = delivery.Spool(os.path.join(FOLDER, "spool"), SPOOL_BYTES, log)
    monitor = Monitor(config, Counters(), spool)
    log("counting for %d zones, %d records in the spool" % (len(config.zones), spool.pending()))
    try:
        monitor.run()
    finally:
        monitor.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
