"""Delphi's explanations and scores."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from precompute.imports.delphi import balanced_accuracy_and_f1
from tests.precompute.imports.foreign_files import byte_coded, word
from tests.precompute.imports.importing import refusal, run_import

HOOK = "layers.7"  # what block 7 gives, which block 8 reads: hook_resid_pre of 8


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "data"


def judged(said: bool | None, correct: bool | None, latent: int = 0, fires: bool = True) -> dict:
    return {
        "str_tokens": ["We", byte_coded(f" {word(latent)}"), "\u0120met"],
        "activations": [0.0, 2.0 if fires else 0.0, 0.0],
        "distance": 1,
        "activating": fires,
        "prediction": said,
        "probability": None,
        "correct": correct,
    }


def write(folder: Path, hook: str = HOOK, latents: range = range(32)) -> Path:
    """Explanations and scores by fuzzing of some latents; three of four answers are right."""
    (folder / "explanations").mkdir(parents=True, exist_ok=True)
    (folder / "scores" / "fuzz").mkdir(parents=True, exist_ok=True)
    for latent in latents:
        name = f"{hook}_latent{latent}.txt"
        (folder / "explanations" / name).write_text(json.dumps(f"words like {word(latent)}"))
        rows = [
            judged(True, True, latent),
            judged(False, False, latent),
            judged(False, True, latent, fires=False),
            judged(False, True, latent, fires=False),
            judged(None, None, latent),
        ]
        (folder / "scores" / "fuzz" / name).write_text(json.dumps(rows))
    config = {"model": "openai-community/gpt2", "explainer_model": "some/Explainer-70B"}
    (folder / "run_config.json").write_text(json.dumps(config))
    return folder


def test_explanations_become_labels_by_the_model_that_explained(tmp_path, nameless_run, out):
    done = run_import("delphi", write(tmp_path / "results"), nameless_run, out)
    assert len(done.labels) == 32
    assert done.labels[1]["label"] == "words like berlin"
    assert done.labels[1]["source"] == "delphi"
    assert done.labels[1]["model"] == "some/Explainer-70B"
    assert "imported from Delphi layers.7" in done.labels[1]["note"]


def test_scores_are_worked_out_from_the_judges_answers(tmp_path, nameless_run, out):
    """Of 2 that fire 1 was found, of 2 others none was taken for one: (1/2 + 2/2) / 2 = 0.75;
    F1 = 2 x 1 / (2 true + 1 said) = 2/3. The example without an answer does not count."""
    row = run_import("delphi", write(tmp_path / "results"), nameless_run, out).rows[1]
    [score] = row["scores"]
    assert (score["kind"], score["accuracy"], score["n"]) == ("fuzz", 0.75, 4)
    assert score["f1"] == pytest.approx(2 / 3)
    assert row["examples"] == [
        {"group": "top", "tokens": ["We", " berlin", " met"], "values": [0, 2, 0], "peak": 1}
    ]


def test_figures_that_are_not_defined_are_nan():
    accuracy, f1 = balanced_accuracy_and_f1([(True, True), (False, True)])
    assert math.isnan(accuracy)
    assert f1 == pytest.approx(2 / 3)
    assert all(math.isnan(figure) for figure in balanced_accuracy_and_f1([(False, False)]))


@pytest.mark.parametrize(
    ("content", "explains"),
    [('"words"', True), ("null", False), ('""', False), ("3", False)],
)
def test_an_explanation_is_a_text(tmp_path, nameless_run, out, content, explains):
    folder = write(tmp_path / "results")
    (folder / "explanations" / f"{HOOK}_latent5.txt").write_text(content)
    done = run_import("delphi", folder, nameless_run, out)
    assert any(row["latent"] == "5" for row in done.labels) == explains


@pytest.mark.parametrize("content", ["{", '"cut', "\udcff", "[" * 100_000])
def test_a_damaged_file_is_told_by_name(tmp_path, nameless_run, out, content):
    folder = write(tmp_path / "results")
    path = folder / "explanations" / f"{HOOK}_latent5.txt"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert f"{path}: not JSON" in refusal("delphi", folder, nameless_run, out)


def test_another_model_layer_or_latent_is_refused(tmp_path, nameless_run, out):
    folder = write(tmp_path / "a", "layers.8")
    assert "layers.8 is another place than" in refusal("delphi", folder, nameless_run, out)
    folder = write(tmp_path / "b")
    (folder / "run_config.json").write_text('{"model": "EleutherAI/pythia-70m"}')
    assert "about the model EleutherAI/pythia-70m" in refusal("delphi", folder, nameless_run, out)
    folder = write(tmp_path / "c")
    (folder / "explanations" / f"{HOOK}_latent32.txt").write_text('"x"')
    assert "latent 32, but sae-32 has 32" in refusal("delphi", folder, nameless_run, out)


def test_of_several_hookpoints_one_is_named(tmp_path, nameless_run, out):
    folder = write(write(tmp_path / "results"), "layers.3.mlp", range(2))
    assert "several hookpoints: layers.3.mlp, layers.7" in refusal(
        "delphi", folder, nameless_run, out
    )
    assert "has no hookpoint x" in refusal("delphi", folder, nameless_run, out, source="x")
    assert len(run_import("delphi", folder, nameless_run, out, source=HOOK).labels) == 32


def test_scores_of_another_kind_are_counted_not_read(tmp_path, nameless_run, out):
    folder = write(tmp_path / "results")
    other = folder / "scores" / "simulation"
    other.mkdir()
    (other / f"{HOOK}_latent1.txt").write_text('{"ev_correlation_score": 0.5}')
    report = run_import("delphi", folder, nameless_run, out).report
    assert "1 files of scores are of a kind that is not read" in report


def test_labels_alone_prove_nothing(tmp_path, nameless_run, out):
    folder = write(tmp_path / "results")
    for file in (folder / "scores" / "fuzz").iterdir():
        file.unlink()
    assert "--trust-width" in refusal("delphi", folder, nameless_run, out)
