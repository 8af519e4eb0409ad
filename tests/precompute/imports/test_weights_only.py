"""Files of torch: plain things are read, programs are not run."""

from __future__ import annotations

import collections
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from precompute.config import ConfigError
from precompute.imports import weights_only
from precompute.imports.weights_only import load_plain


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.pth"


class Runs:
    """What a hostile file does: its pickle calls a program when it is loaded."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self._reduced = (call, arguments)

    def __reduce__(self) -> Any:
        return self._reduced


def test_containers_numbers_and_tensors_come_back_as_they_were(path):
    content = {
        "n": 3,
        "rows": {0: [(1, 2, 0.5)], 1: []},
        "counts": collections.Counter({"a": 2}),
        "ordered": collections.OrderedDict(a=1),
        "tokens": torch.arange(6).reshape(2, 3),
        "words": ("ä", None, True),
    }
    torch.save(content, path)
    found = load_plain(path)
    assert torch.equal(found.pop("tokens"), content.pop("tokens"))
    assert found == content


@pytest.mark.parametrize(
    "kind",
    [np.int64, np.int32, np.uint8, np.int16, np.float64, np.float32, np.float16, np.bool_],
)
def test_numbers_of_numpy_become_numbers(path, kind):
    torch.save([kind(1), kind(0)], path)
    found = load_plain(path)
    assert found == [1, 0]
    assert all(type(each) in (int, float, bool) for each in found)


def test_numbers_of_an_older_numpy_are_read_too(path):
    """Files of 2024 name the module as it was called before numpy 2."""
    torch.save([np.int64(7)], path)
    with zipfile.ZipFile(path) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    entries = {
        name: data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
        for name, data in entries.items()
    }
    with zipfile.ZipFile(path, "w") as new:
        for name, data in entries.items():
            new.writestr(name, data)
    assert load_plain(path) == [7]


def test_a_defaultdict_becomes_a_dict(path):
    nested = collections.defaultdict(list, {1: [2]})
    torch.save({"a": nested, "b": collections.defaultdict(int, {"x": 1})}, path)
    found = load_plain(path)
    assert found == {"a": {1: [2]}, "b": {"x": 1}}
    assert all(type(each) is dict for each in found.values())


@pytest.mark.parametrize(
    ("call", "arguments", "named"),
    [
        (os.system, ("touch {}",), "posix.system"),
        (eval, ("open({!r}, 'w')",), "eval"),
        (Path.write_text, (Path("x"), "ran"), "pathlib"),
        (collections.UserDict, (), "collections.UserDict"),
    ],
)
def test_a_file_that_would_run_a_program_is_refused_with_its_name(
    path, tmp_path, call, arguments, named
):
    mark = tmp_path / "it-ran"
    filled = [a.format(str(mark)) if isinstance(a, str) else a for a in arguments]
    torch.save({"n_features": 32, "x": Runs(call, *filled)}, path)
    with pytest.raises(ConfigError, match="which is not read") as told:
        load_plain(path)
    assert named in str(told.value)
    assert not mark.exists()


def test_our_stand_ins_take_nothing_but_what_they_stand_for(path):
    """An allowed name called with other arguments must not do more than it stands for."""
    for hostile in (
        Runs(collections.defaultdict, None, {"a": 1}),
        Runs(np.dtype, "O"),
        Runs(np.dtype, [("a", "i8")]),
        Runs(np.dtype(np.int64).type, 3),
    ):
        torch.save([hostile], path)
        try:
            found = load_plain(path)
        except ConfigError:
            continue
        assert found == [{}]


def test_plain_pickles_and_torn_files_are_refused(path, tmp_path):
    mark = tmp_path / "it-ran"
    path.write_bytes(pickle.dumps(Runs(os.system, f"touch {mark}")))
    with pytest.raises(ConfigError, match=r"no file of torch\.save"):
        load_plain(path)
    torch.save({"a": list(range(1000))}, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ConfigError, match=r"x\.pth"):
        load_plain(path)
    with pytest.raises(ConfigError, match=r"no file of torch\.save"):
        load_plain(tmp_path / "none.pth")
    assert not mark.exists()


def test_a_file_without_its_pickle_or_with_a_broken_one_is_refused(path):
    for name, data in (("other", b""), ("x/data.pkl", b"\x80\x02garbage")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, data)
        with pytest.raises(ConfigError, match=r"x\.pth"):
            load_plain(path)


def test_what_unpacks_to_too_much_is_refused_before_it_is_read(path, monkeypatch):
    torch.save(torch.zeros(100_000), path)
    monkeypatch.setattr(weights_only, "MOST_BYTES", 100_000)
    with pytest.raises(ConfigError, match="holds more than"):
        load_plain(path)
