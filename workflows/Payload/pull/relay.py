"""Runs on a host while the product reads its statistics: takes a question a line, puts it to the agent and to the monitor, and answers with a line.

    python3 -c RELAY AGENT-FOLDER MONITOR-FOLDER
"""

import json
import os
import select
import socket
import sys
import time

PATIENCE = 12        # seconds for one of them
LONGEST = 1 << 20    # bytes of an answer of one of them
FORGOTTEN = 900      # seconds without a question, after which the product is gone and nobody has told us


def begin(folder, question):
    """A connection with the question in it, or why there is none."""
    peer = socket.socket(socket.AF_UNIX)
    try:
        os.chdir(folder)  # the path of a socket has 107 characters at most, and a home folder can be long
        peer.settimeout(PATIENCE)
        peer.connect("pull.sock")
        peer.sendall(json.dumps(question).encode() + b"\n")
        return peer
    except OSError as error:
        peer.close()
        return error


def end(peer, deadline):
    if isinstance(peer, OSError):
        raise peer
    with peer:
        answer = b""
        while not answer.endswith(b"\n"):
            peer.settimeout(max(0.01, deadline - time.monotonic()))
            part = peer.recv(1 << 18)
            answer += part
            if not part:
                raise ValueError("it hung up, its log says why")
            if len(answer) > LONGEST:
                raise ValueError("it answers with more than %d bytes" % LONGEST)
    return answer.decode().strip()


def answer_of(peer, deadline):
    try:
        return end(peer, deadline)
    except (OSError, ValueError) as error:
        return json.dumps({"problem": str(error) or type(error).__name__})


while select.select([0], [], [], FORGOTTEN)[0]:
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 1 << 16)
        if not part:
            sys.exit()
        line += part
    questions = json.loads(line.decode())
    asked = [(name, begin(folder, questions[name])) for name, folder in zip(("agent", "monitor"), sys.argv[1:]) if name in questions]
    deadline = time.monotonic() + PATIENCE
    sys.stdout.write("{%s}\n" % ",".join('"%s":%s' % (name, answer_of(peer, deadline)) for name, peer in asked))
    sys.stdout.flush()
