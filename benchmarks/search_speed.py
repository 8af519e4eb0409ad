"""How fast questions are answered: terms, prefixes, patterns, filters, parts, sums.

    python benchmarks/search_speed.py data/minilm
    python benchmarks/search_speed.py data/generated-1000000

Each kind of question is asked many times with words, parts and filters drawn at random from the
run itself, in this process, as a page asks it: one page of answers, the counts of every filter and
the shared parts. The first of each kind is not timed; the processor time (median, both threads) is
not lengthened by other work on the machine. The baseline of the last row is what a viewer
without an index does: read the words of every latent and look for the text in them.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from backend.answers import answer, answers_around  # noqa: E402
from backend.question import Part, Question, Range  # noqa: E402
from backend.search import did_you_mean, phrases_with  # noqa: E402
from backend.store import Run, open_run  # noqa: E402

PAGE = 20


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the questions of one run.")
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("--questions", type=int, default=40, help="of each kind")
    options = parser.parse_args()
    started = time.perf_counter()
    run = open_run(options.run)
    opened = time.perf_counter()
    run.load_later_tables()
    ready = time.perf_counter()
    sizes = run.query("select count(*) as n from facets")[0]["n"]
    examples = run.manifest.files["examples"].rows
    print(
        f"{run.name} ({run.manifest.short_hash}): {sizes:,} latents and meta-latents, "
        f"{examples:,} examples, {os.cpu_count()} cores; opened in {opened - started:.1f} s, "
        f"search tables in {ready - opened:.1f} s, resident {_resident_mb():.0f} MB"
    )
    print(f"{'question':36} {'median ms':>10} {'p95 ms':>8} {'cpu ms':>8} {'answers':>9}")
    for name, ask in _kinds(run).items():
        _time(name, ask, options.questions)
    print(f"resident at the end {_resident_mb():.0f} MB")


def _kinds(run: Run) -> dict[str, Callable[[random.Random], int]]:
    """One function a kind of question; it asks one and returns the number of answers."""
    words = [
        row["term"]
        for row in run.query(
            "select term from spellings where count is not null order by hash(term) limit 400"
        )
    ]
    metas = run.query(
        "select meta_sae_id, meta_latent from members using sample 400 rows (reservoir, 1)"
    )
    parts = [Part(row["meta_sae_id"], row["meta_latent"]) for row in metas]
    widest = run.query("select sae_id from saes where kind = 'sae' order by n_latents desc")[0]
    sae_id = widest["sae_id"]

    def ask(question: Question) -> int:
        return answer(run, question, PAGE).n

    def pattern(draw: random.Random) -> str:
        word = draw.choice(words)
        return draw.choice((f"^{word[:3]}.*{word[-1]}$", f"{word[:2]}[aeiou]+{word[3:4]}", word))

    def filters(draw: random.Random) -> dict[str, Range]:
        low = 10.0 ** -draw.randint(3, 6)
        return {"density": Range(low, low * 10), "parts": Range(draw.randint(1, 4), 6)}

    def place(question: Question, at: int) -> int:
        around = answers_around(run, question, at)
        return around.n if around else 0

    return {
        "term": lambda d: ask(Question(text=d.choice(words))),
        "prefix": lambda d: ask(Question(text=d.choice(words)[: d.randint(2, 4)])),
        "substring": lambda d: ask(Question(text=d.choice(words)[1:4])),
        "pattern": lambda d: ask(Question(text=pattern(d), way="regex")),
        "term and filters": lambda d: ask(
            Question(text=d.choice(words), sae_id=sae_id, ranges=filters(d))
        ),
        "filters alone": lambda d: ask(Question(sae_id=sae_id, ranges=filters(d), sort="rare")),
        "no filter": lambda _: ask(Question()),
        "two parts, one excluded": lambda d: ask(
            Question(required=(d.choice(parts),), excluded=(d.choice(parts),))
        ),
        "place in an answer": lambda d: place(Question(text=d.choice(words)[:3]), d.randint(0, 9)),
        "phrases with a word": lambda d: len(phrases_with(run, d.choice(words))),
        "did you mean": lambda d: len(did_you_mean(run, d.choice(words)[:-1] + "q")),
        "baseline: scan every latent's words": lambda d: run.query(
            "select count(*) as n from latents where list_contains("
            "list_transform(top_terms, lambda t: t.term), $word)",
            word=d.choice(words),
        )[0]["n"],
    }


def _time(name: str, ask: Callable[[random.Random], int], n: int) -> None:
    draw = random.Random(0)
    ask(draw)
    times, busy, counts = [], [], []
    for _ in range(n):
        started, worked = time.perf_counter(), time.process_time()
        counts.append(ask(draw))
        times.append(1000 * (time.perf_counter() - started))
        busy.append(1000 * (time.process_time() - worked))
    times.sort()
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    print(
        f"{name:36} {statistics.median(times):10.0f} {p95:8.0f} {statistics.median(busy):8.0f} "
        f"{statistics.median(counts):9,.0f}"
    )


def _resident_mb() -> float:
    status = Path("/proc/self/statm")
    if not status.exists():
        return float("nan")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
