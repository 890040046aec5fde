"""The settings of tests for a server that is killed after a commit and before its answer."""

import os
import signal

from tests.settings import *  # noqa: F403
from tests.settings import MIDDLEWARE

#: A request with this header kills the server once everything else was done.
HEADER = "X-Kill-Before-Answer"

MIDDLEWARE = ["tests.support.dying_settings.die_before_answering", *MIDDLEWARE]


def die_before_answering(get_response):
    def answer(request):
        response = get_response(request)
        if HEADER in request.headers:
            os.kill(os.getpid(), signal.SIGKILL)
        return response

    return answer
