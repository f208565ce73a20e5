"""The FLAME head model (Li et al., SIGGRAPH Asia 2017): from parameters to vertices and landmarks."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

_CONTOUR_ROWS = 39  # degrees of yaw for which the contour's points are stored, each way
_PARENTS = (-1, 0, 1, 1, 1)  # global, neck, jaw, two eyes


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FlameModel:
    """What a FLAME file and DECA's landmark embedding hold, as float32 and int64 tensors.

    template: Vertices of the average head (V, 3).
    faces: Triangles (T, 3).
    uv: Texture coordinates of the uv vertices (U, 2) in 0..1.
    uv_faces: Triangles over uv vertices (T, 3).
    directions: Shape (100) and expression (50) directions (V, 3, 150).
    pose_directions: Corrections of bent joints (36, 3 · V).
    joint_regressor: Joints from vertices (5, V).
    weights: Skinning weights (V, 5).
    static_faces: Triangles that hold the 51 inner landmarks (51,).
    static_weights: Barycentric weights in them (51, 3).
    contour_faces: Triangles that hold the 17 contour landmarks by yaw (79, 17).
    contour_weights: Barycentric weights in them (79, 17, 3).
    """

    template: Tensor
    faces: Tensor
    uv: Tensor
    uv_faces: Tensor
    directions: Tensor
    pose_directions: Tensor
    joint_regressor: Tensor
    weights: Tensor
    static_faces: Tensor
    static_weights: Tensor
    contour_faces: Tensor
    contour_weights: Tensor

    def to(self, device: torch.device) -> FlameModel:
        """The model on a device; itself where it is there already."""
        if self.template.device == device:
            return self
        return FlameModel(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def rotation_matrices(axis_angle: Tensor) -> Tensor:
    """Rotations (B, 3, 3) of axis-angle vectors (B, 3), by Rodrigues' formula in FLAME's form."""
    angle = (axis_angle + 1e-8).norm(dim=1, keepdim=True)
    x, y, z = (axis_angle / angle).unbind(dim=1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
    angle = angle[..., None]
    return torch.eye(3, device=cross.device) + angle.sin() * cross + (1 - angle.cos()) * cross @ cross


def head_vertices(model: FlameModel, shape: Tensor, expression: Tensor, pose: Tensor) -> Tensor:
    """Shape and pose the head.

    Args:
        model: The head model.
        shape: Shape coefficients (B, 100).
        expression: Expression coefficients (B, 50).
        pose: Head rotation and jaw rotation (B, 6) as axis-angle; neck and eyes are straight.

    Returns:
        Vertices (B, V, 3) in metres.
    """
    count = len(shape)
    shaped = model.template + torch.einsum("bl,vkl->bvk", torch.cat([shape, expression], dim=1), model.directions)
    joints = torch.einsum("jv,bvk->bjk", model.joint_regressor, shaped)
    still = pose.new_zeros(count, 3)
    full = torch.stack([pose[:, :3], still, pose[:, 3:], still, still], dim=1)
    rotations = rotation_matrices(full.flatten(0, 1)).view(count, -1, 3, 3)
    bent = (rotations[:, 1:] - torch.eye(3, device=pose.device)).flatten(1)
    posed = shaped + (bent @ model.pose_directions).view(count, -1, 3)

    turned: list[Tensor] = []  # rotation and translation of each joint's frame
    for joint, parent in enumerate(_PARENTS):
        offset = joints[:, joint] - (joints[:, parent] if parent >= 0 else 0)
        rotation, translation = rotations[:, joint], offset[..., None]
        if parent >= 0:
            above = turned[parent]
            rotation, translation = above[:, :, :3] @ rotation, above[:, :, :3] @ translation + above[:, :, 3:]
        turned.append(torch.cat([rotation, translation], dim=2))
    frames = torch.stack(turned, dim=1)
    moved = frames[..., 3] - (frames[..., :3] @ joints[..., None])[..., 0]
    relative = torch.cat([frames[..., :3], moved[..., None]], dim=3)
    per_vertex = torch.einsum("vj,bjkl->bvkl", model.weights, relative)
    return (per_vertex[..., :3] @ posed[..., None])[..., 0] + per_vertex[..., 3]


def contour_row(pose: Tensor) -> Tensor:
    """Row of the contour table (B,) for head rotations (B, 3, 3): yaw in degrees, negative ones after the positive."""
    sine = torch.hypot(pose[:, 0, 0], pose[:, 1, 0])
    yaw = torch.rad2deg(torch.atan2(-pose[:, 2, 0], sine)).clamp(max=_CONTOUR_ROWS).round().long()
    return torch.where(yaw < 0, (_CONTOUR_ROWS - yaw).clamp(max=2 * _CONTOUR_ROWS), yaw)


def head_landmarks(model: FlameModel, vertices: Tensor, pose: Tensor) -> Tensor:
    """Place the 68 landmarks on heads.

    Args:
        model: The head model.
        vertices: Posed vertices (B, V, 3).
        pose: Head and jaw rotation (B, 6) as axis-angle.

    Returns:
        Landmarks (B, 68, 3), the contour's following the outline that is seen.
    """
    rows = contour_row(rotation_matrices(pose[:, :3]))
    count = len(rows)
    faces = torch.cat([model.contour_faces[rows], model.static_faces.expand(count, -1)], dim=1)
    weights = torch.cat([model.contour_weights[rows], model.static_weights.expand(count, -1, -1)], dim=1)
    corners = model.faces[faces]
    points = torch.stack([each[corner] for each, corner in zip(vertices, corners, strict=True)])
    return (points * weights[..., None]).sum(dim=2)


def projected(points: Tensor, camera: Tensor) -> Tensor:
    """See points (B, N, 3) by DECA's camera (B, 3): x to the right, y down, smaller z nearer, picture in -1..1."""
    scale, shift = camera[:, None, :1], camera[:, None, 1:]
    moved = torch.cat([points[..., :2] + shift, points[..., 2:]], dim=2) * scale
    return moved * moved.new_tensor([1.0, -1.0, -1.0])


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals (B, V, 3) of vertices (B, V, 3), faces (T, 3) weighted by their area."""
    corners = vertices[:, faces]
    normals = torch.zeros_like(vertices)
    for corner in range(3):
        vertex, after, before = (corners[:, :, (corner + step) % 3] for step in range(3))
        normals.index_add_(1, faces[:, corner], torch.cross(after - vertex, before - vertex, dim=2))
    return torch.nn.functional.normalize(normals, dim=2, eps=1e-6)
