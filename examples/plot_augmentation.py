"""
What does augmentation do to images?
====================================

``ImageAugmenter`` turns, moves, shears, zooms and mirrors training images, so that a classifier
learns what does not matter. Look at what it makes of your images before you train on them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from skfashion.datasets import load_fashion_sample
from skfashion.preprocessing import ImageAugmenter

sample = load_fashion_sample()
boot = sample.images[sample.target == sample.target_names.index("Ankle boot")][3]


def show_variants(image, settings):
    """A row for each setting: the image, then eight variants."""
    figure, rows = plt.subplots(
        len(settings), 9, figsize=(9, len(settings)), subplot_kw={"xticks": [], "yticks": []}
    )
    for axes, parameters in zip(rows, settings, strict=True):
        variants = ImageAugmenter(**parameters, random_state=0).augment(np.stack([image] * 8))
        for ax, shown in zip(axes, [image, *variants], strict=True):
            ax.imshow(shown, cmap="gray", vmin=0, vmax=255)
        label = ", ".join(f"{name}={value!r}" for name, value in parameters.items() if value)
        axes[0].set_ylabel(label or "defaults", rotation=0, ha="right", va="center")
    rows[0, 0].set_title("original")
    figure.tight_layout()
    plt.show()


# %%
# One change at a time, at its default strength (erasing is off by default), then all at once:

nothing = {"rotation": 0, "shift": 0, "shear": 0, "zoom": 0, "horizontal_flip": False}
show_variants(
    boot,
    [
        {**nothing, "rotation": 10.0},
        {**nothing, "shift": 0.1},
        {**nothing, "shear": 0.1},
        {**nothing, "zoom": 0.1},
        {**nothing, "horizontal_flip": True},
        {**nothing, "erasing": 1.0},
        {},
    ],
)

# %%
# What comes in from outside is black, unless ``fill`` says otherwise. That matters for photos,
# whose ground is seldom black:

show_variants(255 - boot, [{"fill": 255}, {"fill": "nearest"}, {"fill": "reflect"}, {}])

# %%
# Garments fill these images to the edge, so what moves them cuts a little off. How much of their
# brightness is left?

gentle = {"rotation": 0, "shift": 1 / 28, "shear": 0, "zoom": 0}
for name, parameters in [("defaults", {}), ("one pixel each way, mirrored", gentle)]:
    variants = ImageAugmenter(**parameters, random_state=0).augment(sample.data)
    kept = variants.sum(axis=1) / sample.data.sum(axis=1)
    print(f"{name}: {kept.mean():.3f}; a tenth of the images under {np.quantile(kept, 0.1):.3f}")

# %%
# In a pipeline, training images vary, and those to predict do not. A network has more of it if it
# gets fresh variants in every epoch: ``FashionCNNClassifier(augmentation=ImageAugmenter())``.

pipeline = make_pipeline(
    ImageAugmenter(**gentle, random_state=0), RandomForestClassifier(random_state=0)
)
pipeline.fit(sample.data[:1000], sample.target[:1000])
print(f"accuracy: {pipeline.score(sample.data[1000:], sample.target[1000:]):.3f}")
