"""Preparing the talking head that draws the lips of an edited clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from ..audio.speech import Speech
from ..errors import InputError, WeightsError
from ..expression.editor import ExpressionEditor
from ..expression.request import ExpressionRequest
from ..media.sound import Sound
from ..media.video import Video
from ..pose.encoder import HeadPoses
from ..registry import Resources
from ..talking_head.head import talking_heads
from ..talking_head.redraw import PreparedTalkingHead, prepare_talking_head
from .config import EditConfig
from .still import StillVideo


def prepare_lips(
    video: Video,
    config: EditConfig,
    *,
    editor: ExpressionEditor | None,
    sound: Sound | Speech | None,
    poses: Sequence[HeadPoses],
    resources: Resources,
    warn: Callable[[str], None],
) -> PreparedTalkingHead | None:
    """Load the talking head and the speech that moves the lips.

    Args:
        video: The unedited clip.
        config: Which talking head, and how it draws.
        editor: The editor that runs before; None without one.
        sound: What moves the lips in place of the clip's own sound.
        poses: Head poses that are known already.
        resources: Device, model folders and progress.
        warn: Hears one line where the embedded talking head is left out because its model files are missing.

    Returns:
        The talking head with all it needs for this clip; None where no lips are to be drawn.

    Raises:
        InputError: The clip lacks what the drive needs, the talking head cannot be driven so, or the editor draws the
            lips already.
        WeightsError: Model files are missing or unusable.
    """
    head = config.talking_head
    if getattr(editor, "draws_lips", False):
        if head not in (None, talking_heads.names()[0]):
            name = f" {head}" if isinstance(head, str) else ""
            raise InputError(f"the editor draws the lips by the sound itself; leave the talking head{name} out")
        return None
    if isinstance(head, str):
        # an edit goes on without the default talking head; where lips are all there is to draw, it must not
        needed = editor is None or sound is not None or head != talking_heads.names()[0]
        try:
            head = talking_heads.create(head, config.talking_head_options, resources)
        except WeightsError as error:
            if needed:
                raise
            warn(f"the lips stay as the edit leaves them: {error}")
            return None
    if head is None:
        return None
    drive, window = config.drive, config.window
    if isinstance(video, StillVideo):
        # the lips of a picture say nothing, and each of its copies is drawn best from the picture itself
        drive, window = "audio" if drive == "blend" else drive, replace(window, source="opening")
        poses = video.stretch_poses(poses)
    return prepare_talking_head(
        video,
        head,
        drive=drive,
        window=window,
        sound=sound,
        poses=poses,
        emotion=config.shown_emotion or shown_emotion(config.request, editor),
        warn=warn,
    )


def shown_emotion(request: ExpressionRequest | None, editor: ExpressionEditor | None) -> str | None:
    """What edited faces show, as far as the request says.

    Args:
        request: What is asked of the editor.
        editor: The editor.

    Returns:
        One of the seven emotions. None if nothing is edited, a reference is copied, or another system's frames are
        taken and called neutral, which may mean that nobody said what they show.
    """
    if request is None or editor is None or not request.strength:
        return None
    if request.emotion == "neutral" and not editor.needs_faces:
        return None
    return request.emotion


def heard_speech(
    video: Video, sound: Sound | Speech | None, lips: PreparedTalkingHead | None, *, warn: Callable[[str], None]
) -> Speech | None:
    """Find what is said in an edited clip, for editors that listen.

    Args:
        video: The clip.
        sound: What is heard in place of its own sound.
        lips: The talking head, which may have read the sound already.
        warn: Hears one line where the sound cannot be used.

    Returns:
        The speech; None for a silent clip.
    """
    if isinstance(sound, Speech):
        return sound
    if isinstance(sound, Sound):
        return Speech.from_sound(sound)
    if lips is not None and lips.speech is not None:
        return lips.speech
    return Speech.from_video(video, warn=warn)


def fit_to_clip(sound: Sound, video: Video, *, warn: Callable[[str], None]) -> Sound:
    """Cut a sound to the length of a clip.

    Args:
        sound: What is to be spoken.
        video: The clip.
        warn: Hears one line where their lengths differ by more than two frames.

    Returns:
        As much of the sound as fits the clip; all of it where the clip does not know its length.
    """
    length, rate = video.info.duration, video.info.frame_rate
    if length is None:
        return sound
    if abs(sound.duration - length) * rate > 2:
        what = "its end is cut off" if sound.duration > length else "the rest is silent"
        warn(f"the sound lasts {float(sound.duration):.1f} s and the clip {float(Fraction(length)):.1f} s; {what}")
    return Sound(sound.samples[:, : round(length * sound.sample_rate)], sound.sample_rate)
