"""
What does the network get wrong?
================================

The accuracy is one number. ``evaluate_classifier`` says more: which classes are taken for which, on
which images the network is sure and wrong, and how sure one can be of the number itself.
"""

# %%
# A network learns a part of the bundled sample, a minute's work.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.evaluation import evaluate_classifier
from skfashion.inspection import PredictionsDisplay

train, test = load_fashion_sample(), load_fashion_sample(subset="test")
network = FashionCNNClassifier(epochs=6, random_state=0)
network.fit(train.data[:2000], train.target[:2000])

# %%
# In figures
# ----------
# The interval says what the accuracy on further images like these may be.

evaluation = evaluate_classifier(network, test.data, test.target, target_names=test.target_names)
print(evaluation)
print(evaluation.per_class.round(3).to_string())

# %%
# Which classes are taken for which
# ---------------------------------
# scikit-learn draws the confusion matrix. Its largest numbers off the diagonal:

print(evaluation.most_confused.round(2).to_string())

figure, ax = plt.subplots(figsize=(7, 6), layout="constrained")
ConfusionMatrixDisplay(evaluation.confusion_matrix, display_labels=test.target_names).plot(
    ax=ax, xticks_rotation=45, cmap="Blues"
)
plt.show()

# %%
# Where it is sure, and wrong
# ---------------------------
# The most confident errors come first. Some would puzzle a person too.

PredictionsDisplay.from_estimator(
    network,
    test.data,
    test.target,
    only_errors=True,
    n_images=15,
    target_names=test.target_names,
)
plt.show()

# %%
# A report to pass on
# -------------------
# All of this, in one file that needs no network and that phones and printers can show, and the
# figures and pictures as files of their own. It is the same with any classifier: a forest, a
# pipeline, a search. ``skfashion train`` writes it by itself, and ``skfashion evaluate`` for a
# saved model.

with tempfile.TemporaryDirectory() as folder:
    evaluation.save(folder)
    for path in sorted(Path(folder).iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
