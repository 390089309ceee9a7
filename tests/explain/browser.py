"""A real browser without a screen, for pages."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from html import escape, unescape
from pathlib import Path

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
SECONDS = 90


class Browser:
    """Chromium; every call is a process of its own with an empty profile."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def after(self, page: str, script: str, *, width: int = 1280) -> str:
        """What the script, run when the page is there, wrote with `say(...)`, line by line."""
        return self._said(self._with_script(page, script), width)

    def in_frame(self, page: str, script: str, *, width: int) -> str:
        """The same on a screen that is narrower than a window can be: `view` is the page's window."""
        frame = f'<iframe id="f" style="width:{width}px;height:800px;border:0" srcdoc="{escape(page)}"></iframe>'
        loaded = f"(event) => {{ const view = event.target.contentWindow; {script} }}"
        inner = f"document.getElementById('f').addEventListener('load', {loaded});"
        return self._said(self._with_script(f"<!doctype html><body>{frame}</body></html>", inner), 1280)

    def pdf(self, page: str) -> bytes:
        """The page on paper."""
        file, pdf = self._folder / "page.html", self._folder / "page.pdf"
        file.write_text(page, encoding="utf-8")
        self._run([f"--print-to-pdf={pdf}", file.as_uri()])
        return pdf.read_bytes()

    def _with_script(self, page: str, script: str) -> str:
        say = "const say = (text) => { document.getElementById('said').textContent += text + '\\n'; };"
        return page.replace("</body>", f'<pre id="said"></pre><script>{say}{script}</script></body>')

    def _said(self, page: str, width: int) -> str:
        file = self._folder / "page.html"
        file.write_text(page, encoding="utf-8")
        dom = self._run([f"--window-size={width},1000", "--virtual-time-budget=3000", "--dump-dom", file.as_uri()])
        found = re.search(r'<pre id="said">(.*?)</pre>', dom, re.DOTALL)
        assert found is not None, dom[:2000]
        return unescape(found[1]).strip()

    def _run(self, words: Sequence[str]) -> str:
        profile = tempfile.mkdtemp(prefix="browser-", dir=self._folder)
        command = [self._program, *FLAGS, f"--user-data-dir={profile}", *words]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )
        try:
            return process.communicate(timeout=SECONDS)[0]
        finally:
            # It leaves children behind that still write to the profile.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            shutil.rmtree(profile, ignore_errors=True)
