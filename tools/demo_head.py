"""The demo's classifier head, and how well simple scores find strange photos with it.

The head is multinomial logistic regression with an L2 penalty on frozen features,
solved by Newton's method in float64: no random start, no early stop.
"""

import numpy as np

L2 = 3e-4
"""Weight of the penalty, for features centred and scaled to a mean squared norm of 1."""

NEWTON_STEPS = 50
TOLERANCE = 1e-12
NEIGHBOURS = 5


def softmax(logits: np.ndarray) -> np.ndarray:
    """Row-wise softmax."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def objective(theta: np.ndarray, x: np.ndarray, onehot: np.ndarray) -> float:
    """Mean cross-entropy plus the penalty; the last row of theta is the bias, not penalised."""
    logits = x @ theta
    top = logits.max(axis=1, keepdims=True)
    log_sum = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    loss = (log_sum - (logits * onehot).sum(axis=1)).mean()
    return float(loss + 0.5 * L2 * (theta[:-1] ** 2).sum())


def newton_step(theta: np.ndarray, x: np.ndarray, onehot: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the Newton step and the squared Newton decrement."""
    n, d = x.shape
    classes = onehot.shape[1]
    p = softmax(x @ theta)
    penalty = np.full((d, 1), L2)
    penalty[-1] = 0.0
    gradient = x.T @ (p - onehot) / n + penalty * theta
    hessian = np.zeros((classes, d, classes, d))
    for a in range(classes):
        for b in range(classes):
            weight = p[:, a] * ((a == b) - p[:, b])
            hessian[a, :, b, :] = (x * weight[:, None]).T @ x / n
        hessian[a, np.arange(d), a, np.arange(d)] += penalty[:, 0]
    flat = hessian.reshape(classes * d, classes * d)
    # The bias has one free direction (a constant added to every class); the ridge fixes it.
    flat[np.diag_indices_from(flat)] += 1e-9
    right = gradient.T.reshape(-1)
    step = np.linalg.solve(flat, right)
    return step.reshape(classes, d).T, float(right @ step)


def solve(x: np.ndarray, onehot: np.ndarray) -> np.ndarray:
    """Minimise the objective by damped Newton steps; return theta (rows of x's columns)."""
    theta = np.zeros((x.shape[1], onehot.shape[1]))
    value = objective(theta, x, onehot)
    for _ in range(NEWTON_STEPS):
        step, decrement = newton_step(theta, x, onehot)
        if decrement < TOLERANCE:
            return theta
        scale = 1.0
        while objective(theta - scale * step, x, onehot) > value and scale > 1e-6:
            scale *= 0.5
        theta = theta - scale * step
        value = objective(theta, x, onehot)
    raise SystemExit("logistic regression did not converge")


def fit_head(z: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit W (classes x D) and b (classes) so that logits = W z + b on raw features z.

    The weights lie in the span of the training features, so the problem is solved in
    their principal axes and is carried back.
    """
    z = z.astype(np.float64)
    mean = z.mean(axis=0)
    centred = z - mean
    scale = np.sqrt((centred**2).sum(axis=1).mean())
    _, singular, axes = np.linalg.svd(centred / scale, full_matrices=False)
    axes = axes[singular > 1e-8]
    x = np.hstack([(centred / scale) @ axes.T, np.ones((len(z), 1))])
    theta = solve(x, np.eye(classes)[labels])
    weights = (theta[:-1].T @ axes) / scale
    bias = theta[-1] - weights @ mean
    return weights, bias - bias.mean()


def auroc(strange: np.ndarray, known: np.ndarray) -> float:
    """Chance that a strange photo scores higher than a known one; ties count half."""
    difference = strange[:, None] - known[None, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def fpr_at_95_tpr(strange: np.ndarray, known: np.ndarray) -> float:
    """Share of known photos at or above the threshold that catches 95 % of the strange ones."""
    caught = int(np.ceil(0.95 * len(strange)))
    threshold = np.sort(strange)[::-1][caught - 1]
    return float((known >= threshold).mean())


def knn_score(bank: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Euclidean distance to the k-th neighbour among L2-normalised features."""
    bank = bank / np.linalg.norm(bank, axis=1, keepdims=True)
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    squared = np.clip(2.0 - 2.0 * queries @ bank.T, 0.0, None)
    return np.sqrt(np.sort(squared, axis=1)[:, NEIGHBOURS - 1])
