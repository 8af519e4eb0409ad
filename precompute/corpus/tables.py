"""Read the committed fact tables: tab-separated, one header row, no empty cells."""

from pathlib import Path

from precompute.corpus.patterns import Fact
from precompute.corpus.records import CorpusError

FACTS_FOLDER = Path(__file__).parent / "facts"

Row = dict[str, Fact]


def read_table(path: Path) -> list[Row]:
    """Read one table; the first column is the key and must be unique.

    Raises:
        CorpusError: If a line has the wrong number of cells, an empty cell or a repeated key.
    """
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    columns = header.split("\t")
    rows: list[Row] = []
    keys: set[str] = set()
    for number, line in enumerate(lines, start=2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise CorpusError(f"{path}:{number}: {len(cells)} cells, the header has {len(columns)}")
        if not all(cell.strip() for cell in cells):
            raise CorpusError(f"{path}:{number}: empty cell")
        if cells[0] in keys:
            raise CorpusError(f"{path}:{number}: {cells[0]!r} appears twice")
        keys.add(cells[0])
        rows.append(dict(zip(columns, map(Fact, cells), strict=True)))
    return rows
