"""What every model has to pass: its readings agree, its Jacobian and units are right, every parameter matters.

At the end, what only the fibre has to: its equations written out a second time, and its conservation laws."""

from __future__ import annotations

import math
from functools import cache

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulation import find_rest, models, parameter_sets, prepare
from simulation.assembly.compile import Kernel, compile_model
from simulation.assembly.dimensions import check_units
from simulation.assembly.trace import UNKNOWN, derivative
from simulation.assembly.typeset import linoid, to_sympy
from simulation.physiology import vocabulary

EPS = np.finfo(float).eps

# ---- points at which readings are compared


@cache
def ranges(model: str) -> dict[str, tuple[float, float]]:
    """Parameter -> its plausible range in the model's units; the stimulus as protocols give it."""
    bound = models.bound(model)
    file = parameter_sets.load(bound.model.parameters)
    out = {
        s: tuple(parameter_sets.convert(edge, p.unit, bound.parameters[s], s) for edge in p.range) for s, p in file.parameters.items()
    }
    return out | dict(zip(bound.model.stimulus, ((-50.0, 400.0), (-1.0, 1.0), (0.0, 100.0)), strict=True))


@cache
def state_ranges(model: str) -> dict[str, tuple[float, float]]:
    """State -> what it may be: potentials, open shares, concentrations from a third to three times their guess."""
    numbers = prepare(model).numbers()
    out = {}
    for s in models.bound(model).states:
        near = numbers[s.guess] if isinstance(s.guess, str) else s.guess
        out[s.symbol] = {"mV": (-120.0, 60.0), "1": (0.001, 0.999), "mM": (near / 3, near * 3)}[s.unit]
    return out


def shares(n: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(float, n, elements=st.floats(0, 1))


@st.composite
def points(draw, model: str) -> dict[str, float]:
    """Every state, every parameter and the time, drawn within their ranges."""
    edges = state_ranges(model) | ranges(model) | {"t": (0.0, 100.0)}
    return {s: low + share * (high - low) for (s, (low, high)), share in zip(edges.items(), draw(shares(len(edges))), strict=True)}


each_model = pytest.mark.parametrize("name", models.names())


@cache
def kernel_of(name: str, kind: str = "llvm") -> Kernel:
    return compile_model(models.bound(name), kind)


def number_reading(name: str, point: dict) -> dict:
    """The equations called one after the other, each with what those before it gave."""
    values = dict(point)
    for d in models.bound(name).definitions:
        values[d.symbol] = d.equation(**{a: values[s] for a, s in d.arguments.items()})
    return values


def compiled_reading(name: str, point: dict[str, float], kind: str) -> dict[str, float]:
    kernel = kernel_of(name, kind)
    y = np.array([point[s.symbol] for s in kernel.bound.states])
    values = kernel.prepare(point)
    out = dict(zip(kernel.emitted.symbols, kernel.observe(np.array([point["t"]]), y[None, :], values)[0], strict=True))
    rate = np.empty(len(y))
    kernel.rhs(point["t"], y, values, rate)
    for symbol, value in zip(kernel.bound.derivatives, rate, strict=True):
        assert value == pytest.approx(out[symbol], rel=1e-12, abs=1e-300)
    return out


class Rounded:
    """A number with a bound on the error that rounding has left in it, so that a comparison can allow for cancellation."""

    __array_ufunc__ = None

    def __init__(self, value: float, error: float = 0.0) -> None:
        self.value, self.error = float(value), float(error)

    @staticmethod
    def of(x) -> Rounded:
        return x if isinstance(x, Rounded) else Rounded(x)

    def _with(self, value: float, error: float) -> Rounded:
        return Rounded(value, error + 2 * EPS * abs(value))

    def __add__(self, other):
        b = Rounded.of(other)
        return self._with(self.value + b.value, self.error + b.error)

    def __neg__(self):
        return Rounded(-self.value, self.error)

    def __sub__(self, other):
        return self + -Rounded.of(other)

    def __rsub__(self, other):
        return Rounded.of(other) - self

    def __mul__(self, other):
        b = Rounded.of(other)
        return self._with(self.value * b.value, abs(self.value) * b.error + abs(b.value) * self.error + self.error * b.error)

    def __truediv__(self, other):
        b = Rounded.of(other)
        value = self.value / b.value
        return self._with(value, (self.error + abs(value) * b.error) / max(abs(b.value) - b.error, 1e-300))

    def __rtruediv__(self, other):
        return Rounded.of(other) / self

    def __pow__(self, other):
        b = Rounded.of(other)
        value = self.value**b.value
        relative = abs(b.value) * self.error / abs(self.value) + (abs(math.log(self.value)) * b.error if b.error else 0.0)
        return self._with(value, abs(value) * relative)

    def __rpow__(self, other):
        return Rounded.of(other) ** self

    __radd__, __rmul__ = __add__, __mul__

    def primitive(self, name: str, x: Rounded) -> Rounded:
        slope = {"exp": math.exp, "log": lambda v: 1 / v, "sqrt": lambda v: 0.5 / math.sqrt(v), "linoid": lambda v: 1.0}[name](x.value)
        return self._with(float(getattr(vocabulary, name)(x.value)), abs(slope) * x.error)

    def root(self, residual, low: float, high: float) -> Rounded:
        a, b = low, high
        for _ in range(64):
            middle = 0.5 * (a + b)
            a, b = (a, middle) if Rounded.of(residual(middle)).value > 0 else (middle, b)
        rise = residual(b + 1e-3).value - residual(b - 1e-3).value
        return self._with(b, residual(b).error / (rise / 2e-3) + 4 * EPS * (high - low))


def tolerances(name: str, point: dict[str, float]) -> dict[str, float]:
    """For each symbol 1e-12 of its size, and four times what rounding may do on the way to it."""
    seen = number_reading(name, {s: Rounded(v) for s, v in point.items()})
    return {s: 1e-12 * abs(v.value) + 4 * v.error for s, v in seen.items()}


@each_model
@given(data=st.data())
def test_number_plain_and_compiled_readings_agree(name, data):
    point = data.draw(points(name))
    numbers, allowed = number_reading(name, point), tolerances(name, point)
    for kind in ("llvm", "plain"):
        compiled = compiled_reading(name, point, kind)
        assert compiled.keys() <= numbers.keys()
        for symbol, value in compiled.items():
            assert abs(value - numbers[symbol]) <= allowed[symbol], (kind, symbol, value, numbers[symbol])


@each_model
@settings(max_examples=5)
@given(data=st.data())
def test_the_array_reading_broadcasts(name, data):
    point, other = data.draw(points(name)), data.draw(points(name))
    potential = models.bound(name).model.potential
    stacked = {s: np.array([[point[s]], [other[s]]]) for s in point} | {potential: np.array([[-90.0, -60.0, 10.0]])}
    seen = number_reading(name, stacked)
    for i, row in enumerate((point, other)):
        for j, V in enumerate((-90.0, -60.0, 10.0)):
            alone = number_reading(name, row | {potential: V})
            allowed = tolerances(name, row | {potential: V})
            for symbol in alone:
                value = np.broadcast_to(seen[symbol], (2, 3))[i, j]
                assert abs(value - alone[symbol]) <= allowed[symbol], symbol


# ---- derivatives


@each_model
@settings(max_examples=8)
@given(data=st.data())
def test_the_jacobian_is_that_of_complex_steps(name, data):
    point, h = data.draw(points(name)), 1e-30
    kernel = kernel_of(name)
    states = [s.symbol for s in kernel.bound.states]
    matrix = np.empty((len(states), len(states)))
    kernel.jacobian(point["t"], np.array([point[s] for s in states]), kernel.prepare(point), matrix)
    for j, state in enumerate(states):
        seen = number_reading(name, point | {state: complex(point[state], h)})
        column = np.array([np.imag(seen[d]) / h for d in kernel.bound.derivatives])
        # Concentrations and potentials cancel against each other in a row; the row's largest entry measures that.
        np.testing.assert_allclose(matrix[:, j], column, rtol=1e-9, atol=1e-12 * np.abs(matrix[:, j]).max(initial=1e-300))


def exact(e: sympy.Expr, at: dict[str, float]) -> float:
    """The value of a SymPy expression, worked out with 40 digits."""
    e = e.replace(linoid, lambda x: x / (1 - sympy.exp(-x)))
    constants = {c.symbol: float(c) for c in vars(vocabulary).values() if isinstance(c, vocabulary.Constant)}
    symbols = sorted(e.free_symbols, key=str)
    with mpmath.workdps(40):
        return float(sympy.lambdify(symbols, e, "mpmath")(*[mpmath.mpf((at | constants)[s.name]) for s in symbols]))


@each_model
def test_every_equations_slopes_are_those_of_sympy(name, written_out):
    rng = np.random.default_rng(7)
    low, high = (np.array(edge) for edge in zip(*(state_ranges(name) | ranges(name)).values(), strict=True))
    drawn = dict(zip(state_ranges(name) | ranges(name), low + rng.uniform(0.1, 0.9, len(low)) * (high - low), strict=True)) | {"t": 3.0}
    point = number_reading(name, drawn)
    words = {**vars(written_out(name)), **point}
    checked = set()
    for d in models.bound(name).definitions:
        if d.equation in checked:
            continue
        checked.add(d.equation)
        implicit = d.expression.op == "root"
        e = to_sympy(d.expression.args[1] if implicit else d.expression, evaluate=True)
        at = point | {UNKNOWN: point[d.symbol]}
        for symbol in sorted(set(d.arguments.values())):
            ours = eval(repr(derivative(d.expression, symbol)), words)
            theirs = exact(e.diff(sympy.Symbol(symbol, real=True)), at)
            if implicit:
                theirs /= -exact(e.diff(sympy.Symbol(UNKNOWN, real=True)), at)
            assert ours == pytest.approx(theirs, rel=1e-8, abs=1e-12 * abs(point[d.symbol])), (d.symbol, symbol)


# ---- units, names and texts


def test_every_unit_fits(bound):
    assert check_units(bound) == len(bound.definitions) > 10


def test_every_symbol_has_a_unit_and_every_equation_says_what_it_is(bound):
    for d in bound.definitions:
        assert d.unit, d.symbol
        assert d.text.endswith("."), d.symbol
        assert d.scope, d.symbol
    assert all(bound.parameters.values())
    assert {s.unit for s in bound.states} <= {"mV", "mM", "1"}
    assert set(bound.gates) <= {s.symbol for s in bound.states if s.unit == "1"}


def test_what_experiments_ask_of_a_model_is_there(bound):
    model, symbols = bound.model, {d.symbol for d in bound.definitions}
    assert model.potential in [s.symbol for s in bound.states]
    assert bound.units[model.potential] == "mV"
    assert set(model.bath.values()) <= bound.parameters.keys()
    assert set(model.stimulus) <= bound.parameters.keys()
    for trace in model.traces:
        assert any(s == trace or s.startswith(f"{trace}_") for s in symbols), trace
    assert model.title
    for s, d in zip(bound.states, bound.derivatives, strict=True):
        assert bound.units[d] == ("1/ms" if s.unit == "1" else f"{s.unit}/ms")


def test_every_gate_has_its_curves(bound):
    symbols = {d.symbol for d in bound.definitions}
    for gate in bound.gates:
        ends = [len(gate), *(i for i, letter in enumerate(gate) if letter == "_")]  # where the compartment's suffix may begin
        assert any({f"{gate[:i]}_inf{gate[i:]}", f"tau_{gate[:i]}{gate[i:]}"} <= symbols for i in ends), gate


# ---- rest and parameters


def test_a_model_rests_in_its_control_bath(model, rested):
    rest = rested(model)
    assert rest.stable
    for state in rest.states:
        assert state.residual < 1e-9
        assert np.isfinite(state.state).all()
        for gate in rest.preparation.bound.gates:
            assert 0 <= state.state[rest.preparation.states.index(gate)] <= 1


def awake(model: str):
    """A preparation in which nothing is switched off: what is zero in health has half of its upper range."""
    p = prepare(model)
    return p.with_values({s: x.range[1] / 2 for s, x in p.parameters.parameters.items() if x.value == 0})


READ_OFF = ("dpsi_closed", "g_axial")
OBSERVED = ("force",)


def test_every_parameter_matters(model, rested):
    p = awake(model)
    p = p.in_bath({name: 0.95 * value for name, value in p.whole_bath.items()})  # in control the surface charge does nothing
    base = p.numbers() | dict(zip(p.bound.model.stimulus, (5.0, 0.3, 1.0), strict=True))
    # Away from the reference, at which a balance or a shift hides what it is made of.
    base |= {s: 1.1 * value for s, value in base.items() if s.endswith("_ref") and p.bound.parameters[s] == "mM"}
    edges = np.array(list(state_ranges(model).values()))
    spread = np.linspace(-0.05, 0.05, len(edges))
    states = [edges[:, 0] + (share + spread) * np.ptp(edges, axis=1) for share in (0.1, 0.25, 0.7)]  # hyperpolarised, polarised, depolarised

    def rates(numbers: dict[str, float]) -> np.ndarray:
        out, values = np.empty((len(states), len(edges))), p.kernel.prepare(numbers)
        for y, rate in zip(states, out, strict=True):
            p.kernel.rhs(4.0, y, values, rate)
        return out

    def observed(numbers: dict[str, float]) -> list[float]:
        seen = p.kernel.observe(np.zeros(1), states[1][None, :], p.kernel.prepare(numbers))[0]
        return [seen[p.kernel.emitted.symbols.index(s)] for s in OBSERVED if s in p.kernel.emitted.symbols]

    still = rates(base)
    moved = {s: rates(base | {s: value + 0.01 * abs(value)}) for s, value in base.items()}
    without_effect = [s for s, rate in moved.items() if not np.any(np.abs(rate - still) > 1e-9 * np.abs(still))]
    # What no rate of a membrane needs moves a symbol that is read off; what sets the contents of a store at the start moves the rest instead.
    names = p.kernel.emitted.values
    for symbol in without_effect:
        before, after = (p.kernel.prepare(n) for n in (base, base | {symbol: 1.01 * base[symbol]}))
        if any(before[names.index(s)] != after[names.index(s)] for s in READ_OFF if s in names):
            continue
        if observed(base) != observed(base | {symbol: 1.01 * base[symbol]}):
            continue
        assert symbol in [s.guess for s in p.bound.states], f"{symbol} does nothing in {model}"
        moved_rest = find_rest(prepare(model, scale={symbol: 1.01})).at().state
        assert np.max(np.abs(moved_rest - rested(model).at().state)) > 1e-6, symbol


# ---- the fibre, written out a second time


def second_fibre(y: dict[str, float], p: dict[str, float]) -> dict[str, float]:
    """Rates of change of the fibre, without the assembler, the vocabulary or any text of the equations."""
    exp, log, F, R = math.exp, math.log, 96485.33212, 8314.462618
    RTF = R * p["T"] / F
    theta = p["Q10_gate"] ** ((p["T"] - p["T_ref"]) / 10)
    theta_P = p["Q10_P"] ** ((p["T"] - p["T_ref"]) / 10)
    gamma = p["r"] / 2 * p["rho"] / p["zeta"]

    def bounded(f, low=-300.0, high=200.0):
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (low, middle) if f(middle) > 0 else (middle, high)
        return middle

    def surface(K, Na, Ca, Mg, pH):
        def excess(x):
            u = x / RTF
            M, D = Na + K, Ca + p["w_Mg"] * Mg
            field = max(M * (exp(-u) + exp(u) - 2) + D * (exp(-2 * u) - 1) + 2 * D * (exp(u) - 1), 0.0)
            diffuse = math.copysign(math.sqrt(2 * p["eps_r"] * 8.8541878128e-12 * R / 1000 * p["T"] * field), u)
            H = 10**-pH * exp(-u)
            d = (Ca / p["K_Ca"] + Mg / p["K_Mg"]) * exp(-2 * u)
            sites = p["d_b"] * H / (H + 10 ** -p["pK_b"])
            sites -= p["d_1"] / (1 + H / 10 ** -p["pK_1"] + d) + p["d_2"] / (1 + H / 10 ** -p["pK_2"] + d)
            return diffuse - p["sigma_scale"] * 0.1602176634 * sites

        return bounded(excess)

    dpsi = surface(p["K_o"], p["Na_o"], p["Ca_o"], p["Mg_o"], p["pH"]) - surface(p["K_ref"], p["Na_ref"], p["Ca_ref"], p["Mg_ref"], p["pH_ref"])

    def sigmoid(v, half, k):
        return 1 / (1 + exp(-(v - half) / k))

    def ghk(V, i, o):
        u = V / RTF
        return F * u * (i - o * exp(-u)) / (1 - exp(-u))

    def gate(x, inf, tau):
        return (inf - x) / tau

    def membrane(V, K, Na, Cl, tail, eta, alpha_2):
        x = {g: y[f"{g}_{tail}"] for g in ("m", "h", "s", "n", "h_K", "q", "c")}
        v, w = V - p["w_Na"] * dpsi, V - p["w_K"] * dpsi
        c = V - p["w_Cl"] * dpsi
        a_m = p["a_m"] * (v - p["Va_m"]) / (1 - exp(-(v - p["Va_m"]) / p["ka_m"]))
        b_m = p["b_m"] * exp(-(v - p["Vb_m"]) / p["kb_m"])
        a_h = p["a_h"] / (1 + exp((v - p["Va_h"]) / p["ka_h"]))
        b_h = p["b_h"] * sigmoid(v, p["Vb_h"], p["kb_h"])
        a_s = p["a_s"] * exp(-(v - p["Va_s"]) / p["ka_s"]) + p["b_s"] * sigmoid(v, p["Vb_s"], p["kb_s"])
        a_n = p["a_n"] * (w - p["Va_n"]) / (1 - exp(-(w - p["Va_n"]) / p["ka_n"]))
        b_n = p["b_n"] * exp(-(w - p["Vb_n"]) / p["kb_n"])
        a_q = p["a_q"] * exp((w - p["Va_q"]) / p["ka_q"]) + p["b_q"] * exp(-(w - p["Vb_q"]) / p["kb_q"])
        rates = {
            "m": gate(x["m"], sigmoid(v, p["Vhalf_m"], p["k_m"]) ** (1 / 3), 1 / (theta * (a_m + b_m))),
            "h": gate(x["h"], sigmoid(v, p["Vhalf_h"], -p["k_h"]), 1 / (theta * (a_h + b_h))),
            "s": gate(x["s"], p["s_0"] + (1 - p["s_0"]) * sigmoid(v, p["Vhalf_s"], -p["k_s"]), 1 / (theta * a_s)),
            "n": theta * (a_n * (1 - x["n"]) - b_n * x["n"]),
            "h_K": gate(x["h_K"], sigmoid(w, p["Vhalf_hK"], -p["k_hK"]), p["tau_hK"] / theta),
            "q": gate(x["q"], sigmoid(w, p["Vhalf_q"], p["k_q"]), 1 / (theta * a_q)),
            "c": theta * (p["a_c"] * sigmoid(c, p["Va_c"], p["ka_c"]) * (1 - x["c"]) - p["b_c"] * sigmoid(c, p["Vb_c"], -p["kb_c"]) * x["c"]),
        }
        P = {n: theta_P * p[f"P_{n}"] * eta.get(n, 1.0) for n in ("Na", "Kdr", "Kir", "KCNQ", "Cl", "NaL", "gp")}
        Na_pore, K_pore = ghk(V, y["Na_i"], Na), ghk(V, y["K_i"], K)
        u = (V - p["V_Cl_pore"]) / RTF
        Cl_pore = F * u * (Cl * exp(p["V_Cl_pore"] / RTF) - y["Cl_i"] * exp(-u)) / (1 - exp(-u))
        leak = 1 / (1 + exp((V - p["Vhalf_gp"]) / p["k_gp"]))
        E_K = RTF * log(K / y["K_i"])
        sigma = (exp(Na / p["Na_sigma"]) - 1) / 7
        f = 1 / (1 + 0.12 * exp(-0.1 * V / RTF) + 0.04 * sigma * exp(-V / RTF))
        K_mK = {share: 1 / ((1 + p[k] / K) ** 2 * (1 + p["K_mNa"] / y["Na_i"]) ** 3) for share, k in (("1", "K_mK_1"), ("2", "K_mK_2"))}
        pump = F * p["J_pump"] * eta.get("pump", 1.0) * theta_P * f * ((1 - alpha_2) * K_mK["1"] + alpha_2 * K_mK["2"])
        cotransport = F * p["J_NKCC"] * eta.get("NKCC", 1.0) * theta_P * (log(Na / y["Na_i"]) + log(K / y["K_i"]) + 2 * log(Cl / y["Cl_i"]))
        I_K = (P["Kdr"] * x["n"] ** 4 * x["h_K"] + P["Kir"] / (1 + exp((V - E_K - p["Vhalf_Kir"]) / p["nu_Kir"])) + P["KCNQ"] * x["q"]) * K_pore
        I_K += P["gp"] * leak * K_pore - 2 * pump - cotransport
        I_Na = P["Na"] * x["m"] ** 3 * x["s"] * (x["h"] * (1 - p["f_Na"]) + p["f_Na"]) * Na_pore
        I_Na += (P["NaL"] + P["gp"] * leak) * Na_pore + 3 * pump - cotransport
        I_Cl = P["Cl"] * x["c"] * Cl_pore + 2 * cotransport
        return {f"{g}_{tail}": rate for g, rate in rates.items()}, I_K, I_Na, I_Cl

    tubular = {n: p[f"eta_{n}"] for n in ("Na", "Kdr", "Kir", "KCNQ", "Cl", "pump", "NKCC")} | {"NaL": p["eta_leak"], "gp": p["eta_leak"]}
    s_gates, K_s, Na_s, Cl_s = membrane(y["V_s"], p["K_o"], p["Na_o"], p["Cl_o"], "s", {}, p["alpha_2_s"])
    t_gates, K_t, Na_t, Cl_t = membrane(y["V_t"], y["K_t"], y["Na_t"], y["Cl_t"], "t", tubular, p["alpha_2_t"])
    access = (y["V_s"] - y["V_t"]) / p["R_a"]
    stimulus = p["I_0"] + p["I_slope"] * (p["t"] - p["t_0"])
    out = s_gates | t_gates
    out["V_s"] = (stimulus - (K_s + Na_s + Cl_s) - access) / p["C_m"]
    out["V_t"] = (access / gamma - (K_t + Na_t + Cl_t)) / p["C_m"]
    for ion, sign, I_s, I_t in (("K", 1, K_s, K_t), ("Na", 1, Na_s, Na_t), ("Cl", -1, Cl_s, Cl_t)):
        out[f"{ion}_t"] = sign * I_t / (F * p["zeta"]) / 1000 - (y[f"{ion}_t"] - p[f"{ion}_o"]) / p["tau_diff"]
        out[f"{ion}_i"] = -sign * (I_s + gamma * I_t) * 2 / p["r"] / F / 1000
    return out


@given(points("fibre"))
def test_the_fibre_is_the_one_that_is_written_down(point):
    compiled, allowed = compiled_reading("fibre", point, "llvm"), tolerances("fibre", point)
    bound = models.bound("fibre")
    expected = second_fibre(point, point)
    for state, symbol in zip(bound.states, bound.derivatives, strict=True):
        # The plain formulas lose digits near 0 mV and near the tops of the linoids.
        size = max(abs(expected[state.symbol]), allowed[symbol] / EPS * 1e-6)
        assert abs(compiled[symbol] - expected[state.symbol]) <= 1e-8 * size + 10 * allowed[symbol], state.symbol


@given(points("fibre"))
def test_no_ion_is_made_or_lost(point):
    """What the myoplasm and the tubules gain is what crosses the sarcolemma and what diffuses to the bath."""
    seen, allowed = compiled_reading("fibre", point, "llvm"), tolerances("fibre", point)
    F, myoplasm, lumen = float(vocabulary.F), point["r"] / 2, seen["gamma"] * point["zeta"]
    for ion, z, current in (("K", 1, "I_K_s"), ("Na", 1, "I_Na_all_s"), ("Cl", -1, "I_Cl_all_s")):
        gain = myoplasm * seen[f"d{ion}_i_dt"] + lumen * seen[f"d{ion}_t_dt"]
        crossing = -z * seen[current] / F / 1000
        diffusion = -lumen * (point[f"{ion}_t"] - point[f"{ion}_o"]) / point["tau_diff"]
        size = abs(crossing) + abs(diffusion) + myoplasm * abs(seen[f"d{ion}_i_dt"]) + lumen * abs(seen[f"d{ion}_t_dt"])
        slack = myoplasm * allowed[f"d{ion}_i_dt"] + lumen * allowed[f"d{ion}_t_dt"] + allowed[current] / F / 1000
        assert abs(gain - crossing - diffusion) <= 1e-12 * size + slack, ion


@given(points("fibre"))
def test_no_charge_is_made_or_lost(point):
    """The charge on both membranes comes from the stimulus and from the ions of the myoplasm."""
    seen, allowed = compiled_reading("fibre", point, "llvm"), tolerances("fibre", point)
    factor = float(vocabulary.F) * 1000 * point["r"] / 2
    membranes = point["C_m"] * (seen["dV_s_dt"] + seen["gamma"] * seen["dV_t_dt"])
    ions = factor * (seen["dK_i_dt"] + seen["dNa_i_dt"] - seen["dCl_i_dt"])
    slack = point["C_m"] * (allowed["dV_s_dt"] + seen["gamma"] * allowed["dV_t_dt"])
    slack += factor * sum(allowed[f"d{ion}_i_dt"] for ion in ("K", "Na", "Cl"))
    size = abs(membranes) + abs(ions) + abs(seen["I_stim"]) + abs(seen["I_access"])
    assert abs(membranes - seen["I_stim"] - ions) <= 1e-12 * size + slack
