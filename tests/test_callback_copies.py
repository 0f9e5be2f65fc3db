"""Fits and clones copy callbacks, and share what is the user's own."""

import copy
import logging
import pickle
import threading
import time
from collections import Counter, defaultdict, deque, namedtuple
from functools import partial
from unittest.mock import MagicMock

import cloudpickle
import keras
import numpy as np
import optuna
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skfashion._utils.callback_copies import copy_callbacks

Figures = namedtuple("Figures", ["losses", "accuracies"])


class Holder(keras.callbacks.Callback):
    """A callback with attributes as given."""

    def __init__(self, **attributes):
        super().__init__()
        vars(self).update(attributes)


class Losses(keras.callbacks.Callback):
    """Counts epochs and keeps their losses in one list that has two names, and in containers."""

    def __init__(self, journal=None):
        super().__init__()
        self.n_epochs = 0
        self.losses = self.same_losses = []
        self.by_epoch = defaultdict(list)
        self.newest = deque(maxlen=1)
        self.journal = journal
        self.note_loss = self.note

    def note(self, loss):
        self.n_epochs += 1
        self.losses.append(loss)

    def on_epoch_end(self, epoch, logs=None):
        self.note_loss(logs["loss"])
        self.by_epoch[epoch].append(logs["loss"])
        self.newest.append(logs["loss"])
        if self.journal is not None:
            self.journal.record(self, epoch)


class Journal:
    """A user's own object: which copy ended which epoch."""

    def __init__(self):
        self.records = []

    def record(self, callback, epoch):
        self.records.append((callback, epoch))

    def get_copies(self):
        return list({id(callback): callback for callback, _ in self.records}.values())


def assert_unused(callback):
    assert callback.n_epochs == 0
    assert callback.losses == []
    assert not callback.by_epoch
    assert not callback.newest
    assert callback.model is None


def assert_used(callback, n_epochs):
    assert callback.n_epochs == n_epochs
    assert len(callback.losses) == n_epochs
    assert callback.same_losses is callback.losses
    assert list(callback.by_epoch) == list(range(n_epochs))
    assert list(callback.newest) == callback.losses[-1:]


@pytest.fixture
def fit(make_tiny, digits):
    def fit(callbacks, **parameters):
        return make_tiny(callbacks=callbacks).set_params(**parameters).fit(*digits)

    return fit


def copy_value(value):
    return copy_callbacks(Holder(value=value)).value


class TestCopies:
    @pytest.mark.parametrize(
        "value",
        [
            [1, [2]],
            {"a": [1]},
            {1, 2},
            (1, [2]),
            Figures([1], [2]),
            deque([1, [2]], maxlen=2),
            defaultdict(list, a=[1]),
            Counter(a=2),
            np.arange(3),
            bytearray(b"ab"),
            [({"a": deque([(1, [2])])},)],
        ],
        ids=repr,
    )
    def test_containers_are_new(self, value):
        copied = copy_value(value)
        assert type(copied) is type(value)
        assert copied is not value
        np.testing.assert_equal(copied, value)
        if isinstance(value, deque):
            assert copied.maxlen == value.maxlen

    def test_containers_are_new_at_every_depth(self):
        innermost = []
        copied = copy_value([({"a": deque([Figures((innermost,), 1)])},)])
        copied[0][0]["a"][0].losses[0].append(3)
        assert innermost == []

    @pytest.mark.parametrize(
        "make",
        [
            threading.Lock,
            object,
            Journal,
            MagicMock,
            time.localtime,
            optuna.create_study,
            lambda: optuna.create_study().ask(),
            lambda: logging.getLogger("test"),
            lambda: (1, "a"),
            lambda: Losses,
            lambda: keras.Sequential(),
        ],
    )
    def test_everything_else_is_the_same_object(self, make):
        value = make()
        assert copy_value(value) is value
        assert copy_value([value])[0] is value

    def test_open_file(self, tmp_path):
        with (tmp_path / "log").open("w") as file:
            assert copy_value(file) is file

    def test_a_callback_inside_a_callback(self):
        inner = Losses()
        for copied in (copy_value(inner), copy_value([inner])[0]):
            assert copied is not inner
            copied.note(1.0)
        assert_unused(inner)

    def test_callbacks_that_hold_each_other(self):
        one, other = Holder(), Holder()
        one.other, other.other = other, one
        copied = copy_callbacks([one])[0]
        assert copied is not one
        assert copied.other is not other
        assert copied.other.other is copied

    def test_a_list_that_holds_itself(self):
        values = []
        values.append(values)
        copied = copy_value(values)
        assert copied is not values
        assert copied[0] is copied

    def test_what_callbacks_have_in_common(self):
        shared = []
        one, other = copy_callbacks([Holder(value=shared), Holder(value=[shared])])
        assert one.value is other.value[0]
        assert one.value is not shared

    @pytest.mark.parametrize("owner_first", [True, False])
    def test_method_of_another_callback(self, owner_first):
        owner = Losses()
        holder = Holder(note=owner.note)
        copies = copy_callbacks([owner, holder] if owner_first else [holder, owner])
        copied_owner, copied_holder = copies if owner_first else copies[::-1]
        copied_holder.note(1.0)
        assert copied_owner.losses == [1.0]
        assert_unused(owner)

    def test_method_of_what_is_the_users(self):
        journal = Journal()
        copy_value(journal.record)("callback", 1)
        assert journal.records == [("callback", 1)]

    @pytest.mark.parametrize("kind", [list, tuple])
    def test_type_of_the_sequence_stays(self, kind):
        assert type(copy_callbacks(kind([Losses(), Losses]))) is kind

    def test_nothing(self):
        assert copy_callbacks(None) is None


class TestFits:
    def test_attributes_of_the_copies(self, fit):
        journal = Journal()
        callback = Losses(journal)
        classifier = fit([callback])
        made = classifier.callbacks_[0]
        assert made is not callback
        assert made.journal is journal
        assert journal.get_copies() == [made]
        assert classifier.callbacks[0] is callback
        assert_used(made, 2)
        assert_unused(callback)

    def test_each_fit_begins_with_the_instance_that_was_given(self, fit, digits):
        journal = Journal()
        callback = Losses(journal)
        classifier = fit(callback)
        classifier.fit(*digits)
        first, second = journal.get_copies()
        assert first is not second
        assert classifier.callbacks_ == [second]
        assert_used(second, 2)
        assert_unused(callback)

    def test_partial_fit(self, fit, digits):
        classifier = fit(Losses())
        classifier.partial_fit(*digits)
        made = classifier.callbacks_[0]
        assert (made.n_epochs, list(made.by_epoch)) == (1, [2])

    def test_two_callbacks_with_one_list(self, fit):
        one, other = Losses(), Losses()
        other.losses = other.same_losses = one.losses
        made, made_other = fit([one, other]).callbacks_
        assert made.losses is made_other.losses
        assert len(made.losses) == 4
        assert one.losses == []

    def test_no_live_model_is_kept(self, fit):
        class Outer(keras.callbacks.Callback):
            def __init__(self):
                super().__init__()
                self.inner, self.inners = Losses(), [Losses(), self]

            def set_model(self, model):
                super().set_model(model)
                for callback in (self.inner, self.inners[0]):
                    callback.set_model(model)

            def on_train_begin(self, logs=None):
                self.history = self.model.history
                assert self.inner.model is self.inners[0].model is self.model

        made = fit(Outer()).callbacks_[0]
        for callback in (made, made.inner, made.inners[0], made.history):
            assert callback.model is None

    def test_no_callbacks(self, fit):
        assert fit(None).callbacks_ == []

    def test_classes_with_parameters(self, fit):
        callbacks = [keras.callbacks.EarlyStopping, Losses]
        classifier = fit(callbacks, callbacks__monitor="loss", callbacks__0__patience=1)
        stopping, losses = classifier.callbacks_
        assert (stopping.monitor, stopping.patience) == ("loss", 1)
        assert_used(losses, 2)
        cloned = clone(classifier)
        assert cloned.callbacks == callbacks
        assert cloned.get_params()["callbacks__0__patience"] == 1


class TestOtherEstimators:
    @pytest.mark.parametrize("wrap", [lambda c: c, lambda c: [c], lambda c: (c,)])
    def test_clone(self, wrap, make_tiny):
        callback = Losses(Journal())
        callback.lock = threading.Lock()
        cloned = clone(make_tiny(callbacks=wrap(callback))).callbacks
        assert type(cloned) is type(wrap(callback))
        if not isinstance(cloned, Losses):
            cloned = cloned[0]
        assert cloned is not callback
        assert cloned.losses is not callback.losses
        assert cloned.lock is callback.lock
        assert cloned.journal is callback.journal
        cloned.note_loss(1.0)
        assert_unused(callback)

    def test_clone_of_a_fitted_one(self, fit):
        cloned = clone(fit(Losses()))
        assert not hasattr(cloned, "callbacks_")
        assert_unused(cloned.callbacks)

    def test_grid_search(self, make_tiny, digits):
        journal = Journal()
        callback = Losses(journal)
        callback.lock = threading.Lock()
        search = GridSearchCV(make_tiny(callbacks=callback), {"epochs": [1, 2]}, cv=2)
        search.fit(*digits)
        copies = journal.get_copies()
        assert len(copies) == 5
        for made in copies:
            assert made.lock is callback.lock
            assert_used(made, made.n_epochs)
        assert_unused(callback)
        assert search.best_estimator_.callbacks_ == [copies[-1]]

    def test_cross_validate(self, make_tiny, digits):
        journal = Journal()
        classifier = make_tiny(callbacks=Losses(journal))
        results = cross_validate(classifier, *digits, cv=2, return_estimator=True)
        for estimator, made in zip(results["estimator"], journal.get_copies(), strict=True):
            assert estimator.callbacks_ == [made]
            assert_used(made, 2)
        assert_unused(classifier.callbacks)

    def test_pipeline(self, make_tiny, digits):
        journal = Journal()
        callback = Losses(journal)
        pipeline = clone(make_pipeline(FunctionTransformer(), make_tiny(callbacks=callback)))
        pipeline.fit(*digits)
        assert pipeline[-1].callbacks_ == journal.get_copies()
        assert_used(pipeline[-1].callbacks_[0], 2)
        assert_unused(callback)

    @pytest.mark.slow  # starts two processes
    def test_worker_processes(self, make_tiny, digits, tmp_path):
        callback = keras.callbacks.CSVLogger(tmp_path / "log.csv")
        results = cross_validate(
            make_tiny(callbacks=callback, epochs=1),
            *digits,
            cv=2,
            n_jobs=2,
            return_estimator=True,
            error_score="raise",
        )
        assert [estimator.n_epochs_ for estimator in results["estimator"]] == [1, 1]


class TestPickles:
    @pytest.mark.parametrize("wrap", [lambda c: c, lambda c: [c], lambda c: (c, Losses)])
    def test_lambdas(self, wrap, fit, digits):
        callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(a=1))
        classifier = fit(wrap(callback))
        for loaded in (pickle.loads(pickle.dumps(classifier)), copy.deepcopy(classifier)):
            assert type(loaded.callbacks) is type(wrap(callback))
            assert len(loaded.callbacks_) == len(classifier.callbacks_)
            assert loaded.fit(*digits).history_["a"] == [1.0, 1.0]

    def test_classes_that_cannot_be_imported(self, make_tiny, digits):
        """Worker processes get them through cloudpickle, as all that is defined in a notebook."""

        class Local(Losses):
            pass

        loaded = cloudpickle.loads(cloudpickle.dumps(make_tiny(callbacks=[Local])))
        assert_used(loaded.fit(*digits).callbacks_[0], 2)

    def test_fitted(self, fit):
        classifier = fit([keras.callbacks.EarlyStopping("loss"), Losses()])
        stopping, losses = pickle.loads(pickle.dumps(classifier)).callbacks_
        assert stopping.best == min(losses.losses)
        assert_used(losses, 2)

    @pytest.mark.parametrize("kind", ["lock", "file"])
    def test_locks_and_open_files(self, kind, fit, digits, tmp_path):
        with (tmp_path / "log").open("w") as file:
            held = threading.Lock() if kind == "lock" else file
            classifier = fit([Losses(), Holder(held=held)])
            message = r"^callbacks\[1\], of class Holder, cannot be pickled: .* Set callbacks=None"
            with pytest.raises(TypeError, match=message):
                pickle.dumps(classifier)
            for copied in (copy.copy(classifier), clone(classifier)):
                assert copied.callbacks[1].held is held
                assert copied.fit(*digits).n_epochs_ == 2
            loaded = pickle.loads(pickle.dumps(classifier.set_params(callbacks=None)))
            np.testing.assert_array_equal(loaded.predict(digits[0]), classifier.predict(digits[0]))
            assert not hasattr(loaded, "callbacks_")

    @pytest.mark.parametrize("kind", ["CSVLogger", "TensorBoard"])
    def test_what_the_fit_opened(self, kind, fit, digits, tmp_path):
        """It is left out, and the instance that was given is there."""
        classifier = fit(getattr(keras.callbacks, kind)(tmp_path / "log"))
        loaded = pickle.loads(pickle.dumps(classifier))
        assert not hasattr(loaded, "callbacks_")
        np.testing.assert_array_equal(loaded.predict(digits[0]), classifier.predict(digits[0]))
        assert loaded.fit(*digits).n_epochs_ == 2

    def test_an_optuna_trial_in_memory(self, make_tiny):
        """Copies share it; a pickle holds its study."""
        trial = optuna.create_study().ask()
        loaded = pickle.loads(pickle.dumps(make_tiny(callbacks=Holder(trial=trial))))
        assert loaded.callbacks.trial.number == 0


def test_methods_of_containers_and_partial_functions_follow_the_copies():
    class Collector(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.values = []
            self.note = self.values.append
            self.note_one = partial(self.note_value, 1)

        def note_value(self, value):
            self.values.append(value)

    original = Collector()
    copied = copy_callbacks(original)
    copied.note(0)
    copied.note_one()
    assert copied.values == [0, 1]
    assert original.values == []
