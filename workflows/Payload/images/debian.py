"""Debian packages as a tar file, made by mmdebstrap and kept, so that each set is fetched once."""

import hashlib
import json
import os
import subprocess

SUITE = "bookworm"

# Nobody reads manuals inside an image; the changelogs stay, they tell the versions.
UNREAD = ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*"]


def tree(folder, variant, packages):
    """variant `extract` only unpacks the packages and what they depend on; `minbase` is a system that runs."""
    packages = sorted(packages)
    recipe = json.dumps([SUITE, variant, packages, UNREAD, mirrors()])
    path = os.path.join(folder, f"{variant}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar")
    if os.path.exists(path):
        return path

    print(f"debian: {variant} tree of {len(packages)} packages …", flush=True)
    os.makedirs(folder, exist_ok=True)
    command = ["mmdebstrap", f"--variant={variant}", f"--include={','.join(packages)}", "--skip=output/dev"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD]
    command += apt_proxy()
    log, part = path + ".log", path + ".part.tar"
    with open(log, "wb") as output:
        status = subprocess.call([*command, SUITE, part, *mirrors()], stdout=output, stderr=output)
    if status != 0:
        with open(log, errors="replace") as output:
            raise SystemExit(f"mmdebstrap failed ({status}); the end of {log}:\n" + output.read()[-2000:])
    os.rename(part, path)
    return path


def mirrors():
    """Where a machine reaches Debian only through a mirror, MANAGED_SERVERS_DEBIAN_MIRROR names it."""
    mirror = os.environ.get("MANAGED_SERVERS_DEBIAN_MIRROR")
    return [f"deb {mirror} {SUITE} main"] if mirror else []


def apt_proxy():
    """The proxy that this machine's own apt uses; mmdebstrap does not read the machine's configuration."""
    asked = subprocess.run(["apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"],
                           capture_output=True, text=True)
    proxy = asked.stdout.strip()
    return [f'--aptopt=Acquire::http::Proxy "{proxy}"'] if proxy else []
