"""Data sets: a bundled sample, Fashion-MNIST, and files in the published formats."""

from skfashion.datasets._csv import read_image_csv
from skfashion.datasets._fashion_mnist import fetch_fashion_mnist, find_fashion_mnist
from skfashion.datasets._folder import read_image, read_image_folder
from skfashion.datasets._idx import read_idx
from skfashion.datasets._sample import load_fashion_sample

__all__ = [
    "fetch_fashion_mnist",
    "find_fashion_mnist",
    "load_fashion_sample",
    "read_idx",
    "read_image",
    "read_image_csv",
    "read_image_folder",
]
