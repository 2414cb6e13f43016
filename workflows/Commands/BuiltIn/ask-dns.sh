# Asks each address on which DNS was told to listen for its version, which every DNS server answers or refuses: either shows that it is there.
exec python3 - <<'END'
import os, socket, struct, sys

question = struct.pack("!6H", 7, 0, 1, 0, 0, 0) + b"\7version\4bind\0" + struct.pack("!2H", 16, 3)
failed = False
for listen in os.environ["MANAGED_SERVERS_LISTEN"].split():
    address, port = listen.rsplit("@", 1)
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.settimeout(3)
        try:
            way.connect((address, int(port)))
            way.send(question)
            answered = way.recv(4096)[:2] == question[:2]
        except OSError as problem:
            answered = False
            print("%s port %s: %s" % (address, port, problem))
    print("%s port %s %s." % (address, port, "answers" if answered else "does not answer"))
    failed |= not answered
sys.exit(failed)
END
