"""
When should training stop?
==========================

After too few epochs a network knows little, after too many it knows its training images by heart.
Early stopping looks at images that it is not trained on, and keeps the best epoch.
"""

# %%
# With a constant learning rate and few images, the validation loss falls and then rises again.
# ``early_stopping`` holds out a tenth of each class, stops when the loss on it has not fallen for
# ``patience`` epochs, and restores the weights of the epoch where it was lowest.

import matplotlib.pyplot as plt

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.inspection import TrainingHistoryDisplay

train, test = load_fashion_sample(), load_fashion_sample(subset="test")
X, y = train.data[:1000], train.target[:1000]

constant = FashionCNNClassifier(
    "lenet",
    augmentation=None,
    optimizer="adam",
    learning_rate=0.002,
    schedule=None,
    label_smoothing=0.0,
    epochs=40,
    early_stopping=True,
    patience=8,
    random_state=0,
).fit(X, y)
print(f"stopped after {constant.n_epochs_} epochs, kept epoch {constant.best_epoch_}")

TrainingHistoryDisplay.from_estimator(constant, quantities=["loss", "accuracy"])
plt.show()

# %%
# The dotted line marks the epoch that was kept. Beyond it the training loss still falls, and the
# validation loss does not.
#
# Or a schedule that ends
# -----------------------
# The default is another: a number of epochs that is chosen beforehand, in which the learning rate
# rises and then falls to zero. There the last epoch is about the best, all images can be trained
# on, and it takes as long as one says.

one_cycle = FashionCNNClassifier("lenet", epochs=15, random_state=0).fit(X, y)
TrainingHistoryDisplay.from_estimator(one_cycle)
plt.show()

# %%
# The test images played no part in any of this:

for name, network in {"early stopping": constant, "one cycle": one_cycle}.items():
    print(f"{name}: {network.score(test.data, test.target):.3f} after {network.n_epochs_} epochs")
