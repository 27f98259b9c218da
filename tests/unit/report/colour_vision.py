"""How far apart two colours are to readers with each kind of colour vision, and how they stand out from white."""

from __future__ import annotations

import numpy as np

from evalkit.core.arrays import Floats

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISION: dict[str, Floats] = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> Floats:
    """Return the linear red, green and blue of `#rrggbb`."""
    share = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """Return relative luminance as WCAG defines it."""
    return float(_TO_XYZ[1] @ linear(colour))


def contrast(colour: str, other: str = "#FFFFFF") -> float:
    """Return the contrast ratio of WCAG."""
    light, dark = sorted((luminance(colour), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def distance(colour: str, other: str, vision: str) -> float:
    """Return the distance in CIE L*a*b* (1976) between two colours as seen; 2 can just be told apart side by side."""
    seen = [_lab(np.clip(VISION[vision] @ linear(one), 0, 1)) for one in (colour, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def _lab(rgb: Floats) -> Floats:
    x, y, z = (_TO_XYZ @ rgb) / np.array([0.9505, 1.0, 1.089])
    f = [value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
