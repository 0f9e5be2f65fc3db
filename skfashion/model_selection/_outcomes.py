"""Results of tasks that run in parallel, in the order in which they are done."""

import warnings
from contextlib import contextmanager

from sklearn.utils.parallel import Parallel

__all__ = ["outcomes_of"]


@contextmanager
def outcomes_of(tasks, **options):
    """Yield an iterator over the results of tasks. At the end, stop those that still run.

    Parameters
    ----------
    tasks : iterable of delayed functions
    **options : dict
        Arguments of joblib's ``Parallel``.

    Yields
    ------
    outcomes : iterator
    """
    outcomes = Parallel(return_as="generator_unordered", **options)(tasks)
    try:
        yield outcomes
    finally:
        with warnings.catch_warnings():
            # joblib warns that the work was in vain; the exception that ends it says enough.
            warnings.filterwarnings("ignore", ".*You could benefit from adjusting the input task")
            outcomes.close()
