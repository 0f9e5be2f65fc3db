"""The table of metrics is the one place to add a metric."""

import json

import pytest
from numpydoc.docscrape import ClassDoc
from sklearn.metrics import balanced_accuracy_score

from skfashion import inspection
from skfashion.evaluation import (
    ClassifierEvaluation,
    _classifier_evaluation,
    _report,
    evaluate_classifier,
)
from skfashion.evaluation._metrics import METRICS, Metric


def balanced_accuracy(predictions):
    return balanced_accuracy_score(predictions.y_true, predictions.y_pred)


@pytest.fixture
def with_another(monkeypatch):
    added = Metric("balanced_accuracy", "Balanced accuracy", balanced_accuracy, "1 is best")
    for module in (_classifier_evaluation, _report):
        monkeypatch.setattr(module, "METRICS", (*METRICS, added))


def test_added_metric(with_another, forest, unseen, tmp_path):
    """It is an attribute, in metrics.json and in the report."""
    X, y = unseen
    evaluation = evaluate_classifier(forest, X, y, output_dir=tmp_path)
    expected = balanced_accuracy_score(y, forest.predict(X))
    assert evaluation.balanced_accuracy == pytest.approx(expected)
    written = json.loads(tmp_path.joinpath("metrics.json").read_text())
    assert written["balanced_accuracy"] == evaluation.balanced_accuracy
    page = tmp_path.joinpath("report.html").read_text(encoding="utf-8")
    shown = f"<dt>Balanced accuracy</dt><dd>{expected:.3f}<small>1 is best</small></dd>"
    assert shown in page


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_metrics_are_documented(metric):
    documented = [entry.name for entry in ClassDoc(ClassifierEvaluation)["Attributes"]]
    assert metric.name in documented


@pytest.mark.parametrize("name", ["ClassifierEvaluation", "evaluate_classifier"])
def test_old_place(name):
    """Code that imports from skfashion.inspection gets the same object."""
    from skfashion import evaluation

    assert getattr(inspection, name) is getattr(evaluation, name)


def test_import_from_the_old_place():
    from skfashion.inspection import evaluate_classifier as imported

    assert imported is evaluate_classifier
