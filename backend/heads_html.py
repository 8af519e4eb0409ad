"""How a latent that reads attention's heads is shared out among them, as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from backend.text_html import number, tip
from backend.trust_bars import UNIT, axis_html

SHOWN_HEADS = 8  # the strongest; most latents lie in few heads
HALF = 0.5
_CSS = "measured heads"


def heads_html(shares: Sequence[float | None], d_in: int) -> str:
    """A bar for each head, largest share first.

    Args:
        shares: `latents.head_shares`, one of each head, adding up to 1.
        d_in: numbers in the decoder row, all heads together.
    """
    known = [share if share is not None and math.isfinite(share) else 0.0 for share in shares]
    order = sorted(range(len(known)), key=lambda head: -known[head])
    equal = 1 / len(known)
    items = [_bar(head, known[head], equal) for head in order]
    rest = items[SHOWN_HEADS:]
    more = (
        f'<details class="fold"><summary>{len(rest)} more heads</summary>'
        f'<div class="{_CSS}"><ul>{"".join(rest)}</ul></div></details>'
        if rest
        else ""
    )
    size = d_in // len(known)
    return (
        f"<h2>Attention heads</h2><p class='note'>{_told(known, order)} The line across the bars "
        f"is an equal share for every head, {number(equal)}.</p>"
        f'<div class="{_CSS}"><ul>{"".join(items[:SHOWN_HEADS])}</ul></div>'
        + axis_html(
            UNIT,
            f"{tip('head share')} (n = {len(known)} heads of {size} dimensions, adding up to 1)",
            _CSS,
        )
        + more
    )


def _told(known: Sequence[float], order: Sequence[int]) -> str:
    """In how many heads half of the direction lies."""
    sums = list(accumulate(known[head] for head in order))
    n = next((i for i, total in enumerate(sums, start=1) if total >= HALF), None)
    if n is None:  # a direction of zeros
        return "The direction lies in none of the heads."
    if n == 1:
        return f"Head {order[0]} alone holds at least half of the direction."
    return f"{n} of {len(known)} heads hold at least half of the direction."


def _bar(head: int, share: float, equal: float) -> str:
    return (
        f'<li><span class="what">head {head}</span>'
        f'<span class="bar" title="head {head}: {number(share, 3)} of the squared length">'
        f'<span style="width:{UNIT.place(share):.1f}%"></span>'
        f'<u style="left:{UNIT.place(equal):.1f}%"></u></span>'
        f'<span class="value"><b>{number(share)}</b></span></li>'
    )
