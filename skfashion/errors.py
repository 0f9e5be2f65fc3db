"""Errors and warnings that a user can act on.

Wrong arguments raise :class:`ValueError` or :class:`TypeError`, as everywhere in scikit-learn.
The classes here are for what goes wrong outside the caller's own line: a file, a download, a
training that diverges.
"""

__all__ = [
    "ComparisonInterrupted",
    "DatasetError",
    "DatasetNotFoundError",
    "ModelFileError",
    "PixelRangeWarning",
    "SkfashionError",
    "StudyMismatchError",
    "StudyStorageError",
    "TrainingDivergedError",
]


class SkfashionError(Exception):
    """Base of every error that skfashion defines."""


class DatasetError(SkfashionError, ValueError):
    """A data file is damaged, of another format, or not the file that its name says."""


class DatasetNotFoundError(SkfashionError, OSError):
    """Fashion-MNIST is not on this machine and cannot be downloaded."""


class ModelFileError(SkfashionError, ValueError):
    """A model file is damaged, or was not written by skfashion."""


class StudyMismatchError(SkfashionError, ValueError):
    """A stored study began with other data, folds, metric, parameters or direction."""


class StudyStorageError(SkfashionError, OSError):
    """The storage of a study cannot be reached or read."""


class TrainingDivergedError(SkfashionError, ValueError):
    """The loss became infinite or NaN during training; a lower learning rate usually helps."""


class PixelRangeWarning(UserWarning):
    """Images to predict are on another pixel scale (0-1 or 0-255) than the training images."""


class ComparisonInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a comparison after some of its classifiers were done.

    Parameters
    ----------
    comparison : DataFrame
        Table of the classifiers whose folds are all done, as
        :func:`skfashion.model_selection.compare_classifiers` returns it.
    missing : list of str
        Names of the other classifiers.

    Attributes
    ----------
    comparison : DataFrame
        The table.
    missing : list of str
        The names.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skfashion.errors import ComparisonInterrupted
    >>> from skfashion.model_selection import compare_classifiers
    >>> X, y = load_iris(return_X_y=True)
    >>> try:
    ...     table = compare_classifiers([GaussianNB()], X, y)
    ... except ComparisonInterrupted as interruption:
    ...     table = interruption.comparison
    """

    def __init__(self, comparison, missing):
        super().__init__(comparison, missing)
        self.comparison, self.missing = comparison, missing

    def __str__(self):
        return (
            f"The comparison was interrupted; not compared: {', '.join(self.missing)}. "
            "The attribute comparison of this exception is the table of the others."
        )
