"""./scripts/web: the meter in a browser. Builds the static site and serves it on this machine."""

import argparse
import contextlib
import functools
import http.server
import shutil
import sys
import tempfile
from pathlib import Path

from host.cli.parser import command_parser
from host.cli.refused import RefusedError
from host.cli.status import DONE, reported
from host.sim.link import TOP
from host.web import site

ADDRESS = "127.0.0.1"
PORT = 8400
BUILT = TOP / "build" / "web"

DESCRIPTION = """\
The real firmware meters a panel in a web page: turn CTs round, swap leads, open fuses, set loads, and read the glass.
Builds the page into build/web and serves it to this machine only, until Ctrl-C."""

EXAMPLES = """\
  ./scripts/web                    build, serve, and print the address to open
  ./scripts/web --build public     only write the static site; any web server can serve the folder"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = command_parser("web", DESCRIPTION, EXAMPLES)
    p.add_argument("--build", metavar="DIR", help="write the site to DIR (new, empty or an earlier site) and end")
    p.add_argument("--port", type=int, default=PORT, help=f"serve on this port (default {PORT}; 0: any free one)")
    return p


@reported()
def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    args = parser().parse_args(argv)
    if not 0 <= args.port <= 65535:
        raise RefusedError(f"--port {args.port}: allowed: 0 to 65535")
    folder = Path(args.build) if args.build else BUILT
    _check(folder)
    _build(folder)
    if args.build:
        print(f"{folder}: {site.size(folder) / 1e6:.2f} MB, to be served by any web server")
        return DONE
    with contextlib.suppress(KeyboardInterrupt):  # how a server ends
        _serve(folder, args.port)
    return DONE


def _check(folder: Path) -> None:
    """Nothing of a person's is written over."""
    if folder.exists() and not folder.is_dir():
        raise RefusedError(f"--build {folder}: is a file; allowed: a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / site.MARK).is_file():
        raise RefusedError(f"--build {folder}: holds other files; allowed: a new folder, an empty one, an earlier site")


def _build(folder: Path) -> None:
    print("openkh: building the page", file=sys.stderr)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".web-") as made:
            new = Path(made) / "site"  # with the rights of any folder; the temporary one is its owner's alone
            new.mkdir()
            site.build(new)
            if folder.exists():
                shutil.rmtree(folder)
            shutil.move(new, folder)
    except OSError as e:
        raise RefusedError(f"--build {folder}: cannot be written: {e.strerror}") from None


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".json": "application/json",
    }

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a page built anew is seen at once
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet: a person looks at the page, not at its requests."""


def server(folder: Path, port: int) -> http.server.ThreadingHTTPServer:
    """A server of the built site for this machine only; it is the caller's to run and to close."""
    return http.server.ThreadingHTTPServer((ADDRESS, port), functools.partial(_Handler, directory=str(folder)))


def _serve(folder: Path, port: int) -> None:
    try:
        serving = server(folder, port)
    except OSError as e:
        raise RefusedError(f"--port {port}: {e.strerror}; allowed: a free port, 0 for any") from None
    with serving:
        print(f"openkh: open http://{ADDRESS}:{serving.server_address[1]}/ in a browser; Ctrl-C ends", file=sys.stderr)
        serving.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
