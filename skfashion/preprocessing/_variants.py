"""Random variants of images: one affine map and at most one erased rectangle for each."""

from enum import IntEnum, auto
from typing import NamedTuple

import numpy as np

__all__ = ["Moves", "affine_maps", "draw_variants", "make_variants", "random_rectangles", "warp"]

# OpenCV warps these; other types go through one that holds their values.
_WARPABLE = {np.dtype(name) for name in ("uint8", "uint16", "int16", "float32", "float64")}

# Z. Zhong et al., "Random Erasing Data Augmentation", arXiv:1708.04896, for Fashion-MNIST.
_ERASED_AREA = (0.02, 0.4)
_ERASED_ASPECT = (0.3, 1 / 0.3)


class _Draw(IntEnum):
    """Columns of what is drawn for an image; their order is part of the seed's promise."""

    CHANGE = 0
    ROTATION = auto()
    SHIFT_DOWN = auto()
    SHIFT_RIGHT = auto()
    SHEAR = auto()
    ZOOM = auto()
    HORIZONTAL_FLIP = auto()
    VERTICAL_FLIP = auto()
    ERASE = auto()
    ERASED_AREA = auto()
    ERASED_ASPECT = auto()
    ERASED_TOP = auto()
    ERASED_LEFT = auto()


def draw_variants(n_images, rng):
    """Draw the random numbers that make the variants of n images, whatever the strengths.

    Parameters
    ----------
    n_images : int
    rng : numpy.random.Generator

    Returns
    -------
    draws : ndarray of shape (n_images, n_draws)
        Uniform in [0, 1). Drawn image after image, so that the first images' do not depend on
        how many follow; and always in full, so that no strength changes what another one draws.
    """
    return rng.random((n_images, len(_Draw)))


def make_variants(images, draws, augmenter):
    """Return a variant of each image.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
        Any real type.
    draws : ndarray of shape (n, n_draws)
        From :func:`draw_variants`.
    augmenter : ImageAugmenter
        Its parameters are the strengths.

    Returns
    -------
    variants : ndarray of the same shape and type
        New memory.
    """
    height, width = images.shape[1:3]
    is_strip = min(height, width) == 1  # turned, it would leave its own line
    chance = draws.T
    change = chance[_Draw.CHANGE] < augmenter.probability
    strength = 2 * chance - 1
    down, right = np.broadcast_to(augmenter.shift, 2)
    moves = Moves(
        rotation=strength[_Draw.ROTATION] * (0 if is_strip else augmenter.rotation),
        shift_down=np.rint(strength[_Draw.SHIFT_DOWN] * (down * height)),
        shift_right=np.rint(strength[_Draw.SHIFT_RIGHT] * (right * width)),
        shear=strength[_Draw.SHEAR] * augmenter.shear,
        zoom=1 + strength[_Draw.ZOOM] * augmenter.zoom,
        horizontal_flip=augmenter.horizontal_flip & (chance[_Draw.HORIZONTAL_FLIP] < 0.5),
        vertical_flip=augmenter.vertical_flip & (chance[_Draw.VERTICAL_FLIP] < 0.5),
    )
    maps = affine_maps(height, width, moves)
    maps[~change] = np.eye(2, 3)
    variants = warp(images, maps, augmenter.fill)
    erase = change & (chance[_Draw.ERASE] < augmenter.erasing)
    if erase.any():
        variants[erase] = _erase(variants[erase], augmenter.fill, chance[:, erase])
    return variants


class Moves(NamedTuple):
    """Changes of the geometry of n images.

    An image is flipped, zoomed, sheared and rotated about its centre, in this order, then shifted.

    Attributes
    ----------
    rotation : ndarray of shape (n,)
        Degrees.
    shift_down, shift_right : ndarray of shape (n,)
        Pixels.
    shear : ndarray of shape (n,)
        Pixels to the right for each pixel down.
    zoom : ndarray of shape (n,)
        Factor by which an image is enlarged.
    horizontal_flip, vertical_flip : ndarray of shape (n,) of bool
        Whether left and right, or top and bottom, change places.
    """

    rotation: np.ndarray
    shift_down: np.ndarray
    shift_right: np.ndarray
    shear: np.ndarray
    zoom: np.ndarray
    horizontal_flip: np.ndarray
    vertical_flip: np.ndarray


def affine_maps(height, width, moves):
    """Return the maps that take a variant's pixels to those of the image.

    Parameters
    ----------
    height, width : int
        Size of the images, in pixels.
    moves : Moves

    Returns
    -------
    maps : ndarray of shape (n, 2, 3)
        Matrices that take the (x, y, 1) of a variant's pixel to the (x, y) of the image's.
    """
    rotation, shift_down, shift_right, shear, zoom, horizontal_flip, vertical_flip = moves
    cos, sin = np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))
    to_x = np.where(horizontal_flip, -1, 1) / zoom
    to_y = np.where(vertical_flip, -1, 1) / zoom
    maps = np.empty((len(zoom), 2, 3))
    maps[:, 0, 0], maps[:, 0, 1] = to_x * (cos + shear * sin), to_x * (sin - shear * cos)
    maps[:, 1, 0], maps[:, 1, 1] = to_y * -sin, to_y * cos
    center_x, center_y = (width - 1) / 2, (height - 1) / 2
    moved_x, moved_y = center_x + shift_right, center_y + shift_down
    maps[:, 0, 2] = center_x - maps[:, 0, 0] * moved_x - maps[:, 0, 1] * moved_y
    maps[:, 1, 2] = center_y - maps[:, 1, 0] * moved_x - maps[:, 1, 1] * moved_y
    return maps


def warp(images, maps, fill):
    """Return images under affine maps, interpolated once, bilinearly.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
    maps : ndarray of shape (n, 2, 3)
        From :func:`affine_maps`. Those that are the identity leave their image exactly as it is.
    fill : float, "nearest" or "reflect"
        Values outside the image.

    Returns
    -------
    warped : ndarray of the same shape and type
        New memory.
    """
    import cv2

    moves = (maps != np.eye(2, 3)).any(axis=(1, 2))
    if images.dtype not in _WARPABLE:
        warped = images.copy()
        through = images[moves].astype(np.float32 if images.dtype == np.float16 else np.float64)
        warped[moves] = _to_type(warp(through, maps[moves], fill), images.dtype)
        return warped
    shape, size = images.shape, (images.shape[2], images.shape[1])
    images = np.ascontiguousarray(images)
    if shape[3] == 1:
        images = images[..., 0]
    linear = maps[:, :, :2]
    # Flips and whole-pixel shifts need no interpolation, and the faster kernel gives them exactly.
    exact = (np.abs(linear) == np.eye(2)).all()
    flags = (cv2.INTER_NEAREST if exact else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    borders = {"nearest": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT}
    border = borders.get(fill, cv2.BORDER_CONSTANT)
    value = (0.0 if fill in borders else float(fill),) * 4
    warped = images.copy()
    for image, matrix, target, move in zip(images, maps, warped, moves.tolist(), strict=True):
        if move:
            cv2.warpAffine(image, matrix, size, target, flags, border, value)
    return warped.reshape(shape)


def random_rectangles(height, width, area, aspect, top, left):
    """Return rectangles inside images, as masks.

    Parameters
    ----------
    height, width : int
        Of the images, in pixels.
    area : ndarray of shape (n,)
        Fraction of the image's area, before rounding to whole pixels, one at least.
    aspect : ndarray of shape (n,)
        Height of the rectangle by its width, as far as it fits.
    top, left : ndarray of shape (n,)
        In [0, 1): where it lies between the first place that it fits in and the last.

    Returns
    -------
    inside : ndarray of shape (n, height, width) of bool
    """

    def extent(size, length, position):
        length = np.rint(length)
        start = np.floor(position * (size - length + 1))
        pixels = np.arange(size)
        return (pixels >= start[:, None]) & (pixels < (start + length)[:, None])

    pixels = area * (height * width)
    # What does not fit one way is made up for the other way.
    columns_across = np.clip(np.sqrt(pixels / aspect), 1, width)
    rows_down = np.clip(pixels / columns_across, 1, height)
    columns_across = np.clip(pixels / rows_down, 1, width)
    rows, columns = extent(height, rows_down, top), extent(width, columns_across, left)
    return rows[:, :, None] & columns[:, None, :]


def _erase(images, fill, chance):
    """Return images with a random rectangle erased."""
    smallest, largest = _ERASED_AREA
    flattest, slimmest = np.log(_ERASED_ASPECT)
    inside = random_rectangles(
        images.shape[1],
        images.shape[2],
        area=smallest + chance[_Draw.ERASED_AREA] * (largest - smallest),
        aspect=np.exp(flattest + chance[_Draw.ERASED_ASPECT] * (slimmest - flattest)),
        top=chance[_Draw.ERASED_TOP],
        left=chance[_Draw.ERASED_LEFT],
    )
    if isinstance(fill, str):
        fill = images.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    return np.where(inside[..., None], _to_type(np.asarray(fill), images.dtype), images)


def _to_type(pixels, dtype):
    if dtype.kind in "biu" and pixels.dtype.kind == "f":
        pixels = np.rint(pixels)
    return pixels.astype(dtype, copy=False)
