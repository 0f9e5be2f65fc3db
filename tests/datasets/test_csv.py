"""CSV files of images."""

import gzip

import numpy as np
import pandas as pd
import pytest

from skfashion.datasets import load_fashion_sample, read_image_csv
from skfashion.errors import DatasetError


def write(path, rows, header="label,pixel1,pixel2,pixel3,pixel4"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_kaggle_layout(tmp_path):
    sample = load_fashion_sample(subset="test", as_frame=True)
    frame = pd.concat([sample.target, sample.data], axis=1)
    frame.to_csv(tmp_path / "fashion-mnist_test.csv", index=False)
    found = read_image_csv(tmp_path / "fashion-mnist_test.csv")
    np.testing.assert_array_equal(found.images, sample.images)
    np.testing.assert_array_equal(found.target, sample.target)
    assert found.data.dtype == np.uint8
    assert found.target.dtype == np.int64
    assert found.target_names == sample.target_names


def test_files_longer_than_a_chunk(tmp_path, monkeypatch):
    monkeypatch.setattr("skfashion.datasets._csv._CHUNK_ROWS", 3)
    path = write(tmp_path / "a.csv", [f"{i % 2},{i},0,0,0" for i in range(8)])
    found = read_image_csv(path)
    np.testing.assert_array_equal(found.data[:, 0], np.arange(8))
    np.testing.assert_array_equal(found.target, np.arange(8) % 2)


def test_label_column_anywhere_with_words(tmp_path):
    path = write(tmp_path / "a.csv", ["1,2,sock,3", "4,5,hat,6"], header="a,b,kind,c")
    found = read_image_csv(path, label="kind", image_shape=(3, 1))
    assert found.target_names == ["hat", "sock"]
    np.testing.assert_array_equal(found.target, [1, 0])
    np.testing.assert_array_equal(found.images[:, :, 0], [[1, 2, 3], [4, 5, 6]])


def test_names_are_of_the_labels_that_occur(tmp_path):
    pixels = ",0" * 784
    header = "label," + ",".join(f"pixel{i}" for i in range(784))
    path = write(tmp_path / "a.csv", [f"{label}{pixels}" for label in (9, 1, 9)], header=header)
    found = read_image_csv(path)
    np.testing.assert_array_equal(found.target, [9, 1, 9])
    assert found.target_names == ["Trouser", "Ankle boot"]
    path = write(tmp_path / "b.csv", ["30,1,2,3,4", "-1,1,2,3,4"])
    assert read_image_csv(path).target_names == ["-1", "30"]


def test_colour(tmp_path):
    path = write(tmp_path / "a.csv", ["0,1,2,3"], header="label,r,g,b")
    assert read_image_csv(path).images.shape == (1, 1, 1, 3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["0,1,2,3,4", "0,1,2,300,4"], r"image 2, column 'pixel3': .*300.* is not a pixel"),
        (["0,1,2,-1,4"], "-1"),
        (["0,1,2,1.5,4"], r"1\.5"),
        (["0,1,2,,4"], "column 'pixel3'"),
        (["0,1,2,grey,4"], "'grey' is not a pixel, a whole number from 0 to 255"),
        ([",1,2,3,4"], "image 1: the label is missing"),
        ([], "no images"),
        (["0,1,2,3,4,5,6", "0,1,2,3,4", "0,1,2,3,4,5,6,7"], "not a readable CSV"),
    ],
)
def test_bad_cell_is_named(tmp_path, rows, message):
    path = write(tmp_path / "bad.csv", rows)
    with pytest.raises(DatasetError, match=message) as caught:
        read_image_csv(path)
    assert str(path) in str(caught.value)


def test_missing_column(tmp_path):
    path = write(tmp_path / "a.csv", ["0,1,2,3,4"])
    with pytest.raises(DatasetError, match="no column 'class'; its columns are label, pixel1"):
        read_image_csv(path, label="class")


def test_rows_longer_than_the_header(tmp_path):
    path = write(tmp_path / "a.csv", ["7,0,255,128,3,9", "8,1,2,3,4,5"])
    with pytest.raises(DatasetError, match="rows with more fields than its header"):
        read_image_csv(path)


def test_index_column_of_pandas(tmp_path):
    path = write(tmp_path / "a.csv", ["0,7,1,2,3,4"], header=",label,a,b,c,d")
    with pytest.raises(DatasetError, match="column without a name"):
        read_image_csv(path)


def test_truncated_gzip(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"label,pixel1\n" + b"1,2\n" * 5000)[:-20])
    with pytest.raises(DatasetError, match=r"a\.csv\.gz is not a readable CSV file"):
        read_image_csv(path)


def test_image_shape_that_does_not_fit(tmp_path):
    path = write(tmp_path / "a.csv", ["0,1,2,3,4"])
    with pytest.raises(ValueError, match=r"image_shape=\(3, 3, 1\) has 9 values, but X has 4"):
        read_image_csv(path, image_shape=(3, 3))


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="No CSV file"):
        read_image_csv(tmp_path / "missing.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DatasetError, match="not a readable CSV"):
        read_image_csv(tmp_path / "empty.csv")
    (tmp_path / "only.csv").write_text("label\n1\n")
    with pytest.raises(DatasetError, match="no columns but 'label'"):
        read_image_csv(tmp_path / "only.csv")
