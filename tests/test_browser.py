"""In a browser: the explorer's page by keyboard and eye, and a notebook run in JupyterLab.

The browser is Chromium, found as `chromium` or named by $CRAMPLAB_BROWSER; without one these tests are skipped, but not where CI is set."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from simulation import figures

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
PATIENCE = 120  # s that a busy machine may take for a step

# Contrast of every visible word with what is behind it, as WCAG 2 defines it, and the words that fall short: below 4.5, or 3 if large.
CONTRAST = """() => {
  const rgba = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = (rgb) => { const [r, g, b] = rgb.map((c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const paper = (element) => { for (let e = element; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
    if (c[3] > 0.99) return c; } return [255, 255, 255, 1]; };
  const out = [];
  let seen = 0;
  for (const e of document.querySelectorAll('.cramplab *')) {
    const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join('');
    const words = text || (e.tagName === 'INPUT' ? e.value : '');
    const box = e.getBoundingClientRect();
    if (!words || !box.width || e.type === 'range' || e.type === 'checkbox' || e.tagName === 'OPTION') continue;
    const style = getComputedStyle(e), inside = e.namespaceURI.endsWith('svg');
    const ink = rgba(inside ? style.fill : style.color);
    const [a, b] = [light(ink.slice(0, 3)), light(paper(inside ? e.closest('div') : e).slice(0, 3))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    seen += 1;
    if (ratio < (large ? 3 : 4.5)) out.push(`${words.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return { seen, out };
}"""


@pytest.fixture(scope="module")
def chromium():
    """A browser; skipped without one, unless CI is set."""
    path = os.environ.get("CRAMPLAB_BROWSER") or shutil.which("chromium")
    if not path:
        message = "there is no browser: install Chromium (apt-get install chromium), or name one in CRAMPLAB_BROWSER"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    sandbox = [] if os.name == "nt" or os.geteuid() else ["--no-sandbox"]  # Chromium of the superuser has none
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        browser.close()


class Server:
    """A server in a process of its own, which is told Ctrl-C at the end."""

    def __init__(self, *command: str, **more) -> None:
        own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {
            "start_new_session": True, "preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **own, **more
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.said: list[str] = []
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def until(self, word: str) -> str:
        """The line in which a word is said."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                line = self.lines.get(timeout=1)
            except queue.Empty:
                continue
            self.said.append(line)
            if word in line:
                return line
            if not line:
                break
        pytest.fail(f"'{word}' was never said, but: {''.join(self.said)}")

    def answers(self, port: int) -> None:
        """Waits until it can be reached: some say that they run before they listen."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        pytest.fail(f"nothing answers at port {port}")

    def stop(self) -> int:
        self.process.send_signal(signal.CTRL_BREAK_EVENT if os.name == "nt" else signal.SIGINT)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.listener.join(5)
            self.process.stdout.close()


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("localhost", 0))
        return int(trial.getsockname()[1])


@pytest.fixture(scope="module")
def explorer():
    """`cramplab explore squid`, running."""
    server = Server("simulation", "explore", "squid", "--port", str(free_port()), "--no-browser")
    server.address = re.search(r"http://\S+", server.until("The explorer is at")).group()
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture(scope="module")
def page(chromium, explorer):
    """The explorer's page, with what its console said as ``errors``."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light", accept_downloads=True)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.errors = []
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("requestfailed", lambda request: page.errors.append(f"failed: {request.url}"))
    page.goto(explorer.address)
    page.wait_for_selector(".cramplab .curve.now", state="attached")
    yield page
    context.close()


def answered(page) -> None:
    page.wait_for_function("() => !document.querySelector('.cramplab').classList.contains('busy')")


def points(page, line: str = "now V") -> str:
    return page.locator(f'.curve[data-line="{line}"]').get_attribute("points")


# ---- the explorer

def test_a_slider_moved_by_keyboard_moves_the_curve(page, record_testsuite_property):
    line = page.locator('.curve[data-line="now V"]').element_handle()
    before, grey = points(page), points(page, "control V")
    slider = page.locator('[data-slider="T"] input[type=range]')
    slider.focus()
    for _ in range(5):
        page.keyboard.press("PageUp")
    page.wait_for_function("([line, before]) => line.getAttribute('points') !== before", arg=[line, before])
    answered(page)
    assert line.evaluate("line => line.isConnected")  # the same line: its points were replaced
    assert len(points(page).split()) > 50
    assert points(page, "control V") == grey
    record_testsuite_property("explorer: ms from key to curve", page.locator(".cramplab").get_attribute("data-took"))
    command = page.locator("code").inner_text()
    assert re.fullmatch(r"cramplab run squid --bath T=\S+ --pulse 0.5ms:20@5 --duration 25ms", command)
    assert float(command.split("T=")[1].split()[0]) > 8


def test_numbers_follow_when_the_sliders_stand_still(page):
    page.wait_for_function("() => [...document.querySelectorAll('td.number')].every((cell) => cell.textContent !== '…')")
    cells = page.locator('tr[data-run="now"] td.number').all_inner_texts()
    assert cells[0].endswith("mV")
    assert cells[2].endswith("µA/cm²")


def test_the_tab_key_reaches_the_sliders(page):
    page.locator("header select").focus()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.closest('[data-slider]')?.dataset.slider || ''"))
    assert [name for name in dict.fromkeys(reached) if name][:4] == ["T", "g_Na", "g_K", "g_L"]
    unnamed = page.evaluate("""() => [...document.querySelectorAll('.cramplab :is(button, select, input)')].filter((e) => !e.hidden
      && !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.textContent.trim()).map((e) => e.outerHTML)""")
    assert unnamed == []


def test_runs_are_kept_and_laid_over_one_another(page):
    page.locator('button[data-act="Keep this run"]').press("Enter")
    page.wait_for_selector('.curve.kept[data-line^="kept"]', state="attached")
    kept = page.locator(".curve.kept").get_attribute("points")
    page.locator('button[data-act="Back to control"]').press("Enter")
    page.wait_for_function("() => !document.querySelector('code').textContent.includes('--bath')")
    answered(page)
    assert page.locator(".curve.kept").get_attribute("points") == kept != points(page)
    assert points(page) == points(page, "control V")
    assert page.locator("tbody tr").count() == 3


@pytest.mark.parametrize("form", ["SVG", "PNG"])
def test_a_figure_is_saved(page, form, tmp_path):
    with page.expect_download() as download:
        page.locator(f'button[data-act="Figure {form}"]').press("Enter")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == f".{form.lower()}"
    origin = figures.provenance_of(path)
    assert (origin["model"], len(origin["others"])) == ("squid", 1)


def test_a_refusal_is_said_in_the_page(page):
    number = page.locator('[data-slider="T"] input[type=number]')
    number.fill("90")
    number.press("Enter")
    page.wait_for_selector(".status.refused")
    assert "temperature goes from 0 to 45 degC" in page.locator(".status").inner_text()
    assert "Traceback" not in page.locator("body").inner_text()
    number.fill("18")
    number.press("Enter")
    page.wait_for_selector(".status:not(.refused)")
    answered(page)


@pytest.mark.parametrize("view", ["currents", "gates", "potential"])
def test_every_word_is_read_in_light_and_dark(page, view):
    page.locator(f'button[data-view="{view}"]').press("Enter")
    page.wait_for_function("view => document.querySelector(`[data-view=${view}]`).getAttribute('aria-pressed') === 'true'", arg=view)
    page.wait_for_function("() => document.querySelector('.curve.now')?.getAttribute('points')")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("scheme => document.querySelector('.cramplab').dataset.theme === scheme", arg=scheme)
        told = page.evaluate(CONTRAST)
        assert told["seen"] > 40
        assert told["out"] == []


def test_nothing_is_cut_off_or_scrolls(page):
    for size in ({"width": 1920, "height": 1080}, {"width": 1280, "height": 720}):
        page.set_viewport_size(size)
        beyond = page.locator(".cramplab").evaluate("e => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]")
        assert beyond == [0, 0]
        assert page.locator(".numbers").evaluate("e => e.scrollWidth - e.clientWidth") == 0
        assert page.locator("svg.chart").bounding_box()["height"] > 200


def test_another_membrane(page):
    page.locator("header select").select_option("fibre")
    page.wait_for_selector('[data-slider="K"]')
    answered(page)
    words = page.locator('[data-slider="K"] .words').inner_text()
    assert words == "normal 3.5 to 5.0"
    assert "Model: Human skeletal muscle fibre" in page.locator("header").inner_text()
    assert points(page)


def test_the_console_has_said_nothing_bad(page):
    assert page.errors == []


def test_ctrl_c_ends_it(page, explorer):
    page.close()
    assert explorer.stop() == (0 if os.name == "posix" else explorer.process.returncode)
    explorer.until("The explorer has ended." if os.name == "posix" else "")
    assert "Traceback" not in "".join(explorer.said)


# ---- JupyterLab

def code_cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def lab(chromium, tmp_path_factory):
    """JupyterLab with the first notebook and one that shows an explorer: ``open(name)`` runs one from top to bottom and gives its page."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(NOTEBOOKS / "00_first_look.ipynb", folder)
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    cell = nbformat.v4.new_code_cell("from simulation.classroom.widget import Explorer\n\nExplorer('squid')")
    own = nbformat.v4.new_notebook(cells=[cell], metadata=kernel)
    nbformat.write(own, folder / "explorer.ipynb")
    away = {f"{name}_DIR": str(folder / name) for name in ("JUPYTER_CONFIG", "JUPYTER_DATA", "JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES")}
    port = free_port()
    server = Server(
        "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=", "--ServerApp.port_retries=0", "--allow-root",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", f"--ServerApp.root_dir={folder}",
        env=os.environ | away,
    )
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))

    def opened(name: str):
        page.goto(f"http://127.0.0.1:{port}/lab/tree/{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_selector("text=/\\| Idle$/")  # of the kernel, in the status bar: before, nothing would be run
        page.click('.lm-MenuBar-item:has-text("Run")')
        page.click('.lm-Menu-item[data-command="runmenu:run-all"]')
        page.wait_for_selector(f'.jp-InputPrompt:has-text("[{len(code_cells(folder / name))}]:")')
        return page

    opened.folder = folder
    try:
        server.answers(port)
        yield opened
    finally:
        context.close()
        server.stop()


def test_the_first_notebook_in_jupyterlab(lab):
    page, copy = lab("00_first_look.ipynb"), lab.folder / "00_first_look.ipynb"
    page.keyboard.press("Control+s")
    end = time.monotonic() + PATIENCE
    while not code_cells(copy)[-1]["execution_count"] and time.monotonic() < end:
        page.wait_for_timeout(200)
    cells = code_cells(copy)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert all(cell["execution_count"] for cell in cells)
    assert [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"] == []
    assert sum("image/png" in o.get("data", {}) for o in outputs) >= 4
    assert page.errors == []


def test_the_explorer_in_jupyterlab(lab):
    page = lab("explorer.ipynb")
    page.wait_for_selector(".cramplab .curve.now", state="attached")
    before = points(page)
    page.locator('[data-slider="T"] input[type=range]').focus()
    page.keyboard.press("PageUp")
    page.wait_for_function("before => document.querySelector('.curve[data-line=\"now V\"]').getAttribute('points') !== before", arg=before)
    answered(page)
    assert page.evaluate(CONTRAST)["out"] == []
    assert page.locator(".cramplab").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    assert page.errors == []
