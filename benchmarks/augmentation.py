"""What augmentation costs: ImageAugmenter and its peers, and an epoch with and without it.

* Images a second on 28x28 bytes and on 96x96 in colour, on one core and on two, with rotation by
  10 degrees, shift and zoom by 0.1, shear by 0.1 and mirroring: ours; Keras' layers, compiled, on
  batches of 256; Keras' old ImageDataGenerator; torchvision's v2 transforms and albumentations'
  Affine, image by image, for that is how they vary images one from the other;
* scipy's and Pillow's warp alone, at one fixed map: what OpenCV was chosen against;
* an epoch of "basic" on 60,000 images, with and without augmentation.

Every contender has a process of its own, and all are measured in turns, because the machine's
speed drifts. torchvision and albumentations are left out where they are not installed.

Run: python benchmarks/augmentation.py [--repeats 5] [--epochs 3]
"""

import argparse
import importlib.util
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow comes; the processes inherit it
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import numpy as np

SHEAR_DEGREES = np.degrees(np.arctan(0.1))
BATCH_SIZE = 256
SHAPES = {"28x28 bytes": (28, 28, 1), "96x96x3 bytes": (96, 96, 3)}
# Fewer images for those that take long; the rate is the same.
N_IMAGES = {"skfashion": 20_000, "Keras' layers": 20_000}


def make_skfashion(X):
    from skfashion.preprocessing import ImageAugmenter

    augmenter = ImageAugmenter(random_state=0)
    return lambda: augmenter.augment(X)


def make_keras_layers(X):
    import keras
    import tensorflow as tf

    layers = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(10 / 360, fill_mode="constant"),
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
            keras.layers.RandomZoom(0.1, fill_mode="constant"),
            keras.layers.RandomShear(0.1, 0.0, fill_mode="constant"),
        ]
    )
    vary = tf.function(lambda images: layers(images, training=True))
    images = X.astype(np.float32)
    return lambda: [vary(images[i : i + BATCH_SIZE]).numpy() for i in range(0, len(X), BATCH_SIZE)]


def make_image_data_generator(X):
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    generator = ImageDataGenerator(
        rotation_range=10,
        width_shift_range=0.1,
        height_shift_range=0.1,
        shear_range=SHEAR_DEGREES,
        zoom_range=0.1,
        horizontal_flip=True,
        fill_mode="constant",
    )
    batches = generator.flow(X, batch_size=BATCH_SIZE, shuffle=False)
    return lambda: [next(batches) for _ in range(0, len(X), BATCH_SIZE)]


def make_torchvision(X):
    import torch
    from torchvision.transforms import InterpolationMode, v2

    vary = v2.Compose(
        [
            v2.RandomAffine(
                10,
                translate=(0.1, 0.1),
                scale=(0.9, 1.1),
                shear=SHEAR_DEGREES,
                interpolation=InterpolationMode.BILINEAR,
            ),
            v2.RandomHorizontalFlip(),
        ]
    )
    images = torch.from_numpy(X.transpose(0, 3, 1, 2).copy())
    return lambda: torch.stack([vary(image) for image in images])


def make_albumentations(X):
    import albumentations

    vary = albumentations.Compose(
        [
            albumentations.Affine(
                rotate=(-10, 10),
                translate_percent=(-0.1, 0.1),
                scale=(0.9, 1.1),
                shear={"x": (-SHEAR_DEGREES, SHEAR_DEGREES), "y": 0},
                p=1,
            ),
            albumentations.HorizontalFlip(),
        ]
    )
    return lambda: np.stack([vary(image=image)["image"] for image in X])


def make_scipy(X):
    from scipy.ndimage import affine_transform

    matrix = np.array([[0.98, -0.17, 0], [0.17, 0.98, 0], [0, 0, 1]])
    return lambda: np.stack([affine_transform(image, matrix, order=1) for image in X])


def make_pillow(X):
    from PIL import Image

    matrix = (0.98, -0.17, 3, 0.17, 0.98, -2)

    def warp(image):
        picture = Image.fromarray(image.squeeze())
        return np.asarray(
            picture.transform(
                picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
            )
        )

    return lambda: np.stack([warp(image) for image in X])


PEERS = {
    "skfashion": make_skfashion,
    "Keras' layers": make_keras_layers,
    "ImageDataGenerator": make_image_data_generator,
    "torchvision v2": make_torchvision,
    "albumentations": make_albumentations,
    "warp alone: scipy": make_scipy,
    "warp alone: Pillow": make_pillow,
}
OPTIONAL = {"torchvision v2": "torchvision", "albumentations": "albumentations"}
_prepared: dict = {}  # in each process, by shape


def images_per_second(name, shape):
    """One measurement; the first call in a process prepares, and warms up."""
    if shape not in _prepared:
        from skfashion.datasets import load_fashion_sample

        height, width, channels = SHAPES[shape]
        grey = load_fashion_sample().images
        n_images = N_IMAGES.get(name, 2000) * 784 // (height * width * channels)
        images = np.resize(grey, (n_images, 28, 28))
        tiled = np.tile(images, (1, 4, 4))[:, :height, :width]
        X = np.repeat(tiled[..., None], channels, axis=-1)
        _prepared[shape] = PEERS[name](X), n_images
        _prepared[shape][0]()
    vary, n_images = _prepared[shape]
    started = time.perf_counter()
    vary()
    return n_images / (time.perf_counter() - started)


def compare_rates(names, n_cores, repeats):
    cores = sorted(os.sched_getaffinity(0))[:n_cores]
    context = multiprocessing.get_context("spawn")
    pools = {
        name: ProcessPoolExecutor(1, context, os.sched_setaffinity, (0, cores)) for name in names
    }
    print(f"{n_cores} core(s); images a second, mean and standard deviation, n {repeats}")
    for shape in SHAPES:
        rates: dict = {name: [] for name in names}
        for _ in range(1 + repeats):
            for name, pool in pools.items():
                rates[name].append(pool.submit(images_per_second, name, shape).result())
        ours = np.mean(rates["skfashion"][1:])
        for name, (_, *measured) in rates.items():
            mean, spread = np.mean(measured), np.std(measured, ddof=1)
            print(f"  {shape:14} {name:20} {mean:10,.0f} {spread:8,.0f}   {ours / mean:6.1f} x")
    for pool in pools.values():
        pool.shutdown()


def compare_epochs(repeats):
    from skfashion.datasets import fetch_fashion_mnist
    from skfashion.preprocessing import ImageAugmenter
    from skfashion.recipes import make_recipe

    X, y = fetch_fashion_mnist(return_X_y=True)
    contenders = {
        "as it is": {},
        "augmentation": {"augmentation": ImageAugmenter()},
        "mixup": {"mixup": 0.2},
        "cutmix": {"cutmix": 1.0},
    }
    seconds: dict = {name: [] for name in contenders}
    for repeat in range(1 + repeats):  # the first warms up, on few images
        part = slice(None if repeat else 6000)
        for name, parameters in contenders.items():
            network = make_recipe("basic", epochs=1, random_state=0, **parameters)
            started = time.perf_counter()
            network.fit(X[part], y[part])
            seconds[name].append(time.perf_counter() - started)
    print(f"an epoch of 60,000 images, seconds, n {repeats}")
    plain = np.array(seconds["as it is"][1:])
    for name, (_, *measured) in seconds.items():
        ratios = np.array(measured) / plain
        print(
            f"  {name:14} {np.mean(measured):6.1f} (sd {np.std(measured, ddof=1):.1f})   ratio of "
            f"means {np.mean(measured) / plain.mean():.3f}, of each turn "
            + " ".join(f"{ratio:.3f}" for ratio in ratios)
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3, help="0 leaves the epochs out")
    options = parser.parse_args()
    missing = [n for n, module in OPTIONAL.items() if importlib.util.find_spec(module) is None]
    print("not installed:", ", ".join(missing) or "none")
    names = [name for name in PEERS if name not in missing]
    for n_cores in (1, 2):
        compare_rates(names, n_cores, options.repeats)
    if options.epochs:
        compare_epochs(options.epochs)


if __name__ == "__main__":
    main()
