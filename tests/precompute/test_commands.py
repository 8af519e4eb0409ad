"""`check`, `list` and `run` on the command line: exit codes and plain messages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from backend.schema import TABLES
from tests.precompute.command_line import TINY, Done, making, precompute
from tests.precompute.small_text import FILE_NAME


def _refused(done: Done) -> str:
    """The message of a command that failed as it should: exit code 1, no traceback."""
    assert done.code == 1, done.log
    assert "Traceback" not in done.log
    return done.log


@pytest.fixture
def copy(tiny_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path / "data" / "tiny"))


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_check_says_that_a_good_run_is_intact(tiny_run):
    done = precompute("check", tiny_run)
    assert done.code == 0
    assert f"{tiny_run} is intact: {len(TABLES)} tables" in done.log


def test_check_names_the_damaged_file_and_the_way_out(copy):
    _flip(copy / "terms.parquet")
    message = _refused(precompute("check", copy))
    assert f"{copy / 'terms.parquet'} was damaged" in message
    assert "python -m precompute run precompute/configs/tiny.toml" in message


def test_check_names_a_missing_file(copy):
    (copy / "examples.parquet").unlink()
    assert "examples.parquet is missing" in _refused(precompute("check", copy))


def test_check_notices_one_changed_byte_of_the_manifest(copy):
    _flip(copy / "manifest.json")
    assert "manifest.json" in _refused(precompute("check", copy))


def test_check_of_a_folder_that_is_no_run_says_so(tmp_path):
    message = _refused(precompute("check", tmp_path / "nowhere"))
    assert "manifest.json is missing, so the run is not complete" in message


def test_list_shows_runs_with_a_valid_manifest_only(copy):
    (copy.parent / "half-written").mkdir()
    shutil.copytree(copy, copy.parent / "broken")
    _flip(copy.parent / "broken" / "manifest.json")
    done = precompute("list", "--out", copy.parent)
    assert done.code == 0
    assert "tiny random model" in done.log
    assert "broken" not in done.log
    assert "half-written" not in done.log


def test_list_of_an_empty_folder_says_how_to_make_a_run(tmp_path):
    done = precompute("list", "--out", tmp_path)
    assert done.code == 0
    assert f"no run in {tmp_path}" in done.log
    assert "python -m precompute run" in done.log


def test_an_unknown_key_in_a_config_stops_the_run_with_its_path(tmp_path):
    config = tmp_path / "mine.toml"
    config.write_text(TINY.read_text().replace("layer = 1", "layer = 1\nlayers = 2"))
    message = _refused(precompute("run", config, "--out", tmp_path / "out"))
    assert f"{config} cannot be used:" in message
    assert "model.layers: Extra inputs are not permitted" in message
    assert not (tmp_path / "out").exists()


def test_a_config_that_does_not_exist_lists_the_others(tmp_path):
    message = _refused(precompute("run", TINY.with_name("nothing.toml"), "--out", tmp_path))
    assert "nothing.toml does not exist" in message
    assert "tiny.toml" in message


@pytest.mark.parametrize("device", ["cuda:77", "abacus"])
def test_a_device_that_is_not_there_is_refused_by_name(tmp_path, attempts, device):
    done = attempts("run", TINY, "--out", tmp_path, "--work", tmp_path, "--device", device)
    assert f"--device {device} cannot be used here" in _refused(done)


def test_text_too_little_to_train_on_says_what_is_lacking(tmp_path, attempts):
    def refusal(*texts: str) -> str:
        (tmp_path / FILE_NAME).write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
        return _refused(attempts(*making(config, tmp_path), "--text", tmp_path))

    config = tmp_path / "mine.toml"
    own = f'name = "own"\nfile = "{FILE_NAME}"\npublic = "ours"\n'
    config.write_text(TINY.read_text().replace('name = "subatomic"\n', own))
    river = "the river and the city "
    assert "heldout_share = 0.1, but every document is longer" in refusal(river * 50)
    few = refusal(*[river] * 30)  # 150 tokens of which 15 are held out
    assert "saes.batch_size = 512, but the text has 135 training tokens" in few
