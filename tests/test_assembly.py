"""The assembler on toy models: how names bind, what it refuses, what it writes and where it keeps it."""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import models
from simulation.assembly import Channel, Compartment, Gate, Model, ModelError, Scope, State, bind
from simulation.assembly.compile import Kernel, cache_folder, compile_model
from simulation.assembly.dimensions import UnitError, check_units, factor
from simulation.assembly.emit import Emitted
from simulation.assembly.errors import nearest
from simulation.assembly.trace import Expr, derivative, number, symbol
from simulation.physiology.vocabulary import (
    F,
    Value,
    cm,
    dimensionless,
    exp,
    gate,
    linoid,
    log,
    mJ_per_J,
    mM,
    mM_per_ms,
    ms,
    mS_cm2,
    ms_per_s,
    mV,
    mV_per_ms,
    per_ms,
    root,
    sqrt,
    uA_cm2,
    uF_cm2,
)

CONSTANT_F = F

# ---- a toy: one membrane with a leak, a gate and a pool


def I_leak(g: mS_cm2, V: mV, E: mV, x: gate) -> uA_cm2:
    """Leak."""
    return g * x * (V - E)


def dV_dt(I_leak: uA_cm2, C_m: uF_cm2) -> mV_per_ms:
    """Membrane equation."""
    return -I_leak / C_m


def x_inf(V: mV, V_half: mV, k: mV) -> gate:
    """Steady state."""
    return 1 / (1 + exp((V_half - V) / k))


def tau_x(tau_0: ms, V: mV, V_half: mV, k: mV) -> ms:
    """Time constant."""
    return tau_0 / linoid((V - V_half) / k)


GATE = Gate("x", inf=x_inf, tau=tau_x)
TOY = Model("toy", equations=(I_leak,), gates=(GATE,), states=(State("V", dV_dt, "mV", guess=-60.0),))
NUMBERS = {"g": 0.3, "E": -50.0, "C_m": 1.0, "V_half": -40.0, "k": 8.0, "tau_0": 2.0}


def rates(model: Model, state: list[float], numbers: dict[str, float], t: float = 0.0) -> np.ndarray:
    kernel = Kernel(Emitted(bind(model)), "plain")
    rate = np.empty(len(state))
    kernel.rhs(t, np.array(state), kernel.prepare(numbers), rate)
    return rate


def slopes(model: Model, state: list[float], numbers: dict[str, float]) -> np.ndarray:
    kernel = Kernel(Emitted(bind(model)), "plain")
    matrix = np.empty((len(state), len(state)))
    kernel.jacobian(0.0, np.array(state), kernel.prepare(numbers), matrix)
    return matrix


def test_a_toy_does_what_it_says(own_cache):
    bound = bind(TOY)
    assert [s.symbol for s in bound.states] == ["x", "V"]
    assert bound.derivatives == ("dx_dt", "dV_dt")
    assert bound.gates == ("x",)
    assert dict(bound.parameters) == {"g": "mS/cm2", "E": "mV", "C_m": "uF/cm2", "V_half": "mV", "k": "mV", "tau_0": "ms"}
    x, V = 0.25, -55.0
    u = (V + 40) / 8
    expected = [(1 / (1 + math.exp(-u)) - x) / (2.0 / (u / (1 - math.exp(-u)))), -0.3 * x * (V + 50)]
    assert rates(TOY, [x, V], NUMBERS) == pytest.approx(expected, rel=1e-14)


# ---- what is refused


def a(b: mV) -> mV:
    """Needs b."""
    return 2 * b


def b(a: mV) -> mV:
    """Needs a."""
    return 3 * a


def test_a_circle_is_refused_and_shown():
    with pytest.raises(ModelError, match=r"circle: (a -> b -> a|b -> a -> b)"):
        bind(replace(TOY, equations=(I_leak, a, b)))


def test_a_name_defined_twice_is_refused():
    with pytest.raises(ModelError, match="'I_leak' is defined twice"):
        bind(replace(TOY, inner=(Channel("again", equations=(I_leak,)),)))
    with pytest.raises(ModelError, match="'V' is defined twice"):
        bind(replace(TOY, named={"V": I_leak}))


def test_a_name_defined_twice_by_two_compartments_is_refused():
    twin = Compartment("twin", suffix="s", equations=(I_leak,))
    with pytest.raises(ModelError, match="'I_leak_s' is defined twice"):
        bind(replace(TOY, inner=(twin, replace(twin, name="other twin"))))


def test_a_suffix_that_makes_an_outer_name_is_refused():
    def I_leak_s(g: mS_cm2) -> mS_cm2:
        """The same flat name as the twin's."""
        return g

    with pytest.raises(ModelError, match="'I_leak_s' is defined twice"):
        bind(replace(TOY, equations=(I_leak, I_leak_s), inner=(Compartment("twin", suffix="s", equations=(I_leak,)),)))


def test_an_unknown_name_is_refused_with_the_nearest_ones():
    with pytest.raises(ModelError, match=r"unknown name 'tau_0' in the equation tau_x \(toy\) of toy.*nearest: tau0, tau_x"):
        bind(TOY).check_parameters([*(NUMBERS.keys() - {"tau_0"}), "tau0"])


def test_an_unused_parameter_is_refused_with_the_nearest_ones():
    with pytest.raises(ModelError, match=r"nothing in toy uses the parameter 'V_haIf'; nearest: V_half"):
        bind(TOY).check_parameters([*NUMBERS, "V_haIf"])


def test_an_unknown_factor_of_density_is_refused():
    bound = bind(replace(TOY, inner=(Compartment("tubule", suffix="t", equations=(I_leak,), density={"g": "eta_g"}),)))
    with pytest.raises(ModelError, match="unknown name 'eta_g'"):
        bound.check_parameters(NUMBERS)


def test_one_parameter_in_two_units_is_refused():
    def J(E: mM) -> mM:
        """E is in mV elsewhere."""
        return E

    with pytest.raises(ModelError, match=r"(J|I_leak) wants the parameter 'E' in (mM|mV), (J|I_leak) wants it in (mM|mV)"):
        bind(replace(TOY, equations=(I_leak, J)))


def test_an_equation_without_a_unit_is_refused():
    def J(E: mV):
        return E

    with pytest.raises(ModelError, match="the equation J does not say the unit"):
        bind(replace(TOY, equations=(I_leak, J)))


def above(V: mV, E: mV) -> mV:
    return V if V > E else E


def nonzero(V: mV, E: mV) -> mV:
    return E if V else V


def at_zero(V: mV, E: mV) -> mV:
    return E if V == 0 else V


def not_at_zero(V: mV, E: mV) -> mV:
    return V if V != 0 else E


def greatest(V: mV, E: mV) -> mV:
    return max(V, E)


def numpy_word(V: mV) -> mV:
    return np.exp(V)


@pytest.mark.parametrize("equation", [above, nonzero, at_zero, not_at_zero, greatest, numpy_word])
def test_an_equation_that_branches_or_leaves_the_vocabulary_is_refused_by_name(equation):
    with pytest.raises(ModelError, match=equation.__name__):
        bind(replace(TOY, equations=(I_leak, equation)))


@pytest.mark.parametrize("given", [
    {"alpha": x_inf}, {"alpha": x_inf, "beta": x_inf, "inf": x_inf}, {"inf": x_inf}, {}, {"alpha": x_inf, "beta": x_inf, "tau": tau_x},
])
def test_a_gate_has_rates_or_curves(given):
    with pytest.raises(ValueError, match="gate y: give alpha and beta, or inf and tau"):
        Gate("y", **given)


def test_nearest_names_are_near():
    assert nearest("g_na", ["g_K", "g_Na", "E_L"]) == "; nearest: g_Na, g_K"
    assert nearest("qqqqqq", ["g_K"]) == ""
    with pytest.raises(ModelError, match=r"there is no model 'fiber'; nearest: fibre; models: "):
        models.get("fiber")
    with pytest.raises(ModelError, match=r"squid has no state 'W'"):
        models.bound("squid").index("W")
    with pytest.raises(ModelError, match=r"squid has no equation for 'alpha_mm'; nearest: alpha_m"):
        models.bound("squid").definition("alpha_mm")


# ---- scopes


def dK_dt(I_leak: uA_cm2, K: mM, K_out: mM, tau_0: ms) -> mM_per_ms:
    """A pool that a current means nothing to, for the sake of the names."""
    return (K_out - K) / tau_0 + 0 * K


def nernst_like(K_out: mM, K_in: mM, E: mV) -> mV:
    """A potential."""
    return E * log(K_out / K_in)


OUTER = Compartment("outer", suffix="s", equations=(nernst_like,))
INNER = replace(OUTER, name="inner", suffix="t", where={"K_out": "K"}, density={"E": "eta_E"})
NESTED = replace(TOY, states=(*TOY.states, State("K", dK_dt, "mM", guess="K_out")), inner=(OUTER, INNER))


def test_two_compartments_share_a_text_and_bind_it_differently():
    bound = bind(NESTED)
    s, t = bound.definition("nernst_like_s"), bound.definition("nernst_like_t")
    assert s.equation is t.equation is nernst_like
    assert dict(s.arguments) == {"K_out": "K_out", "K_in": "K_in", "E": "E"}
    assert dict(t.arguments) == {"K_out": "K", "K_in": "K_in", "E": "E_t"}
    assert dict(bound.definition("E_t").arguments) == {"factor": "eta_E", "outside": "E"}
    assert bound.units["E_t"] == "mV"
    assert bound.parameters["eta_E"] == "1"
    assert [s.guess for s in bound.states if s.symbol == "K"] == ["K_out"]


def test_sarcolemma_and_tubule_are_one_text_that_binds_twice():
    bound = models.bound("fibre")
    definitions = {d.symbol: d for d in bound.definitions}
    pairs = [(definitions[n], definitions[n[:-2] + "_t"]) for n in definitions if n.endswith("_s") and n[:-2] + "_t" in definitions]
    assert len(pairs) > 40
    for s, t in pairs:
        assert s.equation is t.equation, s.symbol
    assert definitions["GHK_K_s"].arguments["K_o"] == "K_o"
    assert definitions["GHK_K_t"].arguments["K_o"] == "K_t"
    assert definitions["I_Na_t"].arguments["P_Na"] == "P_Na_t"
    assert definitions["I_Na_s"].arguments["P_Na"] == "P_Na"


def test_what_depends_on_parameters_alone_is_known():
    def area(tau_0: ms) -> ms:
        """Depends on a parameter."""
        return 2 * tau_0

    def clock(t: ms, area: ms) -> ms:
        """Depends on time."""
        return t + area

    bound = bind(replace(TOY, equations=(I_leak, area, clock)))
    assert bound.constant == {"area"}


# ---- implicit equations, hoisting, derivatives


def level(K: mM, K_ref: mM, w: mM, k_l: mV) -> mV:
    """The potential y at which k_l sinh(y/k_l) weighed by w is what K lacks of K_ref."""
    return root(lambda y: w * (exp(y / k_l) - exp(-y / k_l)) / 2 - (K - K_ref), -80.0, 80.0, K, K_ref, w, k_l)


def dK_falls_dt(K: mM, level: mV, tau_0: ms, k_l: mV) -> mM_per_ms:
    """A pool that empties by the level."""
    return -K / tau_0 * exp(level / k_l)


IMPLICIT = Model("implicit", equations=(level,), states=(State("K", dK_falls_dt, "mM", guess=4.0),))


def test_an_implicit_equation_may_hang_on_a_state(own_cache):
    numbers = {"K_ref": 3.0, "w": 2.0, "k_l": 10.0, "tau_0": 5.0}
    for K in (0.5, 3.0, 9.0):
        z = (K - 3) / 2  # sinh of the level over k_l
        share = math.exp(math.asinh(z))
        assert rates(IMPLICIT, [K], numbers) == pytest.approx([-K / 5 * share], rel=1e-12)
        slope = -share / 5 - K / 5 * share / math.sqrt(1 + z * z) / 2
        assert slopes(IMPLICIT, [K], numbers)[0, 0] == pytest.approx(slope, rel=1e-10)
        assert level(K, 3.0, 2.0, 10.0) == pytest.approx(10 * math.asinh(z), abs=1e-10)


def busy(V: mV, E: mV, k: mV, V_half: mV, g: mS_cm2) -> mV:
    """Full of parts that parameters alone settle."""
    return (V - E) * exp(V_half / k) / linoid(E / k) + sqrt(V_half**2 + E**2) * log(3 + (E / k) ** 2) * exp(V / k)


def test_hoisting_does_not_change_numbers(own_cache):
    bound = bind(replace(TOY, equations=(I_leak, busy)))
    kernel = Kernel(Emitted(bound), "plain")
    hoisted = [n for n in kernel.emitted.values if n.startswith("c_") and n not in NUMBERS]
    assert len(hoisted) >= 2
    for change in ({}, {"E": 12.5}, {"k": -3.0, "V_half": 7.0}):
        numbers = NUMBERS | change
        out = kernel.observe(np.zeros(1), np.array([[0.3, -42.0]]), kernel.prepare(numbers))[0]
        expected = busy(-42.0, **{n: numbers[n] for n in ("E", "k", "V_half", "g")})
        assert out[kernel.emitted.symbols.index("busy")] == pytest.approx(expected, rel=1e-13)


WORDS = {
    "sum": lambda x, y: 3 + x + (y - 2 * x) - (4 - y),
    "product": lambda x, y: (x * y) * (x / y) / (1 / x) * -y,
    "power": lambda x, y: x**3 * y**-2 + 2**x + x**y + (x * x) ** (1 / 3),
    "minus": lambda x, y: (1 - (-(x - y))) * -x - (-y) / (-x),
    "functions": lambda x, y: exp(x) * log(y) + sqrt(x * y) + linoid(x - y) + linoid(y * x),
    "nested": lambda x, y: exp(-exp(-x) / y) ** 2 / (1 + (x / y) ** 4),
}


@pytest.mark.parametrize("name", WORDS)
@given(st.floats(0.2, 3), st.floats(0.2, 3))
def test_a_traced_expression_and_its_text_mean_the_same(name, x, y):
    f = WORDS[name]
    traced = f(symbol("x"), symbol("y"))
    words = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt, "linoid": linoid, "x": x, "y": y}
    assert eval(repr(traced), words) == pytest.approx(f(x, y), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", WORDS)
@given(st.floats(0.2, 3), st.floats(0.2, 3))
def test_a_traced_expression_differentiates_itself(written_out, name, x, y):
    f, h = WORDS[name], 1e-30
    traced = f(symbol("x"), symbol("y"))
    words = {**vars(written_out("squid")), "x": x, "y": y}
    for variable, complex_step in (("x", f(x + h * 1j, y)), ("y", f(x, y + h * 1j))):
        expected = complex_step.imag / h
        assert eval(repr(derivative(traced, variable)), words) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_equal_operations_are_one_object():
    x, y = symbol("x"), symbol("y")
    assert exp(x * y) + 1 is exp(x * y) + 1
    assert x - x is number(0)
    assert (0 + x) * 1 / 1 is x
    assert isinstance(np.float64(2) * x, Expr)


# ---- the emitted text


def test_emitted_source_is_python_and_holds_every_state(bound):
    source = Emitted(bound).source
    functions = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert {"linoid", "dlinoid", "prepare", "rhs", "jacobian", "observe", "observe_many"} <= functions.keys()
    for i, state in enumerate(bound.states):
        assert f"{state.symbol} = state[{i}]" in source
    for i, rate in enumerate(bound.derivatives):
        assert f"rate[{i}] = {rate}" in source
    for definition in bound.definitions:
        assert any(line.strip().startswith(f"{definition.symbol} = ") for line in source.splitlines()), definition.symbol


def test_emitted_source_is_the_same_in_every_process():
    script = "from simulation import models\nfrom simulation.assembly.emit import Emitted\n"
    script += "for name in models.names(): print(name, Emitted(models.bound(name)).digest)"
    told = [
        subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    here = "".join(f"{name} {Emitted(bind(models.get(name))).digest}\n" for name in models.names())
    assert told[0] == here


def rate(V: mV, k: mV) -> mV:
    """Named as the emitted functions name their result."""
    return V + k


def as_constant(V: mV, F: mV, r: cm) -> mM_per_ms:
    """Has an argument named as the Faraday constant that it uses."""
    return (V - F) / (CONSTANT_F * r)


def as_temporary(V: mV, x_1: mV) -> mV:
    """Has an argument named as the emitted source names shared parts."""
    return V + x_1


@pytest.mark.parametrize(("equation", "name"), [(rate, "rate"), (as_constant, "F"), (as_temporary, "x_1")])
def test_a_name_that_the_emitted_source_needs_itself_is_refused(equation, name):
    with pytest.raises(ModelError, match=f"'{name}' cannot be a name in toy"):
        _ = Emitted(bind(replace(TOY, equations=(I_leak, equation)))).source


def test_an_equation_that_changes_changes_the_digest():
    def I_leak_doubled(g: mS_cm2, V: mV, E: mV, x: gate) -> uA_cm2:
        """Twice the leak."""
        return 2 * g * x * (V - E)

    other = replace(TOY, equations=(), named={"I_leak": I_leak_doubled})
    assert Emitted(bind(other)).digest != Emitted(bind(TOY)).digest == Emitted(bind(TOY)).digest


# ---- where compiled models are kept


def test_a_module_is_written_once_and_used_again(own_cache):
    named = replace(TOY, name="kept")
    first = compile_model(bind(named), "plain")
    first.prepare(NUMBERS)
    (file,) = own_cache.glob("cramplab_kept_*.py")
    assert first.emitted.digest in file.name
    assert file.read_text(encoding="utf-8") == first.emitted.source
    written = file.stat().st_mtime_ns
    again = compile_model(bind(named), "plain")
    again.prepare(NUMBERS)
    assert again.rhs.__wrapped__ is first.rhs.__wrapped__
    assert file.stat().st_mtime_ns == written
    assert list(own_cache.iterdir()) == [file]


def test_a_damaged_module_is_written_anew(own_cache):
    kernel = compile_model(bind(replace(TOY, name="damaged")), "plain")
    own_cache.mkdir()
    (own_cache / f"cramplab_damaged_{kernel.emitted.digest}.py").write_text("half a fi", encoding="utf-8")
    assert kernel.prepare(NUMBERS)[0] == NUMBERS[kernel.emitted.parameters[0]]


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("CRAMPLAB_CACHE", str(tmp_path / "file" / "cache"))
    folder = cache_folder()
    assert folder.is_dir()
    assert tmp_path not in folder.parents
    kernel = compile_model(bind(replace(TOY, name="homeless")), "plain")
    assert rates(replace(TOY, name="homeless"), [0.3, -50.0], NUMBERS)[1] == 0
    assert np.isfinite(kernel.prepare(NUMBERS)).all()


def test_the_kernel_is_chosen_by_name(monkeypatch):
    bound = models.bound("squid")
    with pytest.raises(ValueError, match="kernel 'fortran' is neither 'llvm' nor 'plain'"):
        compile_model(bound, "fortran")
    monkeypatch.setenv("CRAMPLAB_KERNEL", "plain")
    assert compile_model(bound).kind == "plain"
    monkeypatch.delenv("CRAMPLAB_KERNEL")
    assert compile_model(bound).kind == "llvm"


# ---- units


def in_toy(equation) -> None:
    check_units(bind(replace(TOY, equations=(I_leak, equation))))


def test_units_that_fit_pass():
    assert check_units(bind(TOY)) == 5
    assert check_units(bind(NESTED)) > 5


def off_by_1000(K_in: mM, r: cm, I_leak: uA_cm2) -> mM_per_ms:
    """Lacks ms_per_s."""
    return 2 * I_leak / (F * r)


def dimension(V: mV, C_m: uF_cm2) -> mV:
    """A capacitance is no potential."""
    return V * C_m


def unlike_terms(V: mV, k: mV, tau_0: ms) -> mV:
    """Adds what cannot be added."""
    return V + tau_0


def exponent_with_unit(V: mV) -> dimensionless:
    """The exponent has a unit."""
    return exp(V)


def power_with_unit(V: mV, x: gate) -> gate:
    """The exponent has a unit."""
    return x**V


def hidden_factor(V: mV, E: mV, k: mV, r: cm, K_in: mM) -> mV:
    """Implicit, and one term is a thousand times too large: mJ are taken for J."""
    return root(lambda y: (y - V) * (r / mJ_per_J) - (E - y) * r, -100.0, 100.0, V, E)


def implicit_dimension(V: mV, tau_0: ms) -> mV:
    """Implicit, and one term is a time."""
    return root(lambda y: y - V + tau_0, -100.0, 100.0, V)


@pytest.mark.parametrize("equation", [off_by_1000, dimension, unlike_terms, exponent_with_unit, power_with_unit, hidden_factor, implicit_dimension])
def test_a_wrong_unit_names_its_equation(equation):
    with pytest.raises(UnitError, match=equation.__name__):
        in_toy(equation)


def test_the_repaired_equation_passes():
    def repaired(I_leak: uA_cm2, r: cm) -> mM_per_ms:
        """With ms_per_s."""
        return 2 * I_leak / (F * r) / ms_per_s

    in_toy(repaired)


def test_an_argument_in_another_unit_names_its_equation():
    def shifted(I_leak: mV, V: mV) -> mV:
        """Takes a current for a potential."""
        return V + I_leak

    def slower(dx_dt: per_ms, tau_x: mV_per_ms) -> per_ms:
        """Takes a time for a rate."""
        return dx_dt

    for equation in (shifted, slower):
        with pytest.raises(UnitError, match=equation.__name__):
            in_toy(equation)


@pytest.mark.parametrize(("unit", "wanted", "expected"), [
    ("pmol/cm2/s", "umol/cm2/s", 1e-6), ("Ohm*cm2", "kOhm*cm2", 1e-3), ("um", "cm", 1e-4), ("mmol/L", "mM", 1.0), ("uM", "mM", 1e-3),
    ("S/m2", "mS/cm2", 0.1), ("1/s", "1/ms", 1e-3), ("1/nm2", "1/nm2", 1.0), ("mV", "mV", 1.0), ("1", "1", 1.0),
])
def test_units_convert(unit, wanted, expected):
    assert factor(unit, wanted) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("unit", "wanted"), [
    ("mM", "mV"), ("furlong/fortnight", "mV"), ("qqq", "mV"), ("", "mV"), ("mV/", "mV"), ("((", "mV"), ("3", "mV"), ("mV +", "mV"), ("1e5", "1"),
    ("celsius", "K"), ("degF", "K"), ("°C", "K"),
])
def test_units_that_cannot_be_converted_are_said_to(unit, wanted):
    with pytest.raises(UnitError):
        factor(unit, wanted)


def test_generic_helpers_have_no_say_in_units():
    def helper(x: Value, V: mV) -> mV:
        """x without unit."""
        return V * x

    in_toy(helper)


SCOPED = Scope("no suffix", equations=(a,))


def test_a_scope_without_suffix_adds_to_the_one_around_it():
    bound = bind(replace(TOY, inner=(SCOPED,)))
    assert bound.definition("a").arguments == {"b": "b"}
    assert bound.parameters["b"] == "mV"
