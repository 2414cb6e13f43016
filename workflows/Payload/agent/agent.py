#!/usr/bin/env python3
"""The heartbeat agent of Managed Servers: tells the product every 30 s that this host lives, how it is, and what runs on it; or keeps it for the product to fetch.

    agent.py install     keep the agent running on this host, from now on and after a reboot; safe to repeat
    agent.py uninstall   leave the host as it was before
    agent.py status      what is running
    agent.py probe       what `install` would have start the agent at boot; changes nothing
    agent.py prove       one beat, shown and not sent; changes nothing
    agent.py supervise   where there is no systemd: run the agent in the background and start it again when it dies
    agent.py run         the agent itself

Python 3.6 or newer, standard library only. Settings in agent.json beside this file. Needs neither Docker nor a shell.
Runs as root, or as a user who looks after nothing but what is his own: his systemd, his crontab.
"""

# On a host they stand here: there the agent is one file.
# include monitor/delivery.py
# include monitor/pull.py
# include agent/measures.py
# include agent/watch.py
# include agent/update.py

import fcntl
import hashlib
import pwd
import re
import shlex
import shutil
import subprocess
import sys

VERSION = "2"
HERE = os.path.dirname(os.path.realpath(__file__))


# --- the agent ---

class Log:
    """A file of at most 256 KiB, and the one before. What is said again and again is said once."""

    def __init__(self, path):
        self.path, self.last = path, None

    def __call__(self, text):
        if text == self.last:
            return
        self.last = text
        try:
            if os.path.exists(self.path) and os.path.getsize(self.path) > 256 * 1024:
                os.rename(self.path, self.path + ".1")
            with open(self.path, "a") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write("%s %s\n" % (utc(time.time()), text[:2000]))
        except OSError:
            pass


class Lock:
    """Held by the one process that wrote its id into the file; the kernel gives it up when that process is gone."""

    def __init__(self, name):
        self.path, self.descriptor = os.path.join(HERE, name), None

    def take(self, patience, **told):
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    return False
                time.sleep(0.05)
        self.descriptor = descriptor
        text = json.dumps(dict(told, pid=os.getpid())).encode()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text, 0)
        return True

    def holder(self):
        """What the holder told, {} while it is about to, None when nobody holds it."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            try:
                return json.loads(os.pread(descriptor, 4096, 0).decode() or "{}")
            except ValueError:
                return {}
        finally:
            os.close(descriptor)


def beside(name):
    return os.path.join(HERE, name)


def configuration():
    with open(beside("agent.json")) as file:
        config = json.load(file)
    config.setdefault("caFile", beside("ca.pem"))
    config.setdefault("spoolFolder", beside("spool"))
    config.setdefault("intervalSeconds", 30)
    return config


def digest():
    """Of everything that a running agent has read: another one means that it must be started again."""
    total = hashlib.sha256()
    for path in (os.path.realpath(__file__), beside("agent.json"), configuration()["caFile"]):
        with open(path, "rb") as file:
            total.update(hashlib.sha256(file.read()).digest())
    return total.hexdigest()


def stop(number, frame):
    raise SystemExit(0)  # anywhere: what is on disk is whole at every moment


def run(supervisor=None):
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.umask(0o077)
    log = Log(beside("agent.log"))
    started, config, lock = digest(), configuration(), Lock("agent.lock")
    if not lock.take(2, digest=started):
        return  # there is one already
    try:
        beat_for_ever(config, log, supervisor)
    except (OSError, ValueError, KeyError) as error:
        log("stopped: %s: %s" % (type(error).__name__, error))
        raise SystemExit(1)


class Beats:
    """When a beat is due: at the host's own phase, so that a fleet does not beat in step."""

    def __init__(self, server, interval):
        self.fraction = int(hashlib.sha256(server.encode()).hexdigest()[:8], 16) / 2.0 ** 32
        self.every(interval)

    def every(self, interval):
        self.interval = interval
        # The phase is taken from the clock once; after that only steady time counts, so that a clock that is set moves no beat.
        self.due = time.monotonic() + (self.fraction * interval - time.time()) % interval

    def rest(self):
        return max(0.0, self.due - time.monotonic())

    def pass_by(self):
        while not self.rest():
            self.due += self.interval


def beat_for_ever(config, log, supervisor):
    beats = Beats(config["serverId"], max(1.0, float(config["intervalSeconds"])))
    spool, measures = Spool(config["spoolFolder"], config.get("spoolBytes", 8 << 20), log), Measures()
    product = pulled = update = watch = None
    if config.get("pull"):
        pulled = Pulled(HERE, config["serverId"], spool, "beats", log)
    else:
        product = Product(config)
        update = Update(os.path.realpath(__file__), product, log, beats.interval, beats.fraction * beats.interval)
        watch = Watch(product, log)
    log("agent %s started, process %d, %d beats in the spool" % (VERSION, os.getpid(), spool.pending()))

    def heed(answer):
        """What the product wants from now on."""
        interval, services = settings_in(answer)
        if interval and interval != beats.interval:
            log("a beat every %d s from now on" % interval)
            beats.every(float(interval))
        measures.wanted(services)
        if update:
            update.hear(answer.get("agent"))

    def report():
        if pulled and pulled.said:
            heed(pulled.said)
        spool.append(measures.beat())
        if product:
            deliver_until(beats, spool, product, heed, log)
        os.utime(beside("agent.lock"))
        if watch and not spool.peek(1).records:  # what was measured goes first
            watch.report(min(20.0, max(5.0, beats.rest())))

    while True:
        report()
        if update and update.make():
            run_anew("run", *(("--supervisor", str(supervisor)) if supervisor else ()))
        while beats.rest():
            if signal.sigtimedwait([signal.SIGUSR1], beats.rest()):
                if watch:
                    watch.due = 0.0
                report()  # an installation asks for a sign of life
        if supervisor and os.getppid() != supervisor:
            log("the supervisor is gone; becoming it")
            if product:
                product.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
            run_anew("supervise")
        beats.pass_by()


def run_anew(*arguments):
    os.execv(sys.executable, (sys.executable, "-I", os.path.realpath(__file__)) + arguments)


def deliver_until(beats, spool, product, heed, log):
    """Until all is delivered or the next beat is due. A beat that is a few seconds late still counts, so it is soon tried again."""
    pause = 1.0
    while beats.rest():
        try:
            if deliver(spool, product, "/api/v2/monitoring/heartbeats", "beats", beats.due, log, heed):
                log("delivering")
            return
        except Undelivered as error:
            log("not delivered: %s" % error)
            wait = max(pause, min(error.retry_after or 0, 300))
            if wait >= beats.rest():
                return
            time.sleep(wait)
            pause *= 2


# --- keeping it running ---

def supervise():
    """In the background, in a session of its own, so that it outlives the login that started it."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    os.umask(0o077)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(3, 256)
    lock = Lock("supervisor.lock")
    if not lock.take(2):
        return
    child = [0]

    def end(number, frame):
        try:
            if child[0]:
                os.kill(child[0], signal.SIGTERM)
                signal.signal(signal.SIGALRM, lambda *_: os.kill(child[0], signal.SIGKILL))
                signal.alarm(10)
                os.waitpid(child[0], 0)
        finally:
            os._exit(0)

    pause = 1
    while True:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        child[0] = os.fork()
        if child[0] == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            os.execv(sys.executable, [sys.executable, "-I", os.path.realpath(__file__), "run", "--supervisor", str(os.getppid())])
        signal.signal(signal.SIGTERM, end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        started = time.monotonic()
        os.waitpid(child[0], 0)
        child[0] = 0
        pause = 1 if time.monotonic() - started > 60 else min(30, pause * 2)
        time.sleep(pause)


UNIT_NAME = "managed-servers-agent.service"
ROOT = os.geteuid() == 0

# System calls are named that are denied, not those that are allowed: a systemd older than a name passes over it, and an
# agent with nothing allowed would be killed (systemd before 239 and @system-service, on hosts with Python 3.6).
UNIT = """[Unit]
Description=Managed Servers heartbeat agent
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart={python} -I {script} run
Restart=always
RestartSec=2
UMask=0077
MemoryMax=64M
TasksMax=16
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_DAC_READ_SEARCH
ProtectSystem=strict
ReadWritePaths={folder}
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=~@cpu-emulation @debug @keyring @mount @obsolete @privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""

# The walls of the unit above need root, as name spaces do; a user has none to give up either.
USER_UNIT = """[Unit]
Description=Managed Servers heartbeat agent
StartLimitIntervalSec=0

[Service]
ExecStart={python} -I {script} run
Restart=always
RestartSec=2
UMask=0077
MemoryMax=64M
TasksMax=16
NoNewPrivileges=yes
RestrictRealtime=yes
LockPersonality=yes

[Install]
WantedBy=default.target
"""


def user():
    return pwd.getpwuid(os.geteuid())


def in_unit(path):
    """As systemd reads it back in a command line."""
    path = path.replace("%", "%%").replace("$", "$$")
    return path if re.match(r"[\w/.:@%$+-]+\Z", path) else '"%s"' % path.replace("\\", "\\\\").replace('"', '\\"')


def call(*command, **options):
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60, env=environment, **options)


def must(*command):
    result = call(*command)
    if result.returncode:
        raise RuntimeError("%s: %s" % (" ".join(command), result.stderr.strip()))
    return result.stdout


class Systemd:
    name, control, unit, wanted, more = "systemd", ("systemctl",), UNIT, "multi-user.target", "; what systemd says: systemctl status " + UNIT_NAME

    def __init__(self):
        self.folder = "/etc/systemd/system"
        self.path = os.path.join(self.folder, UNIT_NAME)

    @staticmethod
    def usable():
        return os.path.isdir("/run/systemd/system") and shutil.which("systemctl") is not None

    def text(self):
        return self.unit.format(python=in_unit(sys.executable), script=in_unit(os.path.realpath(__file__)), folder=HERE).encode()

    def add(self):
        enabled = os.path.exists(os.path.join(self.folder, self.wanted + ".wants", UNIT_NAME))
        if os.path.exists(self.path) and open(self.path, "rb").read() == self.text() and enabled:
            return False
        replace_file(self.path, self.text(), 0o644)
        must(*self.control, "enable", "--quiet", UNIT_NAME)
        return True

    def remove(self):
        if not os.path.exists(self.path):
            return False
        must(*self.control, "disable", "--now", "--quiet", UNIT_NAME)
        os.unlink(self.path)
        must(*self.control, "daemon-reload")
        call(*self.control, "reset-failed", UNIT_NAME)
        return True

    def start(self):
        must(*self.control, "daemon-reload")  # here, because an installation before this one may have been cut off after writing the unit
        must(*self.control, "restart", UNIT_NAME)

    def keeps(self, agent):
        return must(*self.control, "show", "--property=MainPID", UNIT_NAME).strip() == "MainPID=%d" % agent.get("pid", -1)

    def stop(self):
        if os.path.exists(self.path):
            call(*self.control, "stop", UNIT_NAME)


class UserSystemd(Systemd):
    """A user's own systemd, which runs from boot on only where root has switched lingering on for him."""
    name, control, unit, wanted, more = "systemd --user", ("systemctl", "--user"), USER_UNIT, "default.target", "; what systemd says: systemctl --user status " + UNIT_NAME

    def __init__(self):
        self.folder = os.path.join(user().pw_dir, ".config/systemd/user")
        self.path = os.path.join(self.folder, UNIT_NAME)
        # A login over SSH need not have set it.
        os.environ.setdefault("XDG_RUNTIME_DIR", "/run/user/%d" % os.geteuid())

    @staticmethod
    def usable():
        return Systemd.usable() and UserSystemd.lingers() and call(*UserSystemd().control, "show", "--property=Version").returncode == 0

    @staticmethod
    def lingers():
        return os.path.exists("/var/lib/systemd/linger/" + user().pw_name)

    def text(self):
        """Says in its first line how many folders were made for it, so that they go with it."""
        try:
            with open(self.path, "rb") as file:
                first = file.readline()
        except FileNotFoundError:
            first = b""
        if not re.match(rb"# made [0-3]\n\Z", first):
            missing, folder = 0, self.folder
            while not os.path.isdir(folder):
                missing, folder = missing + 1, os.path.dirname(folder)
            first = b"# made %d\n" % missing
        return first + super().text()

    def add(self):
        text = self.text()
        if not os.path.isdir(self.folder):
            os.makedirs(self.folder, 0o755)
            replace_file(self.path, text, 0o644)
        return super().add()

    def remove(self):
        made = int(self.text().split(b"\n")[0].split()[-1]) if os.path.exists(self.path) else 0
        changed = super().remove()
        folder = self.folder
        for _ in range(made):
            try:
                os.rmdir(folder)
            except OSError:
                break
            folder = os.path.dirname(folder)
        return changed


class Background:
    """The start and stop of the supervised process, however the machine starts it at boot."""
    more = ""

    def start(self):
        must(sys.executable, "-I", os.path.realpath(__file__), "supervise")

    def keeps(self, agent):
        return bool(Lock("supervisor.lock").holder())

    def stop(self):
        pass

    @staticmethod
    def command():
        return " ".join(shlex.quote(word) for word in (sys.executable, "-I", os.path.realpath(__file__), "supervise"))


class Cron(Background):
    name, mark = "cron", "# Managed Servers heartbeat agent"

    @staticmethod
    def usable():
        if not shutil.which("crontab"):
            return False
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                if lines("/proc/%s/comm" % process)[0] in ("cron", "crond"):
                    return True
            except (OSError, LookupError):
                pass
        return False

    def table(self):
        result = call("crontab", "-l")
        if result.returncode and "no crontab" not in result.stderr:
            raise RuntimeError("crontab -l: " + result.stderr.strip())
        return result.stdout if result.returncode == 0 else ""

    def write(self, table):
        result = call("crontab", "-", input=table) if table else call("crontab", "-r")
        if result.returncode:
            raise RuntimeError("crontab: " + result.stderr.strip())

    def add(self):
        # To cron a percent sign is a line's end.
        table, line = self.table(), "@reboot %s %s\n" % (self.command().replace("%", "\\%"), self.mark)
        if line in table:
            return False
        self.write(self.without(table) + line)
        return True

    def remove(self):
        if not shutil.which("crontab"):
            return False
        table = self.table()
        if self.mark not in table:
            return False
        self.write(self.without(table))
        return True

    def without(self, table):
        return "".join(line for line in table.splitlines(True) if self.mark not in line)


class RcLocal(Background):
    """Our lines stand between two marks; the first says what else was changed, so that the file can be given back byte by byte."""
    name, path = "rc.local", "/etc/rc.local"
    block = re.compile(rb"# Managed Servers agent: begin(?P<newline> newline)?(?: mode (?P<mode>[0-7]+))?(?P<made> made)?\n.*?# Managed Servers agent: end\n", re.S)

    @classmethod
    def usable(cls):
        return any(os.path.exists(path) for path in (cls.path, "/etc/init.d/rc.local", "/etc/rc.d/rc.local"))

    def add(self):
        path = os.path.realpath(self.path)
        made = not os.path.exists(path)
        before = b"#!/bin/sh\n" if made else open(path, "rb").read()
        mode = 0o755 if made else os.stat(path).st_mode & 0o7777
        clean, told = self.without(before, mode)
        made = made or told == "made"
        mode = told if isinstance(told, int) else mode
        # Before a final `exit 0`, or it would never be reached.
        last = re.search(rb"^exit\b[^\n]*\n?\s*\Z", clean, re.M)
        at = last.start() if last else len(clean)
        newline = at > 0 and clean[at - 1:at] != b"\n"
        begin = "begin%s%s%s" % (" newline" if newline else "", "" if mode & 0o111 else " mode %o" % mode, " made" if made else "")
        ours = "# Managed Servers agent: %s\n%s\n# Managed Servers agent: end\n" % (begin, self.command())
        after = clean[:at] + (b"\n" if newline else b"") + ours.encode() + clean[at:]
        if after == before:
            return False
        replace_file(path, after, mode if mode & 0o111 else mode | 0o111)
        return True

    def remove(self):
        path = os.path.realpath(self.path)
        if not os.path.exists(path):
            return False
        before = open(path, "rb").read()
        if not self.block.search(before):
            return False
        clean, told = self.without(before, os.stat(path).st_mode & 0o7777)
        if told == "made" and clean == b"#!/bin/sh\n":
            os.unlink(path)
        else:
            replace_file(path, clean, told if isinstance(told, int) else os.stat(path).st_mode & 0o7777)
        return True

    def without(self, text, mode):
        """The file as it was, and what else was changed: its mode, or that we made it."""
        found = self.block.search(text)
        if not found:
            return text, None
        start = found.start() - (1 if found.group("newline") else 0)
        told = "made" if found.group("made") else int(found.group("mode"), 8) if found.group("mode") else None
        return text[:start] + text[found.end():], told


class Nothing(Background):
    name = "none"

    @staticmethod
    def usable():
        return True

    def add(self):
        return False

    def remove(self):
        return False


SYSTEMD = Systemd if ROOT else UserSystemd
SUPERVISIONS = (Systemd, Cron, RcLocal, Nothing) if ROOT else (UserSystemd, Cron, Nothing)


def prove():
    configuration()
    print(json.dumps(Measures().beat()))


def probe():
    print(json.dumps({"supervision": first_that_may().name, "rootStep": root_step() if first_that_may() is Nothing and not ROOT else None}))


def first_that_may():
    for kind in SUPERVISIONS:
        try:
            if kind.usable() and (kind is not Cron or kind().table() is not None):
                return kind
        except (OSError, RuntimeError, subprocess.SubprocessError):
            pass
    return Nothing


def root_step():
    """What root can do so that a user's agent is started at boot; None where there is neither systemd nor cron."""
    name = shlex.quote(user().pw_name)
    if Systemd.usable() and shutil.which("loginctl"):
        return "loginctl enable-linger " + name
    if not Cron.usable():
        return None
    if os.path.exists("/etc/cron.allow"):
        return "echo %s >> /etc/cron.allow" % name
    line = re.sub(r"([^A-Za-z0-9_-])", r"\\\1", user().pw_name)
    return "sed -i %s /etc/cron.deny" % shlex.quote("/^%s$/d" % line)


def install():
    with_lock(lambda: print(json.dumps(keep_running())))


def keep_running():
    os.chmod(beside("agent.json"), 0o600)
    wanted = digest()
    if not configuration().get("pull"):
        Product(configuration())  # settings that cannot work are said here, where somebody reads it
    chosen, changed = None, False
    for supervision in (kind() for kind in SUPERVISIONS if kind.usable()):
        try:
            changed, chosen = supervision.add(), supervision
            break
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print("%s cannot be used: %s" % (supervision.name, error), file=sys.stderr)
    changed = remove_all(except_for=type(chosen)) or changed
    running = Lock("agent.lock").holder()
    if not running or running.get("digest") != wanted or not chosen.keeps(running) or not comes_round(running) or changed and isinstance(chosen, Systemd):
        stop_all()
        chosen.start()
        changed = True
    deadline = time.monotonic() + 15
    while (Lock("agent.lock").holder() or {}).get("digest") != wanted:
        if time.monotonic() > deadline:
            raise SystemExit("the agent does not start; its log: %s%s" % (beside("agent.log"), chosen.more))
        time.sleep(0.01)
    return {"changed": changed, "supervision": chosen.name, "pid": Lock("agent.lock").holder()["pid"]}


def comes_round(agent):
    """Whether the agent beats when it is asked to: one that hangs is there, and does nothing."""
    path, deadline = beside("agent.lock"), time.monotonic() + 15
    before = os.stat(path).st_mtime_ns
    os.kill(agent["pid"], signal.SIGUSR1)
    while os.stat(path).st_mtime_ns == before:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def remove_all(except_for=None):
    changed = False
    for kind in SUPERVISIONS:
        try:
            changed = kind is not except_for and kind().remove() or changed
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print("%s could not be cleaned up: %s" % (kind.name, error), file=sys.stderr)
    return changed


def uninstall():
    with_lock(leave)


def leave():
    changed = Lock("agent.lock").holder() is not None
    # A unit that stays would start what is deleted next, again and again: where systemd does not let go of it, nothing is deleted.
    changed = SYSTEMD().remove() or changed
    changed = remove_all(except_for=SYSTEMD) or changed
    stop_all()
    try:
        spool = configuration()["spoolFolder"]
    except (OSError, ValueError):
        spool = beside("spool")
    shutil.rmtree(spool, ignore_errors=True)
    for name in ("agent.log", "agent.log.1", "agent.lock", "supervisor.lock", SOCKET):
        if os.path.exists(beside(name)):
            os.unlink(beside(name))
    print(json.dumps({"changed": changed}))


def stop_all():
    """The supervisor first, or it would start the agent again."""
    SYSTEMD().stop()
    for name in ("supervisor.lock", "agent.lock"):
        lock, deadline = Lock(name), time.monotonic() + 15
        holder = lock.holder()
        while holder is not None:
            if holder.get("pid"):
                try:
                    os.kill(holder["pid"], signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.1)
            holder = lock.holder()


def status():
    agent, supervisor = Lock("agent.lock").holder(), Lock("supervisor.lock").holder()
    state = os.path.join(configuration()["spoolFolder"], "state")
    print(json.dumps({"running": agent is not None, "pid": (agent or {}).get("pid"), "supervisor": (supervisor or {}).get("pid"),
                      "current": (agent or {}).get("digest") == digest(),
                      "lastDelivered": utc(os.path.getmtime(state)) if os.path.exists(state) else None}))


def with_lock(action):
    """Two installations at once take turns."""
    lock = Lock("install.lock")
    if not lock.take(60):
        raise SystemExit("another installation of the agent has been going on for a minute")
    try:
        action()
    finally:
        os.unlink(lock.path) if action is leave else None


def main(arguments):
    commands = {"install": install, "uninstall": uninstall, "status": status, "probe": probe, "prove": prove, "supervise": supervise, "run": run}
    if arguments[:2] == ["run", "--supervisor"] and len(arguments) == 3 and arguments[2].isdigit():
        run(int(arguments[2]))
    elif len(arguments) == 1 and arguments[0] in commands:
        commands[arguments[0]]()
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
