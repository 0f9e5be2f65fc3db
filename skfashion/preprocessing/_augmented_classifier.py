"""Augmentation for any classifier: it is trained on the images and on variants of them."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import (
    ClassifierMixin,
    MetaEstimatorMixin,
    clone,
    is_regressor,
)
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from skfashion._base import NestedParametersEstimator
from skfashion._images import ImageInputMixin, ImageShape
from skfashion._sklearn_compat import HasMethods, Interval, check_sample_weight, fit_context
from skfashion._utils.randomness import derive_seed, draw_seed
from skfashion._utils.warnings import warn
from skfashion.preprocessing._image_augmenter import ImageAugmenter

__all__ = ["AugmentedClassifier"]


def _estimator_has(method):
    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


class AugmentedClassifier(
    ImageInputMixin, MetaEstimatorMixin, ClassifierMixin, NestedParametersEstimator
):
    """Any classifier, trained on the images and on random variants of them.

    Images to predict are left as they are. A network does better with fresh variants in every
    epoch: see ``augmentation`` of :class:`skfashion.FashionCNNClassifier`.

    Parameters
    ----------
    estimator : classifier
        Classifier to train, a forest for instance; a clone of it is fitted. It gets arrays, of
        images flattened or not as they were given. ``estimator__max_depth=5`` sets a parameter of
        it.
    augmentation : ImageAugmenter, default=None
        How variants are made; None means ``ImageAugmenter()``. ``augmentation__rotation=5`` sets a
        parameter of one that was given. Its ``image_shape`` is that of ``estimator``, if only
        that has one.
    n_copies : int, default=1
        Variants of each training image, besides itself; 0 trains on the images alone.
    random_state : int, RandomState instance or None, default=None
        Seed of the variants; None takes that of ``augmentation``. The estimator's own is not
        changed.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    n_features_in_ : int
        Values in an image.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame whose column names are all strings.

    See Also
    --------
    ImageAugmenter : Makes the variants; in a pipeline, one for each image, instead of it.

    Notes
    -----
    The first n images that the estimator is trained on are the originals, the next n their first
    variants, and so on, so training takes ``n_copies + 1`` times the memory. An estimator that
    holds out some of what it is trained on, to stop early for instance, would hold out variants of
    images that it learns from: give it validation images, as in ``fit(X, y, X_val=X_val,
    y_val=y_val)``.

    With metadata routing, request ``sample_weight`` of this classifier, not of the estimator.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.preprocessing import AugmentedClassifier, ImageAugmenter
    >>> X, y = load_fashion_sample(return_X_y=True)
    >>> moved_and_mirrored = ImageAugmenter(rotation=0, shift=1 / 28, shear=0, zoom=0)
    >>> forest = RandomForestClassifier(n_estimators=10, random_state=0)
    >>> classifier = AugmentedClassifier(forest, moved_and_mirrored, n_copies=2, random_state=0)
    >>> classifier.fit(X[:500], y[:500]).predict(X[500:505]).shape
    (5,)
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "augmentation": [ImageAugmenter, None],
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator, augmentation=None, *, n_copies=1, random_state=None):
        self.estimator = estimator
        self.augmentation = augmentation
        self.n_copies = n_copies
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **fit_params):
        """Train a clone of the estimator on images and variants.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as the estimator takes them.
        y : array-like of shape (n,)
            Class labels; a variant has its image's.
        sample_weight : array-like of shape (n,), default=None
            Weights of the images; a variant has its image's. They are given to the estimator only
            if there are any.
        **fit_params : dict
            Given to the estimator's ``fit`` as they are, for instance ``X_val`` and ``y_val``.

        Returns
        -------
        self : AugmentedClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If X holds no images of one shape with finite pixels, a parameter is out of its range,
            or the estimator raises it.
        TypeError
            If the estimator is a regressor, or takes no such parameters of ``fit``.

        Warns
        -----
        UserWarning
            If the estimator holds out some images to stop early.
        """
        if is_regressor(self.estimator):
            raise TypeError(f"estimator must be a classifier, got {self.estimator!r}.")
        given_X = X
        X, y = self._check_images(X, y, requires_y=True)
        check_classification_targets(y)
        n_images = len(X)
        grown = np.empty((n_images * (self.n_copies + 1), *X.shape[1:]), dtype=X.dtype)
        grown[:n_images] = X
        augmentation = self._complete_augmentation()
        random_state = self.random_state
        seed = draw_seed(augmentation.random_state if random_state is None else random_state)
        for copy in range(1, self.n_copies + 1):
            variants = augmentation.augment(X, random_state=derive_seed(seed, copy))
            grown[copy * n_images : (copy + 1) * n_images] = variants
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X)
            fit_params["sample_weight"] = np.tile(sample_weight, self.n_copies + 1)
        holds_out = getattr(self.estimator, "early_stopping", False) is True
        if holds_out and self.n_copies > 0 and fit_params.get("X_val") is None:
            warn(
                f"{type(self.estimator).__name__} has early_stopping=True, and holds out variants "
                "of images that it is trained on, so it stops late. Give X_val and y_val, if it "
                "takes them, or set early_stopping=False."
            )
        estimator = clone(self.estimator).fit(grown, np.tile(y, self.n_copies + 1), **fit_params)
        self._note_features(given_X, int(np.prod(X.shape[1:])))
        self.classes_ = estimator.classes_
        self.estimator_ = estimator
        return self

    def predict(self, X):
        """Predict the class of each image.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as the estimator takes them.

        Returns
        -------
        y : ndarray of shape (n,)
            Class labels.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        """
        X = self._check(X)
        return self.estimator_.predict(X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Probability of each class for each image, if the estimator gives it.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as the estimator takes them.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
            Columns are in the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        """
        X = self._check(X)
        return self.estimator_.predict_proba(X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Logarithm of each class' probability for each image, if the estimator gives it.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as the estimator takes them.

        Returns
        -------
        log_probabilities : ndarray of shape (n, n_classes)
            Columns are in the order of ``classes_``.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        """
        X = self._check(X)
        return self.estimator_.predict_log_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Scores of the classes for each image, if the estimator gives them.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as the estimator takes them.

        Returns
        -------
        scores : ndarray of shape (n, n_classes), or (n,) for two classes
            As the estimator gives them.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        """
        X = self._check(X)
        return self.estimator_.decision_function(X)

    def _complete_augmentation(self):
        """The augmenter, with the image shape that the estimator knows."""
        augmentation = ImageAugmenter() if self.augmentation is None else self.augmentation
        image_shape = getattr(self.estimator, "image_shape", None)
        if image_shape is None:
            return augmentation
        if augmentation.image_shape is None:
            return clone(augmentation).set_params(image_shape=image_shape)
        if ImageShape.parse(augmentation.image_shape) != ImageShape.parse(image_shape):
            raise ValueError(
                f"image_shape={augmentation.image_shape} of augmentation, but {image_shape} of "
                "estimator."
            )
        return augmentation

    def _check(self, X):
        X = self._check_fitted_images(X)
        n_features = int(np.prod(X.shape[1:]))
        if X.ndim > 1 and n_features != self.n_features_in_:
            raise ValueError(
                f"X has {n_features} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.classifier_tags = inner.classifier_tags
        tags.non_deterministic = inner.non_deterministic
        tags.input_tags.three_d_array = inner.input_tags.three_d_array
        return tags
