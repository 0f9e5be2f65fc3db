"""
How do I search over a pipeline?
================================

Whether to scale pixels, how far to turn training images, how fast to learn: ``GridSearchCV`` tries
them together, as for any other pipeline.
"""

# %%
# A network in a pipeline
# -----------------------
# Two steps: what is done to the pixels, and the network. It is a small one, and learns from 600
# images at a time, so that the search takes half a minute on two cores. In every epoch images are
# mirrored, moved by a pixel, and turned by as much as the search says.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skfashion.datasets import load_fashion_sample
from skfashion.preprocessing import ImageAugmenter
from skfashion.recipes import make_recipe

train, test = load_fashion_sample(), load_fashion_sample(subset="test")
X, y = train.data[:900], train.target[:900]

augmenter = ImageAugmenter(shift=1 / 28, shear=0, zoom=0, fill="nearest")
network = make_recipe("lenet", augmentation=augmenter, epochs=6, random_state=0)
pipeline = Pipeline([("scale", StandardScaler()), ("network", network)])

# %%
# What to try
# -----------
# Two underscores lead from a step to its parameters, and on to the parameters of these:
# ``network__augmentation__rotation`` is the ``rotation`` of the ``augmentation`` of ``network``.
# The name of a step stands for all of it, and "passthrough" leaves it out.

grid = {
    "scale": ["passthrough", StandardScaler()],
    "network__learning_rate": [0.0003, 0.003],
    "network__augmentation__rotation": [0, 20],
}
search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)

# %%
# What came of it
# ---------------
# Accuracy, mean and standard deviation of three folds, best first:

results = pd.DataFrame(search.cv_results_).sort_values("rank_test_score")
results = results.rename(columns=lambda name: name.removeprefix("param_"))
print(results[[*grid, "mean_test_score", "std_test_score"]].round(4).to_string(index=False))

figure, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
for scale, marker in {"passthrough": "o", "StandardScaler()": "s"}.items():
    some = results[results["scale"].astype(str) == scale]
    names = "rate " + some["network__learning_rate"].astype(str)
    names += ", rotation " + some["network__augmentation__rotation"].astype(str)
    ax.errorbar(
        some["mean_test_score"],
        names,
        xerr=some["std_test_score"],
        fmt=marker,
        capsize=3,
        alpha=0.8,
        label="pixels as they are" if scale == "passthrough" else "scaled pixel by pixel",
    )
ax.invert_yaxis()
ax.set_xlabel("Accuracy, mean and standard deviation of three folds")
ax.legend()
plt.show()

# %%
# And the mean of all rows that share a value:

means = {
    name: results.groupby(results[name].astype(str))["mean_test_score"].mean() for name in grid
}
print(pd.concat(means, names=["parameter", "value"]).round(3).to_string())

# %%
# The learning rate matters most here. Scaling pixel by pixel hardly does: the network standardises
# images inside. Turned images do harm, as six epochs are too few to learn from so many variants; on
# all 60,000 images ten epochs were too few for ``ImageAugmenter()`` too (the :doc:`user guide
# </user_guide/augmentation>` has a table). The best settings depend on how many images and epochs
# there are: search with those that you will train with.
#
# The best pipeline was refitted on all 900 images, and takes raw pixels:

print(search.best_params_)
print(f"accuracy on test images: {search.score(test.data, test.target):.3f}")
