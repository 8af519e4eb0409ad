"""The README agrees with the code and with the shipped run."""

import re
from pathlib import Path

import pytest

from backend.schema import TABLES
from precompute.figures import experiment_figures, run_figures, sweep_figures

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    found = re.search(f"<!-- {name}:start -->\n(.*?)<!-- {name}:end -->", README, re.DOTALL)
    assert found is not None, f"README.md has no section {name}"
    return found.group(1)


def test_the_table_list_is_that_of_the_contract() -> None:
    rows = [f"| `{t.name}` | {', '.join(t.key)} | {t.meaning} |" for t in TABLES.values()]
    expected = "\n".join(["| table | key | one row is about |", "|---|---|---|", *rows]) + "\n"
    assert section("tables") == expected


def test_the_figures_are_those_of_the_shipped_run() -> None:
    assert section("figures") == run_figures(ROOT / "data" / "minilm")


def test_the_experiments_are_those_of_the_causal_run() -> None:
    assert section("atlas") == experiment_figures(ROOT / "data" / "atlas")


def test_the_sweep_is_the_one_measured() -> None:
    assert section("sweep") == sweep_figures(ROOT / "precompute" / "sweeps" / "minilm.tsv")


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:backend|precompute|app_pages)/[\w./-]+)`", README)))
)
def test_every_path_named_in_the_readme_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_command_named_in_the_readme_is_known() -> None:
    from precompute.__main__ import _parser

    text = _parser().format_help()
    commands = set(re.findall(r"python -m precompute (\w+)", README))
    assert commands
    assert all(command in text for command in commands)
