"""The small vocabulary that the equations are written in.

Called with numbers or NumPy arrays the words compute; called with any value that has a method
``primitive(name, *arguments)`` they hand themselves over to it. So one text of an equation can be evaluated,
traced, checked for units and typeset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

Value = Any  # a number, an array, or a value that is being traced


@dataclass(frozen=True)
class Unit:
    """The unit of a symbol, as written in parameter files and on axes."""

    name: str


mV = Annotated[Value, Unit("mV")]
ms = Annotated[Value, Unit("ms")]
per_ms = Annotated[Value, Unit("1/ms")]
per_ms_mV = Annotated[Value, Unit("1/ms/mV")]
mV_per_ms = Annotated[Value, Unit("mV/ms")]
mM = Annotated[Value, Unit("mM")]
mM_per_ms = Annotated[Value, Unit("mM/ms")]
per_mM = Annotated[Value, Unit("1/mM")]
per_mM_ms = Annotated[Value, Unit("1/mM/ms")]
mM2 = Annotated[Value, Unit("mM2")]
per_mM2_ms = Annotated[Value, Unit("1/mM2/ms")]
per_mM3_ms = Annotated[Value, Unit("1/mM3/ms")]
um = Annotated[Value, Unit("um")]
um3 = Annotated[Value, Unit("um3")]
um3_ms = Annotated[Value, Unit("um3/ms")]
mM_um3_ms = Annotated[Value, Unit("mM*um3/ms")]
uA_cm2 = Annotated[Value, Unit("uA/cm2")]
uA_cm2_ms = Annotated[Value, Unit("uA/cm2/ms")]
mS_cm2 = Annotated[Value, Unit("mS/cm2")]
uF_cm2 = Annotated[Value, Unit("uF/cm2")]
kOhm_cm2 = Annotated[Value, Unit("kOhm*cm2")]
kOhm_cm = Annotated[Value, Unit("kOhm*cm")]
cm = Annotated[Value, Unit("cm")]
cm_s = Annotated[Value, Unit("cm/s")]
nL_s = Annotated[Value, Unit("nL/s")]
nS = Annotated[Value, Unit("nS")]
pF = Annotated[Value, Unit("pF")]
pA = Annotated[Value, Unit("pA")]
pA_ms = Annotated[Value, Unit("pA/ms")]
umol_cm2_s = Annotated[Value, Unit("umol/cm2/s")]
kelvin = Annotated[Value, Unit("K")]
C_m2 = Annotated[Value, Unit("C/m2")]
per_nm2 = Annotated[Value, Unit("1/nm2")]
current_per_P = Annotated[Value, Unit("uA*s/cm3")]
dimensionless = Annotated[Value, Unit("1")]
gate = Annotated[Value, Unit("1")]
hour = Annotated[Value, Unit("h")]
per_h = Annotated[Value, Unit("1/h")]
mmol = Annotated[Value, Unit("mmol")]
mmol_h = Annotated[Value, Unit("mmol/h")]
mmol_d = Annotated[Value, Unit("mmol/d")]
per_mmol = Annotated[Value, Unit("1/mmol")]
litre = Annotated[Value, Unit("L")]
litre_h = Annotated[Value, Unit("L/h")]
pM = Annotated[Value, Unit("pmol/L")]
pM_h = Annotated[Value, Unit("pmol/L/h")]
per_pM = Annotated[Value, Unit("L/pmol")]
nM = Annotated[Value, Unit("nmol/L")]
nM_h = Annotated[Value, Unit("nmol/L/h")]
nM_d_ug = Annotated[Value, Unit("nmol*d/L/ug")]
ug_d = Annotated[Value, Unit("ug/d")]
g_L = Annotated[Value, Unit("g/L")]
mM_L_g = Annotated[Value, Unit("mmol/g")]


class Constant(float):
    """A constant of nature or of conversion: a number that remembers its symbol and unit.

    Multiplied with a plain number it forgets them, so in an equation it has to meet a symbol first."""

    symbol: str
    unit: str

    def __new__(cls, value: float, symbol: str, unit: str) -> Constant:
        self = super().__new__(cls, value)
        self.symbol, self.unit = symbol, unit
        return self


# CODATA 2018. R is in mJ, so that R T/F comes out in mV.
F = Constant(96485.33212, "F", "C/mol")
R = Constant(8314.462618, "R", "mJ/mol/K")
ms_per_s = Constant(1000.0, "1000", "ms/s")
pi = np.pi
ten_kelvin = Constant(10.0, "10", "K")
eps_0 = Constant(8.8541878128e-12, "eps_0", "F/m")
e_nm2 = Constant(0.1602176634, "e_nm2", "C*nm2/m2")  # elementary charge, for densities in 1/nm2
mJ_per_J = Constant(1000.0, "1000", "mJ/J")
h_per_d = Constant(24.0, "24", "h/d")


def _primitive(name: str, numeric: Callable[..., Value], *arguments: Value) -> Value:
    for argument in arguments:
        if hasattr(argument, "primitive"):
            return argument.primitive(name, *arguments)
    return numeric(*arguments)


def exp(x: Value) -> Value:
    return _primitive("exp", np.exp, x)


def log(x: Value) -> Value:
    return _primitive("log", np.log, x)


def sqrt(x: Value) -> Value:
    return _primitive("sqrt", np.sqrt, x)


def _linoid(x: Value) -> Value:
    small = np.abs(x) < 1e-5
    y = np.where(small, 1.0, x)
    return np.where(small, 1.0 + x / 2 + x * x / 12, -y / np.expm1(-y))[()]


def linoid(x: Value) -> Value:
    """x/(1 - exp(-x)), with its limit 1 at x = 0."""
    return _primitive("linoid", _linoid, x)


def _at_least(x: Value, low: Value) -> Value:
    chosen: Value = np.where(np.real(low) > np.real(x), low, x)
    return chosen[()]


def _at_most(x: Value, high: Value) -> Value:
    chosen: Value = np.where(np.real(high) < np.real(x), high, x)
    return chosen[()]


def at_least(x: Value, low: Value) -> Value:
    """x, or ``low`` where x is below it."""
    return _primitive("at_least", _at_least, x, low)


def at_most(x: Value, high: Value) -> Value:
    """x, or ``high`` where x is above it."""
    return _primitive("at_most", _at_most, x, high)


def root(residual: Callable[[Value], Value], low: float, high: float, *arguments: Value) -> Value:
    """The x between ``low`` and ``high`` at which the rising function ``residual(x)`` is zero.

    ``arguments`` are the values that the residual depends on; they tell in which reading this is called.
    In numbers the bracket is halved until it is as narrow as floating point allows."""
    for argument in arguments:
        if hasattr(argument, "primitive"):
            return argument.root(residual, low, high)
    shape = np.broadcast(*arguments).shape
    a, b = np.full(shape, low), np.full(shape, high)
    for _ in range(64):
        x = 0.5 * (a + b)
        above = residual(x) > 0
        a, b = np.where(above, a, x), np.where(above, x, b)
    return (0.5 * (a + b))[()]


# ---- words made of these

def q10(factor: Value, T: Value, T_ref: Value) -> Value:
    """Factor by which a rate changes from temperature ``T_ref`` to ``T``."""
    return factor ** ((T - T_ref) / ten_kelvin)


def boltzmann(V: Value, V_half: Value, k: Value) -> Value:
    """Share of gates open at V: rises with V when k > 0."""
    return 1 / (1 + exp((V_half - V) / k))


def falling_boltzmann(V: Value, V_half: Value, k: Value) -> Value:
    """Share of gates open at V: falls with V when k > 0."""
    return 1 / (1 + exp((V - V_half) / k))


def linoid_rate(V: Value, a: Value, V_a: Value, k: Value) -> Value:
    """a (V - V_a)/(1 - exp(-(V - V_a)/k)), finite at V = V_a."""
    return a * k * linoid((V - V_a) / k)


def falling_linoid_rate(V: Value, b: Value, V_b: Value, k: Value) -> Value:
    """b (V_b - V)/(1 - exp((V - V_b)/k)): falls with V, finite at V = V_b."""
    return b * k * linoid((V_b - V) / k)


def exp_rate(V: Value, b: Value, V_b: Value, k: Value) -> Value:
    """b exp(-(V - V_b)/k)."""
    return b * exp((V_b - V) / k)


def sigmoid_rate(V: Value, b: Value, V_b: Value, k: Value) -> Value:
    """b/(1 + exp(-(V - V_b)/k)): rises with V when k > 0."""
    return b / (1 + exp((V_b - V) / k))


def falling_rate(V: Value, b: Value, V_b: Value, k: Value) -> Value:
    """b/(1 + exp((V - V_b)/k)): falls with V when k > 0."""
    return b / (1 + exp((V - V_b) / k))


def rising_exp_rate(V: Value, a: Value, V_a: Value, k: Value) -> Value:
    """a exp((V - V_a)/k)."""
    return a * exp((V - V_a) / k)


def softplus(x: Value) -> Value:
    """ln(1 + e^x): nought far below x = 0, x far above it."""
    return log(1 + exp(x))


def nernst(z: int, T: Value, c_i: Value, c_o: Value) -> Value:
    """Equilibrium potential of an ion of valence z."""
    return R * T / F / z * log(c_o / c_i)


def ghk_current(z: int, V: Value, T: Value, c_i: Value, c_o: Value) -> Value:
    """Goldman-Hodgkin-Katz current per permeability, z F u (c_i - c_o e^-u)/(1 - e^-u) with u = z V F/(R T)."""
    u = z * V * F / (R * T)
    return z * (F * c_i * linoid(u) - F * c_o * linoid(-u))
