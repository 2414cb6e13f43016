"""The monitor of Managed Servers: counts which names Knot is asked for, reads what Knot and Kea count, and sends it to the product, or keeps it for the product to fetch.

    monitor.py           count and send
    monitor.py --check   say how it goes; exit code 0 when it counts and hears the Knot that it counts for
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
from kea import Kea
from pull import Pulled
from tap import Tap

FOLDER = "/var/lib/monitor"
TAP = "/run/tap/tap.sock"
NAMES = 20000                # distinct names counted one by one in a period; about 10 MB
RECORD_BYTES = 300 * 1024    # a period with more names becomes several records
SPOOL_BYTES = 32 << 20
IDLE = 60                    # seconds between samples that say nothing but that the monitor lives
LAST_WORDS = 2               # seconds: Knot keeps names back for up to one
DNS, DHCP = "dns", "dhcp"
DEAF = {DNS: "Knot's counters cannot be read", DHCP: "Kea's counters cannot be read"}
POOLS = 60                   # seconds between two looks at Kea, where the product wants nothing else
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
        product = None if values.get("pull") else delivery.Product(dict(values, caFile=values.get("caFile") or os.path.join(FOLDER, "ca.pem")))
        if self.way is not None:
            self.way.close()
        self.way = product  # None: the product fetches it
        self.server = values["serverId"]
        if product and values.get("rabbitmq"):
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
    def __init__(self, config, knot, kea, spool):
        self.config, self.knot, self.kea, self.spool = config, knot, kea, spool
        self.since = self.sent = time.time()
        self.looked = 0
        self.was_connected = None
        self.problem = None
        memo = spool.memo or {}
        self.readings = {DNS: memo.get(DNS) or self.first_reading(DNS, knot), DHCP: memo.get(DHCP) or self.first_reading(DHCP, kea)}
        self.tap = Tap(TAP, tally.Tally(NAMES))  # after the reading: no name is heard that the counters do not know
        self.own = self.knock()
        self.pulled = None

    def first_reading(self, who, server):
        """Where to count from. What a server counted that was there before us is nobody's; of one that starts later everything is ours."""
        there, reading = server.started(), (self.read_dns() if who == DNS else self.read_dhcp()[0])
        return reading if reading and reading["start"] == there else {"start": there, "counts": None}

    def knock(self):
        """What Knot counts of our own questions, which nobody else asked."""
        try:
            return self.knot.knock() if self.knot.started() else Counter()
        except Exception as error:  # no Knot yet: it connects by itself as it starts
            log("did not knock at Knot: %s" % error)
            return Counter()

    def read_dns(self):
        return self.read(DNS, self.knot, None)

    def read_dhcp(self):
        return self.read(DHCP, self.kea, (None, []))

    def read(self, who, server, nothing):
        if not server.started():
            return nothing
        try:
            reading = server.read()
            said.pop(DEAF[who], None)
            return reading
        except Exception as error:  # libknot's own kinds, and whatever a server that is just starting answers
            log("%s: %s" % (DEAF[who], error))
            return nothing

    def growth(self, who, reading):
        """What was counted since the last time that it could be read."""
        if not reading:
            return Counter()
        growth = Counter(grown(self.readings[who], reading))
        self.readings[who] = reading
        return growth

    def sample(self):
        """Puts what was counted since the last time into the spool."""
        start, end = self.since, time.time()
        names, named, other = self.tap.take()
        counted = self.growth(DNS, self.read_dns())
        if counted:
            counted, self.own = counted - self.own, Counter()
        # What nobody wants is read all the same: wanted again, it goes on from here.
        if not self.config.tells("dnsHits"):
            names, named, other = {}, 0, 0
        if not self.config.tells("dnsCounters"):
            counted = Counter()
        self.since = end
        connected, dhcp = self.tap.connected if self.config.zones or self.knot.started() else None, self.dhcp(end)
        idle = not named and not counted and not dhcp and connected == self.was_connected
        if not idle or end - self.sent >= IDLE - self.config.interval / 2 or end < self.sent:
            self.sent, self.was_connected = end, connected
            totals = dict(by_kind(counted), **dhcp)
            for record in records(names, other, self.config.zones, max(start, end - 3600) if start <= end else end, end):
                record.update(totals, connected=connected)
                self.spool.append(record, dict(self.readings))
                totals = {}
        self.note(end, connected)

    def dhcp(self, end):
        """What a sample says of DHCP; nothing where it is not due."""
        wanted = self.config.services.get(DHCP, POOLS)
        if 0 <= end - self.looked < (wanted or POOLS) - self.config.interval / 2:
            return {}
        self.looked = end
        reading, subnets = self.read_dhcp()
        counted = self.growth(DHCP, reading)
        return {"dhcp": {"packets": counted, "subnets": subnets}} if reading and wanted else {}

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

    def fetched(self):
        """Where the product fetches: lets it, and does what it wants."""
        if self.config.way is None:
            self.pulled = self.pulled or Pulled(FOLDER, self.config.server, self.spool, "samples", log)
            if self.pulled.said:
                self.config.heed(self.pulled.said)

    def send(self, deadline):
        if self.config.way is None:
            return
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
        self.last_words()
        self.sample()
        self.send(time.monotonic() + 6)

    def last_words(self):
        """Waits for what Knot keeps back; and all that is due is due now."""
        deadline = time.monotonic() + LAST_WORDS
        while self.tap.connected and time.monotonic() < deadline:
            time.sleep(0.05)
        self.looked = 0

    def rest(self):
        # Periods end at whole multiples of the interval, so that none lies across a minute.
        seconds = self.config.interval - time.time() % self.config.interval
        if self.pulled is None:
            time.sleep(seconds)
        elif self.pulled.rest(seconds):
            self.last_words()
            self.sample_whole()
            self.pulled.counted()

    def run(self):
        while True:
            self.fetched()
            self.rest()
            try:
                self.config.refresh()
            except (OSError, ValueError, KeyError) as error:
                log("config.json cannot be read, going on with the settings of before: %s" % error)
            self.sample_whole()
            self.send(time.monotonic() + max(0.5, self.config.interval - 0.5))


def records(names, other, zones, start, end):
    """The records of a period without its totals, each small enough for a request. Names in no zone of ours are counted together."""
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


def by_kind(counted):
    """{"queries": n, "responses": {code: n}, …}"""
    out = {"queries": counted.pop("queries", 0)}
    for what, n in counted.items():
        kind, name = what.split(" ", 1)
        out.setdefault(kind, {})[name] = n
    return out


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
    return 0 if fresh and note["connected"] is not False else 1


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
    monitor = Monitor(config, Counters(), Kea(), spool)
    log("counting for %d zones, %d records in the spool" % (len(config.zones), spool.pending()))
    try:
        monitor.run()
    finally:
        monitor.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
