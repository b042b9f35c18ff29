"""A stand-in of GitHub: the endpoints of its REST API that are used here, over a real bare repository, told apart
from the real one by being strict. Start with `stand_in.standing_in`; facts are from https://docs.github.com/en/rest and
from the payload examples of https://github.com/octokit/webhooks."""
