"""Named classical pipelines for a network to beat.

A baseline is a function that returns an unfitted :class:`sklearn.pipeline.Pipeline`. Its docstring
says where the settings come from: see for instance ``help("skfashion.baselines.knn")``. Accuracies
there are claims of these sources, for the 10,000 test images of Fashion-MNIST after training on all
60,000. "Table 3" is that of H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747, on
standardised pixels (https://github.com/zalandoresearch/fashion-mnist, ``benchmark``); the best row
of each family is taken. Settings that depart from a source did better on held-out images of the
bundled training sample.
"""

from collections.abc import Callable

import numpy as np
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils import check_array

from skfashion._utils.names import check_name
from skfashion.preprocessing import HOGTransformer

__all__ = ["list_baselines", "make_baseline"]

# Megabytes for the kernel matrix. scikit-learn advises 500 or more if there is enough memory.
_CACHE_SIZE = 500

_BASELINES: dict[str, Callable[[], Pipeline]] = {}


def _register(baseline):
    """Add a function to the baselines, under its name."""
    _BASELINES[baseline.__name__] = baseline
    return baseline


@_register
def dummy():
    """The most frequent class of the training images, for every image."""
    return _on_pixels(classifier=DummyClassifier(strategy="prior"))


@_register
def logistic():
    """Logistic regression with an L2 penalty, C=1.

    Table 3: 0.841, with one classifier per class; this one is multinomial. An L1 penalty reaches
    0.842 there, but takes far longer to converge. Pixels are scaled to 0-1, which did better than
    standardising them, because standardising gives much weight to pixels that are hardly ever lit.
    """
    return _on_pixels(
        scale=MinMaxScaler(),
        classifier=LogisticRegression(C=1.0, max_iter=2000),
    )


@_register
def linear_svm():
    """Linear support vector machine, one for each class.

    Table 3: 0.836 with the hinge loss and C=1, which does not converge in scikit-learn's 1,000
    iterations. The squared hinge loss, solved in the primal, converges in 20. Pixels are scaled to
    0-1, as the authors of the library advise (C.-W. Hsu, C.-C. Chang, C.-J. Lin, "A Practical Guide
    to Support Vector Classification", 2003). On that scale, C=0.01 did better than 0.1 and 1.
    """
    return _on_pixels(
        scale=MinMaxScaler(),
        classifier=LinearSVC(loss="squared_hinge", C=0.01, dual=False),
    )


@_register
def knn():
    """The 5 nearest images by the sum of absolute differences, weighted by nearness.

    Table 3: 0.854. Nothing is trained, but predicting is slow: each image is compared with all
    training images. ``classifier__p=2`` is about 15 times faster, with an accuracy of 0.852.
    """
    return _on_pixels(classifier=KNeighborsClassifier(n_neighbors=5, weights="distance", p=1))


@_register
def svm_rbf():
    """Support vector machine with a Gaussian kernel, C=10.

    Table 3: 0.897. The width of the kernel follows from the variance of all pixels, so their scale
    does not matter; they are not standardised, which did better. Training time grows with the
    square of the number of images.
    """
    return _on_pixels(classifier=SVC(C=10.0, gamma="scale", cache_size=_CACHE_SIZE))


@_register
def pca_svm():
    """The baseline ``svm_rbf`` on the principal components that hold 95 % of the variance.

    That share is from a textbook (A. Géron, "Hands-On Machine Learning", 3rd edition, 2022, chapter
    8, for MNIST). It reduces the 784 pixels of Fashion-MNIST to 187 components, so predicting is
    three times faster. Z. Cao claims 0.866 with C=1
    (nuclearczy/SVM_and_CNN_on_Fashion_MNIST_Dataset).
    """
    return _on_pixels(
        reduce=PCA(n_components=0.95),
        classifier=SVC(C=10.0, gamma="scale", cache_size=_CACHE_SIZE),
    )


@_register
def hog_svm():
    """The baseline ``svm_rbf`` on histograms of oriented gradients.

    A submission to the benchmark claims 0.926 "with almost no tuning of the HOG parameters" and
    does not say which (zalandoresearch/fashion-mnist, issue 83). Here they are those of N. Dalal
    and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005: 9 directions
    and blocks of 2x2 cells. Only the cells are smaller, 4x4 pixels, because the images are small.
    28x28 pixels make 1,296 features, so this is slower than ``svm_rbf``. Flattened images that are
    not square need ``hog__image_shape``.
    """
    return Pipeline(
        [
            ("hog", HOGTransformer(orientations=9, pixels_per_cell=4, cells_per_block=2)),
            ("classifier", SVC(C=10.0, gamma="scale", cache_size=_CACHE_SIZE)),
        ]
    )


@_register
def random_forest():
    """100 trees split by entropy, at most 100 deep.

    Table 3: 0.873. ``classifier__n_jobs=-1`` uses all cores.
    """
    return _on_pixels(
        classifier=RandomForestClassifier(n_estimators=100, criterion="entropy", max_depth=100)
    )


@_register
def extra_trees():
    """100 extremely randomised trees, fully grown.

    The settings are those of P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees",
    Machine Learning 63, 2006, but trees are split by entropy, like those of ``random_forest``.
    Table 3 has only single trees of this kind: 0.775.
    ``classifier__n_jobs=-1`` uses all cores.
    """
    return _on_pixels(classifier=ExtraTreesClassifier(n_estimators=100, criterion="entropy"))


@_register
def hist_gradient_boosting():
    """100 rounds of gradient boosting with trees at most 10 deep, learning rate 0.1.

    Table 3: 0.880, for boosting with exact splits. Here pixels are counted in histograms, and a
    tree has at most 31 leaves. XGBoost claims 0.898 with 469 rounds
    (https://github.com/anktplwl91/fashion_mnist). Even 500 images take about 10 seconds.
    """
    return _on_pixels(
        classifier=HistGradientBoostingClassifier(
            learning_rate=0.1, max_iter=100, max_depth=10, early_stopping=False
        )
    )


@_register
def mlp():
    """Perceptron with hidden layers of 256, 128 and 64 units.

    The submission "MLP 256-128-64" to the benchmark claims 0.900 with batches of 200 (README of
    zalandoresearch/fashion-mnist; https://github.com/lianghong/fashion_mnist-on-mxnet); table 3's
    best has one layer of 100 units: 0.871. Adam with default settings trains until the loss has
    not fallen for 10 epochs, which takes about 100 epochs. Holding out images to stop earlier did
    as well on thousands of images, but much worse on hundreds.
    """
    return _on_pixels(
        scale=MinMaxScaler(),
        classifier=MLPClassifier(hidden_layer_sizes=(256, 128, 64), max_iter=500),
    )


def list_baselines():
    """Return the names of the baselines that :func:`make_baseline` knows.

    Returns
    -------
    names : list of str
        Sorted names.

    Examples
    --------
    >>> from skfashion.baselines import list_baselines
    >>> {"hog_svm", "random_forest"} <= set(list_baselines())
    True
    """
    return sorted(_BASELINES)


def make_baseline(name, *, random_state=None):
    """Make a classical classifier with published settings, as a pipeline that takes images.

    Parameters
    ----------
    name : str
        One of :func:`list_baselines`.
    random_state : int, RandomState instance or None, default=None
        Seed of every step that uses random numbers.

    Returns
    -------
    pipeline : Pipeline
        Not fitted. Its last step is "classifier", so ``classifier__C``, for example, can be tuned.

    Raises
    ------
    ValueError
        If the name is unknown. The message names the nearest.

    See Also
    --------
    skfashion.recipes.make_recipe : Networks.

    Notes
    -----
    All take the images that the network takes: flattened pixels, (n, height, width) or (n, height,
    width, channels), of any real type and scale. Pixels of 0-255 and of 0-1 give equal results, if
    ``fit`` and ``predict`` get the same scale.

    The function of the baseline's name says where the settings come from, what their sources claim
    and what is slow: see for instance ``help("skfashion.baselines.knn")``.

    Examples
    --------
    >>> from skfashion.baselines import make_baseline
    >>> from skfashion.datasets import load_fashion_sample
    >>> X, y = load_fashion_sample(return_X_y=True)
    >>> forest = make_baseline("random_forest", random_state=0).fit(X[:500], y[:500])
    >>> forest.score(X[500:1000], y[500:1000]) > 0.7
    True
    >>> forest.set_params(classifier__n_estimators=10)["classifier"].n_estimators
    10
    """
    check_name("baseline", name, _BASELINES)
    pipeline = _BASELINES[name]()
    seeds = [parameter for parameter in pipeline.get_params() if parameter.endswith("random_state")]
    return pipeline.set_params(**dict.fromkeys(seeds, random_state))


def _on_pixels(**steps):
    """Make a pipeline of steps that take one row of pixels per image."""
    flatten = FunctionTransformer(_flatten, feature_names_out="one-to-one")
    return Pipeline([("flatten", flatten), *steps.items()])


def _flatten(X):
    """Return one row per image, in single precision to halve the memory of most steps."""
    X = check_array(X, dtype=np.float32, allow_nd=True, input_name="X")
    return X.reshape(len(X), -1)
