"""Pull requests on GitHub and GitHub Enterprise. Nothing is decided here: what to post and whom to believe is told."""
