"""One edit as HTML: answers before and after it under every method, and the parts it moved."""

from __future__ import annotations

from collections.abc import Sequence

from backend.edit_figures import ordered
from backend.edit_html import method_html
from backend.lists_html import table_html
from backend.records import Record
from backend.text_html import notice, number, plain, safe


def edited_html(rows: Sequence[Record], chosen: dict[str, str]) -> str:
    """What every method made of one fact of one entity, as a table.

    Args:
        rows: of `edits`, one a method.
        chosen: kind, entity, other and attribute.
    """
    if not rows:
        return notice("This run holds no edit of this fact.")
    heads = (
        ("method", None),
        ("changed", None),
        ("others that stayed", None),
        (f"value of {plain(chosen['entity'])}", "log-probability"),
        (f"value of {plain(chosen['other'])}", "log-probability"),
        ("lead of the first", "lead"),
    )
    cells = [
        (
            method_html(row["method"]),
            "<b>yes</b>" if row["is_changed"] else "no",
            f"{row['n_kept']} of {row['n_others']}",
            _from_to(row["own_before"], row["own_after"]),
            _from_to(row["other_before"], row["other_after"]),
            _from_to(
                row["own_before"] - row["other_before"], row["own_after"] - row["other_after"]
            ),
        )
        for row in ordered(rows)
    ]
    return table_html(heads, cells, words=("changed",))


def latents_html(rows: Sequence[Record], links: dict[int, str]) -> str:
    """The two latents that were swapped, or whose parts were."""
    pairs = {(row["latent"], row["other_latent"]) for row in rows if row["latent"] is not None}
    html = ""
    for own, other in sorted(pairs, key=str):
        names = [links.get(one, f"latent {one}") for one in (own, other) if one is not None]
        html += f"<p>Latents of the two: {' and '.join(names)}</p>"
    return html


def parts_html(rows: Sequence[Record], links: dict[int, str]) -> str:
    """Meta-latents that were taken away and put in, once for methods that share them.

    Args:
        rows: of `edits`, one a method.
        links: a link (HTML) for every meta-latent that a row names.
    """
    groups: dict[tuple[tuple[int, ...], tuple[int, ...]], list[str]] = {}
    for row in ordered(rows):
        key = (tuple(row["removed"] or ()), tuple(row["added"] or ()))
        if any(key):
            groups.setdefault(key, []).append(row["method"])
    html = ""
    for (removed, added), methods in groups.items():
        names = ", ".join(safe(method) for method in methods)
        html += (
            f"<h3>Parts of: {names}</h3><dl class='changed-parts'>"
            f"<dt>taken away</dt><dd>{_parts(removed, links)}</dd>"
            f"<dt>put in</dt><dd>{_parts(added, links)}</dd></dl>"
        )
    return html


def told_html(rows: Sequence[Record], chosen: dict[str, str]) -> str:
    """One sentence on one edit: which methods changed the fact, and kept the others."""
    if not rows:
        return ""
    changed = [row for row in ordered(rows) if row["is_changed"]]
    clean = [row["method"] for row in changed if row["n_kept"] == row["n_others"]]
    aim = (
        f"Made to answer as for {safe(chosen['other'])} when asked for the "
        f"{safe(chosen['attribute'])} of {safe(chosen['entity'])}:"
    )
    told = f"{aim} {len(changed)} of {len(rows)} edits do it"
    if clean:
        told += f", {len(clean)} with all other facts kept ({safe(', '.join(clean))})."
    else:
        told += ", none with all other facts kept." if changed else "."
    return f'<p class="answer">{told}</p>'


def _from_to(before: float, after: float) -> str:
    return f"{number(before)} → {number(after)}"


def _parts(parts: Sequence[int], links: dict[int, str]) -> str:
    return ", ".join(links.get(part, f"meta-latent {part}") for part in parts) or "none"
