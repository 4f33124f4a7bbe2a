"""Small image classifiers, trained from scratch on the CPU, that show their penultimate layer."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy


def _block(inputs: int, outputs: int, pool: bool) -> nn.Sequential:
    layers = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)]
    layers.append(nn.ReLU())
    if pool:
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class PooledNet(nn.Module):
    """Convolutions, batch norm and global average pooling: features [n, width] of mixed size."""

    def __init__(self, classes: int, width: int, side: int):
        super().__init__()
        large = side > 16
        self.body = nn.Sequential(
            _block(1, 24, large), _block(24, 48, True), _block(48, 64, False), _block(64, width, False)
        )
        self.head = nn.Linear(width, classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Return the pooled maps."""
        return self.body(x).mean(dim=(2, 3))


class DenseNetwork(nn.Module):
    """Two convolutions and a dense ReLU layer: sparse features [n, width]."""

    def __init__(self, classes: int, width: int, side: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(48 * (side // 4) ** 2, width), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(width, classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Return the dense layer after ReLU."""
        return self.body(x)


NETWORKS = {"pooled": PooledNet, "dense": DenseNetwork}


def _as_input(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 255)[:, None]


def train(kind, pixels, labels, classes, width, epochs, seed) -> nn.Module:
    """Train a network of `kind` on 8-bit pixels [n, side, side]; returns it in evaluation mode."""
    torch.manual_seed(seed)
    network = NETWORKS[kind](classes, width, pixels.shape[1])
    steps = epochs * (len(pixels) // 64)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps + 1)
    inputs, targets = _as_input(pixels), torch.from_numpy(labels)
    for _ in range(epochs):
        order = torch.randperm(len(inputs))
        for start in range(0, len(order) - 63, 64):
            batch = order[start : start + 64]
            logits = network.head(network.features(inputs[batch]))
            optimiser.zero_grad()
            cross_entropy(logits, targets[batch]).backward()
            optimiser.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def activations(network: nn.Module, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return features [n, D] and logits [n, C], both float32."""
    parts = [network.features(chunk) for chunk in _as_input(pixels).split(1000)]
    features = torch.cat(parts)
    return features.numpy(), network.head(features).numpy()


def head(network: nn.Module) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights [C, D] and the bias [C] of the last layer."""
    return network.head.weight.detach().numpy(), network.head.bias.detach().numpy()
