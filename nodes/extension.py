"""The pack as the host sees it: its nodes and its model folder."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .adjacent_frame import AdjacentFrameTalkingHead
from .back_end_nodes import back_end_nodes
from .batch_edit import BatchEdit
from .compare_videos import CompareVideos
from .dtw_align import DTWAlign
from .edit import SPFEMEdit, SPFEMEditImages
from .expression_preview import ExpressionPreview
from .expression_sliders import ExpressionSlidersNode
from .host import register_model_folder
from .load import LoadAudio, LoadVideo, offer_demo_files
from .metrics import Metrics
from .plain_errors import with_plain_errors
from .pose_encode import PoseEncode
from .prepare_speech import PrepareSpeech
from .quick_edit import EditExpression
from .save import SaveVideo
from .talking_head_loader import TalkingHeadLoader
from .track import TrackFaces


class ThfemExtension(ComfyExtension):
    """Registered by ``comfy_entrypoint`` in the root of the pack."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        # not in on_load, which old hosts never call
        register_model_folder()
        offer_demo_files()
        nodes: list[type[io.ComfyNode]] = [
            EditExpression,
            BatchEdit,
            LoadVideo,
            LoadAudio,
            TrackFaces,
            SPFEMEdit,
            SPFEMEditImages,
            ExpressionPreview,
            ExpressionSlidersNode,
            PoseEncode,
            TalkingHeadLoader,
            AdjacentFrameTalkingHead,
            SaveVideo,
            PrepareSpeech,
            DTWAlign,
            Metrics,
            CompareVideos,
            *back_end_nodes(),
        ]
        return [with_plain_errors(node) for node in nodes]
