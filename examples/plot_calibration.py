"""
Can its probabilities be trusted?
=================================

Of the images that a network calls a bag with 80 %, 80 % should be bags. Whether that is so depends
on how it was trained, and it can be improved.
"""

# %%
# Label smoothing, 0.1 by default, often raises the accuracy, and teaches the network to be
# cautious. So here are two networks, with it and without, each trained on a part of the bundled
# sample.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.frozen import FrozenEstimator

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.evaluation import evaluate_classifier

train, test = load_fashion_sample(), load_fashion_sample(subset="test")
X, y = train.data[:1000], train.target[:1000]

classifiers = {
    f"label smoothing {smoothing:g}": FashionCNNClassifier(
        "small", epochs=8, label_smoothing=smoothing, random_state=0
    ).fit(X, y)
    for smoothing in (0.1, 0.0)
}

# %%
# Calibrating it afterwards
# -------------------------
# scikit-learn's ``CalibratedClassifierCV`` learns, from images that the network has not seen, one
# temperature that all its logits are divided by. The predicted classes stay the same.

X_other, y_other = train.data[1000:2000], train.target[1000:2000]
smoothed = classifiers["label smoothing 0.1"]
classifiers["calibrated"] = CalibratedClassifierCV(
    FrozenEstimator(smoothed), method="temperature"
).fit(X_other, y_other)

# %%
# How far off are they?
# ---------------------
# The expected calibration error is the mean distance between the probability of predicted classes
# and the share of them that is right. Log loss and Brier score count this and the errors too.

evaluations = {
    name: evaluate_classifier(classifier, test.data, test.target)
    for name, classifier in classifiers.items()
}
figures = ["accuracy", "expected_calibration_error", "log_loss", "brier_score"]
table = pd.DataFrame(
    {name: [getattr(each, figure) for figure in figures] for name, each in evaluations.items()},
    index=figures,
)
print(table.T.round(3).to_string())

# %%
# Above the dotted line a network is more cautious than it need be, below it too sure of itself:

figure, ax = plt.subplots(figsize=(6, 6), layout="constrained")
for name, evaluation in evaluations.items():
    CalibrationDisplay.from_predictions(
        evaluation.y_true == evaluation.y_pred,
        evaluation.confidence,
        pos_label=True,
        n_bins=8,
        strategy="quantile",
        name=name,
        ax=ax,
    )
ax.set(xlabel="Probability of the predicted class", ylabel="Share that is right")
plt.show()
