"""Experiments added to a finished run, from its folder and its config alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backend.experiment_html import ADDED_ALONE, missing
from backend.manifest import Manifest, read_manifest
from backend.verify import verify_run
from precompute.experiments.stage import ONCE
from precompute.writer import write_manifest
from tests.precompute.command_line import making

LAYERS = "[experiments.layers]\nn_latents = 16\nk = 4\ntokens = 900\nepochs = 1.0\ncontexts = 10\n"
OTHERS = """
[experiments.resistance]
n_latents = 32
k = 4
steps = 12
batch_size = 128
seeds = 2
lambda2 = [0.3]
sigma2 = [1.0]
meta_share = 0.3
meta_k = 2
matryoshka = [0.25]
orthogonal_chunk = 16
posthoc_steps = 10
heldout_rows = 200
contexts = 4
[experiments.dead_latents]
n_latents = 32
k = 4
steps = 20
batch_size = 64
dead_after_steps = 5
resample_rows = 128
seeds = 2
heldout_rows = 200
[experiments.toy_models]
d = 8
directions = 16
rows = 1024
steps = 10
batch_size = 64
seeds = 2
"""


@pytest.fixture
def finished(reduced_run: Path, tmp_path: Path) -> Path:
    """A folder with the run alone, as somebody else gets it."""
    shutil.copytree(reduced_run / "out", tmp_path / "finished" / "out")
    return tmp_path / "finished"


@pytest.fixture
def with_sections(reduced_config: Path, tmp_path: Path) -> Callable[[str], Path]:
    """The run's config with more sections behind it."""

    def write(sections: str, instead: tuple[str, str] = ("", "")) -> Path:
        path = tmp_path / "reduced.toml"
        path.write_text(reduced_config.read_text().replace(*instead) + "\n" + sections)
        return path

    return write


def _adding(config: Path, folder: Path) -> list[str | Path]:
    return ["add", *making(config, folder)[1:]]


def _rows(folder: Path, table: str) -> list[dict]:
    return pq.read_table(folder / "out" / "reduced" / f"{table}.parquet").to_pylist()


def test_what_is_added_is_what_the_whole_run_would_have_made(
    attempts, reduced_run, finished, with_sections, tmp_path
):
    config = with_sections(LAYERS + OTHERS)
    whole = tmp_path / "whole"
    shutil.copytree(reduced_run, whole)
    assert attempts(*making(config, whole)).code == 0
    done = attempts(*_adding(config, finished))
    assert done.code == 0, done.log
    expected = verify_run(whole / "out" / "reduced")
    assert verify_run(finished / "out" / "reduced") == expected
    added = {row["experiment"] for row in _rows(finished, "measurements")}
    assert {"errors by layer", "resistance", "dead latents", "toy models"} <= added
    again = attempts(*_adding(config, finished))
    assert f"has all of it (content hash {expected.short_hash})" in again.log


def test_a_killed_one_leaves_the_run_and_goes_on(attempts, finished, with_sections):
    before = read_manifest(finished / "out" / "reduced")
    config = with_sections(LAYERS)
    other = Path(shutil.copytree(finished, finished.with_name("other")))
    untouched = Path(shutil.copytree(finished, finished.with_name("untouched")))
    whole = attempts(*_adding(config, other))
    for share in (0.7, 0.5, 0.3, 0.1):
        done = attempts(*_adding(config, finished), kill_after=share * whole.seconds)
        if done.code == -9:
            break
        shutil.rmtree(finished)  # it was complete before the kill: start anew, with an earlier one
        shutil.copytree(untouched, finished)
    assert done.code == -9
    assert verify_run(finished / "out" / "reduced") == before
    assert attempts(*_adding(config, finished)).code == 0
    undisturbed = read_manifest(other / "out" / "reduced")
    assert verify_run(finished / "out" / "reduced") == undisturbed


def test_a_changed_section_takes_the_place_of_the_old_one(attempts, finished, with_sections):
    assert attempts(*_adding(with_sections(LAYERS), finished)).code == 0
    first, before = _rows(finished, "measurements"), read_manifest(finished / "out" / "reduced")
    changed = with_sections(LAYERS.replace("contexts = 10", "contexts = 12"))
    assert attempts(*_adding(changed, finished)).code == 0
    second, after = _rows(finished, "measurements"), verify_run(finished / "out" / "reduced")

    def split(rows: list[dict]) -> tuple[list[dict], list[dict]]:
        of_layers = [row for row in rows if row["experiment"] == "errors by layer"]
        return of_layers, [row for row in rows if row not in of_layers]

    (old, others), (new, still) = split(first), split(second)
    assert still == others
    assert [row["setting"] for row in new] == [row["setting"] for row in old]
    assert new != old
    differing = {name for name in before.files if before.files[name] != after.files[name]}
    assert differing == {"measurements"}


@pytest.mark.parametrize(
    ("sections", "instead", "message"),
    [
        (LAYERS, ("k = 4", "k = 5"), "was made with another saes. Only [experiments] may differ"),
        ("", ("ks = [2, 8]", "ks = [2, 4]"), "[experiments.pursuit] differs from the run's"),
        (LAYERS + "[experiments.absorption]\n", ("", ""), "[experiments.absorption] differs"),
    ],
)
def test_what_needs_the_whole_run_is_refused(
    attempts, finished, with_sections, sections, instead, message
):
    before = read_manifest(finished / "out" / "reduced")
    done = attempts(*_adding(with_sections(sections, instead), finished))
    assert done.code == 1
    assert message in done.log
    assert "`python -m precompute run`" in done.log
    assert verify_run(finished / "out" / "reduced") == before


def test_an_added_experiment_is_not_taken_away_by_leaving_it_out(attempts, finished, with_sections):
    assert attempts(*_adding(with_sections(LAYERS), finished)).code == 0
    done = attempts(*_adding(with_sections(""), finished))
    assert done.code == 1
    assert "[experiments.layers] differs from the run's" in done.log


def _altered(manifest: Manifest, what: str) -> Manifest:
    if what == "model":
        return replace(manifest, model_sha256="0" * 64)
    corpora = tuple(replace(corpus, tokens=corpus.tokens + 1) for corpus in manifest.corpora)
    return replace(manifest, corpora=corpora)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("model", "has other weights than the run's model"),
        ("text", "the text is not the run's: subatomic has"),
    ],
)
def test_another_model_or_text_is_refused(attempts, finished, with_sections, what, message):
    """As if the run had been made with another one under the same name."""
    run = finished / "out" / "reduced"
    other = write_manifest(run, _altered(read_manifest(run), what))
    done = attempts(*_adding(with_sections(LAYERS), finished))
    assert done.code == 1
    assert message in done.log
    assert verify_run(run) == other


def test_pages_name_the_command_for_what_can_be_added():
    assert set(ONCE) == ADDED_ALONE
    assert "python -m precompute add YOUR-CONFIG.toml" in missing("", "layers", "errors")
    assert "python -m precompute run YOUR-CONFIG.toml" in missing("", "edits", "edits")


def test_no_run_to_add_to_is_a_plain_message(attempts, with_sections, tmp_path):
    done = attempts(*_adding(with_sections(LAYERS), tmp_path / "nothing"))
    assert done.code == 1
    assert "manifest.json is missing, so the run is not complete" in done.log
