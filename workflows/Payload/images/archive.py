"""Layers and docker-archives, byte for byte the same from the same content: sorted, with fixed times and owners."""

import gzip
import hashlib
import io
import json
import os
import posixpath
import tarfile

TIME = 0
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MERGED_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}


class Layer:
    def __init__(self):
        self.entries = {}

    def add_tree(self, tree, chosen):
        for path, entry in chosen.items():
            kind = tarfile.REGTYPE if entry.islnk() else entry.type  # a hard link becomes a copy
            data = tree.read(path) if kind == tarfile.REGTYPE else b""
            self.entries[path] = (kind, entry.mode, entry.uid, entry.gid, entry.linkname, data)

    def add_folder(self, path, mode=0o755):
        self.entries.setdefault(path.strip("/"), (tarfile.DIRTYPE, mode, 0, 0, "", b""))

    def add_file(self, path, data, executable=False):
        self.entries[path.strip("/")] = (tarfile.REGTYPE, 0o755 if executable else 0o644, 0, 0, "", data)

    def add_merged_links(self):
        for link, folder in MERGED_LINKS.items():
            if any(path.startswith(folder + "/") for path in self.entries):
                self.entries[link] = (tarfile.SYMTYPE, 0o777, 0, 0, folder, b"")

    def add_parents(self):
        for path in list(self.entries):
            while path := posixpath.dirname(path):
                self.add_folder(path)

    def write(self, file):
        """Writes the layer and returns its sha256."""
        self.add_parents()
        file = Hashed(file)
        with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            for path, (kind, mode, uid, gid, link, data) in sorted(self.entries.items()):
                info = tarfile.TarInfo(path)
                info.type, info.mode, info.uid, info.gid = kind, mode, uid, gid
                info.linkname = link if kind == tarfile.SYMTYPE else ""
                info.size, info.mtime = len(data), TIME
                tar.addfile(info, io.BytesIO(data))
        return file.sha256.hexdigest()


class Hashed:
    def __init__(self, file):
        self.file, self.sha256 = file, hashlib.sha256()

    def write(self, data):
        self.sha256.update(data)
        return self.file.write(data)


def image_config(config, layer_sha256, labels):
    return json.dumps({
        "architecture": ARCHITECTURES[os.uname().machine],
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {**config, "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_sha256}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "managed-servers"}],
    }, sort_keys=True).encode()


def write_archive(path, image, config, layer_path):
    """What `docker load` reads: one layer, its configuration and the name. Zipped when the name says so."""
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [image], "Layers": ["layer.tar"]}]).encode()
    with open(path, "wb") as raw:
        zipped = path.endswith(".gz")
        file = gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=TIME, compresslevel=6) if zipped else raw
        with tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
            for name, data in ((config_name, config), ("manifest.json", manifest)):
                info = tarfile.TarInfo(name)
                info.size, info.mtime = len(data), TIME
                tar.addfile(info, io.BytesIO(data))
            with open(layer_path, "rb") as layer:
                info = tarfile.TarInfo("layer.tar")
                info.size, info.mtime = layer.seek(0, 2), TIME
                layer.seek(0)
                tar.addfile(info, layer)
        if zipped:
            file.close()
