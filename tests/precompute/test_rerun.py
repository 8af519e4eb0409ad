"""What a second run reuses, replaces and repeats."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.manifest import Manifest, read_manifest
from backend.verify import verify_run
from tests.precompute.command_line import making


@pytest.fixture
def first(reduced_run: Path) -> Manifest:
    return read_manifest(reduced_run / "out" / "reduced")


@pytest.fixture
def copy(reduced_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run and its work folder."""
    return Path(shutil.copytree(reduced_run, tmp_path / "copy"))


def _written(folder: Path) -> dict[str, int]:
    """When each file below a folder was written, in nanoseconds."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_second_run_returns_at_once_and_changes_nothing(
    attempts, reduced_config, reduced_run, first
):
    before = _written(reduced_run)
    done = attempts(*making(reduced_config, reduced_run))
    assert done.code == 0
    assert _written(reduced_run) == before
    assert f"is complete (content hash {first.short_hash})" in done.log
    assert "tokens/s" not in done.log  # no pass over the text


def test_a_changed_config_makes_a_new_result_and_keeps_what_still_holds(
    attempts, reduced_config, copy, first, tmp_path
):
    before = _written(copy / "work")
    changed = tmp_path / "reduced.toml"
    changed.write_text(reduced_config.read_text() + "\n[latents]\ntop_examples = 3\n")
    done = attempts(*making(changed, copy))
    assert done.code == 0, done.log
    second = verify_run(copy / "out" / "reduced")
    assert second.content_hash != first.content_hash
    assert second.files["examples"].rows < first.files["examples"].rows
    assert second.files["components"] == first.files["components"]
    after = _written(copy / "work")
    assert {name: after[name] for name in before} == before  # nothing was trained again
    assert len(after) > len(before)


def test_force_trains_again_and_gives_the_same_content(attempts, reduced_config, copy, first):
    before = _written(copy / "work")
    done = attempts(*making(reduced_config, copy), "--force")
    assert done.code == 0, done.log
    after = _written(copy / "work")
    trained = [name for name in before if name.endswith("figures.json")]
    # the SAEs, that of words and two controls; seeds and four controls of both meta-SAEs
    assert len(trained) == 2 + 1 + 2 + 2 * (2 + 4)
    assert all(after[name] > before[name] for name in trained)
    assert verify_run(copy / "out" / "reduced").content_hash == first.content_hash


def test_a_damaged_run_is_made_again_from_what_the_work_folder_holds(
    attempts, reduced_config, copy, first
):
    damaged = copy / "out" / "reduced" / "latents.parquet"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    before = _written(copy / "work")
    done = attempts(*making(reduced_config, copy))
    assert done.code == 0, done.log
    assert verify_run(copy / "out" / "reduced").content_hash == first.content_hash
    assert _written(copy / "work") == before
