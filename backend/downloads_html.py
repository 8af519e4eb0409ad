"""The row "Take it away" below a table: plain links to files, and buttons that copy or draw one.

The links work with `curl` and without scripts; `assets/downloads.js` turns those of the classes
`take-copy` and `take-png` into what they say. Only `serve.py` has the routes behind them: where it
does not run, the row says so instead.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from html import escape

from backend.links import download_link

FORMAT_NAMES = {"csv": "CSV", "parquet": "Parquet", "json": "JSON"}
NOT_SERVED = (
    '<p class="note take">Downloads need <code>make app</code>, that is '
    "<code>streamlit run serve.py</code>.</p>"
)

_served = threading.Event()


def mark_as_served() -> None:
    """Tell the pages of this process that it answers the addresses of downloads."""
    _served.set()


def are_served() -> bool:
    """Whether this process answers the addresses of downloads."""
    return _served.is_set()


def download_links_html(
    what: str, params: dict[str, str], formats: Iterable[str] = tuple(FORMAT_NAMES)
) -> str:
    """Links to one list in several formats.

    Args:
        what: name of the list, as in `backend.downloads.answers.LISTS`.
        params: of the address, with `run`, and `h` (the short content hash) for a link that says
            so when the run has changed; empty ones are left out.
        formats: keys of `FORMAT_NAMES`.
    """
    links = (_link(f"{what}.{form}", params, FORMAT_NAMES[form]) for form in formats)
    return _row(links, what)


def decomposition_links_html(run: str, sae_id: str, latent: int, short_hash: str = "") -> str:
    """One decomposition to quote, to cite, as a figure, or as data."""
    params = {"run": run, "sae": sae_id, "latent": str(latent), "h": short_hash}
    links = (
        _link("decomposition.md", params, "Copy Markdown", "take-copy"),
        _link("decomposition.bib", params, "Copy BibTeX", "take-copy"),
        _link("decomposition.svg", params, "SVG"),
        _link("decomposition.svg", params, "PNG", "take-png"),
        _link("decomposition.json", params, "JSON"),
        _link("components.csv", params, "CSV"),
        _link("components.parquet", params, "Parquet"),
    )
    return _row(links, "decomposition")


def file_link_html(file: str, params: dict[str, str], words: str) -> str:
    """One link to a file; only its words where the routes are not served."""
    return _link(file, params, words) if are_served() else escape(words)


def code_html(code: str, words: str) -> str:
    """Code with a button that copies it; `words` tell a screen reader which code it is.

    Its lines must hold no invisible characters: they are shown, and copied, as they are.
    """
    return (
        f'<div class="code"><button type="button" class="take-code" '
        f'aria-label="Copy code: {escape(words, quote=True)}">Copy</button>'
        f'<pre tabindex="0"><code>{escape(code)}</code></pre>'
        '<span class="sr" role="status"></span></div>'
    )


def _row(links: Iterable[str], what: str) -> str:
    if not are_served():
        return NOT_SERVED
    named = escape(what.replace("-", " "), quote=True)
    return (
        f'<nav class="take" aria-label="Take away: {named}"><span>Take it away</span>'
        f'{"".join(links)}<span class="sr" role="status"></span></nav>'
    )


def _link(file: str, params: dict[str, str], words: str, css: str = "") -> str:
    href = escape(download_link(file, params).href, quote=True)
    return f'<a{f" class={css!r}" if css else ""} href="{href}">{escape(words)}</a>'
