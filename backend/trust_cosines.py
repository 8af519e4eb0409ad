"""Which rows of `cosine_histograms` answer which question, and what they say; and every value.

Three panels: within a dictionary, meta-latents in SAEs, latents of the decomposed SAE in smaller
dictionaries. Each has the control of as many random directions searched in the same place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from backend.lists_html import table_html
from backend.records import Record
from backend.splitting import SIMILAR_COSINE
from backend.text_html import MISSING, is_known, number, percent, safe
from backend.trust_bars import whole

META_IN_SAES, SAE_IN_SMALLER, WITHIN = "meta", "latents", "within"
PANELS = {
    META_IN_SAES: "meta-latents, in each SAE",
    SAE_IN_SMALLER: "latents, in smaller dictionaries",
    WITHIN: "within each dictionary",
}
_RANDOM = "random-"


@dataclass(frozen=True)
class Panel:
    """Named histograms from small to large, the control that comes nearest, what n counts."""

    lines: list[tuple[str, Record]]
    control: tuple[str, Record] | None
    counted: str


def panel(rows: Sequence[Record], saes: Sequence[Record], kind: str) -> Panel:
    """The histograms of one panel.

    Args:
        rows: of `trust.cosine_histograms`.
        saes: of `queries.saes`: SAEs by size, then meta-SAEs.
        kind: a key of `PANELS`.
    """
    order = [sae["sae_id"] for sae in saes]
    metas = {sae["sae_id"]: sae for sae in saes if sae["kind"] == "meta"}
    parents = {sae["parent_sae_id"] for sae in metas.values()}
    found = []
    for row in rows:
        from_id, to_id = row["from_id"], row["to_id"]
        if not row["counts"] or (to_id not in order and not from_id.startswith(_RANDOM)):
            continue
        belongs = {
            META_IN_SAES: from_id in metas and to_id not in metas,
            SAE_IN_SMALLER: from_id in parents and to_id != from_id,
            WITHIN: from_id == to_id and from_id in order,
        }[kind]
        if belongs:
            found.append(row)
    found.sort(key=lambda row: order.index(row["to_id"]))
    sizes = sorted({row["n"] for row in found})
    noun = {META_IN_SAES: "meta-latents", SAE_IN_SMALLER: "latents"}.get(kind, "directions")
    span = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}" if sizes else ""
    control = _control(rows, found, kind)
    return Panel([(row["to_id"], row) for row in found], control, f"n = {span} {noun}")


def panel_words(panel: Panel, kind: str, saes: Sequence[Record]) -> str:
    """What a panel says, as HTML; "" for an empty one."""
    rows = dict(panel.lines)
    if not rows:
        return ""
    chance = ""
    if panel.control is not None:
        name, row = panel.control
        chance = f" Of {safe(name)}: {percent(row['similar_share'])}."
    if kind == META_IN_SAES:
        alike = _similar_size(rows, saes)
        most = max(rows.values(), key=lambda row: row["similar_share"])
        other = ""
        if most["to_id"] != alike["to_id"]:
            other = f"; in {whole(most['to_id'])} most do, {percent(most['similar_share'])}"
        return (
            f"The published finding is that meta-latents are close to the latents of an SAE of "
            f"similar size. Here that is {whole(alike['to_id'])}: "
            f"<b>{percent(alike['similar_share'])}</b> of the meta-latents have a latent at a "
            f"cosine of {SIMILAR_COSINE} or more there, {number(alike['mean'])} is the mean of the "
            f"best matches{other}.{chance}"
        )
    shares = [f"{whole(name)} {percent(row['similar_share'])}" for name, row in rows.items()]
    what = "a direction" if kind == SAE_IN_SMALLER else "another direction of the same dictionary"
    whose = (
        f"Latents of {whole(next(iter(rows.values()))['from_id'])}"
        if kind == SAE_IN_SMALLER
        else "Directions"
    )
    return (
        f"{whose} with {what} at a cosine of {SIMILAR_COSINE} or more: {', '.join(shares)}.{chance}"
    )


def values_html(rows: Sequence[Record], histograms: Sequence[Record]) -> str:
    """Every value of the page as two tables, folded up."""
    cells = (
        (
            safe(row["experiment"]),
            safe(row["subject"]),
            safe(row["setting"]),
            safe(row["metric"].replace("_", " ")),
            number(row["value"], 3),
            _interval(row),
            f"{row['n']:,}",
        )
        for row in rows
    )
    words = ("experiment", "subject", "setting", "figure")
    heads = [(head, None) for head in (*words, "value", "95 % interval", "n")]
    html = table_html(heads, cells, words) if rows else ""
    if histograms:
        nearest = (
            (
                safe(row["from_id"]),
                safe(row["to_id"]),
                number(row["mean"], 3),
                percent(row["similar_share"]),
                f"{row['n']:,}",
            )
            for row in histograms
        )
        share = f"share at {SIMILAR_COSINE} or more"
        heads = [(head, None) for head in ("from", "best match in", "mean cosine", share, "n")]
        html += table_html(heads, nearest, ("best match in",))
    n = len(rows) + len(histograms)
    return f'<details class="fold"><summary>All {n:,} values as tables</summary>{html}</details>'


def _control(rows: Sequence[Record], found: list[Record], kind: str) -> tuple[str, Record] | None:
    """Random directions where they come nearest, so that chance is never drawn too low."""
    numbers = {row["n"] for row in found}
    targets = {row["to_id"] for row in found}
    controls = [
        row
        for row in rows
        if row["from_id"].startswith(_RANDOM)
        and row["counts"]
        and row["n"] in numbers
        and (row["from_id"] == row["to_id"] if kind == WITHIN else row["to_id"] in targets)
    ]
    if not controls:
        return None
    nearest = max(controls, key=lambda row: row["mean"])
    where = "" if kind == WITHIN else f" in {nearest['to_id']}"
    return f"{nearest['n']:,} random directions{where}", nearest


def _similar_size(rows: dict[str, Record], saes: Sequence[Record]) -> Record:
    sizes = {sae["sae_id"]: sae["n_latents"] for sae in saes}
    return min(rows.values(), key=lambda row: abs(math.log(sizes[row["to_id"]] / max(row["n"], 1))))


def _interval(row: Record) -> str:
    low, high = row["ci_low"], row["ci_high"]
    return f"{number(low, 3)} to {number(high, 3)}" if is_known(low) and is_known(high) else MISSING
