"""The bundled sample."""

import numpy as np
import pandas as pd
import pytest

from skfashion.datasets import fetch_fashion_mnist, load_fashion_sample


@pytest.mark.parametrize(("subset", "each"), [("train", 600), ("test", 100), ("all", 700)])
def test_stratified(subset, each):
    sample = load_fashion_sample(subset=subset)
    n = 10 * each
    assert sample.data.shape == (n, 784)
    assert sample.images.shape == (n, 28, 28)
    assert sample.data.dtype == np.uint8
    assert sample.target.dtype == np.int64
    np.testing.assert_array_equal(np.bincount(sample.target), [each] * 10)
    assert len(sample.target_names) == 10
    assert "Zalando" in sample.DESCR


def test_all_is_train_then_test():
    train, test, both = (load_fashion_sample(subset=s).data for s in ("train", "test", "all"))
    np.testing.assert_array_equal(both, np.concatenate([train, test]))


def test_forms():
    X, y = load_fashion_sample(return_X_y=True, subset="test")
    frame = load_fashion_sample(subset="test", as_frame=True)
    assert list(frame.data.columns[[0, -1]]) == ["pixel1", "pixel784"]
    assert isinstance(frame.target, pd.Series)
    np.testing.assert_array_equal(frame.data, X)
    np.testing.assert_array_equal(frame.target, y)


def test_unknown_subset():
    with pytest.raises(ValueError, match=r"subset must be one of .*; got 'validation'"):
        load_fashion_sample(subset="validation")


@pytest.mark.parametrize(("subset", "each"), [("train", 600), ("test", 100)])
def test_is_the_first_of_each_class_in_file_order(system_files, subset, each):
    full = fetch_fashion_mnist(subset=subset, source=system_files)
    firsts = [np.flatnonzero(full.target == label)[:each] for label in range(10)]
    indices = np.sort(np.concatenate(firsts))
    sample = load_fashion_sample(subset=subset)
    np.testing.assert_array_equal(sample.indices, indices)
    np.testing.assert_array_equal(sample.images, full.images[indices])
    np.testing.assert_array_equal(sample.target, full.target[indices])
