"""Which latents or SAEs an address of the Compare page means, and what to say when it means none.

A latent is written `sae-8/3`; one of another run has that run in front, `other:sae-8/3`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend import compare, queries, urlstate
from backend.compared import RUN_MARK, Compared, in_run
from backend.links import COMPARED
from backend.listing import RunSummary, data_dir, list_runs
from backend.manifest import RunError
from backend.opener import opened_run
from backend.records import Record
from backend.store import Run
from backend.text_html import notice, plain

MOST_SAES = 4  # whole ones at once
LONGEST_SHOWN = 60  # characters of a wrong address in its message
_LATENT = re.compile(r"(?P<place>.+)/(?P<latent>\d{1,10})", re.ASCII | re.DOTALL)


class WrongAddressError(Exception):
    """A latent or SAE that cannot be shown; the message says why, in plain words."""


@dataclass(frozen=True)
class Chosen:
    """The latents that can be shown with the run of each, and messages about the others (HTML)."""

    items: list[Compared]
    runs: list[Run]
    messages: list[str]

    @property
    def different_runs(self) -> list[Run]:
        return list({run.name: run for run in self.runs}.values())


@dataclass(frozen=True)
class ChosenSae:
    """One SAE of an address: its run, its row of `saes`, its name on this page."""

    run: Run
    sae: Record
    name: str


class Runs:
    """The runs that an address may name beside the one that is shown."""

    def __init__(self, home: Run) -> None:
        self.home = home
        self.listed: dict[str, RunSummary] = {run.name: run for run in list_runs(data_dir())}

    def place(self, text: str) -> tuple[Run, str]:
        """Run and SAE of `sae-8` or `other:sae-8`.

        Raises:
            WrongAddressError: the run is not there, or cannot be used.
        """
        name, mark, sae_id = text.rpartition(RUN_MARK)
        if not mark or any(sae["sae_id"] == text for sae in queries.saes(self.home)):
            return self.home, text
        return self.named(name), sae_id

    def named(self, name: str) -> Run:
        """An open run.

        Raises:
            WrongAddressError: as above.
        """
        if name == self.home.name:
            return self.home
        if name not in self.listed:
            raise WrongAddressError(f"There is no run “{_shown(name)}” here.")
        summary = self.listed[name]
        try:
            return opened_run(summary.path, summary.short_hash)
        except RunError as error:
            raise WrongAddressError(str(error)) from error


def chosen_latents(home: Run, runs: Runs) -> Chosen:
    """The latents of the address, each once."""
    chosen = Chosen([], [], [])
    keys = set()
    for name in COMPARED:
        typed = urlstate.text(name).strip()
        if not typed:
            continue
        try:
            item, run = _latent(home, runs, typed)
        except WrongAddressError as error:
            chosen.messages.append(notice(str(error), "problem"))
            continue
        if item.key in keys:
            told = f"{item.name} ({_shown(typed)}) is named twice; it is shown once."
            chosen.messages.append(notice(told, "problem"))
            continue
        keys.add(item.key)
        chosen.items.append(item)
        chosen.runs.append(run)
    if urlstate.text("e").strip():
        told = f"At most four are compared; “{_shown(urlstate.text('e'))}” is left out."
        chosen.messages.append(notice(told, "problem"))
    return chosen


def chosen_saes(home: Run, runs: Runs) -> tuple[list[ChosenSae], list[str]]:
    """The SAEs of `saes=sae-8,other:sae-32`, each once, and messages (HTML)."""
    found: dict[str, ChosenSae] = {}
    messages = []
    for typed in urlstate.text("saes").split(",")[: 2 * MOST_SAES]:
        if not typed.strip():
            continue
        try:
            run, sae_id = runs.place(typed.strip())
            sae = _sae(run, sae_id)
        except WrongAddressError as error:
            messages.append(notice(str(error), "problem"))
            continue
        name = in_run(sae_id, run.name, home.name)
        if name not in found and len(found) == MOST_SAES:
            told = f"At most four SAEs are compared; {plain(name)} is left out."
            messages.append(notice(told, "problem"))
        elif name not in found:
            found[name] = ChosenSae(run, sae, name)
    return list(found.values()), messages


def _latent(home: Run, runs: Runs, typed: str) -> tuple[Compared, Run]:
    parts = _LATENT.fullmatch(typed)
    if parts is None:
        raise WrongAddressError(
            f"“{_shown(typed)}” names no latent; one is written as SAE/number, such as "
            f"{queries.saes(home)[0]['sae_id']}/3."
        )
    run, sae_id = runs.place(parts["place"].strip())
    sae = _sae(run, sae_id)
    latent = compare.latent(run, sae_id, int(parts["latent"]))
    if latent is None:
        raise WrongAddressError(
            f"There is no latent {parts['latent']} in {sae_id}: its numbers go from 0 to "
            f"{sae['n_latents'] - 1}."
        )
    meta_id = queries.meta_sae_of(run, sae_id)
    meta_sae = None if meta_id is None else _sae(run, meta_id)
    components = [] if meta_id is None else queries.components(run, meta_id, latent.latent)
    return Compared(run.name, home.name, latent, sae, meta_sae, components), run


def _sae(run: Run, sae_id: str) -> Record:
    known = {sae["sae_id"]: sae for sae in queries.saes(run)}
    if sae_id not in known:
        raise WrongAddressError(
            f"There is no “{_shown(sae_id)}” in run {run.name}; it has {', '.join(known)}."
        )
    return known[sae_id]


def _shown(text: str) -> str:
    return plain(text)[:LONGEST_SHOWN]
