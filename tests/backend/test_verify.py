"""A run is refused, with a message that helps, whatever part of it is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.manifest import Manifest, RunError, read_manifest
from backend.row_order import is_strictly_increasing
from backend.schema import MANIFEST_NAME, SCHEMA_VERSION, TABLES
from backend.verify import verify_run
from precompute.writer import sha256_of, write_manifest

NEXT_COMMAND = "python -m precompute run precompute/configs/planted.toml"


def refuse(folder: Path, *words: str) -> None:
    """The run is refused and the message has `words` and the command to run next."""
    with pytest.raises(RunError) as caught:
        verify_run(folder)
    for word in (*words, NEXT_COMMAND):
        assert word in str(caught.value)


def forge(folder: Path, name: str, rows: pa.Table) -> None:
    """Replace a table and make manifest and hash agree with it: what a faulty writer would do."""
    path = folder / f"{name}.parquet"
    pq.write_table(rows, path)
    manifest = read_manifest(folder)
    record = replace(
        manifest.files[name],
        rows=rows.num_rows,
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
    )
    write_manifest(folder, replace(manifest, files={**manifest.files, name: record}))


def test_undamaged_run_is_verified_and_progress_reaches_the_total(fixture_run: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    manifest = verify_run(fixture_run, lambda *step: seen.append(step))
    assert isinstance(manifest, Manifest)
    assert {name for name, _, _ in seen} == set(TABLES)
    assert seen[-1][1] == seen[-1][2] == sum(record.bytes for record in manifest.files.values())


@pytest.mark.parametrize("name", TABLES)
def test_missing_file(copied_run: Path, name: str) -> None:
    (copied_run / f"{name}.parquet").unlink()
    refuse(copied_run, f"{name}.parquet", "is missing")


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_truncated_file(copied_run: Path, name: str, kept: float) -> None:
    path = copied_run / f"{name}.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refuse(copied_run, f"{name}.parquet", "cut short")


@pytest.mark.parametrize("name", TABLES)
def test_one_flipped_byte_anywhere(copied_run: Path, name: str) -> None:
    path = copied_run / f"{name}.parquet"
    content = path.read_bytes()
    last = len(content) - 1
    for position in (0, 4, last // 4, last // 2, 3 * last // 4, last - 8, last):
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        refuse(copied_run, f"{name}.parquet", "SHA-256 differs")
    path.write_bytes(content)
    verify_run(copied_run)


def test_flipped_bytes_all_over_the_manifest_are_noticed(copied_run: Path) -> None:
    path = copied_run / MANIFEST_NAME
    content = path.read_bytes()
    for position in range(0, len(content), 3):
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8  # 3 and 8 share no factor: all bits
        path.write_bytes(flipped)
        with pytest.raises(RunError, match=r"manifest\.json"):
            read_manifest(copied_run)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b'{"a": ', b"7"])
def test_manifest_of_something_else(copied_run: Path, content: bytes) -> None:
    (copied_run / MANIFEST_NAME).write_bytes(content)
    refuse(copied_run, "manifest.json")


def test_missing_manifest(copied_run: Path) -> None:
    (copied_run / MANIFEST_NAME).unlink()
    refuse(copied_run, "manifest.json is missing")


def test_empty_or_absent_folder(tmp_path: Path) -> None:
    (tmp_path / "planted").mkdir()
    refuse(tmp_path / "planted", "manifest.json is missing")
    with pytest.raises(RunError):
        verify_run(tmp_path / "absent")


def test_older_schema_version_says_so(copied_run: Path) -> None:
    manifest = read_manifest(copied_run)
    write_manifest(copied_run, replace(manifest, schema_version=SCHEMA_VERSION - 1))
    refuse(copied_run, f"schema version {SCHEMA_VERSION - 1}, this app reads {SCHEMA_VERSION}")


def test_edited_but_valid_json(copied_run: Path) -> None:
    path = copied_run / MANIFEST_NAME
    body = json.loads(path.read_text(encoding="utf-8"))
    body["title"] = "Better title"
    path.write_text(json.dumps(body, sort_keys=True, indent=2) + "\n", encoding="utf-8")
    refuse(copied_run, "was changed after it was written")


def test_manifest_without_a_table_or_with_another_one(copied_run: Path) -> None:
    manifest = read_manifest(copied_run)
    fewer = {name: record for name, record in manifest.files.items() if name != "terms"}
    write_manifest(copied_run, replace(manifest, files=fewer))
    refuse(copied_run, "manifest.json", "terms")
    more = {**manifest.files, "features": manifest.files["terms"]}
    write_manifest(copied_run, replace(manifest, files=more))
    refuse(copied_run, "manifest.json", "features")


def test_forged_manifest_cannot_point_outside_its_folder(copied_run: Path) -> None:
    manifest = read_manifest(copied_run)
    outside = replace(manifest.files["saes"], path="../planted/saes.parquet")
    write_manifest(copied_run, replace(manifest, files={**manifest.files, "saes": outside}))
    refuse(copied_run, "../planted/saes.parquet")


def test_lacking_and_extra_column(copied_run: Path) -> None:
    rows = pq.read_table(copied_run / "latents.parquet")
    forge(copied_run, "latents", rows.rename_columns({"label": "name"}))
    refuse(copied_run, "latents.parquet", "lacks ['label']", "adds ['name']")


def test_column_of_another_type_is_named_with_both_types(copied_run: Path) -> None:
    rows = pq.read_table(copied_run / "neighbours.parquet")
    place = rows.column_names.index("cosine")
    field = pa.field("cosine", pa.float64(), nullable=False)
    forge(copied_run, "neighbours", rows.set_column(place, field, rows["cosine"].cast("float64")))
    refuse(copied_run, "neighbours.parquet", "cosine is float64, not float32")


def test_columns_in_another_order(copied_run: Path) -> None:
    rows = pq.read_table(copied_run / "measurements.parquet")
    forge(copied_run, "measurements", rows.select(rows.column_names[::-1]))
    refuse(copied_run, "measurements.parquet", "order or nullability")


def test_nullable_where_the_contract_is_not(copied_run: Path) -> None:
    rows = pq.read_table(copied_run / "measurements.parquet")
    fields = [field.with_nullable(True) for field in rows.schema]
    forge(copied_run, "measurements", rows.cast(pa.schema(fields)))
    refuse(copied_run, "measurements.parquet", "order or nullability")


def test_part_of_a_struct_of_another_type(copied_run: Path) -> None:
    rows = pq.read_table(copied_run / "latents.parquet")
    place = rows.column_names.index("promoted")
    kind = pa.list_(pa.struct([("token", pa.string()), ("logit", pa.float64())]))
    field = pa.field("promoted", kind, nullable=False)
    forge(copied_run, "latents", rows.set_column(place, field, rows["promoted"].cast(kind)))
    found = "promoted is STRUCT(token VARCHAR, logit DOUBLE)[]"
    refuse(copied_run, "latents.parquet", found, "not list<struct<token: string, logit: float32>>")


def test_no_parquet_at_all_with_the_right_hash(copied_run: Path) -> None:
    """What another writer may do; the table is named although all are read in one statement."""
    forge(copied_run, "members", pq.read_table(copied_run / "members.parquet"))
    path = copied_run / "members.parquet"
    path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    manifest = read_manifest(copied_run)
    record = replace(manifest.files["members"], bytes=108, sha256=sha256_of(path))
    write_manifest(copied_run, replace(manifest, files={**manifest.files, "members": record}))
    refuse(copied_run, "members.parquet", "cannot be read as Parquet")


def test_a_folder_whose_name_looks_like_a_pattern(copied_run: Path) -> None:
    """DuckDB reads such names as patterns of many files, where no file has the very name."""
    renamed = copied_run.rename(copied_run.with_name("run [a-b]* {c} 'd'"))
    verify_run(renamed)


def test_row_count_that_differs_from_the_manifest(copied_run: Path) -> None:
    manifest = read_manifest(copied_run)
    record = replace(manifest.files["terms"], rows=7)
    write_manifest(copied_run, replace(manifest, files={**manifest.files, "terms": record}))
    refuse(copied_run, "terms.parquet", "rows instead of 7")


def test_unsorted_rows_and_repeated_keys(copied_run: Path) -> None:
    rows = pq.read_table(copied_run / "components.parquet")
    backwards = rows.take(list(range(rows.num_rows))[::-1])
    forge(copied_run, "components", backwards)
    refuse(copied_run, "components.parquet", "not sorted by a unique meta_sae_id, latent")
    forge(copied_run, "components", pa.concat_tables([rows.slice(0, 1), rows]))
    refuse(copied_run, "components.parquet", "not sorted by a unique")


def test_disorder_between_two_row_groups_is_seen(copied_run: Path) -> None:
    # each of the two groups is sorted in itself; only their border is wrong
    rows = pq.read_table(copied_run / "contexts.parquet")
    half = rows.num_rows // 2
    swapped = pa.concat_tables([rows.slice(half), rows.slice(0, half)])
    forge(copied_run, "contexts", swapped)
    path = copied_run / "contexts.parquet"
    pq.write_table(swapped, path, row_group_size=half)
    manifest = read_manifest(copied_run)
    record = replace(manifest.files["contexts"], bytes=path.stat().st_size, sha256=sha256_of(path))
    write_manifest(copied_run, replace(manifest, files={**manifest.files, "contexts": record}))
    refuse(copied_run, "contexts.parquet", "not sorted by a unique context_id")


def test_strictly_increasing_compares_later_columns_only_within_ties() -> None:
    def keys(*rows: tuple[str, int]) -> pa.Table:
        return pa.table({"a": [row[0] for row in rows], "b": [row[1] for row in rows]})

    assert is_strictly_increasing(keys())
    assert is_strictly_increasing(keys(("x", 1)))
    assert is_strictly_increasing(keys(("x", 9), ("y", 1), ("y", 2)))
    assert not is_strictly_increasing(keys(("x", 1), ("x", 1)))
    assert not is_strictly_increasing(keys(("x", 2), ("x", 1)))
    assert not is_strictly_increasing(keys(("y", 1), ("x", 2)))
