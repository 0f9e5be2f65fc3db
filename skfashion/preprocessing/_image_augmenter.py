"""Augmentation as a transformer: training images vary, test images do not."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from skfashion._images import ImageInputMixin, ImageShape
from skfashion._sklearn_compat import Interval, StrOptions
from skfashion._utils.randomness import draw_seed
from skfashion._utils.warnings import warn
from skfashion.errors import PixelRangeWarning
from skfashion.preprocessing._variants import draw_variants, make_variants

__all__ = ["ImageAugmenter", "automatic_augmenter", "check_augmenter"]

# Values that are varied together: what they need besides the result stays small.
_CHUNK_VALUES = 2**20
_MAX_WHOLE_NUMBER = 2**53  # that double precision holds
# This many times their span away from the pixels, a value is on another scale.
_FAR = 5
# Limits of OpenCV.
_MAX_SIDE, _MAX_CHANNELS = 32_766, 512
# One pixel of Fashion-MNIST's images.
_AUTOMATIC_SHIFT = 1 / 28
# Of fewer pixels, it rounds to none.
_MIN_MOVED_SIDE = 15
# A smaller array looks like a table, not like one image.
_MIN_IMAGE_SIDE = 12


class ImageAugmenter(ImageInputMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Random variants of training images: turned, moved, zoomed, mirrored, partly erased.

    In a pipeline, :meth:`fit_transform`, which ``fit`` calls, gives one variant of each training
    image; :meth:`transform`, which ``predict`` calls, leaves images as they are. As
    ``augmentation`` of :class:`skfashion.FashionCNNClassifier` it gives fresh variants in every
    epoch, which is the best for a network; :class:`AugmentedClassifier` trains any other
    classifier on several variants of each image.

    Parameters
    ----------
    rotation : float, default=10.0
        An image is turned by up to so many degrees, either way; at most 180.
    shift : float or tuple of 2 float, default=0.1
        It is moved by up to this fraction of its height and its width, or of each if a pair,
        rounded to whole pixels, so that a shift alone blurs nothing. What makes less than half a
        pixel moves nothing: 0.05 of 8 pixels, for instance.
    shear : float, default=0.1
        Its lines are moved against each other: by up to so many pixels sideways for each pixel
        down.
    zoom : float, default=0.1
        It is enlarged or shrunk by a factor between ``1 - zoom`` and ``1 + zoom``.
    horizontal_flip : bool, default=True
        Whether left and right change places in half of the images. Not for digits or letters.
    vertical_flip : bool, default=False
        Whether top and bottom change places in half of the images.
    erasing : float, default=0.0
        Chance that a random rectangle of 2 to 40 percent of the area is erased [1]_: filled with
        ``fill`` if that is a number, otherwise with the image's mean.
    probability : float, default=1.0
        Chance that an image is changed at all.
    fill : float, "nearest" or "reflect", default=0.0
        What comes in from outside the image: pixels of this value, on the scale of X, so 0 is
        black only where black is 0 (not after a scaler); "nearest", those at its edge, as in
        ``aaa|abcd|ddd``; "reflect", the image mirrored at its edge, as in ``cba|abcd|dcb``.
    image_shape : tuple of 2 or 3 int, default=None
        Height, width and (1 if left out) channels of flattened images, in pixels. None means: a
        perfect square of features is one grey image, three times a perfect square one colour
        image, anything else a strip one pixel high, which is not turned.
    random_state : int, RandomState instance or None, default=None
        Seed of the variants. With an int, each :meth:`fit_transform` and :meth:`augment` of the
        same images gives the same. Inside :class:`skfashion.FashionCNNClassifier` its own
        ``random_state`` counts instead.

    Attributes
    ----------
    image_shape_ : tuple of 3 int
        Height, width and channels of the images.
    n_features_in_ : int
        Values in an image: height times width times channels.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame whose column names are all strings.

    See Also
    --------
    AugmentedClassifier : Trains any classifier on originals and variants.
    skfashion.FashionCNNClassifier : Takes an augmenter as ``augmentation``.

    Notes
    -----
    The defaults are strong for garments that fill their image: they cut a little off most of them,
    and a small network needs many epochs to gain by them. ``ImageAugmenter(rotation=0, shift=1 /
    28, shear=0, zoom=0)``, a pixel each way and mirrored, is a gentle choice.

    All changes of an image's geometry are one affine map, so its pixels are interpolated once,
    bilinearly, by OpenCV, at positions rounded to 1/32 pixel or finer. The map flips, zooms, shears
    and turns the image about its centre, then shifts it. What is drawn for an image depends on the
    seed and its position alone: not on how many images follow, and what is drawn for one strength
    not on the other strengths.

    ``fit(X).transform(X)`` is X, and so differs from ``fit_transform(X)`` by intention, as with
    :class:`sklearn.preprocessing.TargetEncoder`.

    References
    ----------
    .. [1] Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang, "Random Erasing Data Augmentation",
       arXiv:1708.04896, 2017.

    Examples
    --------
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.preprocessing import ImageAugmenter
    >>> X, y = load_fashion_sample(return_X_y=True)
    >>> augmenter = ImageAugmenter(random_state=0)
    >>> variants = augmenter.fit_transform(X)
    >>> variants.shape, variants.dtype
    ((6000, 784), dtype('uint8'))
    >>> bool((augmenter.transform(X) == X).all())
    True

    Moved by one pixel at most, and mirrored, before a forest:

    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> augmenter = ImageAugmenter(rotation=0, shift=1 / 28, shear=0, zoom=0, random_state=0)
    >>> forest = RandomForestClassifier(n_estimators=10, random_state=0)
    >>> pipeline = make_pipeline(augmenter, forest).fit(X, y)
    """

    _parameter_constraints: ClassVar[dict] = {
        "rotation": [Interval(Real, 0, 180, closed="both")],
        "shift": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "shear": [Interval(Real, 0, None, closed="left")],
        "zoom": [Interval(Real, 0, 1, closed="left")],
        "horizontal_flip": ["boolean"],
        "vertical_flip": ["boolean"],
        "erasing": [Interval(Real, 0, 1, closed="both")],
        "probability": [Interval(Real, 0, 1, closed="both")],
        "fill": [Interval(Real, None, None, closed="neither"), StrOptions({"nearest", "reflect"})],
        "image_shape": ["array-like", None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        rotation=10.0,
        shift=0.1,
        shear=0.1,
        zoom=0.1,
        horizontal_flip=True,
        vertical_flip=False,
        erasing=0.0,
        probability=1.0,
        fill=0.0,
        image_shape=None,
        random_state=None,
    ):
        self.rotation = rotation
        self.shift = shift
        self.shear = shear
        self.zoom = zoom
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.erasing = erasing
        self.probability = probability
        self.fill = fill
        self.image_shape = image_shape
        self.random_state = random_state

    def fit(self, X, y=None):
        """Note the shape of the images; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images of any real type.
        y : None
            Ignored.

        Returns
        -------
        self : ImageAugmenter
            The fitted augmenter.

        Raises
        ------
        ValueError
            If X holds no images of one shape with finite pixels, or a parameter is out of its
            range or no value for such pixels.

        Warns
        -----
        UserWarning
            If flattened images are taken for strips, or X looks like one image.
        PixelRangeWarning
            If ``fill`` is far from all pixels.
        """
        image_shape = check_augmenter(self, self._check_images(X))
        self._note_features(X, image_shape.n_values)
        self.image_shape_ = image_shape
        return self

    def fit_transform(self, X, y=None):
        """Give one variant of each training image.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images of any real type.
        y : None
            Ignored.

        Returns
        -------
        variants : ndarray of the shape and type of X
            A variant of each image.

        Raises
        ------
        ValueError
            As :meth:`fit`.
        """
        return self.fit(X).augment(X)

    def transform(self, X):
        """Leave images as they are: those to predict are not augmented.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images of the size of those it was fitted on.

        Returns
        -------
        X : ndarray
            The same images, as an array.

        Raises
        ------
        NotFittedError
            If the augmenter is not fitted.
        ValueError
            If X holds no images of the fitted size with finite pixels.
        """
        return self._check_fitted_images(X)

    def augment(self, X, *, random_state=None):
        """Give one variant of each image outright; needs no fit.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images of any real type.
        random_state : int, RandomState instance or None, default=None
            Seed of the variants; None takes the augmenter's.

        Returns
        -------
        variants : ndarray of the shape and type of X
            A variant of each image.

        Raises
        ------
        ValueError
            As :meth:`fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from skfashion.preprocessing import ImageAugmenter
        >>> augmenter = ImageAugmenter(rotation=0, shift=0, shear=0, zoom=0)
        >>> augmenter.augment(np.array([[[1, 2], [3, 4]]]), random_state=2)
        array([[[2, 1],
                [4, 3]]])

        A variant of one picture, which is ``picture[None]``:

        >>> picture = np.zeros((28, 28, 3), dtype=np.uint8)
        >>> augmenter.augment(picture[None])[0].shape
        (28, 28, 3)
        """
        X = self._check_images(X)
        image_shape = check_augmenter(self, X)
        rng = np.random.default_rng(
            draw_seed(self.random_state if random_state is None else random_state)
        )
        images = image_shape.reshape(X)
        variants = np.empty(images.shape, dtype=images.dtype)
        n_together = max(1, _CHUNK_VALUES // image_shape.n_values)
        for start in range(0, len(images), n_together):
            chunk = images[start : start + n_together]
            draws = draw_variants(len(chunk), rng)
            variants[start : start + n_together] = make_variants(chunk, draws, self)
        return variants.reshape(X.shape)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # fit_transform and transform differ by intention
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def check_augmenter(augmenter, X=None, image_shape=None):
    """Raise unless an augmenter can vary such images; warn where they are doubtful.

    Parameters
    ----------
    augmenter : ImageAugmenter
    X : ndarray, default=None
        Images; None checks for their shape alone.
    image_shape : ImageShape, default=None
        Their shape; None infers it from X.

    Returns
    -------
    image_shape : ImageShape
    """
    augmenter._validate_params()
    _check_shift(augmenter.shift)
    own = augmenter.image_shape
    if image_shape is None:
        image_shape = ImageShape.infer(X.shape, own)
        if own is None:
            _warn_of_guess(X.shape, image_shape)
    elif own is not None and ImageShape.parse(own) != image_shape:
        raise ValueError(f"image_shape={own} of ImageAugmenter, but images are {image_shape}.")
    if not _can_vary(image_shape):
        raise ValueError(
            f"Images of {image_shape} cannot be augmented: at most {_MAX_SIDE} pixels a side and "
            f"{_MAX_CHANNELS} channels can."
        )
    if X is not None:
        _check_pixels(X)
        _check_fill(augmenter.fill, X)
    return image_shape


def automatic_augmenter(image_shape):
    """Return an augmenter that suits any images: small shifts, no flips.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height, width and channels.

    Returns
    -------
    augmenter : ImageAugmenter or None
        None for images that are too small to be moved by a pixel, or too large to be varied.
    """
    if min(image_shape[:2]) < _MIN_MOVED_SIDE or not _can_vary(image_shape):
        return None
    return ImageAugmenter(
        rotation=0.0,
        shift=_AUTOMATIC_SHIFT,
        shear=0.0,
        zoom=0.0,
        horizontal_flip=False,
        fill="nearest",
    )


def _can_vary(image_shape):
    height, width, channels = image_shape
    return max(height, width) <= _MAX_SIDE and channels <= _MAX_CHANNELS


def _check_shift(shift):
    values = np.asarray(shift)
    numbers = values.dtype.kind in "fiu" and values.shape in ((), (2,))
    if not numbers or not ((values >= 0) & (values < 1)).all():
        raise ValueError(
            "shift must be a fraction in [0, 1), or a pair of them for height and width, got "
            f"{shift!r}."
        )


def _check_pixels(X):
    if X.dtype.kind in "iu" and X.dtype.itemsize == 8:
        largest = max(abs(int(X.min())), abs(int(X.max())))
        if largest > _MAX_WHOLE_NUMBER:
            raise ValueError(
                f"X has pixels up to {largest}; whole numbers above 2**53 cannot be interpolated."
            )


def _check_fill(fill, X):
    if isinstance(fill, str):
        return
    if X.dtype.kind in "biu":
        lowest, highest = (0, 1)
        if X.dtype.kind != "b":
            lowest, highest = np.iinfo(X.dtype).min, np.iinfo(X.dtype).max
        if fill != int(fill) or not lowest <= fill <= highest:
            raise ValueError(
                f"fill={fill!r} is no value of pixels of type {X.dtype}, which are whole numbers "
                f"from {lowest} to {highest}."
            )
        return
    if abs(fill) > float(np.finfo(X.dtype).max):
        raise ValueError(f"fill={fill!r} is too large for pixels of type {X.dtype}.")
    low, high = float(X.min()), float(X.max())
    span = high - low
    if fill != 0 and span > 0 and not low - _FAR * span <= fill <= high + _FAR * span:
        warn(
            f"fill={fill!r} is far from all pixels of X, which are from {low:g} to {high:g}. Give "
            "it on their scale.",
            PixelRangeWarning,
        )


def _warn_of_guess(size, image_shape):
    """Warn if an array of this size was probably taken for something else."""
    if (len(size) == 2 and size[0] == size[1] >= _MIN_IMAGE_SIDE) or (
        len(size) == 3 and size[0] == size[1] and size[2] in (3, 4)
    ):
        warn(
            f"X of shape {size} is taken for {size[0]} images of {image_shape}. One image is "
            "X[None]; if they really are several, say so with image_shape."
        )
    else:
        image_shape.warn_of_strip(size)
