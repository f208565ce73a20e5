"""The report is one page that stands alone, shows every measure, and renders in a browser."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from thfem_core.errors import InputError, OutputError
from thfem_core.expression.request import EMOTIONS
from thfem_core.figure import as_pixels
from thfem_core.metrics.catalogue import LANDMARK_MEASURES
from thfem_core.metrics.charts import as_svg, draw_charts
from thfem_core.metrics.feature_pass import MeasuredValue
from thfem_core.metrics.findings import Comparison, Findings
from thfem_core.metrics.judges.syncnet.back_end import LSE_D
from thfem_core.metrics.landmark_pair import LipTraces
from thfem_core.metrics.measure import Measure
from thfem_core.metrics.network_catalogue import CSIM, TARGET
from thfem_core.metrics.report import check_report_folder, report_html, write_report
from thfem_core.metrics.sync import SyncScore
from thfem_core.metrics.verdict_picture import verdict_picture
from thfem_core.metrics.verdict_table import as_data, text_table

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FRAMES = 50


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """Made up: every kind of plot, a value that is missing, names that need escaping."""
    random = np.random.default_rng(0)
    lips = random.uniform(0, 20, (4, FRAMES))
    lips[1, 10:14] = np.nan
    emotions = random.dirichlet(np.ones(7), 10), random.dirichlet(np.ones(7), 10)
    score = SyncScore(distance=7.5, confidence=6.2, offset=-1, curve=tuple(random.uniform(7, 14, 31)), windows=40)
    mesh = tuple(("", MeasuredValue(measure=m, value=1.0)) for m in LANDMARK_MEASURES)
    networks = (
        ("Net", MeasuredValue(measure=TARGET, value=0.8, source=0.1)),
        ("Net", MeasuredValue(measure=CSIM, value=float("nan"))),
        ("Sync", MeasuredValue(measure=LSE_D, value=7.5, source=7.4)),
    )
    return Comparison(
        source="a <b>.mp4",
        output="o&o.mp4",
        reference=None,
        target_emotion="happy",
        frame_rate=Fraction(25),
        frames=FRAMES,
        families=(
            Findings(title="Landmarks", values=mesh),
            Findings(
                title="Networks",
                values=networks,
                emotions={"Net": (np.arange(10) / 5, *emotions)},
                sync={"Sync": (None, score)},
            ),
        ),
        traces=LipTraces(apertures=(lips[0], lips[1]), widths=(lips[2], lips[3])),
        pictures=tuple((i / 2, *random.integers(0, 255, (2, 40, 60, 3)).astype(np.uint8)) for i in range(3)),
        notes=("a <b>.mp4 is longer",),
    )


class Page(HTMLParser):
    """Tags with their attributes; fails on a tag that closes another."""

    VOID = ("meta", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_shows_every_measure(comparison) -> None:
    page = Page(report_html(comparison))
    links = [attrs[key] for _, attrs in page.tags for key in ("src", "href") if key in attrs]
    kinds = [link.split(";base64,")[0] for link in links]
    assert kinds == ["data:image/jpeg"] * 3 + ["data:image/svg+xml"] * 4
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object"}
    shown = [attrs["data-key"] for tag, attrs in page.tags if tag == "tr" and "data-key" in attrs]
    assert shown == [v.measure.key for family in comparison.families for _, v in family.values]
    assert "a &lt;b&gt;.mp4 is longer" in report_html(comparison) and "<b>" not in report_html(comparison)


def test_charts_show_each_line_with_its_gaps(comparison) -> None:
    opening, *emotions, sync = draw_charts(comparison)
    assert [line.get_label() for line in opening.axes[0].lines] == ["source", "output"]
    assert np.isnan(opening.axes[0].lines[1].get_ydata()).sum() == 4
    assert [len(figure.axes[0].lines) for figure in emotions] == [7, 7]
    assert [len(line.get_xdata()) for line in sync.axes[0].lines] == [0, 31]
    svg = as_svg(opening)
    ElementTree.fromstring(svg)
    assert b"Lip opening" in svg and svg == as_svg(opening)


def test_a_picture_of_a_chart_has_the_lines_in_their_colours(comparison) -> None:
    picture = as_pixels(next(draw_charts(comparison)))
    assert picture.shape == (320, 768, 3)
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum() > 200


def test_no_word_of_the_verdict_lies_over_another(comparison) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    name = "how much the best delay of lips and sound stands out"
    long = Measure(key="l", group="", label=name, better="higher", good=10.25, bad=1.25, unit=" frames", meaning="")
    values = (("a network", MeasuredValue(measure=long, value=1234.5, source=1234.5)),)
    figure = verdict_picture(
        replace(comparison, families=(*comparison.families, Findings(title="Long", values=values)))
    )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in figure.axes[0].texts if text.get_text()]
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]
    assert max(box.x1 for box in boxes) <= figure.bbox.width


def test_without_matplotlib_a_report_is_refused_before_long_work(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match="pip install matplotlib"):
        check_report_folder(tmp_path)


def test_table_and_data_say_the_same(comparison) -> None:
    text, data = text_table(comparison), json.loads(json.dumps(as_data(comparison), allow_nan=False))
    assert [v["key"] for v in data["families"][1]["values"]] == ["target", "csim", "lse_d"]
    assert data["families"][1]["values"][1]["value"] is None
    assert data["families"][1]["sync_curves"]["Sync"]["source"] is None
    assert "target emotion (Net)" in text and "source 0.10" in text and "Note: a <b>.mp4 is longer" in text
    assert all(m.label in text and m.meaning in text for m in LANDMARK_MEASURES)


def test_verdicts_follow_the_arrow() -> None:
    up = Measure(key="u", group="", label="", better="higher", good=0.9, bad=0.5, meaning="")
    down = Measure(key="d", group="", label="", better="lower", good=1, bad=2, meaning="")
    zero = Measure(key="z", group="", label="", better="zero", good=1, bad=3, meaning="")
    assert [up.verdict(v) for v in (1, 0.9, 0.7, 0.5, 0.4)] == ["good", "good", "fair", "fair", "bad"]
    assert [down.verdict(v) for v in (0, 1, 1.5, 2, 2.1)] == ["good", "good", "fair", "fair", "bad"]
    assert [zero.verdict(v) for v in (-4, -2, 0, 1, 4)] == ["bad", "fair", "good", "good", "bad"]
    assert up.verdict(float("nan")) == "" and up.text(float("nan")) == "–" and up.text(float("inf")) == "∞"
    assert all(len(emotion) > 2 for emotion in EMOTIONS)


def test_a_report_is_written_whole_or_not_at_all(comparison, tmp_path: Path) -> None:
    path = write_report(comparison, tmp_path / "new")
    assert path.read_text(encoding="utf-8") == report_html(comparison) and list(path.parent.iterdir()) == [path]
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        write_report(comparison, tmp_path / "file")
    with pytest.raises(OutputError):
        write_report(comparison, tmp_path / "no" / "such")


def test_a_browser_shows_the_page(comparison, tmp_path: Path) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    path, shot = write_report(comparison, tmp_path / "report"), tmp_path / "shot.png"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    try:
        subprocess.run(
            [*command, f"--screenshot={shot}", "--window-size=900,1600", path.as_uri()],
            check=True,
            capture_output=True,
            timeout=90,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"this Chromium does not start: {error}")
    import cv2

    picture = cv2.imread(str(shot))
    assert picture.shape == (1600, 900, 3)
    inked = (np.abs(picture.astype(int) - picture[2, 2]).max(axis=2) > 60).mean(axis=1)
    assert (inked > 0.005).mean() > 0.3, "the page is mostly empty"
