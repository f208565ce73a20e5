"""Who does what CONTRIBUTING.md says gets a working editor, talking head and judge."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[1]
USE = """
from contextlib import closing
from fractions import Fraction
import torch
from thfem_core.cli.main import build_parser
from thfem_core.expression.request import ExpressionRequest
from thfem_core.face.models import default_face_models
from thfem_core.media.file_video import FileVideo
from thfem_core.metrics.comparison import compare_clips
from thfem_core.metrics.judges.choosing import Judges
from thfem_core.metrics.judges.spec import judges
from thfem_core.pipeline import EditConfig, edit

device = torch.device("cpu")
build_parser().parse_args("edit a.mp4 -o b.mp4 --editor tint --warmth 3 --talking-head copy-mouth".split())
clip = FileVideo("thfem_core/assets/demo.mp4", duration=Fraction(4, 25))
config = EditConfig(request=ExpressionRequest(emotion="happy"), editor="tint", editor_options={"warmth": 60.0},
                    talking_head="copy-mouth", drive="original")
run = edit(clip, config, device=device)
reds = [frame.rgb()[..., 0].mean() for frame in run.frames()]
with closing(clip.frames()) as frames:
    assert all(new > frame.rgb()[..., 0].mean() + 1 for new, frame in zip(reds, frames, strict=True))
assert run.report.lips is not None
asked = Judges(extractors=[judges.create("mean-colour")])
found = compare_clips(clip, clip, faces=default_face_models(device), judges=asked)
(value,) = [value.value for network, value in found.families[1].values if network == "mean colour"]
assert abs(value - 1) < 1e-6, value
"""


def test_the_three_walks_lead_somewhere(tmp_path: Path) -> None:
    shutil.copytree(REPO / "thfem_core", tmp_path / "thfem_core", ignore=shutil.ignore_patterns("__pycache__"))
    text = (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r'```python title="([^"]+)"\n(.*?)```', text, flags=re.DOTALL)
    assert len(blocks) == 9
    for name, body in blocks:
        path = tmp_path / name
        if ".register(" in body:
            lines = path.read_text(encoding="utf-8").splitlines()
            last = max(i for i, line in enumerate(lines) if '.register("' in line)
            path.write_text("\n".join([*lines[: last + 1], body.strip(), *lines[last + 1 :], ""]), encoding="utf-8")
        else:
            path.parent.mkdir(exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(body, encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", USE], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
