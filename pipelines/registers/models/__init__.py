from pipelines.registers.models.company import ProjectCompany, RegisterCompany
from pipelines.registers.models.edition import Edition, Reject, Sighting
from pipelines.registers.models.match import Match, MatchState, Proposal
from pipelines.registers.models.project import RegisterProject, RegisterState
from pipelines.registers.models.register import Register

__all__ = [
    "Edition",
    "Match",
    "MatchState",
    "ProjectCompany",
    "Proposal",
    "Register",
    "RegisterCompany",
    "RegisterProject",
    "RegisterState",
    "Reject",
    "Sighting",
]
