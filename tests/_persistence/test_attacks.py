"""Files that carry the published attacks on Keras' own loader."""

import json

import pytest
from attacks import ATTACKS
from model_files import run_script

# Keras' advisories on the loading of model files, from 2024 to 2026.
ADVISORIES = {
    *("CVE-2024-3660", "CVE-2024-55459", "CVE-2025-1550", "CVE-2025-8747", "CVE-2025-9905"),
    *("CVE-2025-9906", "CVE-2025-12058", "CVE-2025-12060", "CVE-2025-12638", "CVE-2025-49655"),
    *("CVE-2026-0897", "CVE-2026-1462", "CVE-2026-1669", "CVE-2026-12479", "CVE-2026-12480"),
    *("CVE-2026-12481", "GHSA-hqp4-2352-xf5r"),
}


def test_every_advisory_has_attacks():
    assert ATTACKS.keys() >= ADVISORIES


@pytest.mark.slow
def test_attacks_are_refused_and_nothing_is_done():
    """An audit hook and the access times of files tell what the process does."""
    found = run_script("attack_process.py")
    assert found["n_checked"] == 2 * sum(map(len, ATTACKS.values())) > 600
    assert not found["problems"], json.dumps(found["problems"], indent=1)
