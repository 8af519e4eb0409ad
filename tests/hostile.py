"""Eighteen kinds of HTML that a label, a token or an address may hold, and other hostile text."""

from __future__ import annotations

HTML = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<math><mtext><script>alert(1)</script></mtext></math>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//x.test>",
    "<meta http-equiv=refresh content=0>",
    "<form action=//x.test><button>go</button></form>",
    "</h1></div><b>out</b>",
    "\"><b onmouseover='alert(1)'>x</b>",
    "<!--<img src='--><img src=x onerror=alert(1)>'>",
)
SQL = ("' or 1=1 --", "'; drop table terms; --", "$text", "%_\\", "\x00", "1); select 1; (")
WRITING = (
    "\u202eabc",
    "\u2066x\u2069",
    "z̸̢͙͝a̷l̴g̶o̷" * 40,
    "\ufeffx",
    "\u200b",
    "🙂" * 40,
    "\ud800".encode("utf-8", "replace").decode(),
)
TEN_MEGABYTES = "bank " * 2_000_000
