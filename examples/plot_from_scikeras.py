"""
How do I move a scikeras program to skfashion?
==============================================

A search over a Keras network with scikeras' ``KerasClassifier``, and the same with
``FashionCNNClassifier``. Most names stay: ``optimizer__momentum`` and ``callbacks__patience`` mean
the same in both.
"""

# %%
# The program as it was
# ---------------------
# A function builds the network; scikeras hands it what it found out about the data, and the
# parameters ``model__...``. The network itself is one of skfashion's, which any Keras program can
# use. Images have to be brought into shape and scale by hand, and the loss be named.

import time
import warnings

import keras
import matplotlib.pyplot as plt
from scikeras.wrappers import KerasClassifier
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skfashion import FashionCNNClassifier
from skfashion.inspection import TrainingHistoryDisplay
from skfashion.networks import build_network

X, y = load_digits(return_X_y=True)
X, y = X[:600], y[:600]


def build_model(meta, dropout=0.0):
    return build_network("fast", (8, 8, 1), meta["n_classes_"], dropout=dropout)


scikeras_classifier = KerasClassifier(
    build_model,
    model__dropout=0.2,
    loss="sparse_categorical_crossentropy",
    optimizer="sgd",
    optimizer__learning_rate=0.05,
    callbacks=keras.callbacks.EarlyStopping,
    callbacks__monitor="loss",
    callbacks__patience=3,
    batch_size=50,
    epochs=5,
    verbose=0,
)

# %%
# scikeras does not tell scikit-learn that it is a classifier, so ``cv=3`` would not be stratified:
# the folds are named here. Its warnings about Keras 3 are left out of this page.

grid = {"optimizer__momentum": [0.0, 0.9]}
folds = StratifiedKFold(3)
images = X.reshape(-1, 8, 8, 1) / 16
started = time.perf_counter()
with warnings.catch_warnings(action="ignore"):
    scikeras_search = GridSearchCV(scikeras_classifier, grid, cv=folds).fit(images, y)
print(f"{scikeras_search.best_params_}, accuracy {scikeras_search.best_score_:.3f}")
print(f"{time.perf_counter() - started:.1f} s")

# %%
# The same here
# -------------
# ``model`` is called ``architecture``, and takes the image shape and the number of classes. There
# is no ``meta``, no reshaping, no scaling and no loss to name; ``cv=3`` is stratified. The options
# of ``architecture`` are set as ``architecture__...``; dropout has a parameter of its own, and
# ``optimizer__learning_rate`` sets ``learning_rate``. A network that is already compiled is
# refused: optimizer and loss are the classifier's. The one-cycle learning rate, the smoothed
# labels and the augmentation that are default here are switched off, to train as the program above
# did.

classifier = FashionCNNClassifier(
    "fast",
    augmentation=None,
    dropout=0.2,
    optimizer="sgd",
    schedule=None,
    label_smoothing=0.0,
    callbacks=keras.callbacks.EarlyStopping,
    batch_size=50,
    epochs=5,
    random_state=0,
).set_params(
    optimizer__learning_rate=0.05,
    callbacks__monitor="loss",
    callbacks__patience=3,
)
started = time.perf_counter()
search = GridSearchCV(classifier, grid, cv=3).fit(X, y)
print(f"{search.best_params_}, accuracy {search.best_score_:.3f}")
print(f"{time.perf_counter() - started:.1f} s")

# %%
# ``model_``, ``history_`` and ``classes_`` are there as before, ``history_`` as a dict of lists.
#
# ==============================================  ==================================================
# scikeras                                        here
# ==============================================  ==================================================
# ``KerasClassifier(model=...)``                  ``FashionCNNClassifier(architecture=...)``
# ``model__width=16``                             ``architecture__width=16``
# ``KerasClassifier(optimizer__momentum=0.9)``    ``set_params(optimizer__momentum=0.9)``
# ``loss=``, ``metrics=``                         cross-entropy; loss and accuracy are recorded
# ``validation_split=0.1``                        ``early_stopping=True, validation_fraction=0.1``
# ``fit(X, y, validation_data=(X_val, y_val))``   ``fit(X, y, X_val=X_val, y_val=y_val)``
# ``fit(X, y, epochs=5)``                         ``set_params(epochs=5).fit(X, y)``
# ==============================================  ==================================================

classifier = search.best_estimator_
print({name: [round(v, 3) for v in values] for name, values in classifier.history_.items()})
classifier.model_.summary()

# %%
# Searches, comparisons, displays and reports take scikeras' estimators too:

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, name, fitted in zip(axes, ["scikeras", "here"], [scikeras_search, search], strict=True):
    TrainingHistoryDisplay.from_estimator(fitted, quantities=["loss"], ax=ax)
    ax.set_title(name)
plt.show()
