"""Arrays as the extension takes them."""

from __future__ import annotations

from typing import Any


def as_array(values: Any, kind: str) -> Any:
    """An array of this type; tensors are taken to the CPU and off their graph."""
    import numpy as np

    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return np.ascontiguousarray(values, dtype=kind)


def activations(
    features: Any,
    logits: Any = None,
    probabilities: Any = None,
    labels: Any = None,
    head: tuple[Any, Any] | None = None,
) -> dict[str, Any]:
    """Activations by the names that array files have."""
    arrays = {"features": features, "logits": logits, "probabilities": probabilities}
    found = {name: as_array(it, "float32") for name, it in arrays.items() if it is not None}
    if labels is not None:
        found["labels"] = as_array(labels, "uint32")
    if head is not None:
        found["head_weight"] = as_array(head[0], "float32")
        found["head_bias"] = as_array(head[1], "float32")
    return found
