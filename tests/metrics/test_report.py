"""The report is one page that stands alone, shows every measure, and renders in a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from thfem_core.errors import OutputError
from thfem_core.expression.request import EMOTIONS
from thfem_core.metrics.catalogue import LANDMARK_MEASURES
from thfem_core.metrics.charts import Chart, Line, charts_of, ticks
from thfem_core.metrics.feature_pass import MeasuredValue
from thfem_core.metrics.findings import Comparison, Findings
from thfem_core.metrics.judges.syncnet.back_end import LSE_D
from thfem_core.metrics.landmark_pair import LipTraces
from thfem_core.metrics.measure import Measure
from thfem_core.metrics.network_catalogue import CSIM, TARGET
from thfem_core.metrics.picture_chart import picture_chart
from thfem_core.metrics.report import report_html, write_report
from thfem_core.metrics.svg_chart import svg_chart
from thfem_core.metrics.sync import SyncScore
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

    VOID = ("meta", "img", "path", "br")

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
    assert links and all(link.startswith("data:image/jpeg;base64,") for link in links)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object"}
    shown = [attrs["data-key"] for tag, attrs in page.tags if tag == "tr" and "data-key" in attrs]
    assert shown == [v.measure.key for family in comparison.families for _, v in family.values]
    assert sum(tag == "svg" for tag, _ in page.tags) == len(charts_of(comparison)) == 4
    assert sum(tag == "img" for tag, _ in page.tags) == 3
    assert "a &lt;b&gt;.mp4 is longer" in report_html(comparison) and "<b>" not in report_html(comparison)


def test_charts_leave_gaps_and_stay_inside(comparison) -> None:
    for chart in charts_of(comparison):
        svg = ElementTree.fromstring(svg_chart(chart))
        paths = [p.get("d") for p in svg.iter("path") if p.get("class") == "line" and "h16" not in p.get("d")]
        assert len(paths) == len(chart.lines)
        numbers = " ".join(paths).replace("M", " ").replace("L", " ").split()
        assert all(0 <= float(n) <= 720 for n in numbers)
    opening = svg_chart(charts_of(comparison)[0])
    assert opening.split('stroke="#d55e00" d="')[1].split('"')[0].count("M") == 2, "the gap must split the line"


def test_charts_without_anything_to_show_are_drawn_too() -> None:
    empty = Line(label="x", x=np.zeros(0), y=np.zeros(0), colour="#0072b2")
    flat = Line(label="y", x=np.arange(3.0), y=np.array([np.nan, 2.0, 2.0]), colour="#d55e00")
    for lines in ((), (empty,), (empty, flat)):
        chart = Chart(title="t", x_label="x", y_label="y", lines=lines)
        ElementTree.fromstring(svg_chart(chart))
        assert picture_chart(chart).shape == (320, 768, 3)


def test_a_picture_of_a_chart_has_the_lines_in_their_colours(comparison) -> None:
    picture = picture_chart(charts_of(comparison)[0])
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum() > 200


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-15.0, 15.0), (0.001, 0.0042), (3.0, 3.000001), (0, 3600)])
def test_ticks_are_few_and_round(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 11 and found == sorted(set(found))
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)


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
