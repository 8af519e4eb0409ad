"""Stitching as HTML: latents of a pair, all sizes merged, one latent against every smaller SAE."""

from __future__ import annotations

from collections.abc import Sequence

from backend.links import latent_link, splitting_link, stitching_link
from backend.lists_html import table_html
from backend.records import Record, grouped
from backend.text_html import MISSING, latent_name, link, notice, number, percent, safe, tip

MILLION = 1e6


def merged_html(rows: Sequence[Record], saes: Sequence[Record]) -> str:
    """The SAE merged upward, size by size, beside the suite's own; "" where none was merged.

    Args:
        rows: the `merged` rows of `measurements`.
        saes: rows of `saes`, small to wide.
    """
    steps = {sae_id: {row["metric"]: row["value"] for row in own}
             for sae_id, own in grouped(rows, "subject").items()}  # fmt: skip
    cells = [
        (
            safe(sae["sae_id"]),
            f"{step['n_latents']:,.0f}",
            number(step["l0"], 1),
            number(step["variance_explained"], 3),
            f"{sae['n_latents']:,}",
            number(sae["l0"], 1),
            number(sae["variance_explained_heldout"], 3),
        )
        for sae in saes
        if (step := steps.get(sae["sae_id"]))
    ]
    if not cells:
        return ""
    heads = (
        ("through", None),
        ("merged: latents", "latent"),
        ("L0", "L0"),
        ("variance explained", "variance explained"),
        ("alone: latents", "latent"),
        ("L0", "L0"),
        ("variance explained", "variance explained"),
    )
    return (
        f"<h2>All sizes merged</h2><p class='note'>The smallest SAE with the {tip('novel')} "
        "latents of every larger one, each size judged against what was merged before; held-out "
        "tokens. "
        "On the right each SAE alone.</p>" + table_html(heads, cells)
    )


def pair_latents_html(rows: Sequence[Record], small: str, large: str, mse: float, run: str) -> str:
    """Latents of the larger SAE with what adding them changes.

    Args:
        rows: of `stitching.pair_latents`.
        mse: of the smaller SAE; changes are shown as millionths of it.
    """
    cells = []
    for row in rows:
        nearest = latent_name(row["nearest_label"], row["nearest_latent"])
        change, interval = _change(row, mse)
        cells.append(
            (
                link(
                    latent_link(large, row["latent"], run=run).href,
                    latent_name(row["label"], row["latent"]),
                ),
                safe(row["kind"]),
                change,
                interval,
                f"{row['fired']:,}",
                number(row["max_cosine"]),
                link(latent_link(small, row["nearest_latent"], run=run).href, nearest),
            )
        )
    heads = (
        ("latent", "latent"),
        ("kind", "novel"),
        ("change, millionths", "change of the error"),
        ("95 % interval", None),
        ("fired on", None),
        ("cosine", "cosine"),
        (f"nearest in {small}", None),
    )
    return table_html(heads, cells, words=("kind", "95 % interval", f"nearest in {small}"))


def novelty_html(
    rows: Sequence[Record], errors: dict[str, float], sae_id: str, latent: int, run: str
) -> str:
    """What a latent is against each smaller SAE, and its nearest latent there.

    Args:
        rows: of `stitching.novelty`.
        errors: MSE of each smaller SAE by id, where it is known.
    """
    if not rows:
        return notice(f"{sae_id} is the smallest SAE of this run: no smaller one to compare with.")
    cells = []
    for row in rows:
        small = row["small_sae_id"]
        change, interval = _change(row, errors.get(small, float("nan")))
        nearest = latent_name(row["nearest_label"], row["nearest_latent"])
        together = row["together"] / row["fired"] if row["fired"] else None
        tree = splitting_link(small, row["nearest_latent"], run).href
        cells.append(
            (
                link(stitching_link(small, sae_id, run).href, small),
                f"<b>{safe(row['kind'])}</b>",
                change,
                interval,
                link(latent_link(small, row["nearest_latent"], run=run).href, nearest),
                number(row["max_cosine"]),
                percent(together),
                link(tree, "tree"),
            )
        )
    heads = (
        ("against", None),
        ("it is", "novel"),
        ("change, millionths", "change of the error"),
        ("95 % interval", None),
        ("nearest latent", None),
        ("cosine", "cosine"),
        ("fires together", "fires together"),
        ("splits into", "splitting"),
    )
    words = ("it is", "95 % interval", "nearest latent", "splits into")
    told = (
        f"<p class='note'>Does {safe(sae_id)}/{latent} tell a smaller SAE something new "
        f"({tip('novel')}), or rebuild what it has ({tip('reconstruction')})?</p>"
    )
    return told + table_html(heads, cells, words=words)


def _change(row: Record, mse: float) -> tuple[str, str]:
    """Change of the error and its interval in millionths; a silent latent has neither."""
    if row["kind"] == "silent":
        return MISSING, ""
    change, low, high = (MILLION * row[key] / mse for key in ("delta_mse", "ci_low", "ci_high"))
    return number(change, 1), f"{number(low, 1)} to {number(high, 1)}"
