"""The Errors page's sentences, made from its figures: what is asked and what the numbers say."""

from __future__ import annotations

from collections.abc import Sequence

from backend.experiment_figures import (
    DISTANCE,
    FAIR,
    KL,
    OVER_RANDOM,
    SAE,
    Figures,
    against,
    highest,
    is_above,
    is_below,
)
from backend.experiment_html import value
from backend.records import Record
from backend.text_html import number, percent, safe, tip
from backend.trust_figures import verdict


def cost_of(figures: Figures, subject: str) -> str:
    """The metric that tells cost: KL of a causal model, a distance of embeddings of an encoder."""
    return KL if figures.row(subject, SAE, KL) is not None else DISTANCE


def hardest(figures: Figures, subject: str, metric: str) -> Record | None:
    """Of the fair controls the one that costs most: covariance-matched, or another's error."""
    return highest(figures.of(subject, metric + OVER_RANDOM, FAIR))


def answer(figures: Figures, subject: str) -> str:
    """Whether the SAE's errors hurt more, against both kinds of control, as HTML."""
    metric = cost_of(figures, subject)
    own = figures.row(subject, SAE, metric + OVER_RANDOM)
    if own is None:
        return "The SAE's errors were not compared with random ones."
    fair = hardest(figures, subject, metric)
    isotropic = is_above(own, 1)
    if fair is not None:
        head = _head(isotropic, is_below(own, 1), verdict(own, fair))
    else:
        head = "Yes" if isotropic else "No" if is_below(own, 1) else "Not clearly"
    what = tip("KL") if metric == KL else tip("embedding distance")
    told = [
        f"<b>{head}.</b> The errors of {safe(subject)} cost {value(own, 2)} times the {what} of "
        f"{tip('eps-random')} vectors of the same length."
    ]
    if fair is not None:
        told.append(
            f"That is {against(own, fair)} the hardest control, {tip(fair['setting'])}: "
            f"{value(fair, 2)}."
        )
        if isotropic and verdict(own, fair) != "Yes":
            told.append(
                "A vector that points where activations or errors usually point does as much, so "
                "the cost lies in that, not in what the SAE gets wrong at this very token."
            )
    return " ".join(told)


def widths_answer(figures: Figures, sizes: dict[str, int]) -> str:
    """How the ratio goes from the smallest to the widest SAE, and where the SAE beats controls."""
    found = []
    for subject in sizes:
        metric = cost_of(figures, subject)
        own = figures.row(subject, SAE, metric + OVER_RANDOM)
        if own is not None:
            found.append((own, hardest(figures, subject, metric)))
    if not found:
        return ""
    above = sum(is_above(own, 1) for own, _ in found)
    beaten = sum(fair is not None and verdict(own, fair) == "Yes" for own, fair in found)
    low = min(own["value"] for own, _ in found)
    high = max(own["value"] for own, _ in found)
    return (
        f"The errors of {above} of {len(found)} SAEs cost clearly more than {tip('eps-random')} "
        f"vectors ({number(low)} to {number(high)} times), those of {beaten} of {len(found)} "
        "clearly more than the hardest fair control."
    )


def layers_answer(rows: Sequence[Record], metric: str) -> str:
    """At how many layers the SAE's errors cost more than random ones, and than fair controls.

    Args:
        rows: figures of the experiment at every layer.
        metric: the cost that is compared, e.g. "kl".
    """
    figures = Figures(rows)
    layers = list(dict.fromkeys(row["subject"] for row in rows))
    found = [
        (layer, own, hardest(figures, layer, metric))
        for layer in layers
        if (own := figures.row(layer, SAE, metric + OVER_RANDOM)) is not None
    ]
    if not found:
        return ""
    above = sum(is_above(own, 1) for _, own, _ in found)
    beaten = sum(fair is not None and verdict(own, fair) == "Yes" for _, own, fair in found)
    low, high = (choose(found, key=lambda one: one[1]["value"]) for choose in (min, max))
    return (
        f"At {above} of {len(found)} layers the SAE's errors cost clearly more than "
        f"{tip('eps-random')} vectors, at {beaten} of {len(found)} clearly more than the hardest "
        f"fair control; from {number(low[1]['value'])} times ({safe(low[0])}) to "
        f"{number(high[1]['value'])} times ({safe(high[0])})."
    )


def after_answer(points: Sequence[Record]) -> str:
    """How long a change of one token is felt more than a random one.

    Args:
        points: of the SAE's line of ratios, by token after the change.
    """
    if not points:
        return ""
    lasting = 0
    for row in points:
        if not is_above(row, 1):
            break
        lasting += 1
    if lasting == 0:
        return (
            f"<b>Not there.</b> At the changed token the ratio is {value(points[0])}: no more than "
            "random."
        )
    if lasting == len(points):
        told = f"at all {len(points)} tokens that were watched"
    elif lasting == 1:
        told = "at that token only"
    else:
        told = f"at that token and the next {lasting - 1}"
    return (
        f"Where one token alone is changed, the SAE costs clearly more than eps-random {told}: "
        f"{value(points[0])} times at first, {value(points[-1])} times "
        f"{points[-1]['x']:.0f} tokens later."
    )


def deviations_answer(figures: Figures, subject: str) -> str:
    """What single tokens say against many random vectors each."""
    share = figures.row(subject, SAE, "share above all random draws")
    median = figures.row(subject, SAE, "median deviations above random")
    if share is None or median is None:
        return ""
    ends = f", interval {percent(share['ci_low'])} to {percent(share['ci_high'])}" if (
        share["ci_low"] is not None
    ) else ""  # fmt: skip
    return (
        f"At {percent(share['value'])} of {share['n']:,} tokens{ends} the SAE's error costs more "
        f"than every random vector drawn for it; the median token lies "
        f"{number(median['value'])} {tip('standard deviations', 'deviations')} above their mean."
    )


def tokens_answer(points: Sequence[Record], least: int) -> str:
    """On which tokens the difference is largest.

    Args:
        points: tokens as settings, largest excess first.
        least: how often a token occurs to be named.
    """
    if not points:
        return f"No token occurs {least} times, so none is named."
    clear = [row for row in points if is_above(row, 0)]
    named = ", ".join(f"<code>{safe(row['setting'] or '(empty)')}</code>" for row in clear[:3])
    if not clear:
        return "On no token is the excess clearly above 0."
    return (
        f"On {len(clear)} of the {len(points)} tokens shown the excess is clearly above 0, most on "
        f"{named}. These are the largest of all tokens, so some would be large by chance."
    )


def _head(isotropic: bool, below: bool, fair: str) -> str:
    if below:
        return "No: they hurt less"
    if not isotropic:
        return "Not clearly"
    return {
        "Yes": "Yes, against every control",
        "No": "Only against random directions",
        "Not clearly": "Only against random directions: a fair control is as bad",
    }[fair]
