"""What other tools say about a latent, as one box: their figures beside ours, always with a source.

Everything in it was written by others and is escaped; what they do not say is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.elsewhere import Elsewhere
from backend.lists_html import facts_html
from backend.text_html import latent_name, notice, number, percent, safe, shortened, tip
from backend.token_html import ContextView, context_html

SHOWN_TOKENS = 8
SHOWN_PARTS = 6
SHOWN_EXPLANATIONS = 3
LONGEST_NAME = 60  # characters of a source or a part's label


def elsewhere_html(
    said: Sequence[Elsewhere],
    problems: Sequence[str],
    count: int,
    tokens_seen: int,
    max_activation: float,
) -> str:
    """The box, "" when nothing was imported.

    Args:
        said, problems: as `backend.elsewhere.said_elsewhere` gives them.
        count, tokens_seen, max_activation: of the latent in this run.
    """
    if not said and not problems:
        return ""
    own = (count / tokens_seen if tokens_seen else None, max_activation if count else None)
    boxes = "".join(_tool_html(one, *own) for one in said)
    told = "".join(notice(problem, "problem") for problem in problems)
    return (
        f'<h2>Elsewhere</h2><p class="note">What other tools say about this latent, as it was '
        f"imported; their texts and ways of counting differ from this run's.</p>{told}{boxes}"
    )


def _tool_html(one: Elsewhere, density: float | None, max_activation: float | None) -> str:
    row, about = one.row, one.about
    parts = [
        _explanations_html(row["explanations"], row["scores"]),
        _figures_html(row, about, density, max_activation),
        _tokens_html("promotes", row["promoted"]),
        _tokens_html("suppresses", row["suppressed"]),
        _tokens_html("fires on", row["fires_on"], digits=0),
        _parts_html(row["parts"]),
        _examples_html(row["examples"]),
        f'<p class="checked">{_origin(about)}</p>',
    ]
    name = safe(about.get("tool") or "Unnamed")
    source = safe(shortened(about.get("source", ""), LONGEST_NAME))
    model = safe(shortened(about.get("model", ""), LONGEST_NAME))
    of = " · ".join(part for part in (model, source) if part)
    return (
        f'<section class="elsewhere"><h3>{name} <small>{of}</small></h3>{"".join(parts)}</section>'
    )


def _explanations_html(
    explanations: Sequence[Mapping[str, Any]], scores: Sequence[Mapping[str, Any]]
) -> str:
    """The label, who gave it and how it scored; earlier explanations below it."""
    if not explanations:
        return ""
    last, *earlier = reversed(explanations)
    items = [_explanation(last, "said")]
    for score in scores:
        items.append(
            f'<p class="score">{safe(score["kind"])}: balanced accuracy '
            f"{number(score['accuracy'])}, F1 {number(score['f1'])} on {score['n']:,} examples</p>"
        )
    items += [_explanation(one, "said earlier") for one in earlier[: SHOWN_EXPLANATIONS - 1]]
    return "".join(items)


def _explanation(one: Mapping[str, Any], css: str) -> str:
    by = f" <small>by {safe(one['by'])}</small>" if one["by"] else ""
    return f'<p class="{css}"><bdi>{safe(one["text"])}</bdi>{by}</p>'


def _figures_html(
    row: Mapping[str, Any],
    about: Mapping[str, str],
    density: float | None,
    max_activation: float | None,
) -> str:
    facts: list[tuple[str, str, str | None]] = []
    if row["density"] is not None:
        theirs = _share(row["density"], about.get("density_step", ""))
        facts.append((f"{theirs} ({percent(density)} here)", "fires on", "density"))
    if row["max_activation"] is not None:
        theirs = number(row["max_activation"])
        facts.append((f"{theirs} ({number(max_activation)} here)", "maximum", "activation"))
    return facts_html(facts) if facts else ""


def _share(density: float, step: str) -> str:
    """A density; one that was rounded to 0 is not 0."""
    try:
        half = float(step) / 2
    except ValueError:
        half = 0.0
    return f"less than {percent(half)}" if density == 0 and half > 0 else percent(density)


def _tokens_html(words: str, tokens: Sequence[Mapping[str, Any]], digits: int = 2) -> str:
    shown = " ".join(
        f"<code>{safe(each['token'].strip()) or '␣'}</code>"
        f"<small>{number(each['value'], digits)}</small>"
        for each in tokens[:SHOWN_TOKENS]
    )
    return f'<p class="tokens"><span>{words}</span> {shown}</p>' if shown else ""


def _parts_html(parts: Sequence[Mapping[str, Any]]) -> str:
    shown = " ".join(
        f"<bdi>{safe(shortened(latent_name(part['label'], part['part'], 'meta'), LONGEST_NAME))}"
        f"</bdi> <small>{number(part['weight'])}</small>"
        for part in parts[:SHOWN_PARTS]
    )
    return (
        f'<p class="tokens"><span>{tip("decomposition")} there</span> {shown}</p>' if shown else ""
    )


def _examples_html(examples: Sequence[Mapping[str, Any]]) -> str:
    maximum = max((max(one["values"], default=0.0) for one in examples), default=0.0)
    items = [_example(one, maximum) for one in examples if _is_whole(one)]
    if not items:
        return ""
    return (
        f"<details><summary>{len(items)} example{'s' if len(items) > 1 else ''}</summary>"
        f'<ol class="examples">{"".join(items)}</ol></details>'
    )


def _is_whole(one: Mapping[str, Any]) -> bool:
    return len(one["tokens"]) == len(one["values"]) and 0 <= one["peak"] < len(one["tokens"])


def _example(one: Mapping[str, Any], maximum: float) -> str:
    """The tokens in a row: there the text exists in no other form."""
    starts, ends, at = [], [], 0
    for token in one["tokens"]:
        starts.append(at)
        at += len(token)
        ends.append(at)
    fired = [place for place, value in enumerate(one["values"]) if value > 0]
    values = [one["values"][place] for place in fired]
    shown = context_html(
        "".join(one["tokens"]), starts, ends, fired, values, one["peak"], maximum,
        ContextView("whole"),
    )  # fmt: skip
    group = "" if one["group"] == "top" else f"<cite>interval {safe(one['group'])}</cite>"
    strength = number(one["values"][one["peak"]])
    return f'<li><span class="value">{strength}</span><div>{shown}{group}</div></li>'


def _origin(about: Mapping[str, str]) -> str:
    checked = about.get("checked", "")
    if checked:
        return f"The same weights, as shown by: {safe(checked)}."
    return "Only its width was checked: whoever imported it vouched that it is the same SAE."
