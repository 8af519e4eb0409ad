"""The latents of the larger SAE of a pair, page by page, on the page about stitching."""

from __future__ import annotations

import math
from collections.abc import Callable

from backend import stitching
from backend.downloads_html import download_links_html
from backend.links import STITCHING_PATH, Link
from backend.lists_html import pages_html, pill_html
from backend.records import Record
from backend.stitch_html import pair_latents_html
from backend.store import Run
from backend.text_html import notice, safe

Here = Callable[..., Link]  # this page's link with some parameters changed

ROWS_A_PAGE = 25
KIND_WORDS = {"": "all", "novel": "novel", "reconstruction": "reconstructions", "silent": "silent"}
SORT_WORDS = {
    "change": "change of the error",
    "cosine": "cosine",
    "frequency": "frequency",
    "number": "number",
}


def page_of_latents(
    run: Run, small: str, large: str, kind: str, text: str, sort: str, page: int
) -> tuple[list[Record], int]:
    """Latents of one page of the list and its number; the first page where that one is empty."""
    asked = (run, small, large, kind or None, text, sort, ROWS_A_PAGE)
    rows = stitching.pair_latents(*asked, offset=(page - 1) * ROWS_A_PAGE)
    if rows or page == 1:
        return rows, page
    return stitching.pair_latents(*asked), 1


def pair_latents(
    run: Run,
    small: str,
    large: str,
    here: Here,
    kind: str,
    sort: str,
    text: str,
    rows: list[Record],
    page: int,
) -> str:
    """The section: choices of kind and order, a filter by label, and one page of the list."""
    kinds = [pill_html(words, key == kind, here(kind=key)) for key, words in KIND_WORDS.items()]
    sorts = [pill_html(words, key == sort, here(sort=key)) for key, words in SORT_WORDS.items()]
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{safe(value)}">'
        for name, value in here(q="").params.items()
    )
    form = (
        f'<form class="find" action="{STITCHING_PATH}">{hidden}<input type="search" name="q" '
        f'value="{safe(text)}" aria-label="Filter by label" placeholder="part of a label">'
        '<button type="submit">Filter</button></form>'
    )
    head = (
        f"<h2>The latents of {safe(large)}</h2><div class='pills'>{''.join(kinds)}</div>"
        f"<div class='pills'><span>by</span>{''.join(sorts)}</div>{form}"
    )
    if not rows:
        return head + notice("No latent of this kind has a label with that in it.")
    mse = stitching.error_of(run, small) or math.nan
    found = rows[0]["n_found"]
    pages = pages_html(here, page, math.ceil(found / ROWS_A_PAGE), "latents")
    table = pair_latents_html(rows, small, large, mse, run.name)
    asked = {"run": run.name, "small": small, "large": large, "kind": kind, "sort": sort}
    taken = download_links_html("stitching", asked | {"q": text, "h": run.manifest.short_hash})
    return f"{head}<p class='note'>{found:,} latents</p>{table}{pages}{taken}"
