"""The routes of downloads, for `serve.py`: HTTP around `backend.downloads.answers`.

Each answer is a file to save, never a page: `nosniff`, an attachment, and a policy that lets a
browser run nothing in it. Making one happens in a thread, few at a time, so that a large download
never holds up the pages.
"""

from __future__ import annotations

import asyncio
import re
from datetime import date

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from backend.links import DOWNLOAD_PATH

AT_ONCE = 2  # lists being made at the same time; more of them wait
LONGEST_ADDRESS = 4_000  # characters of the parameters
SAFETY = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": "no-cache",  # ask again; an unchanged file is answered in a few bytes
}

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


def download_routes(base_path: str = "") -> list[Route]:
    """Routes below `<base_path>/download`.

    Args:
        base_path: Streamlit's `server.baseUrlPath`, with or without slashes.
    """
    base = f"/{base_path.strip('/')}" if base_path.strip("/") else ""
    places = asyncio.Semaphore(AT_ONCE)

    async def listed(_: Request) -> Response:
        from backend.downloads.answers import overview

        return PlainTextResponse(await asyncio.to_thread(overview), headers=SAFETY)

    async def taken(request: Request) -> Response:
        async with places:
            return await asyncio.to_thread(_response, request, base)

    return [
        Route(f"{base}/{DOWNLOAD_PATH}", listed),
        Route(f"{base}/{DOWNLOAD_PATH}/", listed),
        Route(f"{base}/{DOWNLOAD_PATH}/{{file:path}}", taken),
    ]


def _response(request: Request, base: str) -> Response:
    # imported by the first download, because a server's first page would wait for it
    from backend.downloads.answers import DownloadError, answer

    if len(request.url.query) > LONGEST_ADDRESS:
        return _refused("This address is too long.", 400)
    try:
        found = answer(
            request.path_params["file"],
            dict(request.query_params),
            _address(request, base),
            date.today(),
        )
    except DownloadError as error:
        return _refused(str(error), error.status)
    headers = {**SAFETY, "etag": found.etag}
    if _has(request.headers.get("if-none-match", ""), found.etag):
        return Response(status_code=304, headers=headers)
    if found.path is not None:
        # Parquet is compressed already, and a range of it must be a range of the file
        headers["content-encoding"] = "identity"
        return FileResponse(
            found.path, headers=headers, media_type=found.media_type, filename=found.name
        )
    headers["content-disposition"] = f'attachment; filename="{found.name}"'
    return Response(found.body, headers=headers, media_type=found.media_type)


def _refused(message: str, status: int) -> Response:
    return PlainTextResponse(f"{message}\n", status, headers=SAFETY)


def _has(known: str, etag: str) -> bool:
    """Whether `If-None-Match` names this answer; weak and strong compare alike."""
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def _address(request: Request, base: str) -> str:
    """Address of the app as this reader wrote it; "" when the host is no host."""
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}{base}/" if _HOST.fullmatch(host) else ""
