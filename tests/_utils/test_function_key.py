"""Functions that are one although they are several objects."""

from functools import partial

import cloudpickle

from skfashion._utils.identity import describe, function_key


def copied(value):
    """As a worker process gets it, when the function is of a script."""
    return cloudpickle.loads(cloudpickle.dumps(value))


def define(source, **names):
    """A function ``build`` of a script with this source."""
    namespace = {"__name__": "__main__", **names}
    exec(source, namespace)
    return namespace["build"]


SCRIPT = """
import math

def helper(n):
    return n + WIDTH

def build(shape, n, *, option=3):
    def inner():
        return helper(math.floor(n))
    return inner() + option
"""


def test_copies_have_one_key():
    build = define(SCRIPT, WIDTH=4)
    assert copied(build) is not build
    assert function_key(copied(build)) == function_key(build)
    assert function_key(define(SCRIPT, WIDTH=4)) == function_key(build)
    assert hash(function_key(copied(build))) == hash(function_key(build))


def test_every_difference_is_another_key():
    """In its own code, its defaults, what it calls, and what that refers to."""
    keys = {
        function_key(define(SCRIPT, WIDTH=4)),
        function_key(define(SCRIPT, WIDTH=5)),
        function_key(define(SCRIPT.replace("n + W", "n * W"), WIDTH=4)),
        function_key(define(SCRIPT.replace("option=3", "option=4"), WIDTH=4)),
        function_key(define(SCRIPT.replace("floor", "ceil"), WIDTH=4)),
        function_key(define(SCRIPT.replace("() + option", "() - option"), WIDTH=4)),
    }
    assert len(keys) == 6


def test_closures():
    def make(width):
        def build(shape, n):
            return width

        return build

    assert function_key(copied(make(3))) == function_key(make(3))
    assert function_key(make(3)) != function_key(make(4))


def test_functions_that_call_themselves():
    source = "def build(shape, n):\n    return build(shape, n - 1) if n else WIDTH"
    assert function_key(define(source, WIDTH=1)) == function_key(define(source, WIDTH=1))
    assert function_key(define(source, WIDTH=1)) != function_key(define(source, WIDTH=2))


def test_what_cannot_be_compared_stays_itself():
    source = "def build(shape, n):\n    return WEIGHTS"
    build = define(source, WEIGHTS=[1, 2])
    assert function_key(build) is build
    method = partial(build, 3)
    assert function_key(method) is method


def test_functions_that_a_library_decorates():
    source = """
from contextlib import contextmanager

@contextmanager
def build(shape, n):
    yield WIDTH
"""
    assert function_key(define(source, WIDTH=1)) == function_key(define(source, WIDTH=1))
    assert function_key(define(source, WIDTH=1)) != function_key(define(source, WIDTH=2))
    assert describe(define(source, WIDTH=1)) != describe(define(source, WIDTH=2))
