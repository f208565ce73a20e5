"""All measures of an output against its source, in one pass over both clips (and a second one for synchrony)."""

from __future__ import annotations

from ..device import one_cpu_thread
from ..errors import InputError
from ..expression.request import EMOTIONS
from ..face.models import FaceModels
from ..media.video import Video
from ..progress import Progress, silent
from .catalogue import LANDMARK_MEASURES, LOUDNESS_MEASURES, TRUTH_MEASURES
from .feature_pass import MeasuredValue
from .findings import Comparison, Findings
from .judges.choosing import Judges
from .measure import Measure
from .sound_pass import SoundPass
from .sync import SyncScore
from .visual_pass import ComparisonConfig, VisualPass


def compare_clips(
    source: Video,
    output: Video,
    *,
    faces: FaceModels,
    judges: Judges | None = None,
    reference: Video | None = None,
    truth: Video | None = None,
    target_emotion: str | None = None,
    config: ComparisonConfig | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Measure an edited clip against the unedited one of the same moments.

    The largest face is measured. Memory grows by less than 1 kB per frame.

    Args:
        source: The clip before the edit.
        output: The clip after it.
        faces: Finds faces and fits their meshes.
        judges: Networks to ask besides; None for none.
        reference: A real clip of the target expression, for CSIM and FAD.
        truth: What the output should be, pixel by pixel, for PSNR, SSIM and LPIPS.
        target_emotion: The emotion that was asked for.
        config: How much of the clips is looked at.
        progress: Hears of ``Measuring``, ``Reading the reference`` and ``Lips and sound``.

    Returns:
        All measures that could be taken.

    Raises:
        InputError: The source shows no face, the emotion is unknown, or the true clip is of another size.
    """
    judges, config = judges or Judges(), config or ComparisonConfig()
    if target_emotion is not None and target_emotion not in EMOTIONS:
        raise InputError(f"unknown emotion {target_emotion!r}; choose one of: {', '.join(EMOTIONS)}")
    seen = VisualPass(source, output, faces, judges, reference, truth, config)
    with one_cpu_thread():
        seen.measure(progress)
        traces = seen.landmarks.traces()
        mesh = seen.landmarks.measures(traces) | seen.pixel_means()
        sounds = SoundPass(source, output, seen.landmarks)
        loud = [sounds.loudness(side, traces.apertures[side]) for side in (0, 1)]
        sync = {expert.spec.title: sounds.sync(expert, progress) for expert in judges.sync}
    measures: tuple[Measure, ...] = LANDMARK_MEASURES
    if truth is not None:
        measures += TRUTH_MEASURES + (judges.pictures.spec.measures if judges.pictures is not None else ())
    embedded = tuple(
        ("", MeasuredValue(measure=m, value=mesh.get(m.key, float("nan")))) for m in measures if m.key in mesh
    )
    by_loudness = tuple(
        ("", MeasuredValue(measure=measure, value=loud[1][key], source=loud[0].get(key, float("nan"))))
        for measure in LOUDNESS_MEASURES
        if (key := measure.key) in loud[1]
    )
    families = [Findings(title="Landmarks and pixels (embedded face mesh)", values=embedded + by_loudness)]
    for official, title in (
        (True, "Networks of the papers"),
        (False, "Offline stand-ins: compare them with each other only, not with published numbers"),
    ):
        family = _network_findings(seen, judges, sync, official=official, title=title, target_emotion=target_emotion)
        if family.values:
            families.append(family)
    return Comparison(
        source=source.info.name,
        output=output.info.name,
        reference=None if reference is None else reference.info.name,
        target_emotion=target_emotion,
        frame_rate=output.info.frame_rate,
        frames=seen.landmarks.count,
        families=tuple(families),
        traces=traces,
        pictures=tuple(seen.pictures),
        notes=(*seen.notes, *sounds.notes),
    )


def _network_findings(
    seen: VisualPass,
    judges: Judges,
    sync: dict[str, tuple[SyncScore | None, SyncScore | None]],
    *,
    official: bool,
    title: str,
    target_emotion: str | None,
) -> Findings:
    passes = [p for p in seen.passes if p.extractor.spec.official == official]
    values = [
        (p.extractor.spec.title, value)
        for p in passes
        for value in p.values(target_emotion=target_emotion, has_reference=seen.reference is not None)
    ]
    experts = [e for e in judges.sync if e.spec.official == official and any(sync[e.spec.title])]
    for expert in experts:
        before, after = sync[expert.spec.title]
        for measure in expert.spec.measures:
            a, b = (float("nan") if score is None else score.measured()[measure.key] for score in (before, after))
            values.append((expert.spec.title, MeasuredValue(measure=measure, value=b, source=a)))
    return Findings(
        title=title,
        official=official,
        values=tuple(values),
        emotions={p.extractor.spec.title: shown for p in passes if (shown := p.emotions()) is not None},
        sync={e.spec.title: sync[e.spec.title] for e in experts},
        spreads={p.extractor.spec.title: kept for p in passes if (kept := p.spreads()) is not None},
    )
