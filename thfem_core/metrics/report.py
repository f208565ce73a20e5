"""A comparison as one HTML file that needs nothing beside it: tables, plots as SVG and pictures as JPEG data."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np

from ..errors import OutputError
from ..figure import check_matplotlib
from ..media.atomic import check_output, complete_file, output_error
from .charts import as_svg, draw_charts
from .findings import Comparison
from .measure import ARROWS
from .verdict_table import headline, label

FILE_NAME = "report.html"
_TEMPLATE = Path(__file__).with_name("report.html.j2")
_TILE = 220  # pixels, height of a shown frame


def check_report_folder(folder: Path) -> None:
    """Check, before long work, that a report can be written.

    Args:
        folder: Where :func:`write_report` will write.

    Raises:
        OutputError: The folder cannot be written to.
        InputError: matplotlib is not installed.
    """
    check_matplotlib()
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; give a folder for the report")
    check_output(folder / FILE_NAME if folder.is_dir() else folder)


def write_report(comparison: Comparison, folder: Path) -> Path:
    """Write a comparison for people; nothing half is left where it fails.

    Args:
        comparison: What was measured.
        folder: Made if only it is missing.

    Returns:
        Path of ``report.html`` in the folder.

    Raises:
        OutputError: It cannot be written.
    """
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
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    charts = [(figure.axes[0].get_title(), _base64(as_svg(figure))) for figure in draw_charts(comparison)]
    moments = [(f"{seconds:.2f}", _base64(_jpeg(*pair))) for seconds, *pair in comparison.pictures]
    return page.render(
        comparison=comparison,
        headline=headline(comparison),
        arrows=ARROWS,
        label=label,
        charts=charts,
        moments=moments,
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _jpeg(source: np.ndarray, output: np.ndarray) -> bytes:
    """Two pictures side by side, of one height."""
    both = cv2.cvtColor(np.hstack([_tile(source), _tile(output)]), cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".jpg", both, [cv2.IMWRITE_JPEG_QUALITY, 85])
    if not encoded:
        raise OutputError("a picture of the report cannot be encoded as JPEG; reinstall opencv-python")
    return data.tobytes()


def _tile(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    return cv2.resize(picture, (max(1, round(width * _TILE / height)), _TILE), interpolation=cv2.INTER_AREA)
