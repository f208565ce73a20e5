"""A comparison as one HTML file that needs nothing beside it: tables, plots as inline SVG, pictures as JPEG data."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

import cv2
import numpy as np

from ..errors import OutputError
from ..media.atomic import check_output, complete_file, output_error
from .charts import charts_of
from .findings import Comparison, Findings
from .measure import ARROWS
from .svg_chart import svg_chart
from .verdict_table import headline, label

FILE_NAME = "report.html"
_TILE = 220  # pixels, height of a shown frame

_STYLE = """
:root{color-scheme:light dark;--ink:#222;--paper:#fff;--soft:#666;--rule:#ddd;--good:#1a7f4b;--bad:#b3261e;
--fair:#9a6700}
@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#181a1b;--soft:#a0a0a0;--rule:#3a3d3f;--good:#5cc98c;
--bad:#ff8a80;--fair:#e0b050}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:64rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}.soft{color:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--rule);vertical-align:top}
td.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.good{color:var(--good)}.fair{color:var(--fair)}.bad{color:var(--bad);font-weight:600}
svg{width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:currentColor}
svg .grid{stroke:var(--rule)}svg .line{fill:none;stroke-width:1.6}
figure{margin:1rem 0}.frames{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:1rem}
.frames img{width:100%;height:auto}
"""


def check_report_folder(folder: Path) -> None:
    """Raises OutputError where no report can be written; call it before long work."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; give a folder for the report")
    check_output(folder / FILE_NAME if folder.is_dir() else folder)


def write_report(comparison: Comparison, folder: Path) -> Path:
    """``report.html`` in ``folder``, which is made if only it is missing. Raises OutputError; nothing half is left."""
    check_report_folder(folder)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(error, folder) from error
    path = folder / FILE_NAME
    with complete_file(path) as temporary:
        temporary.write_text(report_html(comparison), encoding="utf-8")
    return path


def report_html(comparison: Comparison) -> str:
    """The whole page."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(comparison.output)}: what the edit kept and changed</title>",
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(headline(comparison))}</h1>",
        '<p class="soft">↑ higher is better, ↓ lower is better, → 0 nearest to zero is best. Ranges hold for clear '
        "views of a face of 100 pixels and more at 25 to 30 frames per second.</p>",
    ]
    parts += [f'<p class="note">{escape(line)}</p>' for line in comparison.notes]
    for family in comparison.families:
        parts.append(_table(family))
    if comparison.pictures:
        parts.append("<h2>Source (left) and output (right)</h2>")
        parts.append(f'<div class="frames">{"".join(_frames(*moment) for moment in comparison.pictures)}</div>')
    parts.append("<h2>Over time</h2>")
    parts += [
        f"<figure><figcaption>{escape(chart.title)}</figcaption>{svg_chart(chart)}</figure>"
        for chart in charts_of(comparison)
    ]
    return "\n".join([*parts, "</body></html>\n"])


def _table(family: Findings) -> str:
    has_source = any(value.source == value.source for _, value in family.values)
    rows = []
    for network, value in family.values:
        measure, verdict = value.measure, value.measure.verdict(value.value)
        source = f'<td class="number">{escape(measure.text(value.source))}</td>' if has_source else ""
        rows.append(
            f'<tr data-key="{measure.key}"><td>{ARROWS[measure.better]} {escape(label(network, value))}</td>'
            f'<td class="number {verdict}">{escape(measure.text(value.value))}</td>{source}'
            f'<td class="{verdict}">{verdict or "–"}</td><td class="soft">{escape(measure.ranges())}</td>'
            f"<td>{escape(measure.meaning)}</td></tr>"
        )
    source = "<th>source itself</th>" if has_source else ""
    return (
        f'<h2>{escape(family.title)}</h2><div class="wide"><table><thead><tr><th>measure</th><th>output</th>{source}'
        f"<th>verdict</th><th>range</th><th>what it means</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _frames(seconds: float, source: np.ndarray, output: np.ndarray) -> str:
    tiles = [_tile(picture) for picture in (source, output)]
    encoded, data = cv2.imencode(
        ".jpg", cv2.cvtColor(np.hstack(tiles), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    if not encoded:
        raise OutputError("a picture of the report cannot be encoded as JPEG; reinstall opencv-python")
    url = f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode('ascii')}"
    moment = f"{seconds:.2f} s"
    return f'<figure><img src="{url}" alt="source and output at {moment}"><figcaption>{moment}</figcaption></figure>'


def _tile(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    return cv2.resize(picture, (max(1, round(width * _TILE / height)), _TILE), interpolation=cv2.INTER_AREA)
