"""CSV files of images."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest

from skfashion.datasets import load_fashion_sample, read_image_csv
from skfashion.errors import DatasetError


def write(path, rows, header="label,pixel1,pixel2,pixel3,pixel4"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def zip_one(content, kind=zipfile.ZIP_DEFLATED, names=("a.csv",)):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


COMPRESSIONS = {
    ".csv": bytes,
    ".csv.gz": lambda content: gzip.compress(content, 1),
    ".csv.bz2": bz2.compress,
    ".csv.xz": lambda content: lzma.compress(content, preset=0),
    ".zip": zip_one,
}


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


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_compression(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](b"label,a,b\n1,2,3\n"))
    np.testing.assert_array_equal(read_image_csv(path).data, [[2, 3]])


def test_pixels_as_numpy_writes_them(tmp_path):
    rows = np.random.default_rng(0).integers(0, 256, (3000, 785)).astype(float)
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    np.savetxt(tmp_path / "a.csv", rows, delimiter=",", header=header, comments="")
    np.testing.assert_array_equal(read_image_csv(tmp_path / "a.csv").data, rows[:, 1:])


HEADER = b"label," + b",".join(b"pixel%d" % i for i in range(784)) + b"\n"
# What the file begins with, and what is repeated for ever.
BOMBS = {
    "line": (b"", b"1", "a header longer than 4 MiB"),
    "columns": (b"", b",a", "a header longer than 4 MiB"),
    "blank lines": (b"", b"\n", "a header longer than 4 MiB"),
    "blank rows": (HEADER, b"\n", "rows that are too long"),
    "cell": (HEADER + b"1,", b"1", "rows that are too long"),
    "label": (HEADER + b'"', b"1", "rows that are too long"),
    "fields": (HEADER, b",", "rows that are too long"),
    "open quote": (HEADER + b'1,"', b"1\n", "rows that are too long"),
}


@pytest.mark.parametrize(
    ("bomb", "suffix"),
    [*((bomb, ".csv.gz") for bomb in BOMBS), *(("cell", suffix) for suffix in COMPRESSIONS)],
)
def test_bomb_is_refused_early(tmp_path, bomb, suffix):
    """Bombs are refused in every compression; the message does not quote all of one."""
    start, unit, message = BOMBS[bomb]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](start + unit * (2**27 // len(unit))))
    tracemalloc.start()
    with pytest.raises(DatasetError, match=message) as caught:
        read_image_csv(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**27
    assert len(str(caught.value)) < 300 + len(str(path))


def test_many_columns_of_one_name(tmp_path):
    path = write(tmp_path / "a.csv", ["1" + ",2" * 40_000], header="label" + ",a" * 40_000)
    assert read_image_csv(path).images.shape == (1, 200, 200)


def test_cells_in_messages_are_short(tmp_path):
    long = "x" * 10_000
    path = write(tmp_path / "a.csv", [f"0,1,2,{long},4"], header=f"label,a,b,{long},d")
    with pytest.raises(DatasetError, match=r"'x{40,49}: 'x{40,49} is not a pixel"):
        read_image_csv(path)
    with pytest.raises(DatasetError, match=r"no column 'y'; its columns are label, a, b, x{50}, d"):
        read_image_csv(path, label="y")
    with pytest.raises(DatasetError, match=r"the label 'x{40,49} has 10,000 characters"):
        read_image_csv(write(tmp_path / "b.csv", [f"{long},1,2,3,4"]))


@pytest.mark.parametrize(
    "content",
    [
        zip_one(b"label,a\n1,2\n", names=("a.csv", "b.csv")),
        zip_one(b"label,a\n1,2\n", kind=zipfile.ZIP_BZIP2),
    ],
    ids=["two files", "unbounded"],
)
def test_unusual_zip(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.zip must hold one file"):
        read_image_csv(tmp_path / "a.zip")


@pytest.mark.parametrize("suffix", [suffix for suffix in COMPRESSIONS if suffix != ".csv"])
def test_damaged_compression(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"label,a\n1,2\n")
    with pytest.raises(DatasetError, match="is not a readable CSV file"):
        read_image_csv(path)
