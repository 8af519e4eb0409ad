"""The Trust page on sizes: what the sweep over meta-latents says, and meta-SAEs with another k."""

from __future__ import annotations

from collections.abc import Sequence

from backend.records import Record, grouped
from backend.text_html import number, safe, tip
from backend.trust_bars import CIRCLE, Bar, plot_html, scale_of
from backend.trust_figures import (
    COVARIANCE,
    DECODER_ROWS,
    SPLIT_WORDS,
    best_split,
    by_subject,
    value_at,
)
from backend.trust_html import missing_html, section_html, subject_html


def sweep_answer(lines: dict[str, list[Record]], smaller: Sequence[Record]) -> str:
    """What the sweep over sizes says, as HTML.

    Args:
        lines: of `trust_figures.sweep_points`.
        smaller: of `trust_figures.sae_points`.
    """
    real, null = lines.get(DECODER_ROWS, []), lines.get(COVARIANCE, [])
    answer = []
    nulls = {row["n_meta"]: row["value"] for row in null}
    gaps = {row["n_meta"]: row["value"] - nulls[row["n_meta"]] for row in real
            if row["n_meta"] in nulls}  # fmt: skip
    if gaps:
        best, most = max(gaps, key=lambda size: gaps[size]), max(gaps)
        answer.append(
            f"The gap over {COVARIANCE} is widest at <b>{best:,}</b> meta-latents, "
            f"{number(gaps[best])}"
        )
        answer[0] += "." if best == most else f"; at {most:,} it is {number(gaps[most])}."
    at_size = [(row, value_at(real, row["n_meta"])) for row in smaller]
    compared = [(row, value) for row, value in at_size if value is not None]
    if compared:
        less = sum(row["value"] < value for row, value in compared)
        answer.append(
            f"{less} of {len(compared)} smaller SAEs explain less than meta-latents of the same "
            "number would."
        )
    return " ".join(answer)


def k_section(rows: Sequence[Record], controls: Sequence[Record], shown_k: float | None) -> str:
    """Fewer parts a latent: bars at the other k, circles at the k that is shown."""
    split = best_split(rows)
    groups = grouped((row for row in rows if split in row["setting"]), "setting")
    if not groups:
        return missing_html("Is k too large?", "k", "meta-SAEs with fewer parts a latent")
    full = by_subject(controls, split)
    html = ""
    for setting, own in groups.items():
        k = setting.partition(",")[0]
        found = by_subject(own, setting)
        bars = [
            Bar(subject_html(name), row, "own" if name == DECODER_ROWS else "null",
                full[name]["value"] if name in full else None)
            for name, row in sorted(found.items(), key=lambda item: -item[1]["value"])
        ]  # fmt: skip
        answer = ""
        if DECODER_ROWS in found and COVARIANCE in found:
            margin = found[DECODER_ROWS]["value"] - found[COVARIANCE]["value"]
            answer = f"With {safe(k)} the margin over {safe(COVARIANCE)} is {number(margin)}"
            if DECODER_ROWS in full and COVARIANCE in full and shown_k is not None:
                usual = full[DECODER_ROWS]["value"] - full[COVARIANCE]["value"]
                answer += f", with k = {shown_k:g} it is {number(usual)}"
            answer += "."
        keys = {"own": DECODER_ROWS, "null": "control"}
        if shown_k is not None and full:
            keys[CIRCLE] = f"k = {shown_k:g}"
        axis = f"{tip('variance explained')}, {SPLIT_WORDS[split]} (n = seeds)"
        told = f"The same with {safe(k)}: so many parts a row on average."
        plot = plot_html(bars, scale_of(bars), axis, keys)
        html += section_html(f"And with {k}?", told, answer, plot)
    return html
