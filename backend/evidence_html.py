"""Evidence for a latent as HTML: examples by group, relatives, the links of its graph."""

from __future__ import annotations

from collections.abc import Sequence

from backend.links import latent_link
from backend.lists_html import latents_html
from backend.queries import Graph
from backend.records import Record, grouped
from backend.text_html import latent_name, link, notice, number, safe, tip
from backend.token_html import context_html, legend_html

N_INTERVALS = 3
SHOWN_EXAMPLES = 4  # of a group; what follows says the same more often than not


def examples_html(rows: Sequence[Record], threshold: float, maximum: float) -> str:
    """The rows of `queries.examples`, a heading and a list for each group.

    Args:
        threshold: of the SAE; the lower end of the lowest interval.
        maximum: of the latent; the upper end of the highest, and of the colour scale.
    """
    width = max(maximum - threshold, 0.0) / N_INTERVALS
    heads = {"top": "Strongest", "random": "Random"}
    for i in range(N_INTERVALS):
        high = maximum - i * width
        heads[f"interval {i + 1}"] = f"Interval {number(high - width)} to {number(high)}"
    parts = [legend_html(maximum)]
    for group, own in grouped(rows, "group").items():
        head = heads.get(str(group), safe(str(group)))
        if str(group).startswith("interval"):
            head = tip(head, "interval")
        items = [
            f'<li><span class="value">{number(row["activation"])}</span>'
            f"<div>{example_html(row, maximum)}</div></li>"
            for row in own
        ]
        parts.append(f"<h3>{head}</h3>{folded_html(items)}")
    return "".join(parts)


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


def example_html(row: Record, maximum: float) -> str:
    """One context with its source below."""
    shown = context_html(
        row["text"],
        row["token_starts"],
        row["token_ends"],
        row["positions"],
        row["activations"],
        int(row["position"]),
        maximum,
    )
    source = " · ".join(part for part in (row["title"], row["source"]) if part)
    return f"{shown}<cite>{safe(source)}</cite>"


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
