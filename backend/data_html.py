"""The page of the data: where a run comes from, its tables and columns, addresses for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.downloads.asked import Download
from backend.downloads_html import are_served, code_html, file_link_html
from backend.links import download_link
from backend.lists_html import facts_html, table_html
from backend.manifest import CorpusRecord, FileRecord, Manifest
from backend.notebook import Snippet
from backend.tables.columns import Table
from backend.text_html import safe

Params = dict[str, str]


def provenance_html(manifest: Manifest, params: Params) -> str:
    """What was run on what: facts, corpora with their licences, versions, the config verbatim.

    Args:
        params: of links to files, `run` and `h`.
    """
    files = manifest.files.values()
    facts: list[tuple[str, str, str | None]] = [
        (f"{len(files)}", "tables", None),
        (f"{sum(record.rows for record in files):,}", "rows", None),
        (size_words(sum(record.bytes for record in files)), "Parquet", None),
        (str(manifest.schema_version), "schema version", None),
    ]
    named = (
        ("content hash", manifest.content_hash),
        ("model", manifest.model_id),
        ("hash of its weights", manifest.model_sha256),
        ("seeds", _pairs(manifest.seeds)),
        ("library versions", _pairs(manifest.library_versions)),
    )
    rows = "".join(
        f"<div><dt>{safe(name)}</dt><dd>{safe(value)}</dd></div>" for name, value in named
    )
    taken = file_link_html("manifest.json", params, "manifest.json")
    return (
        f'{facts_html(facts)}<dl class="origin">{rows}</dl>{_corpora(manifest.corpora)}'
        f'<details class="fold config"><summary>The config, as it was run</summary>'
        f"<pre>{_lines(manifest.config)}</pre></details><p class='note'>All of this is in {taken}, "
        "with the hash of every file.</p>"
    )


def tables_html(
    tables: Iterable[Table], files: Mapping[str, FileRecord], params: Params, run: str
) -> str:
    """Every table with its size and a link; its columns unfold below it."""
    items = "".join(_table(table, files[table.name], params) for table in tables)
    schema = file_link_html("schema.json", params, "schema.json")
    return (
        f"<p class='note'>One Parquet file each, as it lies in the folder of {safe(run)}; open one "
        f"to see its columns. The same as data: {schema}.</p>"
        f'<div class="tables">{items}</div>'
    )


def snippets_html(cells: Iterable[Snippet], params: Params) -> str:
    """Code to paste, a heading and a copy button for each piece."""
    whole = file_link_html("notebook.ipynb", params, "notebook.ipynb")
    pieces = "".join(
        f"<h3>{safe(cell.title)}</h3><p>{safe(cell.meaning)}</p>{code_html(cell.code, cell.title)}"
        for cell in cells
    )
    return (
        "<p class='note'>These run as they are, one after the other, with duckdb and numpy; "
        f"all of them as one file: {whole}.</p>{pieces}"
    )


def addresses_html(downloads: Iterable[Download], address: str, params: Params) -> str:
    """What can be had by address alone, for scripts: patterns, parameters, an example."""
    rows = (
        (f"<code>{safe(download.pattern)}</code>", safe(download.meaning), _parameters(download))
        for download in downloads
    )
    heads = (("below download/", None), ("what it holds", None), ("parameters", None))
    example = f'curl -OJ "{address}{download_link("saes.csv", params).href}"\n'
    return (
        "<p class='note'>Lists that pages show can be had without a page. Figures and text come as "
        "CSV, Parquet or JSON. In CSV a text that a spreadsheet would run as a formula has an "
        "apostrophe before it, and lists are JSON. A wrong address is answered in words.</p>"
        f"{code_html(example, 'an example for the command line')}"
        '<details class="fold addresses"><summary>All addresses</summary>'
        f"{table_html(heads, rows, words=('what it holds', 'parameters'))}</details>"
    )


def size_words(size: int) -> str:
    """Bytes in a unit that fits, e.g. `12.3 MB`."""
    for unit, scale in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} bytes"


def _table(table: Table, record: FileRecord, params: Params) -> str:
    columns = (
        (
            f"<code>{safe(column.name)}</code>",
            f"<code>{safe(str(column.type))}</code>",
            safe(column.meaning) + (" <small>may be missing</small>" if column.nullable else ""),
        )
        for column in table.columns
    )
    heads = (("column", None), ("type", None), ("meaning", None))
    link = file_link_html(f"table/{table.name}.parquet", params, "Parquet") if are_served() else ""
    return (
        f'<div><details class="fold"><summary><code>{safe(table.name)}</code> '
        f"<span>{safe(table.meaning)}</span></summary>"
        f"<p class='note'>Key: {safe(', '.join(table.key))}.</p>"
        f"{table_html(heads, columns, words=('type', 'meaning'))}</details>"
        f'<span class="value">{record.rows:,} rows</span>'
        f'<span class="value">{size_words(record.bytes)}</span>{link}</div>'
    )


def _corpora(corpora: Iterable[CorpusRecord]) -> str:
    heads = [(words, None) for words in ("text", "licence", "documents", "tokens", "shown here")]
    rows = (
        (
            safe(corpus.name),
            safe(corpus.licence),
            f"{corpus.documents:,}",
            f"{corpus.tokens:,}",
            "yes" if corpus.shown else "no: only counted",
        )
        for corpus in corpora
    )
    return table_html(heads, rows, words=("licence", "shown here"))


def _parameters(download: Download) -> str:
    told = []
    for parameter in download.parameters:
        needed = "" if parameter.required else " (optional)"
        choices = f": {', '.join(parameter.choices)}" if parameter.choices else ""
        told.append(
            f"<code>{safe(parameter.name)}</code> {safe(parameter.meaning + choices)}{needed}"
        )
    return "<br>".join(told) or "none"


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "none"


def _lines(text: str) -> str:
    """Text of several lines, each made safe."""
    return "\n".join(safe(line) for line in text.splitlines())
