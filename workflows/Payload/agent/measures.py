"""What the agent tells of its host. Whatever cannot be read is left out: a beat is sent all the same. On a host it stands in agent.py, which must be one file."""

import os
import re
import socket
import time
import urllib.parse

LOCAL_FILESYSTEMS = {"btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "reiserfs", "xfs", "zfs"}  # a dead network mount would hang us
CPU_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
TCP_STATES = ("established", "synSent", "synReceived", "finWait1", "finWait2", "timeWait", "close", "closeWait", "lastAck", "listen", "closing")
MOST_SOCKETS = 20000  # beyond, they are not told apart by state: to read them all would cost the host more than it is worth


def lines(path):
    with open(path, errors="replace") as file:
        return file.read().splitlines()


def load():
    return [float(value) for value in lines("/proc/loadavg")[0].split()[:3]]


class Cpu:
    """Shares of the time since the last reading; nothing on the first, or when the counters went back."""

    def __init__(self):
        self.before = None

    def __call__(self):
        with open("/proc/stat") as file:
            now = [int(word) for word in file.readline().split()[1:1 + len(CPU_MODES)]]
        before, self.before = self.before, now
        # The kernel lets iowait and steal go back a little at times: that is no time spent.
        grown = [max(0, new - old) for new, old in zip(now, before or now)]
        total = sum(grown)
        return {"cpu": {mode: round(spent / float(total), 4) for mode, spent in zip(CPU_MODES, grown)}} if total else {}


def meminfo():
    values = {}
    for line in lines("/proc/meminfo"):
        words = line.split()
        values[words[0].rstrip(":")] = int(words[1]) * 1024
    return values


def memory():
    told = meminfo()
    available = told.get("MemAvailable", told["MemFree"] + told.get("Buffers", 0) + told.get("Cached", 0))
    return {"memory": {"totalBytes": told["MemTotal"], "availableBytes": available, "freeBytes": told["MemFree"], "buffersBytes": told.get("Buffers", 0),
                       "cachedBytes": told.get("Cached", 0), "committedBytes": told.get("Committed_AS", 0)}}


def swap():
    told = meminfo()
    total = told.get("SwapTotal", 0)
    return {"swap": {"totalBytes": total, "usedBytes": total - told.get("SwapFree", 0)}}


def disk():
    found, devices = [], set()
    for line in lines("/proc/mounts"):
        device, mount, kind = line.split()[:3]
        mount = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), mount)
        if mount != "/" and (kind not in LOCAL_FILESYSTEMS or device in devices) or len(found) == 32:
            continue
        if len(mount) > 255 or any(ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or 0xd800 <= ord(c) < 0xe000 for c in mount):
            continue
        if mount == "/" and any(known["mount"] == "/" for known in found):
            continue
        try:
            room = os.statvfs(mount)
        except OSError:
            continue
        if room.f_blocks:
            devices.add(device)
            found.append({"mount": mount, "totalBytes": room.f_blocks * room.f_frsize,
                          "usedBytes": (room.f_blocks - room.f_bfree) * room.f_frsize,
                          "inodesTotal": room.f_files, "inodesUsed": room.f_files - room.f_ffree})
    return {"disks": found}


def connections():
    rows = [line.split() for line in lines("/proc/net/snmp") if line.startswith("Tcp:")]
    told = {"tcpEstablished": int(rows[1][rows[0].index("CurrEstab")])}
    counts = {}  # of each protocol: what its line in sockstat says
    for path in ("/proc/net/sockstat", "/proc/net/sockstat6"):
        for words in (line.split() for line in (lines(path) if os.path.exists(path) else [])):
            counts[words[0]] = dict(zip(words[1::2], map(int, words[2::2])))
    told["udp"] = sum(counts.get(protocol, {}).get("inuse", 0) for protocol in ("UDP:", "UDP6:"))
    if sum(counts.get(protocol, {}).get(kind, 0) for protocol in ("TCP:", "TCP6:") for kind in ("inuse", "tw")) <= MOST_SOCKETS:
        told["tcp"] = tcp_states()
    return {"connections": told}


def tcp_states():
    states = dict.fromkeys(TCP_STATES, 0)
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(path):
            with open(path) as file:
                next(file)
                for line in file:
                    number = int(line.split(None, 4)[3], 16)
                    # A connection of which the kernel has only the request yet is 12 (NEW_SYN_RECV).
                    states[TCP_STATES[(3 if number == 12 else number) - 1]] += 1
    return states


def processes():
    return {"processes": sum(1 for name in os.listdir("/proc") if name.isdigit())}


def network():
    """The host's own interfaces, not those that Docker makes and takes away with each container."""
    found = []
    for line in lines("/proc/net/dev")[2:]:
        name, _, counters = line.partition(":")
        name, words = name.strip(), counters.split()
        if name != "lo" and not name.startswith(("veth", "br-", "docker")) and len(found) < 32:
            found.append({"interface": name, "receivedBytes": int(words[0]), "sentBytes": int(words[8])})
    return {"network": found}


def ask_docker(path, timeout=2):
    """A question in HTTP/1.0 over the socket: the answer ends with the connection. Bounded in time and size as a whole."""
    deadline, answer = time.monotonic() + timeout, b""
    with socket.socket(socket.AF_UNIX) as docker:
        docker.settimeout(timeout)
        docker.connect("/var/run/docker.sock")
        docker.sendall(("GET %s HTTP/1.0\r\nHost: docker\r\n\r\n" % path).encode())
        while len(answer) < 1 << 20:
            docker.settimeout(max(0.01, deadline - time.monotonic()))
            part = docker.recv(65536)
            if not part:
                break
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise ValueError("docker answered " + head[:80].decode("ascii", "replace"))
    return json.loads(body.decode())


def docker_and_components():
    try:
        version = str(ask_docker("/version").get("Version", ""))[:64]
        found = ask_docker("/containers/json?all=1&filters=" + urllib.parse.quote('{"label":["managed-servers.component"]}'))
    except (FileNotFoundError, ConnectionRefusedError):
        return {"docker": {"state": "stopped"}, "components": []}
    except (OSError, ValueError):
        return {"docker": {"state": "unknown"}, "components": []}
    components = [{"name": label.get("managed-servers.component", ""), "version": label.get("managed-servers.version", "")[:64],
                   "state": "running" if container.get("State") == "running" else "stopped", "image": container.get("Image", "")[:255]}
                  for container in found for label in [container.get("Labels") or {}]]
    components = [component for component in components if re.match(r"[a-z][a-z0-9-]{0,31}\Z", component["name"])]
    return {"docker": {"state": "running", "version": version}, "components": sorted(components, key=lambda c: c["name"])[:16]}


class Measures:
    """What a beat says. Each service is measured unless the product has switched it off, and not more often than it asks for."""

    def __init__(self):
        self.services = {"cpu": Cpu(), "memory": memory, "swap": swap, "disk": disk, "connections": connections, "processes": processes, "network": network}
        self.intervals, self.measured = {}, {}

    def wanted(self, intervals):
        """Seconds between two measurements of a service; 0: never. One that is not named is measured with every beat."""
        self.intervals = {name: intervals[name] for name in self.services if isinstance(intervals.get(name), (int, float))}

    def beat(self):
        told = {"sentAt": utc(time.time()), "agentVersion": VERSION}
        now = time.monotonic()
        due = [self.services[name] for name in self.services if self.is_due(name, now)]
        for measure in [lambda: {"uptimeSeconds": uptime()}, lambda: {"load": load()}] + due + [docker_and_components]:
            try:
                told.update(measure())
            except (OSError, ValueError, LookupError):
                pass
        return told

    def is_due(self, name, now):
        interval = self.intervals.get(name)
        # A beat that is a moment early is not put off to the next.
        if interval == 0 or interval and now - self.measured.get(name, -interval) < interval - 1:
            return False
        self.measured[name] = now
        return True
