"""The product fetches what is in the spool, over its own login on this host, and nothing is sent. The monitor imports it; in the agent, which must be one file, it stands in its place."""

import json
import os
import signal
import socket
import threading
import time

SOCKET = "pull.sock"
QUESTION_BYTES = 64 * 1024
ANSWER_RECORDS = 200
PEER_PATIENCE = 5   # seconds for a question, and for an answer: whoever hangs holds up the next one no longer
FRESH_PATIENCE = 8  # seconds until what is asked to be counted now has been
MAIN_THREADS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM)


class Pulled:
    """Listens on a socket in a private folder. A connection carries one question and its answer, each one line of JSON, so that there is nothing to be left half-open.

        {"acked": {"epoch": e, "seq": n}, "settings": …, "fresh": true}    all of it optional
        {"server": id, "report": as it would be sent, "more": true where not all went into it}

    What is acknowledged is forgotten before the answer is made."""

    def __init__(self, folder, server, spool, name, log):
        self.server, self.spool, self.name, self.log = server, spool, name, log
        self.said = {}                     # what the product wants, as it has last said it
        self.asked, self.made = threading.Event(), threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            path = "/proc/self/fd/%d/%s" % (descriptor, SOCKET)  # the path of a socket has 107 characters at most, and a home folder can be long
            if os.path.lexists(path):
                os.unlink(path)  # of one that was killed; nobody listens there any more
            self.listener.bind(path)
            # In a folder that lets nobody else in, the login that may enter it may ask, also where root in a container has made the socket.
            os.chmod(path, 0o600 if os.fstat(descriptor).st_mode & 0o077 else 0o666)
        finally:
            os.close(descriptor)
        self.listener.listen(8)
        # A signal that came to the thread would wake nobody: they are the main thread's.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, MAIN_THREADS)
        threading.Thread(target=self.serve, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def serve(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError as error:
                self.log("cannot be asked for what is measured: %s" % error)
                time.sleep(1)
                continue
            with peer:
                try:
                    self.answer(peer)
                except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
                    self.log("not fetched: %s: %s" % (type(error).__name__, error))

    def answer(self, peer):
        question = json.loads(question_of(peer).decode())
        acked = question.get("acked")
        if acked:
            self.spool.ack_through(acked["epoch"], acked["seq"])
        if isinstance(question.get("settings"), dict):
            self.said = {"settings": question["settings"]}
        if question.get("fresh"):
            self.made.clear()
            self.asked.set()
            self.made.wait(FRESH_PATIENCE)
        batch = self.spool.peek(ANSWER_RECORDS)
        report = self.spool.report(self.name, batch) if batch.records else None
        answer = json.dumps({"server": self.server, "report": report, "more": batch.more}, separators=(",", ":"))
        peer.settimeout(PEER_PATIENCE)
        peer.sendall(answer.encode() + b"\n")

    def rest(self, seconds):
        """True where somebody has asked in the meantime that it be counted now."""
        return self.asked.wait(seconds)

    def counted(self):
        self.asked.clear()
        self.made.set()


def question_of(peer):
    text, deadline = b"", time.monotonic() + PEER_PATIENCE
    while b"\n" not in text:
        peer.settimeout(max(0.01, deadline - time.monotonic()))
        part = peer.recv(QUESTION_BYTES)
        text += part
        if not part or len(text) > QUESTION_BYTES:
            raise ValueError("the question is no line of at most %d bytes" % QUESTION_BYTES)
    return text
