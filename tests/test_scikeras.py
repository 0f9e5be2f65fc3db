"""scikeras as a neighbour: our networks under its wrapper, our fits beside it."""

import subprocess
import sys

import pytest

# In a process of its own: importing scikeras patches Keras for good, and a fit with random_state
# makes TensorFlow deterministic for good, so that unseeded operations raise.
CODE = """
import sys, warnings
from sklearn.datasets import load_digits
from skfashion import FashionCNNClassifier
from skfashion.networks import build_network

X, y = load_digits(return_X_y=True)
X, y = X[:300], y[:300]

def fit_ours():
    model = FashionCNNClassifier("small", dropout=0.2, epochs=2, random_state=0).fit(X, y)
    assert "scikeras" not in sys.modules or scikeras_expected
    unseeded = FashionCNNClassifier("small", epochs=1).fit(X, y)
    return model.predict_proba(X)

scikeras_expected = False
alone = fit_ours()

scikeras_expected = True
from scikeras.wrappers import KerasClassifier

def build(meta, dropout=0.0):
    return build_network("small", (8, 8, 1), meta["n_classes_"], dropout=dropout)

theirs = KerasClassifier(
    build, model__dropout=0.1, loss="sparse_categorical_crossentropy", optimizer="adam",
    optimizer__learning_rate=0.005, epochs=8, batch_size=50, verbose=0, random_state=0,
)
with warnings.catch_warnings(action="ignore"):
    theirs.fit(X.reshape(-1, 8, 8, 1) / 16, y)
    assert theirs.score(X.reshape(-1, 8, 8, 1) / 16, y) > 0.8

beside = fit_ours()
assert (alone == beside).all()
print("good neighbours")
"""


@pytest.mark.slow
def test_networks_under_scikeras_and_fits_beside_it(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1:] == ["good neighbours"], result.stderr
