"""Telling the user what happens: the stage of the work on its node, and notices that the pack's script shows as toasts.

Everything here is best effort: a host that lacks a service, or a test without a server, hears nothing.
"""

from __future__ import annotations

import base64
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from PIL import Image

NOTICE, FRAME = "thfem.notice", "thfem.frame"  # events of nodes/web/thfem.js


def running_node() -> str | None:
    """The id of the node that is being executed; None where the host does not say."""
    try:
        from comfy_execution.utils import get_executing_context
    except ImportError:
        return None
    context = get_executing_context()
    return None if context is None else context.node_id


def server() -> Any:
    """The host's server; None before it has started."""
    # importing the host's server module would start parts of it in tests
    return getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)


def show_stage(text: str) -> None:
    """Show a line on the node that is being executed, while it is."""
    host, node = server(), running_node()
    if host is not None and node is not None and hasattr(host, "send_progress_text"):
        host.send_progress_text(text, node, host.client_id)


def show_frame(picture: Image.Image) -> None:
    """Show a picture on the node that is being executed, until it is done."""
    host, node = server(), running_node()
    if host is not None and node is not None:
        jpeg = BytesIO()
        picture.save(jpeg, "JPEG", quality=85)
        address = f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"
        host.send_sync(FRAME, {"node_id": node, "picture": address}, host.client_id)


def notify(level: Literal["info", "warn"], title: str, text: str) -> None:
    """Show a toast.

    Args:
        level: How serious it is.
        title: A few words.
        text: What happened and what to do, in a sentence or two.
    """
    host = server()
    if host is not None:
        payload = {"node_id": running_node(), "level": level, "title": title, "text": text}
        host.send_sync(NOTICE, payload, host.client_id)
