"""The two themes: calm colours, one accent, and no meaning in a hue alone."""

from __future__ import annotations

from textual.theme import Theme


def _theme(
    name: str,
    *,
    dark: bool,
    primary: str,
    secondary: str,
    accent: str,
    success: str,
    error: str,
    foreground: str,
    background: str,
    surface: str,
    panel: str,
    rule: str,
    quiet: str,
    blurred: str,
    selection: str,
) -> Theme:
    """A theme of ten colours, and four of our own.

    Args:
        name: of the theme.
        dark: whether its background is.
        primary, secondary, accent, success, error: what is told by colour; accent warns, too.
        foreground, background, surface, panel: text, and what it stands on.
        rule: of the line over a panel.
        quiet: of text that is not to be seen first.
        blurred: of the cursor in a list without the keyboard's focus.
        selection: of text selected in an input, over its background.
    """
    return Theme(
        name,
        dark=dark,
        primary=primary,
        secondary=secondary,
        accent=accent,
        success=success,
        warning=accent,
        error=error,
        foreground=foreground,
        background=background,
        surface=surface,
        panel=panel,
        variables={
            "rule": rule,
            "quiet": quiet,
            "footer-background": background,
            "footer-key-foreground": primary,
            "footer-description-foreground": quiet,
            "block-cursor-background": primary,
            "block-cursor-foreground": background,
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-background": blurred,
            "block-cursor-blurred-foreground": foreground,
            "border": primary,
            "border-blurred": rule,
            "input-selection-background": selection,
            "scrollbar": rule,
            "scrollbar-hover": quiet,
            "scrollbar-active": primary,
            "scrollbar-background": background,
        },
    )


DARK = _theme(
    "tuitrain-dark",
    dark=True,
    primary="#7aa7e8",
    secondary="#8b98ad",
    accent="#e3b36b",
    success="#86c58b",
    error="#e67e80",
    foreground="#d3d9e3",
    background="#12161c",
    surface="#1a1e23",
    panel="#252a32",
    rule="#313a48",
    quiet="#8b96a8",
    blurred="#30353f",
    selection="#7aa7e8 30%",
)

LIGHT = _theme(
    "tuitrain-light",
    dark=False,
    primary="#2a5db0",
    secondary="#5d6675",
    accent="#9a5b00",
    success="#2d7a3a",
    error="#b3322f",
    foreground="#23282f",
    background="#fbfaf7",
    surface="#f2f1ee",
    panel="#e8e5dd",
    rule="#d3cfc5",
    quiet="#666d78",
    blurred="#dcd8cd",
    selection="#2a5db0 25%",
)
