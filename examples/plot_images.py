"""
What do the images look like?
=============================

Before any model: which classes are there, how many images has each, what is on them, and what does
augmentation make of them?
"""

# %%
# The sample that comes with skfashion holds 6,000 training images of Fashion-MNIST. ``data`` has a
# row of 784 pixels for each, ``images`` the same as 28x28, ``target`` the labels from 0 to 9, and
# ``target_names`` what these mean.

import matplotlib.pyplot as plt
import numpy as np

from skfashion.datasets import load_fashion_sample
from skfashion.inspection import AugmentationDisplay, ClassDistributionDisplay, ImageGridDisplay
from skfashion.preprocessing import ImageAugmenter

sample = load_fashion_sample()
print(sample.data.shape, sample.images.shape, sample.data.dtype)

ImageGridDisplay.from_images(sample.data, sample.target, target_names=sample.target_names)
plt.show()

# %%
# How many of each?
# -----------------
# The sample has the same number of images of each class, as all of Fashion-MNIST has. What one
# photographs oneself seldom has. Here a third of the boots is left, and a tenth of the bags:

rng = np.random.default_rng(0)
share = np.ones(10)
share[sample.target_names.index("Ankle boot")] = 1 / 3
share[sample.target_names.index("Bag")] = 1 / 10
kept = rng.random(len(sample.target)) < share[sample.target]

ClassDistributionDisplay.from_labels(sample.target[kept], target_names=sample.target_names)
plt.show()

# %%
# With classes as uneven as these, ``FashionCNNClassifier(class_weight="balanced")`` gives rare
# images more weight, and the accuracy says little: look at the recall of each class.
#
# What will the network see?
# --------------------------
# A network is trained on variants of the images, fresh ones in every epoch. On the left an image,
# on its right what the augmenter makes of it:

augmenter = ImageAugmenter(rotation=15, shift=0.1, zoom=0.1, shear=0, random_state=0)
AugmentationDisplay.from_augmenter(augmenter, sample.data[[0, 1, 20, 35]])
plt.show()
