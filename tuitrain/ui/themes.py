"""The two themes: calm colours, one accent, and no meaning in a hue alone."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="tuitrain-dark",
    primary="#7aa7e8",
    secondary="#8b98ad",
    accent="#e3b36b",
    success="#86c58b",
    warning="#e3b36b",
    error="#e67e80",
    foreground="#d3d9e3",
    background="#12161c",
    surface="#181d25",
    panel="#222935",
    dark=True,
    variables={
        "rule": "#313a48",
        "quiet": "#8b96a8",
        "footer-background": "#12161c",
        "footer-key-foreground": "#7aa7e8",
        "footer-description-foreground": "#8b96a8",
        "block-cursor-background": "#7aa7e8",
        "block-cursor-foreground": "#12161c",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#2b3546",
        "block-cursor-blurred-foreground": "#d3d9e3",
        "border": "#7aa7e8",
        "border-blurred": "#313a48",
        "input-selection-background": "#7aa7e8 30%",
    },
)

LIGHT = Theme(
    name="tuitrain-light",
    primary="#2a5db0",
    secondary="#5d6675",
    accent="#9a5b00",
    success="#2d7a3a",
    warning="#9a5b00",
    error="#b3322f",
    foreground="#23282f",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e8e5dd",
    dark=False,
    variables={
        "rule": "#d3cfc5",
        "quiet": "#666d78",
        "footer-background": "#fbfaf7",
        "footer-key-foreground": "#2a5db0",
        "footer-description-foreground": "#666d78",
        "block-cursor-background": "#2a5db0",
        "block-cursor-foreground": "#fbfaf7",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#dcd8cd",
        "block-cursor-blurred-foreground": "#23282f",
        "border": "#2a5db0",
        "border-blurred": "#d3cfc5",
        "input-selection-background": "#2a5db0 25%",
    },
)
