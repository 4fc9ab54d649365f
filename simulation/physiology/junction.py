"""The nerve-muscle junction: release of transmitter, the end-plate potential that it makes, and what a train leaves of it.

Two shares are followed from spike to spike: of the quanta that are ready to be released, and of the reserve that replaces them."""

from simulation.physiology.vocabulary import Value, dimensionless, exp, gate, mM, ms, mV


def rho(Ca_o: mM, Mg_o: mM, K_Ca: mM, K_Mg: mM) -> gate:
    """Share of the sites of release that hold calcium; magnesium takes the others (Dodge & Rahamimoff 1967)."""
    return Ca_o / K_Ca / (1 + Ca_o / K_Ca + Mg_o / K_Mg)


def release(rho: gate, rho_ref: gate, n_sites: dimensionless) -> dimensionless:
    """Release relative to that in the reference bath: it takes several sites together (Dodge & Rahamimoff 1967)."""
    return (rho / rho_ref) ** n_sites


def m(m_0: dimensionless, release: dimensionless, ready: gate) -> dimensionless:
    """Quantal content: how many quanta a spike of the nerve sets free."""
    return m_0 * release * ready


def EPP(m: dimensionless, q: mV, w_sum: dimensionless, E_EPP: mV) -> mV:
    """End-plate potential: quanta add up the less, the nearer they bring the end plate to the reversal potential of its current
    (correction of nonlinear summation)."""
    return m * q / (1 + w_sum * m * q / E_EPP)


def safety_factor(EPP: mV, threshold: mV, ease: dimensionless) -> dimensionless:
    """End-plate potential as a multiple of the depolarisation at which the end plate fires. There the membrane is easier to excite
    than elsewhere on the fibre (dense sodium channels in deep folds): ``ease`` is its threshold as a share of the bare fibre's."""
    return EPP / (ease * threshold)


def used(release: dimensionless, ready: gate, u_ready: gate) -> gate:
    """What a spike takes of the quanta that are ready, never more than there are."""
    share = u_ready * release
    return ready * share / (1 + share)


def ready_later(dt: ms, ready: gate, reserve: gate, tau_ready: ms, tau_reserve: ms) -> gate:
    """Share of quanta that are ready a time dt later: d ready/dt = (reserve - ready)/tau_ready, solved exactly while the reserve recovers.

    The two time constants have to differ."""
    slow = (1 - reserve) / (1 - tau_ready / tau_reserve)
    return 1 - (1 - ready - slow) * exp(-dt / tau_ready) - slow * _left(dt, tau_reserve)


def reserve_later(dt: ms, reserve: gate, tau_reserve: ms) -> gate:
    """Share of the reserve that is there a time dt later: d reserve/dt = (1 - reserve)/tau_reserve, solved exactly."""
    return 1 - (1 - reserve) * _left(dt, tau_reserve)


def _left(dt: Value, tau: Value) -> Value:
    return exp(-dt / tau)
