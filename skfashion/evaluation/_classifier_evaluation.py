"""How good a classifier is on test images, in figures."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np

from skfashion._utils.output_folder import check_writable, write_all_or_none
from skfashion.evaluation._report import REPORT_FILES, without_nan, write_report
from skfashion.inspection._labelled_predictions import predict_labelled
from skfashion.inspection._networks import known_image_shape
from skfashion.inspection._pictures import as_images

__all__ = ["ClassifierEvaluation", "evaluate_classifier"]

_N_BINS = 15
_N_CONFUSED = 10


def evaluate_classifier(estimator, X, y, *, output_dir=None, target_names=None, image_shape=None):
    """Test a fitted classifier, and write a report on it.

    Parameters
    ----------
    estimator : classifier
        Fitted; any, such as a network, a forest, a pipeline or a search.
    X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
        Images that it was not trained on, nor chosen by.
    y : array-like of shape (n,)
        Their class labels. Not every class need be among them.
    output_dir : str or path-like, default=None
        Folder to write to, as :meth:`ClassifierEvaluation.save` does; None writes nothing. That it
        can be written to is checked first.
    target_names : sequence of str, default=None
        Names of the classes, in the order of ``classes_``; or, as in the bunches that loaders
        return, a name for each integer from 0. None takes those of a loaded
        :class:`skfashion.FashionCNNClassifier`, if it has any, and the labels otherwise.
    image_shape : tuple of 2 or 3 int, default=None
        Height, width and channels of flattened images that are not square, in pixels, to show
        them. None takes that of a :class:`skfashion.FashionCNNClassifier`.

    Returns
    -------
    evaluation : ClassifierEvaluation

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no classifier.
    ValueError
        If X holds no images of one shape with finite pixels, y is of another length or has labels
        that the classifier does not know, or ``target_names`` has another number of names than
        there are classes.
    OSError
        If nothing can be written to ``output_dir``.

    See Also
    --------
    skfashion.model_selection.compare_classifiers : Several classifiers on the same folds.
    PredictionsDisplay : Images with their predicted classes.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.evaluation import evaluate_classifier
    >>> train, test = load_fashion_sample(), load_fashion_sample(subset="test")
    >>> classifier = KNeighborsClassifier().fit(train.data, train.target)
    >>> evaluation = evaluate_classifier(
    ...     classifier, test.data, test.target, target_names=test.target_names
    ... )
    >>> evaluation.accuracy
    0.812
    >>> evaluation.most_confused.head(2)
        true    predicted  n_images  share
    0  Shirt  T-shirt/top        20   0.20
    1   Coat     Pullover        16   0.16
    """
    if output_dir is not None:
        try:
            check_writable(output_dir)
        except OSError as error:
            raise type(error)(
                f"output_dir={str(output_dir)!r} cannot be written to: {error.strerror or error}."
            ) from error
    if image_shape is None:
        image_shape = known_image_shape(estimator, X)
    images = as_images(X, image_shape)
    evaluation = ClassifierEvaluation(
        estimator, images, predict_labelled(estimator, X, y, target_names)
    )
    if output_dir is not None:
        evaluation.save(output_dir)
    return evaluation


class ClassifierEvaluation:
    """What :func:`evaluate_classifier` found out, which makes it.

    Parameters
    ----------
    estimator : classifier
        The fitted classifier.
    images : ndarray of shape (n, height, width, channels)
        The test images.
    predictions : LabelledPredictions
        Their true and predicted classes, as :func:`evaluate_classifier` found them.

    Attributes
    ----------
    n_test : int
        Test images.
    n_errors : int
        Test images whose class is not predicted.
    accuracy : float
        Share of test images whose class is predicted.
    accuracy_interval : tuple of 2 float
        The 95 % confidence interval of Wilson [1]_: what the accuracy on further images like these
        may be. It says nothing of other trainings.
    per_class : DataFrame of shape (n_classes, 4)
        ``precision``, ``recall``, ``f1-score`` and ``support``, the number of test images, of each
        class by name; NaN where a class is never predicted or has no test image.
    confusion_matrix : ndarray of shape (n_classes, n_classes) of int
        Test images by true class (rows) and predicted class (columns).
    most_confused : DataFrame of at most 10 rows
        The pairs of classes ``true`` and ``predicted`` with the most errors: ``n_images``, and
        their ``share`` of all images of the true class.
    log_loss : float or None
        Mean of the negative logarithm of the true class's probability; None, as the next two, if
        the classifier has no ``predict_proba``.
    brier_score : float or None
        Mean over the images of the sum over the classes of squared differences between probability
        and truth, from 0 to 2; for two classes half of that, as is customary.
    expected_calibration_error : float or None
        Mean difference between the probability of predicted classes and the share of them that is
        right, in 15 equal bins of probability, weighted by their images [2]_. Of a perfectly
        calibrated classifier too it is above 0, the more so the fewer images there are.
    seconds_per_image : float
        What ``predict`` took, in one call for all images, after a first one for one image.
    y_true, y_pred : ndarray of shape (n,)
        True and predicted class labels.
    probabilities : ndarray of shape (n, n_classes) or None
        Of all classes.
    confidence : ndarray of shape (n,) or None
        Probabilities of the predicted classes.
    classes : ndarray of shape (n_classes,)
        The labels of the classes, sorted.
    class_names : list of str
        Their names.
    estimator, images
        As given.
    report_files : tuple of str
        Names of the files that :meth:`save` writes.

    References
    ----------
    .. [1] E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
       Journal of the American Statistical Association 22, 1927.
    .. [2] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks",
       arXiv:1706.04599, 2017.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfashion.evaluation import evaluate_classifier
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = KNeighborsClassifier().fit(X[:1000], y[:1000])
    >>> evaluation = evaluate_classifier(classifier, X[1000:], y[1000:])
    >>> low, high = evaluation.accuracy_interval
    >>> print(f"{evaluation.accuracy:.3f} ({low:.3f} to {high:.3f})")
    0.957 (0.941 to 0.969)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     evaluation.save(directory)
    ...     sorted(path.name for path in Path(directory).iterdir())[-2:]
    ['report.html', 'sample_predictions.txt']
    """

    report_files = REPORT_FILES

    def __init__(self, estimator, images, predictions):
        import pandas as pd
        from scipy.stats import binomtest
        from sklearn.metrics import (
            brier_score_loss,
            confusion_matrix,
            log_loss,
            precision_recall_fscore_support,
        )

        self.estimator = estimator
        self.images = images
        y_true, y_pred, probabilities, classes, class_names, seconds = predictions
        self.y_true, self.y_pred, self.probabilities = y_true, y_pred, probabilities
        self.classes, self.class_names = classes, class_names
        self.confidence = predictions.confidence()

        n_right = int((y_true == y_pred).sum())
        self.n_test = len(y_true)
        self.n_errors = self.n_test - n_right
        self.accuracy = n_right / self.n_test
        interval = binomtest(n_right, self.n_test).proportion_ci(method="wilson")
        self.accuracy_interval = float(interval.low), float(interval.high)
        scores = precision_recall_fscore_support(
            y_true, y_pred, labels=classes, zero_division=np.nan
        )
        columns = ["precision", "recall", "f1-score", "support"]
        self.per_class = pd.DataFrame(
            dict(zip(columns, scores, strict=True)), index=pd.Index(class_names, name="class")
        )
        self.confusion_matrix = confusion_matrix(y_true, y_pred, labels=classes)
        self.most_confused = _most_confused(self.confusion_matrix, class_names)
        self.log_loss = self.brier_score = self.expected_calibration_error = None
        if probabilities is not None:
            self.log_loss = float(log_loss(y_true, probabilities, labels=classes))
            self.brier_score = float(brier_score_loss(y_true, probabilities, labels=classes))
            self.expected_calibration_error = _expected_calibration_error(
                self.confidence, y_true == y_pred
            )
        self.seconds_per_image = seconds / self.n_test

    def __repr__(self):
        low, high = self.accuracy_interval
        return (
            f"<ClassifierEvaluation: accuracy {self.accuracy:.4f} ({low:.4f} to {high:.4f}) on "
            f"{self.n_test:,} images>"
        )

    def classification_report(self):
        """Precision, recall and the like of each class, as a text to read.

        Returns
        -------
        report : str
        """
        from sklearn.metrics import classification_report

        report = classification_report(
            self.y_true,
            self.y_pred,
            labels=self.classes,
            target_names=self.class_names,
            digits=3,
            zero_division=np.nan,
        )
        if self.per_class.isna().to_numpy().any():
            report += "\nnan: the class is never predicted, or has no test image\n"
        return report

    def to_dict(self):
        """All figures, as they go into ``metrics.json``; None where there is none.

        Returns
        -------
        metrics : dict
        """
        figures = {
            "n_test": self.n_test,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
            "log_loss": self.log_loss,
            "brier_score": self.brier_score,
            "expected_calibration_error": self.expected_calibration_error,
            "seconds_per_image": self.seconds_per_image,
            "per_class": self.per_class.to_dict(orient="index"),
            "most_confused": self.most_confused.to_dict(orient="records"),
            "class_names": self.class_names,
            "confusion_matrix": self.confusion_matrix.tolist(),
        }
        figures |= {"estimator": repr(self.estimator), "versions": _versions()}
        return without_nan(figures)

    def save(self, output_dir, *, about=None):
        """Write the figures, pictures and a report.

        These are ``metrics.json``, ``classification_report.txt``, ``confusion_matrix.png``,
        ``training_curves.png``, ``accuracy_curve.png`` and ``loss_curve.png`` if the classifier has
        a training history, ``misclassified.png``, ``sample_predictions.txt`` (20 images, evenly
        spread over the test images) and ``report.html``: all of it in one file, which needs no
        network. An earlier report in the folder is replaced; other files there are left alone.

        Parameters
        ----------
        output_dir : str or path-like
            The folder, made if need be. All files appear, or none.
        about : dict, default=None
            What else is known, such as the data and the seconds of the training. It goes into
            ``metrics.json``, where what JSON does not know is written as text, and the report.

        Raises
        ------
        OSError
            If they cannot be written there.
        ValueError
            If ``about`` has a key that ``metrics.json`` has anyway.
        """
        with write_all_or_none(Path(output_dir), REPORT_FILES) as folder:
            write_report(self, folder, about or {})


def _most_confused(matrix, class_names):
    """The largest numbers of errors, by pairs of classes."""
    import pandas as pd

    errors = matrix * ~np.eye(len(matrix), dtype=bool)
    largest = np.argsort(-errors, axis=None, kind="stable")[:_N_CONFUSED]
    true, predicted = np.unravel_index(largest[errors.flat[largest] > 0], matrix.shape)
    names = np.asarray(class_names, dtype=object)
    return pd.DataFrame(
        {
            "true": names[true],
            "predicted": names[predicted],
            "n_images": errors[true, predicted],
            "share": errors[true, predicted] / matrix.sum(axis=1)[true],
        }
    )


def _expected_calibration_error(confidence, is_right):
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - is_right, minlength=_N_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _versions():
    """Of this package, scikit-learn and, if it was loaded, Keras with its backend."""
    modules = {"skfashion": "skfashion", "scikit-learn": "sklearn"}
    if "keras" in sys.modules:
        backend = sys.modules["keras"].backend.backend()
        modules |= {"keras": "keras", backend: backend}
    return {name: import_module(module).__version__ for name, module in modules.items()}
