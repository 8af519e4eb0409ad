"""The Trust page's section about names: do they say what members have in common?"""

from __future__ import annotations

from collections.abc import Sequence

from backend.records import Record, grouped
from backend.text_html import number, percent, safe, tip
from backend.trust_bars import CIRCLE, Bar, Scale, plot_html, whole
from backend.trust_figures import verdict
from backend.trust_html import missing_html, section_html

QUESTION = "Do the names say what members have in common?"
LABEL, SHUFFLED, MEMBERS = "label", "shuffled labels", "members' words"
KINDS = {
    "meaning": "speak of a meaning",
    "spelling": "of a spelling",
    "word": "only list words of members",
}
COIN = 0.5
SCALE = Scale(0.25, 1.0, COIN, 0.25)
Settings = dict[str, Record]


def names_section(rows: Sequence[Record]) -> str:
    """Held-out AUC of names against shuffled ones, of meta-SAEs and of SAEs.

    Args:
        rows: of `trust_names.label_figures`.
    """
    aucs = {
        subject: {row["setting"]: row for row in own if row["metric"] == "auc"}
        for subject, own in grouped(rows, "subject").items()
    }
    judged = {subject: own for subject, own in aucs.items() if LABEL in own}
    if not judged:
        what = "the test of names on members that they were not chosen from"
        return missing_html(QUESTION, "labels", what)
    is_meta = {row["subject"]: row["kind"] == "meta" for row in rows}
    metas = {subject: own for subject, own in judged.items() if is_meta[subject]}
    others = {subject: own for subject, own in judged.items() if not is_meta[subject]}
    told = (
        "A name is chosen on one half of the members and tested on the other: the name alone must "
        f"tell {tip('held-out members')} from the rest. {tip('AUC', 'label AUC')}; bars start at "
        "0.5, a coin. A sentence model judges what is near in meaning; where the run is about that "
        "same model, the judge is not independent of it."
    )
    plots = ""
    if metas:
        plots += f"<h3>Names of meta-latents</h3>{_meta_plot(metas)}{_kinds_html(rows, metas)}"
    if others:
        plots += f"<h3>Names of latents</h3>{_sae_plot(others)}"
    return section_html(QUESTION, told, _answer(metas or others), plots)


def _meta_plot(metas: dict[str, Settings]) -> str:
    bars = []
    for subject, own in metas.items():
        for setting, kind in ((LABEL, "own"), (MEMBERS, "other"), (SHUFFLED, "null")):
            if setting in own:
                shown = "names" if setting == LABEL else tip(setting)
                note = f"of {whole(subject)}"
                bars.append(Bar(shown, own[setting], kind, note=note))
    keys = {"own": "name", "other": MEMBERS, "null": "name of another meta-latent"}
    axis = f"{tip('AUC', 'label AUC')} on held-out members (n = meta-latents)"
    return plot_html(bars, SCALE, axis, keys)


def _sae_plot(saes: dict[str, Settings]) -> str:
    bars = [
        Bar(whole(subject), own[LABEL], "own", own[SHUFFLED]["value"] if SHUFFLED in own else None)
        for subject, own in saes.items()
    ]
    keys = {"own": "name"} | ({CIRCLE: "name of another latent"} if _has_circle(bars) else {})
    axis = f"{tip('AUC', 'label AUC')} on held-out text (n = latents)"
    note = (
        '<p class="note">For a latent, the members are the words of held-out text on which it '
        "fires, however weakly.</p>"
    )
    return note + plot_html(bars, SCALE, axis, keys)


def _has_circle(bars: Sequence[Bar]) -> bool:
    return any(bar.beside is not None for bar in bars)


def _kinds_html(rows: Sequence[Record], metas: dict[str, Settings]) -> str:
    """What the names of each meta-SAE speak of, and how well names of each kind do."""
    lines = []
    for subject, own in metas.items():
        mine = [row for row in rows if row["subject"] == subject]
        shares = {row["setting"]: row["value"] for row in mine if row["metric"] == "share"}
        told = []
        for kind, words in KINDS.items():
            if not shares.get(kind):
                continue
            auc = own.get(f"{LABEL}, {kind}")
            told.append(
                f"{percent(shares[kind])} {words}"
                + (f" (AUC {number(auc['value'])})" if auc is not None else "")
            )
        if told:
            lines.append(f"Of the names of {whole(subject)}, {', '.join(told)}.")
    return f'<p class="note">{" ".join(lines)}</p>' if lines else ""


def _answer(judged: dict[str, Settings]) -> str:
    """Whether names of the first meta-SAE (or SAE) beat shuffled ones and plain lists."""
    subject, own = next(iter(judged.items()))
    real, null, listed = own[LABEL], own.get(SHUFFLED), own.get(MEMBERS)
    if null is None:
        return (
            f"Names of {whole(subject)} tell held-out members from others with an AUC of "
            f"{number(real['value'])}."
        )
    answer = (
        f"<b>{safe(verdict(real, null))}.</b> Names of {whole(subject)} tell held-out members from "
        f"others with an AUC of {number(real['value'])}; names dealt to others reach "
        f"{number(null['value'])}."
    )
    if listed is not None:
        same = verdict(real, listed)
        than = {"Yes": "less", "No": "more"}.get(same, "about as much")
        answer += (
            f" A list of the strongest members' words tells {than}: {number(listed['value'])}."
        )
    return answer
