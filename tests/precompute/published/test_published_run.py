"""A run of SAEs that others trained, from a folder in the layout of sae-lens."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from backend.verify import verify_run
from tests.precompute.command_line import making
from tests.precompute.small_text import FILE_NAME, PUBLIC

CONFIG = f"""
title = "published"
[model]
source = "random:gpt2"
layer = 1
context_size = 16
[[corpora]]
name = "own"
file = "{FILE_NAME}"
licence = "ours"
public = "{PUBLIC}"
shown = true
[saes]
path = "FOLDER"
[meta]
rows_per_meta_latent = 6
k = 2
steps = 30
batch_size = 16
seeds = 2
"""


def test_published_saes_make_a_run_like_trained_ones(tmp_path, attempts, suite, text_folder):
    config = tmp_path / "mine.toml"
    config.write_text(CONFIG.replace("FOLDER", str(suite)))
    done = attempts(*making(config, tmp_path), "--text", text_folder)
    assert done.code == 0, done.log
    run = tmp_path / "out" / "mine"
    manifest = verify_run(run)
    assert manifest.model_id == "random:gpt2"
    saes = {row["sae_id"]: row for row in pq.read_table(run / "saes.parquet").to_pylist()}
    assert set(saes) == {"sae-24", "sae-48", "meta-8"}
    wide = saes["sae-48"]
    assert (wide["release"], wide["release_sae_id"]) == (None, "wide")
    assert (wide["architecture"], wide["neuronpedia_id"]) == ("standard", None)
    assert (wide["k"], wide["seed"]) == (None, None)
    assert saes["meta-8"]["parent_sae_id"] == "sae-48"
    assert saes["meta-8"]["l0"] == pytest.approx(2.0, abs=0.05)
