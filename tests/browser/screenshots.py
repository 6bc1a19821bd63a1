"""The screenshots of the documentation: taken while the test runs, if SCREENSHOTS names a folder (``make screenshots``)."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page


def take(name: str, page: Page, of: Locator | None = None) -> None:
    """Save what a page shows, or what it shows of an element; with a palette, because a small file is loaded sooner."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    if of is not None:
        picture = picture.crop(_box(page, of, picture.width))
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(Path(folder) / f"{name}.png", optimize=True)


def _box(page: Page, of: Locator, width: int) -> tuple[float, float, float, float]:
    """Return where in a picture of the page the visible part of an element is."""
    box, view = of.bounding_box(), page.viewport_size
    assert box is not None
    assert view is not None
    scale = width / view["width"]
    bottom = min(box["y"] + box["height"], view["height"])
    return box["x"] * scale, box["y"] * scale, (box["x"] + box["width"]) * scale, bottom * scale
