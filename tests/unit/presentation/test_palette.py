"""Colours: told apart in greyscale, and readable under the ink of the numbers."""

import pytest

from tracer.presentation.palette import ACTIVE, HEADING, INK, INPUT, TYPED


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, 0 … 1."""
    channels = (int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_active_and_input_differ_in_greyscale() -> None:
    assert luminance(ACTIVE) - luminance(INPUT) > 0.2
    assert luminance("FFFFFF") > luminance(ACTIVE) > luminance(INPUT)


@pytest.mark.parametrize("fill", [ACTIVE, INPUT, HEADING, "FFFFFF"])
@pytest.mark.parametrize("ink", [INK, TYPED])
def test_numbers_are_readable_on_every_fill(fill: str, ink: str) -> None:
    assert contrast(fill, ink) >= 4.5
