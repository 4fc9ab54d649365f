"""The classroom: exercises that the model judges, predictions, equations typeset from the code, and the notebooks that hold them."""

from simulation.classroom.asking import check, predict
from simulation.classroom.equations import equation
from simulation.classroom.errors import ClassroomError
from simulation.classroom.laboratory import with_channel

__all__ = ["ClassroomError", "check", "equation", "predict", "with_channel"]
