"""The manual way: does on this host what was ordered in Managed Servers, says what it does, and reports it.

Fetched, compared and run by the one line that `msctl servers install` prints. Options, after the line:

    --token-file FILE   read the enrolment token from FILE (or MS_TOKEN_FILE names it); otherwise it is asked on the terminal
    --again             run a command of the operator's again that was interrupted half-way
    --skip              take such a command as done

Running the line again changes nothing that is as ordered, and goes on where an interrupted one stopped. A host that has
used its token needs none again. Python 3.6 or newer, standard library only.
"""

import base64
import email.utils
import fcntl
import getpass
import hashlib
import http.client
import ipaddress
import json
import os
import platform
import queue
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

SERVER_NAME = "managed-servers"  # in the product's certificate, whatever address is dialled
UNREACHABLE = (OSError, http.client.HTTPException)
PATIENCE = 900                   # seconds for which a product that is being restarted is waited for
FOLDER = "/var/lib/managed-servers/agent"
TOKEN_PLACE = "{{token}}"        # in ordered files: the order itself holds no secret
DOCKER_SOCKET = "/var/run/docker.sock"
LABEL = "managed-servers."


class Failed(Exception):
    """A step cannot be done; the words are for the operator."""


class Refused(Exception):
    """The product does not want this host to go on."""


class Stopped(BaseException):
    """Somebody on this host wants it to end."""


held = {"on": False, "stop": None}


def stop(number, frame):
    if held["on"]:
        held["stop"] = number
        return
    raise Stopped({signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "its terminal was closed"}.get(number, str(number)))


def hold_stops(on):
    """Between the start of a command and the place that ends it, a stop would leave the command running with nobody who knows it."""
    held["on"] = on
    if not on and held["stop"]:
        number, held["stop"] = held["stop"], None
        stop(number, None)


def say(text=""):
    # What comes from elsewhere must not steer the terminal.
    for line in text.split("\n"):
        print("".join(c if c == "\t" or c.isprintable() else "?" for c in line), flush=True)


# --- the product ---

class Product:
    """HTTPS that trusts the product's own authority alone."""

    def __init__(self, address, authority):
        self.address, self.token = address, None
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.load_verify_locations(cadata=authority)
        self.clock_offset = 0.0

    def open(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection(SERVER_NAME, timeout=timeout)
        raw = socket.create_connection(self.address, timeout=min(10, timeout))
        raw.settimeout(timeout)
        try:
            connection.sock = self.tls.wrap_socket(raw, server_hostname=SERVER_NAME)
            sent = {"Content-Type": "application/json", "User-Agent": "managed-servers-enrol", "Connection": "close"}
            if self.token:
                sent["Authorization"] = "Bearer " + self.token
            sent.update(headers or {})
            connection.request(method, path, None if body is None else json.dumps(body).encode(), sent)
            return connection, connection.getresponse()
        except BaseException:
            raw.close()
            raise

    def ask(self, method, path, body=None, patience=PATIENCE):
        """(status, answer). A product that does not answer, or is busy, is asked again until the patience is over."""
        deadline, pause, told = time.monotonic() + patience, 0.5, False
        while True:
            try:
                asked = time.time()
                connection, answer = self.open(method, path, body)
                with_body = answer.read(256 << 20)
                connection.close()
                if answer.status not in (429, 502, 503, 504):
                    date = answer.getheader("Date")
                    if date:
                        self.clock_offset = (asked + time.time()) / 2 - email.utils.parsedate_to_datetime(date).timestamp() - 0.5
                    return answer.status, read_json(with_body)
                why = "it answers %d" % answer.status
                pause = max(pause, min(60, int(answer.getheader("Retry-After") or 0))) if (answer.getheader("Retry-After") or "").isdigit() else pause
            except UNREACHABLE as error:
                why = str(error) or type(error).__name__
            if time.monotonic() > deadline:
                raise Refused("The product at %s:%d cannot be reached: %s. Open the way from this host to it, and run the line again." % (self.address[0], self.address[1], why))
            if not told and pause >= 2:
                say("  the product at %s:%d does not answer (%s); trying again ..." % (self.address[0], self.address[1], why))
                told = True
            time.sleep(pause)
            pause = min(10, pause * 2)


def read_json(data):
    try:
        return json.loads(data.decode())
    except ValueError:
        return None


def detail(answer, otherwise):
    return answer.get("detail") or otherwise if isinstance(answer, dict) else otherwise


# --- who this host is ---

class State:
    """What this host remembers between two runs of the line: whose server it is, its token, which commands have run."""

    def __init__(self, folder):
        self.folder, self.path, self.made, self.told = folder, os.path.join(folder, "enrolment.json"), [], {}
        for path in (os.path.dirname(folder), folder):
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
                self.made.append(path)
        self.lock = os.open(os.path.join(folder, "enrolment.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused("The line is being run on this host already, in another terminal. Wait for its end.")
        try:
            with open(self.path) as file:
                self.told = json.load(file)
        except (OSError, ValueError):
            pass

    def keep(self, **more):
        self.told.update(more)
        if os.path.isdir(self.folder):  # an uninstall takes it away
            replace_file(self.path, json.dumps(self.told).encode())

    def forget(self):
        """As if the line had never been run here."""
        for name in ("enrolment.json", "enrolment.lock"):
            if os.path.exists(os.path.join(self.folder, name)):
                os.unlink(os.path.join(self.folder, name))
        for path in reversed(self.made):
            try:
                os.rmdir(path)
            except OSError:
                pass


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
    sync(os.path.dirname(path))


def sync(folder):
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_token(options):
    path = options.get("--token-file") or os.environ.get("MS_TOKEN_FILE")
    if path:
        try:
            with open(path, "rb") as file:
                return file.read(4096).decode("ascii", "replace").strip()
        except OSError as error:
            raise Refused("The token cannot be read from %s: %s" % (path, error.strerror))
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise Refused("There is no terminal to ask for the enrolment token on. Put it into a file that only you can read, and name that at the end of the line: --token-file FILE")
    return getpass.getpass("Enrolment token (it is not shown): ").strip()


def owner_here(folder):
    """Whom the agent on this host reports for."""
    try:
        with open(os.path.join(folder, "agent.json")) as file:
            found = json.load(file)
        return {"serverId": str(found.get("serverId")), "api": str(found.get("api"))}
    except (OSError, ValueError):
        return None


def enrol(product, state, options):
    """Exchanges the one-time token for this server's own. The secret that is made before lets this host alone ask again, if the answer is lost."""
    try:
        token = read_token(options)
    except BaseException:
        if not state.told:
            state.forget()
        raise
    if not state.told.get("claim"):
        state.keep(claim=base64.b16encode(os.urandom(32)).decode().lower())
    if not re.match(r"[A-Za-z0-9_-]{20,200}\Z", token):
        state.forget()
        raise Refused("That is no enrolment token: it has 46 letters, digits, - and _. Nothing was sent.")
    product.token = token
    status, answer = product.ask("POST", "/api/v2/enrolment/exchange", {
        "claim": state.told["claim"], "hostName": socket.gethostname()[:255], "isRoot": os.geteuid() == 0, "owner": owner_here(state.folder)}, patience=60)
    product.token = None
    if status != 200:
        state.forget()
        raise Refused(detail(answer, "The product refuses the token (%d)." % status))
    state.keep(serverId=answer["serverId"], server=answer["server"], token=answer["token"], claim=None)
    product.token = answer["token"]
    say("This host is enrolled as %s." % answer["server"])


def check_in(product, state, options):
    """The run that waits for this host."""
    if state.told.get("token"):
        product.token = state.told["token"]
    else:
        enrol(product, state, options)
    status, answer = product.ask("POST", "/api/v2/enrolment/check-in", facts())
    if status == 401:
        # Removed from the product, or another host has taken its place: only a new token can say who this host is now.
        say("The product knows this host no more; a new enrolment token is needed.")
        state.keep(token=None)
        enrol(product, state, options)
        status, answer = product.ask("POST", "/api/v2/enrolment/check-in", facts())
    if status != 200:
        raise Refused(detail(answer, "The product refuses the check-in (%d)." % status))
    return answer


# --- what this host is ---

def lines(path):
    try:
        with open(path, errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def facts():
    system = dict(re.findall(r"^(\w+)=[\"']?(.*?)[\"']?$", "\n".join(lines("/etc/os-release")), re.M))
    return {"hostName": socket.gethostname()[:255], "os": system.get("PRETTY_NAME", "")[:200], "osId": system.get("ID", "")[:50], "architecture": platform.machine()[:50],
            "python": platform.python_version()[:50], "user": getpass.getuser()[:50], "interfaces": interfaces()}


def interfaces():
    """Those that are up and have IPv4, Docker's own left out."""
    found = []
    for name in sorted({line.split("\t")[0] for line in lines("/proc/net/route")[1:]}):
        state = "".join(lines("/sys/class/net/%s/operstate" % name)[:1])
        if state in ("up", "unknown") and not re.match(r"(docker0|br-[0-9a-f]{12}|veth.*)\Z", name):
            found.append(name[:15])
    return found


def broker_problem(broker):
    """Why no monitor on this host could speak with the broker; None when one could. Signs in nowhere."""
    try:
        with socket.create_connection((broker["host"], broker["port"]), timeout=10) as plain:
            stream = plain
            if broker["authority"]:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.load_verify_locations(cadata=broker["authority"])
                stream = context.wrap_socket(plain, server_hostname=broker["host"])
            stream.sendall(b"AMQP\0\0\x09\x01")
            first = stream.recv(1)
        return None if first == b"\x01" else "what answers there does not speak AMQP 0-9-1" if first else "it ends the connection without a word"
    except (OSError, ValueError) as error:
        return "%s: %s" % (type(error).__name__, error)


def listening():
    """[(protocol, address, port, inode)]"""
    found = []
    for name, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in lines("/proc/net/" + name)[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == state:
                address, port = words[1].split(":")
                packed = b"".join(struct.pack("=I", int(address[at:at + 8], 16)) for at in range(0, len(address), 8))
                found.append((name[:3], ipaddress.ip_address(packed), int(port, 16), words[9]))
    return found


def owner_of(inode):
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            for descriptor in os.listdir("/proc/%s/fd" % process):
                if os.readlink("/proc/%s/fd/%s" % (process, descriptor)) == "socket:[%s]" % inode:
                    return "".join(lines("/proc/%s/comm" % process)[:1])
        except OSError:
            pass
    return None


def overlap(wanted, taken):
    any_wanted, any_taken = wanted.is_unspecified, taken.is_unspecified
    return wanted == taken or wanted.version == taken.version and (any_wanted or any_taken) or taken.version == 6 and any_taken and wanted.version == 4


def has_address(address):
    try:
        with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
        return True
    except OSError:
        return False


# --- Docker ---

class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(DOCKER_SOCKET)


class Docker:
    """The Engine API over its socket."""

    def ask(self, method, path, body=None, timeout=120, missing=None, raw=False):
        connection = UnixConnection("docker", timeout=timeout)
        try:
            if hasattr(body, "read"):
                connection.request(method, path, body, {"Content-Type": "application/x-tar"})
            else:
                connection.request(method, path, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read()
        except UNREACHABLE as error:
            raise Failed("Docker on this host does not answer at %s (%s: %s). Start it: systemctl start docker" % (DOCKER_SOCKET, method + " " + path.split("?")[0], error))
        finally:
            connection.close()
        if answer.status == 404 and missing is not None:
            return missing
        if answer.status >= 400:
            told = read_json(data)
            raise Failed("Docker on this host refuses %s %s: %s" % (method, path.split("?")[0], told.get("message") if isinstance(told, dict) else answer.status))
        return data if raw else read_json(data)

    def find(self, name):
        return self.ask("GET", "/containers/%s/json" % name, missing={}) or None

    def start(self, name):
        """False when it ran already."""
        state = (self.find(name) or {}).get("State", {})
        if state.get("Paused"):
            self.ask("POST", "/containers/%s/unpause" % name)
            return True
        if state.get("Running"):
            return False
        self.set_restart(name, "always")
        self.even_if_lost(name, "start")
        return True

    def restart(self, name):
        self.even_if_lost(name, "restart")

    def even_if_lost(self, name, verb):
        """An engine that was killed while it started a container may never start it again: the same under a new id starts."""
        try:
            self.ask("POST", "/containers/%s/%s" % (name, verb))
        except Failed as refused:
            if "id already in use" not in str(refused) and not str(refused).endswith("already exists"):
                raise
            lost, anew = self.find(name), name + "-anew"
            self.remove(anew)
            self.create(anew, dict(lost["Config"], HostConfig=lost["HostConfig"]))
            self.remove(name)
            self.rename(anew, name)
            self.ask("POST", "/containers/%s/start" % name)

    def stop(self, name):
        self.set_restart(name, "no")
        self.ask("POST", "/containers/%s/stop" % name, missing={})

    def set_restart(self, name, policy):
        """A container that was stopped must not be started again by the engine; after a crash of the engine, one that ran must."""
        self.ask("POST", "/containers/%s/update" % name, {"RestartPolicy": {"Name": policy}}, missing={})

    def remove(self, name):
        return self.ask("DELETE", "/containers/%s?force=1&v=1" % name, missing={"none": 1}) != {"none": 1}

    def create(self, name, specification):
        return self.ask("POST", "/containers/create?name=" + name, specification)["Id"]

    def rename(self, name, other):
        self.ask("POST", "/containers/%s/rename?name=%s" % (name, other))

    def logs(self, name, count):
        """The last lines, both outputs in the order of their frames."""
        data, text = self.ask("GET", "/containers/%s/logs?stdout=1&stderr=1&tail=%d" % (name, count), missing=b"", raw=True), b""
        while len(data) >= 8:
            size = struct.unpack(">I", data[4:8])[0]
            text, data = text + data[8:8 + size], data[8 + size:]
        return text.decode("utf-8", "replace")

    def last_words(self, name):
        return " | ".join(self.logs(name, 5).splitlines())

    def run(self, container, argv):
        """(exit code, output) of a command in a running container."""
        made = self.ask("POST", "/containers/%s/exec" % container, {"AttachStdout": True, "AttachStderr": True, "Tty": True, "Cmd": argv})["Id"]
        output = self.ask("POST", "/exec/%s/start" % made, {"Detach": False, "Tty": True}, raw=True)
        return self.ask("GET", "/exec/%s/json" % made)["ExitCode"], output.decode("utf-8", "replace").strip()

    def throw_away(self, name, specification, timeout=300):
        """(exit code, output) of a container that lives for one command."""
        self.remove(name)
        try:
            self.create(name, specification)
            self.ask("POST", "/containers/%s/start" % name)
            code = self.ask("POST", "/containers/%s/wait" % name, timeout=timeout)["StatusCode"]
            return code, self.logs(name, 200)
        finally:
            self.remove(name)


# --- one run of the line ---

class Reporter:
    """Tells the product what happens here, in order. A thread of its own, so that the product hears of this host while it works for long."""

    def __init__(self, product, checked_in):
        self.product, self.run, self.session = product, checked_in["runId"], checked_in["session"]
        self.waiting, self.refusal, self.state, self.idle = queue.Queue(), None, "running", threading.Event()
        self.idle.set()
        threading.Thread(target=self.send_all, daemon=True).start()

    def tell(self, step, state, text="", fraction=None):
        self.idle.clear()
        self.waiting.put({"step": step, "state": state, "text": text[:4000], "fraction": fraction})

    def send_all(self):
        while self.refusal is None:
            reports = []
            try:
                reports.append(self.waiting.get(timeout=15))
                while len(reports) < 200:
                    reports.append(self.waiting.get_nowait())
            except queue.Empty:
                pass
            try:
                status, answer = self.product.ask("POST", "/api/v2/enrolment/reports", {"runId": self.run, "session": self.session, "reports": reports})
                if status != 200:
                    self.refusal = detail(answer, "The product does not take this host's reports (%d)." % status)
                else:
                    self.state = answer["state"]
            except Refused as error:
                self.refusal = str(error)
            if self.waiting.empty() or self.refusal:
                self.idle.set()

    def flush(self, seconds):
        self.idle.wait(seconds)

    def check(self):
        if self.refusal is not None:
            raise Refused(self.refusal)


class Work:
    """The ordered steps, one after the other. What a failure must not leave behind is on the list of what is taken back."""

    def __init__(self, product, state, order, reporter, options):
        self.product, self.state, self.order, self.reporter, self.options = product, state, order, reporter, options
        self.docker, self.back, self.step, self.dirty, self.switched = Docker(), [], None, set(), {}

    def do(self):
        total, changed = len(self.order["steps"]), 0
        for number, step in enumerate(self.order["steps"], 1):
            self.reporter.check()
            self.step = step
            say("[%d/%d] %s" % (number, total, step["title"]))
            self.reporter.tell(step["name"], "began")
            try:
                made, text = getattr(self, step["do"].replace("-", "_"))(step)
            except Failed as error:
                self.take_back()
                self.reporter.tell(step["name"], "failed", str(error))
                raise
            except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
                words = "%s: %s" % (type(error).__name__, error)
                self.take_back()
                self.reporter.tell(step["name"], "failed", words)
                raise Failed(words)
            changed += bool(made)
            say("      %s%s" % ("" if made or made is None else "unchanged: ", text) if text else "      ok")
            self.reporter.tell(step["name"], "unchanged" if made is False else "changed" if made else "done", text)
        return changed

    def note(self, text):
        say("      " + text)
        self.reporter.tell(self.step["name"], "said", text)

    def on_failure(self, undo):
        """On the list before it is done: what fails in between is taken back too. Gives the names of the steps whose changes go with it."""
        steps = [self.step["name"]]
        self.back.append((steps, undo))
        return steps

    def take_back(self):
        """What served before serves again; the next run of the line does it anew."""
        back, left, self.back = self.back, set(), []
        for steps, undo in reversed(back):
            try:
                self.note(undo())
            except (Failed, OSError) as error:
                self.note("could not be taken back: %s" % error)
                left.update(steps)
        for step in sorted({step for steps, _ in back for step in steps} - left):
            self.reporter.tell(step, "undone")

    # Each of these gives whether something was changed (None where that is no question) and what to say.

    def preflight(self, step):
        checks = []

        def check(name, ok, found, needed, fix):
            checks.append((name, ok, found, needed, fix))
            self.note("%s %s: %s%s" % ("ok  " if ok else "FAIL", name, found, "" if ok else " (needed: %s)" % needed))

        is_root = os.geteuid() == 0
        check("user", is_root or not step["root"], getpass.getuser(), "root", "Run the line again with sudo before it.")
        system = facts()
        check("system", True, system["os"] or "unknown", "", "")
        check("architecture", system["architecture"] in step["architectures"], system["architecture"], " or ".join(step["architectures"]), "The images are built for that; choose such a host.")
        check("python", sys.version_info >= (3, 6), system["python"], "3.6 or newer", "Install a newer Python 3.")
        version = None
        try:
            version = self.docker.ask("GET", "/version", timeout=20)["Version"]
            check("docker", True, version, "a running engine", "")
        except Failed as error:
            if not os.path.exists(DOCKER_SOCKET):
                check("docker", False, "no %s" % DOCKER_SOCKET, "a running engine", "Install Docker, for example: apt-get install docker.io (Debian, Ubuntu); or start it: systemctl start docker")
            elif "ermission" in str(error):
                check("docker", False, "%s may not use it" % getpass.getuser(), "permission to use it", "Let %s use Docker: usermod -aG docker %s, and log in anew." % (getpass.getuser(), getpass.getuser()))
            else:
                check("docker", False, str(error), "a running engine", "Start it: systemctl start docker; its log says why it stopped: journalctl -u docker")
        for path in step["disks"]:
            while not os.path.exists(path):
                path = os.path.dirname(path)
            disk = os.statvfs(path)
            free = disk.f_bavail * disk.f_frsize
            check("disk " + path, free >= step["diskBytes"], "%d MiB free" % (free >> 20), "%d MiB free" % (step["diskBytes"] >> 20), "Make room, for example: docker image prune")
        memory = dict(line.split()[:2] for line in lines("/proc/meminfo")).get("MemAvailable:")
        if memory:
            check("memory", int(memory) << 10 >= step["memoryBytes"], "%d MiB available" % (int(memory) >> 10), "%d MiB" % (step["memoryBytes"] >> 20), "Stop what uses it, or give the host more.")
        check("clock", abs(self.product.clock_offset) <= step["clockSeconds"], "about %+.0f s off" % self.product.clock_offset, "at most %d s" % step["clockSeconds"], "Let the host synchronise its clock, for example: timedatectl set-ntp true")
        own = owner_here(step["agentFolder"])
        orphan = own is not None and own["api"] == step["api"] and own["serverId"] not in step["others"]
        mine = own is None or orphan or own["serverId"] == self.state.told.get("serverId")
        check("owner", mine, "managed by nobody" if own is None else "managed as server %s of %s" % (own["serverId"], own["api"]), "a host that no other server manages", "Uninstall it there first.")
        ports = listening()
        for wanted in step["ports"]:
            address = ipaddress.ip_address(wanted["address"])
            held = bool(version and mine and ((self.docker.find(wanted["container"]) or {}).get("State") or {}).get("Running"))
            taken = [port for port in ports if port[2] == wanted["port"] and port[0] in wanted["protocols"] and overlap(address, port[1])]
            others = [(port, owner_of(port[3])) for port in taken]
            others = [(port, owner) for port, owner in others if not held or owner is not None and owner != wanted["program"]]
            where = "%s port %d" % (address, wanted["port"])
            if not has_address(address):
                check("address %s" % address, False, "the host has no such address", "%s on the host" % address, "Let DNS listen on one of the host's own addresses, or give the host this one.")
                continue
            fix = "Stop that program (ss -lunpt 'sport = :%d' shows it)." % wanted["port"]
            if others and (others[0][1] or "").startswith("systemd-resolve"):
                fix = "Switch off its listener: set DNSStubListener=no in /etc/systemd/resolved.conf, then systemctl restart systemd-resolved."
            check("port %d" % wanted["port"], not others, "%s taken by %s" % (where, others[0][1] or "another program") if others else
                  "%s is held by this server's own %s" % (where, wanted["program"]) if taken else "%s is free" % where, "%s free" % where, fix)
        broker = step.get("broker")
        if broker:
            where, why = "%s port %d" % (broker["host"], broker["port"]), broker_problem(broker)
            check("RabbitMQ", not why, "%s: %s" % (where, why) if why else "%s answers" % where, "RabbitMQ reachable from the host",
                  "Open the way from the host to the broker, or install with --statistics https.")
        bad = [c for c in checks if not c[1]]
        if bad:
            raise Failed("The host is not ready, and nothing was changed. " + " ".join("%s: found %s, needed %s. %s" % (name, found, needed, fix) for name, _, found, needed, fix in bad))
        return None, ""

    def command(self, step):
        done = self.state.told.get("commands", {}).get(self.order["runId"], {})
        if done.get(step["name"]) == "done" or done.get(step["name"]) and "--skip" in self.options:
            self.mark(step, "done")
            return False, "'%s' has run already" % step["command"]
        if done.get(step["name"]) and not step["repeatable"] and "--again" not in self.options:
            raise Failed("The command '%s' was interrupted half-way, and nobody knows how far it came. Look at the host; then run the line again with --again (run it anew) or --skip (take it as done) at its end." % step["command"])
        self.mark(step, "begun")
        say("      $ " + step["text"].replace("\n", "\n      > "))
        hold_stops(True)
        try:
            process = subprocess.Popen(["/bin/sh", "-c", step["text"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       env=dict(os.environ, **step["environment"]), start_new_session=True)
        except OSError as error:
            hold_stops(False)
            raise Failed("The command '%s' cannot be started: %s" % (step["command"], error))
        timer = threading.Timer(step["timeoutSeconds"], lambda: end_group(process))
        timer.start()
        try:
            hold_stops(False)
            for line in iter(process.stdout.readline, b""):
                self.note(line.decode("utf-8", "replace").rstrip("\n"))
                self.reporter.check()
            code = process.wait()
        except BaseException:
            end_group(process)
            raise
        finally:
            late = not timer.is_alive()
            timer.cancel()
        if late or code not in step.get("successCodes", [0]):
            self.mark(step, None)
            raise Failed("The command '%s' took longer than %d s and was ended." % (step["command"], step["timeoutSeconds"]) if late else "The command '%s' ended with exit code %d." % (step["command"], code))
        self.mark(step, "done")
        return True, "ran '%s'" % step["command"]

    def mark(self, step, what):
        done = dict(self.state.told.get("commands", {}).get(self.order["runId"], {}))
        done[step["name"]] = what
        self.state.keep(commands={self.order["runId"]: done})

    def folders(self, step):
        made = []
        for path in step["paths"]:
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
                made.append(path)
        return bool(made), "made " + ", ".join(made) if made else "all folders are there"

    def image(self, step):
        if self.docker.ask("GET", "/images/%s/json" % step["image"], missing={}):
            return False, "%s is on the host already" % step["image"]
        path = os.path.join(self.state.folder, "image-" + step["sha256"][:16])
        self.fetch(step, path)
        self.note("loading it into Docker")
        with open(path, "rb") as archive:
            told = self.docker.ask("POST", "/images/load?quiet=1", archive, timeout=1800, raw=True)
        os.unlink(path)
        if not self.docker.ask("GET", "/images/%s/json" % step["image"], missing={}):
            raise Failed("Docker took the archive of %s but does not show the image: %s" % (step["image"], told.decode("utf-8", "replace").strip()[-500:]))
        return True, "loaded %s, %.1f MB" % (step["image"], step["size"] / 1e6)

    def fetch(self, step, path):
        """Whole and compared, or not at all. What came before an interruption is not fetched again."""
        while True:
            have = os.path.getsize(path) if os.path.exists(path) else 0
            if have >= step["size"]:
                digest = hashlib.sha256()
                with open(path, "rb") as file:
                    for part in iter(lambda: file.read(1 << 20), b""):
                        digest.update(part)
                if digest.hexdigest() == step["sha256"] and have == step["size"]:
                    return
                os.unlink(path)
                raise Failed("What was fetched of %s is not what was ordered: its SHA-256 is %s and should be %s. It was thrown away; run the line again." % (step["image"], digest.hexdigest(), step["sha256"]))
            self.fetch_from(step, path, have)

    def fetch_from(self, step, path, have):
        deadline, pause = time.monotonic() + PATIENCE, 0.5
        while True:
            self.reporter.check()
            try:
                connection, answer = self.product.open("GET", step["path"], headers={"Range": "bytes=%d-" % have}, timeout=60)
                if answer.status == 206 or answer.status == 200 and have == 0:
                    break
                said = detail(read_json(answer.read(65536)), "")
                connection.close()
                if answer.status < 500:
                    raise Failed("The product does not give the image %s (%d). %s" % (step["image"], answer.status, said))
                why = "it answers %d" % answer.status
            except UNREACHABLE as error:
                why = str(error)
            if time.monotonic() > deadline:
                raise Failed("The image %s cannot be fetched: %s. Run the line again, and it goes on from here." % (step["image"], why))
            time.sleep(pause)
            pause = min(10, pause * 2)
        told = time.monotonic()
        try:
            with open(path, "ab") as file:
                while True:
                    part = answer.read(256 << 10)
                    if not part:
                        break
                    file.write(part)
                    have += len(part)
                    if time.monotonic() - told > 1:
                        told = time.monotonic()
                        self.reporter.check()
                        self.reporter.tell(step["name"], "progress", "%.1f of %.1f MB" % (have / 1e6, step["size"] / 1e6), min(1.0, have / step["size"]))
        except UNREACHABLE as error:
            self.note("the connection broke after %.1f MB (%s); going on from there" % (have / 1e6, error))
        finally:
            connection.close()

    def stage(self, step):
        folder, files = step["folder"], {name: text.encode() for name, text in step["files"].items()}
        there = os.path.isdir(folder)
        if there and contents(folder) == files:
            return False, "the host has this configuration already"
        aside = os.path.join(os.path.dirname(folder), ".%s-%s" % (os.path.basename(folder), self.order["key"]))
        shutil.rmtree(aside, ignore_errors=True)
        os.mkdir(aside, 0o700)
        for name, data in files.items():
            path = os.path.join(aside, name)
            if not os.path.isdir(os.path.dirname(path)):
                os.makedirs(os.path.dirname(path), 0o700)
            replace_file(path, data)
        if there:
            altered = folder + ".altered"
            shutil.rmtree(altered, ignore_errors=True)
            os.rename(folder, altered)
            self.note("The files in %s had been changed by hand; what they were is in %s for now." % (folder, altered))
        os.rename(aside, folder)
        sync(os.path.dirname(folder))
        self.dirty.add(step["component"])
        if not there:
            self.on_failure(lambda: "removed the configuration that was written aside" if remove(folder) else "no configuration was written aside")
        return True, "wrote %s%s" % (step["contents"], " again: the files on the host had been changed by hand" if there else "")

    def validate(self, step):
        code, output = self.docker.throw_away("managed-servers-throw-away-" + self.order["key"], step["specification"])
        if code != 0:
            said = [line.strip() for line in output.splitlines() if line.strip()]
            # Knot's own databases are not there in a container that is thrown away.
            errors = [line[len(step["errorMark"]):].strip() for line in said if line.startswith(step["errorMark"]) and "database storage" not in line]
            raise Failed("%s: %s. Correct it and start another install; nothing that serves was changed." % (step["refusal"], "; ".join(errors[:10] or said[:10] or ["exit code %d, without a word" % code]).rstrip(".")))
        for line in [line.strip() for line in output.splitlines() if "warning: [" in line][:20]:
            self.note(line)
        return None, ""

    def switch(self, step):
        config, digest = step["folder"], step["digest"]
        current = os.path.join(config, "current")
        before = os.readlink(current) if os.path.islink(current) else None
        whole = all(os.path.islink(os.path.join(config, name)) for name in step["names"])
        if before == digest and whole:
            return False, "this configuration is the current one already"
        for name in step["names"]:
            link(os.path.join(config, name), "current/" + name)
        link(current, digest)
        self.dirty.add(step["component"])

        def undo():
            if before:
                link(current, before)
                self.reload(step)
                return "configuration %s is the current one again" % before
            for name in ["current"] + step["names"]:
                os.unlink(os.path.join(config, name))
            return "took the first configuration back"

        if before != digest:
            self.switched[step["component"]] = self.on_failure(undo)
        return True, "configuration %s in place of %s" % (digest, before) if before else "first configuration"

    def reload(self, step):
        if not ((self.docker.find(step["container"]) or {}).get("State") or {}).get("Running"):
            return
        if step.get("forget"):
            # Signed zones are loaded anew: what is unsigned in memory would not go with what the journal has. A zone that is new is not known yet.
            self.docker.run(step["container"], step["forget"])
        if step.get("reload"):
            code, output = self.docker.run(step["container"], step["reload"])
            if code != 0:
                raise Failed("%s does not reload its configuration: %s" % (step["container"], output))
        else:
            ask_kea(step["socket"], "config-reload")

    def container(self, step):
        name, aside, wanted = step["container"], step["container"] + "-previous", step["specification"]["Labels"][LABEL + "spec"]
        former = {file["path"]: self.with_own_token(content(file["path"])) for file in step["files"] if not self.is_written(file)}
        if former:
            self.on_failure(lambda: self.bring_settings_back(name, former))
        written = any([self.write(file) for file in step["files"]])
        found = self.docker.find(name)
        labels = ((found or {}).get("Config") or {}).get("Labels") or {}
        if found and labels.get(LABEL + "spec") == wanted:
            started = self.docker.start(name)
            text = "started " + name if started else "%s runs as specified" % name
            changed = started
            if written and not started:
                self.docker.restart(name)
                changed, text = True, "restarted %s with new settings" % name
            elif step["component"] in self.dirty and not started:
                self.switched.get(step["component"], []).append(step["name"])
                self.reload(step)
                changed, text = True, "reloaded with the new configuration"
        else:
            if found:
                self.docker.remove(aside)
                self.docker.stop(name)
                self.docker.rename(name, aside)
            self.on_failure(lambda: self.bring_back(name, aside))
            self.docker.create(name, step["specification"])
            self.docker.start(name)
            changed, text = True, "started %s%s" % (name, " in place of an older one" if found else "")
        if step.get("listensAt"):
            self.await_socket(step)
        if changed and step.get("fetch"):
            self.fetch_zones(step)
        return changed, text

    def fetch_zones(self, step):
        """Secondary zones, whole: Knot would keep what it has of them while that has the higher serial."""
        deadline = time.monotonic() + 20
        while True:
            code, output = self.docker.run(step["container"], step["fetch"])
            if code == 0:
                return
            if time.monotonic() > deadline:
                raise Failed("Knot has not got its secondary zones (%s). See that the host reaches their primaries over UDP and TCP, that they let this host transfer, and that both have the same key. "
                             "Its log ends with: %s" % ("; ".join(output.strip().splitlines()[:5]), self.docker.last_words(step["container"])))
            time.sleep(0.5)

    def bring_back(self, name, aside):
        self.docker.remove(name)
        if not self.docker.find(aside):
            return "removed " + name
        self.docker.rename(aside, name)
        self.docker.start(name)
        return "brought the older %s back" % name

    def bring_settings_back(self, name, former):
        for path, data in former.items():
            if data is None:
                remove(path)
            else:
                replace_file(path, data)
        if not ((self.docker.find(name) or {}).get("State") or {}).get("Running"):
            return "brought the former settings of %s back" % name
        self.docker.restart(name)
        return "restarted %s with its former settings" % name

    def await_socket(self, step):
        deadline = time.monotonic() + 30
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as way:
                    way.connect(step["listensAt"])
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise Failed("%s does not listen at %s 30 s after its start. Its log ends with: %s" % (step["container"], step["listensAt"], self.docker.last_words(step["container"])))
            time.sleep(0.1)

    def write(self, file):
        """False where the very same text is there already."""
        if self.is_written(file):
            return False
        replace_file(file["path"], self.ordered(file))
        return True

    def is_written(self, file):
        return content(file["path"]) == self.ordered(file) and os.stat(file["path"]).st_mode & 0o7777 == 0o600

    def ordered(self, file):
        return file["text"].replace(TOKEN_PLACE, self.state.told["token"]).encode()

    def with_own_token(self, data):
        """Settings as they were, but for the token: after another enrolment the former one is good for nothing."""
        former = (read_json(data) or {}).get("token") if data else None
        return data.replace(former.encode(), self.state.told["token"].encode()) if former else data

    def agent(self, step):
        first = not os.path.exists(step["script"])
        for file in step["files"]:
            self.write(file)
        if first:
            self.on_failure(lambda: self.take_agent_away(step))
        before = self.last_heartbeat()
        answer = self.python([step["script"], "install"])
        deadline = time.monotonic() + 75
        while self.last_heartbeat() == before:
            self.reporter.check()
            if time.monotonic() > deadline:
                raise Failed("No heartbeat has come to the product within 75 s. The agent's log ends with: %s" % " | ".join(lines(step["log"])[-5:]))
            time.sleep(0.25)
        kept = "nothing on this host can start it again after a reboot" if answer["supervision"] == "none" else "kept by " + answer["supervision"]
        return answer["changed"], "agent runs%s; %s" % ("" if answer["changed"] else " already", kept)

    def last_heartbeat(self):
        status, answer = self.product.ask("GET", "/api/v2/enrolment/heartbeat")
        return answer["lastAt"] if status == 200 else None

    def take_agent_away(self, step):
        self.python([step["script"], "uninstall"])
        for file in step["files"]:
            if os.path.exists(file["path"]):
                os.unlink(file["path"])
        return "removed the agent"

    def python(self, arguments):
        said = subprocess.run([sys.executable] + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if said.returncode != 0:
            raise Failed("%s: %s" % (" ".join(arguments), (said.stderr or said.stdout).decode("utf-8", "replace").strip()[-1000:]))
        return json.loads(said.stdout.decode())

    def prove_dns(self, step):
        for place in step["listen"]:
            for attempt in range(10):
                said = subprocess.run([sys.executable, "-c", step["question"], place["address"], str(place["port"])], input=json.dumps(step["zones"]).encode(),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
                if said.returncode == 0:
                    break
                time.sleep(1)
            else:
                raise Failed("Knot on %s port %d: %s. Its log ends with: %s" % (place["address"], place["port"], said.stderr.decode("utf-8", "replace").strip().split("\n")[-1], self.docker.last_words(step["container"])))
            self.note("%s port %d answers %d %s over UDP and TCP" % (place["address"], place["port"], len(step["zones"]), "zone" if len(step["zones"]) == 1 else "zones"))
        for zone in step.get("signed", []):
            published = self.docker.run(step["container"], zone["ask"])[1].splitlines()
            for ds in [line.split(" CDS ")[1].strip() for line in published if " CDS " in line]:
                self.note("%s is signed. Its parent zone needs: %s. DS %s" % (zone["name"], zone["name"], ds.upper()))
        return None, ""

    def prove_dhcp(self, step):
        for attempt in range(20):
            try:
                running = ask_kea(step["socket"], "config-get")["Dhcp4"].get("user-context", {}).get(SERVER_NAME)
                sockets = ask_kea(step["socket"], "status-get")["sockets"]
                if running == step["mark"] and sockets["status"] == "ready":
                    self.note("Kea runs with configuration %s and hears its interfaces" % running)
                    return None, ""
                why = "it runs with configuration %s and not with %s" % (running, step["mark"]) if running != step["mark"] else "it does not hear all of its interfaces: %s" % "; ".join(sockets.get("errors", []))
            except (OSError, KeyError, ValueError, Failed) as error:
                why = str(error)
            time.sleep(1)
        raise Failed("Kea on this host: %s" % why)

    def settle(self, step):
        """All is proven: what was kept for a way back goes."""
        self.back = []
        for name in step["containers"]:
            self.docker.remove(name + "-previous")
        for kept in step["configurations"]:
            current = os.readlink(os.path.join(kept["folder"], "current"))
            # One before the current one stays, for whoever wants to look.
            digests = sorted((n for n in os.listdir(kept["folder"]) if re.match(r"[0-9a-f]{16}\Z", n) and n != current), key=lambda n: os.lstat(os.path.join(kept["folder"], n)).st_mtime)
            for name in os.listdir(kept["folder"]):
                if name not in kept["names"] + ["current", current] + digests[-1:]:
                    remove(os.path.join(kept["folder"], name))
        return None, ""

    # Uninstalling.

    def check_owner(self, step):
        own = owner_here(step["agentFolder"])
        if own and own["serverId"] != self.state.told.get("serverId"):
            raise Failed("This host is managed as server %s of %s now. Nothing was removed." % (own["serverId"], own["api"]))
        return None, ""

    def remove_container(self, step):
        self.docker.stop(step["container"])
        gone = [name for name in (step["container"], step["container"] + "-previous") if self.docker.remove(name)]
        return bool(gone), "removed " + " and ".join(gone) if gone else "there is no " + step["container"]

    def remove_agent(self, step):
        if not os.path.exists(step["script"]):
            return False, "there is no agent"
        replace_file(step["script"], step["text"].encode())
        self.python([step["script"], "uninstall"])
        return True, "removed the agent"

    def remove_images(self, step):
        gone = []
        for repository in step["repositories"]:
            question = urllib.parse.quote(json.dumps({"reference": [repository]}))
            for tag in [tag for image in self.docker.ask("GET", "/images/json?filters=" + question) for tag in image.get("RepoTags") or []]:
                try:
                    self.docker.ask("DELETE", "/images/" + tag, missing={})
                    gone.append(tag)
                except Failed as error:
                    self.note("%s stays: %s" % (tag, error))
        return bool(gone), "removed " + " and ".join(gone) if gone else "there are none"

    def remove_folders(self, step):
        gone = [path for path in step["paths"] if remove(path)]
        if os.path.isdir(step["root"]):
            if os.listdir(step["root"]):
                self.note("%s stays, because it holds what is not the product's: %s" % (step["root"], ", ".join(os.listdir(step["root"]))))
            else:
                os.rmdir(step["root"])
        return bool(gone), "removed what was under " + step["root"] if gone else "there are none"


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
    else:
        return False
    return True


def content(path):
    """None where there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def contents(folder):
    found = {}
    for top, folders, names in os.walk(folder):
        for name in names + [f for f in folders if os.path.islink(os.path.join(top, f))]:
            path = os.path.join(top, name)
            found[os.path.relpath(path, folder)] = open(path, "rb").read() if os.path.isfile(path) and not os.path.islink(path) else None
    return found


def link(path, target):
    if os.path.lexists(path + ".new"):
        os.unlink(path + ".new")
    os.symlink(target, path + ".new")
    os.rename(path + ".new", path)


def end_group(process):
    """What the command started goes with it: it may outlive the command itself."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        for _ in range(100):
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def ask_kea(path, command):
    with socket.socket(socket.AF_UNIX) as kea:
        kea.settimeout(30)
        kea.connect(path)
        kea.sendall(json.dumps({"command": command}).encode())
        kea.shutdown(socket.SHUT_WR)
        answer = json.loads(b"".join(iter(lambda: kea.recv(65536), b"")).decode())
    if answer["result"] != 0:
        raise Failed("Kea answers %s with: %s" % (command, answer.get("text")))
    return answer.get("arguments")


def fetch_order(product, checked_in):
    for attempt in range(600):
        status, answer = product.ask("GET", "/api/v2/enrolment/order?runId=" + checked_in["runId"])
        if status == 200:
            return answer
        if status != 404:
            raise Refused(detail(answer, "The product does not give the order (%d)." % status))
        time.sleep(0.2)
    raise Refused("The product has not made the order within two minutes. Look at the run (%s) and run the line again." % checked_in["runId"])


def parse(arguments):
    options, rest = {}, list(arguments)
    while rest:
        option = rest.pop(0)
        if option == "--token-file" and rest:
            options[option] = rest.pop(0)
        elif option in ("--again", "--skip"):
            options[option] = True
        else:
            raise SystemExit("unknown: %s\n\n%s" % (option, __doc__))
    return options


def await_end(reporter, checked_in):
    """The product looks from its side too; what it says is the end of the matter."""
    deadline = time.monotonic() + 120
    while reporter.state in ("queued", "running", "waiting") and reporter.refusal is None and time.monotonic() < deadline:
        reporter.tell("", "alive")
        reporter.flush(10)
        time.sleep(0.3)
    if reporter.state == "succeeded":
        say("The run has succeeded.")
    elif reporter.state == "paused":
        say("All is done here, but the run has paused in the product. What it says: msctl runs show %s" % checked_in["runId"])
    return 0 if reporter.state == "succeeded" else 1


def main(arguments):
    options = parse(arguments)
    if os.geteuid() != 0:
        say("You are not root here, and nothing was done: run the line with sudo before it.")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    os.umask(0o077)
    product, reporter, work = Product(PRODUCT, AUTHORITY), None, None
    try:
        state = State(FOLDER)
        checked_in = check_in(product, state, options)
        say("%s: %s" % (checked_in["server"], checked_in["title"]))
        order = fetch_order(product, checked_in)
        reporter = Reporter(product, checked_in)
        work = Work(product, state, order, reporter, options)
        changed = work.do()
        say("Done; %s." % ("nothing had to be changed" if changed == 0 else "%d of %d steps changed something" % (changed, len(order["steps"]))))
        return await_end(reporter, checked_in)
    except Refused as error:
        say("\n%s" % error)
        return 1
    except Failed as error:
        say("\nFAILED: %s" % error)
        if work is None or work.step.get("do") != "validate":
            say("When that is put right, run the same line again: it goes on from here.")
        reporter.flush(60)
        return 1
    except Stopped as error:
        say("\nStopped (%s). Run the same line again: it goes on from here." % error)
        if reporter and work.step:
            reporter.tell(work.step["name"], "failed", "The line was stopped on the host (%s) before this was done." % error)
            reporter.flush(5)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
