"""Loading PC-Talk's networks from the published files, whatever they leave open."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ...errors import InputError, WeightsError
from ...weights.reading import safe_load
from ..checkpoint import State, build
from ..folding import fold
from .decoder import LONGEST
from .motion import EmotionNetwork, LipNetwork, LipRefinement, StyleEncoder
from .speech import AudioEncoder

_USUAL_PERIOD = 25
_SYSTEM = "PC-Talk"


def load_audio_encoder(path: Path) -> AudioEncoder:
    """The sound encoder; its file may be a plain state dict, or hold one. Raises WeightsError."""
    loaded: Mapping[str, Any] = safe_load(path)
    for name in ("state_dict", "model"):
        loaded = loaded[name] if isinstance(loaded.get(name), Mapping) else loaded
    state = {key.removeprefix("module.").removeprefix("model."): value for key, value in loaded.items()}
    state = {key if key.startswith("audio_encoder.") else f"audio_encoder.{key}": v for key, v in state.items()}
    return fold(build(AudioEncoder, state, what=f"{_SYSTEM}'s audio encoder ({path.name})"))


def load_emotion_network(path: Path) -> EmotionNetwork:
    """EMC with as many persons and as long a window as its file says. Raises WeightsError."""
    loaded = _loaded(path)
    state = _state(loaded, "model", path)
    period = _period(loaded, state, path)
    make = _with_persons(EmotionNetwork, state, period, path)
    return build(make, state, what=f"{_SYSTEM}'s emotion network ({path.name})")


def load_lip_network(path: Path) -> tuple[LipNetwork, LipRefinement | None]:
    """LAC, and the refinement where the file has one. Raises WeightsError."""
    loaded = _loaded(path)
    state = _state(loaded, "model", path)
    make = _with_persons(LipNetwork, state, _period(loaded, state, path), path)
    network = build(make, state, what=f"{_SYSTEM}'s lip network ({path.name})")
    refinement = None
    if isinstance(loaded.get("model_ft"), Mapping):
        corrections = _state(loaded, "model_ft", path)
        refinement = build(LipRefinement, corrections, what=f"{_SYSTEM}'s lip refinement ({path.name})")
    return network, refinement


def load_style_encoder(path: Path) -> StyleEncoder:
    """The speaking style. Raises WeightsError."""
    state = _state(_loaded(path), "model", path)
    inner = {key.removeprefix("obj_vector."): v for key, v in state.items() if key.startswith("obj_vector.")}
    state = inner or state
    persons = _length(state, "cls.out_proj.weight", path)
    return build(lambda: StyleEncoder(persons=persons), state, what=f"{_SYSTEM}'s style encoder ({path.name})")


def check_person(network: EmotionNetwork | LipNetwork, person: int) -> int:
    """``person``, if the network was trained with that many. Raises InputError."""
    persons = network.obj_vector.in_features
    if not 0 <= person < persons:
        raise InputError(f"person is {person}; this PC-Talk file knows persons 0 to {persons - 1}")
    return person


def _loaded(path: Path) -> dict[str, Any]:
    return safe_load(path, allow=[argparse.Namespace])  # "args" may be one: names and values, no code


def _state(loaded: Mapping[str, Any], name: str, path: Path) -> State:
    inner = loaded.get(name, loaded)
    state = {str(key).removeprefix("module."): value for key, value in inner.items()}
    tensors = {key: value for key, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(f"{path} holds no network of {_SYSTEM}; it is another file")
    return tensors


def _length(state: State, key: str, path: Path, axis: int = 0) -> int:
    if key not in state:
        raise WeightsError(f"{path} holds no {key}: it is not the {_SYSTEM} file of that name; get it again")
    return state[key].shape[axis]


def _period(loaded: Mapping[str, Any], state: State, path: Path) -> int:
    """Frames of a window: from the arguments in the file, else from the length of its table of positions."""
    given = loaded.get("args")
    arguments = given if isinstance(given, Mapping) else vars(given) if given is not None else {}
    if isinstance(arguments.get("T"), int):
        return arguments["T"]
    length = _length(state, "PPE.pe", path, axis=1)
    fitting = [t for t in (5, 10, 20, 25, 50, 100) if t * (LONGEST // t + 1) == length]
    return fitting[0] if fitting else _USUAL_PERIOD


def _with_persons(make: Any, state: State, period: int, path: Path) -> Any:
    persons = _length(state, "obj_vector.weight", path, axis=1)
    return lambda: make(period=period, persons=persons, person_bias="obj_vector.bias" in state)
