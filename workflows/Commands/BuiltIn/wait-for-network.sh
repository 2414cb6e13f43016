# A way out, names that are resolved where any are needed, and the product itself in reach.
exec python3 -u - <<'END'
import os, socket, time
from urllib.parse import urlsplit

api = urlsplit(os.environ["MANAGED_SERVERS_API"])
said = None
while True:
    try:
        socket.create_connection((api.hostname, api.port or 443), 5).close()
        print("%s is in reach." % api.netloc)
        break
    except OSError as problem:
        if str(problem) != said:
            print("%s is not in reach yet: %s" % (api.netloc, problem))
            said = str(problem)
        time.sleep(1)
END
