"""One answer for each family of experiments, made from a run's figures with their control."""

from __future__ import annotations

from collections.abc import Sequence

from backend import (
    absorption_answers,
    edit_html,
    error_answers,
    pursuit_answers,
    resistance_html,
    steering_html,
)
from backend.absorption_answers import CONCEPTS
from backend.experiment_figures import Figures, main_subject, sizes_of
from backend.records import Record

_OF_ROWS = {
    "edits": edit_html.answer_html,
    "steering": steering_html.answer_html,
}


def answer_of(family: str, rows: Sequence[Record], saes: Sequence[Record]) -> str:
    """What a family's page says first, of the SAE that the run is about; HTML.

    Args:
        family: key of `experiment_families.FAMILIES`.
        rows: figures of its first experiment, at least one.
        saes: of the run.
    """
    if family == "resistance":
        return resistance_html.answer_html(rows)
    sizes, figures = sizes_of(rows, saes), Figures(rows)
    subject = main_subject(sizes, saes)
    if family == "errors":
        return error_answers.answer(figures, subject)
    if family == "pursuit":
        return pursuit_answers.answer(figures, subject, is_brief=True)
    if family == "absorption":
        held = absorption_answers.held_concepts(figures, subject)
        concepts = CONCEPTS[held[0] if held else "letters"]
        return absorption_answers.answer(figures, subject, concepts, is_brief=True)
    return _OF_ROWS[family]([row for row in rows if row["subject"] == subject])
