"""Parameter files: what is shipped, what a broken one says, and units at the border."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation import models, parameter_sets
from simulation.assembly import ModelError
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import prepare
from simulation.parameter_sets import ParameterError, convert, load

SHIPPED = parameter_sets.available()


@pytest.fixture
def file(tmp_path):
    """``file(text, name)`` writes a parameter file and gives its path."""

    def write(text: str | bytes, name: str = "own.toml") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


HEAD = 'name = "own"\ntitle = "Own"\ninherits = "squid"\n[parameters]\n'


def entry(**changed: object) -> str:
    """A parameter file that sets g_Na, whole but for ``changed``; None leaves a field out."""
    fields = {"value": 100.0, "unit": "mS/cm2", "kind": "assumed", "source": [], "range": [60.0, 160.0], "note": "own choice"} | changed
    given = ", ".join(f"{k} = {v if isinstance(v, Raw) else json.dumps(v)}" for k, v in fields.items() if v is not None)
    return f"{HEAD}g_Na = {{ {given} }}\n"


class Raw(str):
    """A value as it stands in TOML."""


# ---- what is shipped


def test_there_is_a_set_for_every_model():
    assert {models.get(name).parameters for name in models.names()} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_set_satisfies_its_model(name):
    parameters = load(name)
    bound = models.bound(parameters.model)
    bound.check_parameters([*parameters.parameters, *bound.model.stimulus])
    assert parameters.name == name
    assert set(parameters.values(bound.parameters)) == set(parameters.parameters)
    assert prepare(name).parameters.name == name


@pytest.mark.parametrize("name", SHIPPED)
def test_every_value_lies_in_its_range_and_every_source_is_known(name):
    parameters, references = load(name), parameter_sets.references()
    assert parameters.implausible() == []
    for symbol, parameter in parameters.parameters.items():
        assert set(parameter.source) <= references.keys(), symbol
        assert parameter.source or parameter.note, symbol
    for placeholder in ("TODO", "XX", "TBD", "FIXME"):
        assert placeholder not in parameters.note + parameters.title + "".join(p.note for p in parameters.parameters.values())


def test_every_model_cites_known_references(bound):
    assert set(bound.model.citations) <= parameter_sets.references().keys()
    assert bound.model.citations


def test_references_have_author_title_and_year():
    for key, text in parameter_sets.references().items():
        assert text.startswith("@"), key
        for part in ("author", "title", "year"):
            assert f"{part} = {{" in text, f"{key} lacks {part}"


def test_the_schema_describes_the_shipped_files():
    import tomllib

    import jsonschema

    schema = json.loads(parameter_sets.schema())
    for name in SHIPPED:
        jsonschema.validate(tomllib.loads((parameter_sets.folder() / f"{name}.toml").read_text(encoding="utf-8")), schema)


# ---- inheritance


def test_a_set_inherits_what_it_does_not_state(file):
    own = load(file(entry(value=90.0)))
    assert own["g_Na"].value == 90.0
    assert own["g_K"] == load("squid")["g_K"]
    assert (own.model, own.origin["g_Na"], own.origin["g_K"]) == ("squid", "own", "squid")


def test_a_set_inherits_from_the_file_beside_it(file):
    file(entry(value=90.0), "parent.toml")
    text = entry(value=80.0).replace('"squid"', '"parent"').replace('"own"', '"child"').replace("g_Na", "g_K")
    own = load(file(text, "child.toml"))
    assert (own["g_Na"].value, own["g_K"].value, own.model) == (90.0, 80.0, "squid")


def test_hypopp_is_the_fibre_with_a_leak():
    leaky, healthy = load("fibre_hypopp"), load("fibre")
    assert {s for s in healthy.parameters if leaky[s] != healthy[s]} == {"P_gp"}
    assert healthy["P_gp"].value == 0 < leaky["P_gp"].value


# ---- what is wrong is said, with file and place


@pytest.mark.parametrize(("text", "said"), [
    (entry(value=Raw("nan")), r"own\.toml: parameters\.g_Na\.value: .*finite"),
    (entry(value=Raw("inf")), r"own\.toml: parameters\.g_Na\.value: .*finite"),
    (entry(value=Raw("[1]")), r"own\.toml: parameters\.g_Na\.value: .*number"),
    (entry(value="much"), r"own\.toml: parameters\.g_Na\.value: .*number"),
    (entry(value=None), r"own\.toml: parameters\.g_Na\.value: Field required"),
    (entry(unit=None), r"own\.toml: parameters\.g_Na\.unit: Field required"),
    (entry(unit=3), r"own\.toml: parameters\.g_Na\.unit: .*string"),
    (entry(kind="guessed"), r"own\.toml: parameters\.g_Na\.kind: .*'measured', 'fitted', 'derived' or 'assumed'"),
    (entry(range=None), r"own\.toml: parameters\.g_Na\.range: Field required"),
    (entry(range=[160.0, 60.0]), r"own\.toml: parameters\.g_Na: the range 160.0 to 60.0 is upside down"),
    (entry(range=[60.0]), r"own\.toml: parameters\.g_Na\.range"),
    (entry(range=Raw("[nan, nan]")), r"own\.toml: parameters\.g_Na\.range"),
    (entry(value=200.0), r"own\.toml: parameters\.g_Na: the value 200.0 lies outside its own range 60.0 to 160.0"),
    (entry(note=""), r"own\.toml: parameters\.g_Na: a number without a source needs a note"),
    (entry(kind="measured", note="seen"), r"own\.toml: parameters\.g_Na: a measured number needs a source"),
    (entry(colour="red"), r"own\.toml: parameters\.g_Na\.colour: Extra inputs are not permitted"),
    (entry().replace("g_Na", "g_Nq"), r"own\.toml: 'squid' has no parameter 'g_Nq'; nearest: g_Na"),
    (entry().replace('inherits = "squid"', ""), r"own\.toml: the file: say either 'model' or 'inherits'"),
    (entry().replace('inherits = "squid"', 'inherits = "squid"\nmodel = "squid"'), r"own\.toml: the file: say either 'model' or 'inherits'"),
    (entry().replace('"squid"', '"squib"'), r"there is no parameter set 'squib'; nearest: squid"),
    (entry().replace('title = "Own"', ""), r"own\.toml: title: Field required"),
    (entry().replace("title =", "titel ="), r"own\.toml: (title|titel): "),
    (entry().replace("[parameters]", "[parameter]"), r"own\.toml: parameters: Field required"),
    (HEAD.replace("[parameters]", "parameters = 3"), r"own\.toml: parameters: "),
    (entry() + "g_K = 3\n", r"own\.toml: parameters\.g_K: "),
    (entry() + entry().splitlines()[-1] + "\n\n", r"own\.toml is not valid TOML: .*line"),
    ("name = \n", r"own\.toml is not valid TOML: .*line 1"),
    ("", r"own\.toml: name: Field required"),
    (b"\xff\xfe\x00", r"cannot read .*own\.toml: it is not text in UTF-8"),
])
def test_a_broken_file_says_what_is_wrong_where(file, text, said):
    with pytest.raises(ParameterError, match=said):
        load(file(text))


def test_a_circle_of_inheritance_is_shown(file):
    head = 'name = "{}"\ntitle = "T"\ninherits = "{}"\n[parameters]\n'
    file(head.format("one", "two"), "one.toml")
    file(head.format("two", "three"), "two.toml")
    path = file(head.format("three", "one"), "three.toml")
    with pytest.raises(ParameterError, match="circle: three -> one -> two -> three"):
        load(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(ParameterError, match=r"there is no file .*none\.toml"):
        load(str(tmp_path / "none.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ParameterError, match="there is no file"):
        load(str(tmp_path / "folder.toml"))
    with pytest.raises(ParameterError, match=r"there is no parameter set 'fiber'; nearest: fibre.*shipped: .*fibre"):
        load("fiber")


def test_a_model_that_does_not_exist_is_said_so(file):
    path = file(entry().replace('inherits = "squid"', 'model = "squib"'))
    with pytest.raises(ModelError, match="there is no model 'squib'; nearest: squid"):
        prepare(path)


def test_a_file_that_lacks_parameters_names_one(file):
    path = file(entry().replace('inherits = "squid"', 'model = "squid"'))
    with pytest.raises(ModelError, match=r"unknown name '.*' in the equation"):
        prepare(path)


@given(st.text(max_size=60))
def test_whatever_is_in_a_file_ends_in_a_parameter_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(HEAD + text, encoding="utf-8", newline="")
    with suppress(ParameterError):
        load(str(path))


@given(st.text(max_size=12))
def test_whatever_unit_is_given_ends_in_a_parameter_error(unit):
    with suppress(ParameterError):
        convert(1.0, unit, "mS/cm2", "g_Na")


# ---- units at the border


def test_temperature_is_in_degC_in_files_and_kelvin_in_the_model():
    assert load("squid")["T"].unit == "degC"
    assert prepare("squid").numbers()["T"] == pytest.approx(279.45)
    assert prepare("squid", {"T": 18.5}).numbers()["T"] == pytest.approx(291.65)
    assert convert(-273.15, "degC", "K", "T") == 0


def test_pmol_are_converted(file):
    text = entry(value=0.25, unit="pmol/cm2/s", range=[0.1, 0.4]).replace("squid", "fibre").replace("g_Na", "J_NKCC")
    own = prepare(file(text))
    assert own.parameters["J_NKCC"].value == 0.25
    assert own.numbers()["J_NKCC"] == pytest.approx(2.5e-7, rel=1e-12)


@pytest.mark.parametrize(("unit", "said"), [
    ("mV", "g_Na is given in mV, the model wants mS/cm2"), ("mS/cm3", "g_Na is given in mS/cm3"), ("qqq", "'qqq' is not a unit that is known"),
])
def test_a_unit_of_another_dimension_is_refused(file, unit, said):
    with pytest.raises(ParameterError, match=said):
        prepare(file(entry(unit=unit))).numbers()


@pytest.mark.parametrize("unit", ["celsius", "degF", "°C"])
def test_a_temperature_is_never_multiplied(file, unit):
    text = entry(value=6.0, unit=unit, range=[0.0, 30.0]).replace("g_Na", "T")
    with pytest.raises(ParameterError, match=f"T is given in {unit}, the model wants K"):
        prepare(file(text)).numbers()


# ---- changes by the user


def test_values_are_replaced_and_scaled_and_it_is_noted():
    p = prepare("squid", set={"g_Na": 60.0}, scale={"g_K": 0.5})
    assert (p.numbers()["g_Na"], p.numbers()["g_K"]) == (60.0, 18.0)
    assert dict(p.parameters.changed) == {"g_Na": "60 mS/cm2 instead of 120", "g_K": "scaled by 0.5"}
    assert p.parameters.implausible() == [
        "g_Na = 60 mS/cm2 lies outside its plausible range 65 to 160", "g_K = 18 mS/cm2 lies outside its plausible range 26 to 49",
    ]
    assert load("squid")["g_Na"].value == 120.0


@pytest.mark.parametrize("given", [
    {"set": {"g_Nq": 1.0}}, {"scale": {"g_Nq": 1.0}}, {"set": {"g_Na": float("nan")}}, {"set": {"g_Na": float("inf")}},
    {"scale": {"g_Na": -1.0}}, {"scale": {"g_Na": float("nan")}}, {"set": {"I_0": 5.0}},
])
def test_a_change_that_cannot_be_is_refused(given):
    with pytest.raises(ParameterError, match=r"g_N|I_0"):
        prepare("squid", **given)


def test_a_symbol_is_not_set_as_bath_and_as_parameter():
    for change in ({"set": {"K_o": 6.0}}, {"scale": {"K_o": 1.5}}):
        with pytest.raises(ExperimentError, match="K_o is set twice: in the bath as K and as a parameter"):
            prepare("fibre", "K=5", **change)


def test_the_set_and_the_model_have_to_fit():
    with pytest.raises(ExperimentError, match="the parameter set 'squid' is for the model 'squid', not for 'fibre'"):
        prepare("fibre", parameters="squid")
    with pytest.raises(ModelError, match="there is no model 'fiber'"):
        prepare("fiber")
    with pytest.raises(ModelError, match="there is no model 'fiber'"):
        prepare("fiber", parameters="fibre")
