"""What the address of the map asks for, made valid."""

from __future__ import annotations

from dataclasses import dataclass

from app_pages.chosen import default_sae
from backend import latent_map, queries, stitching, urlstate
from backend.latent_map import Points
from backend.links import MAP_PATH, Link
from backend.map_area import Area, read_areas
from backend.map_charts import Marked
from backend.map_colours import Setting, offered
from backend.records import Record
from backend.search import clean_text
from backend.store import Run
from backend.text_html import latent_name, notice, plain

# the parameters of the page, in the order in which its links name them
PARAMETERS = ("sae", "colour", "part", "small", "q", "latent", "lasso")


@dataclass(frozen=True)
class Shown:
    """What the map shows.

    colour: one that this SAE can have. reasons: as `backend.map_colours.offered` says them.
    smaller: SAEs that this one was stitched to, narrowest first. areas: what is selected.
    messages: HTML, about what the address asks for in vain.
    """

    run: Run
    sae: Record
    points: Points
    colour: str
    setting: Setting
    reasons: dict[str, str]
    smaller: list[str]
    marked: Marked | None
    areas: list[Area]
    messages: list[str]

    @property
    def sae_id(self) -> str:
        return self.sae["sae_id"]

    @property
    def kind(self) -> str:
        """`sae` or `meta`."""
        return self.sae["kind"]

    def here(self, **changed: str | None) -> Link:
        """This page with some parameters changed; those changed to None are left out."""
        own = {name: urlstate.text(name) for name in PARAMETERS} | {"sae": self.sae_id}
        asked = {"run": self.run.name, **own, **changed}
        return Link(MAP_PATH, {name: value for name, value in asked.items() if value})


def shown_map(run: Run, saes: list[Record]) -> Shown:
    """Reads the address; what is wrong in it becomes a message and a working default.

    Args:
        saes: the rows of `queries.saes`.
    """
    messages: list[str] = []
    by_id = {sae["sae_id"]: sae for sae in saes}
    wanted = urlstate.text("sae")
    own = {sae_id: sae for sae_id, sae in by_id.items() if sae["kind"] == "sae"} or by_id
    sae = by_id.get(wanted) or by_id[default_sae(saes, own)]
    sae_id = sae["sae_id"]
    if wanted and wanted != sae_id:
        _complain(messages, f"There is no “{_cut(wanted)}” in this run; this is {sae_id}.")
    meta_sae_id = sae_id if sae["kind"] == "meta" else queries.meta_sae_of(run, sae_id) or ""
    pairs = stitching.pairs(run)
    smaller = [pair["small_sae_id"] for pair in pairs if pair["large_sae_id"] == sae_id]
    reasons = offered(sae, meta_sae_id, smaller)
    colour = _colour(sae_id, reasons, messages)
    part, part_name = _part(run, meta_sae_id, messages) if colour == "part" else (-1, "")
    small = urlstate.choice("small", smaller, smaller[-1]) if colour == "novelty" else ""
    text = clean_text(urlstate.text("q"))
    areas = read_areas(urlstate.text("lasso"))
    if areas is None:
        _complain(messages, "The selection in the address cannot be read, so none is shown.")
    return Shown(
        run=run,
        sae=sae,
        points=latent_map.points(run, sae_id),
        colour=colour,
        setting=Setting(meta_sae_id, part, part_name, small, text),
        reasons=reasons,
        smaller=smaller,
        marked=_marked(run, sae, messages),
        areas=areas or [],
        messages=messages,
    )


def _colour(sae_id: str, reasons: dict[str, str], messages: list[str]) -> str:
    wanted = urlstate.text("colour")
    why = reasons.get(wanted, "there is no such colour")
    if not wanted or not why:
        return wanted or "density"
    _complain(messages, f"“{_cut(wanted)}” cannot colour {sae_id}: {why}. This is density.")
    return "density"


def _part(run: Run, meta_sae_id: str, messages: list[str]) -> tuple[int, str]:
    """The chosen meta-latent and its name; the one with most members when there is none."""
    typed, wanted = urlstate.text("part"), urlstate.whole_number("part")
    found = latent_map.point(run, meta_sae_id, wanted) if wanted is not None else None
    if found is None and typed:
        _complain(messages, f"There is no meta-latent “{_cut(typed)}” in {meta_sae_id}.")
    if found is None:
        found = next(iter(latent_map.largest_parts(run, meta_sae_id, 1)), None)
    if found is None:
        return -1, ""
    return found["latent"], latent_name(found["label"], found["latent"], "meta")


def _marked(run: Run, sae: Record, messages: list[str]) -> Marked | None:
    typed, wanted = urlstate.text("latent"), urlstate.whole_number("latent")
    if not typed:
        return None
    found = None if wanted is None else latent_map.point(run, sae["sae_id"], wanted)
    if found is None or found["x"] is None or found["y"] is None:
        _complain(messages, f"There is no “{_cut(typed)}” on the map of {sae['sae_id']}.")
        return None
    name = latent_name(found["label"], found["latent"], sae["kind"])
    return Marked(found["latent"], name, found["x"], found["y"])


def _complain(messages: list[str], words: str) -> None:
    messages.append(notice(words, "problem"))


def _cut(typed: str) -> str:
    return plain(typed)[:40]
