"""The expression editor ``valence-arousal``."""

from __future__ import annotations

from ...registry import Resources
from ..mesh.clip_expression import ClipExpression
from ..mesh.editor import MeshEditor
from ..mesh.plan import MotionPlan, plan_units
from ..request import ExpressionRequest
from .back_end import ValenceArousalOptions
from .emotion_map import load_map


class ValenceArousalEditor(MeshEditor):
    """The mesh editor, told by valence and arousal what to show; strength, regions and curve act as ever."""

    def __init__(self, options: ValenceArousalOptions, resources: Resources | None = None) -> None:
        """Read the map.

        Args:
            options: The place on the plane, and how the mesh editor draws.
            resources: Not used: the files are embedded.

        Raises:
            WeightsError: The map cannot be read.
        """
        super().__init__(options)
        self._map = load_map(options.map)
        self._place = (options.valence, options.arousal)

    def plan(self, request: ExpressionRequest, source: ClipExpression, reference: ClipExpression | None) -> MotionPlan:
        """Plan for the place on the plane, whatever emotion or reference the request names."""
        return plan_units(
            self._map.units_at(*self._place), self._map.emotions_at(*self._place), source, request.regions
        )
