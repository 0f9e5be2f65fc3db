"""Batches for the training step, prepared while the network computes."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from skfashion._utils.randomness import Purpose, derive_seed
from skfashion.preprocessing._variants import draw_variants, make_variants, random_rectangles

__all__ = ["BatchMaker", "Variation", "mix"]

# Values that are prepared at once: small batches are prepared by the group, because for each of
# them a third of the time would go into the overhead of its calls.
_GROUP_VALUES = 2**19


@dataclass(frozen=True)
class Variation:
    """How training images vary from epoch to epoch.

    Attributes
    ----------
    augmentation : ImageAugmenter or None
        Gives each image a variant.
    mixup, cutmix : float
        Parameters of the Beta distributions, 0 for none.
    """

    augmentation: object
    mixup: float
    cutmix: float


class BatchMaker:
    """Makes a training's batches; the next ones in a thread while the last are trained on.

    Parameters
    ----------
    images : LabelledImages
    scaler : PixelScaler
        Standardisation of the images.
    targets : ndarray of shape (n_classes, n_classes) of float32
        Target probabilities for each class.
    variation : Variation
    batch_size : int
        Images in a batch, at most.
    seed : int

    Attributes
    ----------
    n_steps : int
        Batches in an epoch.
    """

    def __init__(self, images, scaler, targets, variation, *, batch_size, seed):
        self.images = images
        self.scaler = scaler
        self.targets = targets
        self.variation = variation
        self.seed = seed
        self.n_steps = math.ceil(len(images.rows) / batch_size)
        batch_values = batch_size * scaler.image_shape.n_values
        self._n_together = max(1, _GROUP_VALUES // batch_values)
        self._thread = ThreadPoolExecutor(max_workers=1)

    def epoch(self, epoch):
        """Give ``(images, targets, weights)`` for each step of an epoch."""
        shuffle = np.random.default_rng(derive_seed(self.seed, Purpose.SHUFFLE, epoch))
        # Equal parts, so that no last batch is too small for batch normalisation.
        parts = np.array_split(shuffle.permutation(self.images.rows), self.n_steps)
        starts = range(0, self.n_steps, self._n_together)
        groups = [parts[start : start + self._n_together] for start in starts]
        following = self._thread.submit(self._prepare, groups[0], epoch, 0)
        for start, group in zip(starts[1:], groups[1:], strict=True):
            batches = following.result()
            following = self._thread.submit(self._prepare, group, epoch, start)
            yield from batches
        yield from following.result()

    def close(self):
        """End the thread once it has made the batches at hand."""
        self._thread.shutdown()

    def _prepare(self, parts, epoch, first_step):
        """Make the batches of these rows, for consecutive steps of an epoch."""
        augmentation = self.variation.augmentation
        mixes = self.variation.mixup > 0 or self.variation.cutmix > 0
        path = (self.seed, Purpose.AUGMENTATION, epoch)
        rngs = [
            np.random.default_rng(derive_seed(*path, step))
            for step in range(first_step, first_step + len(parts))
        ]
        rows = np.concatenate(parts)
        images = self.images.X[rows]
        if augmentation is not None:
            images = self.scaler.cast(images)
            draws = [draw_variants(len(part), rng) for part, rng in zip(parts, rngs, strict=True)]
            images = make_variants(images, np.concatenate(draws), augmentation)
        images = self.scaler.transform(images, copy=False)
        targets, weights = self.targets[self.images.y[rows]], self.images.weights[rows]
        ends = np.cumsum([len(part) for part in parts])[:-1]
        arrays = [np.split(array, ends) for array in (images, targets, weights)]
        if not mixes:
            return list(zip(*arrays, strict=True))
        return [
            mix(i, t, w, self.variation, rng) for i, t, w, rng in zip(*arrays, rngs, strict=True)
        ]


def mix(images, targets, weights, variation, rng):
    """Mix each image, and its target, with another of the batch.

    A batch is mixed either pixel by pixel (mixup) or by pasting rectangles (CutMix); with both,
    either has a chance of one half.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels) of float32
    targets : ndarray of shape (n, n_classes) of float32
    weights : ndarray of shape (n,) of float32
    variation : Variation
    rng : numpy.random.Generator

    Returns
    -------
    images, targets, weights : ndarray of the same shapes
        The loss of a mixed image is that of its two labels, by their shares and weights.
    """
    n_images, height, width, _ = images.shape
    partners = rng.permutation(n_images)
    cuts = rng.random() < 0.5 if variation.mixup and variation.cutmix else variation.cutmix > 0
    concentration = variation.cutmix if cuts else variation.mixup
    share = rng.beta(concentration, concentration, n_images).astype(np.float32)
    if cuts:
        pasted = random_rectangles(
            height,
            width,
            area=1 - share,
            aspect=np.full(n_images, height / width),
            top=rng.random(n_images),
            left=rng.random(n_images),
        )
        images = np.where(pasted[..., None], images[partners], images)
        share = 1 - pasted.mean(axis=(1, 2), dtype=np.float32)
    else:
        share_of_image = share[:, None, None, None]
        images = share_of_image * images + (1 - share_of_image) * images[partners]
    own, other = share * weights, (1 - share) * weights[partners]
    mixed_weights = own + other
    targets = own[:, None] * targets + other[:, None] * targets[partners]
    # Weights may have been rounded to 0.
    targets /= np.maximum(mixed_weights, np.finfo(np.float32).tiny)[:, None]
    return images, targets, mixed_weights
