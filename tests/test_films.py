"""Films: that what moves is the result, and that a file says what it shows and what made it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from matplotlib.animation import FFMpegWriter
from matplotlib.colors import to_rgb
from PIL import Image

import simulation as sim
from simulation import figures
from simulation.figures import scenes, style
from simulation.figures.animation import FRAME, Reel
from simulation.figures.dark import themed
from simulation.figures.errors import FigureError
from simulation.figures.plate import new_plate
from simulation.figures.save import comment, provenance_of
from simulation.figures.scenes import Course, Growing, Scrolling
from simulation.gallery import films


@pytest.fixture(scope="module")
def short():
    """A spike along a short cable, half a second of film."""
    return films.running_spike((4.0,), sections=12, duration=0.5)


@pytest.fixture(scope="module")
def run(fibre):
    """The same spike."""
    return sim.propagate(fibre.in_bath(K=4), 12, least=0.5)


def _stage(reel):
    plate = new_plate(FRAME, title=reel.title, alt=reel.alt, provenance=reel.provenance)
    return plate, reel.scene(plate, FRAME)


def test_frames_show_the_recording_at_their_times(short, run):
    _, move = _stage(short)
    for t in (0.0, 0.1, 0.3):
        line, clock = move(t)  # a second of film is a millisecond
        assert line.get_xdata() == pytest.approx(run.cable.x)
        assert line.get_ydata() == pytest.approx(run.profile(t), abs=1e-9)
        assert clock.get_text() == f"{t:.1f} ms"
    i = int(np.searchsorted(run.t, 0.3))
    assert np.abs(move(float(run.t[i]))[0].get_ydata() - run.V[i]).max() < 1e-6


def test_pictures_differ_and_only_where_lines_move(short):
    first, second = (np.asarray(picture) for picture in short.frames(times=[0.0, 0.3]))
    assert first.shape == (540, 960, 3)
    changed = (first != second).any(axis=2)
    assert changed.any()
    assert not changed[-60:].any()  # the axis below stands still


def test_a_gif_has_its_frames_its_duration_and_its_origin(short, tmp_path, cramplab):
    path = short.write(tmp_path / "spike.gif")
    with Image.open(path) as image:
        assert (image.n_frames, image.size) == (round(short.seconds * short.fps), (960, 540))
        durations = []
        for i in range(image.n_frames):
            image.seek(i)
            durations.append(image.info["duration"])
        assert sum(durations) == 1000 * short.seconds
        assert image.info["loop"] == 0
        image.seek(0)
        said = json.loads(image.info["comment"])
    assert said["description"] == short.alt
    assert provenance_of(path) == json.loads(json.dumps(short.provenance))
    code, out, _ = cramplab("why", str(path))
    assert code == 0
    assert "a spike along a cable" in out.replace("\n", " ")


def test_a_dark_film_is_dark_and_shows_the_same(short):
    light, dark = (np.asarray(next(short.frames(theme, [0.2]))) for theme in ("light", "dark"))
    assert light[0, 0].tolist() == [255, 255, 255]
    assert dark[0, 0].tolist() == [20, 22, 26]
    ink = (light < 128).all(axis=2)
    assert (dark[ink].mean(axis=1) > 128).mean() > 0.9


def test_on_dark_paper_words_and_lines_are_seen(short):
    plate, move = _stage(short)
    line, clock = move(0.1)
    themed(plate, "dark")
    for artist in (line, clock):
        assert style.contrast(to_rgb(artist.get_color()), to_rgb(style.DARK_PAPER)) > 4.5


def test_without_ffmpeg_an_mp4_is_refused(short, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert short.formats == ("gif",)
    with pytest.raises(FigureError, match=r"needs the program ffmpeg, which is not on the path.*write a \.gif"):
        short.write(tmp_path / "spike.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not FFMpegWriter.isAvailable(), reason="there is no ffmpeg")
def test_an_mp4_says_what_made_it(short, tmp_path):
    assert provenance_of(short.write(tmp_path / "spike.mp4")) == json.loads(json.dumps(short.provenance))


def test_the_comment_of_an_mp4_is_read(tmp_path):
    text = comment("a", "b", {"model": "fibre"}).encode()
    data = (16 + len(text)).to_bytes(4) + b"data" + bytes([0, 0, 0, 1, 0, 0, 0, 0]) + text
    path = tmp_path / "x.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypisom...." + (8 + len(data)).to_bytes(4) + b"\xa9cmt" + data + b"more")
    assert provenance_of(path) == {"model": "fibre"}
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FigureError, match="does not say what made it"):
        provenance_of(path)


def test_what_is_no_film_is_refused(short, tmp_path):
    with pytest.raises(FigureError, match=r"written as \.gif or \.mp4.*nearest: gif"):
        short.write(tmp_path / "spike.gfi")
    with pytest.raises(FigureError, match="nearest: dark"):
        short.write(tmp_path / "spike.gif", "drak")


def test_the_still_shows_the_moments(short, run, tmp_path):
    reel = Reel(short.title, short.alt, short.provenance, short.scene, short.seconds, (0.0, 0.1, 0.3, 0.4), short.numbers)
    for size in figures.SIZES:
        plate = reel.still(size)
        lines = [part.axes[0].get_lines()[0] for part in plate.subfigs]
        assert len(lines) == (2 if size == "half" else 4)
        for t, line in zip(reel.moments[1:3] if size == "half" else reel.moments, lines, strict=True):
            assert line.get_ydata() == pytest.approx(run.profile(t))
    assert "0, 0.1, 0.3, 0.4 s" in plate.alt
    (path,) = figures.save(plate, tmp_path / "still.png")
    assert provenance_of(path) == json.loads(json.dumps(short.provenance))


# ---- courses in time

def test_a_growing_panel_shows_what_has_been_and_a_scrolling_one_the_last_half_second():
    t = np.arange(0.0, 2001.0)
    grows = Growing("y", (Course(t, t / 2000, style.POTENTIAL),), (0.0, 1.0))
    scrolls = Scrolling("V", Course(t, np.sin(t), style.POTENTIAL), (-1.0, 1.0))
    reel = Reel("a", "b.", {"c": 1}, scenes.through_time([grows, scrolls], 2000.0, [(0.0, "first"), (1000.0, "then")]), 2.0, (1.0,), {})
    _, move = _stage(reel)
    line, dot, past, now, corner = move(1.2)
    assert line.get_xdata().tolist()[-1] == 1.2
    assert len(line.get_xdata()) == 1202
    assert (dot.get_xdata(), dot.get_ydata()) == ([1.2], [0.6])
    assert past.get_xdata().min() > -501
    assert past.get_ydata()[:-1] == pytest.approx(np.sin(past.get_xdata()[:-1] + 1200))
    assert now.get_ydata() == [pytest.approx(math.sin(1200))]
    assert corner.get_text() == "then"
    assert move(0.5)[-1].get_text() == "first"


def test_thinning_keeps_every_peak():
    t = np.linspace(0.0, 100.0, 10001)
    y = np.exp(-((t - 33.33) ** 2) * 50)
    few, left = scenes.thinned(t, y, 1.0)
    assert len(few) < 320
    assert left.max() == y.max()
    assert (np.diff(few) > 0).all()
    assert few[-1] == t[-1]


# ---- the films

def test_calcium_sets_an_excitable_axon_off_and_the_film_says_where():
    reel = films.falling_calcium()
    numbers = reel.numbers
    assert numbers["spikes (1)"] > 20
    # With the fall rest loses its stability first, and the axon begins to fire a little later.
    assert numbers["Ca at the first spike (mM)"] == pytest.approx(numbers["Ca at which rest becomes unstable (mM)"], abs=0.05)
    assert numbers["Ca at the first spike (mM)"] < numbers["Ca at which rest becomes unstable (mM)"]
    assert f"{numbers['Ca at the first spike (mM)']:.2f} mM" in reel.alt
    assert "picked because it does" in reel.title
    _, move = _stage(reel)
    assert move(3.0)[4].get_ydata().max() < -60  # silent
    assert move(6.5)[4].get_ydata().max() > 0
    assert move(8.9)[4].get_ydata().max() < -60


def test_washing_potassium_out_ends_what_an_order_left_behind():
    reel = films.washed_out()
    numbers = reel.numbers
    assert numbers["after-discharge in normal K (1)"] == 0
    assert numbers["spikes before the second order (1)"] == 0
    assert numbers["after-discharge in raised K (1)"] > 20
    assert numbers["last spike after the wash-out began (ms)"] < 300
    assert numbers["force at the end of the cramp (1)"] > 0.3
    assert numbers["force at the end (1)"] < 0.01


def test_every_film_teaches_and_lasts_as_long_as_a_lecture_can_wait():
    assert [f.name for f in films.FIGURES] == ["running-spike", "falling-calcium", "washed-out"]
    assert all(f.teaches.endswith(".") for f in films.FIGURES)
    assert 6.0 <= films.CRAMP_END / 1000 <= 12.0
    assert 6.0 <= films.END / 1000 <= 12.0
