"""Model files that are written during a training."""

import numpy as np

from skfashion._persistence.model_file import ModelFileWriter, check_path

__all__ = ["Checkpoint"]


class Checkpoint:
    """A model file that is written during the training, after its best epochs.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        Has the parameters and the path, ``checkpoint``.
    """

    def __init__(self, classifier):
        self._path = check_path(classifier.checkpoint, "checkpoint")
        self._file = ModelFileWriter(classifier, allow_custom_objects=True)

    def check_goes_on(self, state):
        """Refuse to go on without validation images from a best epoch that was chosen by them.

        Raises
        ------
        ValueError
            If there is a file, and the earlier epochs have validation losses.
        """
        if np.isfinite(state.history.get("val_loss", [])).any() and self._path.exists():
            raise ValueError(
                f"checkpoint={str(self._path)!r} holds the epoch with the lowest validation "
                "loss, which this fit would not have. Give X_val and y_val, set "
                "early_stopping=True, or name another checkpoint."
            )

    def is_due(self, losses):
        """Return whether to write: the last epoch has the lowest loss, or there is no file.

        Parameters
        ----------
        losses : list of float
            One value per epoch of all fits, NaN for epochs without this loss.
        """
        *earlier, last = losses
        return last < np.nanmin([np.inf, *earlier]) or not self._path.exists()

    def write(self, state):
        """Write a state, all of it or nothing."""
        self._file.write(self._path, state)
