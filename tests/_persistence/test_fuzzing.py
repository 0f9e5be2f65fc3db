"""Thousands of mutated model files."""

import lzma
from pathlib import Path

import numpy as np
import pytest
from model_files import run_script

DATA = Path(__file__).parent / "data"
N_MUTATIONS = 2500


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])  # two processes
def test_mutated_files(seed, tmp_path):
    """No crash, no hang, little memory; where the checksum tells, no other predictions either."""
    for version in (2, 3):
        for name, source in (("named", "small"), ("own", "functional")):
            packed = (DATA / f"format_{version}" / f"{source}.keras.xz").read_bytes()
            (tmp_path / f"{name}_{version}.keras").write_bytes(lzma.decompress(packed))
    np.save(tmp_path / "X.npy", np.load(DATA / "format_3" / "expected.npz")["X"][:5])
    report = run_script("fuzz_process.py", tmp_path, N_MUTATIONS, seed)
    assert report["problems"] == []
    assert report["grown_megabytes"] < 500
    assert report["slowest_seconds"] < 10
    counts = report["counts"]
    assert sum(counts.values()) == N_MUTATIONS
    n_refused = sum(n for outcome, n in counts.items() if outcome.endswith(": refused"))
    assert N_MUTATIONS / 2 < n_refused < N_MUTATIONS
