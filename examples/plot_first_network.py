"""
How do I train a first network?
===============================

A convolutional network is trained like any scikit-learn classifier. Here it learns a part of the
bundled sample of Fashion-MNIST, and is held against a random forest on the same images.
"""

# %%
# The images are rows of 784 pixels, from 0 to 255. The network takes them as they are: it finds
# out that they are 28x28, and standardises them inside.

import matplotlib.pyplot as plt
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import ConfusionMatrixDisplay

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.inspection import TrainingHistoryDisplay

train, test = load_fashion_sample(), load_fashion_sample(subset="test")
X, y = train.data[:2000], train.target[:2000]

# %%
# With early stopping, a tenth of each class is held out from training, and the weights of the
# epoch with the lowest loss on it are kept.

network = FashionCNNClassifier(epochs=8, early_stopping=True, random_state=0).fit(X, y)
forest = RandomForestClassifier(random_state=0).fit(X, y)
for model in (network, forest):
    print(f"{type(model).__name__}: {model.score(test.data, test.target):.3f}")

# %%
# How the training went:

TrainingHistoryDisplay.from_estimator(network)
plt.show()

# %%
# Which classes it confuses:

figure, ax = plt.subplots(figsize=(7, 6), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    network,
    test.data,
    test.target,
    display_labels=test.target_names,
    xticks_rotation=45,
    cmap="Blues",
    ax=ax,
)
plt.show()
