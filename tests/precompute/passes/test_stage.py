"""The stage as a run calls it: what is there stays, and memory decides how many processes run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from precompute.config import ConfigError
from precompute.passes import files, shard, stage
from precompute.passes.plan import Shard
from precompute.stages import Places
from tests.precompute.passes.conftest import CONFIG, SAE_ID


@pytest.fixture
def places(tmp_path) -> Places:
    return Places(tmp_path, tmp_path, tmp_path, torch.device("cpu"), workers=1)


def _contents(folder: Path) -> dict[str, bytes]:
    """Every file but the attempts that were cut off."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


@pytest.fixture
def undisturbed(stages, places, small_blocks, tmp_path) -> dict[str, bytes]:  # noqa: ARG001
    apart = replace(stages, tables=tmp_path / "undisturbed")
    stage.make_shards([SAE_ID], apart, CONFIG, places)
    return _contents(apart.tables / SAE_ID / stage.SHARDS_NAME)


def test_what_was_made_before_the_process_died_is_kept(
    stages, places, undisturbed, monkeypatch, capsys
):
    """The fourth shard dies when its sums are on disk, but not yet its totals."""
    folder = stages.tables / SAE_ID / stage.SHARDS_NAME
    real, done = files.save_totals, []

    def dying(folder: Path, made: Shard, *rest: object) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        real(folder, made, *rest)  # pyright: ignore[reportArgumentType]
        done.append(made)

    monkeypatch.setattr(files, "save_totals", dying)
    with pytest.raises(KeyboardInterrupt):
        stage.make_shards([SAE_ID], stages, CONFIG, places)
    monkeypatch.setattr(files, "save_totals", real)
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    assert len(before) == 3
    made: list[shard.ShardTask] = []

    def noting(task: shard.ShardTask) -> Shard:
        made.append(task)
        return shard.make_shard(task)

    monkeypatch.setattr(stage, "make_shard", noting)
    stage.make_shards([SAE_ID], stages, CONFIG, places)
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before
    assert not {task.shard for task in made} & set(done)
    assert _contents(folder) == undisturbed
    # once more: nothing is left to do, and the bar says so
    capsys.readouterr()
    stage.make_shards([SAE_ID], stages, CONFIG, places)
    assert len(made) == len(_npz(undisturbed)) - 3
    assert "100%" in capsys.readouterr().err


def _npz(contents: dict[str, bytes]) -> list[str]:
    return [name for name in contents if name.endswith(".npz")]


def test_two_processes_make_the_same_shards(stages, places, tmp_path):
    """Real blocks: processes of their own know nothing of smaller ones."""
    one = replace(stages, tables=tmp_path / "one")
    stage.make_shards([SAE_ID], one, CONFIG, places)
    stage.make_shards([SAE_ID], stages, CONFIG, replace(places, workers=2))
    folder = Path(SAE_ID) / stage.SHARDS_NAME
    assert _contents(stages.tables / folder) == _contents(one.tables / folder)
    assert len(_npz(_contents(stages.tables / folder))) == 3


def test_the_tables_are_refused_while_a_shard_is_missing(stages, places, undisturbed):  # noqa: ARG001
    stage.make_shards([SAE_ID], stages, CONFIG, places)
    of = stage.sae_pass(stages, SAE_ID, stage.counted_rows(stages.activations, CONFIG), "cpu", 1)
    assert stage.merged(of).totals.tokens_seen > 1000
    next(of.folder.glob("heldout-*.npz")).unlink()
    with pytest.raises(RuntimeError, match="lacks heldout-"):
        stage.merged(of)


def test_only_the_share_of_the_text_that_the_config_asks_for_is_counted(stages):
    whole = stage.counted_rows(stages.activations, CONFIG)
    part = stage.counted_rows(stages.activations, CONFIG.model_copy(update={"counted_share": 0.1}))
    assert part["train"] == round(0.1 * whole["train"])
    assert part["shown"] == whole["shown"]


def test_a_process_that_cannot_fit_is_refused_and_fewer_are_started_where_all_do_not(
    stages, places
):
    with pytest.raises(ConfigError, match=r"40 latents needs about 0\.\d GB.*--max-memory"):
        stage.make_shards([SAE_ID], stages, CONFIG, replace(places, max_memory=1 << 28))
    assert not (stages.tables / SAE_ID).exists()
    share = stage.make_shards([SAE_ID], stages, CONFIG, replace(places, max_memory=1 << 30))
    assert share.workers == 1
    assert 1 << 27 <= share.memory < 1 << 30


def test_shards_go_when_their_tables_are_there(stages, places):
    stage.make_shards([SAE_ID], stages, CONFIG, places)
    stage.drop_shards(stages, SAE_ID)
    assert list((stages.tables / SAE_ID).iterdir()) == []
    stage.drop_shards(stages, SAE_ID)  # and once more after a kill in between
