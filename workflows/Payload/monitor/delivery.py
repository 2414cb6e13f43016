"""Records on disk until the product has said that it keeps them. The monitor imports it; in the agent, which must be one file, it stands in its place."""

import http.client
import json
import os
import signal
import socket
import ssl
import threading
import time
import urllib.parse
import zlib
from collections import deque

SERVER_NAME = "managed-servers"  # in the product's certificate, whatever address is dialled
REPORT_BYTES = 700 * 1024        # the product takes 1 MiB
REPORT_RECORDS = 200
UNREACHABLE = (OSError, http.client.HTTPException, ValueError)  # ValueError: a wrong certificate in Python 3.6


def utc(seconds):
    whole = int(seconds // 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + ".%03dZ" % int((seconds - whole) * 1000)


def uptime():
    """Seconds since the start of the machine: a clock that nobody sets."""
    with open("/proc/uptime") as file:
        return float(file.read().split()[0])


def boot_id():
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def replace_file(path, data, mode=0o600):
    """All or nothing, also when the power fails."""
    aside = path + ".part"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    os.rename(aside, path)
    sync_folder(os.path.dirname(path))


def sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def seal(value):
    text = json.dumps(value, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def unseal(line):
    """The value, or None where the line is damaged."""
    try:
        crc, text = line[:8], line[9:].rstrip(b"\n")
        return json.loads(text.decode()) if int(crc, 16) == zlib.crc32(text) else None
    except ValueError:
        return None


class Undelivered(Exception):
    def __init__(self, reason, retry_after=None):
        Exception.__init__(self, reason)
        self.retry_after = retry_after


class Batch:
    def __init__(self, now):
        self.now, self.records, self.end, self.unsaved, self.more = now, [], None, 0, False


class Spool:
    """Numbered records in one file, the oldest dropped beyond `limit` bytes. A record has one number for ever: what is sent
    twice can be told. A new folder, or one damaged beyond reading, starts a new epoch. With a full disk records wait in memory.
    One thread may append while another one delivers."""

    def __init__(self, folder, limit, log):
        self.folder, self.limit, self.log, self.lock = folder, limit, log, threading.RLock()
        self.path, self.state_path = os.path.join(folder, "records"), os.path.join(folder, "state")
        self.boot, self.unsaved = boot_id(), deque(maxlen=120)
        os.makedirs(folder, 0o700, exist_ok=True)
        self.load()

    def load(self):
        state = self.read_state()
        header = self.read_header()
        known = [value["epoch"] for value in (state, header) if value]
        self.epoch = known[0] if known else os.urandom(16).hex()
        self.acked = state["acked"] if state else 0
        self.memo = state["memo"] if state else None
        self.next, self.offset, self.size = self.acked + 1, 0, 0
        if header and header["epoch"] == self.epoch:
            self.scan()
        elif os.path.exists(self.path):
            # It may have held what was sent but not noted as such: none of its numbers may be used again.
            self.log("the spool could not be read; what it held is lost")
            os.unlink(self.path)
            self.epoch, self.acked, self.next, state = os.urandom(16).hex(), 0, 1, None
        if not state:
            try:
                self.save_state()
            except OSError as error:
                self.log("cannot write to the spool (%s); the next start begins a new epoch" % error)

    def read_state(self):
        try:
            with open(self.state_path, "rb") as file:
                state = unseal(file.read())
            return state if state and {"epoch", "acked", "memo"} <= set(state) else None
        except OSError:
            return None

    def read_header(self):
        try:
            with open(self.path, "rb") as file:
                header = unseal(file.readline())
            return header if header and "epoch" in header and "seq" not in header else None
        except OSError:
            return None

    def scan(self):
        """Finds the first record to deliver and the next number. A damaged line had a number too."""
        last, damaged, skipped = self.acked, 0, 0
        with open(self.path, "rb+") as file:
            file.readline()
            self.offset = file.tell()
            while True:
                line = file.readline()
                if not line:
                    break
                entry = unseal(line)
                if entry is None:
                    damaged, skipped = damaged + 1, skipped + 1
                    continue
                last, self.memo, damaged = max(last, entry["seq"]), entry["memo"], 0
                if entry["seq"] <= self.acked:
                    self.offset = file.tell()
            self.size = file.tell()
            file.seek(max(self.size - 1, 0))
            if file.read(1) != b"\n":
                file.write(b"\n")
                self.size += 1
        if skipped:
            self.log("%d damaged records in the spool were skipped" % skipped)
        self.next = last + damaged + 1

    def append(self, record, memo=None):
        with self.lock:
            self.keep(record, memo)

    def keep(self, record, memo):
        entry = {"seq": self.next, "boot": self.boot, "base": time.time() - uptime(), "memo": memo, "record": record}
        self.next, self.memo = self.next + 1, memo
        try:
            self.write(entry)
        except OSError as error:
            if not self.unsaved:
                self.log("cannot write to the spool (%s); records wait in memory" % error)
            self.unsaved.append(entry)

    def write(self, entry):
        if self.size > self.limit:
            self.drop_oldest()
        new = self.size == 0
        with open(self.path, "ab") as file:
            try:
                os.fchmod(file.fileno(), 0o600)
                header = seal({"epoch": self.epoch}) if new else b""
                line = seal(entry)
                file.write(header + line)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), self.size)
                raise
        self.size += len(header) + len(line)
        if new:
            self.offset = len(header)
            sync_folder(self.folder)

    def drop_oldest(self):
        aside = self.path + ".part"
        header = seal({"epoch": self.epoch})
        with open(self.path, "rb") as source, open(aside, "wb") as target:
            source.seek(max(self.offset, self.size - self.limit * 3 // 4) - 1)
            source.readline()
            self.log("the spool is full: dropped %d bytes of the oldest records" % (source.tell() - self.offset))
            target.write(header)
            while True:
                block = source.read(65536)
                if not block:
                    break
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
            self.size = target.tell()
        os.rename(aside, self.path)
        sync_folder(self.folder)
        self.offset = len(header)

    def peek(self, most):
        """The oldest records that were made under one setting of the clock, with what that clock would show now."""
        with self.lock:
            return self.oldest(most)

    def oldest(self, most):
        batch, first, size = Batch(time.time()), None, 0
        for entry, end, length in self.waiting():
            if first is None:
                first = entry
                if entry["boot"] == self.boot:
                    batch.now = entry["base"] + uptime()
            elif (len(batch.records) == most or size + length > REPORT_BYTES
                  or entry["boot"] != first["boot"] or abs(entry["base"] - first["base"]) > 1):
                batch.more = True
                break
            size += length
            batch.records.append(dict(entry["record"], seq=entry["seq"]))
            batch.end = end or batch.end
            batch.unsaved += end is None
        return batch

    def waiting(self):
        if self.size > self.offset:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                while True:
                    line = file.readline()
                    if not line:
                        break
                    entry = unseal(line)
                    if entry:
                        yield entry, file.tell(), len(line)
        for entry in list(self.unsaved):
            yield entry, None, 1024

    def report(self, name, batch):
        return {"epoch": self.epoch, "now": utc(batch.now), name: batch.records}

    def ack_through(self, epoch, seq):
        """As `ack`, of all up to that record in the order in which they were given; whoever says so may not know that it was done, or that the oldest were dropped since."""
        with self.lock:
            batch = Batch(0)
            for entry, end, _ in self.waiting() if epoch == self.epoch else ():
                batch.records, batch.end, batch.unsaved = [entry], end or batch.end, batch.unsaved + (end is None)
                if entry["seq"] == seq:
                    self.ack(batch)
                    return

    def ack(self, batch):
        with self.lock:
            self.forget(batch)

    def forget(self, batch):
        self.acked = max(self.acked, batch.records[-1]["seq"])
        self.offset = batch.end or self.offset
        for _ in range(batch.unsaved):
            self.unsaved.popleft()
        try:
            self.save_state()
            if self.offset >= self.size > 65536:
                os.unlink(self.path)
                self.size = self.offset = 0
        except OSError:
            pass  # a full disk: after a restart the same is sent again, and recognised

    def save_state(self):
        data = seal({"epoch": self.epoch, "acked": self.acked, "memo": self.memo})
        try:
            replace_file(self.state_path, data)
        except OSError:
            with open(self.state_path, "rb+") as file:  # a full disk has no room for a second file, but for the first
                file.write(data)
                file.truncate()

    def pending(self):
        with self.lock:
            return sum(1 for _ in self.waiting())


class Product:
    """HTTPS that trusts the product's own authority alone, over one connection that is kept."""

    def __init__(self, config, timeout=10):
        url = urllib.parse.urlsplit(config["api"])
        if url.scheme != "https" or not url.hostname:
            raise ValueError("api must be an https address")
        self.address, self.prefix, self.timeout = (url.hostname, url.port or 443), url.path.rstrip("/"), timeout
        self.token, self.connection = config["token"], None
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if hasattr(ssl, "TLSVersion"):
            self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        else:  # Python 3.6
            self.tls.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
        self.tls.load_verify_locations(config["caFile"])

    def post(self, path, value):
        return self.ask("POST", path, json.dumps(value, separators=(",", ":")).encode())

    def ask(self, method, path, body, most=65536):
        """(status, Retry-After in seconds or None, the first `most` bytes of the body)"""
        kept = self.connection is not None
        try:
            return self.exchange(method, path, body, most)
        except UNREACHABLE as error:
            self.close()
            if not kept:
                raise Undelivered("%s:%d: %s" % (self.address + (error or type(error).__name__,)))
        try:  # the product closes connections that were idle for long: once more over a new one
            return self.exchange(method, path, body, most)
        except UNREACHABLE as error:
            self.close()
            raise Undelivered("%s:%d: %s" % (self.address + (error or type(error).__name__,)))

    def exchange(self, method, path, body, most):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(SERVER_NAME, timeout=self.timeout)
            raw = socket.create_connection(self.address, timeout=min(5, self.timeout))
            raw.settimeout(self.timeout)
            try:
                self.connection.sock = self.tls.wrap_socket(raw, server_hostname=SERVER_NAME)
            except BaseException:
                raw.close()
                raise
        self.connection.request(method, self.prefix + path, body, {
            "Content-Type": "application/json", "Authorization": "Bearer " + self.token, "User-Agent": SERVER_NAME})
        answer = self.connection.getresponse()
        text = answer.read(most)
        if answer.will_close or not answer.isclosed():
            self.close()
        retry = answer.getheader("Retry-After", "")
        return answer.status, int(retry) if retry.isdigit() else None, text.decode("utf-8", "replace")

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def time_is_up(number, frame):
    raise Undelivered("no answer in time")


def deliver(spool, product, path, name, deadline, log, heed):
    """Sends what waits, oldest first. True when nothing is left, False when the time was up; Undelivered when the product does not take it. What it answers is heeded.
    The alarm bounds the whole of it, whatever hangs; so only the main thread delivers. It comes again, where a library has swallowed it."""
    signal.signal(signal.SIGALRM, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, max(0.01, deadline - time.monotonic()), 1)
    try:
        return send_all(spool, product, path, name, deadline, log, heed)
    except Undelivered:
        product.close()
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def send_all(spool, product, path, name, deadline, log, heed):
    most = REPORT_RECORDS
    while time.monotonic() < deadline:
        batch = spool.peek(most)
        if not batch.records:
            return True
        status, retry, text = product.post(path, spool.report(name, batch))
        if status == 202:
            spool.ack(batch)
            most = REPORT_RECORDS
            heed(parsed(text))
        elif status in (400, 413, 422) and len(batch.records) > 1:
            most = max(1, len(batch.records) // 8)  # one of them is to blame: find it, the others must not wait
        elif status in (400, 413, 422):
            log("the product refuses record %d, dropped: %s" % (batch.records[0]["seq"], text[:500]))
            spool.ack(batch)
            most = REPORT_RECORDS
        else:
            raise Undelivered("%s:%d answered %d" % (product.address + (status,)), retry)
    return False


def parsed(text):
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def settings_in(answer):
    """(seconds between two records or None, seconds by service): what is not as it should be is as if it had not been said."""
    settings = answer.get("settings") if isinstance(answer.get("settings"), dict) else {}
    interval, services = settings.get("intervalSeconds"), settings.get("services")
    return (interval if isinstance(interval, int) and 1 <= interval <= 3600 else None), (services if isinstance(services, dict) else {})
