"""Two SAEs of different sizes: what is novel in the larger one, and the way between them."""

from __future__ import annotations

import streamlit as st

from app_pages.frame import actions_html, opened, title
from app_pages.pair_latents import KIND_WORDS, SORT_WORDS, page_of_latents, pair_latents
from backend import queries, stitch_charts, stitching, urlstate
from backend.ahead import ahead
from backend.downloads_html import download_links_html
from backend.links import STITCHING_PATH, Link, latent_link
from backend.lists_html import facts_html, table_html
from backend.records import Record
from backend.stitch_html import merged_html
from backend.store import Run
from backend.text_html import notice, number, percent, safe, tip


def stitching_page() -> None:
    run = opened(STITCHING_PATH)
    title("Stitching")
    pairs = stitching.pairs(run)
    if not pairs:
        st.html(
            "<h1>SAE stitching</h1>"
            + notice("This run has one SAE only, so there are no two to compare.")
        )
        return
    small, large = _chosen(pairs)
    number_ = max(urlstate.whole_number("page") or 1, 1)
    kind = urlstate.choice("kind", list(KIND_WORDS), "")
    sort = urlstate.choice("sort", list(SORT_WORDS), "change")
    text = urlstate.text("q")
    pair = (run, small, large)
    points = ahead(stitching.points, *pair, stitch_charts.MOST_POINTS)
    curve, roc = ahead(stitching.curve, *pair), ahead(stitching.roc, *pair)
    listed = ahead(page_of_latents, *pair, kind, text, sort, number_)
    merged = ahead(queries.measurements, run, "merged")

    def here(**changes: str) -> Link:
        """This page with some parameters changed; empty ones are left out."""
        kept = {"run": run.name, "small": small, "large": large, "kind": kind, "sort": sort}
        kept |= {"q": text} | changes
        return Link(STITCHING_PATH, {k: v for k, v in kept.items() if v})

    shared = here(h=run.manifest.short_hash, page=str(number_) if number_ > 1 else "")
    st.html(
        actions_html(run, ["Stitching"], shared, large)
        + f"<h1>From {safe(small)} to {safe(large)}</h1>"
        f'<p class="lead">{tip("Stitching", "stitching")} adds each {tip("latent")} of the larger '
        f"SAE to the smaller one. Is the error lower, the latent is {tip('novel')}; if not, it is "
        f"a {tip('reconstruction')} of what the smaller SAE already has.</p>"
    )
    _pickers(pairs, small, large)
    figures = stitching.pair_figures(run, small, large)
    st.html(_facts(run, small, large, figures))
    _scatter(run, small, large, points())
    _curves(run, small, large, figures, curve())
    _predictor(small, large, figures, roc())
    latents = pair_latents(run, small, large, here, kind, sort, text, *listed())
    st.html(latents + merged_html(merged(), queries.saes(run)))


def _chosen(pairs: list[Record]) -> tuple[str, str]:
    """The pair in the address; by default the largest SAE and the one before it."""
    known = [(pair["small_sae_id"], pair["large_sae_id"]) for pair in pairs]
    wanted = (urlstate.text("small"), urlstate.text("large"))
    if wanted in known:
        return wanted
    if any(wanted):
        st.html(
            notice(
                f"There is no pair of a smaller “{wanted[0][:40]}” and a larger “{wanted[1][:40]}” "
                f"in this run. Showing {known[-1][0]} and {known[-1][1]} instead.",
                "problem",
            )
        )
    return known[-1]


def _pickers(pairs: list[Record], small: str, large: str) -> None:
    left, right = st.columns(2)
    larger = list(dict.fromkeys(pair["large_sae_id"] for pair in pairs))
    smaller = [pair["small_sae_id"] for pair in pairs if pair["large_sae_id"] == large]
    clears = ("page", "q", "h")
    with left:
        urlstate.choice_box("Smaller SAE", "small", smaller, small, clears=clears)
    with right:
        urlstate.choice_box("Larger SAE", "large", larger, large, clears=("small", *clears))


def _facts(run: Run, small: str, large: str, figures: dict[str, Record]) -> str:
    counts = stitching.counts(run, small, large)
    facts: list[tuple[str, str, str | None]] = [
        (f"{counts['novel']:,}", "novel", "novel"),
        (f"{counts['reconstruction']:,}", "reconstructions", "reconstruction"),
        (f"{counts['silent']:,}", "silent in the sample", "silent"),
    ]
    share = figures.get("novel_share")
    if share is not None:
        facts.append((percent(share["value"]), "novel, of those that fired", "novel"))
    clear = figures.get("sign_clear")
    if clear is not None:
        facts.append((percent(clear["value"]), "with a clear sign", "clear sign"))
    tokens = figures.get("tokens")
    if tokens is not None:
        facts.append((f"{tokens['n']:,}", "held-out tokens", None))
    return facts_html(facts)


def _scatter(run: Run, small: str, large: str, points: list[Record]) -> None:
    mse, counts = stitching.error_of(run, small), stitching.counts(run, small, large)
    st.html("<h2>Novel or not</h2>")
    if not points or not mse:
        st.html(notice("No latent of the larger SAE fired in the sample."))
        return
    st.html(
        "<p class='note'>Each point is a latent of the larger SAE; below zero it lowers the error "
        "of the smaller one. The dotted line is the 0.7 rule. Click a point to open the "
        "latent; the list below has the same latents as links.</p>"
    )
    event = st.plotly_chart(
        stitch_charts.delta_scatter(points, mse, counts["novel"] + counts["reconstruction"]),
        on_select="rerun",
        selection_mode="points",
        key=f"scatter-{run.name}-{small}-{large}",
        config={"displaylogo": False},
        alt="Cosine with the nearest latent against the change of the error, for each latent",
    )
    for point in event["selection"]["points"]:
        target = latent_link(large, int(point["customdata"][0]), run=run.name)
        st.switch_page("app_pages/latent.py", query_params=target.params)


def _curves(
    run: Run, small: str, large: str, figures: dict[str, Record], curve: list[Record]
) -> None:
    st.html("<h2>The way from one to the other</h2>")
    if not curve:
        st.html(
            notice(
                "This pair has no curve: runs hold one for neighbouring sizes, and for the pairs "
                "that their config names under stitching.other_pairs."
            )
        )
        return
    giants = figures.get("giant_latents")
    split = ""
    if giants is not None and giants["n"]:
        noun = "group was" if giants["n"] == 1 else "groups were"
        split = (
            f" {giants['n']} giant {noun} split ({giants['value']:,.0f} latents together): each "
            "latent of the larger SAE then moves with its nearest one only."
        )
    st.html(
        f"<p class='note'>Novel latents join first, the least similar ones before the others; then "
        f"{tip('groups', 'swap group')} are swapped, the most similar first. The smaller SAE's "
        f"decoder bias serves until the last step.{split}</p>"
    )
    left, right = st.columns(2, gap="large")
    reference = figures.get("effect_mean")
    beside = f"; mean activation: {number(reference['value'])}" if reference else ""
    is_causal = curve[0]["kl"] is not None
    effect = "rise of the cross-entropy, nats" if is_causal else "distance of the embedding"
    config = {"displayModeBar": False}
    with left:
        figure = stitch_charts.interpolation(
            curve, "variance_explained", "variance explained, held out"
        )
        st.plotly_chart(figure, config=config, key=f"explained-{small}-{large}")
    with right:
        figure = stitch_charts.interpolation(curve, "effect", f"{effect}{beside}")
        st.plotly_chart(figure, config=config, key=f"effect-{small}-{large}")
    asked = {"run": run.name, "small": small, "large": large, "h": run.manifest.short_hash}
    st.html(download_links_html("curve", asked))


def _predictor(small: str, large: str, figures: dict[str, Record], points: list[Record]) -> None:
    auc = figures.get("auc")
    if auc is None:
        return
    st.html("<h2>Does the decoder alone tell?</h2>")
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        figure = stitch_charts.roc_curve(points, auc["value"], auc["n"])
        st.plotly_chart(figure, config={"displayModeBar": False}, key=f"roc-{small}-{large}")
    with right:
        interval = f"{number(auc['ci_low'], 3)} to {number(auc['ci_high'], 3)}"
        rows = [
            (tip("AUC"), number(auc["value"], 3), interval),
            ("accuracy of the 0.7 rule", number(figures["accuracy"]["value"], 3), ""),
            (
                f"best cut, {number(figures['best_cut']['value'])}: its accuracy",
                number(figures["best_accuracy"]["value"], 3),
                "",
            ),
            (
                "always naming the larger kind",
                number(figures["majority"]["value"], 3),
                "what any rule must beat",
            ),
        ]
        heads = (("figure", None), ("value", None), ("95 % interval", None))
        st.html(table_html(heads, rows, words=("95 % interval",)))


stitching_page()
