"""The pages of experiments: answers of planted figures, empty runs, wrong and hostile addresses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backend.experiment_families import FAMILIES
from backend.manifest import read_manifest
from backend.schema import TABLES
from precompute.writer import write_manifest, write_table
from tests.experimented import encoder_rows
from tests.hostile import HTML, SQL
from tests.pages.conftest import Opened
from tests.planted import HOSTILE, Row

Open = Callable[..., Opened]
PAGES = ("errors", "pursuit", "absorption")
EXPERIMENTS = {name for family in FAMILIES.values() for name in family.experiments}
LINES = ("curves", "edits", "continuations", "concerned")


def run_with(
    fixture_run: Path, folder: Path, change: Callable[[list[Row]], list[Row]], lines: bool = True
) -> Path:
    """A data folder with the planted run, its measurements changed; `lines`: other rows stay."""
    copy = Path(shutil.copytree(fixture_run, folder / "planted"))
    files = dict(read_manifest(copy).files)
    tables = {"measurements": change(pq.read_table(copy / "measurements.parquet").to_pylist())}
    tables |= {} if lines else {name: [] for name in LINES}
    for name, rows in tables.items():
        columns = {c.name: [row[c.name] for row in rows] for c in TABLES[name].columns}
        files[name] = write_table(copy, name, columns)
    write_manifest(copy, replace(read_manifest(copy), files=files))
    return folder


def without_experiments(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["experiment"] not in EXPERIMENTS]


@pytest.mark.parametrize(
    ("page", "question", "answers", "charts"),
    [
        (
            "errors",
            "Do an SAE's errors hurt more than random ones of the same size?",
            (
                "Only against random directions: a fair control is as bad. The errors of sae-32",
                "The errors of 2 of 2 SAEs cost clearly more",
                "At 3 of 3 layers the SAE's errors cost clearly more",
                "at all 5 tokens that were watched: 4.00",
                "On 3 of the 3 tokens shown",
                "At 25.0 % of 4 tokens",
            ),
            9,
        ),
        (
            "pursuit",
            "Is the encoder the bottleneck?",
            ("In part. On the directions of sae-32", "more than the encoder in 1 of 2 SAEs"),
            4,
        ),
        (
            "absorption",
            "Do latents go silent where they should fire?",
            (
                "Yes, on some words. In sae-32, on 12.0 %",
                "More in wider SAEs. sae-8",
                "By effects on the answer 8.0 %",
                "In sae-32 a letter needs 1.50",
                "has a cosine of 0.40",
            ),
            6,
        ),
    ],
)
def test_a_page_opens_with_its_question_and_answers_from_the_figures(
    opened: Open, page: str, question: str, answers: tuple[str, ...], charts: int
) -> None:
    shown = opened(page)
    assert shown.heading == question
    places = [shown.words.index(words) for words in (question, *answers, "All values")]
    assert places == sorted(places)
    assert len(shown.app.get("plotly_chart")) == charts
    assert 'class="notice' not in shown.html
    assert '<a href="experiments?run=planted" aria-current="page">Experiments</a>' in shown.html


@pytest.mark.parametrize("page", PAGES)
def test_another_sae_is_shown_when_the_address_names_it(opened: Open, page: str) -> None:
    shown = opened(page, sae="sae-8")
    assert "<b>sae-8</b>" in shown.html
    assert f'href="{page}?run=planted&amp;' in shown.html
    assert "sae=sae-8&amp;h=" in shown.html  # what copy link copies
    assert 'class="notice' not in shown.html


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("sae", ["meta-4", f"{HTML[0]}{SQL[0]}\u202e"])
def test_a_wrong_sae_gives_a_message_and_the_default(opened: Open, page: str, sae: str) -> None:
    shown = opened(page, sae=sae, metric=sae, concept=sae)
    assert "There are no figures of" in shown.words and "showing sae-32 instead" in shown.words
    assert "<b>sae-32</b>" in shown.html
    assert "<script" not in shown.html and "<img" not in shown.html
    assert "\u202e" not in shown.html


def test_errors_can_be_told_as_the_rise_of_ce(opened: Open) -> None:
    shown = opened("errors", metric="ce rise")
    assert "<b>rise of CE</b>" in shown.html
    assert "rise of CE, nats" in shown.app.get("plotly_chart")[0].proto.spec


def test_layers_are_drawn_in_their_order_with_what_the_address_asks_for(opened: Open) -> None:
    """Of both lines, every token changed and one; layer 10 comes after layer 2."""
    charts = opened("errors", metric="ce rise").app.get("plotly_chart")[2:4]
    for chart, words in zip(charts, ("every token changed", "one token changed"), strict=True):
        spec = json.loads(chart.proto.spec)
        assert words in spec["layout"]["yaxis"]["title"]["text"]
        own = next(line for line in spec["data"] if line.get("name") == "SAE")
        assert (own["x"], own["y"]) == ([1, 2, 10], [2.0, 4.0, 4.0])


def test_a_run_without_layers_says_how_to_make_them(
    opened: Open, fixture_run: Path, tmp_path: Path
) -> None:
    def without(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["experiment"] != "errors by layer"]

    shown = opened("errors", run_with(fixture_run, tmp_path, without))
    assert "[experiments.layers]" in shown.words
    assert len(shown.app.get("plotly_chart")) == 7


def test_absorption_is_told_of_classes_too(opened: Open) -> None:
    shown = opened("absorption", concept="classes")
    assert "Not more than by chance. In sae-32, on 3.0 %" in shown.words
    assert "Do absorbing latents stand for a kind of it? " in shown.words
    assert "And by its effect on the answer?" not in shown.words  # of letters only


@pytest.mark.parametrize("page", PAGES)
def test_hostile_names_are_escaped_in_text_and_figures(opened: Open, page: str) -> None:
    shown = opened(page)
    assert "<script>alert" not in shown.html
    assert HOSTILE[0] in shown.words or page == "pursuit"
    for chart in shown.app.get("plotly_chart"):
        assert "<script>alert" not in chart.proto.spec.replace("\\u003c", "<")


def test_an_encoder_has_distances_instead_of_kl(
    opened: Open, fixture_run: Path, tmp_path: Path
) -> None:
    data = run_with(fixture_run, tmp_path, encoder_rows, lines=False)
    shown = opened("errors", data)
    assert "times the embedding distance of eps-random" in shown.words
    assert "measured as" not in shown.words
    assert len(shown.app.get("plotly_chart")) == 3  # the bars, the widths and the layers
    assert "in which independent noise averages out" in shown.words
    shown = opened("pursuit", data)
    assert "of the embedding beyond the encoder's" in shown.words


@pytest.mark.parametrize("page", [*PAGES, "experiments"])
def test_a_run_without_experiments_says_how_to_make_them(
    opened: Open, fixture_run: Path, tmp_path: Path, page: str
) -> None:
    shown = opened(page, run_with(fixture_run, tmp_path, without_experiments, lines=False))
    assert shown.heading
    assert "python -m precompute run" in shown.words
    n_missing = len(FAMILIES) if page == "experiments" else 1
    assert shown.html.count('class="notice') == n_missing
    assert len(shown.app.get("plotly_chart")) == 0


@pytest.mark.parametrize("page", PAGES)
def test_figures_without_lines_leave_their_sections_out(
    opened: Open, fixture_run: Path, tmp_path: Path, page: str
) -> None:
    shown = opened(page, run_with(fixture_run, tmp_path, list, lines=False))
    assert '<p class="answer"><b>' in shown.html


def test_the_overview_answers_every_family_and_links_to_it(opened: Open) -> None:
    shown = opened("experiments")
    for family in FAMILIES.values():
        assert f'href="{family.path}?run=planted"' in shown.html
        assert family.question in shown.words
    assert shown.html.count("<p class='answer'><b>") == len(FAMILIES)
    assert 'class="notice' not in shown.html


def test_a_family_that_is_missing_is_named_and_the_others_stay(
    opened: Open, fixture_run: Path, tmp_path: Path
) -> None:
    def without_errors(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["experiment"] != "errors"]

    data = run_with(fixture_run, tmp_path, without_errors)
    shown = opened("experiments", data)
    assert "This run holds of it only: errors by layer." in shown.words
    assert shown.html.count('class="notice') == 0
    shown = opened("errors", data)
    assert "[experiments.errors]" in shown.words and "At 3 of 3 layers" in shown.words
    run_with(data / "planted", tmp_path / "neither", without_experiments)
    shown = opened("experiments", tmp_path / "neither")
    assert "[experiments.errors]" in shown.words


def test_a_latent_and_a_meta_latent_name_the_experiments_that_concern_them(opened: Open) -> None:
    shown = opened("latent", sae="sae-32", latent="0")
    assert "Experiments on this latent" in shown.words
    assert (
        "absorption , letter e: absorbs: 0.12 share of words absorbed n = 25, sae-32" in shown.words
    )
    assert 'href="absorption?run=planted&amp;sae=sae-32"' in shown.html
    assert "<script>alert" not in shown.html
    shown = opened("meta", sae="meta-4", latent="0")
    assert "Experiments on this meta-latent" in shown.words
    for page, sae in (("latent", "sae-32"), ("meta", "meta-4")):
        assert "Experiments on this" not in opened(page, sae=sae, latent="1").words


def test_an_embedded_page_has_its_question_and_no_bars(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "streamlit.runtime.context.ContextProxy.is_embedded", property(lambda _: True)
    )
    shown = opened("errors")
    assert shown.heading.startswith("Do an SAE's errors")
    assert "Copy link" not in shown.words and "Overview" not in shown.words
