"""From equations to one system: declare, bind, trace, emit, compile, check units, typeset. No physiology in here."""

from simulation.assembly.bind import Bound, Definition, bind
from simulation.assembly.declare import Channel, Compartment, Equation, Gate, Model, Scope, State
from simulation.assembly.errors import ModelError

__all__ = ["Bound", "Channel", "Compartment", "Definition", "Equation", "Gate", "Model", "ModelError", "Scope", "State", "bind"]
