"""The Edits page as HTML: the answer, what it rests on, and scores by method."""

from __future__ import annotations

from collections.abc import Sequence

from backend.edit_figures import (
    CAUSE,
    CEILING,
    DISENTANGLE,
    ISOLATE,
    METHODS,
    NO_ERROR,
    NOTHING,
    NOTHING_SCORE,
    RANDOM_META,
    Methods,
    attribute_scores,
    beats_controls,
    best_meta,
    best_other,
    controls_of,
    kind_of,
    plain_method,
    scores,
    short_name,
)
from backend.experiment_html import value
from backend.lists_html import facts_html, table_html
from backend.records import Record
from backend.text_html import MISSING, notice, number, percent, safe, tip
from backend.trust_bars import CIRCLE, UNIT, Bar, plot_html
from backend.trust_figures import verdict
from backend.trust_html import known_tip, section_html

KEYS = {"own": "meta-latents", "other": "without meta-latents", "null": "control"}
PUBLISHED = (
    "The published case (Bussmann et al. 2024; GPT-2 small, one meta-SAE, three cities, "
    "log-probabilities only): with three of Tokyo's meta-latents taken away and one of Paris's put "
    "in, language and currency became those of Paris, country and continent stayed. All sets of "
    "meta-latents were tried there, and five patterns of answers found."
)
ANSWERED = "answered right"
TWO_LATENTS, FIRES = "pairs with two latents", "prompts with the latent"


def answer_html(rows: Sequence[Record]) -> str:
    """Whether edits by meta-latents beat the controls, and what else would do, as HTML.

    Args:
        rows: of the experiment on one SAE.
    """
    found = scores(rows, DISENTANGLE)
    best, other = best_meta(found), best_other(found)
    if best is None and other is None:
        return "No edit was scored."
    if best is None or other is None:
        only = best or other
        assert only is not None
        why = "" if best else "This SAE was not decomposed, so nothing was edited by meta-latents. "
        return (
            f"{why}The best edit ({safe(only['setting'])}) has a "
            f"{tip('disentangle score')} of {value(only)}; doing nothing has "
            f"{number(NOTHING_SCORE)}{_beside(only['setting'], found)}."
        )
    method = best["setting"]
    told = [
        f"<b>{beats_controls(best, found)}.</b> The best edit by meta-latents ({safe(method)}) has "
        f"a {tip('disentangle score')} of {value(best)}; doing nothing has "
        f"{number(NOTHING_SCORE)} by definition{_beside(method, found)}."
    ]
    causes, isolates = scores(rows, CAUSE), scores(rows, ISOLATE)
    if method in causes and method in isolates:
        told.append(
            f"It changes {number(100 * causes[method]['value'], 0)} % of the facts it aims at and "
            f"keeps {number(100 * isolates[method]['value'], 0)} % of the others."
        )
    than = {"Yes": "better than", "No": "worse than"}.get(
        verdict(best, other), "not clearly different from"
    )
    told.append(
        f"That is {than} the best method without meta-latents, {safe(other['setting'])}: "
        f"{value(other)}."
    )
    return " ".join(told)


def facts_of(rows: Sequence[Record]) -> str:
    """What all edits rest on: whether the model knows the facts, and entities have latents."""
    found = {row["metric"]: row for row in rows}
    named = (
        (ANSWERED, "facts that the untouched model knows", None),
        (TWO_LATENTS, "pairs whose entities have different latents", "latent"),
        (FIRES, "prompts on which the entity's latent fires", "latent"),
    )
    facts = [(percent(found[metric]["value"]), words, term)
             for metric, words, term in named if metric in found]  # fmt: skip
    return facts_html(facts) if facts else ""


def scores_section(rows: Sequence[Record]) -> str:
    """The disentangle score of every method: bars with intervals, circles without error term."""
    found = scores(rows, DISENTANGLE)
    causes, isolates = scores(rows, CAUSE), scores(rows, ISOLATE)
    bars = []
    for method, row in found.items():
        if method != plain_method(method) and plain_method(method) in found:
            continue  # the circle of its method
        hollow = found.get(method + NO_ERROR)
        note = ""
        if method in causes and method in isolates:
            note = (
                f"{CAUSE} {number(causes[method]['value'])}, "
                f"{ISOLATE} {number(isolates[method]['value'])}"
            )
        beside = hollow["value"] if hollow else None
        bars.append(Bar(method_html(method), row, kind_of(method), beside, note))
    keys = {**KEYS, **({CIRCLE: "SAE's error left out"} if _has_circle(bars) else {})}
    told = (
        f"{tip('Disentangle', 'disentangle score')} is the mean of {tip(CAUSE)} (the fact aimed at "
        f"changed) and {tip(ISOLATE)} (the other facts stayed). Which meta-latents to move, and "
        "how far along a direction to go, was chosen on other wordings or entities than those "
        "judged. Controls: nothing, random directions of equal norm, and meta-latents dealt at "
        "random but chosen alike. Lines: 95 % intervals, entities drawn again."
    )
    axis = "disentangle score; 0.5 is doing nothing (n = facts edited)"
    return section_html(
        "Which edit disentangles best?", told, "", plot_html(bars, UNIT, axis, keys)
    )


def attributes_html(rows: Sequence[Record], score: str) -> str:
    """One score for every table and attribute, a column a method; the best is bold."""
    found = attribute_scores(rows, score)
    if not found:
        return notice("This run holds no scores for single attributes.")
    some = {method for methods in found.values() for method in methods}
    methods = [method for method in METHODS if method in some]
    heads = [("table / attribute", None), *((short_name(m), None) for m in methods)]
    cells = []
    for where, own in found.items():
        edits = [name for name in methods if name in own and name not in (NOTHING, CEILING)]
        best = max((own[name]["value"] for name in edits), default=None)
        cells.append(
            [
                safe(where.replace("/", " / ")),
                *(_score_cell(own[m], best, m in edits) if m in own else MISSING for m in methods),
            ]
        )
    return table_html(heads, cells)


def method_html(method: str) -> str:
    """A method with its meaning."""
    plain = plain_method(method)
    rest = f"<small>{safe(method.removeprefix(plain))}</small>" if method != plain else ""
    term = {"nothing": "no edit", "random": "random edit"}.get(plain, plain)
    if plain.endswith(RANDOM_META):
        term = RANDOM_META.removeprefix(", ")
    return known_tip(plain, term) + rest


def _beside(method: str, found: Methods) -> str:
    """What the controls of a method reach, in words."""
    told = [
        ("random meta-latents" if row["setting"].endswith(RANDOM_META) else "random directions")
        + f" {value(row)}"
        for row in controls_of(method, found)
        if row["setting"] == plain_method(row["setting"])
    ]
    return f", {', '.join(told)}" if told else ""


def _score_cell(row: Record, best: float | None, is_edit: bool) -> str:
    told = number(row["value"])
    return f"<b>{told}</b>" if is_edit and row["value"] == best else told


def _has_circle(bars: Sequence[Bar]) -> bool:
    return any(bar.beside is not None for bar in bars)
