"""How gates move, whatever moves them."""

from simulation.physiology.vocabulary import Value


def relaxation(x: Value, x_inf: Value, tau_x: Value) -> Value:
    """A gate on its way to its steady state: dx/dt = (x_inf - x)/tau_x."""
    return (x_inf - x) / tau_x


def opening_and_closing(x: Value, alpha_x: Value, beta_x: Value) -> Value:
    """A gate that opens and closes: dx/dt = alpha (1 - x) - beta x (Hodgkin & Huxley 1952)."""
    return alpha_x * (1 - x) - beta_x * x


def steady_state(alpha_x: Value, beta_x: Value) -> Value:
    """Share of gates open in the end: alpha/(alpha + beta)."""
    return alpha_x / (alpha_x + beta_x)


def time_constant(alpha_x: Value, beta_x: Value) -> Value:
    """1/(alpha + beta)."""
    return 1 / (alpha_x + beta_x)
