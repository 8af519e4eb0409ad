"""Which held-out contexts stitching is measured on.

Contexts of the held-out split stand in random order, so the first ones are a random sample, and
every bootstrap block of consecutive contexts is one too.
"""

from __future__ import annotations

import numpy as np

from precompute.text import TokenisedText

BOOTSTRAP_BLOCKS = 128


def heldout_blocks(text: TokenisedText, tokens: int) -> np.ndarray:
    """int64 [n_blocks + 1]: first row of each block of whole contexts, and the end of the sample.

    The sample is the fewest contexts with at least `tokens` tokens, or all of them.
    """
    ends = _row_ends(text)
    n_contexts = min(int(np.searchsorted(ends, tokens)) + 1, len(ends))
    n_blocks = min(BOOTSTRAP_BLOCKS, n_contexts)
    cuts = np.linspace(0, n_contexts, n_blocks + 1).round().astype(np.int64)
    return np.concatenate([[0], ends])[cuts]


def heldout_pieces(text: TokenisedText, n_contexts: int, max_rows: int) -> list[np.ndarray]:
    """Token ids of the first held-out contexts, at most `max_rows` tokens together."""
    n = min(n_contexts, int(np.searchsorted(_row_ends(text), max_rows, "right")))
    return [text.token_ids[text.starts[c] : text.starts[c + 1]] for c in text.splits["heldout"][:n]]


def _row_ends(text: TokenisedText) -> np.ndarray:
    contexts = text.splits["heldout"]
    return np.cumsum(text.starts[contexts + 1] - text.starts[contexts])
