"""Files of which all appear or none."""

import click
import pytest

from skfashion.cli._output import check_writable, write_all_or_none


@pytest.fixture
def contents():
    return {"table.csv": b"a,b\n", "picture.png": b"no picture"}


def test_all(contents, tmp_path):
    folder = tmp_path / "new" / "folder"
    write_all_or_none(folder, contents)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == contents


def test_none(contents, tmp_path):
    (tmp_path / "picture.png").mkdir()
    with pytest.raises(click.ClickException, match=r"Cannot write to .*picture\.png is a folder"):
        write_all_or_none(tmp_path, contents)
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


def test_nothing_is_left_by_a_check(tmp_path):
    check_writable(tmp_path / "new" / "folder")
    assert not [*tmp_path.iterdir()]


def test_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file is a file, not a folder"):
        check_writable(tmp_path / "file" / "folder")
