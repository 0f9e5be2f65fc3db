"""Evaluation of a classifier on test images."""

import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

from skfashion._utils.names import make_visible
from skfashion._utils.output_folder import check_writable, write_all_or_none
from skfashion.evaluation._metrics import METRICS
from skfashion.evaluation._report import REPORT_FILES, without_nan, write_report
from skfashion.inspection._labelled_predictions import predict_labelled
from skfashion.inspection._network_input import known_image_shape
from skfashion.inspection._pictures import as_images

__all__ = ["ClassifierEvaluation", "evaluate_classifier"]

# Rows of most_confused.
_N_CONFUSED = 10
# In the text of an absolute path or a URL, all before the last part; scikit-learn puts "..." into
# the middle of long representations.
_FOLDERS = re.compile(
    r"""(['"])(?:(?:\w[\w+.-]*:)?/|\w:\\)(?:(?!\1).)*[/\\]|(\.\.\.)[^'"\s]*[/\\]"""
)


def evaluate_classifier(estimator, X, y, *, output_dir=None, target_names=None, image_shape=None):
    """Test a fitted classifier, and write a report on it.

    Parameters
    ----------
    estimator : classifier
        Any fitted classifier, such as a network, a forest, a pipeline or a search.
    X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
        Images that were used neither to train nor to choose the classifier.
    y : array-like of shape (n,)
        Class labels of the images. Some classes may be absent.
    output_dir : str or path-like, default=None
        Folder for the report, as for :meth:`ClassifierEvaluation.save`; None writes nothing. A
        folder that cannot be written to is refused before anything is predicted.
    target_names : sequence of str, default=None
        Names of the classes, in the order of ``classes_``; or, as in the bunches that loaders
        return, a name for each integer from 0. None takes those of a loaded
        :class:`skfashion.FashionCNNClassifier`, if it has any, and the labels otherwise.
    image_shape : tuple of 2 or 3 int, default=None
        Height, width and channels, in pixels, of flattened images that are not square; it is
        needed to draw them. None takes that of a :class:`skfashion.FashionCNNClassifier`.

    Returns
    -------
    evaluation : ClassifierEvaluation

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is not a classifier.
    ValueError
        If X holds no images of one shape with finite pixels, y is of another length or has labels
        that the classifier does not know, or ``target_names`` has another number of names than
        there are classes.
    OSError
        If nothing can be written to ``output_dir``.

    See Also
    --------
    skfashion.model_selection.compare_classifiers : Compare classifiers on the same folds.
    skfashion.inspection.PredictionsDisplay : Images with their predicted classes.

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
    """Result of :func:`evaluate_classifier`.

    Parameters
    ----------
    estimator : classifier
        The fitted classifier.
    images : ndarray of shape (n, height, width, channels)
        The test images.
    predictions : LabelledPredictions
        True and predicted classes of the images.

    Attributes
    ----------
    n_test : int
        Number of test images.
    n_errors : int
        Number of test images that are classified wrongly.
    accuracy : float
        Share of test images that are classified correctly.
    accuracy_interval : tuple of 2 float
        The 95 % confidence interval of Wilson [1]_ for the accuracy on further images like these.
        It does not cover how another training of the same classifier would differ.
    per_class : DataFrame of shape (n_classes, 4)
        ``precision``, ``recall``, ``f1-score`` and ``support``, the number of test images, of each
        class by name; NaN if a class is never predicted or has no test image.
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
        Mean difference between the probability of the predicted classes and the share of correct
        predictions, over 15 equal bins of probability, weighted by the number of images [2]_. It is
        above 0 for a perfectly calibrated classifier too, and more so with fewer images.
    seconds_per_image : float
        Time of ``predict`` divided by the number of images, in one call for all images, after a
        first call for one image.
    y_true, y_pred : ndarray of shape (n,)
        True and predicted class labels.
    probabilities : ndarray of shape (n, n_classes) or None
        Probabilities of all classes.
    confidence : ndarray of shape (n,) or None
        Probabilities of the predicted classes.
    classes : ndarray of shape (n_classes,)
        The labels of the classes, sorted.
    class_names : list of str
        Names of the classes.
    estimator, images
        The parameters.
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
        from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

        self.estimator = estimator
        self.images = images
        self.y_true, self.y_pred = predictions.y_true, predictions.y_pred
        self.probabilities = predictions.probabilities
        self.confidence = predictions.confidence()
        self.classes, self.class_names = predictions.classes, predictions.class_names
        y_true, y_pred, classes = self.y_true, self.y_pred, self.classes

        n_right = int((y_true == y_pred).sum())
        self.n_test = len(y_true)
        self.n_errors = self.n_test - n_right
        self.accuracy = n_right / self.n_test
        interval = binomtest(n_right, self.n_test).proportion_ci(method="wilson")
        self.accuracy_interval = float(interval.low), float(interval.high)
        for metric in METRICS:
            setattr(self, metric.name, metric.compute(predictions))
        scores = precision_recall_fscore_support(
            y_true, y_pred, labels=classes, zero_division=np.nan
        )
        columns = ["precision", "recall", "f1-score", "support"]
        self.per_class = pd.DataFrame(
            dict(zip(columns, scores, strict=True)), index=pd.Index(self.class_names, name="class")
        )
        self.confusion_matrix = confusion_matrix(y_true, y_pred, labels=classes)
        self.most_confused = _most_confused(self.confusion_matrix, self.class_names)
        self.seconds_per_image = predictions.seconds / self.n_test

    def __repr__(self):
        low, high = self.accuracy_interval
        return (
            f"<ClassifierEvaluation: accuracy {self.accuracy:.4f} ({low:.4f} to {high:.4f}) on "
            f"{self.n_test:,} images>"
        )

    def classification_report(self):
        """Return precision, recall and F1 score of each class as text.

        Returns
        -------
        report : str
        """
        from sklearn.metrics import classification_report

        report = classification_report(
            self.y_true,
            self.y_pred,
            labels=self.classes,
            target_names=[make_visible(name) for name in self.class_names],
            digits=3,
            zero_division=np.nan,
        )
        if self.per_class.isna().to_numpy().any():
            report += "\nnan: the class is never predicted, or has no test image\n"
        return report

    def to_dict(self):
        """Return all figures as ``metrics.json`` has them, None for those that are not defined.

        Absolute paths and URLs among the estimator's parameters are shortened to their last part.

        Returns
        -------
        metrics : dict
        """
        figures = {
            "n_test": self.n_test,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
            **{metric.name: getattr(self, metric.name) for metric in METRICS},
            "seconds_per_image": self.seconds_per_image,
            "per_class": self.per_class.to_dict(orient="index"),
            "most_confused": self.most_confused.to_dict(orient="records"),
            "class_names": self.class_names,
            "confusion_matrix": self.confusion_matrix.tolist(),
        }
        figures |= {"estimator": _describe(self.estimator), "versions": _versions()}
        return without_nan(figures)

    def save(self, output_dir, *, about=None):
        """Write figures, pictures and a report.

        The files are ``metrics.json``, ``classification_report.txt``, ``confusion_matrix.png``,
        ``training_curves.png``, ``accuracy_curve.png`` and ``loss_curve.png`` if the classifier has
        a training history, ``misclassified.png``, ``sample_predictions.txt`` (20 images, evenly
        spread over the test images) and ``report.html``, a page that holds all of it in one file
        and needs no network. An earlier report in the folder is replaced; other files are kept.

        Parameters
        ----------
        output_dir : str or path-like
            The folder, created if it does not exist. Either all files appear, or none.
        about : dict, default=None
            Further facts, such as the data and the seconds of the training. They go into the report
            and into ``metrics.json``, as text if JSON has no such type.

        Raises
        ------
        OSError
            If the files cannot be written.
        ValueError
            If ``about`` has a key of :meth:`to_dict`.
        """
        with write_all_or_none(Path(output_dir), REPORT_FILES) as folder:
            write_report(self, folder, about or {})


def _most_confused(matrix, class_names):
    """Return the pairs of classes with the most errors."""
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


def _describe(estimator):
    """Return the estimator's representation without folders, servers and passwords."""
    return _FOLDERS.sub(r"\1\2", repr(estimator))


def _versions():
    """Return versions of this package, scikit-learn and, if loaded, Keras with its backend."""
    modules = {"skfashion": "skfashion", "scikit-learn": "sklearn"}
    if "keras" in sys.modules:
        backend = sys.modules["keras"].backend.backend()
        modules |= {"keras": "keras", backend: backend}
    return {name: import_module(module).__version__ for name, module in modules.items()}
