"""Compiled steps, in TensorFlow.

Keras' own ``train_on_batch`` costs 5 to 15 percent more on small networks, because it resets
metrics and copies results at every step.
"""

import keras
import tensorflow as tf

from skfashion._utils.process import check_backend

__all__ = ["differentiate", "make_prediction_step", "make_training_step"]

check_backend(keras.backend.backend())


def make_training_step(network, optimizer, decay_weights=None):
    """Compile ``(images, targets, weights) -> (loss, n_correct)``.

    ``decay_weights``, if given, is called before each update.
    """
    images = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)
    targets = tf.TensorSpec((None, *network.output_shape[1:]), tf.float32)
    weights = tf.TensorSpec((None,), tf.float32)

    # Plain Python inside: nothing for AutoGraph to convert. XLA's convolutions are 2 to 4 times
    # slower than oneDNN's on a CPU.
    @tf.function(input_signature=(images, targets, weights), autograph=False, jit_compile=False)
    def train(images, targets, weights):
        with tf.GradientTape() as tape:
            probabilities = network(images, training=True)
            losses = keras.losses.categorical_crossentropy(targets, probabilities)
            loss = tf.reduce_mean(losses * weights)
            if network.losses:
                loss += tf.add_n(network.losses)
            scaled_loss = optimizer.scale_loss(loss)
        variables = network.trainable_variables
        gradients = tape.gradient(scaled_loss, variables)
        if decay_weights is not None:
            decay_weights()
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        hits = tf.equal(tf.argmax(probabilities, -1), tf.argmax(targets, -1))
        return tf.stack([loss, tf.reduce_sum(tf.cast(hits, tf.float32))])

    return _compile_when_used(train)


def make_prediction_step(model):
    """Compile ``images -> output``."""
    images = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)

    @tf.function(input_signature=(images,), autograph=False, jit_compile=False)
    def predict(images):
        return model(images, training=False)

    return _compile_when_used(predict)


def differentiate(model, score, images):
    """Return the derivative of a score by the first of a model's two outputs.

    Parameters
    ----------
    model : keras.Model
    score : callable
        Takes the second output, and returns numbers whose sum is differentiated.
    images : ndarray
        Input of the model.

    Returns
    -------
    derivative : ndarray
        Of the shape of the first output; 0 where the score does not depend on it.
    """
    images = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(images)  # so that layers before the first weights are differentiated too
        first, second = model(images, training=False)
        total = tf.reduce_sum(score(second))
    return tape.gradient(total, first, unconnected_gradients="zero").numpy()


def _compile_when_used(function):
    """Call the one concrete function, for TensorFlow warns where many functions trace alike."""
    concrete = None

    def step(*arrays):
        nonlocal concrete
        if concrete is None:
            concrete = function.get_concrete_function()
        return concrete(*arrays).numpy()

    return step
