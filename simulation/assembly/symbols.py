"""Names of symbols as they are typeset. Apart from the typeset reading, so that an axis label does not wait for SymPy."""

import re

_IONS = ("K", "Na", "Cl", "Ca", "Mg")
_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "lambda", "mu", "nu", "psi", "rho", "sigma", "tau", "zeta",
}
_SPECIAL = {"dpsi": r"\Delta\psi", "eps": r"\varepsilon"}


def symbol_latex(name: str) -> str:
    r"""A symbol's name in LaTeX: 'alpha_m_s' -> '\alpha_{m,s}', 'dV_s_dt' -> '\dot{V}_{s}', 'Cl_i' -> '[\mathrm{Cl}]_{i}'."""
    rate = re.fullmatch(r"d(.+)_dt", name)
    if rate:
        inner = symbol_latex(rate.group(1))
        return rf"\frac{{d {inner}}}{{dt}}"
    head, *rest = name.split("_")
    if head in _IONS and rest and rest[0] in ("o", "i", "t", "ref"):
        inside = ",".join(part if len(part) == 1 else rf"\mathrm{{{part}}}" for part in rest)
        return rf"[\mathrm{{{head}}}]_{{{inside}}}"
    if head == "Q10":
        head, rest = "Q", ["10", *rest]
    elif head in _SPECIAL:
        head = _SPECIAL[head]
    elif head in _GREEK:
        head = rf"\{head}"
    elif len(head) > 1:
        match = re.fullmatch(r"([Vk])(half|a|b)", head)
        if match:
            rest.insert(0, {"half": "1/2"}.get(match.group(2), match.group(2)))
            head = match.group(1)
        else:
            head = rf"\mathrm{{{head}}}"
    if rest and rest[0] == "inf":
        rest[0] = r"\infty"
    elif "inf" in rest:
        rest = [r"\infty" if part == "inf" else part for part in rest]
    parts = [part if (len(part) == 1 and part not in _IONS) or part.startswith("\\") or "/" in part else rf"\mathrm{{{part}}}" for part in rest]
    return f"{head}_{{{','.join(parts)}}}" if parts else head
