"""What the palette offers of the pages over the whole portfolio."""

from oegen.pages.commands import go_to, register

register(
    go_to("Dashboard", "dashboard", "layout-dashboard", "home overview", section=1),
    go_to("Changes", "changes", "history", "what changed walk", section=7),
    go_to("Committee report", "report", "file-text", "print paper"),
    go_to("Search", "search", "search", "find"),
)
