"""A sweep measures every variant once, says what it measured, and refuses what cannot be."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from precompute.config import ConfigError
from precompute.dictionary import Dictionary
from precompute.figures import sweep_figures
from precompute.sweep import FIELDS, run_sweep
from tests.precompute.command_line import TINY

SWEEP = """
run = "tiny.toml"
width = 64
train_contexts = 60
heldout_contexts = 12
epochs = 4.0
meta_steps = 20

[[variants]]
layer = 1
k = 4

[[variants]]
layer = 2
k = 2
initialisation = "random"
"""


def _write(folder: Path, sweep: str = SWEEP) -> Path:
    base = TINY.read_text(encoding="utf-8").replace("documents = 400", "documents = 100")
    (folder / "tiny.toml").write_text(base, encoding="utf-8")
    path = folder / "small.toml"
    path.write_text(sweep, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished sweep: small.toml, small.tsv and work/."""
    folder = tmp_path_factory.mktemp("sweep")
    run_sweep(_write(folder), folder, folder / "work", folder / "small.tsv", workers=1)
    return folder


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "small.tsv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_the_table_has_a_row_a_variant_in_the_order_of_the_config(swept):
    rows = _rows(swept)
    assert tuple(rows[0]) == FIELDS
    assert [(row["layer"], row["k"], row["initialisation"]) for row in rows] == [
        ("1", "4.0", "words"),
        ("2", "2.0", "random"),
    ]


def test_variance_explained_is_that_of_the_saved_sae_on_held_out_rows(swept):
    for row in _rows(swept):
        heldout = np.load(
            next((swept / "work").glob(f"layer-{row['layer']}-*")) / "heldout.npy"
        ).astype(np.float64)
        found = []
        for folder in (swept / "work").glob("variant-*/sae-64"):
            sae = Dictionary.load(folder)
            pre = heldout @ sae.W_enc.double().numpy() + sae.b_enc.double().numpy()
            acts = np.where(pre > sae.threshold, pre, 0.0)
            error = heldout - acts @ sae.W_dec.double().numpy() - sae.b_dec.double().numpy()
            total = ((heldout - heldout.mean(0)) ** 2).sum()
            found.append(round(1 - (error**2).sum() / total, 3))
        # one of the two SAEs reads this layer
        assert round(float(row["variance_explained_heldout"]), 3) in found


def test_a_finished_variant_is_not_measured_again(swept, monkeypatch):
    before = (swept / "small.tsv").read_bytes()

    def refuse(_task: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr("precompute.sweep.measure_variant", refuse)
    run_sweep(swept / "small.toml", swept, swept / "work", swept / "small.tsv", workers=1)
    assert (swept / "small.tsv").read_bytes() == before


def test_the_readme_table_shows_every_variant_with_its_controls(swept):
    lines = sweep_figures(swept / "small.tsv").splitlines()
    assert len(lines) == 2 + 2
    row = _rows(swept)[1]
    assert lines[3].startswith("| 2 | 2 | random directions |")
    pair = f"{float(row['isotropic_in_sample']):.2f} / {float(row['isotropic_heldout']):.2f}"
    assert pair in lines[3]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("width = 64", "width = 64\nbreadth = 3"), "breadth"),
        (("k = 4", "k = 400"), "k = 400"),
        (('"random"', '"magic"'), "initialisation"),
        (('run = "tiny.toml"', 'run = "absent.toml"'), "absent.toml does not exist"),
        (("width = 64", "width = "), "small.toml"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_in_words(tmp_path, change, told):
    path = _write(tmp_path, SWEEP.replace(*change))
    with pytest.raises(ConfigError, match=told):
        run_sweep(path, tmp_path, tmp_path / "work", tmp_path / "small.tsv", workers=1)
    assert not (tmp_path / "small.tsv").exists()
