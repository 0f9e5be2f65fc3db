"""Variants of images are what the parameters say, and nothing else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import affine_transform
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skfashion.datasets import load_fashion_sample
from skfashion.errors import PixelRangeWarning
from skfashion.preprocessing import ImageAugmenter
from skfashion.preprocessing._variants import Moves, affine_maps, warp

NOTHING = {"rotation": 0, "shift": 0, "shear": 0, "zoom": 0, "horizontal_flip": False}
DTYPES = ["bool", "uint8", "int8", "uint16", "int32", "int64", "float16", "float32", "float64"]

strengths = st.fixed_dictionaries(
    {
        "rotation": st.floats(0, 180),
        "shift": st.one_of(st.floats(0, 0.9), st.tuples(st.floats(0, 0.9), st.floats(0, 0.9))),
        "shear": st.floats(0, 2),
        "zoom": st.floats(0, 0.9),
        "horizontal_flip": st.booleans(),
        "vertical_flip": st.booleans(),
        "erasing": st.floats(0, 1),
        "probability": st.floats(0, 1),
        "fill": st.sampled_from([0, 1, "nearest", "reflect"]),
    }
)
shapes = st.sampled_from([(7, 64), (5, 6, 9), (5, 9, 6, 3), (4, 8, 8, 1), (3, 5, 5, 6), (6, 17)])
seeds = st.integers(0, 2**31 - 1)


def random_images(shape, dtype, seed=0):
    values = np.random.default_rng(seed).random(shape)
    return (values * (1.5 if dtype == "bool" else 100)).astype(dtype)


def moved(images, down, right, mode):
    """Whole images moved by whole pixels, with what comes in as numpy.pad makes it."""
    pad = 6
    padded = np.pad(images, [(0, 0), (pad, pad), (pad, pad)], mode=mode)
    height, width = images.shape[1:]
    return padded[:, pad - down : pad - down + height, pad - right : pad - right + width]


def maps_of_one(size, **changes):
    unchanged = {
        **dict.fromkeys(["rotation", "shift_down", "shift_right", "shear"], 0.0),
        "zoom": 1.0,
        "horizontal_flip": False,
        "vertical_flip": False,
    }
    moves = Moves(**{k: np.array([v]) for k, v in {**unchanged, **changes}.items()})
    return affine_maps(*size, moves)


@settings(max_examples=150, deadline=None)
@given(strengths, shapes, st.sampled_from(DTYPES), seeds)
def test_shape_type_and_range_are_kept(parameters, shape, dtype, seed):
    X = random_images(shape, dtype)
    given_X = X.copy()
    variants = ImageAugmenter(**parameters, random_state=seed).augment(X)
    assert variants.shape == X.shape
    assert variants.dtype == X.dtype
    assert not np.shares_memory(variants, X)
    np.testing.assert_array_equal(X, given_X)
    lowest, highest = X.min(), X.max()
    if not isinstance(parameters["fill"], str):
        lowest, highest = min(lowest, parameters["fill"]), max(highest, parameters["fill"])
    rounding = 1e-6 * 100 if np.dtype(dtype).kind == "f" else 0
    assert variants.min() >= lowest - rounding
    assert variants.max() <= highest + rounding


@given(shapes, st.sampled_from(DTYPES), seeds)
def test_no_strength_changes_nothing(shape, dtype, seed):
    X = random_images(shape, dtype)
    np.testing.assert_array_equal(ImageAugmenter(**NOTHING, random_state=seed).augment(X), X)
    unlikely = ImageAugmenter(rotation=180, erasing=1, probability=0, random_state=seed)
    np.testing.assert_array_equal(unlikely.augment(X), X)


@pytest.mark.parametrize("axis", [1, 2])
def test_flips_are_exact(axis):
    X = random_images((200, 5, 8), "float64")
    name = "vertical_flip" if axis == 1 else "horizontal_flip"
    variants = ImageAugmenter(**{**NOTHING, name: True}, random_state=0).augment(X)
    flipped = (variants == np.flip(X, axis)).all(axis=(1, 2))
    kept = (variants == X).all(axis=(1, 2))
    assert (flipped ^ kept).all()
    assert 70 < flipped.sum() < 130


@pytest.mark.parametrize(
    ("fill", "mode"), [(0, "constant"), ("nearest", "edge"), ("reflect", "symmetric")]
)
@pytest.mark.parametrize("dtype", ["uint8", "float64", "int64"])
def test_shifts_are_slices(fill, mode, dtype):
    X = random_images((1000, 20, 10), dtype)
    augmenter = ImageAugmenter(**{**NOTHING, "shift": (0.1, 0.3)}, fill=fill, random_state=0)
    variants = augmenter.augment(X)
    found = []
    for down in range(-2, 3):
        for right in range(-3, 4):
            same = (variants == moved(X, down, right, mode)).all(axis=(1, 2))
            found += [(down, right)] * same.sum()
    assert len(found) == len(X)
    assert set(found) == {(down, right) for down in range(-2, 3) for right in range(-3, 4)}


@given(seeds, st.sampled_from(["uint8", "float32", "float64"]), st.integers(2, 30))
@settings(max_examples=50, deadline=None)
def test_right_angles_are_exact(seed, dtype, side):
    images = random_images((1, side, side, 1), dtype, seed)
    for turns in range(4):
        maps = maps_of_one((side, side), rotation=-90.0 * turns)
        turned = warp(images, maps, 0)
        exact = np.rot90(images, turns, axes=(1, 2))
        if dtype == "uint8":
            np.testing.assert_array_equal(turned, exact)
        else:
            np.testing.assert_allclose(turned, exact, atol=1e-4)


def test_one_map_for_all_changes():
    """scipy's bilinear interpolation at the composed map; OpenCV's positions are a bit coarser."""
    size = (24, 17)
    image = np.add.outer(np.arange(24.0), 3 * np.arange(17.0)) / 100  # a slope, so it is smooth
    changes = {"rotation": 20.0, "shift_down": 2.0, "shift_right": -1.0, "shear": 0.3, "zoom": 0.8}
    maps = maps_of_one(size, **changes, horizontal_flip=True)
    (warped,) = warp(image[None, :, :, None], maps, "nearest")[..., 0]
    matrix, offset = maps[0, ::-1, 1::-1], maps[0, ::-1, 2]
    expected = affine_transform(image, matrix, offset, order=1, mode="nearest")
    np.testing.assert_allclose(warped, expected, atol=0.002)

    angle = np.deg2rad(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forward = turn @ [[1, 0.3], [0, 1]] @ np.diag([0.8, 0.8]) @ np.diag([-1, 1])
    np.testing.assert_allclose(maps[0, :, :2] @ forward, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(maps[0] @ [8 - 1, 11.5 + 2, 1], [8, 11.5], atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(strengths, seeds, st.integers(1, 1100))
def test_first_variants_do_not_depend_on_what_follows(parameters, seed, n_first):
    X = np.resize(random_images((50, 6, 6), "uint8"), (1200, 6, 6))
    augmenter = ImageAugmenter(**parameters)
    variants = augmenter.augment(X, random_state=seed)
    np.testing.assert_array_equal(
        augmenter.augment(X[:n_first], random_state=seed), variants[:n_first]
    )


def test_equal_images_get_different_variants():
    X = np.repeat(load_fashion_sample().images[:1], 2000, axis=0)
    variants = ImageAugmenter(random_state=0).augment(X)
    assert len(np.unique(variants, axis=0)) == 2000


@pytest.mark.parametrize("name", ["rotation", "shift", "shear", "zoom", "horizontal_flip"])
def test_each_strength_does_something(name):
    images = load_fashion_sample().images[:50]
    default = ImageAugmenter().get_params()[name]
    variants = ImageAugmenter(**{**NOTHING, name: default}, random_state=0).augment(images)
    assert (variants != images).any(axis=(1, 2)).mean() > 0.4


def test_seeds():
    X = load_fashion_sample().images[:20]
    unseeded = ImageAugmenter()
    assert (unseeded.augment(X) != unseeded.augment(X)).any()
    seeded = ImageAugmenter(random_state=3)
    np.testing.assert_array_equal(seeded.augment(X), seeded.augment(X))
    np.testing.assert_array_equal(seeded.augment(X), unseeded.augment(X, random_state=3))
    np.testing.assert_array_equal(seeded.augment(X), clone(seeded).fit_transform(X))
    assert (seeded.augment(X, random_state=4) != seeded.augment(X)).any()
    state = np.random.RandomState(0)
    assert (
        unseeded.augment(X, random_state=state) != unseeded.augment(X, random_state=state)
    ).any()
    with pytest.raises(ValueError, match="seed"):
        seeded.augment(X, random_state="three")


def test_a_strength_leaves_what_others_draw():
    X = random_images((50, 20, 20), "uint8")
    shifts = ImageAugmenter(**{**NOTHING, "shift": 0.2}, random_state=0)
    erasing = clone(shifts).set_params(erasing=1.0, zoom=0)
    moved, erased = shifts.augment(X), erasing.augment(X)
    np.testing.assert_array_equal(erased[erased != 0], moved[erased != 0])


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "int64"])
def test_whole_numbers_are_rounded(dtype):
    X = random_images((30, 12, 12), dtype)
    parameters = {"fill": 0, "random_state": 0}
    expected = np.rint(ImageAugmenter(**parameters).augment(X.astype(np.float64)))
    np.testing.assert_array_equal(ImageAugmenter(**parameters).augment(X), expected)


def test_large_whole_numbers():
    unchanging = ImageAugmenter(probability=0)
    X = np.full((2, 5, 5), 2**53, dtype=np.uint64)
    np.testing.assert_array_equal(unchanging.augment(X), X)
    with pytest.raises(ValueError, match=r"whole numbers above 2\*\*53"):
        unchanging.augment(X + np.uint64(1))


def test_strips_are_not_turned():
    X = np.full((50, 1, 64), 100, dtype=np.uint8)
    variants = ImageAugmenter(rotation=180, shift=0, zoom=0, random_state=0).augment(X)
    np.testing.assert_array_equal(variants, X)


def test_fill_on_another_scale():
    X = random_images((10, 8, 8), "float64") / 100
    with pytest.warns(PixelRangeWarning, match=r"fill=255 is far from all pixels of X, .* from 0"):
        ImageAugmenter(fill=255).augment(X)
    ImageAugmenter(fill=1).augment(X)
    ImageAugmenter(fill=-1).augment(X)
    with pytest.raises(ValueError, match="fill=100000 is too large for pixels of type float16"):
        ImageAugmenter(fill=100000).augment(X.astype(np.float16))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 560), r"560 features, no square, .* image_shape=\(1, 560\) if they are strips"),
        ((28, 28), r"taken for 28 images of \(1, 28, 1\)\. One image is X\[None\]"),
        ((16, 16), r"taken for 16 images of \(4, 4, 1\)"),
        ((32, 32, 3), r"taken for 32 images of \(32, 3, 1\)"),
    ],
)
def test_doubtful_guesses_are_told(shape, message):
    with pytest.warns(UserWarning, match=message) as caught:
        ImageAugmenter().augment(np.zeros(shape))
    assert caught[0].filename == __file__


def test_meant_shapes_are_not_doubted():
    ImageAugmenter(image_shape=(1, 560)).augment(np.zeros((5, 560)))
    ImageAugmenter(image_shape=(1, 28)).fit_transform(np.zeros((28, 28)))
    ImageAugmenter().augment(np.zeros((32, 32, 32, 3)))


def test_fill():
    X = np.full((200, 12, 12), 7.0)
    for fill in "nearest", "reflect":
        np.testing.assert_array_equal(ImageAugmenter(erasing=1, fill=fill).augment(X), X)
    variants = ImageAugmenter(rotation=45, fill=100.5, random_state=0).augment(X)
    assert (variants[:, [0, 0, -1, -1], [0, -1, 0, -1]] == 100.5).mean() > 0.6
    colour = ImageAugmenter(**{**NOTHING, "shift": 0.5}, fill=9, random_state=0).augment(
        np.full((50, 8, 8, 6), 7.0)
    )
    np.testing.assert_array_equal(np.unique(colour), [7, 9])


@pytest.mark.parametrize("number", [np.uint8, np.int64, np.float32, np.float64, float])
def test_fill_is_any_number(number):
    X = np.full((20, 8, 8), 3, dtype=np.uint8)
    variants = ImageAugmenter(shift=0.4, fill=number(2), random_state=0).augment(X)
    np.testing.assert_array_equal(np.unique(variants), [2, 3])


def test_erasing():
    X = np.full((2000, 28, 28), 255, dtype=np.uint8)
    variants = ImageAugmenter(**NOTHING, erasing=0.25, random_state=0).augment(X)
    holes = variants == 0
    assert set(np.unique(variants)) == {0, 255}
    area = holes.mean(axis=(1, 2))
    assert 0.22 < (area > 0).mean() < 0.28
    assert 0.015 < area[area > 0].min() < 0.03
    assert 0.35 < area.max() < 0.42
    strips = ImageAugmenter(**NOTHING, erasing=1, random_state=0).augment(X.reshape(-1, 1, 784))
    assert 0.19 < (strips == 0).mean() < 0.23
    rectangles = holes.any(axis=1).sum(axis=1) * holes.any(axis=2).sum(axis=1)
    np.testing.assert_array_equal(rectangles, holes.sum(axis=(1, 2)))


def test_channels_move_together():
    grey = load_fashion_sample().images[:10]
    parameters = {"erasing": 0.5, "random_state": 0}
    colour = ImageAugmenter(**parameters).augment(np.stack([grey] * 3, axis=-1))
    for channel in range(3):
        np.testing.assert_array_equal(
            colour[..., channel], ImageAugmenter(**parameters).augment(grey)
        )


def test_flattened_images():
    images = random_images((20, 6, 10), "uint8")
    flat = ImageAugmenter(image_shape=(6, 10), random_state=0).augment(images.reshape(20, 60))
    np.testing.assert_array_equal(
        flat.reshape(images.shape), ImageAugmenter(random_state=0).augment(images)
    )


def test_images_of_any_memory_layout():
    X = random_images((10, 8, 8, 3), "float64")
    backwards = np.asfortranarray(X)[:, :, ::-1]
    augmenter = ImageAugmenter(random_state=0)
    np.testing.assert_array_equal(
        augmenter.augment(backwards), augmenter.augment(backwards.copy(order="C"))
    )
    X.setflags(write=False)
    augmenter.augment(X)


def test_transform_leaves_images_alone():
    X = load_fashion_sample().images[:30]
    augmenter = ImageAugmenter(random_state=0).fit(X)
    assert augmenter.image_shape_ == (28, 28, 1)
    assert augmenter.n_features_in_ == 784
    assert augmenter.transform(X) is X
    np.testing.assert_array_equal(augmenter.transform(X[:3].reshape(3, 784)), X[:3].reshape(3, 784))
    with pytest.raises(ValueError, match=r"X holds images of shape \(27, 28, 1\)"):
        augmenter.transform(X[:, 1:])
    first = ImageAugmenter(image_shape=(3, 8, 8)).fit(np.zeros((2, 3, 8, 8)))
    assert first.transform(np.zeros((1, 3, 8, 8))).shape == (1, 3, 8, 8)
    with pytest.raises(NotFittedError):
        ImageAugmenter().transform(X)


def test_data_frames():
    X = pd.DataFrame(random_images((10, 16), "uint8")).add_prefix("pixel")
    augmenter = ImageAugmenter(random_state=0).set_output(transform="pandas")
    variants = augmenter.fit_transform(X)
    assert list(variants.columns) == list(X.columns)
    assert (variants.dtypes == "uint8").all()
    np.testing.assert_array_equal(variants, augmenter.augment(X))
    pd.testing.assert_frame_equal(augmenter.transform(X), X)
    with pytest.raises(ValueError, match="feature names"):
        augmenter.transform(X.add_suffix("x"))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rotation": 200}, "'rotation' parameter .* must be a float in the range"),
        ({"zoom": 1.0}, "'zoom' parameter"),
        ({"probability": 1.5}, "'probability' parameter"),
        ({"fill": "black"}, "'fill' parameter"),
        ({"fill": np.nan}, "'fill' parameter"),
        ({"shift": 2.8}, "'shift' parameter"),
        ({"shift": (0.1, 0.2, 0.3)}, "shift must be a fraction in .* or a pair .* got \\(0.1"),
        ({"shift": (0.1, 3)}, "shift must be a fraction"),
        ({"shift": (0.1, "a")}, "shift must be a fraction"),
        ({"fill": 256}, "fill=256 is no value of pixels of type uint8, .* from 0 to 255"),
        ({"fill": 0.5}, "fill=0.5 is no value of pixels of type uint8"),
        ({"image_shape": (5, 5)}, "image_shape=.* has 25 values, but X has 16 features"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "augment"])
def test_wrong_parameters(parameters, message, method):
    X = random_images((3, 16), "uint8")
    augmenter = ImageAugmenter(**parameters)
    with pytest.raises(ValueError, match=message):
        getattr(augmenter, method)(X)
    assert not hasattr(augmenter, "image_shape_")


def test_wrong_images():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        ImageAugmenter().augment(np.full((2, 4, 4), np.nan))
    with pytest.raises(TypeError, match="Sparse data"):
        ImageAugmenter().augment(csr_array(np.eye(4)))
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        ImageAugmenter().augment(np.arange(4.0))
    with pytest.raises(ValueError, match="at most 32766 pixels a side"):
        ImageAugmenter(image_shape=(1, 40_000)).augment(np.zeros((1, 40_000)))
