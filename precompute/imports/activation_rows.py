"""One stored activation as SAEDashboard makes it and Neuronpedia keeps it: tokens with values.

Two traps. A lower end of the bin of -1 marks the strongest examples, whatever the upper end. And
SAEDashboard stores the token for which an example of a bin was chosen one too low, others do not:
the peak is the token after the stored one if its value lies in the bin, else the stored one if its
value does, else the strongest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from precompute.imports.foreign import TOP, ForeignLatent, number, numbers, window
from precompute.imports.token_texts import TokenTexts

TOP_BIN = -1.0
ROUNDED = 1e-3  # ends of a bin and values are rounded apart


@dataclass(frozen=True)
class FieldNames:
    """How a format calls the two ends of the bin and the token that the example is about."""

    low: str
    high: str
    chosen: str


def keep_activation(
    latent: ForeignLatent, row: dict[str, Any], names: FieldNames, texts: TokenTexts
) -> None:
    """Add one example to a latent, when it is among those that are kept.

    Rows without tokens, or with another number of values, say nothing and are passed over.
    """
    tokens, values = row.get("tokens"), numbers(row.get("values"))
    if not isinstance(tokens, list) or not tokens or len(tokens) != len(values):
        return
    strongest = max(values)
    latent.max_activation = max(latent.max_activation or 0.0, strongest)
    low, high = number(row.get(names.low)), number(row.get(names.high))
    is_top = low is None or high is None or low == TOP_BIN or low >= high
    peak = None if is_top else _chosen(row.get(names.chosen), values, low or 0.0, high or 0.0)
    if peak is None:
        peak = values.index(strongest)
    group = TOP if is_top else f"{low:.3g} to {high:.3g}"
    if values[peak] > 0 and latent.wants(group, values[peak]):
        latent.keep(window(group, texts.of_context(tokens), values, peak))


def _chosen(stored: object, values: list[float], low: float, high: float) -> int | None:
    """The token that an example of a bin was chosen for."""
    if not isinstance(stored, int):
        return None
    slack = ROUNDED * max(abs(high), 1.0)
    for at in (stored + 1, stored):
        if 0 <= at < len(values) and low - slack <= values[at] <= high + slack:
            return at
    return None
