#!/usr/bin/env python3
"""Builds container images from Debian's packages, with no registry and no Docker: `build.py --into FOLDER IMAGE-FOLDER...`

An image folder holds image.json and rootfs/, a tree that is laid over the packages' files. Beside each archive stands
NAME.json, the manifest that the product and the tests read. An image whose inputs have not changed is left as it is.
"""

import argparse
import concurrent.futures
import fcntl
import fnmatch
import hashlib
import json
import os
import shutil
import subprocess
import sys

import archive
import debian
from tree import Tree

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", "..", ".."))


class Image:
    def __init__(self, folder):
        self.folder = os.path.realpath(folder)
        self.label = os.path.basename(self.folder)
        with open(os.path.join(self.folder, "image.json")) as file:
            self.definition = json.load(file)
        self.overlays = [(os.path.normpath(os.path.join(self.folder, source)), target)
                         for source, target in self.definition["overlays"].items()]

    def files(self):
        """(file on this machine, path in the image), sorted."""
        for source, target in self.overlays:
            for folder, folders, names in os.walk(source):
                folders[:] = sorted(name for name in folders if name != "__pycache__")
                for name in sorted(names):
                    path = os.path.join(folder, name)
                    yield path, os.path.normpath(os.path.join(target, os.path.relpath(path, source)))

    def inputs(self):
        """A hash of everything that the image is made of, apart from what a Debian mirror serves today."""
        builder = [os.path.join(HERE, name) for name in sorted(os.listdir(HERE)) if name.endswith(".py")]
        digest = hashlib.sha256(repr((debian.mirrors(), product_version())).encode())
        for path in [os.path.join(self.folder, "image.json"), *builder]:
            digest.update(contents(path))
        for path, target in self.files():
            digest.update(f"{target} {os.access(path, os.X_OK)}\n".encode() + contents(path))
        return digest.hexdigest()


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def product_version():
    text = contents(os.path.join(ROOT, "Directory.Build.props")).decode()
    return text.split("<Version>")[1].split("</Version>")[0]


def build(image, tree, into):
    definition = image.definition
    layer = archive.Layer()
    if definition["variant"] == "extract":
        layer.add_tree(tree, tree.closure(definition["files"], definition.get("exclude", [])))
    else:
        layer.add_tree(tree, whole(tree, definition.get("exclude", [])))
    layer.add_merged_links()
    for path, target in image.files():
        layer.add_file(target, contents(path), os.access(path, os.X_OK))
    for path in definition.get("folders", []):
        layer.add_folder(path)
    layer.add_folder("tmp", 0o1777)
    entrypoint = definition["config"]["Entrypoint"][0]
    if entrypoint.strip("/") not in layer.entries:
        raise SystemExit(f"{image.label}: its entrypoint {entrypoint} is not among its files")

    part = os.path.join(into, "cache", image.label + ".layer")
    with open(part, "wb") as file:
        layer_sha256 = layer.write(file)
    version = product_version() if definition["version"] == "product" else tree.package_version(definition["version"])
    config = archive.image_config(definition["config"], layer_sha256, {"managed-servers.version": version})
    digest = hashlib.sha256(config).hexdigest()  # the configuration names the layer's hash, so this covers both
    tag = f"{version}-{digest[:12]}" if "component" in definition else digest[:12]
    name = f"{definition['name']}:{tag}"
    file = os.path.basename(definition["name"]) + (".tar.gz" if "component" in definition else ".tar")
    path = os.path.join(into, file if "component" in definition else os.path.join("cache", file))
    archive.write_archive(path, name, config, part)
    os.remove(part)
    return {"component": definition.get("component"), "version": version, "image": name, "digest": digest,
            "archive": os.path.relpath(path, into), "size": os.path.getsize(path)}


def whole(tree, excluded):
    """Everything in the tree, apart from what the patterns exclude."""
    return {path: entry for path, entry in tree.entries.items()
            if path != "." and not any(fnmatch.fnmatchcase(path, pattern) for pattern in excluded)}


def manifest_path(into, image):
    return os.path.join(into, image.definition.get("component", image.label) + ".json")


def current(into, image):
    """The manifest of an image that needs no work, or None."""
    try:
        manifest = json.loads(contents(manifest_path(into, image)))
        fresh = manifest["inputs"] == image.inputs() and os.path.exists(os.path.join(into, manifest["archive"]))
        return manifest if fresh else None
    except (FileNotFoundError, KeyError, json.JSONDecodeError):
        return None


def load(into, manifest):
    """Puts an image of the tests into this machine's Docker engine, unless it is there."""
    known = subprocess.run(["docker", "image", "inspect", manifest["image"]], capture_output=True)
    if known.returncode != 0:
        subprocess.run(["docker", "load", "--quiet", "--input", os.path.join(into, manifest["archive"])],
                       check=True, stdout=sys.stderr)


def build_all(into, trees_folder, images):
    stale = [image for image in images if current(into, image) is None or not os.path.isdir(trees_folder)]
    wanted = {image.definition["variant"] for image in stale}
    packages = {variant: {package for image in images if image.definition["variant"] == variant
                          for package in image.definition["packages"]} for variant in wanted}
    os.makedirs(os.path.join(into, "cache"), exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        trees = {variant: pool.submit(debian.tree, trees_folder, variant, packages[variant]) for variant in wanted}
        for image in sorted(stale, key=lambda image: image.definition["variant"]):
            tree = Tree(trees[image.definition["variant"]].result())
            manifest = {**build(image, tree, into), "inputs": image.inputs()}
            with open(manifest_path(into, image) + ".part", "w") as file:
                json.dump(manifest, file, indent=2)
            os.rename(file.name, manifest_path(into, image))
            print(f"image: {manifest['image']} ({manifest['size'] / 1e6:.1f} MB)", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--into", required=True)
    arguments.add_argument("--trees", help="where the packages' trees are kept (default: trees in --into)")
    arguments.add_argument("--refresh", action="store_true", help="fetch the packages again, for newer versions")
    arguments.add_argument("--load", action="store_true", help="load the images of the tests into Docker")
    arguments.add_argument("images", nargs="+")
    options = arguments.parse_args()
    into = os.path.realpath(options.into)
    os.makedirs(into, exist_ok=True)
    with open(os.path.join(into, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        trees = options.trees or os.path.join(into, "trees")
        if options.refresh:
            for folder in (trees, os.path.join(into, "cache")):
                shutil.rmtree(folder, ignore_errors=True)
        images = [Image(folder) for folder in options.images]
        build_all(into, trees, images)
        for image in images:
            if options.load and "component" not in image.definition:
                load(into, current(into, image))


if __name__ == "__main__":
    main()
