"""What really runs, told where the product has no login and cannot look itself; nothing is changed. On a host it stands in agent.py, which must be one file."""

import hashlib
import json
import os
import signal
import stat
import time
import urllib.parse

SERVING = {"dns": ("knot.conf", "keys.conf", "zones"), "dhcp": ("kea-dhcp4.conf",)}
MOST_FILES = 12000  # ten thousand zones, and what somebody has put beside them


def plain(text):
    """One line of ASCII: whoever has written to these folders does not choose what a terminal shows."""
    return text.encode("unicode_escape").decode()[:255]


def target(path):
    return plain(os.readlink(path)) if os.path.islink(path) else "a folder" if os.path.isdir(path) else "a file" if os.path.exists(path) else None


class Configuration:
    """A component's configuration as it lies on disk. Its files are read when one of them was touched, and not with every look."""

    def __init__(self, component):
        self.component, self.folder = component, os.path.join(os.path.dirname(HERE), component, "config")
        self.seen, self.read = None, (None, None)

    def look(self):
        current = target(os.path.join(self.folder, "current"))
        found = self.files(os.path.realpath(os.path.join(self.folder, "current")))
        seen = found and hashlib.sha256(repr([(name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, _, s in found]).encode()).digest()
        if not found or seen != self.seen:
            self.read, self.seen = self.digests(found), seen
        digest, files = self.read
        # A configuration lies in a folder of its digest's name: one that is as its name says needs no more words.
        return {"component": self.component, "current": current, "links": {name: target(os.path.join(self.folder, name)) for name in SERVING[self.component]},
                "digest": digest, "files": None if digest == current else files}

    @staticmethod
    def files(top):
        """By name, each with its path and what the file system tells of it; None where they are too many."""
        found = []
        for at, folders, names in os.walk(top):
            for name in names + [folder for folder in folders if os.path.islink(os.path.join(at, folder))]:
                path = os.path.join(at, name)
                found.append((os.path.relpath(path, top), path, os.lstat(path)))
            if len(found) > MOST_FILES:
                return None
        return sorted(found)

    @staticmethod
    def digests(found):
        """Of all files, as the product reckons it, and of each; what is no regular file counts as an empty one."""
        if found is None:
            return None, None
        whole, files = hashlib.sha256(), {}
        for name, path, told in found:
            regular, own = stat.S_ISREG(told.st_mode), hashlib.sha256()
            whole.update(os.fsencode(name) + b"\0%d\0" % (told.st_size if regular else 0))
            if regular:
                with open(path, "rb") as file:
                    for part in iter(lambda: file.read(1 << 20), b""):
                        own.update(part)
                        whole.update(part)
            files[plain(name)] = own.hexdigest()
        return whole.hexdigest()[:16], files


def containers():
    """None where Docker does not tell: that is not the same as none."""
    try:
        named = ask_docker("/containers/json?all=1&filters=" + urllib.parse.quote('{"name":["^/?managed-servers-(dns|dhcp|monitor)$"]}'))
        return [{"component": found["Name"].split("-")[-1], "status": found["State"]["Status"], "image": plain(found["Config"]["Image"]),
                 "specification": plain((found["Config"].get("Labels") or {}).get("managed-servers.spec", ""))}
                for found in [ask_docker("/containers/%s/json" % container["Id"]) for container in named]]
    except (OSError, ValueError, LookupError, TypeError):
        return None


class Watch:
    """Tells the product what runs here: when it changes, and every minute. The product compares only what was seen after the last change of what was
    asked for; its word for that, asOf, is fetched before anything is looked at, and whatever is seen goes with it."""

    def __init__(self, product, log):
        self.product, self.log, self.said = product, log, None
        self.as_of, self.told, self.due, self.quiet_until = None, None, 0.0, 0.0
        self.configurations = [Configuration(component) for component in sorted(SERVING)]

    def report(self, seconds):
        """The alarm bounds the whole of it, as it does a delivery."""
        if time.monotonic() < self.quiet_until:
            return
        signal.signal(signal.SIGALRM, time_is_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            self.tell()
            self.said = None
        except (Undelivered, OSError, ValueError, LookupError) as error:
            self.product.close()
            self.quiet_until = time.monotonic() + 60
            if str(error) != self.said:
                self.log("what runs here was not told: %s" % error)
            self.said = str(error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def tell(self):
        for _ in range(3):
            state = self.look() if self.as_of else {}
            if state == self.told and time.monotonic() < self.due:
                return
            status, _, text = self.product.post("/api/v2/monitoring/host-state", dict(state, asOf=self.as_of))
            if status != 200:
                raise Undelivered("%s:%d answered %d: %s" % (self.product.address + (status, text[:500])))
            as_of = json.loads(text)["asOf"]
            if as_of == self.as_of:
                # Where nobody wants to hear it, because the product has a login, it is asked again some day.
                self.told, self.due = state, time.monotonic() + (60 if as_of else 3600)
                return
            self.as_of, self.told = as_of, None

    def look(self):
        return {"containers": containers(), "configurations": [c.look() for c in self.configurations if os.path.isdir(c.folder)]}
