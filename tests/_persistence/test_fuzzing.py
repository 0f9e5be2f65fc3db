"""Thousands of mutated model files."""

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

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
    result = subprocess.run(
        [sys.executable, "fuzz_process.py", tmp_path, str(N_MUTATIONS), str(seed)],
        cwd=Path(__file__).parent,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    report = json.loads(result.stdout)
    assert report["problems"] == []
    assert report["grown_megabytes"] < 500
    assert report["slowest_seconds"] < 10
    counts = report["counts"]
    assert sum(counts.values()) == N_MUTATIONS
    n_refused = sum(n for outcome, n in counts.items() if outcome.endswith(": refused"))
    assert N_MUTATIONS / 2 < n_refused < N_MUTATIONS
