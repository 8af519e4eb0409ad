"""Which words of a letter its main latents miss, and which latent carries the letter instead.

It is the same for classes. SAEBench's form needs no logits: with p the unit direction of the
probe, a = <x - b_dec, p> is what the SAE has to rebuild of the letter at a word, and latent j
contributes f_j <w_j, p>. (SAEBench projects x itself; a constant offset of all activations is no
letter.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

FULL_COSINE, FULL_SHARE = 0.025, 0.4
SOME_COSINE, MOST_ABSORBERS = 0.1, 3


@dataclass(frozen=True)
class Absorbed:
    """For each word asked about."""

    is_full: np.ndarray  # bool: main latents silent, one other carries most of the letter
    fraction: np.ndarray  # float64: of what main latents and absorbers carry, the absorbers' part
    absorber: np.ndarray  # int64: the latent that contributes most beside the main ones, or -1


def absorbed(
    acts: sparse.csr_matrix,
    to_rebuild: np.ndarray,
    cosines: np.ndarray,
    main: np.ndarray,
) -> Absorbed:
    """Absorption at some words.

    Args:
        acts: activations [n_words, n_latents].
        to_rebuild: float [n_words], a of the module's formula.
        cosines: float [n_latents], of unit decoder rows with the probe.
        main: latents of the letter.
    """
    n = len(to_rebuild)
    is_full, fraction = np.zeros(n, bool), np.zeros(n)
    absorber = np.full(n, -1, np.int64)
    is_main = np.zeros(len(cosines), bool)
    is_main[main] = True
    row, fired, value = sparse.find(acts)
    order = np.lexsort((fired, row))
    starts = np.searchsorted(row[order], np.arange(n + 1))
    for word in range(n):
        own = order[starts[word] : starts[word + 1]]
        latents, values = fired[own], value[own]
        if not len(latents) or to_rebuild[word] <= 0:
            continue
        carried = values * cosines[latents]
        share = carried / to_rebuild[word]
        of_main = float(carried[is_main[latents]].sum())
        others = np.flatnonzero(~is_main[latents])
        if not len(others):
            continue
        best = others[np.argmax(carried[others])]
        if carried[best] > 0:
            absorber[word] = latents[best]
        is_silent = not is_main[latents].any()
        is_full[word] = (
            is_silent and cosines[latents[best]] >= FULL_COSINE and share[best] >= FULL_SHARE
        )
        fraction[word] = _fraction(
            carried[others], cosines[latents[others]], of_main, to_rebuild[word]
        )
    return Absorbed(is_full, fraction, absorber)


def _fraction(carried: np.ndarray, cosine: np.ndarray, of_main: float, whole: float) -> float:
    able = carried[(cosine >= SOME_COSINE) & (carried > 0)]
    absorbers = float(np.sort(able)[::-1][:MOST_ABSORBERS].sum())
    if absorbers / whole < FULL_SHARE:
        return 0.0
    if of_main <= 0:
        return 1.0
    taken = min(absorbers, whole - of_main)
    return float(np.clip(taken / (taken + of_main), 0, 1)) if taken > 0 else 0.0
