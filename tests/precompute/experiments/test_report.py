"""The README's tables of experiments: which lines they have, and that nothing is made up."""

from __future__ import annotations

from typing import Any

from precompute.experiments.report import experiment_lines


def _found(*keys: tuple[str, str, str, str, float]) -> dict[tuple[str, str, str, str], Any]:
    return {
        (experiment, subject, setting, metric): {
            "value": number,
            "ci_low": number - 0.125,
            "ci_high": number + 0.125,
            "n": 1200,
        }
        for experiment, subject, setting, metric, number in keys
    }


def test_a_table_is_of_the_decomposed_sae_with_a_column_for_each_metric_that_is_there() -> None:
    found = _found(
        ("errors", "sae-8", "SAE", "kl", 9.0),
        ("errors", "sae-32", "SAE", "kl", 0.5),
        ("errors", "sae-32", "eps-random", "kl", 0.25),
        ("errors", "sae-32", "eps-random", "ce rise", 1.0),
    )
    assert experiment_lines(found, "sae-32") == [
        "",
        "| in place of the activations | KL, nats | CE rise, nats | n |",
        "|---|---|---|---|",
        "| SAE | 0.500 (0.375 to 0.625) | - | 1,200 |",
        "| eps-random | 0.250 (0.125 to 0.375) | 1.000 (0.875 to 1.125) | 1,200 |",
    ]


def test_a_table_by_subject_names_the_setting_where_there_are_several() -> None:
    one = _found(("dead latents", "nothing", "300 steps", "dead latents", 0.25))
    assert experiment_lines(one, "sae-32")[-1].startswith("| nothing | 0.250 ")
    found = _found(
        ("toy models", "relu", "superposition", "recovered", 1.0),
        ("toy models", "relu", "hierarchical", "recovered", 0.25),
    )
    first, second = experiment_lines(found, "sae-32")[-2:]
    assert first.startswith("| hierarchical: relu | 0.250 ")
    assert second.startswith("| superposition: relu | 1.000 ")


def test_a_table_by_subject_may_have_some_settings_alone() -> None:
    found = _found(
        ("errors by layer", "layer 2", "SAE", "kl", 0.5),
        ("errors by layer", "layer 1", "SAE", "kl", 0.25),
        ("errors by layer", "layer 1", "zero", "kl", 4.0),
    )
    first, second = experiment_lines(found, "sae-32")[-2:]  # "zero" is on the page, not here
    assert first.startswith("| SAE: layer 1 | 0.250 ")
    assert second.startswith("| SAE: layer 2 | 0.500 ")


def test_settings_that_hold_only_other_figures_have_no_line() -> None:
    found = _found(
        ("absorption", "sae-32", "model", "first letters right", 0.5),
        ("absorption", "sae-32", "latents", "splits", 2.0),
    )
    lines = experiment_lines(found, "sae-32")
    assert [line for line in lines if "letters right" in line or "| model" in line] == []
    assert lines[-1] == "| latents | 2.000 (1.875 to 2.125) | 1,200 |"


def test_a_run_without_experiments_has_no_table() -> None:
    assert experiment_lines(_found(("meta_sae", "meta-4", "in-sample", "kl", 1.0)), "sae-32") == []
