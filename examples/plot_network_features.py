"""
Can the network feed a support vector machine?
==============================================

A network finds features and decides by them. In a pipeline it hands its features to another
classifier, which may decide better.
"""

# %%
# The network as a step
# ---------------------
# ``transform`` gives what goes into the network's last layer, so the network is a step like any
# other. The features are not on one scale: a ``StandardScaler`` comes next. It is a small network,
# trained on a part of the bundled sample.

import matplotlib.pyplot as plt
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.inspection import ImageGridDisplay

train, test = load_fashion_sample(), load_fashion_sample(subset="test")
X, y = train.data[:1500], train.target[:1500]

network = FashionCNNClassifier("small", epochs=6, random_state=0)
pipeline = make_pipeline(network, StandardScaler(), SVC()).fit(X, y)

network = pipeline[0]  # the one that the pipeline has trained
alone = make_pipeline(StandardScaler(), SVC()).fit(X, y)
print(f"{network.transform(X).shape[1]} features of {X.shape[1]} pixels")
print("accuracy on test images:")
print(f"  support vector machine on pixels    {alone.score(test.data, test.target):.3f}")
print(f"  network                             {network.score(test.data, test.target):.3f}")
print(f"  support vector machine on features  {pipeline.score(test.data, test.target):.3f}")

# %%
# On 1,000 test images one standard error is 0.01: the two last are about equals. The network was
# trained to be decided by its own last layer, so there is little left to gain.
#
# What looks alike
# ----------------
# Features are good for more than one decision. The images nearest to an image, by its features, are
# of its class more often than those nearest by its pixels, so they find similar images:

shown = slice(20, 30)
rows = {"image": test.images[shown, ..., None]}
for name, transform in {"pixels": lambda images: images, "features": network.transform}.items():
    neighbours = KNeighborsClassifier(n_neighbors=1).fit(transform(X), y)
    share = neighbours.score(transform(test.data), test.target)
    print(f"nearest by {name}: {share:.1%} of the same class")
    nearest = neighbours.kneighbors(transform(test.data[shown]), return_distance=False)[:, 0]
    rows[f"nearest by {name}"] = train.images[nearest, ..., None]

# %%
# Above test images, below each what is nearest to it among the training images:

ImageGridDisplay(list(rows.values()), list(rows)).plot()
plt.show()
