"""Training: from a plan, images and an earlier state to a trained state.

``loop.fit(plan, data, state)`` is the way in. Modules that import Keras are imported when something
is fitted or predicted, never by this package itself.
"""
