"""The screenshots of the documentation: taken while the test runs, if SCREENSHOTS names a folder (``make screenshots``)."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page

_MARGIN = 24.0


def take(name: str, page: Page, of: Locator | None = None, *, down_to: Locator | None = None) -> None:
    """Save what a page shows, with a palette, because a small file is loaded sooner.

    :param of: show this element only, as far as the page shows it.
    :param down_to: show nothing below this element.
    """
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    Path(folder).mkdir(exist_ok=True)
    assert page.viewport_size is not None
    end = float(page.viewport_size["height"])
    left, top, right, bottom = _sides(of) if of else (0.0, 0.0, float(page.viewport_size["width"]), end)
    bottom = min(bottom, end, _sides(down_to)[3] + _MARGIN if down_to else end)
    shot = page.screenshot(animations="disabled", clip={"x": left, "y": top, "width": right - left, "height": bottom - top})
    picture = Image.open(io.BytesIO(shot)).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    picture.save(Path(folder) / f"{name}.png", optimize=True)


def _sides(of: Locator) -> tuple[float, float, float, float]:
    box = of.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]
