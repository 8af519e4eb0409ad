"""Evidence for a latent as HTML: examples by group, relatives, the links of its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backend.latent import Latent
from backend.links import Link, latent_link
from backend.lists_html import latents_html, pill_html
from backend.near_duplicates import repeats
from backend.queries import Graph
from backend.records import Record, grouped
from backend.text_html import latent_name, link, notice, number, safe, tip
from backend.token_html import ContextView, context_html, legend_html

N_INTERVALS = 3
SHOWN_EXAMPLES = 4  # of a group; what follows says the same more often than not
_TERMS = {"top": "strongest examples", "random": "random examples"}  # all others are intervals


def examples_html(
    rows: Sequence[Record], threshold: float, maximum: float, view: ContextView | None = None
) -> str:
    """The rows of `queries.examples`, a heading and a list for each group.

    An example that repeats an earlier one, of whatever group, is folded under that one.

    Args:
        threshold: of the SAE; the lower end of the lowest interval. The upper end of the highest is
            the strongest example: intervals are cut over the texts that may be shown.
        maximum: of the latent, over all texts; the end of the colour scale.
        view: how much of each context is shown.
    """
    view = view or ContextView()
    first_of = repeats(rows)
    copies: dict[int, list[Record]] = {}
    for row, first in zip(rows, first_of, strict=True):
        if first is not None:
            copies.setdefault(first, []).append(row)
    parts = [legend_html(maximum)]
    n_folded = sum(map(len, copies.values()))
    if n_folded:
        these = "repeats an earlier one" if n_folded == 1 else "repeat an earlier one"
        parts.append(
            f'<p class="note">{n_folded} of {len(rows)} examples {these} and are folded under it '
            f"({tip('near-duplicates')}).</p>"
        )
    strongest = max((float(row["activation"]) for row in rows), default=0.0)
    at = 0
    for group, own in grouped(rows, "group").items():
        start, at = at, at + len(own)
        items = [
            _item_html(rows[i], copies.get(i, ()), maximum, view)
            for i in range(start, at)
            if first_of[i] is None
        ]
        parts.append(_group_head(str(group), own, threshold, strongest))
        parts.append(folded_html(items) if items else "")
        # those folded inside this group stand just above anyway
        above = [
            row
            for row, first in zip(own, first_of[start:at], strict=True)
            if first is not None and first < start
        ]
        if above:
            values = ", ".join(number(row["activation"]) for row in above)
            parts.append(f'<p class="note">Folded above: activation {values}.</p>')
    return "".join(parts)


def view_choices_html(view: ContextView, to: Callable[..., Link]) -> str:
    """The choices of how contexts are shown, as links.

    Args:
        view: what is in force.
        to: this page's link with the parameters `context` and `marks` set, or left out where "".
    """
    names = {"line": "one line each", "near": "around the token", "whole": "whole contexts"}
    pills = [
        pill_html(words, view.width == width, to(context="" if width == "near" else width))
        for width, words in names.items()
    ]
    words = "hide blanks" if view.marks else "show blanks and line breaks"
    pills.append(link(to(marks="" if view.marks else "1").href, words))
    return f'<nav class="pills views" aria-label="How contexts are shown">{"".join(pills)}</nav>'


def _group_head(group: str, own: Sequence[Record], threshold: float, strongest: float) -> str:
    low, high = (end(float(row["activation"]) for row in own) for end in (min, max))
    name = {"top": "Strongest", "random": "Random"}.get(group, group.capitalize())
    if group.startswith("interval") and group[9:].isdigit():
        width = max(strongest - threshold, 0.0) / N_INTERVALS
        high = strongest - (int(group[9:]) - 1) * width
        low = high - width
    return (
        f"<h3>{tip(name, _TERMS.get(group, 'interval'))} <small>{number(low)} to {number(high)}, "
        f"{len(own)} example{'s' if len(own) > 1 else ''}</small></h3>"
    )


def _item_html(row: Record, copies: Sequence[Record], maximum: float, view: ContextView) -> str:
    folded = ""
    if copies:
        items = "".join(
            f'<li><span class="value">{number(copy["activation"])}</span><div>'
            f"{example_html(copy, maximum, view, True, copy['group'])}</div></li>"
            for copy in copies
        )
        many = "s" if len(copies) > 1 else ""
        folded = (
            f'<details class="fold copies"><summary>+{len(copies)} near-duplicate{many}</summary>'
            f'<ol class="examples">{items}</ol></details>'
        )
    return (
        f'<li><span class="value">{number(row["activation"])}</span>'
        f"<div>{example_html(row, maximum, view, True)}{folded}</div></li>"
    )


def folded_html(items: Sequence[str]) -> str:
    """A list of examples; all after the first few unfold."""
    first, rest = items[:SHOWN_EXAMPLES], items[SHOWN_EXAMPLES:]
    html = f'<ol class="examples">{"".join(first)}</ol>'
    if rest:
        html += (
            f'<details class="fold"><summary>{len(rest)} more</summary>'
            f'<ol class="examples">{"".join(rest)}</ol></details>'
        )
    return html


def example_html(
    row: Record,
    maximum: float,
    view: ContextView | None = None,
    says_maximum: bool = False,
    group: str = "",
) -> str:
    """One context with its source below.

    Args:
        maximum: end of the colour scale.
        view: how much of it is shown.
        says_maximum: `maximum` is the latent's own.
        group: named before the source, where the example stands outside its group.
    """
    shown = context_html(
        row["text"],
        row["token_starts"],
        row["token_ends"],
        row["positions"],
        row["activations"],
        int(row["position"]),
        maximum,
        view,
        says_maximum,
    )
    named = (part for part in (group, row["title"], row["source"]) if part)
    # each is an isolate, so that a title from right to left turns no other part around
    source = " · ".join(f"<bdi>{safe(part)}</bdi>" for part in named)
    return f"{shown}<cite>{source}</cite>"


def histogram_words(latent: Latent, value: str, counted: str) -> str:
    """A latent's histogram for who cannot see it: number, range, middle and peak; not HTML.

    Args:
        value: what the x axis shows, e.g. "activation".
        counted: what a bar counts, e.g. "tokens".
    """
    edges, counts = latent.histogram_edges, latent.histogram_counts
    total = sum(counts)
    if total == 0:
        return f"Histogram: no {counted}"
    highest = max(range(len(counts)), key=lambda i: counts[i])
    middle = next(i for i in range(len(counts)) if 2 * sum(counts[: i + 1]) >= total)
    return (
        f"Histogram of {total:,} {counted} by {value}, from {number(edges[0])} to "
        f"{number(edges[-1])}. Half of them lie below {number(edges[middle + 1])}. The highest bar "
        f"is {counts[highest]:,}, from {number(edges[highest])} to {number(edges[highest + 1])}."
    )


def relatives_html(neighbours: Sequence[Record], sae_id: str, run: str) -> str:
    """A list for each SAE: the nearest latents by cosine of the decoder directions."""
    if not neighbours:
        return notice("No neighbours were stored for this latent.")
    lists = []
    for other, own in grouped(neighbours, "other_sae_id").items():
        caption = f"{other} (the same SAE)" if other == sae_id else str(other)
        rows = [
            (
                latent_link(str(other), int(row["other_latent"]), row["kind"], run),
                latent_name(row["label"], int(row["other_latent"]), row["kind"]),
                float(row["cosine"]),
            )
            for row in own
        ]
        lists.append(latents_html(rows, caption, "cosine"))
    return f'<div class="listings">{"".join(lists)}</div>'


def graph_links_html(graph: Graph, run: str) -> str:
    """The graph as nested text: each meta-latent, then the other latents it is part of."""
    nodes = {node["node_id"]: node for node in graph.nodes}
    items = []
    for node in nodes.values():
        if node["role"] != "meta":
            continue
        others = [edge["source"] for edge in graph.edges if edge["target"] == node["node_id"]]
        members = [nodes[other] for other in others if nodes[other]["role"] == "member"]
        listed = ", ".join(
            link(latent_link(m["sae_id"], m["latent"], run=run).href, _name(m)) for m in members
        )
        to = latent_link(node["sae_id"], node["latent"], "meta", run)
        listed = listed or "no other latent"
        items.append(f"<p>{link(to.href, _name(node))} <small>also in</small> {listed}</p>")
    return f'<div class="graphlinks">{"".join(items)}</div>'


def _name(node: Record) -> str:
    return latent_name(node["label"], node["latent"], "meta" if node["role"] == "meta" else "sae")
