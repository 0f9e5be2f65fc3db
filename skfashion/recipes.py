"""Named, complete configurations of the classifier.

Each recipe is a function that gives the parameters of a :class:`skfashion.FashionCNNClassifier`.
A recipe is more than the architecture of the same name: optimizer, augmentation and stopping too.
What each reaches on Fashion-MNIST is in the documentation's table, beside what it claims.
"""

from skfashion._classifier import FashionCNNClassifier
from skfashion._utils.names import check_name
from skfashion.preprocessing import ImageAugmenter

__all__ = ["list_recipes", "make_recipe"]


def basic():
    """Three plain convolutions, as in the beginners' tutorials of Keras and TensorFlow.

    Adam at its defaults, 10 epochs. The original has 93,322 parameters and claims no accuracy.
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


def lenet():
    """LeNet with batch normalisation and dropout.

    Adam at its defaults. The original claims about 90 % with 85 thousand parameters; by its
    description it has 107,598.
    """
    return {**basic(), "architecture": "lenet"}


def vgg2():
    """Two blocks of two convolutions, with dropout and an L2 penalty.

    Adam, batches of 64. As published, 10 epochs of the originals and one augmented copy of each;
    here 20 epochs in which half of the images are varied, afresh each time. The learning rate is
    halved when the validation loss does not fall, then training stops early. No accuracy
    was published.
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


def vgg2_checkpointed():
    """As ``vgg2``, but every image is varied, for at most 30 epochs with more patience.

    As published: stratified validation images, augmentation, early stopping, a checkpoint of the
    best model and a learning rate that is halved on a plateau. Name the file yourself:
    ``make_recipe("vgg2_checkpointed", checkpoint="best.keras")``. Its remedy for classes that are
    hard or rare is ``class_weight``. Claims 88 %, and an F1 of 0.67 for Shirt.
    """
    return {
        **vgg2(),
        "augmentation": ImageAugmenter(horizontal_flip=False),
        "epochs": 30,
        "patience": 5,
    }


def vgg3():
    """Three blocks of two convolutions, with much dropout and augmentation.

    Rotation by 10 degrees, shift, shear and zoom by 0.1, flips; Adam, batches of 64, at most 50
    epochs, early stopping after 10 without a lower validation loss, the learning rate halved after
    3; a tenth of the images held out. Claims 94.87 % on test images, 94.18 % on validation images
    at epoch 23 of 33, and an F1 of 0.84 for Shirt. Letters and digits need
    ``augmentation__horizontal_flip=False``.
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


def resnet50v2():
    """ResNet-50 version 2 with ImageNet's weights, images resized to 85x85 pixels.

    Adam; three epochs for the last layer alone, then two for all of it (with ``epochs=3`` there is
    no second stage). No accuracy was published.
    """
    return {
        **basic(),
        "architecture": "resnet50v2",
        "schedule": "one_cycle",
        "epochs": 5,
        "freeze_epochs": 3,
    }


def mobilenetv2():
    """MobileNet version 2 with ImageNet's weights, images resized to 96x96 pixels.

    Trained as ``resnet50v2``. No accuracy was published.
    """
    return {**resnet50v2(), "architecture": "mobilenetv2"}


def fast():
    """Much accuracy in little CPU time: the classifier as it comes."""
    return {}


def small():
    """Much accuracy with fewer than 100,000 parameters.

    Trained as ``fast``, for twice as many epochs, with mirrored images in training and beside those
    to predict. Letters and digits need ``make_recipe("small", augmentation="auto",
    test_time_augmentation=None)``.
    """
    return {
        "architecture": "small",
        "augmentation": ImageAugmenter(rotation=0, shift=1 / 28, shear=0, zoom=0),
        "epochs": 20,
        "test_time_augmentation": "flip",
    }


_RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        basic,
        fast,
        lenet,
        mobilenetv2,
        resnet50v2,
        small,
        vgg2,
        vgg2_checkpointed,
        vgg3,
    )
}


def list_recipes():
    """Names of the recipes that :func:`make_recipe` knows.

    Returns
    -------
    names : list of str
        Sorted names.

    Examples
    --------
    >>> from skfashion.recipes import list_recipes
    >>> list_recipes()[:3]
    ['basic', 'fast', 'lenet']
    """
    return sorted(_RECIPES)


def make_recipe(name, **overrides):
    """A classifier with a complete, named configuration.

    Parameters
    ----------
    name : str
        One of :func:`list_recipes`.
    **overrides
        Parameters of :class:`skfashion.FashionCNNClassifier` that shall differ from the recipe's;
        ``optimizer__momentum=0.9`` and the like too. With another ``optimizer``, the recipe's
        learning rate gives way to the default, unless it is given too; ``set_params`` later leaves
        it.

    Returns
    -------
    classifier : FashionCNNClassifier
        Not fitted.

    Raises
    ------
    ValueError
        If the name is unknown, the message names the nearest; or there is no such parameter.

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
