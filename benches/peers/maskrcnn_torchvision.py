"""Seconds of torchvision's Mask R-CNN, of CPU time or on a card by the clock, beside `mask_rcnn_speed` of retrial-nets.

    pip install torch torchvision
    OMP_NUM_THREADS=1 python benches/peers/maskrcnn_torchvision.py [narrow | r50 | all [cpu | cuda | cuda:N]]
"""

import statistics
import sys
import time
import resource

import torch
from torchvision.models.detection import MaskRCNN, maskrcnn_resnet50_fpn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

torch.set_num_threads(1)
torch.manual_seed(1)
ROUNDS = 5
WANTED = sys.argv[1] if len(sys.argv) > 1 else "all"
DEVICE = sys.argv[2] if len(sys.argv) > 2 else "cpu"


def narrow(height, width):
    body = ResNet(BasicBlock, [2, 2, 2, 2], num_classes=2)
    body.inplanes = 16
    body.conv1 = torch.nn.Conv2d(3, 16, 7, 2, 3, bias=False)
    body.bn1 = torch.nn.BatchNorm2d(16)
    for stage in range(4):
        layer = body._make_layer(BasicBlock, 16 << stage, 2, stride=1 if stage == 0 else 2)
        setattr(body, f"layer{stage + 1}", layer)
    stages = {f"layer{i + 1}": str(i) for i in range(4)}
    backbone = BackboneWithFPN(body, stages, [16, 32, 64, 128], 64, LastLevelMaxPool())
    pool = lambda side: MultiScaleRoIAlign(["0", "1", "2", "3"], side, 2, canonical_scale=64)
    return MaskRCNN(
        backbone,
        min_size=height,
        max_size=width,
        rpn_anchor_generator=AnchorGenerator(((8,), (16,), (32,), (64,), (128,)), ((0.5, 1.0, 2.0),) * 5),
        box_roi_pool=pool(7),
        box_head=TwoMLPHead(64 * 49, 64),
        box_predictor=FastRCNNPredictor(64, 5),
        mask_roi_pool=pool(14),
        mask_head=MaskRCNNHeads(64, (32,) * 4, 1),
        mask_predictor=MaskRCNNPredictor(32, 32, 5),
        rpn_pre_nms_top_n_train=200,
        rpn_post_nms_top_n_train=200,
        rpn_pre_nms_top_n_test=100,
        rpn_post_nms_top_n_test=100,
        box_batch_size_per_image=64,
        box_score_thresh=0.0,
    )


def r50(height, width):
    return maskrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=13,
        min_size=height,
        max_size=width,
        rpn_pre_nms_top_n_test=300,
        rpn_post_nms_top_n_test=300,
        box_score_thresh=0.0,
    )


def seconds():
    if DEVICE == "cpu":
        return resource.getrusage(resource.RUSAGE_SELF).ru_utime
    torch.cuda.synchronize()
    return time.perf_counter()


def median(work):
    work()
    times = []
    for _ in range(ROUNDS):
        before = seconds()
        work()
        times.append(seconds() - before)
    return statistics.median(times)


def measure(name, build, height, width, batch):
    model = build(height, width).to(DEVICE)
    images = [torch.rand(3, height, width, device=DEVICE) for _ in range(batch)]
    model.eval()
    with torch.no_grad():
        infer = median(lambda: model(images))
    model.train()
    boxes, masks = [], torch.zeros(4, height, width, dtype=torch.uint8)
    for i in range(4):
        x, y, w, h = width * i // 6, height * i // 6, width * 3 // 10, height * 3 // 10
        boxes.append([x, y, x + w, y + h])
        masks[i, y : y + h, x : x + w] = 1
    target = {"boxes": torch.tensor(boxes, dtype=torch.float32), "labels": torch.arange(1, 5), "masks": masks}
    target = {name: values.to(DEVICE) for name, values in target.items()}
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)

    def step():
        optimiser.zero_grad()
        sum(model(images, [target] * batch).values()).backward()
        optimiser.step()

    print(f"{name} {height}x{width} b{batch}: infer {infer:.3f} s, train {median(step):.3f} s", flush=True)


if WANTED != "r50":
    for batch in (1, 4):
        measure("narrow", narrow, 128, 160, batch)
if WANTED != "narrow":
    measure("r50", r50, 256, 320, 1)
