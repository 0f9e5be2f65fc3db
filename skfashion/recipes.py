"""Named, complete configurations of the classifier.

A recipe is a function that returns parameters of :class:`skfashion.FashionCNNClassifier`: not only
the architecture of the same name, but also optimizer, augmentation and stopping. Its docstring says
where the settings come from: see for instance ``help("skfashion.recipes.vgg3")``. The user guide
lists the accuracy of each recipe on Fashion-MNIST.
"""

from collections.abc import Callable

from skfashion._classifier import FashionCNNClassifier
from skfashion._utils.names import check_name
from skfashion.preprocessing import ImageAugmenter

__all__ = ["list_recipes", "make_recipe"]

_RECIPES: dict[str, Callable[[], dict]] = {}


def _register(recipe):
    """Add a function to the recipes, under its name."""
    _RECIPES[recipe.__name__] = recipe
    return recipe


@_register
def basic():
    """Three plain convolutions, as in the beginners' tutorials of Keras and TensorFlow.

    Adam with default settings, 10 epochs. The original has 93,322 parameters and claims no
    accuracy.
    """
    return {
        "architecture": "basic",
        "augmentation": None,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "schedule": None,
        "label_smoothing": 0.0,
        "batch_size": 64,
        "epochs": 10,
    }


@_register
def lenet():
    """LeNet with batch normalisation and dropout.

    Adam with default settings. The original claims about 90 % with 85 thousand parameters. Built
    from its description, it has 107,598.
    """
    return {**basic(), "architecture": "lenet"}


@_register
def vgg2():
    """Two blocks of two convolutions, with dropout and an L2 penalty.

    Adam, batches of 64. The publication trains for 10 epochs on the original images and one
    augmented copy of each. The recipe trains for 20 epochs and varies half of the images in each of
    them. The learning rate is halved when the validation loss does not fall, then training stops
    early. No accuracy was published.
    """
    return {
        **basic(),
        "architecture": "vgg2",
        "architecture__l2": 1e-4,
        "augmentation": ImageAugmenter(probability=0.5, horizontal_flip=False),
        "schedule": "plateau",
        "epochs": 20,
        "early_stopping": True,
    }


@_register
def vgg2_checkpointed():
    """The recipe ``vgg2`` with every image varied, at most 30 epochs and more patience.

    The publication has stratified validation images, augmentation, early stopping, a checkpoint of
    the best model and a learning rate that is halved on a plateau. You name the checkpoint's file:
    ``make_recipe("vgg2_checkpointed", checkpoint="best.keras")``. For hard or rare classes the
    publication uses ``class_weight``. It claims 88 %, and an F1 of 0.67 for Shirt.
    """
    return {
        **vgg2(),
        "augmentation": ImageAugmenter(horizontal_flip=False),
        "epochs": 30,
        "patience": 5,
    }


@_register
def vgg3():
    """Three blocks of two convolutions, with much dropout and augmentation.

    Rotation by 10 degrees, shift, shear and zoom by 0.1, flips. Adam, batches of 64, at most 50
    epochs. A tenth of the images is held out; training stops after 10 epochs without a lower
    validation loss, and the learning rate is halved after 3. The publication claims 94.87 % on test
    images, 94.18 % on validation images at epoch 23 of 33, and an F1 of 0.84 for Shirt. Letters and
    digits need ``augmentation__horizontal_flip=False``.
    """
    return {
        **basic(),
        "architecture": "vgg3",
        "augmentation": ImageAugmenter(),
        "schedule": "plateau",
        "epochs": 50,
        "early_stopping": True,
        "patience": 10,
        "validation_fraction": 0.1,
    }


@_register
def resnet50v2():
    """ResNet-50 version 2 with ImageNet's weights, images resized to 85x85 pixels.

    Adam. The last layer alone is trained for three epochs, then the whole network for two. With
    ``epochs=3`` there is no second stage. No accuracy was published.
    """
    return {
        **basic(),
        "architecture": "resnet50v2",
        "schedule": "one_cycle",
        "epochs": 5,
        "freeze_epochs": 3,
    }


@_register
def mobilenetv2():
    """MobileNet version 2 with ImageNet's weights, images resized to 96x96 pixels.

    Trained like ``resnet50v2``. No accuracy was published.
    """
    return {**resnet50v2(), "architecture": "mobilenetv2"}


@_register
def fast():
    """High accuracy in little CPU time: the classifier with its default parameters."""
    return {}


@_register
def small():
    """High accuracy with fewer than 100,000 parameters.

    Trained like ``fast``, for twice as many epochs. Training mirrors images, and predictions are
    averages over an image and its mirror image. Letters and digits need ``make_recipe("small",
    augmentation="auto", test_time_augmentation=None)``.
    """
    return {
        "architecture": "small",
        "augmentation": ImageAugmenter(rotation=0, shift=1 / 28, shear=0, zoom=0),
        "epochs": 20,
        "test_time_augmentation": "flip",
    }


def list_recipes():
    """Return the names of the recipes that :func:`make_recipe` knows.

    Returns
    -------
    names : list of str
        Sorted names.

    Examples
    --------
    >>> from skfashion.recipes import list_recipes
    >>> {"fast", "vgg3"} <= set(list_recipes())
    True
    """
    return sorted(_RECIPES)


def make_recipe(name, **overrides):
    """Make a classifier with a complete, named configuration.

    Parameters
    ----------
    name : str
        One of :func:`list_recipes`.
    **overrides
        Parameters of :class:`skfashion.FashionCNNClassifier` to change, and routed ones such as
        ``optimizer__momentum=0.9``. Another ``optimizer`` has its own default learning rate instead
        of the recipe's, unless ``learning_rate`` is given too. A later ``set_params`` keeps the
        recipe's.

    Returns
    -------
    classifier : FashionCNNClassifier
        Not fitted.

    Raises
    ------
    ValueError
        If the name is unknown (the message names the nearest), or a parameter is.

    Examples
    --------
    >>> from skfashion.recipes import make_recipe
    >>> make_recipe("vgg3", epochs=5).epochs
    5
    """
    check_name("recipe", name, _RECIPES)
    classifier = FashionCNNClassifier().set_params(**_RECIPES[name]())
    optimizer = overrides.get("optimizer", classifier.optimizer)
    if str(optimizer).lower() != classifier.optimizer:
        classifier.learning_rate = None
    return classifier.set_params(**overrides)
