"""Load every attack in a process that notes what it does; print what should not be, as JSON.

    python attack_process.py

An audit hook can't be removed from a process, so this is one of its own.
"""

import json
import lzma
import os
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import keras
import numpy as np
from attacks import ATTACKS, as_own_network, build, traces
from model_files import read_members
from payloads import PACKAGES, Attack

from skfashion import FashionCNNClassifier
from skfashion.errors import ModelFileError

DATA = Path(__file__).parent / "data"
X = np.zeros((2, 18, 18, 1), np.uint8)
# Events of Python that a loader has no reason for, once everything is imported.
FORBIDDEN = (
    "exec",
    "ftplib",
    "http",
    "import",
    "marshal",
    "os.",
    "pickle",
    "pty",
    "shutil",
    "socket",
    "subprocess",
    "urllib",
    "webbrowser",
    "winreg",
)
# Files that are loaded, and what else loading imports is imported then.
CONTROLS = {"good": lambda members, _: members, "own": lambda members, _: as_own_network(members)}


class Watch:
    """Notes what the process does between ``start`` and ``stop``."""

    def __init__(self):
        self.events, self.allowed = None, ()
        sys.addaudithook(self._note)

    def start(self, path):
        """Begin; the file at ``path`` may be opened, to read it."""
        self.allowed, self.events = str(path), []

    def stop(self):
        """Return the events that are not allowed."""
        events, self.events = self.events, None
        return events

    def _note(self, event, arguments):
        if self.events is None:
            return
        if event == "open":
            path, mode, _ = arguments
            if str(path) != self.allowed or mode not in ("r", "rb"):
                self.events.append(f"open {path} {mode}")
        elif event.startswith(FORBIDDEN):
            self.events.append(f"{event} {arguments!r:.100}")


def global_state():
    return (
        keras.config.floatx(),
        keras.config.image_data_format(),
        keras.config.dtype_policy().name,
        np.random.get_state()[1].tolist(),  # noqa: NPY002  (the global one is what matters)
        os.getcwd(),
        dict(os.environ),
    )


def read_good_members(version):
    content = lzma.decompress((DATA / version / "small.keras.xz").read_bytes())
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def is_harmless(path, good, loaded):
    """Whether an attack is nothing but a change of HDF5's structure, which format 3 never reads."""
    changed = {name for name, content in read_members(path).items() if content != good[name]}
    expected = good["model.weights.h5"]
    return changed == {"model.weights.h5"} and all(w.tobytes() in expected for w in loaded.weights_)


def check(watch, attack, good, folder):
    """Return what is wrong with how an attack is met."""
    marker = folder / "marker"
    marker.mkdir(parents=True)
    sys.path.insert(0, str(marker))
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]
    path = build(attack, good, marker, folder / "a.keras")
    before = global_state()
    watch.start(path)
    try:
        loaded = FashionCNNClassifier.load(path)
        wrong = [] if is_harmless(path, good, loaded) else ["loaded"]
    except ModelFileError as error:
        wrong = [] if len(str(error).splitlines()) == 1 else [f"message {error}"]
        wrong += ["no name"] if str(path) not in str(error) else []
    except BaseException as error:
        wrong = [repr(error)]
    wrong += watch.stop()
    wrong += [f"trace {trace}" for trace in traces(marker)]
    if global_state() != before:
        wrong.append("global state changed")
    sys.path.remove(str(marker))
    keras.saving.get_custom_objects().pop("evil>Evil", None)
    return wrong


def find_blindness(watch, folder):
    """Return what the watch or the traces do not see here, though it happens."""
    (folder / "read").write_text("x")
    os.utime(folder / "read", (0, 1))
    watch.start("")
    (folder / "read").read_text()
    seen = len(watch.stop()), traces(folder)
    return {} if seen == (1, ["read"]) else {"watch": [f"sees {seen}"]}


def main():
    watch, n_checked = Watch(), 0
    with tempfile.TemporaryDirectory() as temporary:
        problems = find_blindness(watch, Path(temporary))
    with tempfile.TemporaryDirectory() as temporary:
        for version in ("format_2", "format_3"):
            good = read_good_members(version)
            for name, change in CONTROLS.items():
                folder = Path(temporary, version, name)
                folder.mkdir(parents=True)
                path = build(Attack(name, change), good, folder, folder / "a.keras")
                FashionCNNClassifier.load(path).predict(X)
            for advisory, attacks in ATTACKS.items():
                for attack in attacks:
                    n_checked += 1
                    folder = Path(temporary, str(n_checked))
                    if wrong := check(watch, attack, good, folder):
                        problems[f"{version}: {advisory}: {attack.name}"] = wrong
    json.dump({"n_checked": n_checked, "problems": problems}, sys.stdout)


if __name__ == "__main__":
    main()
