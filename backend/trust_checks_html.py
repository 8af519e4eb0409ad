"""The Trust page's sections about what decompositions are good for, and every value as a table."""

from __future__ import annotations

from collections.abc import Sequence

from backend.lists_html import table_html
from backend.records import Record, grouped
from backend.text_html import MISSING, is_known, number, percent, safe, tip
from backend.trust_bars import CIRCLE, Bar, plot_html, scale_of, whole
from backend.trust_figures import (
    DECODER_ROWS,
    ISOTROPIC,
    META_SAE,
    SPLIT_WORDS,
    best_split,
    by_subject,
    first_number,
    highest,
    method_kind,
    verdict,
)
from backend.trust_html import (
    METHOD_KEYS,
    known_tip,
    method_html,
    missing_html,
    section_html,
)

ALL_ATTRIBUTES = "all attributes"
CHANCE_AUROC = 0.5
SHUFFLED = ", shuffled"
EVERY = ", every part"


def attributes_section(rows: Sequence[Record]) -> str:
    """Do the parts stand for facts? Bars start at chance; sparse and dense scores apart."""
    question = "Do the parts stand for facts?"
    found = by_subject(rows, ALL_ATTRIBUTES, "auroc")
    if not found:
        what = "how well parts tell facts such as the country of a city"
        return missing_html(question, "attributes", what)
    order = sorted(found, key=lambda method: -found[method]["value"])
    bars = {name: Bar(method_html(name), found[name], method_kind(name)) for name in order}
    told = (
        "For every value of an attribute, such as a country: how well one part tells the words "
        f"that have it. The part is chosen on half of the words and scored on the others. "
        f"{tip('AUROC')}, mean over values; bars start at chance, {CHANCE_AUROC}."
    )
    scale = scale_of(bars.values(), CHANCE_AUROC)
    axis = f"{tip('AUROC')} over {ALL_ATTRIBUTES} (n = values)"
    sparse = [name for name in order if not name.endswith(EVERY)]
    few = [bars[name] for name in sparse]
    every = [bar for name, bar in bars.items() if name.endswith(EVERY)]
    keys = {**METHOD_KEYS, "null": "control"}
    plot = plot_html(few, scale, axis, keys)
    if every:
        # a score of every part ranks all words, which alone raises it above that of a few parts
        plot = (
            f"<h3>A few parts for each latent</h3>{plot}<h3>{tip('Every part', 'every part')}"
            f"</h3>{plot_html(every, scale, axis, keys)}"
        )
    return section_html(question, told, _facts_answer(found), plot + _by_attribute(rows, sparse))


def _facts_answer(found: dict[str, Record]) -> str:
    """Whether the meta-SAE's parts tell facts, and the best other method of a few parts."""
    own = found.get(META_SAE)
    if own is None:
        return ""
    others = [row for name, row in found.items() if META_SAE not in name and EVERY not in name]
    low = own["ci_low"] if is_known(own["ci_low"]) else own["value"]
    answer = (
        f"<b>{'Yes' if low > CHANCE_AUROC else 'Not clearly'}.</b> The meta-SAE's parts reach "
        f"{number(own['value'])}"
    )
    best = highest(others)
    if best is not None:
        same = verdict(best, own) == "Not clearly"
        answer += (
            f"; the best other method, {safe(best['subject'])}, {number(best['value'])}"
            f"{', with overlapping intervals' if same else ''}"
        )
    return answer + "."


def explained_section(rows: Sequence[Record]) -> str:
    """How many of a latent's strongest components are explained by a fact or its spelling?"""
    question = "Are the components known facts?"
    precise = [row for row in rows if row["metric"] == "precision"]
    real = [row for row in precise if not row["setting"].endswith(SHUFFLED)]
    if not real:
        what = "how many components are explained by known facts"
        return missing_html(question, "explained", what)
    control = {row["setting"].removesuffix(SHUFFLED): row["value"] for row in precise
               if row["setting"].endswith(SHUFFLED)}  # fmt: skip
    real.sort(key=lambda row: first_number(row["setting"]))
    bars = [Bar(safe(_plural(row["setting"])), row, "own", control.get(row["setting"]))
            for row in real]  # fmt: skip
    first = real[0]
    answer = (
        f"{percent(first['value'])} of the strongest components are explained by a known fact or "
        "by the spelling"
    )
    if first["setting"] in control:
        answer += f", {percent(control[first['setting']])} with the facts of other latents"
    last = real[-1]
    if len(real) > 1:
        answer += f"; counting the {safe(last['setting'])}, {percent(last['value'])}"
    told = (
        f"{tip('Explained components', 'explained components')} of latents that stand for one "
        "word. Most facts that a reader would name are in no table, so this is a lower bound."
    )
    keys = {"own": "with its own facts", **({CIRCLE: "with those of others"} if control else {})}
    plot = plot_html(bars, scale_of(bars), "share of components explained (n = latents)", keys)
    return section_html(question, told, f"{answer}.", plot)


def relations_html(rows: Sequence[Record]) -> str:
    """Do meta-latents relate the same latents as a smaller SAE does? Part of a section."""
    found = by_subject(rows, "shared", "overlap")
    chance = by_subject(rows, "chance", "overlap")
    if not found:
        return missing_html(
            "Do both relate the same latents?", "relations", "pairs of latents that share a part"
        )
    ordered = sorted(found.values(), key=lambda row: first_number(row["subject"]))
    bars = [
        Bar(safe(row["subject"]), row, "own",
            chance[row["subject"]]["value"] if row["subject"] in chance else None)
        for row in ordered
    ]  # fmt: skip
    best = highest(ordered) or ordered[-1]
    by_chance = chance.get(best["subject"])
    against = f", {percent(by_chance['value'])} by chance" if by_chance else ""
    answer = (
        f"At most {percent(best['value'])} of the pairs that share a meta-latent are also close to "
        f"one latent of a smaller SAE ({whole(best['subject'])}{against})."
    )
    told = f"{tip('Overlap', 'overlap')} of the two ways to join latents."
    keys = {"own": "smaller SAE", **({CIRCLE: "chance"} if chance else {})}
    plot = plot_html(bars, scale_of(bars), f"{tip('overlap')} (n = pairs)", keys)
    return section_html("Do both relate the same latents?", told, answer, plot)


def composition_section(rows: Sequence[Record]) -> str:
    """The composition score of every SAE."""
    question = "Which SAE is the most composed?"
    real, control = by_subject(rows, DECODER_ROWS), by_subject(rows, ISOTROPIC)
    if not real:
        what = "the composition score of every SAE"
        return missing_html(question, "composition", what)
    ordered = sorted(real.values(), key=lambda row: first_number(row["subject"]))
    bars = [
        Bar(safe(row["subject"]), row, "own",
            control[row["subject"]]["value"] if row["subject"] in control else None)
        for row in ordered
    ]  # fmt: skip
    values = [row["value"] for row in ordered]
    most = highest(ordered) or ordered[-1]
    answer = f"<b>{whole(most['subject'])}</b>, with {number(most['value'])}"
    if len(values) > 1:
        rises, falls = values == sorted(values), values == sorted(values, reverse=True)
        way = "rises with size" if rises else "falls with size" if falls else "does not follow size"
        answer += f"; the score {way} ({number(values[0])} to {number(values[-1])})"
    told = f"{tip('Composition score', 'composition score')}: how much latents share directions."
    keys = {"own": "its decoder rows", **({CIRCLE: ISOTROPIC} if control else {})}
    axis = f"{tip('variance explained')} (n = seeds)"
    return section_html(question, told, f"{answer}.", plot_html(bars, scale_of(bars), axis, keys))


def sampling_section(rows: Sequence[Record]) -> str:
    """Does it matter how training draws rows?"""
    question = "Does it matter which rows training draws?"
    split = best_split(rows)
    groups = grouped((row for row in rows if row["setting"].startswith(split)), "setting")
    if not groups:
        return missing_html(question, "sampling", "training that draws rows by mean activation")
    answer, plots = [], ""
    bars = {
        setting: [Bar(known_tip(row["subject"]), row) for row in own]
        for setting, own in groups.items()
    }
    scale = scale_of(bar for own in bars.values() for bar in own)
    for setting, own in groups.items():
        counted = setting.partition(", ")[2]
        values = sorted(own, key=lambda row: -row["value"])
        told = ", ".join(f"on {safe(row['subject'])} {number(row['value'])}" for row in values)
        answer.append(f"Counting {safe(counted)}, training {told}.")
        rows_counted = f"counting {safe(counted)}, {SPLIT_WORDS[split]}"
        axis = f"{tip('variance explained')} {rows_counted} (n = seeds)"
        plots += plot_html(bars[setting], scale, axis, {})
    told = "Training drew decoder rows in two ways; the explained variance is counted in both."
    return section_html(question, told, " ".join(answer), plots)


def _by_attribute(rows: Sequence[Record], methods: list[str]) -> str:
    groups = grouped(
        (row for row in rows if row["metric"] == "auroc" and row["setting"] != ALL_ATTRIBUTES),
        "setting",
    )
    if not groups:
        return ""
    cells = []
    for attribute, own in groups.items():
        found = {row["subject"]: row for row in own}
        most = max(row["n"] for row in own)
        values = [number(found[m]["value"]) if m in found else MISSING for m in methods]
        cells.append((safe(attribute), *values, f"{most:,}"))
    heads = [("attribute", None), *((method, None) for method in methods), ("values", None)]
    return table_html(heads, cells)


def _plural(setting: str) -> str:
    return "first component" if setting == "first 1 components" else setting
