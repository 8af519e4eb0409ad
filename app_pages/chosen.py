"""Which latent an address means, and what to say when it means none."""

from __future__ import annotations

from collections.abc import Iterable

from backend import queries, urlstate
from backend.latent import Latent
from backend.links import latent_link
from backend.records import Record
from backend.store import Run
from backend.text_html import latent_name, link, notice, plain

_NOUNS = {"sae": ("SAE", "latent"), "meta": ("meta-SAE", "meta-latent")}


def chosen_latent(
    run: Run, saes: list[Record], kind: str, default: tuple[str, int] | None = None
) -> tuple[Latent | None, list[str]]:
    """The latent in the address, or a working default with messages (HTML) that say why.

    Args:
        saes: the rows of `queries.saes`.
        kind: `sae` on the latent page, `meta` on the meta-latent page.
        default: SAE and latent of an address without either; None for a good decomposition.

    Returns:
        None with messages only when the run has no SAE of this kind.
    """
    own = {sae["sae_id"]: sae for sae in saes if sae["kind"] == kind}
    sae_noun, noun = _NOUNS[kind]
    if not own:
        return None, [notice(f"This run has no {sae_noun}, so there is no {noun} to show.")]
    if default is not None and not (urlstate.text("sae") or urlstate.text("latent")):
        return queries.latent(run, *default), []
    messages: list[str] = []
    wanted, number = urlstate.text("sae"), urlstate.whole_number("latent")
    typed = urlstate.text("latent")
    if wanted and wanted not in own:
        messages.append(_wrong_sae(run, saes, wanted, number, own))
        number, typed = None, ""
    sae_id = wanted if wanted in own else default_sae(saes, own)
    if number is not None:
        found = queries.latent(run, sae_id, number)
        if found is not None:
            return found, messages
    shown = _default_latent(run, sae_id, kind)
    if typed and shown is not None:
        size = own[sae_id]["n_latents"]
        messages.append(
            notice(
                f"There is no {noun} “{plain(typed)[:40]}” in {sae_id}: its numbers go from 0 to "
                f"{size - 1}. Showing {latent_name(shown.label, shown.latent, kind)} instead.",
                "problem",
            )
        )
    return shown, messages


def _wrong_sae(
    run: Run, saes: list[Record], wanted: str, number: int | None, own: Iterable[str]
) -> str:
    known = [sae["kind"] for sae in saes if sae["sae_id"] == wanted]
    if not known:
        names = ", ".join(own)
        return notice(f"There is no “{plain(wanted)[:60]}” in this run; it has {names}.", "problem")
    other_kind = known[0]
    message = notice(f"{wanted} is a {_NOUNS[other_kind][0]}: its page is another one.", "problem")
    to = latent_link(wanted, number or 0, other_kind, run.name)
    return f"{message}<p>{link(to.href, f'Open {wanted}/{number or 0} there')}</p>"


def default_sae(saes: list[Record], own: dict[str, Record]) -> str:
    """The SAE that the run is about, or its meta-SAE, which is the first; else the widest."""
    metas = [sae for sae in saes if sae["kind"] == "meta"]
    main = (metas[0]["parent_sae_id"], metas[0]["sae_id"]) if metas else ()
    return max(own, key=lambda sae_id: (sae_id in main, own[sae_id]["n_latents"]))


def _default_latent(run: Run, sae_id: str, kind: str) -> Latent | None:
    """The best decomposition of this SAE, else any latent that fires, else the first."""
    if kind == "sae":
        for row in queries.featured_decompositions(run):
            if row["sae_id"] == sae_id:
                return queries.latent(run, sae_id, row["latent"])
    alive = queries.random_latent(run, sae_id, seed=0)
    return queries.latent(run, sae_id, alive if alive is not None else 0)
