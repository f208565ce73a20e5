"""The configuration of a training run: a TOML file with one table per stage, read into frozen dataclasses."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from thfem_core.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

C = TypeVar("C")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopConfig:
    """How long and how a stage is trained.

    Attributes:
        steps: of the optimiser, in all.
        batch: windows per micro-step and process.
        accumulate: micro-steps per step; the gradient is their mean.
        lr: highest learning rate.
        betas: of Adam.
        weight_decay: of AdamW; 0 makes it Adam.
        warmup: steps in which the learning rate rises.
        schedule: "cosine" falls to 0; "steps" divides by ten at each of ``drops``.
        drops: shares of the run, in rising order.
        ema: decay of the averaged weights, which are what is exported.
        clip: largest gradient norm; 0 for any.
        precision: of accelerate.
        checkpoint_every: steps between checkpoints.
        log_every: steps between entries for TensorBoard.
        validate_every: steps between measurements on unseen people.
        seed: of everything random.
        workers: processes that draw batches ahead; 0 draws them in the training process.
    """

    steps: int = 10000
    batch: int = 8
    accumulate: int = 1
    lr: float = 3e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 1e-4
    warmup: int = 200
    schedule: Literal["cosine", "steps"] = "cosine"
    drops: tuple[float, ...] = ()
    ema: float = 0.999
    clip: float = 1.0
    precision: Literal["no", "fp16", "bf16"] = "no"
    checkpoint_every: int = 500
    log_every: int = 50
    validate_every: int = 1000
    seed: int = 0
    workers: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "accumulate", "checkpoint_every", "log_every", "validate_every"):
            check_least(f"loop.{name}", getattr(self, name), 1)
        for name in ("workers", "warmup", "weight_decay", "clip", "seed"):
            check_least(f"loop.{name}", getattr(self, name), 0)
        if not 0 < self.lr < 1:
            raise InputError(f"loop.lr is {self.lr:g}; give a learning rate such as 3e-4")
        if not 0 <= self.ema < 1:
            raise InputError(f"loop.ema is {self.ema:g}; give 0 (off) to 0.9999")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"loop.betas is {list(self.betas)}; give two numbers from 0 to below 1, as [0.9, 0.99]")
        if not all(0 < share < 1 for share in self.drops) or list(self.drops) != sorted(self.drops):
            raise InputError(f"loop.drops is {list(self.drops)}; give rising shares of the run, as [0.5, 0.8]")


@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig:
    """What is trained on, and how windows are drawn from it (Section 3.3).

    Attributes:
        prepared: folder that training.build_dataset made.
        pairs: folder that training.build_pairs made; "" for none. With pairs, sources are edited frames and targets
            the real frames with the same words.
        window: n of the paper; source i has the targets i+1 … i+n.
        adjacent: False draws the source from anywhere in the clip, the paper's "without adjacent frame prior".
        min_sync: least correlation of lip aperture and loudness of a clip whose sound is learned from.
        max_lag: most frames that its sound may come early or late.
        identity_power: people are drawn with probability ∝ (their frames) ** power.
    """

    prepared: str = ""
    pairs: str = ""
    window: int = 5
    adjacent: bool = True
    min_sync: float = 0.3
    max_lag: int = 2
    identity_power: float = 0.5

    def __post_init__(self) -> None:
        if not self.prepared and not self.pairs:
            raise InputError("data names neither prepared nor pairs; give the folder of build_dataset or build_pairs")
        if not 1 <= self.window <= 100:
            raise InputError(f"data.window is {self.window}; give 1 to 100 frames (the paper uses 5)")


def check_least(name: str, value: float, least: int) -> None:
    """Raises InputError if the value of the setting ``name`` is less than ``least``, or not finite."""
    if not least <= value < inf:
        raise InputError(f"{name} is {value}; give {least} or more")


def check_flags(arguments: argparse.Namespace, *names: str) -> None:
    """Raises InputError if one of the flags that were given is less than 1."""
    for name in names:
        value = getattr(arguments, name, None)
        if value is not None:
            check_least(f"--{name.replace('_', '-')}", value, 1)


def from_table(kind: type[C], table: dict[str, Any], where: str) -> C:
    """A dataclass from a TOML table. Raises InputError, naming the setting, where one is unknown, missing or of
    another type."""
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    if not isinstance(table, dict):
        raise InputError(f"{where} is {table!r}; it must be a table: [{where}]")
    for name in table:
        check_name(name, [field.name for field in fields], where)
    values = {
        name: from_table(hints[name], value, f"{where}.{name}")
        if dataclasses.is_dataclass(hints[name])
        else _typed(value, hints[name], f"{where}.{name}")
        for name, value in table.items()
    }
    for field in fields:
        if field.name not in values and field.default is field.default_factory is dataclasses.MISSING:
            raise InputError(f"{where} lacks the setting {field.name!r}; add it to the configuration")
    return kind(**values)


def check_name(name: str, known: Iterable[str], where: str) -> None:
    """Raises InputError that lists the known settings if ``name`` is none of them."""
    if name not in known:
        raise InputError(f"{where} has no setting {name!r}; choose among: {', '.join(sorted(known))}")


def _typed(value: Any, hint: Any, where: str) -> Any:
    """A value of a TOML file as the type that a field is annotated with."""
    kind = get_origin(hint) or hint
    if kind is Literal:
        if value not in get_args(hint):
            raise InputError(f"{where} is {value!r}; give one of: {', '.join(map(repr, get_args(hint)))}")
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is tuple and isinstance(value, list):
        of, length = get_args(hint)[0], len(get_args(hint))
        if Ellipsis not in get_args(hint) and len(value) != length:
            raise InputError(f"{where} has {len(value)} values; give {length}")
        return tuple(_typed(item, of, where) for item in value)
    if kind in (bool, int, float, str) and type(value) is not kind:  # a truth value is no number here
        raise InputError(f"{where} is {value!r}; give a value of type {kind.__name__}")
    return value


def read_toml(path: Path) -> dict[str, Any]:
    """A configuration, laid over the one that its ``base`` names (relative to itself), if any.

    Raises:
        InputError: a file is missing or no TOML, or bases go in a circle; in one line.
    """
    return _read_toml(path, ())


def _read_toml(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in above:
        raise InputError(f"{path} is its own base; take the base out of one of: {', '.join(a.name for a in above)}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no configuration {path}; see training/configs") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8; write it again") from None
    except OSError as error:  # such as a folder
        raise InputError(f"{path} cannot be read ({error.strerror}); give a .toml file, see training/configs") from None
    base = table.pop("base", None)
    if base is None:
        return table
    return _laid_over(_read_toml(path.parent / str(base), (*above, path.resolve())), table)


def _laid_over(base: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """``table`` over ``base``, tables inside them likewise."""
    merged = dict(base)
    for name, value in table.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _laid_over(merged[name], value) if both else value
    return merged
