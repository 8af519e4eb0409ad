"""A whole run with directions: what its tables say, and what adding them leaves alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from backend.manifest import Manifest, read_manifest
from backend.schema import TABLES
from backend.verify import verify_run
from precompute.dictionary import Dictionary
from tests.precompute.command_line import Attempts, making
from tests.precompute.named.conftest import (
    SECTION,
    Given,
    NamedRun,
    make_named_run,
    save_fixed_lists,
    save_npz,
)

META = "meta-16"  # 128 latents, 8 rows a meta-latent
APPLIED = f"{META}-on-probes"
NEW = {"word-means", "probes", "meta-word-means", APPLIED}


def _without_config(folder: Path) -> Manifest:
    """The manifest as it would be if the config named no file."""
    return replace(read_manifest(folder), config="", run="").with_content_hash()


def test_the_run_is_intact_and_has_both_and_their_meta_saes(named_run: NamedRun):
    manifest = verify_run(named_run.folder / "out" / "named")
    assert manifest.run == "named"
    kinds = {row["sae_id"]: (row["kind"], row["parent_sae_id"]) for row in named_run.tables["saes"]}
    assert kinds["word-means"] == kinds["probes"] == ("sae", None)
    assert kinds["meta-word-means"] == ("meta", "word-means")
    assert kinds[APPLIED] == ("meta", "probes")


def test_nothing_that_was_there_is_made_again_or_changes(named_run: NamedRun, reduced_run: Path):
    before, after = (reduced_run / "work" / "reduced", named_run.folder / "work" / "named")
    assert sorted(p.name for p in before.iterdir()) == sorted(p.name for p in after.iterdir())
    for path in before.rglob("*.safetensors"):
        same = after / path.relative_to(before)
        assert path.read_bytes() == same.read_bytes()
        assert path.stat().st_mtime == same.stat().st_mtime
    for name in TABLES:
        rows = pq.read_table(reduced_run / "out" / "reduced" / f"{name}.parquet").to_pylist()
        own = [row for row in named_run.tables[name] if not NEW & set(map(str, row.values()))]
        assert own == rows, name


def test_stitching_leaves_directions_out(named_run: NamedRun):
    ids = {row[key] for row in named_run.tables["stitching"] for key in ("small_sae_id",
           "large_sae_id")}  # fmt: skip
    assert ids == {"sae-64", "sae-128"}


@pytest.mark.parametrize(("sae_id", "share"), [("word-means", 0.02), ("probes", 0.01)])
def test_every_direction_fires_on_its_share_of_the_tokens(
    sae_id: str, share: float, named_run: NamedRun
):
    latents = named_run.of("latents", sae_id)
    density = np.array([row["count"] / row["tokens_seen"] for row in latents])
    # thresholds are exact on training tokens; a tenth of these are held out, and counts are made in
    # bfloat16: between 5 and 10 thousand tokens, each count has an error of about its square root
    error = np.sqrt(share * latents[0]["tokens_seen"]) / latents[0]["tokens_seen"]
    assert density.mean() == pytest.approx(share, rel=0.03)
    assert np.abs(density - share).max() < 4 * error
    assert named_run.sae(sae_id)["k"] == pytest.approx(share * len(latents))
    assert named_run.sae(sae_id)["l0"] == pytest.approx(share * len(latents), rel=0.1)


def test_labels_are_the_given_names_and_only_words_are_called_words(
    named_run: NamedRun, word_means: Given
):
    for sae_id in ("word-means", "probes"):
        latents = named_run.of("latents", sae_id)
        assert [row["label"] for row in latents] == word_means.names
        assert {row["label_source"] for row in latents} == {"name"}
        kinds = [row["label_kind"] for row in latents]
        # a sentiment and another alphabet; "AND" is the word and
        assert kinds == ["meaning", "word", "meaning", *["word"] * (len(kinds) - 3)]
        assert latents[0]["label_tests"] == 0
        assert sum(row["label_tests"] > 0 for row in latents) > len(latents) / 2


def test_saes_say_what_the_directions_are_and_from_where(named_run: NamedRun):
    words = named_run.sae("word-means")
    assert words["architecture"] == (
        "named directions, each fires on the top 2 % of tokens; means of the reduced run; "
        "CC0 <b>1.0</b>"
    )
    assert words["seed"] is None
    assert words["variance_explained"] < 1
    assert named_run.sae("probes")["architecture"].endswith("tokens; CC0")
    figures = named_run.figures("word-means")
    assert figures["heldout", "variance_explained"]["value"] == pytest.approx(
        words["variance_explained_heldout"], abs=1e-6
    )


def test_the_run_s_meta_sae_is_the_same_on_other_rows(named_run: NamedRun):
    main, applied = named_run.sae(META), named_run.sae(APPLIED)
    assert applied["architecture"] == "batchtopk, trained on rows of sae-128"
    for name in ("decoder_sha256", "threshold", "n_latents", "k", "variance_explained"):
        assert applied[name] == main[name], name
    figures = named_run.figures(APPLIED)
    explained = figures["held-out, named directions", "variance_explained"]
    assert applied["variance_explained_heldout"] == pytest.approx(explained["value"], abs=1e-6)
    null = figures["held-out, covariance-matched Gaussian null", "variance_explained"]
    assert null["ci_low"] < null["value"] < null["ci_high"]
    labels = {row["latent"]: row["label"] for row in named_run.of("latents", META)}
    for row in named_run.of("latents", APPLIED):
        assert row["label"] == labels[row["latent"]]
        assert (row["label_tests"], row["label_auc"], row["label_accuracy"]) == (0, None, None)
        assert row["tokens_seen"] == 60


def test_components_rebuild_the_directions(named_run: NamedRun, word_means: Given):
    work = named_run.folder / "work" / "named"
    (folder,) = work.glob("meta-*")
    units = word_means.rows / np.linalg.norm(word_means.rows, axis=1, keepdims=True)
    for meta_id, place in ((APPLIED, folder), ("meta-word-means", folder / "on-word-means")):
        meta = Dictionary.load(place / "seed-0")
        rebuilt = np.tile(meta.b_dec.numpy(), (len(units), 1))
        parts = [row for row in named_run.tables["components"] if row["meta_sae_id"] == meta_id]
        for part in parts:
            rebuilt[part["latent"]] += part["activation"] * meta.W_dec[part["meta_latent"]].numpy()
        error = ((units - rebuilt) ** 2).sum() / ((units - units.mean(0)) ** 2).sum()
        heldout = named_run.sae(APPLIED)["variance_explained_heldout"]
        own = named_run.sae("meta-word-means")["variance_explained"]
        expected = heldout if meta_id == APPLIED else own
        assert 1 - error == pytest.approx(expected, abs=0.01)  # activations are stored rounded


def test_a_copy_of_the_meta_sae_is_nobody_s_neighbour_and_has_itself_first(named_run: NamedRun):
    rows = named_run.tables["neighbours"]
    assert not [r for r in rows if r["other_sae_id"] == APPLIED and r["sae_id"] != APPLIED]
    first = [
        row
        for row in rows
        if (row["sae_id"], row["other_sae_id"], row["rank"]) == (APPLIED, META, 0)
    ]
    assert [row["other_latent"] for row in first] == [row["latent"] for row in first] != []
    found = {row["other_sae_id"] for row in rows if row["sae_id"] == "probes"}
    assert found >= {"sae-64", "sae-128", "word-means", META}


@pytest.fixture(scope="module")
def other_file(
    tmp_path_factory: pytest.TempPathFactory,
    attempts: Attempts,
    reduced_run: Path,
    reduced_config: Path,
    word_means: Given,
) -> Path:
    """The same run from another format, killed again and again on its way."""
    folder = tmp_path_factory.mktemp("named-parquet")
    save_fixed_lists(folder / "directions.parquet", word_means)
    shutil.copytree(reduced_run / "work" / "reduced", folder / "work" / "named")
    section = SECTION.format(path=folder / "directions.parquet")
    config = folder / "named.toml"
    config.write_text(reduced_config.read_text(encoding="utf-8") + section, encoding="utf-8")
    for seconds in (0.8, 1.6, 2.4, None):
        done = attempts(*making(config, folder), kill_after=seconds)
    assert done.code == 0, done.log
    return folder


def test_another_format_and_kills_give_the_same_content_hash(other_file: Path, named_run: NamedRun):
    one, other = (folder / "out" / "named" for folder in (named_run.folder, other_file))
    assert _without_config(one).content_hash == _without_config(other).content_hash


def test_a_changed_file_makes_new_directions_and_nothing_else(
    other_file: Path, attempts: Attempts, word_means: Given
):
    path, out = other_file / "directions.parquet", other_file / "out" / "named"
    again = attempts(*making(other_file / "named.toml", other_file))
    assert "is complete" in again.log
    assert "thresholds" not in again.log
    (saes,) = (other_file / "work" / "named").glob("saes-*")
    times = {p: p.stat().st_mtime for p in saes.glob("sae-*/*")}
    changed = Given(["renamed", *word_means.names[1:]], word_means.rows[::-1].copy())
    save_fixed_lists(path, changed)
    done = attempts(*making(other_file / "named.toml", other_file))
    assert done.code == 0, done.log
    latents: list[dict[str, Any]] = pq.read_table(out / "latents.parquet").to_pylist()
    for sae_id in ("word-means", "probes"):
        assert [r["label"] for r in latents if r["sae_id"] == sae_id] == changed.names
    assert {p: p.stat().st_mtime for p in saes.glob("sae-*/*")} == times
    path.unlink()  # a finished run does not need it
    assert attempts(*making(other_file / "named.toml", other_file)).code == 0


def test_directions_of_another_model_are_refused_before_anything_is_made(
    tmp_path: Path, attempts: Attempts, reduced_run: Path, reduced_config: Path
):
    save_npz(tmp_path / "d.npz", Given(["a", "b"], np.eye(2, 7, dtype=np.float32)))
    reduced = (reduced_run, reduced_config)
    section = SECTION.split("\n\n")[1]
    done = make_named_run(attempts, tmp_path, reduced, tmp_path / "d.npz", section)
    assert done.code == 1
    assert "directions probes have 7 numbers each, activations at hidden_states[1] have 32" in (
        done.log
    )
    assert "Traceback" not in done.log
    (saes,) = (tmp_path / "work" / "named").glob("saes-*")
    assert not (saes / "probes").exists()
