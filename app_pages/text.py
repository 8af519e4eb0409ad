"""A reader's own text: tokens, the latents that fire on them, and the meta-latents behind those."""

from __future__ import annotations

from concurrent.futures import wait

import streamlit as st

from app_pages.frame import actions_html, opened, title
from backend import own_text, queries, urlstate
from backend.links import TEXT_PATH, Link, text_link
from backend.lists_html import facts_html, pill_html
from backend.own_text_html import (
    enable_html,
    form_html,
    legend_html,
    limits_html,
    token_head_html,
    words_html,
)
from backend.own_text_lists_html import (
    Shown,
    pooled_latents_html,
    pooled_metas_html,
    token_html,
)
from backend.reading import (
    Question,
    Reading,
    Token,
    clean_text,
    pooled_latents,
    pooled_metas,
    share_of_maximum,
    strongest_share,
)
from backend.records import Record
from backend.store import Run
from backend.text_html import latent_name, link, notice, plain, safe, tip
from backend.text_worker import WORKER, NotEnabled, TextError
from backend.torch_python import torch_python

EXAMPLES = (
    "She sat down on the bank of the river.",
    "He took his money to the bank.",
    "Marie Curie and Albert Einstein never played football in Berlin.",
)
LOADING = "Loading the language model. The first text takes some seconds, the next ones do not."
READING = "Reading the text."


def text_page() -> None:
    run = opened(TEXT_PATH)
    saes = own_text.text_saes(run)
    readers = {sae["sae_id"]: sae for sae in saes if sae["has_encoder"]}
    text, is_cut = clean_text(urlstate.text("t"))
    title("Your text")
    if not readers:
        st.html(
            _head(run, Link(TEXT_PATH, {"run": run.name}), queries.saes(run)[0]["sae_id"])
            + notice("This run keeps the encoder of none of its SAEs, so it cannot read text.")
        )
        return
    sae = readers[urlstate.choice("sae", list(readers), next(iter(readers)))]

    def here(**changes: str) -> Link:
        """This page with some parameters changed; empty ones are left out."""
        kept = text_link(text, sae["sae_id"], run.name).params
        kept |= {"token": urlstate.text("token")[:10], "latent": urlstate.text("latent")[:10]}
        return Link(TEXT_PATH, {k: v for k, v in {**kept, **changes}.items() if v})

    st.html(
        _head(run, here(h=run.manifest.short_hash), sae["sae_id"])
        + _wrong_sae(saes, readers)
        + form_html(run.name, sae["sae_id"], text)
        + _saes_html(saes, sae["sae_id"], text, run.name)
    )
    if not text.strip():
        st.html(_examples(run, sae["sae_id"]) + ("" if torch_python() else enable_html()))
        return
    try:
        reading = _reading(run, sae, text)
    except NotEnabled as error:
        st.html(notice(str(error), "problem") + enable_html())
        return
    except TextError as error:
        st.html(notice(str(error), "problem"))
        return
    shown = Shown(run.name, sae["sae_id"], sae["meta_sae_id"], here)
    _results(run, shown, text, reading, is_cut)


def _reading(run: Run, sae: Record, text: str) -> Reading:
    question = Question(run.folder, run.manifest.short_hash, sae["sae_id"], sae["n_latents"], text)
    known = WORKER.remembered(question)
    if known is not None:
        return known
    with st.spinner(READING if WORKER.pid else LOADING):
        future, place = WORKER.start_reading(question), st.empty()
        while not future.done():
            wait([future], timeout=0.2)
            place.empty()  # a reader who goes elsewhere meanwhile is let go here
    return future.result()


def _results(run: Run, shown: Shown, text: str, reading: Reading, is_cut: bool) -> None:
    told = limits_html(reading, is_cut)
    latents = own_text.fired_latents(run, shown.sae_id, reading.latents)
    if not reading.tokens or not latents:
        what = "token" if not reading.tokens else "latent that fires"
        st.html(told + notice(f"There is no {what} in this text."))
        return
    parts, usual = {}, {}
    if shown.meta_sae_id is not None:
        parts = own_text.components(run, shown.meta_sae_id, reading.latents)
        usual = own_text.usual_metas(run, shown.sae_id, shown.meta_sae_id)
    chosen, message = _chosen_token(reading)
    shares, legend = _shares(reading, latents, shown)
    st.html(told + message + words_html(text, reading, shares, shown.here, chosen) + legend)
    if chosen is not None:
        token = reading.tokens[chosen]
        st.html(
            token_head_html(text, reading, chosen, shown.here)
            + '<div class="sides"><div><h3>Latents that fire</h3>'
            + (token_html(token, latents, parts, shown) if token.latents else notice("None."))
            + "</div><div><h3>Their meta-latents</h3>"
            + pooled_metas_html(pooled_metas([token], parts, usual), shown)
            + "</div></div>"
        )
    pooled = pooled_latents(reading.tokens, latents)
    metas = pooled_metas(reading.tokens, parts, usual)
    n_fired = sum(len(token.latents) for token in reading.tokens)
    facts = [
        (f"{len(reading.tokens):,}", "tokens", None),
        (f"{len(pooled):,}", "latents fire", "latent"),
        (f"{n_fired / len(reading.tokens):.1f}", "at once", "L0"),
    ]
    if shown.meta_sae_id is not None:
        facts.append((f"{len(metas):,}", "meta-latents behind them", "meta-latent"))
    st.html(
        "<h2>The whole text</h2>" + facts_html(facts) + '<div class="sides"><div><h3>Latents</h3>'
        "<p class='note'>At their strongest token. The number of tokens here opens the text shaded "
        f"by that latent alone.</p>{pooled_latents_html(pooled, shown)}"
        "</div><div><h3>Meta-latents</h3>"
        "<p class='note'>Mean over the tokens; first those that exceed what is usual most.</p>"
        f"{pooled_metas_html(metas, shown)}</div></div>"
    )


def _head(run: Run, here: Link, sae_id: str) -> str:
    return (
        actions_html(run, ["Your text"], here, sae_id)
        + "<h1>Your text</h1>"
        + f'<p class="lead">Type a text and see which {tip("latents", "latent")} of an SAE fire '
        f"on each of its tokens, and which {tip('meta-latents', 'meta-latent')} these are made "
        "of. It is read by the language model of this run, on this server.</p>"
    )


def _wrong_sae(saes: list[Record], readers: dict[str, Record]) -> str:
    wanted = urlstate.text("sae")
    if not wanted or wanted in readers:
        return ""
    known = any(sae["sae_id"] == wanted for sae in saes)
    why = "has no encoder in this run" if known else "is no SAE of this run"
    return notice(f"“{plain(wanted[:60])}” {why}; {next(iter(readers))} reads instead.", "problem")


def _saes_html(saes: list[Record], chosen: str, text: str, run: str) -> str:
    pills = "".join(
        pill_html(sae_id, sae_id == chosen, text_link(text, sae_id, run))
        for sae in saes
        if (sae_id := sae["sae_id"]) and sae["has_encoder"]
    )
    others = ", ".join(sae["sae_id"] for sae in saes if not sae["has_encoder"])
    why = (
        f"<p class='note'>Not {safe(others)}: to stay small, a run keeps the encoders of the SAEs "
        "that are decomposed, and no others.</p>"
    )
    return f'<div class="pills"><span>read by</span>{pills}</div>{why if others else ""}'


def _examples(run: Run, sae_id: str) -> str:
    items = "".join(
        f"<li>{link(text_link(text, sae_id, run.name).href, text)}</li>" for text in EXAMPLES
    )
    return (
        "<h2>For example</h2><p>Is the bank of a river the bank that holds money? Click the word "
        f"in both.</p><ul>{items}</ul>"
    )


def _chosen_token(reading: Reading) -> tuple[int | None, str]:
    """Position of the token in the address, and a message when there is no such."""
    typed, number = urlstate.text("token"), urlstate.whole_number("token")
    if number is not None and 1 <= number <= len(reading.tokens):
        return number - 1, ""
    if not typed:
        return None, ""
    there_are = f"they go from 1 to {len(reading.tokens)}"
    return None, notice(f"There is no token “{plain(typed[:40])}” here: {there_are}.", "problem")


def _shares(reading: Reading, latents: dict[int, Record], shown: Shown) -> tuple[list[float], str]:
    """What the tokens are shaded by, and its legend: the latent in the address, or all."""
    number = urlstate.whole_number("latent")
    latent = None if number is None else latents.get(number)
    if latent is None:
        strongest = tip("the strongest latent’s share of its maximum", "share of maximum")  # noqa: RUF001
        shares = [strongest_share(token, latents) for token in reading.tokens]
        return shares, legend_html(strongest)
    name = latent_name(latent["label"], latent["latent"])
    back = link(shown.here(latent="").href, "all latents")
    shares = [_share_of(token, latent) for token in reading.tokens]
    return shares, legend_html(
        f"{safe(name)} ({safe(shown.sae_id)}/{latent['latent']}), share of its maximum; {back}"
    )


def _share_of(token: Token, latent: Record) -> float:
    if latent["latent"] not in token.latents:
        return 0.0
    activation = token.activations[token.latents.index(latent["latent"])]
    return share_of_maximum(activation, latent) or 0.0


text_page()
