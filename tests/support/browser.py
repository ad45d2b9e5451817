# Copyright (c) 2026, the vaultops.vault authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser: Debian's chromium, by the WebDriver protocol of its chromedriver.

API: https://www.w3.org/TR/webdriver2/
"""

from __future__ import annotations

import base64
import contextlib
import pathlib
import re
import shutil
import subprocess
import time
import typing as t

import requests

SECONDS = 60.0
PORT = re.compile(rb"started successfully on port (\d+)")
PARTS = re.compile(r"[\d.]+")


def reason_to_skip() -> str:
    """Return why no browser can run here, nothing where one can."""
    programs = ("chromium", "chromedriver")
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return ""
    return f"{' and '.join(missing)} not installed: apt-get install chromium chromium-driver"


class Browser:
    """A window of a browser."""

    def __init__(self, address: str, session: str) -> None:
        self._base = f"{address}/session/{session}"
        self._http = requests.Session()
        self._http.trust_env = False

    @classmethod
    @contextlib.contextmanager
    def started(cls, directory: pathlib.Path) -> t.Iterator[Browser]:
        """Start a browser that keeps what it writes in ``directory``."""
        directory.mkdir()
        log = directory / "chromedriver.log"
        with log.open("wb") as output:
            driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=output, stderr=output)
        try:
            address = f"http://127.0.0.1:{_port(log)}"
            arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"]
            arguments += [f"--user-data-dir={directory}/profile", "--disable-background-networking"]
            wanted = {
                "goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")},
                "goog:loggingPrefs": {"browser": "ALL"},
            }
            body = {"capabilities": {"alwaysMatch": wanted}}
            with requests.Session() as http:
                http.trust_env = False
                answer = http.post(f"{address}/session", json=body, timeout=SECONDS).json()["value"]
            assert "sessionId" in answer, answer
            browser = cls(address, answer["sessionId"])
            try:
                yield browser
            finally:
                browser._http.delete(browser._base, timeout=SECONDS)
                browser._http.close()
        finally:
            driver.terminate()
            driver.wait(SECONDS)

    def open(self, page: pathlib.Path) -> None:
        """Show a page."""
        self._post("url", {"url": page.as_uri()})

    def run(self, script: str, *arguments: t.Any) -> t.Any:
        """Run JavaScript in the page, and return what it returns."""
        return self._post("execute/sync", {"script": script, "args": list(arguments)})

    def resize(self, width: int, height: int) -> None:
        """Give the page this size, as a phone has it."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._devtools("Emulation.setDeviceMetricsOverride", metrics)

    def emulate(self, medium: str) -> None:
        """Show the page as it is on a medium, such as print."""
        self._devtools("Emulation.setEmulatedMedia", {"media": medium})

    def emulate_dark(self, dark: bool) -> None:
        """Show the page to one who prefers dark colours."""
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._devtools("Emulation.setEmulatedMedia", {"features": [feature]})

    def click(self, selector: str) -> None:
        """Click on an element."""
        self._post(f"element/{self._element(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Write into a field, in the place of what is there."""
        element = self._element(selector)
        self._post(f"element/{element}/clear", {})
        if text:
            self._post(f"element/{element}/value", {"text": text})
        else:
            event = "arguments[0].dispatchEvent(new Event('input'))"
            self.run(event.replace("arguments[0]", f"document.querySelector('{selector}')"))

    def choose(self, selector: str, text: str) -> None:
        """Choose a value of a list."""
        self.run(
            "const list = document.querySelector(arguments[0]);"
            "list.value = arguments[1]; list.dispatchEvent(new Event('change'))",
            selector,
            text,
        )

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        return str(self.run("return document.querySelector(arguments[0]).innerText", selector))

    def attribute(self, selector: str, name: str) -> str:
        """Return an attribute of an element."""
        script = "return document.querySelector(arguments[0]).getAttribute(arguments[1])"
        return str(self.run(script, selector, name))

    def colour(self, selector: str, name: str = "background-color") -> str:
        """Return a colour of an element, as it is shown."""
        script = (
            "let e = document.querySelector(arguments[0]), c;"
            "do { c = getComputedStyle(e).getPropertyValue(arguments[1]); e = e.parentElement }"
            "while (e && arguments[1] == 'background-color' && c == 'rgba(0, 0, 0, 0)'); return c"
        )
        return str(self.run(script, selector, name))

    def contrast(self, selector: str) -> float:
        """Return the contrast of text and background, as WCAG 2 computes it."""
        shades = [_luminance(self.colour(selector, name)) for name in ("color", "background-color")]
        return (max(shades) + 0.05) / (min(shades) + 0.05)

    def log(self) -> list[t.Any]:
        """Return what the browser complained about."""
        return list(self._post("se/log", {"type": "browser"}))

    def screenshot(self) -> bytes:
        """Return the whole page as a PNG."""
        shot = self._devtools("Page.captureScreenshot", {"captureBeyondViewport": True})
        return base64.b64decode(shot["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed."""
        return base64.b64decode(self._post("print", {}))

    def _element(self, selector: str) -> str:
        found = self._post("element", {"using": "css selector", "value": selector})
        return str(next(iter(found.values())))

    def _devtools(self, command: str, parameters: dict[str, t.Any]) -> t.Any:
        return self._post("goog/cdp/execute", {"cmd": command, "params": parameters})

    def _post(self, path: str, body: dict[str, t.Any]) -> t.Any:
        answer = self._http.post(f"{self._base}/{path}", json=body, timeout=SECONDS)
        value = answer.json()["value"]
        assert answer.ok, value
        return value


def _port(log: pathlib.Path) -> int:
    deadline = time.monotonic() + SECONDS
    while not (match := PORT.search(log.read_bytes())):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return int(match[1])


def _luminance(colour: str) -> float:
    channels = [float(part) / 255 for part in PARTS.findall(colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
