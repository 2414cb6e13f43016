"""The socket that Knot's dnstap module connects to. Knot is the client, and comes back every few seconds when it was cut off."""

import os
import socket
import sys
import threading

import dnstap


class Tap:
    def __init__(self, path, tally):
        self.tally, self.lock, self.up = tally, threading.Lock(), 0
        self.connections = self.heard = 0  # since the start, for whoever waits for them
        if os.path.exists(path):
            os.unlink(path)  # of a monitor that was killed; nobody listens there any more
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)  # the folder is private: who may enter it, such as a login without root, may look whether we listen
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def connected(self):
        return self.up > 0

    def take(self):
        with self.lock:
            return self.tally.take()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        started = False
        try:
            with connection:
                for frames in dnstap.frames(connection):
                    with self.lock:
                        self.up += not started
                        self.connections += not started
                        started = True
                        for frame in frames:
                            self.count(frame)
        except (OSError, dnstap.BadStream) as error:
            print("dnstap connection ended: %s" % error, file=sys.stderr)
        finally:
            with self.lock:
                self.up -= started

    def count(self, frame):
        self.heard += 1
        try:
            found = dnstap.question(frame)
        except (IndexError, dnstap.BadStream):
            self.tally.skip()
            return
        if found is not None:
            self.tally.add(*found)
