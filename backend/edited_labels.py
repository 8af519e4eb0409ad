"""Labels by people, a model or other tools, in a CSV file beside the run: `<run>.labels.csv`.

It lies beside the run's folder, because making a run again replaces the folder whole. One row names
one latent: `sae_id, latent, label, decoder_sha256, source, note`; other columns are ignored. The
hash says for which weights the label was written (`saes.decoder_sha256`, 12 digits or more): after
a training with another outcome latent 7 is another latent, and its old label must not come back.

People edit the file by hand and in spreadsheets, so nothing in it raises: what cannot be used is
told with line numbers, the rest is applied. No DuckDB here: `python -m precompute labels` reads it.
"""

from __future__ import annotations

import csv
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from unicodedata import category

from backend.line_messages import LineMessages, quoted

FILE_SUFFIX = ".labels.csv"
COLUMNS = ("sae_id", "latent", "label", "decoder_sha256", "source", "note")
NEEDED_COLUMNS = COLUMNS[:3]
PERSON, MODEL, *IMPORTED = SOURCES = ("person", "model", "neuronpedia", "delphi", "metasae")
_WHO = {PERSON: "a person", MODEL: "a model"}
DELIMITERS = ",;\t"  # a spreadsheet of a country with decimal commas writes semicolons
LONGEST_LABEL = 80  # characters
SHORTEST_HASH = 12  # hexadecimal digits
MOST_BYTES = 20_000_000  # both are read in a second, while somebody waits for a first page
MOST_ROWS = 100_000

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})  # control, direction, private
_JOINERS = "\u200c\u200d"  # parts of Persian words and of emoji
_UNDECODED = "\ufffd"
_WHOLE_NUMBER = re.compile(r"(\d{1,10})(?:\.0*)?", re.ASCII)  # a spreadsheet may add ".0"
_HASH = re.compile(r"[0-9a-f]{1,64}")
_SPREADSHEET_ERROR = re.compile(r"#(NAME\?|REF!|VALUE!|N/A|DIV/0!|NUM!|NULL!)")
_FORMULA = re.compile(r"'*[=+\-@]")


@dataclass(frozen=True)
class EditedLabel:
    """One label to apply; `source` is one of `SOURCES`."""

    sae_id: str
    latent: int
    label: str
    source: str


@dataclass(frozen=True)
class EditedLabels:
    """What a label file says: one label a latent, by SAE and index, and what is wrong with it.

    `problems` are plain sentences that may quote the file, so they are untrusted text; `notes` say
    what is worth knowing and needs no change.
    """

    path: Path
    labels: tuple[EditedLabel, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    n_other_weights: int = 0  # rows not applied, because their hash is not the run's


def labels_path(folder: Path) -> Path:
    """The label file of the run in `folder`; it need not exist."""
    folder = folder.resolve()
    return folder.with_name(folder.name + FILE_SUFFIX)


def file_stamp(path: Path) -> tuple[int, int, int]:
    """Changes when the file is changed, replaced or removed: a key for what was read from it."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def read_labels(
    path: Path, saes: Iterable[Mapping[str, Any]], sources: tuple[str, ...] = SOURCES
) -> EditedLabels:
    """The labels of a file that fit a run.

    Args:
        path: as `labels_path` gives it; a file that is not there holds no label and no problem.
        saes: rows of the run's `saes` with at least sae_id, n_latents and decoder_sha256.
        sources: whose labels to read; the first of them goes before the others.
    """
    reading = _Reading({row["sae_id"]: row for row in saes}, sources)
    try:
        fault = _file_fault(path)
        if fault is None:
            with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
                reading.read(lines)
    except FileNotFoundError:  # most runs have none
        return EditedLabels(path)
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
    if fault is not None:
        return EditedLabels(path, problems=(f"{path.name} {fault}",))
    labels = sorted(reading.labels.values(), key=lambda label: (label.sae_id, label.latent))
    return EditedLabels(
        path,
        tuple(labels),
        tuple(reading.problems.sentences()),
        tuple(reading.notes.sentences()),
        reading.n_other_weights,
    )


def spreadsheet_cell(text: str) -> str:
    """`text` for a cell of a CSV file: what a spreadsheet would compute gets an apostrophe first.

    `read_labels` takes it off again, so that the label "-ing" survives the way through a file.
    """
    return "'" + text if _FORMULA.match(text) else text


def _file_fault(path: Path) -> str | None:
    """Why a file is not read at all, found without reading it; None when it is."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # to open a pipe would wait for ever
        return "is not a file, so no label is read"
    if found.st_size > MOST_BYTES:
        return f"is larger than {MOST_BYTES // 1_000_000} MB, so no label is read"
    with path.open("rb") as handle:
        is_utf16 = handle.read(2) in (b"\xff\xfe", b"\xfe\xff")
    return "is UTF-16. Save it as CSV UTF-8" if is_utf16 else None


class _Reading:
    """The state of reading one file: labels so far and what was said about its lines."""

    def __init__(self, saes: dict[str, Mapping[str, Any]], sources: tuple[str, ...]) -> None:
        self.labels: dict[tuple[str, int], EditedLabel] = {}
        self.problems = LineMessages()
        self.notes = LineMessages()
        self.n_other_weights = 0
        self._saes = saes
        self._sources = sources

    def read(self, lines: Iterable[str]) -> None:
        """All rows of a file, up to `MOST_ROWS`."""
        lines = iter(lines)
        first, n_skipped = next(lines, ""), 0
        if first.lower().startswith("sep="):  # a line by which Excel names the delimiter
            first, n_skipped = next(lines, ""), 1
        rows = csv.reader(chain([first], lines), delimiter=max(DELIMITERS, key=first.count))
        line = 1 + n_skipped
        try:
            header = [name.strip().lower() for name in next(rows, [])]
            missing = [name for name in NEEDED_COLUMNS if name not in header]
            if missing:
                self.problems.add(line, f"no column {', '.join(missing)}, so no label is read")
                return
            places = {name: header.index(name) for name in COLUMNS if name in header}
            n_rows = 0
            line = rows.line_num + n_skipped + 1
            for row in rows:
                if any(cell.strip() for cell in row):
                    n_rows += 1
                    if n_rows > MOST_ROWS:
                        self.problems.add(line, f"only {MOST_ROWS:,} rows are read; this is more")
                        return
                    cells = {n: row[at].strip() for n, at in places.items() if at < len(row)}
                    self._take(line, cells)
                line = rows.line_num + n_skipped + 1  # a cell may span lines
        except csv.Error as error:
            self.problems.add(line, f"not CSV from here on ({error}): is a quote not closed?")

    def _take(self, line: int, cells: dict[str, str]) -> None:
        source = cells.get("source", "").lower() or PERSON
        if source not in SOURCES:
            self.problems.add(line, f"source is {quoted(source)} instead of {' or '.join(SOURCES)}")
        elif source in self._sources:
            key = self._key(line, cells)
            if key and (label := self._label(line, cells.get("label", ""))):
                self._keep(line, EditedLabel(*key, label, source))

    def _key(self, line: int, cells: dict[str, str]) -> tuple[str, int] | None:
        """SAE and index of a row, when they are in this run and of the same weights."""
        sae_id, index = cells.get("sae_id", ""), cells.get("latent", "")
        sae = self._saes.get(sae_id)
        if sae is None:
            self.problems.add(line, f"this run has no SAE {quoted(sae_id)}")
            return None
        digits = cells.get("decoder_sha256", "").lower().removeprefix("sha256:")
        if not digits:
            self.notes.add(line, "no decoder_sha256: applied, perhaps written for other weights")
        elif len(digits) < SHORTEST_HASH:
            self.problems.add(line, f"decoder_sha256 has less than {SHORTEST_HASH} digits")
            return None
        elif not sae["decoder_sha256"].startswith(digits):
            self.n_other_weights += 1
            stale = f"written for other weights of {sae_id} than this run's, so not applied"
            broken = "decoder_sha256 is not a hash; a spreadsheet may have made it a number"
            self.problems.add(line, stale if _HASH.fullmatch(digits) else broken)
            return None
        number = _WHOLE_NUMBER.fullmatch(index)
        if number is None:
            self.problems.add(line, f"latent is {quoted(index)} instead of a whole number")
            return None
        if int(number[1]) >= sae["n_latents"]:
            known = f"0 to {sae['n_latents'] - 1}"
            self.problems.add(line, f"no such latent: those of {sae_id} are {known}")
            return None
        return sae_id, int(number[1])

    def _label(self, line: int, text: str) -> str | None:
        """A label as pages may show it: one line, visible, not too long."""
        if _UNDECODED in text:
            self.problems.add(line, "the label is not UTF-8. Save the file as CSV UTF-8")
            return None
        if _SPREADSHEET_ERROR.fullmatch(text):
            self.problems.add(line, f"the label is the spreadsheet error {text}")
            return None
        if "\n" in text or "\r" in text:
            self.problems.add(line, "the label has line breaks, now spaces: is a quote not closed?")
        if _FORMULA.match(text):
            text = text.removeprefix("'")
        shown = " ".join(text.split())
        visible = "".join(c for c in shown if c in _JOINERS or category(c) not in _HIDDEN)
        if visible != shown:
            self.problems.add(line, "the label has invisible characters, which are left out")
        visible = visible.strip()
        if not visible.strip(_JOINERS):
            self.problems.add(line, "the label is empty")
            return None
        if len(visible) > LONGEST_LABEL:
            self.problems.add(line, f"the label is cut at {LONGEST_LABEL} characters")
            visible = visible[: LONGEST_LABEL - 1].rstrip() + "…"
        return visible

    def _keep(self, line: int, label: EditedLabel) -> None:
        key = (label.sae_id, label.latent)
        earlier = self.labels.get(key)
        if earlier is not None and earlier.source == label.source:
            self.problems.add(line, "labels a latent again; the later row is used")
        elif earlier is not None:
            label, other = sorted((earlier, label), key=lambda one: SOURCES.index(one.source))
            by = [_WHO.get(one.source, one.source) for one in (label, other)]
            self.notes.add(line, f"labelled by {by[0]} and by {by[1]}: the first is used")
        self.labels[key] = label
