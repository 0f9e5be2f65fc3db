"""Folders of pictures."""

import io
import subprocess
import zlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

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


def test_own_size(tmp_path):
    Image.new("RGB", (30, 20), (255, 0, 0)).save(tmp_path / "red.png")
    assert read_image(tmp_path / "red.png", image_shape=None).shape == (20, 30)
    assert read_image(tmp_path / "red.png", image_shape=None, color=True)[0, 0].tolist() == [
        *(255, 0, 0)
    ]


@pytest.mark.parametrize("form", ["EPS", "TIFF", "PPM"])
def test_other_formats_are_refused_by_content(tmp_path, monkeypatch, form):
    """Pillow would start Ghostscript for EPS."""

    def refuse(*arguments, **options):
        raise AssertionError(f"a process was started: {arguments}")

    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    Image.new("RGB", (50, 50), "red").save(tmp_path / "x.png", format=form)
    message = r"x\.png is not a picture that can be decoded: only PNG, JPEG, WebP, BMP, GIF "
    with pytest.raises(DatasetError, match=message):
        read_image(tmp_path / "x.png")


def png_with_text(n_bytes):
    picture = io.BytesIO()
    Image.new("L", (8, 8)).save(picture, format="PNG")
    content = b"zTXtcomment\0\0" + zlib.compress(bytes(n_bytes))
    chunk = (len(content) - 4).to_bytes(4, "big") + content + zlib.crc32(content).to_bytes(4, "big")
    return picture.getvalue()[:33] + chunk + picture.getvalue()[33:]  # behind the header


def test_text_that_is_a_bomb(tmp_path):
    (tmp_path / "fine.png").write_bytes(png_with_text(2**10))
    assert read_image(tmp_path / "fine.png").max() == 0
    (tmp_path / "bomb.png").write_bytes(png_with_text(2**24))
    with pytest.raises(DatasetError, match=r"bomb\.png is not a picture .*too large"):
        read_image(tmp_path / "bomb.png")


@pytest.mark.parametrize("share", [0.9, 0.4])  # Pillow warns of the first and refuses the second
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WebP", "BMP", "GIF"])
def test_too_many_pixels(tmp_path, monkeypatch, form, share):
    Image.new("L", (100, 100)).save(tmp_path / "a", format=form)
    read_image(tmp_path / "a")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(share * 10_000))
    with pytest.raises(DatasetError, match="could be decompression bomb"):
        read_image(tmp_path / "a")


def test_bad_arguments(folder):
    with pytest.raises(ValueError, match="image_shape must be"):
        read_image_folder(folder, image_shape=(28, 0))
    with pytest.raises(ValueError, match=r"colour is color=True"):
        read_image_folder(folder, image_shape=(28, 28, 3))
    with pytest.raises(FileNotFoundError, match="No picture"):
        read_image(folder / "none.png")
