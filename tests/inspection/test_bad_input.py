"""What displays and evaluate_classifier refuse, and how they say so."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfashion.inspection import (
    ClassDistributionDisplay,
    FeatureMapsDisplay,
    GradCAMDisplay,
    ImageGridDisplay,
    PredictionsDisplay,
    TrainingHistoryDisplay,
    evaluate_classifier,
)
from skfashion.preprocessing import AugmentedClassifier

# What takes an estimator, images and labels.
LABELLED = {
    "distribution": ClassDistributionDisplay.from_estimator,
    "predictions": PredictionsDisplay.from_estimator,
    "evaluate": evaluate_classifier,
}
ALL = {
    **LABELLED,
    "history": lambda estimator, X, y: TrainingHistoryDisplay.from_estimator(estimator),
    "maps": lambda estimator, X, y: FeatureMapsDisplay.from_estimator(estimator, X[:1], "stem_1"),
    "grad-cam": lambda estimator, X, y: GradCAMDisplay.from_estimator(estimator, X[:1]),
}

labelled = pytest.mark.parametrize("call", LABELLED.values(), ids=LABELLED)


class NeverAsked(KNeighborsClassifier):
    def predict(self, X):
        raise AssertionError("images were predicted")

    predict_proba = predict


@pytest.fixture
def never_asked(digits):
    return NeverAsked().fit(*digits)


@pytest.mark.parametrize("call", ALL.values(), ids=ALL)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda network: network,
        lambda network: make_pipeline(StandardScaler(), network),
        lambda network: GridSearchCV(network, {"epochs": [1]}),
        lambda network: AugmentedClassifier(network),
        lambda network: KNeighborsClassifier(),
    ],
    ids=["network", "pipeline", "search", "augmented", "neighbours"],
)
def test_not_fitted(call, wrap, make_small, unseen):
    with pytest.raises(NotFittedError, match="not fitted"):
        call(wrap(make_small()), *unseen)


@labelled
def test_other_number_of_labels(call, never_asked, unseen):
    X, y = unseen
    with pytest.raises(ValueError, match="X has 100 images, but y 99 labels"):
        call(never_asked, X, y[1:])


@labelled
@pytest.mark.parametrize(
    ("labels", "unknown"),
    [([3, 12, -1], "[-1, 12]"), (["3", "4", "4"], "['3', '4']"), (["3"] * 3, "['3']")],
)
def test_unknown_labels(call, never_asked, unseen, labels, unknown):
    with pytest.raises(ValueError, match="y has labels that the classifier has not: ") as error:
        call(never_asked, unseen[0][:3], labels)
    assert f"has not: {unknown}. Known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9." in str(error.value)


@labelled
def test_numbers_for_words(call, verbal, unseen):
    with pytest.raises(ValueError, match=r"y has labels that the classifier has not: \[3\]"):
        call(verbal, unseen[0][:2], [3, 3])


@labelled
@pytest.mark.parametrize("n_names", [0, 9])
def test_wrong_number_of_names(call, never_asked, unseen, n_names):
    message = rf"target_names must have a name for each of the 10 classes .*, got {n_names} names"
    with pytest.raises(ValueError, match=message):
        call(never_asked, *unseen, target_names=list("abcdefghi")[:n_names])


@labelled
def test_names_that_are_not_different(call, never_asked, unseen):
    """Nobody could tell what is of which class, nor what is wrong."""
    with pytest.raises(ValueError, match=r"target_names.*'bag'"):
        call(never_asked, *unseen, target_names=["bag", "bag", *"cdefghij"])


@labelled
def test_regressor(call, digits, unseen):
    with pytest.raises(TypeError, match="estimator must be a classifier, got LinearRegression"):
        call(LinearRegression().fit(*digits), *unseen)
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(*digits)
    with pytest.raises(TypeError, match="estimator must be a classifier, got Pipeline"):
        call(pipeline, *unseen)


@pytest.mark.parametrize("call", [ALL["maps"], ALL["grad-cam"]])
def test_regressor_has_no_network(call, digits, unseen):
    with pytest.raises(TypeError, match=r"must be a FashionCNNClassifier.*got LinearRegression"):
        call(LinearRegression().fit(*digits), *unseen)


@labelled
def test_search_without_refit(call, forest, digits, unseen):
    search = GridSearchCV(clone(forest), {"max_depth": [3]}, cv=2, refit=False).fit(*digits)
    with pytest.raises(NotFittedError, match="GridSearchCV has refit=False"):
        call(search, *unseen)


@pytest.mark.parametrize("name", ["predictions", "evaluate"])
def test_images_of_another_shape(name, never_asked, unseen):
    message = r"image_shape=\(5, 5, 1\) has 25 values, but X has 64 features"
    with pytest.raises(ValueError, match=message):
        LABELLED[name](never_asked, *unseen, image_shape=(5, 5))


def test_pixels_that_are_not_finite(never_asked, unseen):
    with pytest.raises(ValueError, match="NaN"):
        evaluate_classifier(never_asked, unseen[0] * np.nan, unseen[1])


@pytest.mark.parametrize("below", ["", "report", "deep/report"])
def test_output_folder_below_a_file(never_asked, unseen, tmp_path, below):
    """That is found out before images are predicted."""
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(OSError, match=r"output_dir='.*file.*' cannot be written to") as error:
        evaluate_classifier(never_asked, *unseen, output_dir=file / below)
    assert str(file / below) in str(error.value)
    assert file.read_text() == "mine"


def test_nothing_is_left_behind(never_asked, unseen, tmp_path):
    with pytest.raises(ValueError, match="target_names"):
        evaluate_classifier(
            never_asked, *unseen, output_dir=tmp_path / "deep" / "report", target_names=["a"]
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [0, -1])
def test_no_images(never_asked, unseen, number):
    with pytest.raises(ValueError, match=f"n_images == {number}, must be >= 1"):
        PredictionsDisplay.from_estimator(never_asked, *unseen, n_images=number)
    with pytest.raises(ValueError, match=f"n_images == {number}, must be >= 1"):
        PredictionsDisplay.from_predictions(*unseen, unseen[1], n_images=number)
    with pytest.raises(ValueError, match=f"n_per_class == {number}, must be >= 1"):
        ImageGridDisplay.from_images(*unseen, n_per_class=number)


class Odd(KNeighborsClassifier):
    """Predicts what it does not say to know."""

    def predict(self, X):
        return np.full(len(X), 77)


@labelled
def test_classifier_that_predicts_unknown_labels(call, digits, unseen):
    with pytest.raises(ValueError, match=r"predictions has labels that .* has not: \[77\]"):
        call(Odd().fit(*digits), *unseen)
