"""Folders of pictures."""

import numpy as np
import pytest
from PIL import Image

from skfashion.datasets import load_fashion_sample, read_image, read_image_folder
from skfashion.errors import DatasetError


@pytest.fixture
def folder(tmp_path):
    """Two classes of three pictures in Fashion-MNIST's size, beside files that are none."""
    sample = load_fashion_sample()
    for name, label in (("boot", 9), ("shirt", 0)):
        (tmp_path / name).mkdir()
        for i, image in enumerate(sample.images[sample.target == label][:3]):
            Image.fromarray(image).save(tmp_path / name / f"{i}.png")
    (tmp_path / "shirt" / "notes.txt").write_text("not a picture")
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_pictures_come_back_pixel_by_pixel(folder):
    sample = load_fashion_sample()
    found = read_image_folder(folder)
    assert found.target_names == ["boot", "shirt"]
    np.testing.assert_array_equal(found.target, [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(found.images[:3], sample.images[sample.target == 9][:3])
    np.testing.assert_array_equal(found.data, found.images.reshape(6, 784))
    assert found.images.dtype == np.uint8
    assert found.filenames[3] == str(folder / "shirt" / "0.png")


def test_colour_and_size(folder):
    found = read_image_folder(folder, image_shape=(14, 20), color=True)
    assert found.images.shape == (6, 14, 20, 3)
    assert found.data.shape == (6, 840)


def test_invert(folder):
    plain, inverted = (read_image_folder(folder, invert=invert) for invert in (False, True))
    np.testing.assert_array_equal(inverted.images, 255 - plain.images)


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "JPG", "webp", "bmp", "gif"])
def test_formats(tmp_path, suffix):
    (tmp_path / "a").mkdir()
    Image.new("RGB", (50, 50), (200, 200, 200)).save(tmp_path / "a" / f"x.{suffix}")
    found = read_image_folder(tmp_path)
    np.testing.assert_allclose(found.images, 200, atol=2)


@pytest.mark.parametrize("invert", [False, True])
def test_proportions_are_kept_on_black(tmp_path, invert):
    Image.new("L", (100, 50), 0 if invert else 255).save(tmp_path / "wide.png")
    image = read_image(tmp_path / "wide.png", invert=invert)
    np.testing.assert_array_equal(image[7:21], 255)
    np.testing.assert_array_equal(image[:7], 0)
    np.testing.assert_array_equal(image[21:], 0)


@pytest.mark.parametrize("invert", [False, True])
def test_transparent_pixels_are_background(tmp_path, invert):
    picture = Image.new("RGBA", (28, 28), (120, 130, 140, 0))
    picture.save(tmp_path / "clear.png")
    np.testing.assert_array_equal(read_image(tmp_path / "clear.png", invert=invert), 0)


def test_sixteen_bits(tmp_path):
    values = np.linspace(0, 65535, 28 * 28).reshape(28, 28).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), values // 256)


def test_photos_are_turned_as_the_camera_says(tmp_path):
    picture = Image.new("L", (40, 40), 0)
    picture.paste(255, (0, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    picture.save(tmp_path / "photo.png", exif=exif)
    image = read_image(tmp_path / "photo.png")
    assert image[2].max() == 0
    assert image[-3].min() == 255


def test_no_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match="No folder"):
        read_image_folder(tmp_path / "missing")
    with pytest.raises(DatasetError, match="holds no folders; it must hold one for each class"):
        read_image_folder(tmp_path)
    (tmp_path / "hat").mkdir()
    with pytest.raises(DatasetError, match="hat holds no pictures"):
        read_image_folder(tmp_path)


@pytest.mark.parametrize("damage", ["not a picture", "half a picture"])
def test_picture_that_does_not_decode_is_named(folder, damage):
    path = folder / "shirt" / "1.png"
    path.write_bytes(b"hello" if damage == "not a picture" else path.read_bytes()[:150])
    with pytest.raises(DatasetError, match=r"1\.png is not a picture that can be decoded"):
        read_image_folder(folder)


def test_bad_arguments(folder):
    with pytest.raises(ValueError, match="image_shape must be"):
        read_image_folder(folder, image_shape=(28, 0))
    with pytest.raises(ValueError, match=r"colour is color=True"):
        read_image_folder(folder, image_shape=(28, 28, 3))
    with pytest.raises(FileNotFoundError, match="No picture"):
        read_image(folder / "none.png")
