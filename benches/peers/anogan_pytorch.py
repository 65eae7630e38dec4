#!/usr/bin/env python3
"""Time of a training step and of a search iteration of the published nets in PyTorch.

    anogan_pytorch.py [WIDTH [BATCH [SEARCH_BATCH]]] [--threads N] [--layout planes|channels_last] [--as-written]
                      [--device cpu|cuda|cuda:N]

Prints the lines of `crates/nets/examples/anogan_speed.rs` for the same work, so that `anogan.sh` can
put them side by side. The work is what the result needs: generated images are detached in the
discriminator's half, its weights have no gradient in the generator's half, a search computes f(x)
once and no gradient of any weight. `--as-written` does what the published program does instead.
"""

import argparse
import resource
import time

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

LATENT = 20
SIZE = 64
LAMBDA = 0.1


def generator(width):
    layers, channels = [], LATENT
    for factor, stride, padding in [(8, 1, 0), (4, 2, 1), (2, 2, 1), (1, 2, 1)]:
        out = factor * width
        layers += [nn.ConvTranspose2d(channels, out, 4, stride, padding), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
        channels = out
    return nn.Sequential(*layers, nn.ConvTranspose2d(channels, 1, 4, 2, 1), nn.Tanh())


class Discriminator(nn.Module):
    def __init__(self, width):
        super().__init__()
        layers, channels = [], 1
        for factor in (1, 2, 4, 8):
            out = factor * width
            layers += [nn.Conv2d(channels, out, 4, 2, 1), nn.BatchNorm2d(out), nn.LeakyReLU(0.1, inplace=True)]
            channels = out
        self.features = nn.Sequential(*layers)
        self.judge = nn.Conv2d(channels, 1, 4)

    def forward(self, images):
        return self.judge(self.features(images)).flatten()


class Training:
    def __init__(self, width, batch, place, lean):
        self.lean = lean
        self.generator = generator(width).to(**place)
        self.discriminator = Discriminator(width).to(**place)
        adam = lambda net, rate: torch.optim.Adam(net.parameters(), lr=rate, betas=(0.0, 0.9))
        self.adam_g, self.adam_d = adam(self.generator, 1e-4), adam(self.discriminator, 4e-4)
        self.real = torch.randn(batch, 1, SIZE, SIZE).to(**place)

    def step(self):
        n, g, d, device = len(self.real), self.generator, self.discriminator, self.real.device
        loss = lambda logits, label: binary_cross_entropy_with_logits(logits, torch.full((n,), label, device=device))
        fake = g(torch.randn(n, LATENT, 1, 1, device=device))
        if self.lean:
            fake = fake.detach()
        loss_d = loss(d(self.real), 1.0) + loss(d(fake), 0.0)
        self.adam_d.zero_grad()
        loss_d.backward()
        self.adam_d.step()
        if self.lean:
            d.requires_grad_(False)
        loss_g = loss(d(g(torch.randn(n, LATENT, 1, 1, device=device))), 1.0)
        self.adam_g.zero_grad()
        loss_g.backward()
        self.adam_g.step()
        d.requires_grad_(True)
        return loss_d.item() + loss_g.item()


class Search:
    def __init__(self, training, batch, place, moments):
        self.generator, self.features, self.lean = training.generator, training.discriminator.features, training.lean
        for net in (self.generator, self.features):
            net.train(moments == "batch").requires_grad_(not self.lean)
        self.images = torch.randn(batch, 1, SIZE, SIZE).to(**place)
        self.z = torch.full((batch, LATENT, 1, 1), 0.1, device=place["device"]).requires_grad_()
        self.adam = torch.optim.Adam([self.z], lr=1e-3)
        with torch.no_grad():
            self.target = self.features(self.images)

    def iterate(self):
        drawn = self.generator(self.z)
        target = self.target if self.lean else self.features(self.images)
        residual = (self.images - drawn).abs().sum()
        discrimination = (target - self.features(drawn)).abs().sum()
        loss = (1 - LAMBDA) * residual + LAMBDA * discrimination
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.item()


def cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def timed(work, times):
    cpu, wall = cpu_s(), time.perf_counter()
    for _ in range(times):
        work()
    return cpu_s() - cpu, time.perf_counter() - wall


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("width", type=int, nargs="?", default=64)
    arguments.add_argument("batch", type=int, nargs="?", default=128)
    arguments.add_argument("search_batch", type=int, nargs="?", default=16)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--layout", choices=("planes", "channels_last"), default="planes")
    arguments.add_argument("--as-written", action="store_true")
    arguments.add_argument("--device", default="cpu")
    a = arguments.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    layout = torch.channels_last if a.layout == "channels_last" else torch.contiguous_format
    place = {"device": a.device, "memory_format": layout}
    training = Training(a.width, a.batch, place, not a.as_written)
    training.step()
    for _ in range(3):
        cpu, wall = timed(training.step, 1)
        print(f"training step, batch {a.batch}: {cpu:.3f} CPU s, {wall:.3f} s", flush=True)
    rounds = max(-(-200 // a.search_batch), 3)
    per = 1e3 / (rounds * a.search_batch)
    for moments in ("running", "batch"):
        search = Search(training, a.search_batch, place, moments)
        search.iterate()
        for _ in range(3):
            cpu, wall = timed(search.iterate, rounds)
            print(
                f"search, {moments} moments, batch {a.search_batch}: "
                f"{cpu * per:.3f} CPU ms an image-iteration, {wall * per:.3f} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
