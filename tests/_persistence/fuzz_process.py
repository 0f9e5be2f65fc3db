"""Load mutated model files; print how each kind ended, as JSON.

    python fuzz_process.py FOLDER N_MUTATIONS SEED

FOLDER has files of format 3 and 2, ``named_3.keras``, ``own_3.keras``, ``named_2.keras`` and
``own_2.keras``, and their images ``X.npy``. A crash, a hang or too much memory ends the process.
"""

import copy
import faulthandler
import io
import json
import random
import resource
import signal
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
from model_files import read_members, write_members

from skfashion import FashionCNNClassifier
from skfashion.errors import ModelFileError

N_PREDICTED = 60  # networks that are not the file's own take a second to compile
VALUES = [
    *(None, True, 0, -1, 1, 2, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "x", "\x1b[2J\u202e", "float32", "relu", "../../a", "a" * 1000, "__import__('os')"),
    *([], [0], [[]], [1, 2, 3], {}, {"class_name": "Lambda"}, {"module": "os"}),
]


def find_places(value, place=()):
    """Yield the path of every value in JSON."""
    if place:
        yield place
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield from find_places(value[key], (*place, key))


def mutate_json(members, rng, name):
    fields = json.loads(members[name])
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        *outer, last = rng.choice(list(find_places(fields)))
        owner = fields
        for key in outer:
            owner = owner[key]
        value = owner[last]
        kind = rng.choice(["replace", "delete", "nudge", "swap"])
        if kind == "delete":
            del owner[last]
        elif kind == "nudge" and isinstance(value, (int, float)):
            owner[last] = value + rng.choice([-1, 1, 8, 0.25, 1000])
        elif kind == "swap":
            keys = list(owner) if isinstance(owner, dict) else range(len(owner))
            owner[last] = copy.deepcopy(owner[rng.choice(keys)])
        else:
            owner[last] = copy.deepcopy(rng.choice(VALUES))
    return {**members, name: json.dumps(fields).encode()}


def mutate_bytes(content, rng):
    content = bytearray(content)
    kind = rng.choice(["change", "change", "change", "cut", "insert", "repeat"])
    start = rng.randrange(len(content))
    end = min(len(content), start + rng.choice([1, 4, 100, 5000]))
    if kind == "cut":
        del content[start:end]
    elif kind == "insert":
        content[start:start] = rng.randbytes(end - start)
    elif kind == "repeat":
        content[start:start] = content[start:end]
    else:
        for _ in range(rng.choice([1, 1, 2, 8])):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def mutate_header_bytes(content, rng):
    """Change bytes of HDF5's or npz's structure, which most bytes are not part of."""
    content = bytearray(content)
    places = np.flatnonzero(np.frombuffer(content, np.uint8))
    for _ in range(rng.choice([1, 1, 2, 4])):
        content[int(rng.choice(places))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    return bytes(content)


def mutate_members(members, rng):
    name, other = rng.sample(list(members), 2)
    kind = rng.choice(["drop", "rename", "swap", "empty", "random", "bytes"])
    changed = dict(members)
    if kind == "drop":
        del changed[name]
    elif kind == "rename":
        changed[rng.choice(["..", "../up", "a" * 300, name.upper()])] = changed.pop(name)
    elif kind == "swap":
        changed[name], changed[other] = changed[other], changed[name]
    elif kind == "empty":
        changed[name] = b""
    elif kind == "random":
        changed[name] = rng.randbytes(rng.randrange(2000))
    else:
        changed[name] = mutate_bytes(changed[name], rng)
    return changed


def mutate_npz(members, rng):
    arrays = list(np.load(io.BytesIO(members["skfashion-optimizer.npz"])).values())
    i = rng.randrange(len(arrays))
    shape = rng.choice([(), (0,), (3,), (2, 2), (1000, 10)])
    dtype = rng.choice(["f2", "f8", "i1", "u8", "?", "c8", "U3", "M8[s]", "f4,i4", ">f4"])
    arrays[i] = np.zeros(shape, dtype)
    content = io.BytesIO()
    np.savez(content, *arrays)
    return {**members, "skfashion-optimizer.npz": content.getvalue()}


def write_plain(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def mutate(path, target, rng):
    """Write a mutation of a file; return its kind, and whether it keeps the checksum as it was."""
    version = path.stem[-1]
    write = write_members if version == "3" else write_plain
    members = read_members(path)
    kind = rng.choice(["file", "stale", "members", "description", "config", "hdf5", "npz", "npy"])
    if kind == "file":
        target.write_bytes(mutate_bytes(path.read_bytes(), rng))
        return kind, True
    if kind == "stale" and version == "3":
        with zipfile.ZipFile(path) as archive:
            checksum = archive.read("skfashion.sha256")
        name = rng.choice(["skfashion.json", "config.json"])
        changed = mutate_json(members, rng, name)
        write_plain(target, {**changed, "skfashion.sha256": checksum})
        return kind, True
    changed = {
        "stale": lambda: mutate_json(members, rng, "skfashion.json"),
        "members": lambda: mutate_members(members, rng),
        "description": lambda: mutate_json(members, rng, "skfashion.json"),
        "config": lambda: mutate_json(members, rng, "config.json"),
        "hdf5": lambda: _change(members, "model.weights.h5", rng),
        "npz": lambda: _change(members, "skfashion-optimizer.npz", rng),
        "npy": lambda: mutate_npz(members, rng),
    }[kind]()
    write(target, changed)
    return kind, False


def _change(members, name, rng):
    return {**members, name: mutate_header_bytes(members[name], rng)}


class Fuzzer:
    """Loads mutations and counts how they end."""

    def __init__(self, folder):
        self.folder, self.X = folder, np.load(folder / "X.npy")
        self.paths = sorted(folder.glob("*_[23].keras"))
        originals = [FashionCNNClassifier.load(path) for path in self.paths]
        self.expected = [original.predict_proba(self.X) for original in originals]
        self.keys = {original._state.network.key() for original in originals}
        self.counts, self.problems, self.slowest = Counter(), [], 0.0
        self.n_compiled = 0

    def run(self, number, rng):
        # A file of format 2 takes five times as long.
        shares = [10 if path.stem.endswith("3") else 1 for path in self.paths]
        (i,) = rng.choices(range(len(self.paths)), shares)
        target = self.folder / "mutated.keras"
        kind, is_unforged = mutate(self.paths[i], target, rng)
        started = time.perf_counter()
        try:
            loaded = FashionCNNClassifier.load(target)
        except ModelFileError:
            outcome = "refused"
        except Exception as error:
            outcome = "another error"
            self.problems.append(f"{number} {kind}: {error!r:.300}")
        else:
            outcome = self.predict(loaded, i, number, kind, is_unforged)
        self.slowest = max(self.slowest, time.perf_counter() - started)
        self.counts[f"{self.paths[i].stem} {kind}: {outcome}"] += 1

    def predict(self, loaded, i, number, kind, is_unforged):
        if loaded._state.network.key() not in self.keys:
            self.n_compiled += 1
            if self.n_compiled > N_PREDICTED:
                return "loaded, another network"
        try:
            found = loaded.predict_proba(self.X)
        except ValueError:
            return "loaded, takes other images"
        if np.array_equal(found, self.expected[i]):
            return "loaded, the same"
        if is_unforged:
            self.problems.append(f"{number} {kind}: other predictions without an error")
        return "loaded, others"


def main(folder, n_mutations, seed):
    faulthandler.enable()
    signal.alarm(1200)
    fuzzer = Fuzzer(Path(folder))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(int(n_mutations)):
        fuzzer.run(number, random.Random(f"{seed} {number}"))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    report = {
        "problems": fuzzer.problems,
        "counts": fuzzer.counts,
        "slowest_seconds": fuzzer.slowest,
        "grown_megabytes": grown,
    }
    json.dump(report, sys.stdout, sort_keys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
