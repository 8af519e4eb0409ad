"""Foreign explanations as rows of the label file."""

from __future__ import annotations

from unicodedata import category

from backend.edited_labels import LONGEST_LABEL
from precompute.imports.foreign import ForeignSet
from precompute.model_labels.label_file import ModelLabel

HASH_DIGITS = 16  # of the 64: a file of 100,000 rows stays below what pages read
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # parts of Persian words and of emoji


def label_rows(foreign: ForeignSet, sae_id: str, decoder_sha256: str) -> list[ModelLabel]:
    """One row for each latent with an explanation that can be seen.

    A label is one line of `LONGEST_LABEL` characters; the whole explanation is on the latent's
    page, from the file of evidence.
    """
    source = foreign.about.get("source", "")
    origin = " ".join(["imported from", foreign.about["tool"], source]).strip()
    return [
        ModelLabel(
            sae_id=sae_id,
            latent=latent,
            label=label,
            decoder_sha256=decoder_sha256[:HASH_DIGITS],
            model=_visible(by),
            note=origin,
            source=foreign.tool,
        )
        for latent, (text, by) in foreign.labels().items()
        if (label := short_label(text))
    ]


def short_label(text: str) -> str:
    """An explanation as a label: visible characters on one line, cut at the last word that fits."""
    shown = _visible(text)
    if len(shown) <= LONGEST_LABEL:
        return shown if shown.strip(_JOINERS) else ""
    start = shown[: LONGEST_LABEL - 1]
    words = start if shown[len(start)] == " " else start.rpartition(" ")[0]
    return (words or start).rstrip() + "…"


def _visible(text: str) -> str:
    kept = (c for c in text if c in _JOINERS or category(c) not in _INVISIBLE)
    return " ".join("".join(kept).split())
