"""The Trust page, and what other pages say of it, with all rows, with few and with none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from app_pages.chosen import default_sae
from backend.manifest import read_manifest
from backend.schema import TABLES
from precompute.writer import write_manifest, write_table
from tests.pages.conftest import Opened
from tests.planted import HOSTILE, NO_COMPONENT

Open = Callable[..., Opened]
TRUST = {"controls", "methods", "width_sweep", "k", "attributes", "explained", "relations"}
TRUST |= {"composition", "sampling", "decomposition", "labels"}


def run_with(fixture_run: Path, folder: Path, experiments: set[str]) -> Path:
    """A data folder with the planted run, of whose Trust rows only some experiments are left."""
    copy = Path(shutil.copytree(fixture_run, folder / "planted"))
    files = dict(read_manifest(copy).files)
    rows = pq.read_table(copy / "measurements.parquet").to_pylist()
    kept = [row for row in rows if row["experiment"] in experiments]
    names = [column.name for column in TABLES["measurements"].columns]
    columns = {name: [row[name] for row in kept] for name in names}
    files["measurements"] = write_table(copy, "measurements", columns)
    for table in ("cosine_histograms", "other_decompositions"):
        empty = {column.name: [] for column in TABLES[table].columns}
        files[table] = write_table(copy, table, empty)
    write_manifest(copy, replace(read_manifest(copy), files=files))
    return folder


def test_trust_answers_every_question(opened: Open) -> None:
    page = opened("trust")
    assert page.heading == "How far can you trust it?"
    for question, answer in (
        ("Is it more than chance?", "Yes. Held out, the meta-SAE explains 0.47"),
        ("better than simpler methods?", "Than some. Its variance explained is 0.47"),
        ("Would another size do better?", "is widest at 4 meta-latents"),
        ("And with k = 1?", "With k = 1 the margin"),
        ("Does another seed find the same meta-latents?", "35.0 % of the meta-latents"),
        ("Do the parts stand for facts?", "Yes. The meta-SAE's parts reach 0.71"),
        ("Are the components known facts?", "20.0 % of the strongest components"),
        ("Do the names say what members have in common?", "Yes. Names of meta-4 tell held-out"),
        ("just latents of smaller SAEs?", "Here that is sae-8"),
        ("Do both relate the same latents?", "At most 30.0 % of the pairs"),
        ("Which SAE is the most composed?", "sae-32 , with 0.50"),
        ("Does it matter which rows training draws?", "Counting rows alike, training on"),
    ):
        assert page.words.index(question) < page.words.index(answer)
    assert len(page.app.get("plotly_chart")) == 2  # the sweep and the cosines
    assert 'class="notice' not in page.html


@pytest.mark.parametrize(
    ("panel", "told"),
    [
        ("meta", "Here that is sae-8"),
        ("latents", "Latents of sae-32 with a direction"),
        ("within", "Directions with another direction of the same dictionary"),
        ("<script>", "Here that is sae-8"),  # unknown: the first
    ],
)
def test_the_cosines_have_three_panels(opened: Open, panel: str, told: str) -> None:
    page = opened("trust", cosines=panel)
    assert told in page.words
    assert "<script>" not in page.html
    assert 'href="trust?run=planted&amp;cosines=within"' in page.html or panel == "within"


def test_hostile_settings_are_escaped(opened: Open) -> None:
    page = opened("trust")
    assert "<script>alert" not in page.html
    assert HOSTILE[0] in page.words  # an attribute of that name, as text


def test_a_run_without_any_control_says_so_once(
    opened: Open, fixture_run: Path, tmp_path: Path
) -> None:
    page = opened("trust", run_with(fixture_run, tmp_path, {"stitching"}))
    assert page.heading == "How far can you trust it?"
    assert "This run holds no controls" in page.words
    assert page.html.count('class="notice') == 1
    assert len(page.app.get("plotly_chart")) == 0


@pytest.mark.parametrize("missing", sorted(TRUST - {"decomposition"}))
def test_a_missing_experiment_is_named_and_the_others_stay(
    opened: Open, fixture_run: Path, tmp_path: Path, missing: str
) -> None:
    page = opened("trust", run_with(fixture_run, tmp_path, TRUST - {missing}))
    assert f"no rows of the experiment “{missing}”" in page.words
    # here the cosines are missing too; seeds still have the stability of components
    assert "no rows of the experiment “cosine_histograms”" in page.words
    assert page.html.count('class="notice') == 2


def test_the_overview_and_the_side_bar_link_to_it(opened: Open) -> None:
    page = opened()
    assert '<a href="trust?run=planted">All controls of this run</a>' in page.html
    assert '<a href="trust?run=planted" aria-current="page">Trust</a>' in opened("trust").html


def test_a_latent_is_shown_by_other_methods_after_its_decomposition(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent="0")
    places = [page.words.index(head) for head in (
        "3 components", "The same latent by other methods", "pursuit on sae-8 0.50", "Examples",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "Ancestors : einstein sae-8, cosine 0.99" in page.words
    assert "<script>alert" not in page.html


def test_a_latent_without_component_or_decomposition_has_no_cards(opened: Open) -> None:
    for sae, latent in (("sae-32", str(NO_COMPONENT)), ("sae-8", "0")):
        assert "by other methods" not in opened("latent", sae=sae, latent=latent).words


def test_a_run_without_other_methods_says_so_on_a_latent(
    opened: Open, fixture_run: Path, tmp_path: Path
) -> None:
    page = opened("latent", run_with(fixture_run, tmp_path, TRUST), sae="sae-32", latent="0")
    assert "This run holds no decomposition of this latent by another method." in page.words


def test_an_address_without_an_sae_means_the_widest_and_not_a_control() -> None:
    saes = [
        {"sae_id": sae_id, "kind": kind, "parent_sae_id": parent, "n_latents": n}
        for sae_id, kind, parent, n in (
            ("sae-8", "sae", None, 8), ("words-16", "sae", None, 16), ("sae-32", "sae", None, 32),
            ("sae-64", "sae", None, 64), ("meta-4", "meta", "sae-32", 4),
            ("meta-words-2", "meta", "words-16", 2),
        )
    ]  # fmt: skip
    for kind, wanted in (("sae", "sae-32"), ("meta", "meta-4")):
        own = {sae["sae_id"]: sae for sae in saes if sae["kind"] == kind}
        assert default_sae(saes, own) == wanted
