"""Every test draws in silence."""

import pytest


@pytest.fixture(autouse=True)
def with_manners(manners):
    """See ``manners``."""
