"""The Resistance page as HTML: the answer, the grid of joint trainings, and what was published."""

from __future__ import annotations

from collections.abc import Sequence

from backend.experiment_charts import has_interval, span_of_n
from backend.experiment_html import value
from backend.lists_html import table_html
from backend.records import Record
from backend.resistance_figures import (
    CE_RISE,
    EQUAL_COMPUTE,
    EXPLAINED,
    META_HELD_OUT,
    META_IN_SAMPLE,
    METRICS,
    PHI,
    PUBLISHED,
    PUBLISHED_SOLO_CE,
    UNEXPLAINED,
    Subjects,
    agreement,
    change_of,
    grid,
    joint,
    lowest,
    place_of,
    side_of,
    subjects,
)
from backend.text_html import MISSING, number, safe, tip
from backend.trust_figures import verdict
from backend.trust_html import known_tip

SIMPLER = ("matryoshka", "orthogonal")
GRIDS = (PHI, META_HELD_OUT, EXPLAINED, CE_RISE)
SHORT = {META_HELD_OUT: "meta-SAE's variance explained", EXPLAINED: "variance explained",
         CE_RISE: "CE rise", META_IN_SAMPLE: "the same, in sample"}  # fmt: skip
TERMS = {PHI: "phi", META_HELD_OUT: "meta-SAE", EXPLAINED: "variance explained", CE_RISE: "CE",
         META_IN_SAMPLE: "in sample", "dead latents": "dead"}  # fmt: skip


def answer_html(rows: Sequence[Record]) -> str:
    """Whether joint training makes decoder rows harder to take apart, as HTML.

    Points of the grid that were trained once have no interval, so they support no answer.

    Args:
        rows: of `resistance`, of one width.
    """
    metric = META_HELD_OUT
    found = subjects(rows, change_of(metric))
    if not grid(found):
        metric = PHI
        found = subjects(rows, change_of(metric))
    cells = list(grid(found).values())
    sure = [row for row in cells if has_interval(row)]
    best = lowest(sure or cells)
    if best is None:
        return "No joint training was compared with the SAE trained alone."
    what = (
        f"what a {tip('meta-SAE')} explains of held-out decoder rows"
        if metric == META_HELD_OUT
        else f"the mean {tip('|phi|', 'phi')}"
    )
    equal = found.get(EQUAL_COMPUTE)
    of_several = f", the lowest of {len(sure)}" if len(sure) > 1 else ""
    answer = [
        f"<b>{_verdict(best, equal)}.</b> Joint training ({weights_html(best['subject'])}, "
        f"n = {best['n']}{of_several}) changes {what} by {percents(best)}"
        + (f", {tip('equal compute')} alone by {percents(equal)}." if equal else ".")
    ]
    if len(cells) > 1:
        values = [row["value"] for row in cells]
        answer.append(
            f"Over the {len(cells)} points of the grid it is {_signed(min(values))} to "
            f"{_signed(max(values))}; of {len(sure)} trained more than once, "
            f"{sum(side_of(row) == 'below' for row in cells)} fall clearly."
        )
    for other, words in ((PHI, f"mean {tip('|phi|', 'phi')}"),
                         (EXPLAINED, f"own {tip('variance explained')}")):  # fmt: skip
        row = subjects(rows, change_of(other)).get(best["subject"])
        if row is not None and other != metric:
            answer.append(f"Its {words} changes by {percents(row)}.")
    simple = [f"{safe(name)} {percents(found[name])}" for name in SIMPLER if name in found]
    if simple:
        answer.append(f"Without a meta-SAE in training: {', '.join(simple)}.")
    return " ".join(answer)


def grids_html(rows: Sequence[Record]) -> str:
    """Change of each measure against solo over lambda2 and sigma2; "" without joint trainings."""
    drawn = [_grid_html(metric, subjects(rows, change_of(metric))) for metric in GRIDS]
    if not any(drawn):
        return ""
    return (
        f"<div class='grids'>{''.join(drawn)}</div>"
        "<p class='key'><span><i class='swatch own'></i>clearly lower than solo</span>"
        "<span><i class='swatch other'></i>clearly higher</span><span>no colour: the interval "
        "holds 0, or there is none</span></p>"
    )


def trainings_html(rows: Sequence[Record]) -> str:
    """Every way of training as a row: the measures themselves, not their changes."""
    held = [metric for metric in METRICS if subjects(rows, metric)]
    found = {metric: subjects(rows, metric) for metric in held}
    names = sorted({name for own in found.values() for name in own}, key=place_of)
    heads = [("training", None), *((SHORT.get(m, m), TERMS[m]) for m in held), ("seeds", None)]
    cells = []
    for name in names:
        own = [found[metric].get(name) for metric in held]
        seeds = max((row["n"] for row in own if row), default=0)
        cells.append([
            training_html(name),
            *(value(row, 4 if m == PHI else 3) for m, row in zip(held, own, strict=True)),
            f"{seeds:,}",
        ])  # fmt: skip
    return table_html(heads, cells) if cells else ""


def published_html(rows: Sequence[Record]) -> str:
    """The published grid beside ours: what was published has one training a cell, no interval."""
    phi = subjects(rows, change_of(PHI))
    error, ce = subjects(rows, change_of(UNEXPLAINED)), subjects(rows, CE_RISE)
    counted = agreement(phi)
    told = (
        "Levinson (2026, arXiv 2604.03436) trained GPT-2 large SAEs of 20,480 latents, once a "
        f"cell, in per cent against solo; the solo SAE alone cost {PUBLISHED_SOLO_CE} % of the "
        "cross-entropy. Ours is another model and another size, so only directions compare."
    )
    if counted["n"]:
        told += (
            f" Of {counted['n']} points of both grids, {counted['same']} agree in the sign of the "
            f"change of mean |phi|, {counted['clear']} of them with an interval that leaves out 0; "
            f"{counted['against']} clearly disagree."
        )
    heads = (
        ("training", None),
        ("mean |phi|, ours", "phi"),
        ("published", None),
        ("variance unexplained, ours", "variance explained"),
        ("squared error, published", None),
        ("CE rise, ours, nats", "CE"),
        ("CE, published", None),
    )
    names = {joint(name): name for own in (phi, error, ce) for name in own}
    cells = []
    for weights, published in PUBLISHED.items():
        name = names.get(weights, "")
        cells.append(
            (
                _weights(*weights),
                percents(phi[name]) if name in phi else MISSING,
                _signed(published.phi),
                percents(error[name]) if name in error else MISSING,
                _signed(published.error),
                value(ce.get(name), 3),
                MISSING if published.ce_overhead is None else _signed(published.ce_overhead),
            )
        )
    return f"<p class='note'>{told}</p>{table_html(heads, cells)}"


def percents(row: Record) -> str:
    """A change in per cent with its sign and interval, as HTML."""
    told = _signed(row["value"])
    if has_interval(row):
        told += f" [{_signed(row['ci_low'], '')}, {_signed(row['ci_high'], '')}]"
    return f'<span class="whole">{told}</span>'


def weights_html(subject: str) -> str:
    """A joint training by its two weights."""
    weights = joint(subject)
    return safe(subject) if weights is None else _weights(*weights)


def training_html(subject: str) -> str:
    """A way of training with its meaning."""
    if joint(subject) is not None:
        return f"{tip('joint', 'decomposability penalty')} {weights_html(subject)}"
    term = {"matryoshka": "Matryoshka", EQUAL_COMPUTE: "equal compute"}.get(subject, subject)
    return known_tip(subject, term)


def _verdict(best: Record, equal: Record | None) -> str:
    if side_of(best) != "below":
        return "Not clearly" if side_of(best) == "unclear" else "No"
    if equal is not None and verdict(best, equal) != "No":
        return "Not clearly more than by training longer"
    return "To a degree"


def _grid_html(metric: str, found: Subjects) -> str:
    cells = grid(found)
    if not cells:
        return ""
    lambdas, sigmas = sorted({w for w, _ in cells}), sorted({s for _, s in cells})
    head = "".join(f'<th scope="col">{sigma:g}</th>' for sigma in sigmas)
    body = "".join(
        f'<tr><th scope="row">{weight:g}</th>'
        + "".join(_cell(cells.get((weight, sigma))) for sigma in sigmas)
        + "</tr>"
        for weight in lambdas
    )
    name = tip(SHORT.get(metric, metric), TERMS[metric])
    return (
        f"<figure><figcaption>Change of {name}, % ({span_of_n(list(cells.values()))})"
        "</figcaption>"
        f'<table class="grid"><thead><tr><th scope="col">λ₂ \\ σ²</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></figure>"
    )


def _cell(row: Record | None) -> str:
    if row is None:
        return f"<td>{MISSING}</td>"
    css = {"below": ' class="lower"', "above": ' class="higher"'}.get(side_of(row), "")
    ends = "one seed" if row["n"] == 1 else ""
    if has_interval(row):
        ends = f"{_signed(row['ci_low'], '')} to {_signed(row['ci_high'], '')}"
    return f"<td{css}>{_signed(row['value'], '')}<small>{ends}</small></td>"


def _weights(weight: float, sigma2: float) -> str:
    return f'<span class="whole">λ₂ = {weight:g}, σ² = {sigma2:g}</span>'


def _signed(change: float, unit: str = " %") -> str:
    told = number(change, 1)
    return f"{'+' if change > 0 else ''}{told}{unit}"
