"""Release of calcium from the store: four voltage sensors in the tubule move a channel with two states each, closed C and open O.

The scheme is that of Stern, Pizarro & Rios (1997) with the rates of Shorten et al. (2007). C_0 is what is left of all ten, so that
their sum is 1 whatever the others do."""

from simulation.physiology.vocabulary import (
    Value,
    dimensionless,
    exp,
    gate,
    kelvin,
    mM,
    mM_um3_ms,
    mV,
    per_ms,
    q10,
    um3_ms,
)


def theta_release(Q10_release: dimensionless, T: kelvin, T_ref_force: kelvin) -> dimensionless:
    """Factor of temperature on the gating of release, on the flux through it and on the leak of the store."""
    return q10(Q10_release, T, T_ref_force)


def V_sensor(V_t: mV, w_sensor: dimensionless, dpsi: mV, caffeine: mM, K_caffeine: mM, dV_caffeine: mV) -> mV:
    """Potential that the voltage sensors of release feel: they sense part of the surface charge (Costantin 1968), and caffeine
    lowers the threshold of release, here as a depolarisation that saturates."""
    return V_t - w_sensor * dpsi + dV_caffeine * caffeine / (K_caffeine + caffeine)


def k_C(V_sensor: mV, theta_release: dimensionless, alpha_sensor: per_ms, Vhalf_sensor: mV, k_sensor: mV) -> per_ms:
    """Rate at which one voltage sensor of a closed channel moves out (Shorten et al. 2007)."""
    return theta_release * 0.5 * alpha_sensor * exp((V_sensor - Vhalf_sensor) / (8 * k_sensor))


def k_Cm(V_sensor: mV, theta_release: dimensionless, alpha_sensor: per_ms, Vhalf_sensor: mV, k_sensor: mV) -> per_ms:
    """Rate at which one voltage sensor of a closed channel moves back (Shorten et al. 2007)."""
    return theta_release * 0.5 * alpha_sensor * exp((Vhalf_sensor - V_sensor) / (8 * k_sensor))


def k_open(theta_release: dimensionless, k_L: per_ms, caffeine: mM, K_caffeine: mM, w_caffeine: dimensionless) -> per_ms:
    """Opening rate of a channel none of whose sensors has moved; each that has divides it by f_allo. Caffeine also opens it by itself."""
    bound = caffeine / (K_caffeine + caffeine)
    return theta_release * k_L * (1 + w_caffeine * bound * bound)


def k_close(theta_release: dimensionless, k_Lm: per_ms) -> per_ms:
    """Closing rate of a channel none of whose sensors has moved; each that has multiplies it with f_allo."""
    return theta_release * k_Lm


def C_0(C_1: gate, C_2: gate, C_3: gate, C_4: gate, O_0: gate, O_1: gate, O_2: gate, O_3: gate, O_4: gate) -> gate:
    """Share of channels closed with all sensors at rest: all that are in no other state."""
    return 1 - C_1 - C_2 - C_3 - C_4 - O_0 - O_1 - O_2 - O_3 - O_4


def _sensor(i: int, below: Value, above: Value, out: Value, back: Value) -> Value:
    # Net flow from the state with i sensors moved to that with i + 1.
    return (4 - i) * out * below - (i + 1) * back * above


def out_C_0(C_0: gate, C_1: gate, k_C: per_ms, k_Cm: per_ms) -> per_ms:
    """Flow of closed channels that move their first sensor."""
    return _sensor(0, C_0, C_1, k_C, k_Cm)


def out_C_1(C_1: gate, C_2: gate, k_C: per_ms, k_Cm: per_ms) -> per_ms:
    """Flow of closed channels that move their second sensor."""
    return _sensor(1, C_1, C_2, k_C, k_Cm)


def out_C_2(C_2: gate, C_3: gate, k_C: per_ms, k_Cm: per_ms) -> per_ms:
    """Flow of closed channels that move their third sensor."""
    return _sensor(2, C_2, C_3, k_C, k_Cm)


def out_C_3(C_3: gate, C_4: gate, k_C: per_ms, k_Cm: per_ms) -> per_ms:
    """Flow of closed channels that move their fourth sensor."""
    return _sensor(3, C_3, C_4, k_C, k_Cm)


def out_O_0(O_0: gate, O_1: gate, k_C: per_ms, k_Cm: per_ms, f_allo: dimensionless) -> per_ms:
    """Flow of open channels that move their first sensor."""
    return _sensor(0, O_0, O_1, k_C / f_allo, k_Cm * f_allo)


def out_O_1(O_1: gate, O_2: gate, k_C: per_ms, k_Cm: per_ms, f_allo: dimensionless) -> per_ms:
    """Flow of open channels that move their second sensor."""
    return _sensor(1, O_1, O_2, k_C / f_allo, k_Cm * f_allo)


def out_O_2(O_2: gate, O_3: gate, k_C: per_ms, k_Cm: per_ms, f_allo: dimensionless) -> per_ms:
    """Flow of open channels that move their third sensor."""
    return _sensor(2, O_2, O_3, k_C / f_allo, k_Cm * f_allo)


def out_O_3(O_3: gate, O_4: gate, k_C: per_ms, k_Cm: per_ms, f_allo: dimensionless) -> per_ms:
    """Flow of open channels that move their fourth sensor."""
    return _sensor(3, O_3, O_4, k_C / f_allo, k_Cm * f_allo)


def open_0(C_0: gate, O_0: gate, k_open: per_ms, k_close: per_ms) -> per_ms:
    """Flow of channels that open with no sensor moved."""
    return k_open * C_0 - k_close * O_0


def open_1(C_1: gate, O_1: gate, k_open: per_ms, k_close: per_ms, f_allo: dimensionless) -> per_ms:
    """Flow of channels that open with one sensor moved."""
    return k_open / f_allo * C_1 - k_close * f_allo * O_1


def open_2(C_2: gate, O_2: gate, k_open: per_ms, k_close: per_ms, f_allo: dimensionless) -> per_ms:
    """Flow of channels that open with two sensors moved."""
    return k_open / f_allo**2 * C_2 - k_close * f_allo**2 * O_2


def open_3(C_3: gate, O_3: gate, k_open: per_ms, k_close: per_ms, f_allo: dimensionless) -> per_ms:
    """Flow of channels that open with three sensors moved."""
    return k_open / f_allo**3 * C_3 - k_close * f_allo**3 * O_3


def open_4(C_4: gate, O_4: gate, k_open: per_ms, k_close: per_ms, f_allo: dimensionless) -> per_ms:
    """Flow of channels that open with all sensors moved."""
    return k_open / f_allo**4 * C_4 - k_close * f_allo**4 * O_4


def dC_1_dt(out_C_0: per_ms, out_C_1: per_ms, open_1: per_ms) -> per_ms:
    """Closed channels with one sensor moved."""
    return out_C_0 - out_C_1 - open_1


def dC_2_dt(out_C_1: per_ms, out_C_2: per_ms, open_2: per_ms) -> per_ms:
    """Closed channels with two sensors moved."""
    return out_C_1 - out_C_2 - open_2


def dC_3_dt(out_C_2: per_ms, out_C_3: per_ms, open_3: per_ms) -> per_ms:
    """Closed channels with three sensors moved."""
    return out_C_2 - out_C_3 - open_3


def dC_4_dt(out_C_3: per_ms, open_4: per_ms) -> per_ms:
    """Closed channels with all sensors moved."""
    return out_C_3 - open_4


def dO_0_dt(open_0: per_ms, out_O_0: per_ms) -> per_ms:
    """Open channels with no sensor moved."""
    return open_0 - out_O_0


def dO_1_dt(out_O_0: per_ms, out_O_1: per_ms, open_1: per_ms) -> per_ms:
    """Open channels with one sensor moved."""
    return out_O_0 - out_O_1 + open_1


def dO_2_dt(out_O_1: per_ms, out_O_2: per_ms, open_2: per_ms) -> per_ms:
    """Open channels with two sensors moved."""
    return out_O_1 - out_O_2 + open_2


def dO_3_dt(out_O_2: per_ms, out_O_3: per_ms, open_3: per_ms) -> per_ms:
    """Open channels with three sensors moved."""
    return out_O_2 - out_O_3 + open_3


def dO_4_dt(out_O_3: per_ms, open_4: per_ms) -> per_ms:
    """Open channels with all sensors moved."""
    return out_O_3 + open_4


def P_release(
    O_0: gate, O_1: gate, O_2: gate, O_3: gate, O_4: gate, Mg_r: mM, Mg_i_ref: mM, K_Mg_release: mM, affinity_rest: dimensionless
) -> gate:
    """Open channels that magnesium lets through, relative to a channel with all sensors moved in the reference magnesium.

    Magnesium halves release at K_Mg_release where all sensors have moved, and binds affinity_rest times as well where none has
    (Jona et al. 2001), which holds the store shut at rest; each sensor that moves takes away an equal part of that (an assumption)."""
    def passing(i: int) -> Value:
        K = K_Mg_release * affinity_rest ** (i / 4 - 1)
        return (1 + Mg_i_ref / K_Mg_release) / (1 + Mg_r / K)

    return O_0 * passing(0) + O_1 * passing(1) + O_2 * passing(2) + O_3 * passing(3) + O_4 * passing(4)


def J_release(
    i_release: um3_ms, theta_release: dimensionless, P_release: gate, Ca_SR_r: mM, Ca_r: mM, dantrolene: mM, K_dantrolene: mM
) -> mM_um3_ms:
    """Calcium released into the terminal space of a half sarcomere (Shorten et al. 2007); dantrolene lowers it."""
    return i_release * theta_release / (1 + dantrolene / K_dantrolene) * P_release * (Ca_SR_r - Ca_r)
