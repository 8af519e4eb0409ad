"""The Steering page as HTML: the answer, methods compared, and what the model wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backend.experiment_html import value
from backend.lists_html import table_html
from backend.records import Record, grouped
from backend.steering_figures import (
    AT_DAMAGE,
    GAIN,
    IN_TEXTS,
    METHODS,
    ON_FRONT,
    RANDOM,
    Point,
    best,
    summary,
)
from backend.text_html import notice, number, percent, plain, safe, tip
from backend.trust_bars import Bar, plot_html, scale_of
from backend.trust_figures import bounds, verdict
from backend.trust_html import known_tip, section_html

VECTOR = "vector"
OURS = ("single latent", "single meta-latent", "chosen latents")
OPEN = ("untouched", VECTOR, "single meta-latent", RANDOM)  # of what was written
KEYS = {"own": "latents and meta-latents", "other": "vector and what is left of it",
        "null": "random directions"}  # fmt: skip
PUBLISHED = (
    "Published (Conmy and Nanda 2024, GPT-2 XL): one anger latent steered better at every damage "
    "than the anger vector; for weddings the reconstruction was slightly worse than the vector, "
    "chosen latents clearly worse, and the vector without irrelevant latents better."
)


def answer_html(rows: Sequence[Record]) -> str:
    """Which method has the largest effect for the same damage, as HTML.

    Args:
        rows: of the experiment on one SAE.
    """
    found = summary(rows, AT_DAMAGE)
    first = best(found)
    if first is None:
        return "No method was compared at the same damage."
    gains = summary(rows, GAIN)
    close = _close(first, found, gains)
    random = found.get(RANDOM)
    than_random = verdict(first, random) if random is not None else _above_zero(first)
    name = safe(first["setting"])
    if than_random != "Yes":
        told = (
            f"<b>None, clearly.</b> For 0.1 nats of {tip('damage')} the largest "
            f"{tip('effect', 'steering effect')} is that of the {name}, {value(first)}"
        )
        if random is not None:
            told += f", and random directions of the same length reach {value(random)}"
        return f"{told}."
    told = (
        f"<b>{'The ' + name if not close else 'Not one alone'}.</b> For 0.1 nats of "
        f"{tip('damage')} the {name} has the largest {tip('effect', 'steering effect')}, "
        f"{value(first)}"
    )
    told += f"; random directions have {value(random)}." if random is not None else "."
    if close:
        told += f" Not clearly behind: {safe(', '.join(close))}."
    return f"{told} {_meta_words(found)}".strip()


def methods_section(rows: Sequence[Record]) -> str:
    """Effect at the same damage: a bar a method, with its share of the front below the name."""
    found, front = summary(rows, AT_DAMAGE), summary(rows, ON_FRONT)
    question = "Which has the largest effect for the same damage?"
    if not found:
        return f"<h2>{question}</h2>" + notice("This run holds no comparison at the same damage.")
    bars = [
        Bar(
            method_html(method),
            row,
            kind_of(method),
            note=f"{percent(front[method]['value'])} of the Pareto front"
            if method in front
            else "",
        )
        for method, row in found.items()
    ]
    told = (
        f"Where each method's line crosses 0.1 nats of {tip('damage')}, the mean over concepts; "
        f"below the name its part of the {tip('Pareto front')}. Lines: 95 % intervals, concepts "
        "drawn again."
    )
    axis = f"{tip('effect', 'steering effect')} at 0.1 nats of damage (n = concepts)"
    return section_html(question, told, "", plot_html(bars, scale_of(bars), axis, KEYS))


def points_html(points: Sequence[Point]) -> str:
    """Every point of the lines as a table, folded up; those of the front are bold."""
    if not points:
        return ""
    heads = (
        ("method", None),
        ("strength", "strength"),
        ("damage", "damage"),
        ("effect", "steering effect"),
        ("n", None),
        ("Pareto front", "Pareto front"),
    )
    cells = [
        (
            safe(p.method),
            number(p.strength),
            number(p.damage["value"], 3),
            value(p.effect, 3),
            f"{p.effect['n']:,}",
            "<b>yes</b>" if p.is_on_front else "no",
        )
        for p in points
    ]
    return (
        f"<details class='fold'><summary>The {len(points)} points as a table</summary>"
        f"{table_html(heads, cells)}</details>"
    )


def written_html(rows: Sequence[Record], concept: str) -> str:
    """What the model wrote when steered towards one concept, by method and strength.

    Args:
        rows: of `continuations`, each with its `method`; strength 0 is the untouched model.
        concept: whose words are marked; untrusted like all of it.
    """
    if not rows:
        return notice("This run holds no texts that were written towards this concept.")
    untouched = [row for row in rows if row["strength"] == 0]
    steered = [row for row in rows if row["strength"] != 0]
    html = _written(untouched, concept, "untouched") if untouched else ""
    for method, own in grouped(steered, "method").items():
        html += _written(own, concept, method)
    return html


def texts_section(rows: Sequence[Record]) -> str:
    """How many more target tokens the texts of each method hold; "" where none were counted."""
    found = summary(rows, IN_TEXTS)
    bars = [Bar(method_html(name), row, kind_of(name)) for name, row in found.items()]
    if not bars:
        return ""
    axis = "share of target tokens in the texts, beyond untouched ones (n = concepts)"
    return plot_html(bars, scale_of(bars), axis, KEYS)


def marked(text: str, concept: str) -> str:
    """A text, escaped, with the words of a concept's value marked.

    A concept is an attribute, of one word or more, and its value, such as `country France`; what
    may be the value is marked, in either case of letters.
    """
    words = plain(concept).split(" ")
    values = [one for i in range(1, len(words)) if (one := " ".join(words[i:]).strip())]
    if not values:
        return safe(text)
    pattern = re.compile("(" + "|".join(map(re.escape, values)) + ")", re.I)
    pieces = pattern.split(plain(text))
    return "".join(
        f'<mark class="tok" style="--a:0.7">{safe(piece)}</mark>' if i % 2 else safe(piece)
        for i, piece in enumerate(pieces)
    )


def method_html(method: str) -> str:
    """A method with its meaning."""
    term = f"steering: {method}" if method in METHODS else method
    return known_tip(method, term)


def kind_of(method: str) -> str:
    """The colour of a method."""
    if method == RANDOM:
        return "null"
    return "own" if method in OURS else "other"


def _written(rows: Sequence[Record], concept: str, name: str) -> str:
    """Texts folded up below their method; those that are read first are open."""
    items = "".join(
        f'<li><span class="value">{number(row["strength"])}</span>'
        f'<span class="ctx" dir="auto"><span class="none">{safe(row["prompt"])}</span>'
        f"{marked(row['text'], concept)}<cite>{_hits(row['hits'])}</cite></span></li>"
        for row in rows
    )
    is_open = " open" if name in OPEN else ""
    return (
        f'<details class="fold"{is_open}><summary>{safe(name)}</summary>'
        f"<ul class='examples'>{items}</ul></details>"
    )


def _hits(hits: int) -> str:
    return f"{hits} target token{'' if hits == 1 else 's'}"


def _above_zero(row: Record) -> str:
    low, high = bounds(row)
    return "Yes" if low > 0 else "No" if high < 0 else "Not clearly"


def _close(first: Record, found: dict[str, Record], gains: dict[str, Record]) -> list[str]:
    """Methods that are not clearly behind the best one.

    Args:
        first: the best one's effect.
        found: effects by method.
        gains: over the vector, by method: paired by concept, so surer than two intervals apart.
    """
    best, close = first["setting"], []
    for method, row in found.items():
        if method in (best, RANDOM):
            continue
        if best == VECTOR and method in gains:
            is_behind = _above_zero(gains[method]) == "No"
        elif method == VECTOR and best in gains:
            is_behind = _above_zero(gains[best]) == "Yes"
        else:
            is_behind = verdict(first, row) == "Yes"
        if not is_behind:
            close.append(method)
    return close


def _meta_words(found: dict[str, Record]) -> str:
    """How a single meta-latent does beside a single latent."""
    meta, latent = found.get("single meta-latent"), found.get("single latent")
    if meta is None or latent is None:
        return ""
    than = {"Yes": "more than", "No": "less than"}.get(
        verdict(meta, latent), "not clearly other than"
    )
    return (
        f"A single meta-latent reaches {number(meta['value'])}, {than} a single latent "
        f"({number(latent['value'])})."
    )
