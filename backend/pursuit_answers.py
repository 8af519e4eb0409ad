"""The Pursuit page's sentences, made from its figures."""

from __future__ import annotations

from backend.experiment_figures import (
    EMBEDDING,
    ENCODER,
    GAIN,
    LOSS,
    SEARCHES,
    VARIANCE,
    Figures,
    highest,
    is_above,
    is_below,
)
from backend.experiment_html import value
from backend.records import Record
from backend.text_html import number, percent, safe, tip

REFITTED = "encoder, refitted"


def effect_of(figures: Figures, subject: str) -> str:
    """The metric that tells what the model makes of it: loss, or embeddings of an encoder."""
    return LOSS if figures.row(subject, ENCODER, LOSS) is not None else EMBEDDING


def best_search(figures: Figures, subject: str) -> Record | None:
    """Of the searches without an encoder, the one of the largest gain."""
    return highest(figures.of(subject, GAIN, SEARCHES))


def answer(figures: Figures, subject: str, is_brief: bool = False) -> str:
    """Whether a search over the same directions gives back more than the encoder, as HTML.

    Args:
        is_brief: only the gain and its control.
    """
    best = best_search(figures, subject)
    metric = effect_of(figures, subject)
    own = figures.row(subject, ENCODER, metric)
    if best is None or own is None:
        return "No search over this SAE's directions was made."
    if is_above(best, 0):
        head, gives = "In part", "gives back more than the encoder"
    elif is_below(best, 0):
        head, gives = "No", "gives back less than the encoder"
    else:
        head, gives = "Not clearly", "gives back no clearly different share"
    l0 = figures.row(subject, ENCODER, "l0")
    alike = f" with as many latents ({tip('L0')} {number(l0['value'], 1)})" if l0 else ""
    lost = 1 - own["value"]
    told = [
        f"<b>{head}.</b> On the directions of {safe(subject)} the better search, "
        f"{tip(best['setting'])}, {gives}{alike}: {value(best, 3)} of the {_whole(metric)} beyond "
        f"the encoder's {value(own, 3)}."
    ]
    if is_brief:
        return " ".join([*told, *_controls(figures, subject, best)])
    if is_above(best, 0) and best["value"] < lost:
        told.append(
            f"That is {percent(best['value'] / lost)} of what the encoder loses: the rest no "
            "choice made here finds in these directions."
        )
    return " ".join([*told, *_controls(figures, subject, best), *_variance(figures, subject, best)])


def widths_answer(figures: Figures, sizes: dict[str, int]) -> str:
    """In how many SAEs a search beats the encoder, and in how many it loses."""
    found = [row for subject in sizes if (row := best_search(figures, subject)) is not None]
    if not found:
        return ""
    above, below = sum(is_above(r, 0) for r in found), sum(is_below(r, 0) for r in found)
    return (
        f"The better search gives back clearly more than the encoder in {above} of {len(found)} "
        f"SAEs and clearly less in {below}: {number(min(r['value'] for r in found), 3)} to "
        f"{number(max(r['value'] for r in found), 3)}."
    )


def _controls(figures: Figures, subject: str, best: Record) -> list[str]:
    """How much of a gain the encoder's own latents reach with better weights."""
    refitted = figures.row(subject, REFITTED, GAIN)
    if refitted is None:
        return []
    told = (
        f"The control keeps the encoder's latents and only weighs them anew "
        f"({tip(REFITTED)}): {value(refitted, 3)}"
    )
    if not is_above(best, 0):
        return [f"{told}."]
    if is_above(refitted, 0) and best["value"] > 0:
        return [f"{told}, {percent(refitted['value'] / best['value'])} of the gain."]
    return [f"{told}, so the gain is in which latents are chosen."]


def _variance(figures: Figures, subject: str, best: Record) -> list[str]:
    """Whether variance and effect on the model disagree."""
    own = figures.row(subject, ENCODER, VARIANCE)
    other = figures.row(subject, best["setting"], VARIANCE)
    if own is None or other is None:
        return []
    told = (
        f"The search's {tip('variance explained')} is {value(other, 3)}, the encoder's "
        f"{value(own, 3)}"
    )
    gains = other["value"] > own["value"]
    if gains and not is_above(best, 0):
        return [f"{told}: it rebuilds more without helping the model more."]
    return [f"{told}."]


def _whole(metric: str) -> str:
    return tip("loss", LOSS) if metric == LOSS else tip("embedding", EMBEDDING)
