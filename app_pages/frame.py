"""What every page has: the run it shows, the bar on top, the side bar, the row of actions.

A page calls `opened()` first; when there is no run that can be used, it says what to do and stops.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from html import escape
from typing import NoReturn

import streamlit as st

from app_pages.embed import embed_frame
from app_pages.in_answer import place_in_answer
from app_pages.side_bar import side_bar
from backend import queries, urlstate
from backend.links import (
    META_PATH,
    OVERVIEW_PATH,
    SEARCH_PATH,
    Link,
    latent_link,
    overview_link,
)
from backend.listing import DATA_VARIABLE, data_dir, list_notes, list_problems, list_runs
from backend.manifest import RunError
from backend.opener import opened_run
from backend.store import Run
from backend.text_html import notice, safe

_MAKE_ONE = "python -m precompute run precompute/configs/tiny.toml"
# how contexts are shown is kept from one latent to the next; the defaults are not in the address
_VIEW = {"context": ("line", "whole"), "marks": ("1",)}
_RELS = {"‹ Previous": "prev", "Next ›": "next"}  # noqa: RUF001  keys go there too


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
        ] or [f"There is no run “{wanted}” in {folder}.", *list_notes(folder)]
    # the one that was asked for, then the others in their order
    run = None
    for name in sorted(runs, key=lambda name: name != wanted):
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
    run: Run,
    crumbs: Sequence[str],
    here: Link,
    sae_id: str = "",
    latent: int | None = None,
    random_to: Link | None = None,
) -> str:
    """Where we are on the left; previous, random, next and copy link on the right.

    Args:
        crumbs: pieces of HTML.
        here: the page, with run and content hash: what copy link copies.
        sae_id: the SAE that a random latent is drawn from; "" for none.
        latent: its neighbours by index are previous and next, or those in the answer that it was
            opened from; None when the page shows no latent.
        random_to: where Random goes instead.
    """
    if st.context.is_embedded:
        return f'<div class="pagehead"><div class="crumbs">{" / ".join(crumbs)}</div></div>'
    kind = "meta" if here.path == META_PATH else "sae"
    buttons = []
    place = None if latent is None else place_in_answer(run, sae_id, latent)
    if place is not None:
        crumbs = [place.back_html, *crumbs]
        buttons = [_step_to("‹ Previous", place.before), ""]  # noqa: RUF001
        buttons[1] = _step_to("Next ›", place.after)  # noqa: RUF001
        here = Link(here.path, {**here.params, **place.params})
        random_to = place.random_to
    elif latent is not None:
        before, after = queries.adjacent_latents(run, sae_id, latent)
        steps = (("‹ Previous", before), ("Next ›", after))  # noqa: RUF001
        buttons = [
            _step_to(words, None if to is None else latent_link(sae_id, to, kind, run.name))
            for words, to in steps
        ]
    if random_to is None and sae_id:
        drawn = queries.random_latent(run, sae_id, secrets.randbits(32))
        random_to = None if drawn is None else latent_link(sae_id, drawn, kind, run.name)
    if random_to is not None:
        buttons.insert(1, _step_to("Random", random_to))
    href = escape(_as_viewed(here).href, quote=True)
    buttons.append(
        f'<button type="button" class="copy-link" data-href="{href}">Copy link</button>'
        f'<button type="button" class="copy-link embed-code" data-href="{href}">Copy embed code'
        '</button><input class="link-text" aria-label="Link to this page" readonly hidden>'
    )
    return (
        f'<div class="pagehead"><div class="crumbs">{" / ".join(crumbs)}</div>'
        f'<div class="actions">{"".join(buttons)}</div></div>'
    )


def search_form(
    run: Run, text: str = "", big: bool = False, kept: Mapping[str, str] | None = None
) -> str:
    """The search box as a plain form: it works from every page, and without scripts too.

    Args:
        text: what stands in the box.
        big: as on the overview.
        kept: parameters of the search that stay when the text changes: its filters.
    """
    css = "find big" if big else "find"
    hidden = "".join(
        f'<input type="hidden" name="{escape(name, quote=True)}" value="{safe(value)}">'
        for name, value in {"run": run.name, **(kept or {})}.items()
    )
    return (
        f'<form class="{css}" action="{SEARCH_PATH}" role="search">{hidden}'
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
    if st.context.is_embedded:
        embed_frame(run, path, messages)
        return
    with st.sidebar:
        side_bar(run, names, path)
    kept, text = {}, ""
    if path == SEARCH_PATH:
        asked = urlstate.question(tuple(sae["sae_id"] for sae in queries.saes(run)))
        kept, text = {k: v for k, v in asked.params.items() if k != "q"}, asked.text
    home = escape(overview_link(run.name).href)
    mark = f'<a class="mark" href="{home}">Sub<span>atomic</span></a>'
    form = "" if path == OVERVIEW_PATH else search_form(run, text, kept=kept)
    st.html(
        f'<header class="topbar">{mark}{form}</header>'
        + "".join(notice(message, "problem") for message in messages)
    )


def _step_to(words: str, to: Link | None) -> str:
    if to is None:
        return f'<span class="off" aria-disabled="true">{words}</span>'
    rel = f' rel="{_RELS[words]}"' if words in _RELS else ""
    return f'<a{rel} href="{escape(_as_viewed(to).href, quote=True)}">{words}</a>'


def _as_viewed(to: Link) -> Link:
    """A link with how contexts are shown here, where that is not the default."""
    kept = {name: urlstate.choice(name, values, "") for name, values in _VIEW.items()}
    return Link(to.path, {**to.params, **{name: value for name, value in kept.items() if value}})


def _stop(messages: list[str]) -> NoReturn:
    st.html(
        f"<h1>Subatomic</h1>{''.join(notice(message, 'problem') for message in messages)}"
        f"<p>There is no run in <code>{safe(str(data_dir()))}</code> that can be shown. "
        f"Make one with <code>{_MAKE_ONE}</code>, or name another folder in the environment "
        f"variable <code>{DATA_VARIABLE}</code>; then load this page again.</p>"
    )
    st.stop()
