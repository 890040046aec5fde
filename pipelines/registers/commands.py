"""The pages about public registers in the palette."""

from oegen.pages.commands import go_to, register

register(
    go_to("Competitors", "competitors", "trophy", "companies market registers"),
    go_to("Projects of registers", "register-projects", "list-details", "repd tec mastr public"),
    go_to("Benchmarks", "benchmarks", "clock", "durations consent registers"),
    go_to("Public registers", "registers", "database", "editions repd tec mastr"),
)
