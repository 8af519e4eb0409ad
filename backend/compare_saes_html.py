"""Whole SAEs side by side as HTML: their figures, and how far each is found in the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.compare_saes import Found
from backend.links import search_link, stitching_link
from backend.lists_html import table_html
from backend.manifest import Manifest
from backend.records import Record
from backend.splitting import SIMILAR_COSINE
from backend.text_html import MISSING, is_known, link, number, percent, safe, shortened


@dataclass(frozen=True)
class ComparedSae:
    """One of the SAEs: its row of `saes`, its run, and `compare_saes.sae_figures`."""

    run: str
    name: str  # as an address on this page says it
    sae: Record
    figures: Record


def saes_table(saes: Sequence[ComparedSae]) -> str:
    """A row for each SAE."""
    rows = []
    for one in saes:
        sae = one.sae
        held_out = sae["variance_explained_heldout"]
        own = held_out if is_known(held_out) else sae["variance_explained"]
        explained = f"{number(own)}{'' if is_known(held_out) else ' in sample'}"
        kinds = ", ".join(f"{kind} {n:,}" for kind, n in one.figures["kinds"].items())
        rows.append(
            (
                link(search_link("", sae["sae_id"], one.run).href, one.name),
                f"{sae['n_latents']:,}",
                number(sae["l0"], 1),
                explained,
                percent(sae["dead_fraction"]),
                percent(one.figures["median_density"]),
                safe(kinds) or MISSING,
            )
        )
    heads = (
        ("SAE", "SAE"),
        ("latents", "latent"),
        ("L0", "L0"),
        ("variance explained, held out", "variance explained"),
        ("dead", "dead"),
        ("median density", "density"),
        ("what labels name", "label"),
    )
    return table_html(heads, rows, words=("what labels name",))


def found_table(saes: Sequence[ComparedSae], found: Mapping[tuple[int, int], Found | None]) -> str:
    """A row for each ordered pair: how many latents of one have a counterpart in the other.

    Args:
        found: by places of both SAEs; None where the run holds nothing about the pair.
    """
    rows, gaps = [], []
    for (i, j), pair in found.items():
        a, b = saes[i], saes[j]
        names = f"latents of {safe(a.name)}, in {safe(b.name)}"
        if pair is None:
            gaps.append(f"{a.name} in {b.name}")
            continue
        novel = percent(pair.novel_share)
        if pair.novel_share is not None:
            to = stitching_link(b.sae["sae_id"], a.sae["sae_id"], a.run)
            novel = link(to.href, novel)
        rows.append((names, f"{pair.n:,}", percent(pair.similar_share), number(pair.mean), novel))
    heads = (
        ("latents of one, in the other", None),
        ("latents", None),
        (f"nearest at {SIMILAR_COSINE} or more", "best match"),
        ("mean cosine", "cosine"),
        ("novel to it", "novel"),
    )
    html = table_html(heads, rows) if rows else ""
    if gaps:
        html += (
            f'<p class="note">Not known: {safe("; ".join(gaps))}. Nearest latents are stored '
            "within one run.</p>"
        )
    return html


def runs_table(manifests: Mapping[str, Manifest]) -> str:
    """What differs between runs: model, text, versions of seeds; nothing for one run."""
    if len(manifests) < 2:
        return ""
    rows = [
        (
            safe(name),
            safe(shortened(manifest.title, 60)),
            safe(manifest.model_id),
            f"<code>{safe(manifest.model_sha256[:12])}</code>",
            f"{sum(corpus.tokens for corpus in manifest.corpora):,}",
            safe(", ".join(f"{key} {value}" for key, value in manifest.seeds.items())) or MISSING,
        )
        for name, manifest in manifests.items()
    ]
    heads = ("run", "title", "model", "weights", "tokens", "seeds")
    words = ("title", "model", "weights", "seeds")
    return "<h2>The runs</h2>" + table_html([(head, None) for head in heads], rows, words)


def chart_lines(
    saes: Sequence[ComparedSae], found: Mapping[tuple[int, int], Found | None]
) -> list[tuple[str, Record]]:
    """Histograms for `trust_charts.nearest_cosines`: both ways for two SAEs, else the first
    SAE's latents in each of the others."""
    shown = [
        (f"{saes[i].name} in {saes[j].name}", pair)
        for (i, j), pair in found.items()
        if pair is not None and (len(saes) == 2 or i == 0)
    ]
    return [
        (name, {"edges": pair.edges, "counts": pair.counts, "n": pair.n}) for name, pair in shown
    ]
