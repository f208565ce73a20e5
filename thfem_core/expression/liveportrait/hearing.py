"""What the editor takes from the sound of a clip: the emotion, the lips, or both."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ...errors import InputError
from ...networks.liveportrait.drawing import FaceDrawer
from ...networks.pctalk.files import load_lips_from_sound
from ...networks.pctalk.model import PCTALK_EMOTION
from ...networks.pctalk.networks import load_audio_encoder, load_emotion_network
from ...networks.pctalk.spoken_lips import LipsFromSound, SpokenLips
from ...registry import Resources
from ...weights.store import locate
from ..request import ExpressionRequest
from .back_end import LivePortraitOptions
from .sound_emotion import EmotionFromSound, SpokenEmotion


def load_hearing(
    options: LivePortraitOptions, resources: Resources
) -> tuple[EmotionFromSound | None, LipsFromSound | None]:
    """Load the networks that hear emotion and lips, as far as the options ask for them.

    Raises:
        InputError: The files do not know the person of the options.
        WeightsError: A model file is missing or unusable.
    """
    emotion, lips = None, None
    if options.emotions == "sound":
        files = locate(PCTALK_EMOTION, folders=resources.folders, progress=resources.progress)
        emotion = EmotionFromSound(load_audio_encoder(files["encoder"]), load_emotion_network(files["emotion"]))
    if options.lips == "sound":
        lips = load_lips_from_sound(options.person, options.speaking_style, resources)
    return emotion, lips


def spoken_emotion(
    emotion: EmotionFromSound | None, request: ExpressionRequest, drawer: FaceDrawer
) -> SpokenEmotion | None:
    """The requested emotion as it is spoken, for all faces; None where it does not come from the sound.

    Raises InputError for a silent clip.
    """
    if emotion is None or request.emotion in (None, "neutral"):
        return None
    if request.speech is None:
        raise InputError("emotions from sound need a clip with sound; choose --emotions sliders")
    return emotion.to(drawer.device).spoken(str(request.emotion), request.speech)


def spoken_lips(
    lips: LipsFromSound | None,
    request: ExpressionRequest,
    options: LivePortraitOptions,
    drawer: FaceDrawer,
    frame_rate: Fraction,
) -> Callable[[], SpokenLips | None]:
    """Begins with the lips of one more face; gives None where they do not come from the sound.

    Raises InputError for a silent clip, or where the clip of the speaking style shows no face.
    """
    if lips is None:
        return lambda: None
    speech = request.speech
    if speech is None:
        raise InputError("lips from sound need a clip with sound; choose --lips shifted")
    style = lips.to(drawer.device).style(options.person, options.speaking_style, drawer)
    return lambda: lips.speak(speech, style, frame_rate=frame_rate, scale=options.lip_scale)
