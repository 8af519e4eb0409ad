"""What every page has: the run it shows, the bar on top, the side bar, the row of actions.

A page calls `opened()` first; when there is no run that can be used, it says what to do and stops.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from html import escape
from typing import NoReturn

import streamlit as st

from backend import queries, urlstate
from backend.links import (
    LATENT_PATH,
    META_PATH,
    OVERVIEW_PATH,
    SEARCH_PATH,
    SPLITTING_PATH,
    STITCHING_PATH,
    Link,
    latent_link,
    overview_link,
    search_link,
    trust_link,
)
from backend.manifest import RunError
from backend.opener import opened_run
from backend.store import DATA_VARIABLE, Run, data_dir, list_problems, list_runs
from backend.text_html import link, notice, safe

_MAKE_ONE = "python -m precompute run precompute/configs/tiny.toml"


def opened(path: str) -> Run:
    """The run that the address names, or the first that can be used; draws the frame around it.

    Args:
        path: of the page that is drawn, one of `backend.links`.
    """
    folder = data_dir()
    runs = {run.name: run for run in list_runs(folder)}
    wanted = urlstate.text("run")
    messages = []
    if wanted and wanted not in runs:
        messages += [
            problem.message for problem in list_problems(folder) if problem.name == wanted
        ] or [f"There is no run “{wanted}” in {folder}."]
    # the one that was asked for, then the others in order of name
    run = None
    for name in sorted(runs, key=lambda name: (name != wanted, name)):
        try:
            run = opened_run(runs[name].path, runs[name].short_hash)
            break
        except RunError as error:
            messages.append(str(error))
    if run is not None:
        _draw(run, list(runs), path, messages)
        return run
    return _stop(messages or [problem.message for problem in list_problems(folder)])


def actions_html(
    run: Run, crumbs: Sequence[str], here: Link, sae_id: str, latent: int | None = None
) -> str:
    """Where we are on the left; previous, random, next and copy link on the right.

    Args:
        crumbs: pieces of HTML.
        here: the page, with run and content hash: what copy link copies.
        sae_id: the SAE that a random latent is drawn from.
        latent: its neighbours by index are previous and next; None when the page shows no latent.
    """
    kind = "meta" if here.path == META_PATH else "sae"
    buttons = []
    if latent is not None:
        before, after = queries.adjacent_latents(run, sae_id, latent)
        buttons = [_step("‹ Previous", run, sae_id, before, kind), ""]  # noqa: RUF001
        buttons[1] = _step("Next ›", run, sae_id, after, kind)  # noqa: RUF001
    drawn = queries.random_latent(run, sae_id, secrets.randbits(32))
    if drawn is not None:
        random_link = link(latent_link(sae_id, drawn, kind, run.name).href, "Random")
        buttons.insert(1, random_link)
    buttons.append(
        f'<button type="button" class="copy-link" data-href="{escape(here.href, quote=True)}">'
        'Copy link</button><input class="link-text" aria-label="Link to this page" readonly hidden>'
    )
    return (
        f'<div class="pagehead"><div class="crumbs">{" / ".join(crumbs)}</div>'
        f'<div class="actions">{"".join(buttons)}</div></div>'
    )


def search_form(run: Run, text: str = "", big: bool = False) -> str:
    """The search box as a plain form: it works from every page, and without scripts too."""
    css = "find big" if big else "find"
    return (
        f'<form class="{css}" action="{SEARCH_PATH}" role="search">'
        f'<input type="hidden" name="run" value="{safe(run.name)}">'
        f'<input type="search" name="q" value="{safe(text)}" aria-label="Search latents" '
        'placeholder="a word, a label, or a number such as 123">'
        '<button type="submit">Search</button></form>'
    )


def title(words: str) -> None:
    """Name the browser's tab, so that the history of a session can be read."""
    st.set_page_config(page_title=f"{words} · Subatomic")


def _draw(run: Run, names: list[str], path: str, messages: list[str]) -> None:
    linked_hash = urlstate.text("h")
    if linked_hash and linked_hash != run.manifest.short_hash:
        messages = [
            *messages,
            f"This link was made for another version of the run ({linked_hash}); the one opened "
            f"is {run.manifest.short_hash}. Numbers and latents may differ from what was shared.",
        ]
    with st.sidebar:
        _sidebar(run, names, path)
    text = urlstate.text("q") if path == SEARCH_PATH else ""
    home = escape(overview_link(run.name).href)
    mark = f'<a class="mark" href="{home}">Sub<span>atomic</span></a>'
    form = "" if path == OVERVIEW_PATH else search_form(run, text)
    st.html(
        f'<header class="topbar">{mark}{form}</header>'
        + "".join(notice(message, "problem") for message in messages)
    )


def _sidebar(run: Run, names: list[str], path: str) -> None:
    current = ' aria-current="page"'
    pages = (
        ("Overview", overview_link(run.name)),
        ("Search", search_link("", run=run.name)),
        ("Latent", Link(LATENT_PATH, {"run": run.name})),
        ("Meta-latent", Link(META_PATH, {"run": run.name})),
        ("Stitching", Link(STITCHING_PATH, {"run": run.name})),
        ("Splitting", Link(SPLITTING_PATH, {"run": run.name})),
        ("Trust", trust_link(run.name)),
    )
    items = "".join(
        f'<a href="{escape(to.href)}"{current if to.path == path else ""}>{name}</a>'
        for name, to in pages
    )
    st.html(f'<nav class="pages" aria-label="Pages">{items}</nav>')
    urlstate.choice_box(
        "Run",
        "run",
        names,
        run.name,
        help="One finished set of results; the folder's name in the data folder.",
        clears=("sae", "latent", "page", "h", "small", "large"),
    )
    manifest = run.manifest
    shown = [corpus for corpus in manifest.corpora if corpus.shown]
    texts = "; ".join(f"{corpus.name} ({corpus.licence})" for corpus in shown)
    st.html(
        f"<p>{safe(manifest.title)}</p><small>model {safe(manifest.model_id)}<br>"
        f"content hash {safe(manifest.short_hash)}<br>texts shown: {safe(texts) or 'none'}</small>"
    )


def _step(words: str, run: Run, sae_id: str, to: int | None, kind: str) -> str:
    if to is None:
        return f'<span class="off" aria-disabled="true">{words}</span>'
    return link(latent_link(sae_id, to, kind, run.name).href, words)


def _stop(messages: list[str]) -> NoReturn:
    told = "".join(notice(message, "problem") for message in messages)
    st.html(
        f"<h1>Subatomic</h1>{told}"
        f"<p>There is no run in <code>{safe(str(data_dir()))}</code> that can be shown. "
        f"Make one with <code>{_MAKE_ONE}</code>, or name another folder in the environment "
        f"variable <code>{DATA_VARIABLE}</code>; then load this page again.</p>"
    )
    st.stop()
