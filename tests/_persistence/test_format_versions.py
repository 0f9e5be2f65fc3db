"""Files of every format version."""

import json
import lzma
import zipfile
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
import pytest
from model_files import change_member

from skfashion import FashionCNNClassifier
from skfashion.errors import ModelFileError
from skfashion.networks import list_networks

DATA = Path(__file__).parent / "data"
VERSIONS = ["format_2", "format_3"]
NAMES = [*list_networks(), "functional", "sequential"]


def unpack(version, name, folder):
    path = folder / f"{name}.keras"
    path.write_bytes(lzma.decompress((DATA / version / f"{name}.keras.xz").read_bytes()))
    return path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_architecture_of_every_version(version, name, tmp_path):
    """Weights are the same to the bit; so are predictions where they were made."""
    expected = np.load(DATA / version / "expected.npz")
    loaded = FashionCNNClassifier.load(unpack(version, name, tmp_path))
    digest = sha256(b"".join(weight.tobytes() for weight in loaded.weights_))
    assert digest.hexdigest() == expected[f"{name}_weights"]
    found = loaded.predict_proba(expected["X"])
    np.testing.assert_allclose(found, expected[name], rtol=1e-3, atol=1e-5)
    assert loaded.target_names_ == ["a", "b", "c"]


def test_lowest_keras(digits):
    """A file of format 2 that Keras 3.13 wrote, and its predictions then and an epoch later."""
    expected = np.load(DATA / "format_2.npz")
    X, y = digits
    loaded = FashionCNNClassifier.load(DATA / "format_2.keras")
    np.testing.assert_allclose(loaded.predict_proba(X[:20]), expected["loaded"], atol=1e-4)
    assert loaded.target_names_ == list("abcdefghij")
    # With the optimizer's state from the file.
    continued = loaded.partial_fit(X, y).predict_proba(X[:20])
    np.testing.assert_allclose(continued, expected["continued"], atol=1e-3)


@keras.saving.register_keras_serializable("tests")
class OldSGD(keras.optimizers.SGD):
    """Version 2 had it rebuilt by Keras."""


@pytest.mark.parametrize("form", ["instance", "class"])
def test_registered_optimizer_of_version_2(form, digits, tmp_path):
    given = OldSGD(momentum=0.5) if form == "instance" else OldSGD
    stored = keras.saving.serialize_keras_object(OldSGD(momentum=0.5))
    path = tmp_path / "a.keras"
    with (
        zipfile.ZipFile(DATA / "format_2.keras") as source,
        zipfile.ZipFile(path, "w") as archive,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "skfashion.json":
                fields = json.loads(content)
                fields["parameters"]["optimizer"] = {form: stored}
                content = json.dumps(fields)
            archive.writestr(name, content)
    with pytest.raises(ModelFileError, match=r"'OldSGD', .*load\(path, optimizer="):
        FashionCNNClassifier.load(path)
    loaded = FashionCNNClassifier.load(path, optimizer=given)
    expected = np.load(DATA / "format_2.npz")["loaded"]
    np.testing.assert_allclose(loaded.predict_proba(digits[0][:20]), expected, atol=1e-4)


def test_a_file_is_saved_in_the_newest_version(tmp_path, digits):
    X, _ = digits
    loaded = FashionCNNClassifier.load(DATA / "format_2.keras")
    loaded.save(tmp_path / "a.keras")
    again = FashionCNNClassifier.load(tmp_path / "a.keras")
    np.testing.assert_array_equal(again.predict_proba(X), loaded.predict_proba(X))
    assert again.get_params() == loaded.get_params()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            b'{"format_version": 4, "skfashion_version": "0.9.1", "new": [1]}',
            r"reads versions 2 to 3; load it with skfashion 0\.9\.1 or later, which wrote it",
        ),
        (b'{"format_version": 1}', "format version is 1, which no skfashion wrote"),
        (b'{"format_version": "3"}', "names no format version"),
        (b"[3]", "names no format version"),
    ],
)
def test_other_versions(fields, message, tmp_path):
    path = unpack("format_3", "small", tmp_path)
    change_member(path, "skfashion.json", lambda _: fields)
    with pytest.raises(ModelFileError, match=message):
        FashionCNNClassifier.load(path)


@pytest.fixture
def newer_small(monkeypatch):
    """Another definition of ``small``, whose first version is kept."""
    from skfashion.networks import small

    def build(image_shape, n_classes, *, dropout=0.0, width=24):
        return first(image_shape, n_classes, dropout=dropout, width=width + 1)

    first = small.build
    monkeypatch.setattr(small, "build", build)
    monkeypatch.setattr(small, "EARLIER_BUILDS", (first,), raising=False)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.usefixtures("newer_small")
def test_network_whose_definition_has_changed(version, tmp_path):
    """Files go on with the definition that they were saved with, also when trained further."""
    path = unpack(version, "small", tmp_path)
    expected = np.load(DATA / version / "expected.npz")
    X = expected["X"]
    loaded = FashionCNNClassifier.load(path)
    np.testing.assert_allclose(loaded.predict_proba(X), expected["small"], rtol=1e-3, atol=1e-5)
    loaded.save(path)
    loaded = FashionCNNClassifier.load(path)
    np.testing.assert_allclose(loaded.predict_proba(X), expected["small"], rtol=1e-3, atol=1e-5)
    shapes = [weight.shape for weight in loaded.weights_]
    loaded.partial_fit(X, np.arange(30) % 3)
    assert [weight.shape for weight in loaded.weights_] == shapes
    # From scratch, the current definition is trained.
    loaded.fit(X, np.arange(30) % 3)
    assert [weight.shape for weight in loaded.weights_] != shapes
