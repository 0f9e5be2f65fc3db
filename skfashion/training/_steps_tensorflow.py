"""Compiled steps for the TensorFlow backend.

Keras' own ``train_on_batch`` costs 5 to 15 percent more on small networks, because it resets
metrics and copies results at every step.
"""

from functools import cache

import keras
import tensorflow as tf

__all__ = ["make_steps"]


def make_steps(network, optimizer, decay_weights=None):
    """Compile a training and a prediction step; see :class:`skfashion.training.engine.Engine`.

    ``decay_weights``, if given, is called before each update.
    """
    images = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)
    targets = tf.TensorSpec((None, *network.output_shape[1:]), tf.float32)
    weights = tf.TensorSpec((None,), tf.float32)

    # Plain Python inside: nothing for AutoGraph to convert. XLA's convolutions are 2 to 4 times
    # slower than oneDNN's on a CPU. Concrete functions, traced when first used, because TensorFlow
    # warns of retracing where several networks each trace a function of this name.
    @tf.function(input_signature=(images, targets, weights), autograph=False, jit_compile=False)
    def train(images, targets, weights):
        with tf.GradientTape() as tape:
            probabilities = network(images, training=True)
            losses = keras.losses.categorical_crossentropy(targets, probabilities)
            loss = tf.reduce_mean(losses * weights)
            if network.losses:
                loss += tf.add_n(network.losses)
        variables = network.trainable_variables
        gradients = tape.gradient(loss, variables)
        if decay_weights is not None:
            decay_weights()
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        hits = tf.equal(tf.argmax(probabilities, -1), tf.argmax(targets, -1))
        return tf.stack([loss, tf.reduce_sum(tf.cast(hits, tf.float32))])

    @tf.function(input_signature=(images,), autograph=False, jit_compile=False)
    def predict(images):
        return network(images, training=False)

    @cache
    def concrete(function):
        return function.get_concrete_function()

    def train_step(images, targets, weights):
        loss, n_correct = concrete(train)(images, targets, weights).numpy()
        return loss, n_correct

    def predict_step(images):
        return concrete(predict)(images).numpy()

    return train_step, predict_step
