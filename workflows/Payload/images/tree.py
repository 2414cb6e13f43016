"""A Debian file tree inside a tar file, read without unpacking it and without being root."""

import fnmatch
import gzip
import posixpath
import re
import tarfile

import elf

MERGED = re.compile(r"^(bin|sbin|lib|lib64)(/|$)")


def canonical(path):
    """One name for a file: no leading slash, and below /usr where Debian has merged the two."""
    path = posixpath.normpath(path).lstrip("/")
    return "usr/" + path if MERGED.match(path) else path


class Tree:
    def __init__(self, path):
        self.tar = tarfile.open(path)
        self.entries = {}
        for entry in self.tar:
            name = canonical(entry.name)
            # A real folder wins over the link that stands for it in a merged tree.
            if not (entry.issym() and name in self.entries and self.entries[name].isdir()):
                self.entries[name] = entry

    def read(self, path):
        entry = self.entries[path]
        return self.tar.extractfile(entry).read()

    def target(self, path):
        """Where the link at path points, as a canonical path."""
        link = self.entries[path].linkname
        return canonical(posixpath.join("/", posixpath.dirname(path), link))

    def package_version(self, package):
        """The upstream version, from the changelog that every Debian package carries."""
        for name in ("changelog.Debian.gz", "changelog.gz"):
            path = f"usr/share/doc/{package}/{name}"
            if path in self.entries:
                first = gzip.decompress(self.read(path)).split(b"\n")[0].decode()
                full = re.match(r"\S+ \(([^)]+)\)", first).group(1)
                return re.sub(r"^\d+:", "", full).rsplit("-", 1)[0]
        raise SystemExit(f"no changelog of {package} in the tree: its version is unknown")

    def matching(self, pattern):
        """All paths that the pattern means; one that ends in / means the folder with everything below."""
        pattern = canonical(pattern) + ("/*" if pattern.endswith("/") else "")
        found = [path for path in self.entries if fnmatch.fnmatchcase(path, pattern)]
        if not found:
            raise SystemExit(f"nothing in the tree matches {pattern}")
        return found

    def closure(self, patterns, excluded):
        """The files that the patterns name, what their links point to, and every library they load."""
        wanted = [path for pattern in patterns for path in self.matching(pattern)]
        wanted = [path for path in wanted if not any(fnmatch.fnmatchcase(path, e) for e in excluded)]
        chosen = {}
        while wanted:
            path = wanted.pop()
            if path in chosen:
                continue
            entry = self.entries[path]
            chosen[path] = entry
            if entry.issym():
                wanted.append(self.target(path))
            elif entry.isfile() or entry.islnk():
                wanted += self.libraries(path)
        return chosen

    def libraries(self, path):
        interpreter, needed = elf.needs(self.read(path))
        found = [canonical(interpreter)] if interpreter else []
        for name in needed:
            places = [p for p in self.entries if fnmatch.fnmatchcase(p, f"usr/lib/*-linux-gnu/{name}")]
            if not places:
                raise SystemExit(f"{path} needs {name}, which no package in the tree has")
            found.append(places[0])
        return found
