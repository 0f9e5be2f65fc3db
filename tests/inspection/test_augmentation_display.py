"""Images and variants of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.inspection import AugmentationDisplay
from skfashion.preprocessing import AugmentedClassifier, ImageAugmenter

MIRROR = ImageAugmenter(
    rotation=0, shift=0, shear=0, zoom=0, vertical_flip=True, horizontal_flip=False
)


@pytest.fixture(scope="module")
def clothes():
    return load_fashion_sample(subset="test").data[:3]


def cells(display, height, width):
    """The pictures that are drawn, by row and column."""
    (image,) = display.ax_.images
    mosaic = np.asarray(image.get_array())
    n_rows, n_columns = len(display.images), 1 + display.variants.shape[1]
    tops = np.linspace(0, mosaic.shape[0] - height, n_rows).astype(int)
    lefts = np.linspace(0, mosaic.shape[1] - width, n_columns).astype(int)
    return np.array([[mosaic[y : y + height, x : x + width] for x in lefts] for y in tops])


def test_image_and_variants(clothes):
    display = AugmentationDisplay.from_augmenter(ImageAugmenter(random_state=0), clothes)
    shown = cells(display, 28, 28)
    assert shown.shape == (3, 9, 28, 28)
    images = clothes.reshape(-1, 28, 28) / 255
    np.testing.assert_allclose(shown[:, 0], images)
    for row, image in zip(shown, images, strict=True):
        variants = row[1:]
        assert len({variant.tobytes() for variant in variants}) == 8
        for variant in variants:
            assert (variant != image).any()
            # Moved, turned and mirrored, but the same thing.
            assert variant.mean() == pytest.approx(image.mean(), rel=0.5)


def test_writing(clothes):
    display = AugmentationDisplay.from_augmenter(ImageAugmenter(), clothes, n_variants=3)
    ax = display.ax_
    assert [label.get_text() for label in ax.get_xticklabels()] == ["image", "variants"]
    first, others = ax.get_xticks()
    left, right = ax.get_xlim()
    assert (first - left) / (right - left) == pytest.approx(1 / 8, abs=0.01)
    assert (others - left) / (right - left) == pytest.approx(5 / 8, abs=0.01)
    assert ax.xaxis.get_ticks_position() == "top"
    assert not any(label.get_text() for label in ax.get_yticklabels())


def test_variants_are_the_augmenters(clothes):
    shown = cells(AugmentationDisplay.from_augmenter(MIRROR, clothes, n_variants=20), 28, 28)
    images = clothes.reshape(-1, 28, 28) / 255
    mirrored = [
        [np.array_equal(variant, image[::-1]) for variant in row[1:]]
        for row, image in zip(shown, images, strict=True)
    ]
    same = [
        [np.array_equal(variant, image) for variant in row[1:]]
        for row, image in zip(shown, images, strict=True)
    ]
    assert (np.array(mirrored) ^ np.array(same)).all()
    assert np.any(mirrored)
    assert np.any(same)


def test_seeds(clothes):
    def shown(seed, augmenters_seed):
        augmenter = ImageAugmenter(random_state=augmenters_seed)
        display = AugmentationDisplay.from_augmenter(augmenter, clothes, random_state=seed)
        return display.ax_.images[0].get_array()

    np.testing.assert_array_equal(shown(None, 0), shown(None, 0))
    np.testing.assert_array_equal(shown(3, 0), shown(3, 1))
    assert (shown(None, 0) != shown(None, 1)).any()
    assert (shown(None, None) != shown(None, None)).any()


def test_colours(coloured):
    X, _ = coloured
    augmenter = ImageAugmenter(random_state=0, horizontal_flip=False, rotation=0, zoom=0, shear=0)
    shown = cells(AugmentationDisplay.from_augmenter(augmenter, X[:2], n_variants=2), 8, 8)
    assert shown.shape == (2, 3, 8, 8, 3)
    np.testing.assert_allclose(shown[:, 0], X[:2] / 255)


def test_images_that_are_not_square(digits):
    X = digits[0][:2]
    for augmenter, given in ((MIRROR, (4, 16)), (ImageAugmenter(image_shape=(4, 16)), None)):
        display = AugmentationDisplay.from_augmenter(augmenter, X, image_shape=given)
        np.testing.assert_allclose(cells(display, 4, 16)[:, 0], X.reshape(-1, 4, 16) / X.max())
    with pytest.raises(ValueError, match=r"image_shape=\(4, 16, 1\), but"):
        AugmentationDisplay.from_augmenter(augmenter, X, image_shape=(16, 4))


def test_data_frames(clothes):
    expected = AugmentationDisplay.from_augmenter(MIRROR, clothes, random_state=0)
    display = AugmentationDisplay.from_augmenter(MIRROR, pd.DataFrame(clothes), random_state=0)
    np.testing.assert_array_equal(
        display.ax_.images[0].get_array(), expected.ax_.images[0].get_array()
    )


def test_network_with_an_augmenter(clothes):
    """It need not be fitted."""
    network = FashionCNNClassifier(augmentation=MIRROR)
    display = AugmentationDisplay.from_estimator(network, clothes, n_variants=4, random_state=0)
    expected = AugmentationDisplay.from_augmenter(MIRROR, clothes, n_variants=4, random_state=0)
    np.testing.assert_array_equal(cells(display, 28, 28), cells(expected, 28, 28))


def test_networks_own_augmentation(clothes):
    """Images move by one pixel at most, and are never mirrored."""
    display = AugmentationDisplay.from_estimator(FashionCNNClassifier(), clothes, n_variants=30)
    for image, *variants in cells(display, 28, 28):
        padded = np.pad(image, 1, mode="edge")
        moved = [padded[y : y + 28, x : x + 28] for y in range(3) for x in range(3)]
        found = {i for v in variants for i, other in enumerate(moved) if np.array_equal(v, other)}
        assert all(any(np.array_equal(v, other) for other in moved) for v in variants)
        assert len(found) > 4


def test_network_of_images_that_are_not_square(digits):
    X = digits[0][:2]
    network = FashionCNNClassifier(image_shape=(4, 16), augmentation=MIRROR)
    display = AugmentationDisplay.from_estimator(network, X, n_variants=2)
    np.testing.assert_allclose(cells(display, 4, 16)[:, 0], X.reshape(-1, 4, 16) / X.max())


def test_augmented_classifier(clothes, forest):
    classifier = AugmentedClassifier(forest, MIRROR)
    display = AugmentationDisplay.from_estimator(classifier, clothes, random_state=0)
    expected = AugmentationDisplay.from_augmenter(MIRROR, clothes, random_state=0)
    np.testing.assert_array_equal(cells(display, 28, 28), cells(expected, 28, 28))


def test_augmented_classifier_as_it_comes(clothes, forest):
    """Without an augmenter it takes ImageAugmenter()."""
    display = AugmentationDisplay.from_estimator(
        AugmentedClassifier(forest), clothes, random_state=0
    )
    expected = AugmentationDisplay.from_augmenter(ImageAugmenter(), clothes, random_state=0)
    np.testing.assert_array_equal(cells(display, 28, 28), cells(expected, 28, 28))


def test_augmented_classifier_takes_its_estimators_shape(digits):
    X = digits[0][:2]
    network = FashionCNNClassifier(image_shape=(4, 16))
    display = AugmentationDisplay.from_estimator(AugmentedClassifier(network, MIRROR), X)
    np.testing.assert_allclose(cells(display, 4, 16)[:, 0], X.reshape(-1, 4, 16) / X.max())


@pytest.mark.parametrize(
    ("estimator", "augmentation"),
    [
        (FashionCNNClassifier(), "'auto'"),  # images so small are not moved
        (FashionCNNClassifier(augmentation=None), "None"),
    ],
)
def test_no_variants(estimator, augmentation, digits):
    message = f"augmentation={augmentation} does not vary images of 8x8 pixels"
    with pytest.raises(ValueError, match=message):
        AugmentationDisplay.from_estimator(estimator, digits[0][:2])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda classifier: make_pipeline(StandardScaler(), classifier),
        lambda classifier: make_pipeline(MIRROR, KNeighborsClassifier()),
        lambda classifier: GridSearchCV(classifier, {"epochs": [1, 2]}),
        lambda classifier: GridSearchCV(make_pipeline(StandardScaler(), classifier), {}),
    ],
)
def test_inside_others(clothes, wrap):
    estimator = wrap(FashionCNNClassifier(augmentation=MIRROR))
    display = AugmentationDisplay.from_estimator(estimator, clothes, random_state=0)
    expected = AugmentationDisplay.from_augmenter(MIRROR, clothes, random_state=0)
    np.testing.assert_array_equal(cells(display, 28, 28), cells(expected, 28, 28))


@pytest.mark.parametrize("wrap", [lambda forest: forest, make_pipeline])
def test_no_augmentation(forest, digits, wrap):
    with pytest.raises(TypeError, match=r"must be a FashionCNNClassifier.*got (Random|Pipeline)"):
        AugmentationDisplay.from_estimator(wrap(forest), digits[0][:2])
