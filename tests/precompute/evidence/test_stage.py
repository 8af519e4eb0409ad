"""The stage on a real run: what it keeps, and that an interruption changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from precompute import activations
from precompute.activations import firings
from precompute.config import RunConfig, load_config
from precompute.dictionary import Dictionary
from precompute.evidence import files, stage
from precompute.evidence.sample import PARTS, sample_of
from precompute.sources import load_language_model
from precompute.stages import Places, Stages, stage_folders
from precompute.textcache import stored_text

SAE = "sae-128"


@pytest.fixture(scope="module")
def config(reduced_config: Path) -> RunConfig:
    return load_config(reduced_config)


@pytest.fixture(scope="module")
def finished(config, reduced_run, tmp_path_factory) -> Stages:
    """The stages of the reduced run, whose files nobody may change."""
    places = Places(
        out=reduced_run / "out",
        work=reduced_run / "work" / "reduced",
        text_folder=tmp_path_factory.mktemp("no-text"),
        device=torch.device("cpu"),
        workers=1,
    )
    return stage_folders(config, load_language_model(config.model), places)


@pytest.fixture
def copied(finished: Stages, tmp_path: Path) -> Stages:
    """The same with a copy of the evidence."""
    shutil.copytree(finished.evidence, tmp_path / "evidence")
    return Stages(**(vars(finished) | {"evidence": tmp_path / "evidence"}))


def _bytes(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_every_described_sae_has_its_files_and_nothing_else_is_left(config, finished):
    names = {"choose.npz", "test.npz", "cofiring.parquet", "terms.parquet"}
    expected = {f"{sae_id}/{name}" for sae_id in config.described_ids for name in names}
    assert set(_bytes(finished.evidence)) == {"phrases.npz", *expected}


def test_words_of_a_part_are_those_of_its_rows(finished):
    text = stored_text(finished.text)
    sae = Dictionary.load(finished.saes / SAE)
    totals = {}
    for part, split in PARTS.items():
        words = files.load_words(finished.evidence, SAE, part)
        sample = sample_of(text, part, 10**9)  # the text is shorter than the sample
        rows = np.load(finished.activations / f"{split}.npy")
        assert sample.n_rows == len(rows)
        fires = np.zeros((len(rows), sae.n_latents), bool)
        start = 0
        for n, block in firings(sae, rows, bfloat16=True, title="again"):
            fires[block.rows + start, block.latents] = True
            start += n
        on_words = [fires[sample.occurrence == i].any(0) for i in range(len(sample.word))]
        assert words.latent_count.tolist() == np.sum(on_words, axis=0).tolist()
        assert (
            words.word_total.tolist()
            == np.bincount(sample.word, minlength=len(text.words)).tolist()
        )
        assert words.pair_count.dtype == words.pair_latent.dtype == np.int64
        totals[part] = words.word_total.sum()
    assert totals["choose"] > 3 * totals["test"] > 0


def test_the_size_of_a_block_does_not_matter(config, copied, monkeypatch):
    before = _bytes(copied.evidence)
    shutil.rmtree(copied.evidence)
    monkeypatch.setattr(activations, "BLOCK_ROWS", 333)
    monkeypatch.setattr(stage, "PAIRS_AT_ONCE", 1000)  # latents are scored in many blocks
    stage.gather_evidence(config, copied, "cpu", workers=1)
    assert _bytes(copied.evidence) == before


def _stop_before(name: str) -> Callable[..., None]:
    whole = getattr(files, name)

    def stopping(folder, sae_id, what, *rest):
        if (sae_id, what) in STOPS[name]:
            raise KeyboardInterrupt
        whole(folder, sae_id, what, *rest)

    return stopping


STOPS = {
    "save_part": {(SAE, "choose"), (SAE, "test")},
    "save_table": {(SAE, "cofiring"), (SAE, "terms")},
}


@pytest.mark.parametrize("name", STOPS)
def test_an_interrupted_stage_goes_on_and_ends_with_the_same_bytes(
    config, copied, monkeypatch, name
):
    before = _bytes(copied.evidence)
    shutil.rmtree(copied.evidence)
    for stop in sorted(STOPS[name]):
        with monkeypatch.context() as patch:
            patch.setitem(STOPS, name, {stop})
            patch.setattr(files, name, _stop_before(name))
            with pytest.raises(KeyboardInterrupt):
                stage.gather_evidence(config, copied, "cpu", workers=1)
        assert not files.is_complete(copied.evidence, SAE)
    kept = {path: path.stat().st_mtime_ns for path in copied.evidence.rglob("*") if path.is_file()}
    stage.gather_evidence(config, copied, "cpu", workers=1)
    assert _bytes(copied.evidence) == before
    finished_files = {path for path in kept if path.name != "cofiring.parquet"}
    assert all(path.stat().st_mtime_ns == kept[path] for path in finished_files)


def test_its_settings_rename_its_own_folder_and_that_of_the_names_made_from_it(config, finished):
    def folders(changed: RunConfig) -> dict[str, str]:
        places = Places(Path("out"), Path("work"), Path("text"), torch.device("cpu"), 1)
        model = load_language_model(config.model)
        return {k: v.name for k, v in vars(stage_folders(changed, model, places)).items()}

    more = config.evidence.model_copy(update={"cofiring_latents": 13})
    before, after = folders(config), folders(config.model_copy(update={"evidence": more}))
    assert before["evidence"] == finished.evidence.name
    assert {name for name in before if before[name] != after[name]} == {"evidence", "names"}


def test_a_finished_stage_reads_nothing(config, finished, monkeypatch):
    monkeypatch.setattr(stage, "stored_text", None)
    stage.gather_evidence(config, finished, "cpu", workers=1)
