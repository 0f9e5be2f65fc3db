"""How a network learns: compiled engines, batches, schedules, progress.

Importing this package imports Keras.
"""
