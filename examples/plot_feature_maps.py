"""
What does the network look at?
==============================

Each layer of a convolutional network makes maps of an image: where it finds an edge, a stripe, a
sleeve. Grad-CAM adds those up that speak for a class.
"""

# %%
# "small" is trained on a part of the bundled sample. Its last convolution makes maps of 7x7, finer
# than those of the larger network "fast", which are 4x4.

import matplotlib.pyplot as plt

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.inspection import FeatureMapsDisplay, GradCAMDisplay

train, test = load_fashion_sample(), load_fashion_sample(subset="test")
network = FashionCNNClassifier("small", epochs=6, random_state=0)
network.fit(train.data[:2000], train.target[:2000])
print(f"accuracy {network.score(test.data, test.target):.3f}")

# %%
# Layer by layer
# --------------
# ``model_`` is the Keras model, and its last layer the network. These layers make maps:

layers = network.model_.layers[-1].layers
print(", ".join(layer.name for layer in layers if len(layer.output.shape) == 4))

# %%
# The first convolution finds edges and areas. Bright is much, dark is little, each map on a scale
# of its own.

boot = test.data[:1]
FeatureMapsDisplay.from_estimator(network, boot, "stem_1_relu")
plt.show()

# %%
# The last one is coarse, and no longer looks like a boot. ``network.feature_maps(X, layer)`` gives
# the maps of many images as an array.

FeatureMapsDisplay.from_estimator(network, boot, "stage3_add")
plt.show()

# %%
# Where it looked
# ---------------
# Bright places speak for the class that is predicted:

one_of_each = [int((test.target == label).argmax()) for label in (9, 1, 3, 5, 7, 8)]
GradCAMDisplay.from_estimator(network, test.data[one_of_each], target_names=test.target_names)
plt.show()

# %%
# Any class may be asked about. What in a shirt speaks for a T-shirt, a pullover, a coat?

shirt = test.data[(test.target == 6).argmax()]
GradCAMDisplay.from_estimator(
    network, [shirt] * 4, target=[6, 0, 2, 4], target_names=test.target_names
)
plt.show()

# %%
# Such pictures show where the network finds something, not what it is, nor that it is right to look
# there. They are at their best when they show that it looks beside the thing.
