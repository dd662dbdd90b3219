"""The site, built once for a test run, and a browser where the machine has one."""

import shutil
import threading

import pytest

from host.web import command, site


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    site.build(folder)
    return folder


@pytest.fixture(scope="session")
def address(built):
    """The site's address while it is served."""
    with command.server(built, 0) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://{command.ADDRESS}:{serving.server_address[1]}"
        serving.shutdown()


@pytest.fixture(scope="session")
def browser():
    """Chromium from the machine's packages; skipped where there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no browser: install the package chromium to run this test")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
