"""Augmentation in training, in pipelines and at test time."""

import threading
import time
from contextlib import closing
from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline

from skfashion import FashionCNNClassifier
from skfashion._images import ImageShape, PixelScaler
from skfashion._training.batches import BatchMaker, Variation, mix
from skfashion._training.training_data import LabelledImages
from skfashion.datasets import load_fashion_sample
from skfashion.preprocessing import ImageAugmenter
from skfashion.preprocessing._image_augmenter import automatic_augmenter

NOTHING = {"rotation": 0, "shift": 0, "shear": 0, "zoom": 0, "horizontal_flip": False}


def make_batches(X, variation, seed=0, scale=1.0, offset=0.0):
    """Batches of 8, with a class for each image."""
    numbers, ones = np.arange(len(X)), np.ones(len(X), np.float32)
    images = LabelledImages(X, numbers, ones, numbers)
    image_shape = ImageShape(X.shape[1], X.shape[2])
    scaler = PixelScaler(image_shape, np.full(1, scale), np.full(1, offset), (0.0, 1.0))
    targets = np.eye(len(X), dtype=np.float32)
    return BatchMaker(images, scaler, targets, variation, batch_size=8, seed=seed)


@pytest.fixture(scope="module")
def augmented(digits, make_tiny):
    return make_tiny(augmentation=ImageAugmenter(rotation=25)).fit(*digits)


def sorted_images(batch):
    """The images of a batch as rows, the dark ones first."""
    images = batch[0].reshape(len(batch[0]), -1)
    return images[np.argsort(images.sum(axis=1))]


class TestPipeline:
    def test_predicted_images_are_left_alone(self, digits, make_tiny):
        X, y = digits
        pipeline = make_pipeline(ImageAugmenter(random_state=0), make_tiny()).fit(X, y)
        bare = make_tiny().fit(ImageAugmenter(random_state=0).augment(X), y)
        for network in pipeline[-1], bare:  # the same weights
            np.testing.assert_array_equal(pipeline.predict_proba(X), network.predict_proba(X))
        assert pipeline.score(X, y) == bare.score(X, y)

    def test_only_training_folds_are_augmented(self, digits, recorder):
        X, y = digits
        pipeline = make_pipeline(ImageAugmenter(random_state=0), recorder)
        folds = StratifiedKFold(3)
        result = cross_validate(pipeline, X, y, cv=folds, return_estimator=True)
        for (train, test), fitted in zip(folds.split(X, y), result["estimator"], strict=True):
            assert fitted[-1].X_.shape == X[train].shape
            assert (X[train] != fitted[-1].X_).any(axis=1).all()
            for predicted in fitted[-1].predicted_X_:
                np.testing.assert_array_equal(predicted, X[test])


class TestAutomatic:
    """What a classifier does without being asked."""

    def test_moves_images_by_a_pixel_at_most(self):
        images = load_fashion_sample().images[:50].astype(np.float32)
        variants = automatic_augmenter((28, 28, 1)).augment(images, random_state=0)
        steps = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
        moved = np.array([padded[:, 1 - d : 29 - d, 1 - r : 29 - r] for d, r in steps])
        is_step = (variants == moved).all(axis=(2, 3))
        assert is_step.any(axis=0).all()
        assert is_step.any(axis=1).all()  # each of them happens

    @pytest.mark.parametrize("image_shape", [(8, 8, 1), (14, 40, 3), (1, 784, 1), (40, 40, 513)])
    def test_leaves_others_alone(self, image_shape):
        assert automatic_augmenter(image_shape) is None

    def test_is_the_default(self, make_tiny):
        X, y = load_fashion_sample(return_X_y=True)
        X, y = X[:100], y[:100]
        automatic = make_tiny(epochs=1).fit(X, y).predict_proba(X)
        explicit = make_tiny(epochs=1, augmentation=automatic_augmenter((28, 28, 1))).fit(X, y)
        np.testing.assert_array_equal(automatic, explicit.predict_proba(X))
        none = make_tiny(epochs=1, augmentation=None).fit(X, y)
        assert (automatic != none.predict_proba(X)).any()

    def test_at_test_time(self, make_tiny, digits):
        X, y = load_fashion_sample(return_X_y=True)
        classifier = make_tiny(epochs=1).fit(X[:100], y[:100])
        plain = classifier.predict_proba(X[:9])
        varied = classifier.set_params(test_time_augmentation=3).predict_proba(X[:9])
        assert (plain != varied).any()
        with pytest.raises(ValueError, match=r"augmentation='auto' makes none of images of 8x8"):
            make_tiny(test_time_augmentation=3).fit(*digits)


class TestTraining:
    def test_no_strength_is_no_augmentation(self, digits, make_tiny):
        X, y = digits
        plain = make_tiny().fit(X, y)
        augmented = make_tiny(augmentation=ImageAugmenter(**NOTHING)).fit(X, y)
        np.testing.assert_array_equal(augmented.predict_proba(X), plain.predict_proba(X))
        turned = make_tiny(augmentation=ImageAugmenter()).fit(X, y)
        assert (turned.predict_proba(X) != plain.predict_proba(X)).any()

    def test_follows_from_random_state(self, digits, make_tiny):
        X, y = digits
        first, second = (
            make_tiny(augmentation=ImageAugmenter(random_state=seed), mixup=0.2, cutmix=1.0)
            .fit(X, y)
            .predict_proba(X)
            for seed in (0, 1)
        )
        np.testing.assert_array_equal(first, second)

    def test_every_epoch_has_fresh_variants(self):
        X = np.random.default_rng(0).random((8, 6, 6))
        with closing(make_batches(X, Variation(ImageAugmenter(), 0.0, 0.0))) as batches:
            epochs = [sorted_images(next(batches.epoch(epoch))) for epoch in (0, 1, 0)]
        np.testing.assert_array_equal(epochs[0], epochs[2])
        assert not (epochs[0] == epochs[1]).all(axis=1).any()
        assert not (epochs[0] == X.reshape(8, 36)[np.argsort(X.sum(axis=(1, 2)))]).all(axis=1).any()

    @pytest.mark.parametrize("variation", [Variation(None, 0.4, 0.0), Variation(None, 0.0, 1.0)])
    def test_every_epoch_has_fresh_shares(self, variation):
        X = np.random.default_rng(0).random((8, 6, 6))
        with closing(make_batches(X, variation)) as batches:
            shares = [np.sort(next(batches.epoch(epoch))[1], axis=None) for epoch in (0, 1, 0)]
        np.testing.assert_array_equal(shares[0], shares[2])
        assert (shares[0] != shares[1]).any()

    def test_every_image_is_in_one_batch_of_an_epoch(self, monkeypatch):
        X = np.arange(42.0).repeat(4).reshape(42, 2, 2)
        for values in 1, 2 * 8 * 4, 2**20:  # prepared one by one, by twos, all at once
            monkeypatch.setattr("skfashion._training.batches._GROUP_VALUES", values)
            with closing(make_batches(X, Variation(None, 0.0, 0.0))) as batches:
                epoch = list(batches.epoch(0))
            assert [len(images) for images, _, _ in epoch] == [7] * 6
            numbers = np.concatenate([images[:, 0, 0, 0] for images, _, _ in epoch])
            assert sorted(numbers) == list(range(42))
            labels = np.concatenate([targets.argmax(axis=1) for _, targets, _ in epoch])
            np.testing.assert_array_equal(labels, numbers)

    @pytest.mark.parametrize("mixup", [0.0, 0.4])
    def test_batches_do_not_depend_on_how_many_are_prepared_together(self, mixup, monkeypatch):
        X = np.random.default_rng(0).random((42, 6, 6))
        epochs = []
        for values in 1, 2 * 8 * 36, 2**19:
            monkeypatch.setattr("skfashion._training.batches._GROUP_VALUES", values)
            with closing(make_batches(X, Variation(ImageAugmenter(), mixup, 0.0))) as batches:
                epochs.append(np.concatenate([images for images, _, _ in batches.epoch(0)]))
        np.testing.assert_array_equal(epochs[1], epochs[0])
        np.testing.assert_array_equal(epochs[2], epochs[0])

    def test_images_vary_before_they_are_standardized(self):
        X = np.full((8, 6, 6), 100, dtype=np.uint8)
        variation = Variation(ImageAugmenter(erasing=1, fill=200), 0.0, 0.0)
        with closing(make_batches(X, variation, scale=0.01, offset=-1)) as batches:
            (images, *_), *_ = batches.epoch(0)
        np.testing.assert_allclose(images.min(), 0, atol=1e-6)
        np.testing.assert_allclose(images.max(), 1, atol=1e-6)

    def test_the_next_batches_are_made_meanwhile(self, monkeypatch):
        monkeypatch.setattr("skfashion._training.batches._GROUP_VALUES", 1)  # a batch a group
        X = np.zeros((40, 6, 6))
        made = []
        with closing(make_batches(X, Variation(None, 0.0, 0.0))) as batches:
            prepare = batches._prepare

            def note(parts, epoch, number):
                made.append((number, threading.current_thread()))
                return prepare(parts, epoch, number)

            batches._prepare = note
            for step, _ in enumerate(batches.epoch(0)):
                deadline = time.monotonic() + 10
                while len(made) < min(step + 2, 5) and time.monotonic() < deadline:
                    time.sleep(0.001)
                assert len(made) == min(step + 2, 5)
        assert [number for number, _ in made] == list(range(5))
        assert threading.current_thread() not in [thread for _, thread in made]

    def test_validation_images_are_not_augmented(self, digits, make_tiny):
        X, y = digits
        classifier = make_tiny(augmentation=ImageAugmenter(), mixup=0.5).fit(
            X[:200], y[:200], X_val=X[200:], y_val=y[200:]
        )
        probabilities = classifier.predict_proba(X[200:])
        loss = -np.log(probabilities[np.arange(100), y[200:]]).mean()
        assert classifier.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-5)
        assert classifier.history_["val_accuracy"][-1] == classifier.score(X[200:], y[200:])

    def test_shifted_digits_are_learned(self, digits, make_tiny):
        X, y = digits
        shifts = ImageAugmenter(**{**NOTHING, "shift": 0.25}, random_state=0)
        moved = shifts.augment(X[200:])
        plain = make_tiny(epochs=15).fit(X[:200], y[:200]).score(moved, y[200:])
        augmented = make_tiny(epochs=15, augmentation=shifts).fit(X[:200], y[:200])
        assert augmented.score(moved, y[200:]) > plain + 0.1

    def test_partial_fit(self, digits, make_tiny):
        X, y = digits
        augmented, plain = (
            make_tiny(augmentation=augmenter).partial_fit(X, y, classes=np.unique(y))
            for augmenter in (ImageAugmenter(), None)
        )
        assert (augmented.predict_proba(X) != plain.predict_proba(X)).any()

    def test_wrong_augmentation_forgets_no_fit(self, digits, make_tiny):
        X, y = digits[0].astype(np.uint8), digits[1]
        classifier = make_tiny(epochs=1).fit(X, y)
        before = classifier.predict_proba(X)
        for augmenter, message in [
            (ImageAugmenter(fill=0.5), "fill=0.5 is no value of pixels of type uint8"),
            (ImageAugmenter(shift=(1, 2, 3)), "shift must be a fraction"),
            (ImageAugmenter(image_shape=(4, 16)), r"\(4, 16\) of ImageAugmenter, but images are"),
            ("flip", "'augmentation' parameter"),
        ]:
            classifier.set_params(augmentation=augmenter)
            with pytest.raises(ValueError, match=message):
                classifier.fit(X, y)
        np.testing.assert_array_equal(classifier.predict_proba(X), before)

    def test_own_augment_is_refused(self, digits, make_tiny):
        class Own(ImageAugmenter):
            def augment(self, X, *, random_state=None):
                return X

        with pytest.raises(TypeError, match="Own overrides augment, which training does not call"):
            make_tiny(augmentation=Own()).fit(*digits)

    def test_channels_of_a_given_shape_are_not_doubted(self, make_tiny):
        X = np.random.default_rng(0).random((40, 3 * 8 * 8))
        classifier = make_tiny(image_shape=(3, 8, 8), augmentation=ImageAugmenter(), epochs=1)
        classifier.fit(X, np.arange(40) % 2)
        assert len(classifier.predict(X.reshape(40, 3, 8, 8))) == 40

    def test_strengths_are_searched(self, digits, make_tiny):
        classifier = make_tiny(epochs=1, augmentation=ImageAugmenter())
        grid = {"augmentation__rotation": [0, 30]}
        search = GridSearchCV(classifier, grid, cv=2).fit(*digits)
        first, second = search.cv_results_["mean_test_score"]
        assert first != second
        assert classifier.augmentation.rotation == 10
        assert clone(classifier).augmentation is not classifier.augmentation

    def test_strength_without_augmentation(self, make_tiny):
        with pytest.raises(ValueError, match="Cannot set augmentation__zoom, for augmentation is"):
            make_tiny().set_params(augmentation__zoom=0.2)
        classifier = make_tiny().set_params(augmentation__zoom=0.2, augmentation=ImageAugmenter())
        assert classifier.augmentation.zoom == 0.2

    def test_an_error_in_a_callback_ends_the_preparing_thread(self, digits, make_tiny):
        def fail(batch, logs):
            raise RuntimeError("enough")

        callback = keras.callbacks.LambdaCallback(on_train_batch_end=fail)
        classifier = make_tiny(callbacks=callback, augmentation=ImageAugmenter())
        with pytest.raises(RuntimeError, match="enough"):
            classifier.fit(*digits)
        assert make_tiny(epochs=1).fit(*digits).n_epochs_ == 1


class TestMixing:
    @pytest.mark.parametrize("parameters", [{"mixup": 0.4}, {"cutmix": 1.0}])
    def test_learns(self, parameters, digits, make_tiny):
        X, y = digits
        classifier = make_tiny(epochs=15, **parameters).fit(X[:200], y[:200])
        assert classifier.score(X[200:], y[200:]) > 0.8
        plain = make_tiny(epochs=15).fit(X[:200], y[:200])
        assert classifier.history_["loss"][-1] > plain.history_["loss"][-1] + 0.05

    @settings(max_examples=100, deadline=None)
    @given(
        st.sampled_from([(0.4, 0.0), (0.0, 1.0), (0.2, 0.5)]),
        st.integers(1, 20),
        st.sampled_from([(5, 7, 1), (6, 6, 3), (1, 9, 1)]),
        st.integers(0, 2**31),
    )
    def test_labels_are_mixed_as_images_are(self, strengths, n_images, image_shape, seed):
        rng = np.random.default_rng(seed)
        # Each image is its own number, so that shares can be read from the pixels.
        numbers = np.arange(n_images, dtype=np.float32)
        images = np.broadcast_to(numbers[:, None, None, None], (n_images, *image_shape))
        targets = np.eye(n_images, dtype=np.float32)
        weights = rng.uniform(0.5, 2, n_images).astype(np.float32)
        mixed, mixed_targets, mixed_weights = mix(
            images, targets, weights, Variation(None, *strengths), rng
        )
        assert mixed.shape == images.shape
        assert mixed.dtype == mixed_targets.dtype == mixed_weights.dtype == np.float32
        np.testing.assert_allclose(mixed_targets.sum(axis=1), 1, rtol=1e-5)
        # What a label adds to the loss is its share of the pixels, times its image's weight.
        shares = mixed_targets * mixed_weights[:, None] / weights
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-4)
        np.testing.assert_allclose(
            shares @ numbers, mixed.mean(axis=(1, 2, 3)), rtol=1e-4, atol=1e-4
        )
        # Two images at most.
        np.testing.assert_array_less((shares > 1e-6).sum(axis=1), 3)

    def test_weights_may_be_nothing(self):
        images = np.ones((4, 2, 2, 1), np.float32)
        targets, weights = np.eye(4, dtype=np.float32), np.zeros(4, np.float32)
        rng = np.random.default_rng(0)
        for mixed in mix(images, targets, weights, Variation(None, 0.4, 0), rng):
            assert np.isfinite(mixed).all()

    def test_rectangles_are_pasted(self):
        images = np.broadcast_to(
            np.arange(50.0, dtype=np.float32)[:, None, None, None], (50, 9, 9, 1)
        )
        ones = np.ones(50, np.float32)
        mixed, *_ = mix(
            images,
            np.eye(50, dtype=np.float32),
            ones,
            Variation(None, 0, 1.0),
            np.random.default_rng(0),
        )
        pasted = mixed[..., 0] != images[:, 0, :1, 0, None]
        assert 0.3 < pasted.mean() < 0.7
        areas = pasted.any(axis=1).sum(axis=1) * pasted.any(axis=2).sum(axis=1)
        np.testing.assert_array_equal(areas, pasted.sum(axis=(1, 2)))
        assert set(np.unique(mixed)) <= set(range(50))


class TestTestTime:
    def test_mirror_image(self, augmented, digits):
        X = digits[0].reshape(-1, 8, 8)
        flipping = clone_fitted(augmented, test_time_augmentation="flip")
        expected = (augmented.predict_proba(X) + augmented.predict_proba(X[:, :, ::-1])) / 2
        np.testing.assert_allclose(flipping.predict_proba(X), expected, atol=1e-6)
        np.testing.assert_array_equal(
            flipping.predict(X), augmented.classes_[expected.argmax(axis=1)]
        )
        difference = flipping.decision_function(X) - augmented.decision_function(X)
        assert np.abs(difference).max() > 0.1
        np.testing.assert_array_equal(flipping.transform(X), augmented.transform(X))

    def test_variants(self, augmented, digits):
        X, _ = digits
        plain = augmented.predict_proba(X)
        results = [
            clone_fitted(augmented, test_time_augmentation=n).predict_proba(X) for n in (1, 2, 2)
        ]
        np.testing.assert_array_equal(results[1], results[2])
        assert (results[0] != results[1]).any()
        other_seed = clone_fitted(augmented, test_time_augmentation=2)
        other_seed._state = replace(other_seed._state, seed=1)
        assert np.abs(other_seed.predict_proba(X) - results[1]).max() > 0.01
        for result in results:
            np.testing.assert_allclose(result.sum(axis=1), 1)
            assert np.abs(result - plain).max() > 0.01
        nothing = clone_fitted(
            augmented, test_time_augmentation=3, augmentation=ImageAugmenter(**NOTHING)
        )
        np.testing.assert_allclose(nothing.predict_proba(X), plain, atol=1e-5)

    def test_an_image_alone_is_predicted_as_among_others(self, augmented, digits):
        X, _ = digits
        varying = clone_fitted(augmented, test_time_augmentation=3)
        together = varying.predict_proba(X[:20])
        alone = np.concatenate([varying.predict_proba(X[i : i + 1]) for i in range(20)])
        np.testing.assert_allclose(alone, together, atol=1e-5)

    def test_pixels_of_another_type(self, augmented, digits):
        X, _ = digits
        varying = clone_fitted(
            augmented, test_time_augmentation=2, augmentation=ImageAugmenter(fill=2.5)
        )
        np.testing.assert_allclose(
            varying.predict_proba(X.astype(np.uint8)), varying.predict_proba(X), atol=1e-6
        )

    def test_needs_augmentation(self, digits, make_tiny, fitted):
        with pytest.raises(ValueError, match="test_time_augmentation=4 takes variants"):
            make_tiny(test_time_augmentation=4).fit(*digits)
        with pytest.raises(ValueError, match="test_time_augmentation=4 takes variants"):
            clone_fitted(fitted, test_time_augmentation=4).predict(digits[0])
        for wrong in 0, 1.5, "mirror", True:
            with pytest.raises(ValueError, match="test_time_augmentation"):
                clone_fitted(fitted, test_time_augmentation=wrong).predict(digits[0])

    def test_saved(self, augmented, digits, tmp_path):
        X, _ = digits
        varying = clone_fitted(augmented, test_time_augmentation=2)
        varying.augmentation.set_params(shift=(0.1, 0.2), random_state=np.random.RandomState(0))
        varying.save(tmp_path / "model.keras")
        loaded = FashionCNNClassifier.load(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded.predict_proba(X), varying.predict_proba(X))
        expected = {**varying.augmentation.get_params(), "random_state": None}
        assert loaded.augmentation.get_params() == expected
        assert loaded.mixup == varying.mixup

    def test_own_kind_of_augmentation_cannot_be_saved(self, augmented, tmp_path):
        class Own(ImageAugmenter):
            pass

        with pytest.raises(ValueError, match=r"cannot hold augmentation=Own\(\)"):
            clone_fitted(augmented, augmentation=Own()).save(tmp_path / "model.keras")
        assert not list(tmp_path.iterdir())


def clone_fitted(classifier, **parameters):
    """A copy that predicts alike, with other parameters."""
    copied = clone(classifier).set_params(**parameters)
    fitted = {k: v for k, v in vars(classifier).items() if k not in classifier.get_params()}
    vars(copied).update(fitted)
    return copied
