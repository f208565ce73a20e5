"""What LPIPS declares of itself."""

from ....weights.model import Model, ModelFile
from ...measure import PICTURE, Measure
from ..spec import JudgeSpec

VGG16 = Model(
    name="vgg16",
    purpose="LPIPS",
    origin="web",
    files=(ModelFile(role="weights", names=("vgg16-397923af.pth",), megabytes=528, sha256="397923af"),),
    licence="BSD-3-Clause (torchvision); trained on ImageNet",
    commercial=None,
    link="https://download.pytorch.org/models/vgg16-397923af.pth",
)

LPIPS = Measure(
    key="lpips",
    group=PICTURE,
    label="LPIPS (VGG16) to the true clip",
    better="lower",
    good=0.1,
    bad=0.3,
    digits=3,
    meaning="distance that people would see, against the ground truth",
)

BACK_END = JudgeSpec(
    summary="perceptual distance to the true clip",
    factory="judge:load_lpips",
    models=(VGG16,),
    title="LPIPS (VGG16)",
    kind="pictures",
    official=True,
    measures=(LPIPS,),
    packages=("torchvision",),
)
