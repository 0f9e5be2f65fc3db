"""The classifier: a Keras convolutional network as a scikit-learn estimator."""

import copy
import os
import pickle
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from numbers import Integral, Real
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from joblib import wrap_non_picklable_objects
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted

from skfashion._base import RoutedParametersEstimator
from skfashion._images import ImageInputMixin, ImageShape, PixelScaler
from skfashion._sklearn_compat import (
    CallbackSupportMixin,
    FitTasks,
    HasMethods,
    Interval,
    StrOptions,
    column_or_1d,
    fit_context,
)
from skfashion._training.prediction import (
    make_views,
    predict_in_batches,
    predict_probabilities,
)
from skfashion._training.state import TrainedState
from skfashion._training.training_data import (
    LabelledImages,
    TrainingData,
    check_weights,
    digest_data,
    split_rows,
)
from skfashion._utils.callback_copies import copy_callbacks, is_callback
from skfashion._utils.names import check_classes, check_known_labels, find_layer
from skfashion._utils.process import check_process
from skfashion._utils.randomness import draw_seed
from skfashion.networks._registry import current_version
from skfashion.networks._specification import NetworkSpecification
from skfashion.preprocessing import ImageAugmenter
from skfashion.preprocessing._image_augmenter import automatic_augmenter, check_augmenter

__all__ = ["FashionCNNClassifier"]


def _fitted(path, doc):
    """Return a read-only property that is an attribute of the trained state."""
    read = attrgetter(path)

    def get(self):
        check_is_fitted(self)
        return read(self._state)

    return property(get, doc=doc)


class FashionCNNClassifier(
    ImageInputMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClassifierMixin,
    RoutedParametersEstimator,
):
    """Convolutional network for the classification of small images.

    The network is a Keras model; everything around it is scikit-learn's: it can be cloned,
    pickled, cross-validated, searched over and put into a pipeline like any other classifier.
    Pixels are standardised inside, so raw images of 0-255 and scaled ones of 0-1 do equally well.

    Parameters
    ----------
    architecture : str or callable, default="fast"
        A name from :func:`skfashion.networks.list_networks`, or a function ``(image_shape,
        n_classes, **options) -> keras.Model`` that takes standardised images ``(n, height, width,
        channels)`` and ends in a softmax over ``n_classes``. It must build the same network each
        time it is called with the same arguments. ``architecture__width=16`` sets an option. A
        callable object needs ``__eq__`` and ``__hash__``, so that copies of it share what was
        compiled. A published system is more than its network: see
        :func:`skfashion.recipes.make_recipe`.
    image_shape : tuple of 2 or 3 int, default=None
        Height, width and (1 if left out) channels of flattened images, in pixels. None means: a
        perfect square of features is one grey image, three times a perfect square one colour
        image, anything else a strip one pixel high. With 25 features or more, a strip raises a
        warning.
    augmentation : ImageAugmenter, "auto" or None, default="auto"
        Gives each training image a fresh variant in every epoch, made while the network computes.
        Validation images are left as they are, and so are those to predict. "auto" moves images by
        up to a 28th of their height and width, in whole pixels: a pixel each way for 28x28, nothing
        where either is below 15. The edge is repeated. ``augmentation__rotation=5`` sets a
        parameter of an ImageAugmenter; its ``random_state`` is not used.
    mixup : float, default=0.0
        Parameter of the Beta distribution that says by which shares a training image and its label
        are mixed with another image of the batch [4]_; 0 mixes none. Published values are around
        0.2.
    cutmix : float, default=0.0
        The same for a rectangle of another image that is pasted into it [5]_; usually 1. With
        ``mixup`` too, each batch has one or the other.
    optimizer : str, keras.optimizers.Optimizer or subclass of it, default="muon"
        Keras' name of the optimizer, its class, or an instance, which is never changed.
        ``optimizer__momentum=0.9`` sets what it is made with. With ``use_ema``, the averaged
        weights are what is validated and kept; Keras' ``ema_momentum=0.99`` averages over hundreds
        of steps, so short trainings need less. "muon" is Keras' Muon, with kernels of convolutions
        orthogonalised too [3]_, which Keras leaves to Adam.
    learning_rate : float, default=None
        The optimizer's learning rate, or with ``schedule`` its highest. None takes that of an
        optimizer instance, and otherwise 0.02 with "muon", 0.005 with others.
    weight_decay : float, default=None
        Strength of the decoupled weight decay on kernels, as in AdamW: each step shrinks them by
        ``learning_rate * weight_decay``. None takes that of an optimizer instance, and 0 for a
        name or class.
    schedule : {"one_cycle", "cosine", "plateau"}, LearningRateSchedule or None, \
            default="one_cycle"
        How the learning rate changes: "one_cycle" rises linearly for the first quarter of the
        training and falls linearly to zero, "cosine" falls along half a cosine, "plateau" halves
        it when the validation loss (without validation images the training loss) has not fallen
        for 3 epochs, None keeps it, and lets callbacks change it. A schedule of
        ``keras.optimizers.schedules`` gives the learning rate of each step itself, so
        ``learning_rate`` must be None; an epoch has as many steps as there are batches.
    label_smoothing : float, default=0.1
        Share of each label that is spread evenly over all classes in the training loss. It often
        raises accuracy, and makes probabilities more cautious than they need be: where these
        matter, take 0, or calibrate with :class:`sklearn.calibration.CalibratedClassifierCV`.
    dropout : float, default=None
        Fraction of features dropped in training; None leaves it to the architecture. A function
        as architecture needs an argument ``dropout``.
    l2 : float, default=0.0
        Strength of the L2 penalty on kernels: times the sum of their squares it is added to the
        loss.
    batch_size : int or "auto", default="auto"
        Images per training step, at most; an epoch is cut into equal batches. "auto" means a
        fiftieth of the training images, 16 at least and 256 at most: few images still make many
        steps, and many images few.
    epochs : int, default=10
        Passes over the training images, at most.
    freeze_epochs : int, default=0
        Epochs, of ``epochs``, in which a pretrained network's last layer learns alone; in the
        others all of it does, at a tenth of the learning rate, and so it does with ``warm_start``
        and in :meth:`partial_fit`. Schedule, patience and callbacks restart in the second of
        the two stages. For architectures with an option ``trainable``, which is False in the first.
        With no more ``epochs`` than that, the last layer alone learns.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as elsewhere in scikit-learn.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not fallen for ``patience`` epochs, and to
        restore the weights of the epoch of this fit where it was lowest. The validation images are
        ``X_val, y_val`` if given to :meth:`fit`, otherwise a stratified part of the training
        images is held out.
    validation_fraction : float, default=0.1
        Share of each class to hold out for early stopping.
    patience : int, default=10
        Epochs without a lower validation loss before early stopping stops. With no more
        ``epochs`` than that, it trains them all and keeps the best.
    checkpoint : str or path-like, default=None
        A ``.keras`` file for the best classifier so far, which :meth:`load` reads, and for the
        training itself, which ``resume`` continues. It is written after each epoch, whole or not at
        all. The best epoch is the one with the lowest validation loss (without validation images,
        training loss) in all of ``history_``. That the file can be written is checked before the
        training. If that fails later, for want of room for instance, the training goes on and
        warns. A fit from scratch replaces an existing file, and so do one after another the fits of
        a search or cross-validation; fits at the same time cannot share one. A fit that goes on
        needs validation images if those before had them and there is a file. :meth:`partial_fit`
        writes none.
    resume : bool, default=False
        Whether :meth:`fit` continues the training in ``checkpoint``, after its last finished epoch
        and to the same bits as if it had never stopped. It starts one if there is no file, returns
        at once if the training is finished, and refuses a training of other parameters or data.
        Keras callbacks are not in the file: they begin again, as in a new ``model.fit``. Without a
        ``random_state``, the seed is that of the file.
    callbacks : keras callback or list of them, default=None
        Instances or classes; they do what they do in ``model.fit``. See the
        :ref:`user guide <callbacks>`. Each fit uses copies, which share everything with the
        instances given but lists, dicts, sets and arrays: an Optuna trial or a logger is the same
        object, counters are not. After the fit, the copies are in ``callbacks_``. Callbacks that
        contradict another parameter are refused before the training.
        ``callbacks__patience=3`` goes to every class whose constructor takes it,
        ``callbacks__0__patience=3`` to the first of them.
    test_time_augmentation : int or "flip", default=None
        What is predicted besides the image itself, and averaged with it: so many variants by
        ``augmentation``, or its mirror image, which helps if training images were mirrored too.
        The variants follow from ``random_state``, and are the same for all images; each takes the
        time of one more prediction. It may be set after fitting, for it plays no part in that;
        validation, and the file of :meth:`save` opened in plain Keras, do without.
    warm_start : bool, default=False
        Whether :meth:`fit` goes on from the weights of the last fit. The schedule and the
        optimizer's state restart. Classes and image shape must be the same; pixels are
        standardised as in the first fit.
    random_state : int, RandomState instance or None, default=None
        Seed of everything random: initial weights, order of the images, augmentation, dropout,
        held-out images.
        With an int, fits on the same machine agree to the bit, whatever ``n_jobs`` a search has.
        Fits that go on keep the seed of the first.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar (one line per epoch without a terminal), 2 one line per
        epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    image_shape_ : tuple of 3 int
        Height, width and channels of the training images.
    n_features_in_ : int
        Values in an image: height times width times channels.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame whose column names are all strings.
    pixel_range_ : tuple of 2 float
        Lowest and highest pixel of the training images, outliers apart.
    model_ : keras.Model
        The fitted network, from raw pixels to probabilities, built on first use.
    weights_ : tuple of ndarray
        The network's weights, in Keras' order. The arrays cannot be changed, but others of the
        same shapes may be assigned.
    history_ : dict of str to list of float
        For each epoch ``loss``, ``accuracy`` and ``learning_rate``, and ``val_loss`` and
        ``val_accuracy`` where there are validation images. ``loss`` counts label smoothing and
        the L2 penalty, ``val_loss`` neither, so the two are not to be compared. ``warm_start`` and
        :meth:`partial_fit` append to it, NaN where they have no such figure.
    n_epochs_ : int
        Epochs trained, over all fits that went on.
    best_epoch_ : int
        Epoch of the last fit whose weights early stopping kept, otherwise its last; counted from 1
        over all fits that went on. What callbacks restore is not known here.
    callbacks_ : list of keras.callbacks.Callback
        Callbacks of the last fit: the copies of the instances in ``callbacks``, and what was made
        of the classes.
    target_names_ : list of str or None
        Names of the classes for people, as given to :meth:`save`; None before :meth:`load`.

    See Also
    --------
    skfashion.recipes.make_recipe : Complete configurations by name.
    sklearn.neural_network.MLPClassifier : A network without convolutions.

    Notes
    -----
    Parameters of the optimizer, the callbacks and the architecture, such as
    ``optimizer__momentum``, are set by :meth:`set_params`, and so by every search; the constructor
    does not take them. Setting ``optimizer`` to another forgets what was set for the last one, and
    so with ``architecture`` and ``callbacks``.

    What a network costs to compile is paid once in a process: fits of the same architecture, image
    shape, number of classes and optimizer share the compiled functions, whatever their learning
    rate, weight decay, L2 penalty, dropout, batch size and number of images. (Turning one of those
    penalties or dropout on, from 0, compiles once more.) A fitted classifier is arrays alone.

    A fit that is interrupted with Ctrl-C raises KeyboardInterrupt, and leaves the classifier fitted
    with the last epoch that was finished, or with ``early_stopping`` the best. A fit that fails, or
    is interrupted before its first epoch ends, leaves the classifier as it was.

    scikit-learn's own callbacks, which are experimental since version 1.9, are set with
    :meth:`set_callbacks`. Each epoch is a task of the fit.

    In a process that was forked from one in which TensorFlow already ran, every use raises
    RuntimeError instead of waiting for ever; joblib's default backend does not fork.

    References
    ----------
    .. [1] H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking
       Machine Learning Algorithms", arXiv:1708.07747, 2017.
    .. [2] L. N. Smith, N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using
       Large Learning Rates", arXiv:1708.07120, 2017.
    .. [3] K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon/.
    .. [4] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: Beyond Empirical Risk
       Minimization", arXiv:1710.09412, 2017.
    .. [5] S. Yun, D. Han, S. J. Oh, S. Chun, J. Choe, Y. Yoo, "CutMix: Regularization Strategy to
       Train Strong Classifiers with Localizable Features", arXiv:1905.04899, 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skfashion import FashionCNNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = FashionCNNClassifier(epochs=3, random_state=0).fit(X[:1000], y[:1000])
    >>> classifier.image_shape_
    (8, 8, 1)
    >>> bool(classifier.score(X[1000:], y[1000:]) > 0.8)
    True

    What Keras' optimizer is made with:

    >>> classifier = FashionCNNClassifier(optimizer="sgd", learning_rate=0.1)
    >>> classifier.set_params(optimizer__momentum=0.9, optimizer__nesterov=True)
    FashionCNNClassifier(learning_rate=0.1, optimizer='sgd', optimizer__momentum=0.9,
                         optimizer__nesterov=True)
    """

    _parameter_constraints: ClassVar[dict] = {
        "architecture": [str, callable],
        "image_shape": ["array-like", None],
        "augmentation": [ImageAugmenter, StrOptions({"auto"}), None],
        "mixup": [Interval(Real, 0, None, closed="left")],
        "cutmix": [Interval(Real, 0, None, closed="left")],
        "optimizer": [str, HasMethods(["apply_gradients", "get_config"])],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "weight_decay": [Interval(Real, 0, None, closed="left"), None],
        "schedule": [
            StrOptions({"one_cycle", "cosine", "plateau"}),
            HasMethods(["get_config", "from_config", "__call__"]),
            None,
        ],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), None],
        "l2": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "freeze_epochs": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "checkpoint": [str, os.PathLike, None],
        "resume": ["boolean"],
        "callbacks": [HasMethods(["set_model", "on_epoch_end"]), list, tuple, None],
        "test_time_augmentation": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"flip"}),
            None,
        ],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    _routed_owners = ("architecture", "callbacks", "optimizer")
    _routed_aliases: ClassVar[dict] = {
        "architecture__dropout": "dropout",
        "optimizer__learning_rate": "learning_rate",
        "optimizer__weight_decay": "weight_decay",
    }

    # Set by _adopt alone.
    _state: TrainedState
    # Built when somebody asks for it.
    _model: Any

    def __init__(
        self,
        architecture="fast",
        *,
        image_shape=None,
        augmentation="auto",
        mixup=0.0,
        cutmix=0.0,
        optimizer="muon",
        learning_rate=None,
        weight_decay=None,
        schedule="one_cycle",
        label_smoothing=0.1,
        dropout=None,
        l2=0.0,
        batch_size="auto",
        epochs=10,
        freeze_epochs=0,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.1,
        patience=10,
        checkpoint=None,
        resume=False,
        callbacks=None,
        test_time_augmentation=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.architecture = architecture
        self.image_shape = image_shape
        self.augmentation = augmentation
        self.mixup = mixup
        self.cutmix = cutmix
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.label_smoothing = label_smoothing
        self.dropout = dropout
        self.l2 = l2
        self.batch_size = batch_size
        self.epochs = epochs
        self.freeze_epochs = freeze_epochs
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.checkpoint = checkpoint
        self.resume = resume
        self.callbacks = callbacks
        self.test_time_augmentation = test_time_augmentation
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Train the network: from new initial weights, unless it goes on or is resumed.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images of any real type; ``uint8`` needs the least memory. Flattened images are in
            row-major order, as in ``load_digits().data``.
        y : array-like of shape (n,)
            Class labels: two classes at least.
        sample_weight : array-like of shape (n,), default=None
            Weights of the images, relative to each other. Those of weight 0 are left out.
        X_val, y_val : array-like, default=None
            Validation images and their labels: ``history_`` then has their loss and accuracy, and
            early stopping uses them. They are never trained on.

        Returns
        -------
        self : FashionCNNClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If X holds no images of one shape with finite pixels, y no labels of two classes or
            more, a parameter is out of its range, the architecture cannot take images of this
            shape, a callback contradicts a parameter, or the training to resume is of other
            parameters or data.
        ModelFileError
            If the checkpoint to resume is damaged, or holds no training.
        TypeError
            If the architecture is not called as it should be or gives no Keras model, or a
            callback or schedule is not one.
        OSError
            If the checkpoint cannot be written or belongs to a training that is running, or
            pretrained weights are neither on this machine nor can be downloaded.
        KeyboardInterrupt
            If somebody interrupts. The classifier is then fitted with the last finished epoch.
        TrainingDivergedError
            If the loss becomes infinite or NaN.

        Warns
        -----
        UserWarning
            If flattened images are taken for strips, the checkpoint cannot be written after an
            epoch, the training to resume was begun with other versions of the packages that
            compute, or a callback adds something to the logs that is not a number.
        """
        tasks = self._begin_tasks(self.epochs, X, y, sample_weight)
        state = self._state if self.warm_start and self.__sklearn_is_fitted__() else None
        reference = self._column_reference(X, state)
        X, y, image_shape = self._check_training_images(X, y, state)
        classes = np.unique(y)
        if state is not None and not np.array_equal(classes, state.classes):
            raise ValueError(
                f"warm_start=True continues a network for the classes {state.classes.tolist()}, "
                f"but y has {classes.tolist()}. Set warm_start=False to train from scratch."
            )
        check_classes(classes, "y")
        if state is not None:
            classes = state.classes  # equal, but y may have another type
        check_process()
        from skfashion._training.plan import TrainingPlan

        checkpoint = self._make_checkpoint(state, validates=X_val is not None)
        network = self._specify_network(image_shape, len(classes), state)
        plan = TrainingPlan.for_fit(self, network, checkpoint)
        y_index = np.searchsorted(classes, y)
        weights = check_weights(sample_weight, self.class_weight, X, y, classes)
        rows = np.flatnonzero(weights)
        validation = self._check_validation(X_val, y_val, classes, image_shape, reference)
        with nullcontext() if checkpoint is None else checkpoint.locked():
            progress = None
            if checkpoint is not None:
                images = _label(X, y_index, weights, rows)
                digests = digest_data(images, validation, classes, image_shape)
                progress = checkpoint.begin(digests, state)
            earlier = state if progress is None else progress.state
            seed = draw_seed(self.random_state) if earlier is None else earlier.seed
            if validation is None and self.early_stopping:
                rows, held_out = split_rows(rows, y_index, classes, self.validation_fraction, seed)
                validation = _label(X, y_index, weights, held_out)
            training = _label(X, y_index, weights / weights[rows].mean(), rows)
            scaler = _choose_scaler(X, rows, image_shape, state)
            if X_val is not None:
                scaler.warn_of_other_scale(validation.X, "X_val")
            data = TrainingData(training, validation, scaler, classes, _column_names(reference))
            if progress is not None:
                plan = replace(plan, network=progress.state.network)
            self._train(replace(plan, seed=seed), data, state, tasks, progress)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train one epoch on these images, going on where the last call of any fit ended.

        The learning rate is constant: a tenth of ``learning_rate`` if ``schedule`` is "one_cycle"
        or "cosine", whose highest that is, otherwise all of it. Pixels are standardised as the
        first images were. With the optimizer's ``use_ema``, it goes on from the averaged weights.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as for :meth:`fit`.
        y : array-like of shape (n,)
            Class labels; not every class need be among them.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come. The first call needs them.
        sample_weight : array-like of shape (n,), default=None
            Weights of the images, here not relative: an image of weight 2 counts like two. Those
            of weight 0 are left out.

        Returns
        -------
        self : FashionCNNClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If X or y are not as :meth:`fit` wants them, y has other labels than ``classes``,
            ``classes`` is missing in the first call or changes later, ``early_stopping`` is set,
            ``class_weight="balanced"``, which needs all labels at once, ``schedule`` is one of
            Keras', or other parameters that :meth:`fit` refuses.
        TrainingDivergedError
            If the loss becomes infinite or NaN.

        Warns
        -----
        UserWarning
            If flattened images are taken for strips.
        """
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True. Call "
                "set_params(early_stopping=False) first."
            )
        if self.class_weight == "balanced":
            raise ValueError(
                "partial_fit does not support class_weight='balanced', which needs all labels at "
                "once. Give the weights: class_weight=dict(zip(np.unique(y), "
                "compute_class_weight('balanced', classes=np.unique(y), y=y)))."
            )
        tasks = self._begin_tasks(1, X, y, sample_weight)
        state = self._state if self.__sklearn_is_fitted__() else None
        reference = self._column_reference(X, state)
        X, y, image_shape = self._check_training_images(X, y, state)
        classes = self._check_all_classes(classes, state)
        check_known_labels(y, classes, "y", "classes")
        weights = check_weights(sample_weight, self.class_weight, X, y, classes)
        rows = np.flatnonzero(weights)
        check_process()
        from skfashion._training.plan import TrainingPlan

        network = self._specify_network(image_shape, len(classes), state)
        plan = TrainingPlan.for_partial_fit(self, network)
        seed = draw_seed(self.random_state) if state is None else state.seed
        scaler = _choose_scaler(X, rows, image_shape, state)
        training = _label(X, np.searchsorted(classes, y), weights, rows)
        data = TrainingData(training, None, scaler, classes, _column_names(reference))
        self._train(replace(plan, seed=seed), data, state, tasks)
        return self

    def predict(self, X):
        """Predict the class of each image.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images of the size, and on the pixel scale, of those the classifier was fitted on.
            Another scale, ten times larger or smaller, gives a ``PixelRangeWarning``; that they
            are inverted, or standardised otherwise, cannot be seen.

        Returns
        -------
        y : ndarray of shape (n,)
            Class labels.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If X holds no images of the fitted size with finite pixels.
        """
        most_probable = self._probabilities(X).argmax(axis=1)
        return self.classes_[most_probable]

    def predict_proba(self, X):
        """Return the probability of each class for each image.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as for :meth:`predict`.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes)
            Columns are in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If X holds no images of the fitted size with finite pixels.
        """
        return self._probabilities(X)

    def decision_function(self, X):
        """Return the logits: the logarithm of each class' probability, up to a constant per image.

        Their softmax is :meth:`predict_proba`.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as for :meth:`predict`.

        Returns
        -------
        logits : ndarray of shape (n, n_classes), or (n,) for two classes
            Each image's mean is 0. For two classes, the logit of the second: positive where it is
            predicted.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If X holds no images of the fitted size with finite pixels.
        """
        probabilities = self._probabilities(X)
        # Single precision rounds what is less to 0.
        logits = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
        if len(self.classes_) == 2:
            return logits[:, 1] - logits[:, 0]
        return logits - logits.mean(axis=1, keepdims=True)

    def transform(self, X):
        """Return the features that the network found, the input of its last layer.

        So the network can be a step of a pipeline, before a support vector machine for instance.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as for :meth:`predict`.

        Returns
        -------
        features : ndarray of shape (n, n_features_out) of float32
            Inputs of the last layer that has weights, flattened.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If X holds no images of the fitted size with finite pixels.
        """
        features = self._layer_output(X)
        return features.reshape(len(features), -1)

    def feature_maps(self, X, layer):
        """Return the output of a layer of the network for images.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as for :meth:`predict`.
        layer : str or int
            Name of a layer, or its position: ``[layer.name for layer in
            classifier.model_.layers[-1].layers]`` has them all. Layers that an architecture
            function leaves unnamed get other names in every fit.

        Returns
        -------
        maps : ndarray of float32
            The layer's output: after a convolution ``(n, height, width, channels)``.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If X holds no images of the fitted size with finite pixels, or there is no layer of
            this name; the message names the nearest.
        """
        check_is_fitted(self)
        names = [layer.name for layer in self.model_.layers[-1].layers]
        return self._layer_output(X, find_layer(layer, names))

    def _probabilities(self, X):
        X = self._check_predictable(X)
        if self.test_time_augmentation is not None:  # may have been set since the fit
            self._validate_params()
            self._check_augmentation(None, self.image_shape_)
        state = self._state
        augmenter = self._augmenter(self.image_shape_)
        views = make_views(self.test_time_augmentation, augmenter, state.seed)
        with self._borrow_engine() as engine:
            return predict_probabilities(engine, X, state.scaler, views=views)

    def _layer_output(self, X, layer=None):
        X = self._check_predictable(X)
        with self._borrow_engine() as engine:
            return predict_in_batches(engine.layer_step(layer), X, self._state.scaler)

    classes_ = _fitted("classes", "ndarray: class labels, sorted.")
    image_shape_ = _fitted("scaler.image_shape", "tuple of 3 int: height, width and channels.")
    pixel_range_ = _fitted("scaler.pixel_range", "tuple of 2 float: lowest and highest pixel.")
    history_ = _fitted("history", "dict of str to list of float: figures of each epoch.")
    n_epochs_ = _fitted("n_epochs", "int: epochs trained, over all fits that went on.")
    best_epoch_ = _fitted("best_epoch", "int: epoch that the weights are from, counted from 1.")
    target_names_ = _fitted("target_names", "list of str or None: names of the classes.")

    @property
    def weights_(self):
        """tuple of ndarray: the network's weights, in Keras' order.

        The arrays cannot be changed, but the tuple can be replaced: others of the same shapes may
        be assigned.
        """
        check_is_fitted(self)
        return self._state.weights

    @weights_.setter
    def weights_(self, weights):
        check_is_fitted(self)
        weights = tuple(map(np.array, weights))
        shapes, expected = ([w.shape for w in ws] for ws in (weights, self._state.weights))
        if shapes != expected:
            raise ValueError(f"weights_ must have the shapes {expected}, got {shapes}.")
        for weight in weights:
            weight.setflags(write=False)
        self._adopt(replace(self._state, weights=weights))

    @property
    def model_(self):
        """keras.Model: the fitted network, from raw pixels to probabilities, built on first use.

        It takes ``(n, *image_shape_)``. Changing it changes neither the classifier's predictions
        nor what :meth:`save` writes.
        """
        check_is_fitted(self)
        if self._model is None:
            check_process()
            from skfashion._training.engine import build_model

            self._model = build_model(self._state)
        return self._model

    def save(self, path, *, target_names=None, allow_custom_objects=False):
        """Write the fitted classifier to a ``.keras`` file, which plain Keras opens too.

        There it takes images ``(n, *image_shape_)``, not flattened ones.
        Besides the Keras model, from raw pixels to probabilities, the file holds the parameters,
        classes and training history as JSON, and the optimizer's state, so that
        :meth:`partial_fit` goes on to the same bits. Callbacks, ``checkpoint``, ``resume`` and a
        ``random_state`` that is not an int are left out.

        Parameters
        ----------
        path : str or path-like
            File to write; it must end in ``.keras``. It appears whole or not at all.
        target_names : list of str, default=None
            Names for people of the classes, in the order of ``classes_``; None keeps those that
            were loaded with the classifier, if any.
        allow_custom_objects : bool, default=False
            Whether the network may have layers, and the optimizer and the schedule be classes, that
            :meth:`load` does not rebuild from a file. Such a file is loaded with the arguments
            ``architecture``, ``optimizer`` or ``schedule`` of :meth:`load`.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        OSError
            If no file can be written there.
        ValueError
            If the file name has another ending, the number of names is not that of the classes, a
            parameter cannot be stored, or :meth:`load` would refuse the file.

        Examples
        --------
        >>> import os, tempfile
        >>> from sklearn.datasets import load_digits
        >>> from skfashion import FashionCNNClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> classifier = FashionCNNClassifier(epochs=1, random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = os.path.join(directory, "digits.keras")
        ...     classifier.save(path)
        ...     loaded = FashionCNNClassifier.load(path)
        >>> bool((loaded.predict(X) == classifier.predict(X)).all())
        True
        """
        check_is_fitted(self)
        check_process()
        from skfashion._persistence import save_classifier

        save_classifier(
            self,
            self._state,
            path,
            target_names=target_names,
            allow_custom_objects=allow_custom_objects,
        )

    @classmethod
    def load(cls, path, *, architecture=None, optimizer=None, schedule=None):
        """Read a classifier that :meth:`save` wrote, of this or an earlier version.

        The file need not be trusted: no code from it is run, and no other file is read. Networks of
        this package are built by name. A network that was a function is rebuilt from a list of
        Keras layers, or by the function if you give it.

        Parameters
        ----------
        path : str or path-like
            The ``.keras`` file.
        architecture : callable, default=None
            Function that built the network. Needed if the network has layers that are not rebuilt
            from a file. It is called with the options in the file.
        optimizer : keras.optimizers.Optimizer or subclass of it, default=None
            Optimizer that the classifier was saved with, if it is of your own class.
        schedule : LearningRateSchedule, default=None
            Schedule that the classifier was saved with, if it is of your own class.

        Returns
        -------
        classifier : FashionCNNClassifier
            Predicts what the saved one predicts. A file does not decide what a later fit writes or
            reads: it has no ``checkpoint``, and a path in ``architecture__weights`` is replaced by
            a placeholder. Set that parameter again before you fit from scratch.

        Raises
        ------
        OSError
            If there is no such file.
        ModelFileError
            If :meth:`save` did not write the file, it is damaged or of a newer format version, or
            it needs one of the arguments above. The message says which.
        """
        if Path(path).is_dir():
            raise IsADirectoryError(f"{str(path)!r} is a folder, not a model file.")
        if not Path(path).is_file():
            raise FileNotFoundError(f"No model file {str(path)!r}.")
        check_process()
        from skfashion._persistence import load_classifier

        given = {"architecture": architecture, "optimizer": optimizer, "schedule": schedule}
        return load_classifier(cls, path, {k: v for k, v in given.items() if v is not None})

    def _check_predictable(self, X):
        X = self._check_fitted_images(X)
        self._state.scaler.warn_of_other_scale(X, "X")
        return X

    def _column_reference(self, X, state):
        """Return an estimator that knows the column names of the training images."""
        if state is not None:
            return self
        reference = copy.copy(self)
        reference._note_features(X, n_features=None)
        return reference

    def _check_training_images(self, X, y, state):
        """Return checked images and labels, and the images' shape; changes nothing yet."""
        if state is not None:
            image_shape = state.scaler.image_shape
            given = self.image_shape
            if given is not None and ImageShape.parse(given) != image_shape:
                raise ValueError(
                    f"image_shape={given}, but the network goes on with images of "
                    f"{image_shape}. Call fit with warm_start=False to train from scratch."
                )
            X, y = self._check_fitted_images(X, y, requires_y=True)
        else:
            X, y = self._check_images(X, y, requires_y=True)
            image_shape = self._infer_image_shape(X)
        check_classification_targets(y)
        self._check_augmentation(X, image_shape)
        return X, y, image_shape

    def _check_all_classes(self, classes, state):
        """Return the classes that ``partial_fit`` is given, or was given before."""
        if classes is not None:
            classes = unique_labels(classes)
        if state is None:
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            check_classes(classes, "classes")
            return classes
        if classes is not None and not np.array_equal(classes, state.classes):
            raise ValueError(
                f"classes={classes.tolist()} is not the same as on the last call to partial_fit, "
                f"was: {state.classes.tolist()}."
            )
        return state.classes

    def _augmenter(self, image_shape):
        """Return the augmenter for images of this shape, or None."""
        if isinstance(self.augmentation, str):
            return automatic_augmenter(image_shape)
        return self.augmentation

    def _check_augmentation(self, X, image_shape):
        augmenter, at_test_time = self._augmenter(image_shape), self.test_time_augmentation
        if augmenter is not None:
            if type(augmenter).augment is not ImageAugmenter.augment:
                raise TypeError(
                    f"{type(augmenter).__name__} overrides augment, which training does not "
                    "call. Use ImageAugmenter, or AugmentedClassifier with your own."
                )
            check_augmenter(augmenter, X, image_shape)
        elif isinstance(at_test_time, Integral):
            raise ValueError(
                f"test_time_augmentation={at_test_time} takes variants made by augmentation, but "
                f"augmentation={self.augmentation!r} makes none of images of "
                f"{image_shape[0]}x{image_shape[1]} pixels. Give an ImageAugmenter, or take "
                "test_time_augmentation='flip'."
            )
        if isinstance(at_test_time, bool):
            raise ValueError(
                "test_time_augmentation must be a number of variants, 'flip' or None, got "
                f"{at_test_time}."
            )

    def _check_validation(self, X_val, y_val, classes, image_shape, reference):
        """Return the user's validation images; None if there are none."""
        if (X_val is None) != (y_val is None):
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"X_val and y_val belong together, but {missing} is None.")
        if X_val is None:
            return None
        reference._check_columns(X_val)
        X_val = self._check_images(X_val, name="X_val", image_shape=image_shape)
        y_val = column_or_1d(y_val, input_name="y_val")
        if len(X_val) != len(y_val):
            raise ValueError(f"X_val has {len(X_val)} images, but y_val {len(y_val)} labels.")
        check_known_labels(y_val, classes, "y_val", "y")
        n_images = len(X_val)
        y_index = np.searchsorted(classes, y_val)
        return _label(X_val, y_index, np.ones(n_images), np.arange(n_images))

    def _begin_tasks(self, n_epochs, X, y, sample_weight):
        """Tell scikit-learn's callbacks that a fit begins."""
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        return FitTasks(self, n_epochs, _fitted_attributes, X=X, y=y, metadata=metadata)

    def _make_checkpoint(self, state, *, validates):
        """Return the file to write during the fit, or None."""
        if self.checkpoint is None:
            if self.resume:
                raise ValueError(
                    "resume=True goes on with the training in a file, but checkpoint=None names "
                    "none. Set checkpoint."
                )
            return None
        from skfashion._persistence import Checkpoint

        checkpoint = Checkpoint(self)
        if state is not None and not (validates or self.early_stopping):
            checkpoint.check_goes_on(state)
        return checkpoint

    def _train(self, plan, data, state, tasks, progress=None):
        """Train as planned, from a state or from scratch.

        Parameters
        ----------
        plan : TrainingPlan
        data : TrainingData
        state : TrainedState or None
        tasks : FitTasks
        progress : TrainingProgress, default=None
            Where an interrupted training is.

        Raises
        ------
        KeyboardInterrupt
            If somebody interrupts. Then the classifier is fitted with the last finished epoch, if
            there is one.
        """
        from skfashion._training.loop import Training

        training = Training(plan, data, state, tasks, progress)
        try:
            training.run()
            self._keep(training)
        except KeyboardInterrupt:  # at whatever moment
            if training.progress is not None:
                self._keep(training)
            raise
        tasks.end(self._state)

    def _keep(self, training):
        """Become what a training has led to."""
        from skfashion._training.callbacks import detach_callbacks

        self._adopt(training.progress.result)
        self.callbacks_ = training.plan.callbacks
        detach_callbacks(self.callbacks_)

    def _adopt(self, state):
        """Become the fitted classifier of this state."""
        attributes = _fitted_attributes(state)
        self.__dict__.update(attributes)
        if "feature_names_in_" not in attributes:
            self.__dict__.pop("feature_names_in_", None)

    def _specify_network(self, image_shape, n_classes, state):
        """Return the network that the parameters describe now.

        A fit that goes on keeps the version of its architecture.
        """
        architecture, version = self.architecture, None
        options = self._routed_to("architecture")
        if self.dropout is not None:
            options["dropout"] = self.dropout
        if state is not None and state.network.architecture == architecture:
            version = state.network.version
        elif isinstance(architecture, str):
            version = current_version(architecture)
        return NetworkSpecification(architecture, image_shape, n_classes, options, version)

    @contextmanager
    def _borrow_engine(self):
        """Lend an engine that predicts as this classifier."""
        check_process()
        from skfashion._training.pool import borrow_engine

        with borrow_engine(self._state.network) as engine:
            engine.load(self._state.weights)
            yield engine

    def __copy__(self):
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __sklearn_clone__(self):
        bare = copy.copy(self)
        bare.callbacks = None  # which clone would copy whole, an Optuna trial with its study
        cloned = super(FashionCNNClassifier, bare).__sklearn_clone__()
        cloned.callbacks = copy_callbacks(self.callbacks)
        return cloned

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "_model" in state:
            state["_model"] = None
        for name in ("callbacks", "callbacks_"):
            if state.get(name) is None:
                continue
            try:
                state[name] = _picklable(state[name], name)
            except TypeError:
                if name == "callbacks":
                    raise
                del state[name]  # the fit opened a file or the like, which predicts nothing
        return state

    def __dir__(self):
        # scikit-learn's own, and its HTML repr, read all that is listed, and so build the model.
        names = object.__dir__(self)
        return [name for name in names if name != "model_" and hasattr(self, name)]

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_state")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _fitted_attributes(state):
    """Return the attributes of a classifier that is fitted with this state."""
    attributes = {
        "_state": state,
        "_model": None,
        "_n_features_out": state.n_features_out,
        "n_features_in_": state.scaler.image_shape.n_values,
    }
    if state.feature_names is not None:
        attributes["feature_names_in_"] = state.feature_names
    return attributes


def _picklable(callbacks, name):
    """Return callbacks in a form that can be pickled, lambdas included.

    Raises
    ------
    TypeError
        If one cannot be pickled.
    """
    if is_callback(callbacks) or isinstance(callbacks, type):
        return _picklable([callbacks], name)[0]
    forms = []
    for position, callback in enumerate(callbacks):
        if isinstance(callback, type):  # cloudpickle takes those that cannot be imported too
            forms.append(callback)
            continue
        form = callback
        try:
            pickle.dumps(callback)
        except Exception:  # whatever its attributes raise
            form = wrap_non_picklable_objects(callback, keep_wrapper=False)
            try:
                pickle.dumps(form)
            except Exception as error:
                kind = type(callback).__name__
                raise TypeError(
                    f"{name}[{position}], of class {kind}, cannot be pickled: {error}. Set "
                    "callbacks=None first, or pickle what save writes instead."
                ) from error
        forms.append(form)
    return type(callbacks)(forms)


def _choose_scaler(X, rows, image_shape, state):
    """Return a new standardisation, or that of the state, with a warning about another scale."""
    if state is None:
        return PixelScaler.fit(X, rows, image_shape)
    state.scaler.warn_of_other_scale(X, "X")
    return state.scaler


def _label(X, y_index, weights, rows):
    return LabelledImages(X, y_index, weights.astype(np.float32), rows)


def _column_names(columns):
    return getattr(columns, "feature_names_in_", None)
