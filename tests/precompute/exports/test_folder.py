"""A folder that appears complete or not at all, and replaces nothing but an older export."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from precompute.config import ConfigError
from precompute.exports.folder import MARK_NAME, export_folder

MARK = {"format": "saelens", "run": "planted"}


def _write(final: Path, text: str) -> None:
    with export_folder(final, dict(MARK)) as folder:
        (folder / "cfg.json").write_text(text)


def test_a_folder_is_there_with_its_mark_only_at_the_end(tmp_path):
    final = tmp_path / "parent" / "out"
    with export_folder(final, mark := dict(MARK)) as folder:
        (folder / "cfg.json").write_text("x")
        mark["notes"] = "learned on the way"
        assert not final.exists()
    assert {path.name for path in final.iterdir()} == {"cfg.json", MARK_NAME}
    assert json.loads((final / MARK_NAME).read_text()) == {**MARK, "notes": "learned on the way"}
    assert [path.name for path in final.parent.iterdir()] == ["out"]


def test_an_error_inside_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError, match="half"), export_folder(tmp_path / "out", dict(MARK)):
        raise RuntimeError("half")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("is_there", [False, True])
def test_a_kill_in_the_middle_leaves_nothing_new_under_the_final_name(tmp_path, is_there):
    final = tmp_path / "out"
    if is_there:
        _write(final, "first")
    child = os.fork()
    if child == 0:
        with export_folder(final, dict(MARK)) as folder:
            (folder / "cfg.json").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    if is_there:
        assert (final / "cfg.json").read_text() == "first"
    else:
        assert not final.exists()
    _write(final, "second")  # and what the killed one left is in nobody's way
    assert (final / "cfg.json").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_earlier_export_of_the_same_format_is_replaced_whole(tmp_path):
    final = tmp_path / "out"
    with export_folder(final, dict(MARK)) as folder:
        (folder / "old").write_text("x")
    _write(final, "new")
    assert {path.name for path in final.iterdir()} == {"cfg.json", MARK_NAME}


def test_an_empty_folder_may_be_there(tmp_path):
    _write(tmp_path, "x")
    assert (tmp_path / "cfg.json").read_text() == "x"


@pytest.mark.parametrize(
    ("mark", "fault"),
    [
        (None, "something else than an earlier export"),
        ("not json", "something else than an earlier export"),
        ("[1]", "something else than an earlier export"),
        ('{"format": 3}', "something else than an earlier export"),
        ('{"format": "delphi"}', "an export of format delphi, not saelens"),
    ],
)
def test_what_is_no_earlier_export_is_left_as_it_is(tmp_path, mark, fault):
    final = tmp_path / "out"
    final.mkdir()
    (final / "thesis.txt").write_text("years of work")
    if mark is not None:
        (final / MARK_NAME).write_text(mark)
    with pytest.raises(ConfigError, match=fault):
        _write(final, "x")
    assert (final / "thesis.txt").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_of_that_name_is_left_as_it_is(tmp_path):
    final = tmp_path / "out"
    final.write_text("a file")
    with pytest.raises(ConfigError, match="is a file"):
        _write(final, "x")
    assert final.read_text() == "a file"


def test_a_place_where_nothing_can_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be made"):
        _write(tmp_path / "file" / "out", "x")
