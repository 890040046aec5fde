"""What the palette offers of public registers."""

from oegen.pages.commands import go_to, register

register(
    go_to(
        "Matches with registers",
        "register-review",
        "git-compare",
        "review queue public registers proposals same",
    )
)
