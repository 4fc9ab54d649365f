"""A motor unit: which models and parameter sets stand for its axon, its junction and its muscle fibre."""

from dataclasses import dataclass

STAGES = ("axon", "junction", "muscle")


@dataclass(frozen=True)
class MotorUnitDeclaration:
    """Names of parameter sets, one a stage, and of the set that says how the unit is driven."""

    name: str
    title: str
    axon: str
    junction: str
    muscle: str
    motoneuron: str


motor_unit = MotorUnitDeclaration(
    "motor_unit", title="Motor unit: motor axon, junction and one muscle fibre of it", axon="axon", junction="junction", muscle="muscle",
    motoneuron="motoneuron",
)
