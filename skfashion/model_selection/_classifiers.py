"""What is a classifier."""

from sklearn.base import ClassifierMixin, is_classifier, is_regressor
from sklearn.pipeline import Pipeline

__all__ = ["is_any_classifier"]


def is_any_classifier(estimator):
    """Whether it is a classifier, or a pipeline or search around one.

    scikeras' classifier lacks the tag that scikit-learn looks for, and so does what is around it.
    """
    if isinstance(estimator, ClassifierMixin) or is_classifier(estimator):
        return True
    if is_regressor(estimator):
        return False
    if isinstance(estimator, Pipeline):
        return is_any_classifier(estimator.steps[-1][1])
    is_around_another = hasattr(estimator, "estimator") and hasattr(estimator, "predict")
    return is_around_another and is_any_classifier(estimator.estimator)
