"""Curves of solutions by pseudo-arclength: steady states along one parameter, their folds and Hopf points along two. No physiology.

States and parameters are scaled, so that a step of one means as much as a step of another. Along a curve the next point is sought on the
plane across the tangent (Keller 1977), so turning points are points like any other; what a curve is searched for are test functions that
change their sign, and where they do, Brent's method along the same tangent finds the place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from simulation.assembly.compile import Array

FIRST_STEP, LEAST_STEP = 1e-3, 1e-9
MOST_POINTS = 4000
_ARRIVED, _NEAR_ENOUGH, _TRIES = 1e-12, 1e-8, 12
_TURN = 0.97  # cosine: a tangent never turns by more from point to point
_DIFFERENCE = 1e-5  # step of central differences, of the scale
_IMAGINARY = 1e-5  # |Re/Im| of a pair that crosses; two real eigenvalues of opposite sign have none
_CUSP = 1e-2
_BESIDE = 1e-9
_EDGES, _ON_EDGE = ("low0", "high0", "low1", "high1"), 1e-12

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Equations:
    """dy/dt = ``rates(y, p)`` with its ``jacobian(y, p)``, shape (n, n), over parameters p, shape (k,).

    ``scale``: what counts as a large change of each state, shape (n,). ``box``: lowest and highest value of each parameter, shape (k, 2)."""

    rates: Callable[[Array, Array], Array]
    jacobian: Callable[[Array, Array], Array]
    scale: Array
    box: Array

    @property
    def span(self) -> Array:
        return np.asarray(self.box[:, 1] - self.box[:, 0])


@dataclass(frozen=True, eq=False)
class Point:
    """A point of a curve. ``y``: the states, ``p``: the parameters, ``eigenvalues``: of the Jacobian there.

    ``label``: 'fold', 'Hopf', 'branch point', 'cusp', 'Bogdanov-Takens', 'end' (of the box), 'stopped' (no next point was found), or nothing.
    ``period``: 2 pi / frequency of the pair that crosses, at Hopf points; else NaN. ``unstable``: how many eigenvalues have a positive real
    part; at a fold or Hopf point on the side where they are more, and along a curve of such points those beside the critical ones."""

    y: Array
    p: Array
    eigenvalues: Complex
    unstable: int
    label: str = ""
    period: float = math.nan

    @property
    def leading(self) -> complex:
        """The eigenvalue with the largest real part, above the axis."""
        found = self.eigenvalues[np.argmax(self.eigenvalues.real)]
        return complex(found.real, abs(found.imag))


# ---- the systems that are followed; u holds the scaled unknowns, the parameters last

@dataclass(eq=False)
class _Node:
    u: Array
    tangent: Array
    eigenvalues: Complex
    tests: Mapping[str, float]
    count: int


class _Rests:
    """Steady states along one parameter: u = (z, x)."""

    free = 1
    most_step = 0.03  # along the curve, in states and parameters of size 1

    def __init__(self, equations: Equations) -> None:
        self.e, self.n = equations, len(equations.scale)

    def z_x(self, u: Array) -> tuple[Array, Array]:
        return u[: self.n], u[-self.free:]

    def y_p(self, u: Array) -> tuple[Array, Array]:
        """States and parameters; a parameter on the edge of the box has its value, free of rounding."""
        z, x = self.z_x(u)
        p = x * self.e.span
        for edge in self.e.box.T:
            p = np.where(np.abs(p - edge) < 1e-9 * self.e.span, edge, p)
        return z * self.e.scale, p

    def f(self, z: Array, x: Array) -> Array:
        return np.asarray(self.e.rates(z * self.e.scale, x * self.e.span)) / self.e.scale

    def J(self, z: Array, x: Array) -> Array:
        s = self.e.scale
        return np.asarray(self.e.jacobian(z * s, x * self.e.span)) * (s / s[:, None])

    def by_x(self, function: Callable[[Array, Array], Array], z: Array, x: Array) -> Array:
        """Central differences by each parameter, in columns."""
        h = _DIFFERENCE * np.eye(len(x))
        return np.stack([(function(z, x + d) - function(z, x - d)) / (2 * _DIFFERENCE) for d in h], axis=-1)

    def bent(self, z: Array, x: Array, v: Array) -> Array:
        """Derivative of J v by z: second derivatives are symmetric, so it is that of J along v."""
        h = _DIFFERENCE * v
        return np.asarray((self.J(z + h, x) - self.J(z - h, x)) / (2 * _DIFFERENCE))

    def residual(self, u: Array, reference: Array) -> Array:
        return self.f(*self.z_x(u))

    def slopes(self, u: Array, reference: Array) -> Array:
        z, x = self.z_x(u)
        return np.column_stack([self.J(z, x), self.by_x(self.f, z, x)])

    def edges(self, u: Array) -> dict[str, float]:
        """How far inside the box each parameter is, from both sides."""
        low, high = (self.e.box / self.e.span[:, None]).T
        x = u[-self.free:]
        return {f"{side}{i}": float(d) for i in range(self.free) for side, d in (("low", x[i] - low[i]), ("high", high[i] - x[i]))}

    def node(self, u: Array, tangent: Array, before: _Node | None) -> _Node:
        eigenvalues = np.linalg.eigvals(self.J(*self.z_x(u))).astype(complex)
        return _Node(u, tangent, eigenvalues, self.tests(u, tangent, eigenvalues, before) | self.edges(u), self.count(eigenvalues))

    def tests(self, u: Array, tangent: Array, eigenvalues: Complex, before: _Node | None) -> dict[str, float]:
        return {"fold": float(tangent[-1]), "zero": _sign_of_product(eigenvalues), "Hopf": _hopf_test(eigenvalues)}

    def count(self, eigenvalues: Complex) -> int:
        return int(np.sum(eigenvalues.real > 0))

    def events(self, a: _Node, b: _Node) -> list[str]:
        """Tests that changed their sign from one point to the next; an edge of the box only from inside."""
        found = [name for name, x in a.tests.items() if x * b.tests[name] < 0 and (x > 0 or name not in _EDGES)]
        return [name for name in found if name != "zero" or "fold" not in found]

    def plain(self, a: _Node, b: _Node, events: list[str]) -> bool:
        """Whether the events explain how the number of unstable eigenvalues changed, and are not too many to be told apart."""
        inner = [e for e in events if e not in _EDGES]
        change = abs(b.count - a.count)
        return len(inner) <= 1 and change in {"": (0,), "fold": (1,), "zero": (1,), "Hopf": (0, 2)}.get(inner[0] if inner else "", (0, 1))

    def point(self, node: _Node, event: str = "", count: int | None = None) -> Point | None:
        """What is reported; None for an event that is none."""
        label = {"fold": "fold", "zero": "branch point", "Hopf": "Hopf", "": ""}.get(event, "end")
        period = math.nan
        if label == "Hopf":
            pair = _crossing(node.eigenvalues)
            if pair is None:
                return None
            period = 2 * math.pi / abs(pair.imag)
        return Point(*self.y_p(node.u), node.eigenvalues, node.count if count is None else count, label, period)


class _Places(_Rests):
    """Nothing but the places of a curve: no stability, nothing looked for."""

    most_step = 0.06

    def node(self, u: Array, tangent: Array, before: _Node | None) -> _Node:
        return _Node(u, tangent, np.zeros(0, dtype=complex), self.edges(u), 0)


class _Folds(_Rests):
    """Folds along two parameters: u = (z, v, x) with J v = 0, |v| = 1."""

    free = 2

    def residual(self, u: Array, reference: Array) -> Array:
        z, x = self.z_x(u)
        v = u[self.n: 2 * self.n]
        return np.concatenate([self.f(z, x), self.J(z, x) @ v, [v @ v - 1.0]])

    def slopes(self, u: Array, reference: Array) -> Array:
        z, x = self.z_x(u)
        n, v = self.n, u[self.n: 2 * self.n]
        J = self.J(z, x)
        out = np.zeros((2 * n + 1, 2 * n + 2))
        out[:n, :n], out[:n, 2 * n:] = J, self.by_x(self.f, z, x)
        out[n: 2 * n, :n], out[n: 2 * n, n: 2 * n] = self.bent(z, x, v), J
        out[n: 2 * n, 2 * n:] = self.by_x(lambda z, x: self.J(z, x) @ v, z, x)
        out[2 * n, n: 2 * n] = 2 * v
        return out

    def start(self, point: Point, p: Array) -> Array:
        z, x = point.y / self.e.scale, p / self.e.span
        return np.concatenate([z, np.linalg.svd(self.J(z, x))[2][-1], x])

    def tests(self, u: Array, tangent: Array, eigenvalues: Complex, before: _Node | None) -> dict[str, float]:
        others = eigenvalues[np.argsort(np.abs(eigenvalues))[1:]]
        ahead = tangent[-2:] if before is None else before.tangent[-2:]  # at a cusp both parameters turn
        return {"cusp": float(tangent[-2:] @ ahead), "takens": _sign_of_product(others)}

    def count(self, eigenvalues: Complex) -> int:
        return int(np.sum(eigenvalues[np.argsort(np.abs(eigenvalues))[1:]].real > 0))

    def events(self, a: _Node, b: _Node) -> list[str]:
        others = [name for name in super().events(a, b) if name != "cusp"]
        return [*others, *(["cusp"] if b.tests.get("cusp", 1.0) < 0 else [])]

    def plain(self, a: _Node, b: _Node, events: list[str]) -> bool:
        return len([e for e in events if e not in _EDGES]) <= 1

    def point(self, node: _Node, event: str = "", count: int | None = None) -> Point | None:
        if event == "cusp" and np.abs(node.tangent[-2:]).max() > _CUSP:
            return None
        label = {"cusp": "cusp", "takens": "Bogdanov-Takens", "": ""}.get(event, "end")
        return Point(*self.y_p(node.u), node.eigenvalues, node.count if count is None else count, label)


class _Hopfs(_Folds):
    """Hopf points along two parameters: u = (z, v, w, frequency, x) with J (v + i w) = i frequency (v + i w), of length 1; its phase is that
    of the point before. ``unit``: of the frequency, that of the first point, for there are spikes and oscillations of minutes."""

    unit = 1.0

    def parts(self, u: Array) -> tuple[Array, Array, float]:
        n = self.n
        return u[n: 2 * n], u[2 * n: 3 * n], float(u[3 * n])

    def residual(self, u: Array, reference: Array) -> Array:
        (z, x), (v, w, omega), (v0, w0, _) = self.z_x(u), self.parts(u), self.parts(reference)
        J = self.J(z, x) / self.unit
        return np.concatenate([self.f(z, x), J @ v + omega * w, J @ w - omega * v, [v @ v + w @ w - 1.0, v0 @ w - w0 @ v]])

    def slopes(self, u: Array, reference: Array) -> Array:
        (z, x), (v, w, omega), (v0, w0, _) = self.z_x(u), self.parts(u), self.parts(reference)
        n, unit = self.n, self.unit
        J = self.J(z, x) / unit
        a, b, c = slice(0, n), slice(n, 2 * n), slice(2 * n, 3 * n)
        out = np.zeros((3 * n + 2, 3 * n + 3))
        out[a, a], out[a, 3 * n + 1:] = unit * J, self.by_x(self.f, z, x)
        out[b, a], out[b, b], out[b, c], out[b, 3 * n] = self.bent(z, x, v) / unit, J, omega * np.eye(n), w
        out[c, a], out[c, b], out[c, c], out[c, 3 * n] = self.bent(z, x, w) / unit, -omega * np.eye(n), J, -v
        out[b, 3 * n + 1:] = self.by_x(lambda z, x: self.J(z, x) @ v, z, x) / unit
        out[c, 3 * n + 1:] = self.by_x(lambda z, x: self.J(z, x) @ w, z, x) / unit
        out[3 * n, b], out[3 * n, c] = 2 * v, 2 * w
        out[3 * n + 1, b], out[3 * n + 1, c] = -w0, v0
        return out

    def start(self, point: Point, p: Array) -> Array:
        z, x = point.y / self.e.scale, p / self.e.span
        eigenvalues, vectors = np.linalg.eig(self.J(z, x))
        above = np.flatnonzero(eigenvalues.imag > 0)
        at = above[np.argmin(np.abs(eigenvalues[above].real))]
        v = vectors[:, at] / np.linalg.norm(vectors[:, at])
        self.unit = float(eigenvalues[at].imag)
        return np.concatenate([z, v.real, v.imag, [1.0], x])

    def tests(self, u: Array, tangent: Array, eigenvalues: Complex, before: _Node | None) -> dict[str, float]:
        return {"takens": self.parts(u)[2]}

    def count(self, eigenvalues: Complex) -> int:
        critical = np.argsort(np.abs(eigenvalues.real) + 1e3 * (np.abs(eigenvalues.imag) == 0))[:2]
        return int(np.sum(np.delete(eigenvalues, critical).real > 0))

    def point(self, node: _Node, event: str = "", count: int | None = None) -> Point | None:
        label = {"takens": "Bogdanov-Takens", "": ""}.get(event, "end")
        omega = self.unit * abs(self.parts(node.u)[2])
        period = 2 * math.pi / omega if omega > 0 and label != "Bogdanov-Takens" else math.inf
        return Point(*self.y_p(node.u), node.eigenvalues, node.count if count is None else count, label, period)


def _sign_of_product(eigenvalues: Complex) -> float:
    """A smooth number with the sign of their product."""
    return float(np.prod(eigenvalues / (1.0 + np.abs(eigenvalues))).real) if len(eigenvalues) else 1.0


def _hopf_test(eigenvalues: Complex) -> float:
    """The product of all sums of two eigenvalues, each as a share of their size: zero where a pair is imaginary (or two real ones are
    opposite); it is that of the bialternate matrix, scaled."""
    sums = [(a + b) / (abs(a) + abs(b) or 1.0) for a, b in combinations(eigenvalues.tolist(), 2)]
    return float(np.prod(sums).real) if sums else 1.0


def _crossing(eigenvalues: Complex) -> complex | None:
    """The imaginary pair's part above the axis, if there is one."""
    pairs = eigenvalues[eigenvalues.imag > 0]
    if not len(pairs):
        return None
    nearest = complex(pairs[np.argmin(np.abs(pairs.real))])
    return nearest if abs(nearest.real) < _IMAGINARY * abs(nearest.imag) else None


# ---- walking

def _solved(matrix: Array, right: Array) -> Array | None:
    """The linear system with its rows brought to one size: rates of gates and of ion stores lie eight powers of ten apart."""
    size = np.abs(matrix).max(axis=1)
    if not np.isfinite(size).all() or not size.all() or not np.isfinite(right).all():
        return None
    try:
        out = np.linalg.solve(matrix / size[:, None], right / size)
    except np.linalg.LinAlgError:
        return None
    return out if np.isfinite(out).all() else None


def _corrected(curve: _Rests, guess: Array, tangent: Array, reference: Array, most: float) -> Array | None:
    """The point of the curve on the plane through ``guess`` across ``tangent``, not further away than ``most``."""
    u, size = guess.copy(), math.inf
    for _ in range(_TRIES):
        step = _solved(
            np.vstack([curve.slopes(u, reference), tangent]), np.append(curve.residual(u, reference), tangent @ (u - guess))
        )
        if step is None:
            return None
        u = u - step
        before, size = size, float(np.abs(step).max())
        if np.linalg.norm(u - guess) > most:
            return None
        if size < _ARRIVED or (size < _NEAR_ENOUGH and size > 0.1 * before):  # as near as rounding lets it come
            return u
    return None


def _tangent(curve: _Rests, u: Array, before: Array) -> Array | None:
    right = np.zeros(len(u))
    right[-1] = 1.0
    found = _solved(np.vstack([curve.slopes(u, u), before]), right)
    return None if found is None else found / np.linalg.norm(found)


def _first_tangent(curve: _Rests, u: Array) -> Array:
    """Direction of the curve at a point, towards larger values of the last parameter."""
    t = np.linalg.svd(_rows_of_one_size(curve.slopes(u, u)))[2][-1]
    return np.asarray(t if t[-1] >= 0 else -t)


def _rows_of_one_size(matrix: Array) -> Array:
    return np.asarray(matrix / np.maximum(np.abs(matrix).max(axis=1), 1e-300)[:, None])


def _next(curve: _Rests, node: _Node, s: float, most: float) -> _Node | None:
    u = _corrected(curve, node.u + s * node.tangent, node.tangent, node.u, most)
    t = None if u is None else _tangent(curve, u, node.tangent)
    return None if u is None or t is None else curve.node(u, t, node)


def _place(curve: _Rests, node: _Node, beyond: float, event: str) -> tuple[float, _Node] | None:
    """Where along the step a test changes its sign."""
    class Gone(Exception):
        pass

    def there(s: float) -> _Node | None:
        # Where branches cross the equations are singular at the very point.
        return _next(curve, node, s, 2 * beyond) or _next(curve, node, s * (1 + _BESIDE), 2 * beyond)

    def test(s: float) -> float:
        found = there(s)
        if found is None:
            raise Gone
        return found.tests[event]

    try:
        s = float(brentq(test, 0.0, beyond, xtol=1e-15, rtol=1e-13, maxiter=60))
    except (Gone, ValueError, RuntimeError):
        return None
    found = there(s)
    return None if found is None else (s, found)


def _walk(curve: _Rests, u: Array, direction: int, step: float = FIRST_STEP) -> list[Point]:
    """Points of the curve from ``u`` in one direction, until it leaves the box, comes back or finds no next point."""
    with np.errstate(all="ignore"):
        node = curve.node(u, direction * _first_tangent(curve, u), None)
        first, out = node, [p for p in [curve.point(node)] if p is not None]
        while len(out) < MOST_POINTS:
            found = _next(curve, node, step, step)
            events = [] if found is None else curve.events(node, found)
            if found is not None and any(edge in found.tests and found.tests[edge] < 0 and node.tests[edge] < _ON_EDGE for edge in _EDGES):
                out[-1] = replace(out[-1], label=out[-1].label or "end")
                return out
            rough = found is None or found.tangent @ node.tangent < _TURN or not curve.plain(node, found, events)
            if rough and step > LEAST_STEP:
                step *= 0.5
                continue
            if found is None:
                out.append(_labelled(curve, node, "stopped"))
                return out
            places = [(_place(curve, node, step, event), event) for event in events]
            # Where two eigenvalues vanish at once Newton's method may not arrive: the point before or after is near enough to say so.
            there_by_event = [(place or (step, found), event) for place, event in places if place is not None or event == "takens"]
            for (_, there), event in sorted(there_by_event, key=lambda at: at[0][0]):
                point = curve.point(there, event, None if event in _EDGES else max(node.count, found.count))
                out += [point] if point is not None else []
                if point is not None and (point.label == "end" or (point.label == "Bogdanov-Takens" and isinstance(curve, _Hopfs))):
                    return out
            if _back(first, node, found):
                out.append(out[0])
                return out
            node = found
            out += [p for p in [curve.point(node)] if p is not None]
            step = min(curve.most_step, 1.4 * step)
    return out


def _labelled(curve: _Rests, node: _Node, label: str) -> Point:
    return Point(*curve.y_p(node.u), node.eigenvalues, node.count, label)


def _back(first: _Node, a: _Node, b: _Node) -> bool:
    """Whether the first point of the curve lies between two later ones."""
    if a is first:
        return False
    along = (first.u - a.u) @ a.tangent
    step = float(np.linalg.norm(b.u - a.u))
    aside = float(np.linalg.norm(first.u - a.u - along * a.tangent))
    return bool(0 <= along <= step and aside < 0.1 * step and first.tangent @ a.tangent > _TURN)


def _both_ways(curve: _Rests, u: Array, kind: str) -> Branch:
    ahead = _walk(curve, u, 1)
    if len(ahead) > 1 and ahead[-1] is ahead[0]:
        at = next((i for i, point in enumerate(ahead) if point.label), 0)  # a closed curve begins and ends at one of its points
        return Branch((*ahead[at:-1], *ahead[:at], replace(ahead[at], label="")), kind, True)
    back = _walk(curve, u, -1)
    first = ahead[0] if ahead[0].label else back[0]  # a start at an edge of the box is the end of one way
    return Branch((*reversed(back[1:]), first, *ahead[1:]), kind)


# ---- what is offered

@dataclass(frozen=True, eq=False)
class Branch:
    """A curve of points, in order. ``kind``: 'rest', or 'fold' or 'Hopf' for curves of such points over two parameters. ``closed``: the last
    point is the first one again, without its label."""

    points: tuple[Point, ...]
    kind: str = "rest"
    closed: bool = False

    @property
    def labelled(self) -> tuple[Point, ...]:
        return tuple(point for point in self.points if point.label)

    def of(self, label: str) -> tuple[Point, ...]:
        return tuple(point for point in self.points if point.label == label)

    @property
    def p(self) -> Array:
        """Parameters, shape (points, parameters)."""
        return np.array([point.p for point in self.points])

    @property
    def y(self) -> Array:
        """States, shape (points, states)."""
        return np.array([point.y for point in self.points])


def polished(equations: Equations, y: Array, p: Array, most: float = 0.1) -> Array | None:
    """The steady state near ``y``, the parameters held; None if Newton's method finds none within ``most`` of the scale."""
    s = equations.scale
    y, start, size = y.copy(), y, math.inf
    with np.errstate(all="ignore"):
        for _ in range(_TRIES):
            step = _solved(equations.jacobian(y, p) * s, equations.rates(y, p))
            if step is None:
                return None
            y = y - s * step
            before, size = size, float(np.abs(step).max())
            if np.linalg.norm((y - start) / s) > most:
                return None
            if size < _ARRIVED or (size < _NEAR_ENOUGH and size > 0.1 * before):
                return np.asarray(y)
    return None


def follow(equations: Equations, y: Array, p: float, *, stability: bool = True) -> Branch | None:
    """The branch of steady states through ``y`` at ``p``, as far as the box goes, in both directions; None if there is none at ``y``.

    Without ``stability`` only its places, quicker: no eigenvalues, and no folds and Hopf points among its points."""
    here = polished(equations, np.asarray(y, dtype=float), np.array([p]))
    if here is None:
        return None
    curve = _Rests(equations) if stability else _Places(equations)
    return _both_ways(curve, np.append(here / equations.scale, p / equations.span), "rest")


def at_parameter(equations: Equations, kind: str, y: Array, p: Array, held: int, most: float = 0.1) -> Point | None:
    """The fold or Hopf point near ``y`` and ``p`` at which the parameter in place ``held`` is as given; None if there is none."""
    curve = _Hopfs(equations) if kind == "Hopf" else _Folds(equations)
    with np.errstate(all="ignore"):
        try:
            u = curve.start(Point(y, p, np.zeros(0, dtype=complex), 0), p)
        except (ValueError, np.linalg.LinAlgError):  # no pair of complex eigenvalues
            return None
        hold = np.zeros(len(u))
        hold[held - 2] = 1.0
        found = _corrected(curve, u, hold, u, most)
        return None if found is None else curve.point(curve.node(found, hold, None))


def follow_point(equations: Equations, point: Point, p: Array) -> Branch | None:
    """The curve of folds or of Hopf points through ``point`` over two parameters, whose values there are ``p``; None if it is not found."""
    curve = _Hopfs(equations) if point.label == "Hopf" else _Folds(equations)
    u = curve.start(point, np.asarray(p, dtype=float))
    with np.errstate(all="ignore"):
        exact = _corrected(curve, u, _first_tangent(curve, u), u, 0.1)
    if exact is None:
        return None
    return _both_ways(curve, exact, point.label)
