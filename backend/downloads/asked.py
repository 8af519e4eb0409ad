"""What an address may ask of a download: its parameters, checked against the run.

Addresses can be typed by anybody. What is wrong ends in a `DownloadError`, whose message says in
plain words what is possible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend import queries
from backend.downloads.formats import FORMATS
from backend.records import Record
from backend.store import Run
from backend.tables.columns import Column
from backend.text_html import plain, shortened

COMMON = {"run": "name of the run; without it the first", "h": "content hash that it must have"}
LONGEST_SHOWN = 60  # characters of what was asked, in a message
LONGEST_NUMBER = 10  # digits
MOST_ROWS_TAKEN = 100_000  # of one list; they are made in memory

Asked = Mapping[str, Any]
"""Checked parameters by name: `latent` is an int, all others are text; optional ones may lack."""


class DownloadError(Exception):
    """A download cannot be given; the message says why and what is possible.

    Args:
        message: for the reader, plain text.
        status: of HTTP; 400 when the question is wrong, 404 when the run has no such thing.
    """

    def __init__(self, message: str, status: int = 404) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Parameter:
    """One parameter of an address.

    `of` says for `sae` which SAEs will do: "" any, `meta`, or `decomposed` (one with a meta-SAE).
    """

    name: str
    meaning: str
    required: bool = True
    choices: tuple[str, ...] = ()
    of: str = ""


SAE = Parameter("sae", "an SAE or meta-SAE of the run")
DECOMPOSED_SAE = Parameter("sae", "an SAE that was decomposed", of="decomposed")
INDEX = Parameter("latent", "index of the latent in its SAE, from 0")


@dataclass(frozen=True)
class Download:
    """A list of rows that can be taken away: `rows(run, asked)`, with these columns."""

    name: str
    meaning: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    rows: Callable[[Run, Asked], list[Record]] = field(repr=False)

    @property
    def pattern(self) -> str:
        """Its address below `download/`, e.g. `components.{csv|parquet|json}?sae=...&latent=...`"""
        asked = "&".join(
            f"{p.name}=..." if p.required else f"[{p.name}=...]" for p in self.parameters
        )
        return f"{self.name}.{{{'|'.join(FORMATS)}}}" + (f"?{asked}" if asked else "")


def checked(run: Run, parameters: tuple[Parameter, ...], given: Mapping[str, str]) -> Asked:
    """The parameters of an address, each of the right kind and in the run.

    Raises:
        DownloadError: one is unknown, missing or not in the run.
    """
    names = [parameter.name for parameter in parameters]
    unknown = sorted(set(given) - set(names) - set(COMMON))
    if unknown:
        raise DownloadError(
            f"There is no parameter {quoted(unknown[0])} here. Possible: "
            f"{', '.join([*names, *COMMON])}.",
            400,
        )
    asked: dict[str, Any] = {}
    for parameter in parameters:
        value = given.get(parameter.name, "")
        if not value:
            if parameter.required:
                raise DownloadError(
                    f"Add {parameter.name}=... to the address: {parameter.meaning}."
                    + _sae_hint(run, parameter),
                    400,
                )
            continue
        asked[parameter.name] = _value(run, parameter, value, asked)
    return asked


def ids(asked: Asked) -> Record:
    """The columns `sae_id` and `latent` of a list about one latent."""
    return {"sae_id": asked["sae"], "latent": asked["latent"]}


def with_ids(asked: Asked, rows: list[Record]) -> list[Record]:
    """Rows that say on their own which latent they are about."""
    return [{**ids(asked), **row} for row in rows]


def quoted(text: str) -> str:
    """What was typed, made visible and short enough to repeat in a message."""
    return f"“{shortened(plain(text), LONGEST_SHOWN)}”"


def _value(run: Run, parameter: Parameter, value: str, asked: Asked) -> str | int:
    if parameter.name in ("sae", "small", "large"):
        possible = _possible_saes(run, parameter)
        if value not in possible:
            raise DownloadError(
                f"There is no {_SAE_WORDS[parameter.of]} {quoted(value)} in run {run.name}."
                + _sae_hint(run, parameter)
            )
        return value
    if parameter.name == "latent":
        return _latent(run, value, asked["sae"])
    if parameter.choices and value not in parameter.choices:
        raise DownloadError(
            f"{parameter.name} cannot be {quoted(value)}. Possible: "
            f"{', '.join(parameter.choices)}.",
            400,
        )
    return value


_SAE_WORDS = {"": "SAE", "meta": "meta-SAE", "decomposed": "SAE that was decomposed, named"}


def _latent(run: Run, value: str, sae_id: str) -> int:
    size = next(row["n_latents"] for row in queries.saes(run) if row["sae_id"] == sae_id)
    is_number = re.fullmatch(r"\d+", value, re.ASCII) and len(value) <= LONGEST_NUMBER
    if not is_number or int(value) >= size:
        raise DownloadError(
            f"{sae_id} has no latent {quoted(value)}: they go from 0 to {size - 1}."
        )
    return int(value)


def _possible_saes(run: Run, parameter: Parameter) -> list[str]:
    saes = queries.saes(run)
    parents = {row["parent_sae_id"] for row in saes}
    return [
        row["sae_id"]
        for row in saes
        if not parameter.of
        or (parameter.of == "meta" and row["kind"] == "meta")
        or (parameter.of == "decomposed" and row["sae_id"] in parents)
    ]


def _sae_hint(run: Run, parameter: Parameter) -> str:
    if parameter.name not in ("sae", "small", "large"):
        return ""
    return f" Possible: {', '.join(_possible_saes(run, parameter)) or 'none in this run'}."
