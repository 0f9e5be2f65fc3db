"""Parameters of the optimizer, the callbacks and the architecture, by scikeras' names."""

from functools import partial

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skfashion import FashionCNNClassifier


def small_network(image_shape, n_classes, width=16):
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


@pytest.fixture
def make_small(make_small):
    """Every optimizer is compiled anew: a network that is compiled fast."""
    return partial(make_small, architecture=small_network)


class CountEpochs(keras.callbacks.Callback):
    """Counts, and stops the training after so many epochs."""

    def __init__(self, limit=100, name="count"):
        super().__init__()
        self.limit = limit
        self.name = name
        self.epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1
        if self.epochs >= self.limit:
            self.model.stop_training = True


def test_kept_by_get_params_clone_and_repr(make_small):
    classifier = make_small(optimizer="sgd").set_params(
        optimizer__momentum=0.9, architecture__width=8, callbacks__limit=2
    )
    for copied in (classifier, clone(classifier), clone(clone(classifier))):
        assert copied.get_params()["optimizer__momentum"] == 0.9
        assert copied.get_params(deep=False)["architecture__width"] == 8
        assert "optimizer__momentum=0.9" in repr(copied)
        assert "optimizer__momentum" in copied._repr_html_()
    assert clone(classifier).get_params() == classifier.get_params()
    assert "optimizer__momentum" not in make_small().get_params()


def test_clone_is_independent(make_small):
    classifier = make_small().set_params(optimizer__beta_1=0.8)
    cloned = clone(classifier).set_params(optimizer__beta_1=0.7, optimizer__beta_2=0.5)
    assert classifier.get_params()["optimizer__beta_1"] == 0.8
    assert "optimizer__beta_2" not in classifier.get_params()
    assert "optimizer__beta_2" in cloned.get_params()


def test_clone_keeps_metadata_requests(make_small):
    from sklearn import config_context

    with config_context(enable_metadata_routing=True):
        classifier = make_small().set_params(optimizer__beta_1=0.8)
        classifier.set_fit_request(sample_weight=True)
        requests = clone(classifier).get_metadata_routing().fit.requests
    assert requests["sample_weight"] is True


def test_another_optimizer_forgets_what_was_routed_to_the_last(make_small, digits):
    classifier = make_small(optimizer="sgd").set_params(
        optimizer__momentum=0.9, architecture__width=8
    )
    classifier.set_params(optimizer="sgd", architecture=small_network)  # the same ones
    assert classifier.get_params()["optimizer__momentum"] == 0.9
    classifier.set_params(optimizer="adam")
    assert "optimizer__momentum" not in classifier.get_params()
    assert classifier.get_params()["architecture__width"] == 8
    classifier.set_params(optimizer="sgd", optimizer__momentum=0.5).fit(*digits)
    assert classifier.get_params()["optimizer__momentum"] == 0.5


def test_scikeras_names_of_own_parameters(make_small):
    classifier = make_small().set_params(
        optimizer__learning_rate=0.1, optimizer__weight_decay=0.2, architecture__dropout=0.3
    )
    assert (classifier.learning_rate, classifier.weight_decay, classifier.dropout) == (
        0.1,
        0.2,
        0.3,
    )


def test_through_a_pipeline(make_small):
    pipeline = make_pipeline(make_small())
    pipeline.set_params(fashioncnnclassifier__optimizer__beta_1=0.5)
    assert clone(pipeline).get_params()["fashioncnnclassifier__optimizer__beta_1"] == 0.5


def test_they_matter(make_small, digits):
    def predict(**routed):
        classifier = make_small(optimizer="sgd", learning_rate=0.1).set_params(**routed)
        return classifier.fit(*digits).predict_proba(digits[0])

    plain = predict()
    for routed in (
        {"optimizer__momentum": 0.9},
        {"optimizer__clipnorm": 0.01},
        {"optimizer__use_ema": True, "optimizer__ema_momentum": 0.5},
        {"architecture__width": 8},
    ):
        assert (predict(**routed) != plain).any()


def test_averaged_weights(make_small, digits):
    """Weights averaged over nearly all steps hardly leave where they started."""
    parameters = {"optimizer__use_ema": True, "optimizer__ema_momentum": 0.9999}
    start = make_small(learning_rate=1e-12).fit(*digits).weights_[0]
    moved = make_small().fit(*digits).weights_[0]
    averaged = make_small().set_params(**parameters).fit(*digits).weights_[0]
    assert np.abs(averaged - start).max() < 0.1 * np.abs(moved - start).max() + 0.01


@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.SGD, keras.optimizers.SGD(0.1), keras.optimizers.SGD()]
)
def test_optimizer_classes_and_instances(optimizer, make_small, digits):
    """However SGD is asked for, it is the same SGD, and the one given stays untouched."""
    X, y = digits
    by_name = make_small(optimizer="sgd", learning_rate=0.1).set_params(optimizer__momentum=0.9)
    classifier = make_small(optimizer=optimizer, learning_rate=0.1)
    classifier.set_params(optimizer__momentum=0.9)
    np.testing.assert_array_equal(
        clone(classifier).fit(X, y).predict_proba(X), by_name.fit(X, y).predict_proba(X)
    )
    assert classifier.optimizer is optimizer
    if isinstance(optimizer, keras.optimizers.Optimizer):
        assert not optimizer.built
        assert int(optimizer.iterations) == 0


def test_averaged_weights_are_what_is_validated(make_small, digits):
    X, y = digits
    parameters = {"optimizer__use_ema": True, "optimizer__ema_momentum": 0.9}
    for early_stopping in (False, True):
        classifier = make_small(epochs=6, early_stopping=early_stopping).set_params(**parameters)
        classifier.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
        accuracy = classifier.history_["val_accuracy"][classifier.best_epoch_ - 1]
        assert classifier.score(X[200:], y[200:]) == pytest.approx(accuracy)


def test_loss_scale_makes_no_difference(make_small, digits):
    losses = [
        make_small(optimizer="sgd", learning_rate=0.1)
        .set_params(**routed)
        .fit(*digits)
        .history_["loss"][-1]
        for routed in ({}, {"optimizer__loss_scale_factor": 1024.0})
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


class NamesNothing(keras.optimizers.SGD):
    """Hands all arguments on, as Keras' own example of an optimizer does."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)


class NamesSome(keras.optimizers.SGD):
    """Has an argument without default."""

    def __init__(self, learning_rate, momentum=0.5, **kwargs):
        super().__init__(learning_rate, momentum=momentum, **kwargs)


class FromScratch(keras.optimizers.Optimizer):
    """As in Keras' documentation."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, learning_rate * gradient)


def test_optimizer_from_scratch(make_small, digits):
    classifier = make_small(optimizer=FromScratch, learning_rate=0.1)
    by_name = make_small(optimizer="sgd", learning_rate=0.1)
    np.testing.assert_allclose(
        classifier.set_params(optimizer__clipnorm=1.0).fit(*digits).predict_proba(digits[0]),
        by_name.set_params(optimizer__clipnorm=1.0).fit(*digits).predict_proba(digits[0]),
        atol=1e-4,
    )


@pytest.mark.parametrize("optimizer", [NamesNothing, NamesSome])
def test_own_optimizers(optimizer, make_small, digits):
    for given in (optimizer, optimizer(learning_rate=0.1)):
        classifier = make_small(optimizer=given, learning_rate=0.1)
        assert classifier.set_params(optimizer__clipnorm=1.0).fit(*digits).n_epochs_ == 2
        assert classifier.set_params(optimizer__momentum=0.9).fit(*digits).n_epochs_ == 2


def test_redefined_optimizer_is_another(make_small, digits):
    def define(factor):
        class Mine(keras.optimizers.SGD):
            def update_step(self, gradient, variable, learning_rate):
                super().update_step(gradient, variable, factor * learning_rate)

        return Mine

    first, second = (
        make_small(optimizer=define(factor)).fit(*digits).predict_proba(digits[0])
        for factor in (1, 50)
    )
    assert (first != second).any()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, 5e-3),
        ({"optimizer": "sgd"}, 5e-3),
        ({"optimizer": keras.optimizers.Adam}, 5e-3),
        ({"optimizer": keras.optimizers.Adam()}, 1e-3),
        ({"optimizer": keras.optimizers.SGD(0.1)}, 0.1),
        ({"optimizer": keras.optimizers.SGD(0.1), "learning_rate": 0.2}, 0.2),
    ],
)
def test_whose_learning_rate(parameters, expected, make_small, digits):
    classifier = make_small(schedule=None, **parameters).fit(*digits)
    assert classifier.history_["learning_rate"] == pytest.approx([expected, expected])


def test_weight_decay_of_an_instance(make_small, digits):
    def predict(**parameters):
        return make_small(**parameters).fit(*digits).predict_proba(digits[0])

    adamw = keras.optimizers.AdamW(5e-3, weight_decay=0.3)
    np.testing.assert_allclose(predict(optimizer=adamw), predict(weight_decay=0.3), atol=1e-4)
    np.testing.assert_allclose(predict(optimizer=adamw, weight_decay=0.0), predict(), atol=1e-4)


def test_any_keras_optimizer(make_small, digits):
    for name in ("adagrad", "lion", "nadam", "rmsprop"):
        assert make_small(optimizer=name, learning_rate=1e-3).fit(*digits).n_epochs_ == 2


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            {"optimizer": keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9))},
            ValueError,
            "has a learning rate schedule of its own",
        ),
        ({"optimizer": 3}, ValueError, "'optimizer' parameter"),
        ({"optimizer": "lossscaleoptimizer"}, ValueError, "optimizer must be a Keras optimizer"),
        ({"optimizer": keras.layers.Dense}, ValueError, "'optimizer' parameter"),
        ({"optimizer__momentum": 0.9}, ValueError, "parameter of optimizer AdamW 'momentum'"),
        ({"optimizer__beta1": 0.9}, ValueError, "Did you mean 'beta_1'"),
        ({"architecture__depth": 3}, TypeError, r"cannot be called with \(.*, depth\)"),
        (
            {"architecture": "small", "architecture__depth": 3},
            TypeError,
            "has no option 'depth'; it has: dropout, width",
        ),
        ({"architecture__width": [8]}, TypeError, "options of architecture must be hashable"),
        (
            {"callbacks__patience": 3},
            ValueError,
            "callbacks__patience is for callbacks that are given as classes",
        ),
        (
            {"callbacks": CountEpochs, "callbacks__limits": 3},
            ValueError,
            "Did you mean 'limit'",
        ),
        (
            {"callbacks": CountEpochs(), "callbacks__limit": 3},
            ValueError,
            "given as classes, and there is none",
        ),
        ({"callbacks": 3}, ValueError, "'callbacks' parameter"),
        ({"callbacks": [keras.layers.Dense]}, TypeError, "must be Keras callbacks"),
    ],
)
def test_wrong_parameters(parameters, error, message, make_small, digits):
    classifier = make_small().set_params(**parameters)
    with pytest.raises(error, match=message):
        classifier.fit(*digits)


def test_no_such_owner(make_small):
    with pytest.raises(ValueError, match="Invalid parameter 'model'"):
        make_small().set_params(model__width=3)
    with pytest.raises(TypeError, match="optimizer__momentum"):
        FashionCNNClassifier(optimizer__momentum=0.9)


def test_callback_classes(make_small, digits):
    for callbacks, routed in (
        (CountEpochs, {"callbacks__limit": 3}),
        ([CountEpochs, keras.callbacks.TerminateOnNaN], {"callbacks__limit": 3}),
        ([keras.callbacks.TerminateOnNaN(), CountEpochs], {"callbacks__1__limit": 3}),
        ([CountEpochs, CountEpochs], {"callbacks__limit": 9, "callbacks__0__limit": 3}),
    ):
        classifier = make_small(callbacks=callbacks, epochs=5).set_params(**routed)
        assert clone(classifier).fit(*digits).n_epochs_ == 3


def test_callback_instances_are_never_shared_nor_changed(make_small, digits):
    callback = CountEpochs(limit=3)
    classifier = make_small(callbacks=[callback], epochs=5)
    cloned = clone(classifier)
    assert cloned.callbacks[0] is not callback
    for _ in range(2):  # a callback that remembered would stop earlier
        assert classifier.fit(*digits).n_epochs_ == 3
        assert cloned.fit(*digits).n_epochs_ == 3
    assert classifier.callbacks[0] is callback
    assert callback.epochs == cloned.callbacks[0].epochs == 0
