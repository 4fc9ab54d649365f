"""The typeset reading."""

from __future__ import annotations

import pytest

from simulation.assembly.symbols import symbol_latex
from simulation.assembly.typeset import definition_latex, latex


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("V_s", "V_{s}"),
        ("E_K", r"E_{\mathrm{K}}"),
        ("alpha_m_t", r"\alpha_{m,t}"),
        ("h_inf_s", r"h_{\infty,s}"),
        ("K_o", r"[\mathrm{K}]_{o}"),
        ("K_ref", r"[\mathrm{K}]_{\mathrm{ref}}"),
        ("I_Na", r"I_{\mathrm{Na}}"),
        ("dV_dt", r"\frac{d V}{dt}"),
        ("Vhalf_h", "V_{1/2,h}"),
        ("dpsi", r"\Delta\psi"),
        ("Q10_m", r"Q_{\mathrm{10},m}"),
    ],
)
def test_symbols(name, expected):
    assert symbol_latex(name) == expected


def test_textbook_equations(squid, fibre):
    assert definition_latex(squid.bound.definition("I_Na")) == (
        r"I_{\mathrm{Na}} = g_{\mathrm{Na}} \, m^{3} \, h \, \left(V - E_{\mathrm{Na}}\right)"
    )
    assert definition_latex(fibre.bound.definition("E_K_s")) == (
        r"E_{\mathrm{K},s} = \frac{R \, T}{F} \, \ln{\left(\frac{[\mathrm{K}]_{o}}{[\mathrm{K}]_{i}} \right)}"
    )
    assert r"0 = " in definition_latex(fibre.bound.definition("psi"))


def test_every_equation_is_typeset_and_renders(bound):
    from matplotlib.mathtext import MathTextParser

    parser = MathTextParser("path")
    for equation in latex(bound):
        assert equation.latex.startswith(symbol_latex(equation.symbol))
        # Matplotlib knows a part of LaTeX only; what it does not know is replaced by what takes the same place.
        text = equation.latex.replace(r"\quad", r"\ ").replace(r"\mathcal{B}", "B")
        parser.parse(f"${text}$")
