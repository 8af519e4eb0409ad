"""Lists about a run or a pair of its SAEs: hits of a search, labels, figures, stitching."""

from __future__ import annotations

from backend import queries, stitching
from backend.answers import QuestionError, every_answer
from backend.downloads import queries as own
from backend.downloads.asked import (
    MOST_ROWS_TAKEN,
    Asked,
    Download,
    DownloadError,
    Parameter,
    quoted,
)
from backend.downloads.columns import IDS, LABEL, of
from backend.question import (
    INDEXES,
    KINDS,
    NAMINGS,
    NOVELTIES,
    RANGES,
    SORTS,
    WAYS,
    parse_question,
)
from backend.records import Record
from backend.schema import LATENTS, MEASUREMENTS, SAES, STITCH_CURVE, STITCHING
from backend.store import Run
from backend.tables.columns import LATENT, SAE_ID, Column
from backend.tables.types import FLOAT32, STRING

MOST_HITS = 10_000

_ANY_SAE = Parameter("sae", "only this SAE or meta-SAE", required=False)
_SMALL = Parameter("small", "the smaller SAE of a pair")
_LARGE = Parameter("large", "the larger SAE of a pair")


def _saes(run: Run, asked: Asked) -> list[Record]:
    del asked
    return queries.saes(run)


def _measurements(run: Run, asked: Asked) -> list[Record]:
    experiment = asked.get("experiment")
    rows = queries.measurements(run, experiment)
    if not rows and experiment:
        raise DownloadError(
            f"There is no experiment {quoted(experiment)} in run {run.name}. Possible: "
            f"{', '.join(own.experiments(run))}."
        )
    return rows


def _labels(run: Run, asked: Asked) -> list[Record]:
    rows = own.labels(run, asked.get("sae", ""), MOST_ROWS_TAKEN + 1)
    if len(rows) > MOST_ROWS_TAKEN:
        raise DownloadError(
            f"More than {MOST_ROWS_TAKEN:,} labels: name one SAE with sae=..., or take the whole "
            f"table, table/latents.parquet?run={run.name}.",
            400,
        )
    return rows


def _hits(run: Run, asked: Asked) -> list[Record]:
    saes = tuple(sae["sae_id"] for sae in queries.saes(run))
    try:
        return every_answer(run, parse_question(asked, saes), MOST_HITS)
    except QuestionError as error:
        raise DownloadError(str(error), 400) from error


def _stitching(run: Run, asked: Asked) -> list[Record]:
    small, large = _pair(run, asked)
    kind, text, sort = (asked.get(name, "") for name in ("kind", "q", "sort"))
    rows = own.whole_pair(run, small, large, kind, text, sort, MOST_ROWS_TAKEN + 1)
    if len(rows) > MOST_ROWS_TAKEN:
        raise DownloadError(
            f"More than {MOST_ROWS_TAKEN:,} latents: name a kind with kind=..., or take the whole "
            f"table, table/stitching.parquet?run={run.name}.",
            400,
        )
    return [{"small_sae_id": small, "large_sae_id": large, **row} for row in rows]


def _curve(run: Run, asked: Asked) -> list[Record]:
    return stitching.curve(run, *_pair(run, asked))


def _pair(run: Run, asked: Asked) -> tuple[str, str]:
    pairs = [(pair["small_sae_id"], pair["large_sae_id"]) for pair in stitching.pairs(run)]
    wanted = (asked["small"], asked["large"])
    if wanted not in pairs:
        possible = "; ".join(f"small={small} large={large}" for small, large in pairs)
        raise DownloadError(f"{wanted[0]} and {wanted[1]} are no pair. Possible: {possible}.")
    return wanted


OF_RUNS = (
    Download("saes", "every SAE and meta-SAE with its figures", (), SAES.columns, _saes),
    Download(
        "measurements",
        "every figure that a page quotes, with its interval",
        (Parameter("experiment", "only this experiment", required=False),),
        MEASUREMENTS.columns,
        _measurements,
    ),
    Download(
        "labels",
        "every label; to change some, keep their rows with the first four columns in a label file",
        (_ANY_SAE,),
        (
            *IDS,
            LABEL,
            Column("decoder_sha256", STRING, "first 12 digits, as in `saes`"),
            *of(LATENTS, "label_kind", "label_source", "label_score", "label_accuracy"),
            *of(LATENTS, "label_auc", "label_tests", "count"),
        ),
        _labels,
    ),
    Download(
        "hits",
        f"what a search or a question finds, best first, at most {MOST_HITS:,} rows",
        (
            Parameter("q", "the text to search for", False),
            _ANY_SAE,
            Parameter("way", "how the text is meant", False, WAYS),
            Parameter("index", "where to search", False, INDEXES),
            Parameter("kind", "latents or meta-latents", False, KINDS),
            Parameter("naming", "what the label speaks of", False, NAMINGS),
            Parameter("novelty", "against a smaller SAE", False, NOVELTIES),
            Parameter("against", "that smaller SAE", False),
            *(Parameter(name, "from..to, either may lack", False) for name in RANGES),
            Parameter("with", "parts required, meta-SAE/meta-latent,...", False),
            Parameter("without", "parts excluded", False),
            Parameter("weigh", "parts that only rank, meta-SAE/meta-latent*weight,...", False),
            Parameter("sort", "order of the rows", False, SORTS),
        ),
        (
            SAE_ID,
            *of(SAES, "kind"),
            LATENT,
            LABEL,
            Column("naming", STRING, "what the label speaks of"),
            Column("accuracy", FLOAT32, "of the label on held-out members"),
            *of(LATENTS, "label_auc"),
            Column("matched_term", STRING, "the term, label or number that fits the text"),
            Column("matched_in", STRING, "index it is in, or label, or number"),
            Column("match", STRING, "how it fits, e.g. exact, prefix, substring"),
            Column("score", FLOAT32, "F1 when it fires on the term, logit when it promotes"),
            Column("precision", FLOAT32, "of its firings, those on the term"),
            Column("recall", FLOAT32, "of the term's tokens, those it fires on"),
            Column("lift", FLOAT32, "share of its firings on the term / share of all tokens"),
            Column("part_score", FLOAT32, "sum of weight x activation over the parts asked"),
            *of(LATENTS, "count", "tokens_seen", "n_components"),
            Column("density", FLOAT32, "count / tokens_seen"),
            Column("explained", FLOAT32, "variance explained by its decomposition"),
            Column("stability", FLOAT32, "mean over its components"),
            Column("cosine", FLOAT32, "with the nearest latent of its SAE"),
            Column("novelty", STRING, "against the next smaller SAE, or the one named"),
        ),
        _hits,
    ),
    Download(
        "stitching",
        "the latents of the larger SAE of a pair: novel or not",
        (
            _SMALL,
            _LARGE,
            Parameter("kind", "only this kind", False, stitching.KINDS),
            Parameter("q", "only labels with this in them", False),
            Parameter("sort", "order of the rows", False, tuple(stitching.SORTS)),
        ),
        (
            *of(STITCHING, "small_sae_id", "large_sae_id", "latent"),
            LABEL,
            *of(STITCHING, "kind", "delta_mse", "ci_low", "ci_high", "fired", "together"),
            *of(STITCHING, "max_cosine", "nearest_latent"),
            Column("nearest_label", STRING, "label of the nearest latent"),
        ),
        _stitching,
    ),
    Download(
        "curve",
        "the way from the smaller SAE of a pair to the larger, step by step",
        (_SMALL, _LARGE),
        STITCH_CURVE.columns,
        _curve,
    ),
)
